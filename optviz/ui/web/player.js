// The stage: shows a scene, plays it, and lets the start be dragged. It knows nothing of Streamlit; `send` tells the world what a visitor did.
import { Chart } from "./chart.js";
import { Steps } from "./explain.js";
import { Gauges } from "./gauges.js";
import { Plane, coordinates, fit, headOf, heads, marker, nearest, scaleOf, swatch } from "./plane.js";
import { listen } from "./hands.js";
import { Playback, bar, button, icon } from "./playback.js";
import { Relief } from "./relief.js";
import { digits, fill, rerun, unpack, warp } from "./scene.js";

const WHOLE_RUN = 6; // seconds at speed 1
const SLOWEST = 8; // steps a second, for short runs
const CORNER = [242, 48]; // px at the top right that belong to the buttons
const MANY = 60; // minima: more than these are marked by points
const NEAREST = 5, FARTHEST = 0.7; // of a relief's zoom
const WHOLE = { yaw: -60, pitch: 40, zoom: 1 }; // the camera as race.LOOK has it
const ANSWER = 4000; // ms to wait for the server's own run before its pictures with another start count again
const HEARD = 60_000; // ms until what was told counts as heard, answered or not; a busy server takes its time

const MARKUP = `
<section tabindex="0" role="application">
  <div class="view"><div class="left">
  <div class="row"><div class="picture">
    <canvas class="back"></canvas><canvas class="relief" hidden></canvas><canvas class="crowds"></canvas><canvas class="trails"></canvas>
    <canvas class="top" role="img"></canvas>
    <div class="grip"></div><output class="readout" hidden></output>
    <p class="message" role="status" hidden></p>
    <div class="sides" role="group" hidden></div>
    <div class="corner">${button("explain", "<i>f</i>")}${button("gauges", icon("M3 15a7.5 7.5 0 1 1 14 0M10 13l3.5-4.5"))}${button("relief", "3D")}${button("follow", icon("M10 2v3M10 15v3M2 10h3M15 10h3M10 5a5 5 0 1 0 .01 0M10 9a1 1 0 1 0 .01 0"))}${button("present")}${button("help")}</div>
  </div><canvas class="scale" hidden></canvas></div>
  <ul class="legend"></ul>
  <canvas class="rates" hidden></canvas><canvas class="chart"></canvas>
  </div><aside hidden></aside></div>
  <div class="gauges" hidden></div>
  ${bar(button("loop"))}
</section>`;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export class Player extends Playback {
  constructor(root, send) {
    super(root, send, MARKUP, ["picture", "relief", "top", "grip", "readout", "message", "sides", "scale", "legend", "chart", "rates", "gauges"]);
    const find = (name) => this.box.querySelector(name);
    this.plane = new Plane(find(".back"), find(".crowds"), find(".trails"));
    this.chart = new Chart(this.parts.chart); this.rateChart = new Chart(this.parts.rates); this.peek = null;
    this.steps = new Steps(find("aside"), (entrant) => { this.explains = entrant; this.tellLook(); });
    this.gauges = new Gauges(this.parts.gauges, (entrant) => this.gauge(entrant));
    this.loop = false; this.following = null; this.relieved = false; this.stood = new Map(); // where each name stood last
    this.told = {};
    listen(this, this.stops.signal);
    [this.parts.picture, this.parts.chart, this.parts.rates, this.parts.gauges].forEach((part) => this.sizes.observe(part));
  }

  destroy() {
    super.destroy(); [this.settling, this.saying, this.waiting].forEach(clearTimeout);
    this.mountain?.destroy();
  }

  // --- data ------------------------------------------------------------------------------------------------------------------------

  // A new scene takes the old one's place: the playhead, the view and what a visitor holds stay as they are.
  show(bytes) { this.put(unpack(bytes)); }

  put(scene) {
    const before = this.scene;
    const atEnd = !before || this.playhead >= before.steps, opened = !before || scene.take !== before.take;
    this.scene = scene; this.texts = scene.texts;
    if (opened) Object.assign(this, { told: {}, held: null, holding: false });
    else if (before.paths.length !== scene.paths.length) delete this.told.look; // whom it names sits elsewhere now
    this.untold();
    const { explain, gauges } = this.told.look ?? scene.look; // what was asked for last, answered or not
    this.explains = explain; this.gaugesOn = gauges;
    if (opened) { // somebody came, or opened another surface, preset or link: its own moment and view count
      const at = document.activeElement; // a button that was clicked has done its work: Space shall play
      if (before && at?.matches("button") && !at.matches(":focus-visible")) this.box.focus({ preventScroll: true });
      this.playing = scene.look.at === null && !this.still && scene.paths.length > 0;
      this.playhead = Math.min(scene.look.at ?? (this.playing ? 0 : scene.steps), scene.steps);
      this.camera = { yaw: scene.look.yaw, pitch: scene.look.pitch, zoom: scene.look.zoom };
      this.turn(scene.look.view === "relief");
    } else this.playhead = atEnd && !this.playing ? scene.steps : Math.min(this.playhead, scene.steps);
    const held = this.held && (this.holding || Date.now() - this.heldAt < ANSWER) && scene.start.some((v, i) => v !== this.held[i]);
    if (held) this.paths = this.moved(this.held);
    else {
      if (this.held && !this.holding) {
        if (same(scene.start, this.held) && scene.heatKey === before.heatKey && scene.steps === before.steps) this.compare(this.paths, scene.paths);
        this.held = null;
      }
      this.paths = scene.paths;
    }
    if (this.following && !this.paths.some((p) => p.entrant === this.following.entrant)) this.follow(null);
    this.label();
    this.steps.show(scene);
    this.buttons.explain.setAttribute("aria-pressed", !!scene.explained);
    this.gauges.show(scene);
    this.buttons.gauges.setAttribute("aria-pressed", !!scene.gauges);
    this.parts.rates.hidden = !scene.rates;
    this.parts.scale.hidden = !scene.heat.lattice;
    this.parts.grip.hidden = this.buttons.explain.hidden = this.buttons.gauges.hidden = scene.fixed;
    this.describe();
    this.ask();
  }

  // The server's run against what the stage drew: where chaos parted them it is said, not hidden.
  compare(mine, theirs) {
    const apart = theirs.filter((path) => {
      const own = mine.find((p) => p.entrant === path.entrant);
      if (!own || own.stale || path.muted || !same(own.live, path.live)) return false; // another rate is no rounding error
      const [a, b] = [own, path].map((p) => headOf(p, this.scene.steps)), [[ax, ay], [bx, by]] = [a, b].map((p) => this.at(...p));
      const seen = ax > 0 && ay > 0 && ax < this.width && ay < this.height;
      return seen && Math.hypot(ax - bx, ay - by) > 1;
    });
    if (apart.length) this.say(fill(this.texts.sensitive, { names: apart.map((p) => p.name).join(", ") }), 6000);
  }

  // Every path from another start, at once; one that only the server can run waits, pale.
  moved(start) {
    return rerun(this.scene, start).map((path, i) => path ?? { ...this.scene.paths[i], stale: true });
  }

  get start() { return this.held ?? this.scene.start; }

  // The paths follow the start that is held: once a frame, and before they are spoken of.
  followStart() {
    if (this.dirty) this.paths = this.moved(this.held);
    this.dirty = false;
  }

  // What the server knows of a visitor's doings.
  get known() {
    const { start, paths, look } = this.scene;
    return { start, muted: paths.filter((p) => p.muted).map((p) => p.entrant), look, side: this.scene.sides?.on };
  }

  // Of two words in quick succession the server may hear the later one alone: so each repeats what was not answered yet.
  tell(event) {
    this.told = { ...(Date.now() - this.toldAt > HEARD ? {} : this.told), ...event };
    this.toldAt = Date.now();
    this.send({ ...this.told });
  }

  // Forget what the server has answered; a scene that does not know yet who is hidden is told here.
  untold() {
    const { scene, told, known } = this;
    for (const name of Object.keys(told)) if (Date.now() - this.toldAt > HEARD || same(told[name], known[name])) delete told[name];
    if (told.muted) for (const one of [...scene.paths, ...scene.crowds]) one.muted = told.muted.includes(one.entrant);
  }

  // --- time ------------------------------------------------------------------------------------------------------------------------

  frame(now) {
    this.asked = 0;
    if (!this.scene || !this.width) return;
    if (this.playing) {
      const rate = Math.max(this.scene.steps / WHOLE_RUN, SLOWEST) * this.speed;
      if (this.last) this.playhead += Math.min(now - this.last, 100) / 1000 * rate;
      if (this.playhead >= this.scene.steps) {
        if (this.loop) this.playhead = 0;
        else { this.playhead = this.scene.steps; this.playing = false; this.describe(); }
      }
    }
    this.last = this.playing ? now : 0;
    this.followStart();
    this.draw();
    if (this.playing) this.ask();
  }

  play(on = !this.playing) {
    if (on && this.playhead >= this.scene.steps) this.playhead = 0;
    this.playing = on;
    this.ask(); this.look();
    if (!on) this.describe();
  }

  go(step) {
    this.playhead = Math.min(Math.max(step, 0), this.scene.steps);
    this.playing = false;
    this.describe(); this.look(); this.ask();
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  resize() {
    const { clientWidth: width, clientHeight: height } = this.parts.picture, ratio = Math.min(devicePixelRatio || 1, 2);
    if (!width || !height) return;
    Object.assign(this, { width, height, ratio });
    this.big = this.box.classList.contains("present");
    this.plane.resize(width, height, ratio);
    this.parts.top.width = Math.round(width * ratio); this.parts.top.height = Math.round(height * ratio);
    this.mountain?.resize(width, height, ratio);
    this.chart.resize(this.parts.chart.clientWidth, this.parts.chart.clientHeight, ratio);
    this.rateChart.resize(this.parts.rates.clientWidth, this.parts.rates.clientHeight, ratio);
    this.gauges.resize(ratio, this.big);
    if (this.scene) { cancelAnimationFrame(this.asked); this.frame(performance.now()); } // in the same frame: nothing blinks
  }

  // The flat view or the relief; without WebGL the flat one stays and says why.
  turn(on) {
    if (on && !this.mountain) {
      try {
        this.mountain = new Relief(this.parts.relief);
        this.mountain.resize(this.width ?? 1, this.height ?? 1, this.ratio ?? 1);
      } catch { this.say(this.texts.no_relief, 6000); on = false; }
    }
    this.relieved = on;
    this.parts.relief.hidden = !on;
    this.box.classList.toggle("solid", on);
    this.buttons.relief.setAttribute("aria-pressed", on);
    this.parts.readout.hidden = true;
    if (this.texts) this.aim();
    this.ask();
  }

  // One button for both views: whom the flat one follows, and the relief as it was.
  aim() {
    const { follow } = this.buttons;
    follow.title = follow.ariaLabel = this.relieved ? this.texts.centre : this.texts.follow;
    follow.setAttribute("aria-pressed", !this.relieved && !!this.following);
  }

  at(x, y) {
    if (!this.relieved) return [this.plane.px(x), this.plane.py(y)];
    const { px, py } = this.mountain.project(x, y);
    return [px, py];
  }
  // A place under the pointer, no finer than a pixel tells it: the middle of a bowl is (0, 0), not (0, 4.13·10⁻⁴).
  place(px, py) {
    const { view, width } = this.plane, places = Math.min(Math.max(-Math.floor(Math.log10((view[1] - view[0]) / width)), 0), 12);
    return (this.relieved ? this.mountain.pick(px, py) : this.plane.place(px, py))?.map((v) => Number(v.toFixed(places)) + 0);
  }

  draw() {
    const { scene, paths, playhead } = this;
    this.wear(scene.themes);
    const { theme } = this;
    const font = (size, weight = 400) => `${weight} ${this.big ? size * 1.5 : size}px optviz, system-ui, sans-serif`, line = this.big ? 4 : 2.75;
    const g = this.parts.top.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    const followed = this.following && paths.find((p) => p.entrant === this.following.entrant);
    if (this.relieved) this.solid(this.theme, playhead);
    else {
      this.plane.look(scene, theme, theme.name, followed ? headOf(followed, playhead) : null);
      this.plane.drawCrowds(this.held ? [] : scene.crowds, playhead, g);
      this.plane.drawPaths(paths, playhead, line);
    }
    this.plane.trails.hidden = this.plane.back.hidden = this.relieved;
    this.plane.crowds.hidden = this.relieved || !scene.crowds.length; // an empty layer costs time, too
    this.taken = [[this.width - CORNER[0], 0, ...CORNER]]; // where words stand already
    if (scene.heat.lattice) this.axes(g, theme, font);
    this.minima(g, theme, font);
    this.handle(g, theme, font);
    this.heads(g, theme, font);
    if (scene.explained) this.terms(g, theme, font, line);
    this.chart.draw(scene, paths, playhead, theme, this.texts, font(11));
    if (scene.rates) this.drawRates(theme, font(11));
    this.drawScale(theme, font(12));
    this.gauges.draw(paths, playhead, this.theme);
    this.tick(scene.steps, fill(this.texts.step_of, { k: Math.floor(playhead), n: scene.steps }), this.texts);
  }

  // What the colours mean, again only where that is another.
  drawScale(theme, font) {
    const { scale } = this.parts, { heat, heatKey } = this.scene, name = this.texts.height, picture = [heatKey, name, theme.name, font, scale.clientHeight, this.ratio].join();
    if (scale.hidden || !scale.clientHeight || picture === this.scaled) return;
    this.scaled = picture;
    scaleOf(scale, heat, name, theme, font, this.ratio);
  }

  // Which way x and y go, and from where to where: along the edges that are nearest.
  axes(g, theme, font) {
    const [x0, x1, y0, y1] = this.scene.heat.box, { relieved } = this, yaw = this.camera.yaw * Math.PI / 180, away = relieved ? -0.09 : 0.04;
    const across = relieved && Math.cos(yaw) > 0 ? 1 - away : away, along = relieved && Math.sin(yaw) > 0 ? 1 - away : away;
    const at = (s, t) => this.at(x0 + s * (x1 - x0), y0 + t * (y1 - y0));
    g.font = font(12); g.textAlign = "center"; g.textBaseline = "middle";
    for (const [share, x, y] of [[0.08, digits(x0, 2), digits(y0, 2)], [0.5, "x", "y"], [0.92, digits(x1, 2), digits(y1, 2)]]) {
      this.tag(g, theme, x, ...at(share, along), theme.faint);
      this.tag(g, theme, y, ...at(across, share), theme.faint);
    }
  }

  // The learning rates over the same steps, and what each is where the pointer is, else at the playhead.
  drawRates(theme, font) {
    const { scene, paths, texts } = this, known = this.rated;
    if (known?.paths !== paths) {
      const steps = scene.steps, rate = (p, k) => (typeof p.rate === "number" ? p.rate : p.rate[Math.min(k, p.rate.length - 1)]);
      this.rated = { paths, scene: { ...scene, panel: scene.rates }, texts: { ...texts, loss: texts.rate },
        curves: paths.map((p) => ({ ...p, height: Float64Array.from({ length: steps + 1 }, (_, k) => rate(p, k)) })) };
    }
    const { curves } = this.rated, chart = this.rateChart, k = Math.floor(this.peek ?? this.playhead);
    chart.draw(this.rated.scene, curves, this.peek ?? this.playhead, theme, this.rated.texts, font);
    curves.forEach((p, i) => {
      const small = this.parts.legend.children[i].querySelector("small"), over = p.end !== null && k >= p.end;
      const words = over ? fill(texts.diverged_at, { k: p.end }) : `α = ${digits(p.height[k])}`;
      if (!p.stale && small.textContent !== words) small.textContent = words;
    });
  }

  solid(theme, playhead) {
    const { scene, paths, mountain } = this, given = this.given ??= {}; // what the relief was last told
    if (given.theme !== theme.name) mountain.setTheme({ background: theme.page, valley: theme.valley, peak: theme.peak, isoline: theme.isoline, ink: theme.ink });
    const heat = scene.heatKey;
    if (given.heat !== heat) mountain.setSurface({ height: scene.surface.height, box: scene.heat.box, warp: warp(scene.heat), bands: scene.heat.bands });
    if (given.paths !== paths || given.heat !== heat) {
      mountain.setTrails(paths.filter((p) => !p.muted && !p.stale).map((p) => ({ x: p.x, y: p.y, colour: p.colour, dash: p.dash, shape: p.shape,
        end: p.end === null ? p.x.length - 1 : p.end - 1 })));
    }
    this.given = { theme: theme.name, heat, paths };
    this.plane.view ??= fit(scene.heat.box, this.width, this.height); // who begins in relief has seen no other yet
    mountain.camera = this.camera;
    mountain.draw(playhead);
    const g = this.parts.top.getContext("2d");
    if (!this.held) for (const crowd of scene.crowds) if (!crowd.muted) heads(g, crowd, playhead, this.width, this.height, (x, y) => this.at(x, y));
  }

  minima(g, theme, font) {
    g.font = font(12); g.textAlign = "left"; g.textBaseline = "middle";
    let named = false;
    const small = this.scene.dots.length > MANY;
    for (const [x, y, , best] of this.scene.dots) {
      const [px, py] = this.at(x, y), hidden = this.relieved && this.mountain.project(x, y).hidden;
      if (px < 0 || py < 0 || px > this.width || py > this.height || (hidden && small)) continue;
      g.strokeStyle = theme.ink; g.fillStyle = best ? theme.ink : theme.page; g.lineWidth = 1.5; g.globalAlpha = hidden ? 0.25 : best ? 1 : 0.7;
      g.beginPath();
      if (best) for (let i = 0; i < 10; i++) { const r = i % 2 ? 3 : 7, a = i * Math.PI / 5 - Math.PI / 2; g.lineTo(px + r * Math.cos(a), py + r * Math.sin(a)); }
      else if (small) { g.fillStyle = theme.ink; g.globalAlpha = 0.35; g.fillRect(px - 1, py - 1, 2, 2); g.globalAlpha = 1; continue; }
      else g.arc(px, py, 3.5, 0, 7);
      g.closePath(); g.fill(); g.stroke();
      if (best && !named && !hidden) {
        this.tag(g, theme, this.texts.optimum, px + 11, py - 9);
        this.taken.push([px + 11, py - 17, g.measureText(this.texts.optimum).width, 16]);
        named = true;
      }
      g.globalAlpha = 1;
    }
  }

  handle(g, theme, font) {
    const [px, py] = this.at(...this.start);
    this.handleAt = [px, py];
    this.parts.grip.style.transform = `translate(${px}px, ${py}px)`;
    g.fillStyle = theme.page; g.strokeStyle = theme.ink; g.lineWidth = 2.5;
    g.beginPath(); g.arc(px, py, this.scene.fixed ? 5 : this.holding ? 11 : 8.5, 0, 7); g.fill(); g.stroke();
    if (!this.scene.fixed) { g.fillStyle = theme.ink; g.beginPath(); g.arc(px, py, 3, 0, 7); g.fill(); }
    g.font = font(12); g.textAlign = "left"; g.textBaseline = "middle";
    const text = this.holding ? `${this.texts.start} ${coordinates(...this.start)}` : this.texts.start, width = g.measureText(text).width;
    if (this.scene.fixed) { // nobody drags it: beside the paths that begin there
      const spots = [[14, 0], [-14 - width, 0], [-width / 2, 24], [-width / 2, -24]].map(([dx, dy]) => [px + dx, py + dy - 8, width, 16]);
      const [x, y] = spots[this.freest("start", spots, (spot) => this.covered(spot) || this.crossed(spot))] ?? spots[0];
      this.tag(g, theme, text, x, y + 8);
      this.taken.push([x, y, width, 16]);
      return;
    }
    const x = px + 14 + width > this.width ? px - 14 - width : px + 14;
    this.tag(g, theme, text, x, py);
    this.taken.push([x, py - 8, width, 16]);
  }

  // Where a name stood before, as long as nothing is there, else the first spot that is free: names keep still.
  freest(who, spots, barred) {
    const last = this.stood.get(who), found = last !== undefined && !barred(spots[last]) ? last : spots.findIndex((spot) => !barred(spot));
    if (found < 0) return undefined;
    this.stood.set(who, found);
    return found;
  }

  // Whether a path goes through a box.
  crossed([left, top, width, high]) {
    return this.paths.some((path) => !path.muted && path.x.some((x, t) => {
      const [a, b] = t % 2 ? [left, top] : this.at(x, path.y[t]);
      return a > left && a < left + width && b > top && b < top + high;
    }));
  }

  // The terms of the step at the playhead, as arrows; a start that is held has them again as soon as the server answers.
  terms(g, theme, font, line) {
    const away = !!this.held || this.scene.explained.away, size = this.big ? 21 : 14, { view } = this.plane;
    this.steps.fill(this.playhead, away, this.playing);
    if (away) return;
    const lengthOf = (dx, dy) => Math.hypot(dx / (view[1] - view[0]) * this.width, dy / (view[3] - view[2]) * this.height);
    const tag = (text, [x, y], [dx, dy], colour) => { // beyond the tip, where it covers no other word
      const width = g.measureText(text).width, high = size + 2;
      for (const away of [1, 1.8, 2.6, 3.4]) {
        const spot = [x + dx * 9 * away - width / 2 + dx * width / 2, y + dy * 15 * away - high / 2, width, high];
        if (this.covered(spot)) continue;
        this.taken.push(spot);
        g.font = font(14, 600);
        this.tag(g, theme, text, spot[0], spot[1] + high / 2, colour);
        return;
      }
    };
    this.steps.draw(g, this.playhead, { at: (x, y) => this.at(x, y), lengthOf, tag, theme, font: font(14, 600), line });
  }

  // Whether a box of the picture is outside of it, or has words already.
  covered([left, top, width, high]) {
    return left < 2 || left + width > this.width - 2 || top < 2 || top + high > this.height - 2
      || this.taken.some(([x, y, w, h]) => left < x + w && x < left + width && top < y + h && y < top + high);
  }

  // A label that can be read on any ground.
  tag(g, theme, text, x, y, colour = theme.ink) {
    g.lineJoin = "round"; g.lineWidth = 4; g.strokeStyle = theme.page; g.strokeText(text, x, y);
    g.fillStyle = colour; g.fillText(text, x, y);
  }

  heads(g, theme, font) {
    g.font = font(12, 600); g.textBaseline = "middle"; g.textAlign = "left";
    const shown = this.paths.filter((p) => !p.muted && !p.stale), { taken } = this, r = this.big ? 8 : 5.5;
    const places = shown.map((path) => this.at(...headOf(path, this.playhead)));
    taken.push(...places.map(([px, py]) => [px - r, py - r, 2 * r, 2 * r])); // no name covers a head
    for (const [i, path] of shown.entries()) {
      const over = path.end !== null && this.playhead >= path.end;
      const [px, py] = places[i], out = !(px > 0 && py > 0 && px < this.width && py < this.height);
      const hx = Math.min(Math.max(px || 0, 12), this.width - 12), top = hx > this.width - CORNER[0] ? CORNER[1] + 12 : 12;
      const hy = Math.min(Math.max(py || 0, top), this.height - 12);
      g.strokeStyle = theme.page; g.fillStyle = path.colour; g.lineWidth = 1.5; g.globalAlpha = path.dim ? 0.4 : 1;
      if (over) { // where it left the picture, marked
        g.save(); g.translate(hx, hy); g.rotate(Math.PI / 4); marker(g, 4, 0, 0, r + 1); g.stroke(); g.fill(); g.restore();
      } else if (out) {
        g.save(); g.translate(hx, hy); g.rotate(Math.atan2((py || 0) - hy, (px || 0) - hx) + Math.PI / 2); marker(g, 2, 0, 0, r); g.stroke(); g.fill(); g.restore();
      } else if (!this.relieved) { marker(g, path.shape, px, py, r); g.stroke(); g.fill(); }
      g.globalAlpha = 1;
      if (path.dim) continue; // another one's step is explained: its words need the room
      const text = over ? `${path.short} · ${fill(this.texts.diverged_at, { k: path.end })}` : path.short, width = g.measureText(text).width, high = this.big ? 22 : 15;
      const spots = [-9, 10, -25, 26, -41, 42, -57, 58].flatMap((dy) => [11, -11 - width].map((dx) => [hx + dx, hy + dy - high / 2, width, high]));
      const away = ([left, top, width, tall], [x, y]) => Math.hypot(Math.max(left - x, x - left - width, 0), Math.max(top - y, y - top - tall, 0));
      const strange = (spot) => places.some((other, j) => j !== i && away(spot, other) < away(spot, [hx, hy]) + 3); // as near to another head: one would take it for that one's name
      const spot = spots[this.freest(path.entrant, spots, (spot) => this.covered(spot) || strange(spot)) ?? this.freest(path.entrant, spots, (spot) => this.covered(spot))];
      if (spot) { taken.push(spot); this.tag(g, theme, text, spot[0], spot[1] + high / 2); }
    }
  }

  // --- words -----------------------------------------------------------------------------------------------------------------------

  label() {
    const { texts, scene } = this;
    this.name(texts, scene.language);
    this.aim();
    this.choices();
    const legend = this.parts.legend, paths = scene.paths;
    while (legend.children.length > paths.length) legend.lastChild.remove();
    while (legend.children.length < paths.length) {
      const row = document.createElement("li"), button = row.appendChild(document.createElement("button"));
      button.append(...["kbd", "canvas", "span", "small"].map((n) => document.createElement(n)));
      button.addEventListener("click", () => this.mute([...legend.children].indexOf(row)), { signal: this.stops.signal });
      legend.append(row);
    }
    paths.forEach((path, i) => {
      const button = legend.children[i].firstChild, [key, piece, name, small] = button.children;
      key.textContent = i < 9 ? i + 1 : "";
      swatch(piece, path);
      name.textContent = path.name;
      small.textContent = path.stale ? texts.only_python : path.end === null ? "" : fill(texts.diverged_at, { k: path.end });
      button.setAttribute("aria-pressed", !path.muted);
      button.title = texts.mute;
    });
  }

  // The pictures that are compared, each with its name, and which is seen.
  choices() {
    const { sides } = this.parts, names = this.scene.sides?.names ?? [];
    sides.hidden = !names.length;
    sides.replaceChildren(...names.map((name, i) => {
      const button = Object.assign(document.createElement("button"), { textContent: name });
      button.setAttribute("aria-pressed", i === this.scene.sides.on);
      button.addEventListener("click", () => this.side(i));
      return button;
    }));
  }

  // What the picture shows, for whoever cannot see it.
  describe() {
    const { scene, texts } = this, k = Math.floor(this.playhead);
    const each = this.paths.filter((p) => !p.muted && !p.stale).map((p) => {
      const t = Math.min(k, p.height.length - 1);
      return p.end !== null && k >= p.end ? `${p.name}: ${fill(texts.diverged_at, { k: p.end })}` : `${p.name}: ${texts.height} = ${digits(p.height[t])} ${coordinates(p.x[t], p.y[t])}`;
    });
    const words = fill(texts.described, { k, n: scene.steps, start: coordinates(...this.start) }) + (each.length ? ` ${each.join("; ")}.` : "") + this.gauges.words(this.paths, this.playhead);
    this.parts.words.textContent = words;
    this.parts.top.ariaLabel = words;
  }

  say(text, duration) {
    const { message } = this.parts;
    message.textContent = text; message.hidden = false;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { message.hidden = true; }, duration);
  }

  hover(px, py, target) {
    const { readout } = this.parts, { texts, scene } = this, at = target.closest("button") ? null : this.place(px, py);
    if (!at || this.holding) { readout.hidden = true; return; }
    const project = (x, y) => this.at(x, y), near = nearest(this.paths, project, px, py, this.playhead, 12);
    if (near) {
      const { path, t } = near, rate = typeof path.rate === "number" ? path.rate : path.rate[Math.max(Math.min(t, path.rate.length) - 1, 0)];
      readout.textContent = `${path.name} · ${fill(texts.step, { k: t })}\n${coordinates(path.x[t], path.y[t])}\n${texts.height} = ${digits(path.height[t])}   α = ${digits(rate)}`;
    } else {
      const [gx, gy] = scene.surface.slope(...at);
      readout.textContent = `${coordinates(...at)}\n${texts.height} = ${digits(scene.surface.height(...at))}\n${texts.slope} = ${coordinates(gx, gy)}`;
    }
    readout.hidden = false;
    readout.style.left = `${Math.min(px + 16, this.width - readout.offsetWidth - 6)}px`;
    readout.style.top = `${py + 16 + readout.offsetHeight > this.height ? py - readout.offsetHeight - 10 : py + 16}px`;
  }

  // --- what a visitor does ---------------------------------------------------------------------------------------------------------

  grab() {
    if (this.scene.fixed) return;
    this.holding = true;
    this.parts.readout.hidden = true;
    this.ask();
  }

  hold(at) {
    if (!at || this.scene.fixed || !Number.isFinite(this.scene.surface.height(...at))) return;
    this.held = at.map((v) => Number(v.toPrecision(6)));
    this.heldAt = Date.now();
    this.dirty = true;
    this.ask();
  }

  release() {
    this.holding = false; this.heldAt = Date.now();
    this.followStart();
    clearTimeout(this.waiting);
    if (this.held && !same(this.held, this.scene.start)) {
      this.tell({ start: this.held });
      this.waiting = setTimeout(() => this.holding || this.letGo(), ANSWER); // an answer that never comes
    } else this.letGo();
    this.describe(); this.ask();
  }

  // Back to what the server said last.
  letGo() {
    if (!this.held) return;
    this.held = null; this.paths = this.scene.paths;
    this.describe(); this.ask();
  }

  mute(i) {
    const path = this.scene.paths[i];
    if (!path) return;
    path.muted = !path.muted;
    this.paths = this.paths.map((p) => (p.entrant === path.entrant ? { ...p, muted: path.muted } : p));
    if (!this.held) this.scene.paths = this.paths;
    for (const crowd of this.scene.crowds) if (crowd.entrant === path.entrant) crowd.muted = path.muted;
    this.plane.spread = null;
    this.label(); this.describe(); this.ask();
    this.tell({ muted: this.known.muted });
  }

  follow(path) {
    this.following = path;
    this.aim();
    this.say(this.following ? fill(this.texts.following, { name: this.following.name }) : this.texts.following_nobody, 1500);
    this.ask();
  }

  // Who is followed after whom; nobody after the last.
  next() {
    const shown = this.paths.filter((p) => !p.muted);
    return shown[shown.findIndex((p) => p.entrant === this.following?.entrant) + 1] ?? null;
  }

  // Tell how it is looked at, once the hand rests: that belongs to a shared link.
  look() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      if (!same(this.looks, this.told.look ?? this.scene.look)) this.tellLook();
    }, 400);
  }
  tellLook() { clearTimeout(this.settling); this.tell({ look: this.looks }); }

  // How it is looked at.
  get looks() {
    const round = (v) => Math.round(v * 100) / 100, k = Math.round(this.playhead), { yaw, pitch, zoom } = this.camera;
    return { view: this.relieved ? "relief" : "plane", yaw: round(yaw), pitch: round(pitch), zoom: round(zoom),
      at: this.playing || k >= this.scene.steps ? null : k, explain: this.explains, gauges: this.gaugesOn };
  }

  do(name) {
    const at = Math.round(this.playhead);
    ({ play: () => this.play(), back: () => this.go(Math.ceil(this.playhead) - 1), on: () => this.go(Math.floor(this.playhead) + 1), home: () => this.go(0), end: () => this.go(this.scene.steps),
      again: () => { this.playhead = 0; this.play(true); }, loop: () => { this.loop = !this.loop; this.buttons.loop.setAttribute("aria-pressed", this.loop); },
      follow: () => (this.relieved ? this.centre() : this.follow(this.next())), compare: () => this.scene.sides && this.side(1 - this.scene.sides.on), explain: () => this.explain(), gauges: () => this.gauge(), relief: () => { this.turn(!this.relieved); this.look(); }, present: () => this.present(),
      help: () => this.help() })[name](at);
  }

  // Another of the pictures that are compared.
  side(i) { if (i !== this.scene.sides.on) this.tell({ side: i }); }

  // Whose step is explained: the one that is followed, or the first; or nobody's any more.
  explain() {
    if (this.scene.fixed) return;
    const first = this.following ?? this.paths.find((p) => !p.muted) ?? this.paths[0];
    this.explains = this.explains === null ? first?.entrant ?? null : null;
    this.tellLook();
  }

  // The readouts on or off; or those of another one, who is explained where somebody is.
  gauge(entrant) {
    if (this.scene.fixed) return;
    if (entrant === undefined) this.gaugesOn = 1 - this.gaugesOn;
    else if (this.explains !== null) this.explains = entrant;
    if (!this.gaugesOn) this.parts.gauges.hidden = true;
    this.buttons.gauges.setAttribute("aria-pressed", !!this.gaugesOn);
    this.describe(); this.ask(); this.tellLook();
  }

  present(on) { this.parts.readout.hidden = true; super.present(on); }

  // The relief as it is at first.
  centre() { this.camera = { ...WHOLE }; this.parts.readout.hidden = true; this.ask(); this.look(); }

  orbit(dx, dy) {
    this.parts.readout.hidden = true;
    this.camera.yaw -= dx * 0.4;
    this.camera.pitch = Math.min(90, Math.max(5, this.camera.pitch + dy * 0.3));
    this.ask();
  }

  zoom(by) {
    this.parts.readout.hidden = true;
    this.camera.zoom = Math.min(NEAREST, Math.max(FARTHEST, this.camera.zoom * by));
    this.ask();
  }
}
