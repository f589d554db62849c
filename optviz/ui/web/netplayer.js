// The stage of a network: its answer over the plane, the net beside it, its losses; plays what has been trained and asks for more.
// It knows nothing of Streamlit: `send` tells the world what a visitor did.
import { Bent, beyond } from "./bent.js";
import { Chart } from "./chart.js";
import { Curve } from "./curve.js";
import { Diagram } from "./diagram.js";
import { Field, answer, classStyle, valueScale } from "./field.js";
import { Net, decide } from "./net.js";
import { marker } from "./plane.js";
import { KEYS, Playback, bar, button, icon, listenToBar, listener } from "./playback.js";
import { digits, fill, opened } from "./scene.js";

const WHOLE_RUN = 4; // seconds at speed 1: a hundred frames are 25 a second
const SLOWEST = 8; // passes a second, for short runs
const AHEAD = 1; // seconds of frames that shall lie before the playhead
const ANSWER = 4000; // ms until what was asked for counts as lost
const REST = 180; // ms after which the picture becomes finer
const GRIDS = [14, 17, 20, 24, 28, 32, 40, 50, 64, 80, 100, 128, 160, 200]; // places on a side of the field
const MOVING = [14, 100], RESTING = [70, 200]; // ms that a field may take, and the most places on a side, in motion and at rest
const NARROW = 280; // px of a chart that has no room for more than its name
const OWN = { ...KEYS, r: "reset", "к": "reset", s: "seed", "ы": "seed", v: "val", "м": "val", t: "train", "е": "train", d: "discrete", "в": "discrete", w: "warp", "ц": "warp",
  m: "matrix", "ь": "matrix", n: "neuron", "т": "neuron" };

const MARKUP = `
<section class="network" tabindex="0" role="application">
  <div class="view">
    <div class="mesh"><canvas role="img"></canvas></div>
    <div class="bent" hidden><canvas role="img"></canvas><select></select></div>
    <div class="picture"><canvas class="back"></canvas><canvas class="dots"></canvas><canvas class="top" role="img"></canvas><p class="none" hidden></p></div>
  </div>
  <div class="legend"><ul></ul><span class="switches">
    ${["train", "val", "wrong", "discrete"].map((name) => button(name, "")).join("")}
    ${button("warp", icon("M3 5q7-3 14 0M3 10q7-3 14 0M3 15q7-3 14 0M5 3q-2 7 0 14M10 2q-2 8 0 16M15 3q-2 7 0 14"))}${button("matrix", icon("M3 3h14v14H3zM10 3v14M3 10h14"))}${button("present")}${button("help")}
  </span></div>
  <p class="sentence" role="status"></p>
  <div class="curves"><canvas class="loss"></canvas><canvas class="accuracy"></canvas><div class="matrix" hidden></div></div>
  ${bar(button("reset", icon("M4 8h8a4 4 0 0 1 0 8H7M7.5 4L4 8l3.5 4")) + button("seed", icon("M4 4h12v12H4zM7.5 7.5h.01M12.5 7.5h.01M10 10h.01M7.5 12.5h.01M12.5 12.5h.01")))}
  <output class="readout" hidden></output>
</section>`;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const LOOK = { at: null, neuron: null, hidden: [], discrete: false, warp: null, matrix: false }; // how it is looked at, where nobody says

export class NetworkPlayer extends Playback {
  constructor(root, send) {
    super(root, send, MARKUP, ["mesh", "bent", "picture", "top", "none", "sentence", "legend", "loss", "accuracy", "matrix", "readout"]);
    const find = (name) => this.box.querySelector(name);
    this.pictures = [Curve, Field].map((Kind) => new Kind(find(".back"), find(".dots"), find(".top"))); // over one input, over two
    [, this.field] = this.pictures;
    this.diagram = new Diagram(find(".mesh canvas"));
    this.bent = new Bent(find(".bent canvas"));
    this.layers = find(".bent select");
    this.charts = [new Chart(this.parts.loss), new Chart(this.parts.accuracy)];
    this.frames = []; this.pace = 1.5e-6; this.queue = []; this.look = { ...LOOK };
    listenToBar(this, this.stops.signal, OWN);
    this.listen(listener(this.stops.signal));
    for (const part of [this.parts.picture, this.parts.mesh, this.parts.bent, this.parts.loss, this.parts.accuracy]) this.sizes.observe(part);
  }

  destroy() { super.destroy(); [this.resting, this.settling, this.waiting].forEach(clearTimeout); }

  // --- data ------------------------------------------------------------------------------------------------------------------------

  show(bytes) { this.put(...opened(bytes)); }

  // A message: frames of the run that is shown are added to it, another run begins anew.
  put(scene, array) {
    const before = this.scene, came = !before || before.take !== scene.take, other = !before || before.run !== scene.run;
    const atEnd = before && this.playhead >= this.last;
    this.scene = scene; this.texts = scene.texts;
    if (other) { this.frames = []; this.queue = this.queue.filter((event) => event.look); }
    this.add(scene.frames, array);
    const about = JSON.stringify(scene.net);
    if (this.about !== about || other) {
      this.about = about;
      this.net = new Net({ ...scene.net, matrix: array(scene.net.matrix), shift: array(scene.net.shift) });
    }
    const field = this.pictures[scene.inputs === 1 ? 0 : 1], turned = field !== this.field;
    this.field = field;
    if (scene.points) for (const name of ["x", "y", "label"]) scene.points[name] = array(scene.points[name]);
    scene.scale = scene.points && scene.kind === "values" ? valueScale(scene.points.label) : { middle: 0, half: 1 };
    if (other) this.pointInputs = scene.points && this.net.inputs(scene.points.x, scene.points.y);
    if (came) { // somebody came, or opened another preset or link: its own moment and look count
      this.look = { ...LOOK, ...scene.look };
      this.playing = this.look.at === null && !this.still && scene.state === "running";
      this.playhead = this.look.at ?? (this.playing ? 0 : this.last);
      this.wish = null;
    } else if (other) this.playhead = 0;
    else if (this.stepping && atEnd) this.playhead = this.last;
    if (!this.valid(this.look.neuron)) this.look.neuron = null;
    if (this.look.warp !== null && !(scene.inputs === 2 && this.look.warp >= 1 && this.look.warp <= this.net.hidden)) this.look.warp = null;
    this.playhead = Math.min(this.playhead, this.last);
    this.askedAt = null; this.stepping = false;
    if (this.wish && !same(this.wish, { ...LOOK, ...scene.look })) this.settle(); else this.wish = null;
    this.label(); this.describe(); this.flush(); this.ask();
    if (turned) this.resize();
  }

  // The frames of a message that are not here yet, or in the place of an earlier pass, which was not kept for good; those that begin beyond
  // what is here are asked for again.
  add({ first, passes, theta, running, ...figures }, array) {
    if (first > this.frames.length) return;
    const [thetas, runnings] = [array(theta), array(running)], [p, r] = [thetas, runnings].map((a) => (a ? a.length / passes.length : 0));
    const rows = Object.fromEntries(Object.entries(figures).map(([name, place]) => [name, array(place)]));
    passes.forEach((pass, k) => this.frames[first + k]?.pass >= pass || (this.frames[first + k] = { pass, theta: thetas.subarray(k * p, (k + 1) * p), running: runnings && runnings.subarray(k * r, (k + 1) * r),
      ...Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row && row[k]])) }));
  }

  get last() { return this.frames.at(-1)?.pass ?? 0; }
  get ended() { return this.last >= this.scene.epochs || ["done", "stopped", "diverged"].includes(this.scene.state); }
  valid(neuron) { return neuron === null || neuron[0] < this.net.widths.length && neuron[1] < this.net.widths[neuron[0]]; }

  // The frame at the playhead: the last that is not after it.
  now() {
    let low = 0, high = this.frames.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (this.frames[middle].pass <= this.playhead + 1e-9) low = middle; else high = middle - 1; }
    return low;
  }

  // --- what is told ----------------------------------------------------------------------------------------------------------------

  // One thing at a time: of two words in quick succession the other side may hear the later one alone.
  tell(event) { this.queue.push(event); this.flush(); }
  flush() {
    clearTimeout(this.waiting);
    if (!this.queue.length) return;
    const left = this.askedAt ? this.askedAt + ANSWER - Date.now() : 0;
    if (left > 0) { this.waiting = setTimeout(() => this.flush(), left); return; }
    const event = this.queue.shift();
    if (!event.look) this.askedAt = Date.now();
    this.send(event);
    this.flush();
  }

  // More frames, once they come to an end and there may be more.
  want() {
    if (this.ended || this.queue.length || this.askedAt && Date.now() - this.askedAt < ANSWER) return;
    if (this.last - this.playhead < AHEAD * this.rate) this.tell({ more: this.frames.length });
  }

  // Tell how it is looked at, once the hand rests: that belongs to a shared link.
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const k = Math.round(this.playhead), look = { ...this.look, at: this.playing || k >= this.last ? null : k };
      if (same(look, this.wish ?? { ...LOOK, ...this.scene.look })) return;
      this.wish = look; this.tell({ look });
    }, 400);
  }

  // --- time ------------------------------------------------------------------------------------------------------------------------

  get rate() { return Math.max(this.scene.epochs / WHOLE_RUN, SLOWEST) * this.speed; } // passes a second

  frame(now) {
    this.asked = 0;
    if (!this.scene || !this.frames.length || !this.diagram.width) return;
    if (this.playing) {
      if (this.lastTime) this.playhead = Math.min(this.playhead + Math.min(now - this.lastTime, 100) / 1000 * this.rate, this.last);
      if (this.playhead >= this.last && this.ended) { this.playing = false; this.describe(); }
      else this.want();
    }
    this.lastTime = this.playing ? now : 0;
    this.draw();
    if (this.playing) this.ask();
  }

  play(on = !this.playing) {
    if (on && this.playhead >= this.last && this.ended) this.playhead = 0;
    this.playing = on;
    if (on) this.want(); else this.describe();
    this.ask(); this.settle();
  }

  go(pass) {
    this.playhead = Math.min(Math.max(pass, 0), this.last);
    this.playing = false;
    this.describe(); this.settle(); this.ask();
  }

  // One pass on: to the next frame, or the next one that is trained.
  step() {
    const next = this.frames[this.now() + 1];
    if (next) { this.go(next.pass); return; }
    this.go(this.last);
    if (this.ended) return;
    this.stepping = true;
    this.tell({ step: 1 });
  }

  reset(kind) { this.go(0); this.queue = []; this.askedAt = null; this.tell({ reset: kind }); }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2), { picture, mesh, bent, loss, accuracy } = this.parts;
    if (!picture.clientWidth || !mesh.clientWidth) return;
    Object.assign(this, { ratio, big: this.box.classList.contains("present"), grids: null, what: null });
    this.field.resize(picture.clientWidth, picture.clientHeight, ratio);
    this.diagram.resize(mesh.clientWidth, mesh.clientHeight, ratio);
    this.bent.resize(bent.clientWidth, bent.clientHeight, ratio);
    [loss, accuracy].forEach((part, i) => this.charts[i].resize(part.clientWidth, part.clientHeight, ratio));
    if (this.scene) { cancelAnimationFrame(this.asked); this.frame(performance.now()); } // in the same frame: nothing blinks
  }

  // How many places on a side are reckoned in time.
  side([time, most]) {
    const n = Math.sqrt(time / (this.pace * this.net.cost));
    return Math.min(GRIDS.findLast((side) => side <= n) ?? GRIDS[0], most);
  }

  // The places of a field, and what the network is shown there: kept, they are the same for all frames.
  places(n) {
    const { field } = this;
    if (this.grids?.net !== this.net || !same(this.grids.box, this.scene.box)) this.grids = { net: this.net, box: this.scene.box, of: new Map() };
    if (!this.grids.of.has(n)) {
      field.look(this.scene.box);
      const grid = field.grid(n);
      this.grids.of.set(n, { ...grid, inputs: this.net.inputs(grid.xs, grid.ys) });
    }
    return this.grids.of.get(n);
  }

  draw() {
    const { scene, net, look, texts, diagram } = this, at = this.now(), frame = this.frames[at];
    this.wear(scene.themes);
    const { theme } = this, font = (size, weight = 400) => `${weight} ${this.big ? size * 1.5 : size}px optviz, system-ui, sans-serif`;
    const what = [frame, theme.name, JSON.stringify(look)], noted = [...what, this.pointer, diagram.marked, scene.language];
    if (!this.what || what.some((part, i) => part !== this.what[i])) Object.assign(this, { what, fine: false, painted: null });
    const style = { theme, font, big: this.big, texts, hidden: look.hidden, chosen: look.neuron, fine: this.fine };
    if (scene.points && this.painted !== this.fine) {
      this.paint(frame, style);
      this.painted = this.fine;
    }
    if (!this.fine && !this.playing && !this.resting) this.resting = setTimeout(() => { this.resting = 0; this.fine = !this.playing; this.ask(); }, REST);
    if (this.noted?.fine !== this.fine || noted.some((part, i) => part !== this.noted[i])) {
      this.noted = Object.assign(noted, { fine: this.fine });
      if (scene.inputs === 1) this.field.hover(this.pointer, this.caught, scene, look.hidden);
      diagram.place(net, scene.labels, scene.labels.length > 2 && net.widths.at(-1) === scene.labels.length, this.big);
      diagram.draw(frame, scene.points && this.seen.layers, this.seen?.grid, this.seen?.reach, { ...style, here: this.here(frame) });
    }
    this.curves(theme, font(11));
    this.tick(scene.epochs, fill(texts.pass_of, { k: frame.pass, n: scene.epochs }), texts);
  }

  // The field and what lies on it.
  paint(frame, style) {
    const { scene, net, look, field } = this, { theme } = style, n = this.side(this.fine ? RESTING : MOVING), grid = this.places(n), began = performance.now();
    const layers = net.flow(grid.inputs, frame.theta, frame.running);
    if (grid.warm) this.pace += 0.2 * ((performance.now() - began) / (grid.xs.length * net.cost) - this.pace);
    grid.warm = true; // the first time the browser still learns
    const reach = layers.map((layer, l) => this.reachOf(layer, l)), shown = answer(scene, layers, look.neuron, look.neuron ? reach[look.neuron[0]][0] : 1, look.discrete);
    this.seen = { layers, grid, reach };
    field.paint(grid, shown, scene, theme, this.big ? 3 : 2, { layers, reach, neuron: look.neuron, net, theta: frame.theta });
    field.points(scene, theme, look.hidden, this.big);
    field.clear();
    const quick = this.pointInputs[0].length * net.cost * this.pace < MOVING[0];
    if (scene.labels.length && (quick || !this.playing)) { // of many points and many weights it is said when they rest
      this.decided = decide(net.flow(this.pointInputs, frame.theta, frame.running).at(-1));
      if (!look.hidden.includes("wrong")) field.errors(scene, this.decided, theme, look.hidden, this.big);
      if (look.matrix) this.fillMatrix();
    }
    if (look.warp !== null) this.bent.draw(frame, look.warp, net, scene, field.view, style);
  }

  // What full colour means in a layer, [half, middle]: a power of two, so that it keeps still; outputs as in the picture.
  reachOf(layer, l) {
    const { scene } = this;
    if (l === this.net.hidden + 1 && scene.kind === "values") return [scene.scale.half, scene.scale.middle];
    if (l === this.net.hidden + 1 && layer.length === 1) return [1, 0];
    let most = 0;
    for (const row of layer) for (let k = 0; k < row.length; k++) if (row[k] > most) most = row[k]; else if (-row[k] > most) most = -row[k];
    return [l && most <= 1 ? 1 : 2 ** Math.ceil(Math.log2(most || 1)), 0];
  }

  // The values of all neurons where the pointer is.
  here(frame) {
    if (!this.pointer) return null;
    const [x, y] = this.pointer, { net } = this;
    return net.flow(net.inputs([x], [y]), frame.theta, frame.running).map((layer) => layer.map(([v]) => v));
  }

  curves(theme, font) {
    const { scene, frames, texts, charts } = this, times = frames.map((f) => f.pass);
    if (this.curved?.last !== frames.at(-1) || this.curved.run !== scene.run || this.curved.theme !== theme.name) {
      const path = (name, dash, colour) => ({ height: frames.map((f) => f[name]), times, colour, dash, end: null });
      const both = (name) => [path(`${name}_val`, 1, theme.faint), path(`${name}_train`, 0, theme.ink)].slice(scene.points && scene.points.train === scene.points.x.length ? 1 : 0);
      const loss = both("loss"), top = Math.max(...loss.map((p) => p.height[0])), most = Math.max(...loss.flatMap((p) => p.height).filter(Number.isFinite));
      this.curved = { last: frames.at(-1), run: scene.run, theme: theme.name, loss, accuracy: frames[0].accuracy_train === null ? null : both("accuracy"),
        panels: [{ panel: { base: 0, low: 0, high: beyond(Math.min(most, 3 * top) * 1.02) || 1, log: false }, steps: scene.epochs }, { panel: { base: 0, low: 0, high: 1.001, log: false, below: true }, steps: scene.epochs }] };
    }
    const { loss, accuracy, panels } = this.curved;
    [loss, accuracy].forEach((paths, i) => {
      const name = ["loss", "accuracy"][i] + (charts[i].width < NARROW ? "_short" : "");
      if (paths) charts[i].draw(panels[i], paths, this.playhead, theme, { loss: texts[name], step_axis: texts.pass_axis }, font);
    });
  }
  // Who was taken for whom, in the part that is trained on and in the other: a table each, rows are the true classes.
  fillMatrix() {
    const { scene, texts, decided } = this, { label, train } = scene.points, classes = scene.labels;
    const counts = [[0, train, texts.train_name], [train, label.length, texts.val_name]].filter(([from, to]) => to > from).map(([from, to, name]) => {
      const of = classes.map(() => classes.map(() => 0));
      for (let k = from; k < to; k++) of[label[k]][decided[k]]++;
      return { name, of };
    });
    const now = JSON.stringify([counts, this.theme.name]);
    if (this.counted === now) return;
    this.counted = now;
    const make = (name, text, more) => Object.assign(document.createElement(name), { textContent: text ?? "" }, more);
    this.parts.matrix.replaceChildren(...counts.map(({ name, of }) => {
      const table = make("table", "", { title: texts.confusion }), head = table.createTHead().insertRow(), body = table.createTBody();
      table.createCaption().textContent = name;
      head.append(make("th"), ...classes.map((c) => make("th", c)));
      of.forEach((row, i) => {
        const line = body.insertRow(), whole = row.reduce((a, b) => a + b, 0) || 1;
        line.append(make("th", classes[i]), ...row.map((n, j) => {
          const cell = make("td", n, { title: fill(texts.taken, { n, truth: classes[i], said: classes[j] }) });
          cell.style.background = `color-mix(in oklab, ${classStyle(scene, this.theme, j).colour} ${Math.round(60 * n / whole)}%, transparent)`;
          if (i !== j && n) cell.className = "wrong";
          return cell;
        }));
      });
      return table;
    }));
  }

  // --- words -----------------------------------------------------------------------------------------------------------------------

  label() {
    const { scene, texts, look, buttons, parts, net } = this;
    this.wear(scene.themes);
    if (this.name(texts, scene.language)) {
      for (const name of ["train", "val", "wrong", "discrete"]) buttons[name].textContent = texts[`${name}_short`];
      this.layers.ariaLabel = texts.warp; this.counted = null;
    }
    const classes = scene.points && scene.labels.length > 0;
    buttons.wrong.hidden = buttons.matrix.hidden = !classes; buttons.train.hidden = !scene.points; buttons.discrete.hidden = !scene.points || scene.inputs === 1 && !classes;
    buttons.val.hidden = !scene.points || scene.points.train === scene.points.x.length;
    buttons.warp.hidden = scene.inputs !== 2 || net.hidden < 1;
    for (const name of ["train", "val", "wrong"]) buttons[name].setAttribute("aria-pressed", !look.hidden.includes(name));
    buttons.discrete.setAttribute("aria-pressed", look.discrete); buttons.warp.setAttribute("aria-pressed", look.warp !== null); buttons.matrix.setAttribute("aria-pressed", look.matrix);
    parts.bent.hidden = look.warp === null || !scene.points; parts.matrix.hidden = !look.matrix || !classes;
    this.box.classList.toggle("counting", !parts.matrix.hidden);
    parts.accuracy.hidden = !scene.labels.length;
    parts.none.hidden = !!scene.points; parts.none.textContent = texts.no_plane;
    parts.sentence.textContent = scene.sentence ?? texts.hint; parts.sentence.classList.toggle("said", !!scene.sentence);
    const names = Array.from({ length: net.hidden }, (_, i) => fill(texts.layer, { n: i + 1, width: net.widths[i + 1] }));
    if (!same(names, this.named)) { this.named = names; this.layers.replaceChildren(...names.map((text, i) => new Option(text, i + 1))); }
    if (look.warp !== null) this.layers.value = look.warp;
    this.legend();
  }

  // What the colours and marks mean.
  legend() {
    const { scene, texts, theme } = this, key = JSON.stringify([scene.labels, scene.inputs, scene.scale, scene.language, theme.name]);
    if (this.told === key) return;
    this.told = key;
    const lines = scene.inputs === 1 && !scene.labels.length;
    const rows = lines ? [[texts.share_plus, { colour: theme.plus, shape: 1 }], [texts.share_minus, { colour: theme.minus, shape: 1 }]]
      : scene.points && !scene.labels.length ? [[`${digits(scene.scale.middle - scene.scale.half)}`, theme.minus], [`${digits(scene.scale.middle + scene.scale.half)}`, theme.plus]]
      : scene.labels.slice(0, 12).map((name, k) => [name, classStyle(scene, theme, k)]);
    this.parts.legend.querySelector("ul").replaceChildren(...rows.map(([name, style]) => {
      const row = document.createElement("li"), canvas = row.appendChild(document.createElement("canvas")), g = canvas.getContext("2d");
      canvas.width = canvas.height = 28; g.scale(2, 2); g.fillStyle = style.colour ?? style; marker(g, style.shape ?? 0, 7, 7, 5); g.fill();
      row.append(name);
      return row;
    }), ...(scene.labels.length > 12 ? [Object.assign(document.createElement("li"), { textContent: "…" })] : []));
    this.parts.legend.title = lines ? texts.shares : texts.colours;
  }

  // What the picture shows, for whoever cannot see it.
  describe() {
    const { scene, texts } = this, frame = this.frames[this.now()];
    if (!frame) return;
    const figures = { k: frame.pass, n: scene.epochs, loss: digits(frame.loss_train), loss_val: digits(frame.loss_val) };
    let words = fill(texts.described, figures);
    if (frame.accuracy_train !== null) words += " " + fill(texts.described_accuracy, { train: percent(frame.accuracy_train), val: percent(frame.accuracy_val) });
    if (this.look.neuron) words += " " + fill(texts.described_neuron, { name: this.nameOf(this.look.neuron) });
    if (scene.sentence) words += ` ${scene.sentence}`;
    this.parts.words.textContent = words; this.parts.top.ariaLabel = words;
    this.diagram.canvas.ariaLabel = fill(texts.described_net, { widths: this.net.widths.join("–") });
    this.bent.canvas.ariaLabel = texts.warp;
  }

  nameOf([layer, j]) {
    const { texts, net, scene } = this;
    if (layer === 0) return fill(texts.input_named, { name: this.diagram.feature(j) });
    if (layer <= net.hidden) return fill(texts.neuron_named, { n: j + 1, layer });
    return fill(texts.output_named, { name: net.widths.at(-1) > 1 && scene.labels[j] !== undefined ? scene.labels[j] : j + 1 });
  }

  // Words beside the pointer, within the stage.
  read(e, text) {
    const { readout } = this.parts;
    readout.hidden = !text;
    if (!text) return;
    readout.textContent = text;
    const box = this.box.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    readout.style.left = `${Math.max(Math.min(x + 16, box.width - readout.offsetWidth - 4), 0)}px`;
    readout.style.top = `${y + 16 + readout.offsetHeight > box.height ? y - readout.offsetHeight - 10 : y + 16}px`;
  }

  // What the network says at a place of the plane, in words.
  saying([x, y]) {
    const { scene, texts } = this, layers = this.here(this.frames[this.now()]), outputs = layers.at(-1), one = scene.inputs === 1, lines = [one ? `x = ${digits(x)}` : `(${digits(x)}, ${digits(y)})`];
    if (this.look.neuron) lines.push(`${this.nameOf(this.look.neuron)}: ${digits(layers[this.look.neuron[0]][this.look.neuron[1]])}`);
    lines.push(`${texts.output}: ${outputs.slice(0, 6).map((v) => digits(v)).join(", ")}${outputs.length > 6 ? ", …" : ""}`);
    if (one && this.caught >= 0 && !scene.labels.length) lines.push(fill(texts.residual, { y: digits(y), r: digits(y - outputs[0]) }));
    if (scene.labels.length) lines.push(`${texts.class}: ${scene.labels[decide(outputs.map((v) => [v]))[0]]}`);
    return lines.join("\n");
  }

  // --- what a visitor does ---------------------------------------------------------------------------------------------------------

  listen(on) {
    const { top, loss, accuracy } = this.parts, mesh = this.diagram.canvas;
    const spot = (e, of) => { const r = of.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; }, ready = () => this.scene && this.frames.length && this.diagram.net;
    on(top, "pointermove pointerdown", (e) => {
      if (!ready() || !this.scene.points) return;
      const [px, py] = spot(e, top), fine = (this.field.view[1] - this.field.view[0]) / this.field.width, places = Math.max(-Math.floor(Math.log10(fine)), 0);
      this.pointer = this.field.place(px, py).map((v) => Number(v.toFixed(places)) + 0); // no finer than a pixel tells it
      if (this.scene.inputs === 1) {
        const { x, y } = this.scene.points, k = this.caught = this.field.near(px, py, this.scene, this.look.hidden);
        if (k >= 0) this.pointer = [x[k], y[k]];
      }
      this.read(e, this.saying(this.pointer)); this.ask();
    });
    on(mesh, "pointermove pointerdown", (e) => {
      if (!ready()) return;
      this.diagram.marked = this.diagram.at(...spot(e, mesh));
      mesh.style.cursor = this.diagram.marked?.neuron && this.scene.points ? "pointer" : "";
      this.read(e, this.marking()); this.ask();
    });
    on(top, "pointerleave", (e) => { this.pointer = null; this.read(e, ""); this.ask(); });
    on(mesh, "pointerleave", (e) => { this.diagram.marked = null; this.read(e, ""); this.ask(); });
    on(mesh, "click", (e) => {
      const marked = ready() && this.diagram.at(...spot(e, mesh));
      if (marked?.neuron && this.scene.points) this.choose([marked.layer, marked.j]);
      this.box.focus({ preventScroll: true });
    });
    for (const [i, canvas] of [loss, accuracy].entries()) {
      const along = (e) => this.go(this.charts[i].step(spot(e, canvas)[0]));
      on(canvas, "pointerdown", (e) => { if (ready() && !e.button) { canvas.setPointerCapture(e.pointerId); along(e); this.box.focus({ preventScroll: true }); } });
      on(canvas, "pointermove", (e) => { if (canvas.hasPointerCapture(e.pointerId)) along(e); });
    }
    on(this.layers, "change", () => this.see({ warp: Number(this.layers.value) }));
  }

  // What is under the pointer in the net, in words.
  marking() {
    const { marked } = this.diagram, { net, texts } = this, { theta } = this.frames[this.now()];
    if (!marked) return "";
    const { layer, j } = marked;
    if (!marked.neuron) return `${this.nameOf([layer, marked.i])} → ${this.nameOf([layer + 1, Math.floor(j / net.layers[layer].pieces)])}\nw = ${digits(marked.value)}`;
    const bias = layer ? net.part(theta, layer - 1, "bias") : null, pieces = layer ? net.layers[layer - 1].pieces : 1;
    return [this.nameOf([layer, j]), ...(bias ? [`b = ${Array.from(bias.subarray(j * pieces, (j + 1) * pieces), (b) => digits(b)).join(", ")}`] : []), ...(this.scene.points ? [texts.click] : [])].join("\n");
  }

  // Look at it another way.
  see(change) {
    Object.assign(this.look, change);
    this.label(); this.describe(); this.settle(); this.ask();
    if ("warp" in change || "matrix" in change) this.resize();
  }

  // The picture shows a neuron; the same one again, or the only output: the network's answer.
  choose(neuron) {
    const { net, look } = this, whole = same(neuron, look.neuron) || neuron[0] === net.hidden + 1 && net.widths.at(-1) === 1;
    this.see({ neuron: whole ? null : neuron });
  }

  // The neuron after the one that is shown, layer by layer.
  next() {
    const { widths } = this.net, [layer, j] = this.look.neuron ?? [0, -1];
    if (j + 1 < widths[layer]) return [layer, j + 1];
    return layer + 1 < widths.length ? [layer + 1, 0] : this.look.neuron;
  }

  do(name) {
    const { look } = this, flip = (part) => this.see({ hidden: look.hidden.includes(part) ? look.hidden.filter((p) => p !== part) : [...look.hidden, part].sort() });
    if (this.buttons[name]?.hidden) return;
    ({ play: () => this.play(), back: () => this.go(this.frames[Math.max(this.now() - 1, 0)].pass), on: () => this.step(), home: () => this.go(0), end: () => this.go(this.last),
      reset: () => this.reset("same"), seed: () => this.reset("seed"), train: () => flip("train"), val: () => flip("val"), wrong: () => flip("wrong"),
      discrete: () => this.see({ discrete: !look.discrete }), warp: () => this.see({ warp: look.warp === null ? this.net.hidden : null }), matrix: () => this.see({ matrix: !look.matrix }),
      neuron: () => { if (this.scene.points) this.choose(this.next()); }, present: () => this.present(), help: () => this.help() })[name]();
  }
}

const percent = (share) => `${digits(100 * share)} %`;
