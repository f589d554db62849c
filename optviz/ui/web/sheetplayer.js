// The stage of a sheet: its charts, one playhead where they move. It knows nothing of Streamlit: `send` tells the world what was picked.
import { DASHES, marker } from "./plane.js";
import { KEYS, Playback, bar, button, listenToBar, listener } from "./playback.js";
import { Plot, at, named } from "./plot.js";
import { fill, opened } from "./scene.js";

const WHOLE = 4; // seconds at speed 1
const SLOWEST = 12; // moments a second, where there are few
const DESIGN = [960, 540], EM = 16; // the words of a presentation of that size, in px
const COLUMNS = 6, TALL = 2; // the most beside each other, and rows of a chart that is as high as it is wide
const GAPS = [0.6, 0.9], AROUND = [3.2, 3.8]; // between charts, and around what they plot, in em: across, up
const FLAT = 2.2, LOW = 2.4, ROOMY = 11; // how flat a plot still is a good one; heights in em: the least of one, and one that leaves room for notes
const PLOT = 0.82; // of a chart's width on a page, about, has its plot
const PHONE = "(max-width: 640px)";
const MARKUP = `
<section class="sheet" tabindex="0" role="application">
  <h1 class="claim" hidden></h1>
  <div class="corner">${button("present")}${button("help")}</div>
  <div class="charts"></div>
  ${bar("")}
  <output class="readout" hidden></output>
</section>`;

export class SheetPlayer extends Playback {
  constructor(root, send) {
    super(root, send, MARKUP, ["charts", "claim", "readout", "bar"]);
    this.plots = [];
    listenToBar(this, this.stops.signal, KEYS);
    this.listen(listener(this.stops.signal));
    this.sizes.observe(this.parts.charts);
  }

  // --- data ------------------------------------------------------------------------------------------------------------------------

  show(bytes) {
    const [sheet, array] = opened(bytes), before = this.scene;
    for (const chart of sheet.charts) {
      for (const mark of chart.marks) for (const [name, value] of Object.entries(mark)) if (Array.isArray(value) && Array.isArray(value[0])) mark[name] = [array(value[0]), value[1]];
    }
    this.scene = sheet; this.texts = sheet.texts;
    const anew = before && before.take !== sheet.take;
    if (!before || anew || before.moments.length !== sheet.moments.length) this.playhead = sheet.begin ?? this.last;
    this.playhead = Math.min(this.playhead, this.last);
    this.hovered = null; this.parts.readout.hidden = true;
    this.parts.claim.textContent = sheet.claim ?? "";
    this.build(before); this.label(); this.resize();
    if (anew && matchMedia(PHONE).matches) this.box.scrollIntoView({ behavior: this.still ? "auto" : "smooth" }); // the controls are below it
  }

  get last() { return this.scene.moments.length - 1; }

  // A figure for each chart: kept where the sheet has the same charts as before.
  build(before) {
    const { charts } = this.scene, keys = (sheet) => JSON.stringify(sheet?.charts.map((c) => [c.key, c.wide]));
    if (keys(before) !== keys(this.scene)) {
      this.plots.forEach((plot) => this.sizes.unobserve(plot.canvas));
      this.parts.charts.replaceChildren(...charts.map(() => {
        const figure = document.createElement("figure");
        figure.innerHTML = '<figcaption></figcaption><ul class="names"></ul><canvas role="img"></canvas><p class="note"></p>';
        return figure;
      }));
      this.plots = [...this.parts.charts.children].map((figure) => Object.assign(new Plot(figure.querySelector("canvas")), { figure }));
      this.plots.forEach((plot) => this.sizes.observe(plot.canvas));
    }
    charts.forEach((chart, i) => {
      const { figure, canvas } = this.plots[i], find = (name) => figure.querySelector(name);
      figure.style.setProperty("--wide", chart.wide);
      for (const name of ["picked", "even", "bare", "tall", "scrubs", "lead"]) figure.classList.toggle(name, chart[name]);
      const sides = [chart.x, chart.y].map(({ low, high }) => high - low), fills = chart.marks.some(({ kind }) => kind === "regions");
      figure.style.setProperty("--shape", fills ? 1 / (PLOT * sides[1] / sides[0] + (1 - PLOT) * 1.4) : 1); // words stand above and below, too
      find("figcaption").textContent = chart.title;
      find(".note").textContent = chart.note ?? ""; find(".note").hidden = !chart.note;
      const names = chart.marks.flatMap((mark) => mark.legend ?? (named(mark) ? [mark] : []));
      find(".names").replaceChildren(...names.map((mark) => {
        const row = document.createElement("li"), sample = Object.assign(document.createElement("canvas"), { width: 44, height: 28 });
        row.append(sample, mark.name); row.mark = mark;
        return row;
      }));
      find(".names").hidden = !names.length;
      canvas.setAttribute("aria-label", [chart.title, `${chart.x.name}, ${chart.y.name}`, ...names.map((mark) => mark.name), chart.note].filter(Boolean).join(". "));
    });
    this.worn = null;
  }

  label() {
    this.name({ ...this.texts, keys: this.last ? this.texts.keys : this.texts.still_keys }, this.scene.language);
    this.parts.bar.hidden = this.last === 0;
  }

  // --- time ------------------------------------------------------------------------------------------------------------------------

  get rate() { return Math.max(this.last / WHOLE, SLOWEST) * this.speed; } // moments a second

  frame(now) {
    this.asked = 0;
    if (!this.scene) return;
    if (this.playing) {
      if (this.lastTime) this.playhead = Math.min(this.playhead + Math.min(now - this.lastTime, 100) / 1000 * this.rate, this.last);
      if (this.playhead >= this.last) this.playing = false;
    }
    this.lastTime = this.playing ? now : 0;
    this.draw();
    if (this.playing) this.ask();
  }

  can(what) { return this.last > 0 || what === "present" || what === "help"; }

  do(what) {
    if (what === "play") this.play();
    else if (what === "home") this.go(0);
    else if (what === "end") this.go(this.last);
    else if (what === "back") this.go(Math.ceil(this.playhead) - 1);
    else if (what === "on") this.go(Math.floor(this.playhead) + 1);
    else if (what === "present") this.present();
    else if (what === "help") this.help();
  }

  play(on = !this.playing) {
    if (on && this.playhead >= this.last) this.playhead = 0;
    this.playing = on && this.last > 0;
    this.hover(null); // what it told belongs to a moment
    this.ask();
  }

  go(moment) {
    this.hover(null);
    this.playhead = Math.min(Math.max(moment, 0), this.last);
    this.playing = false;
    this.ask();
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  resize() {
    if (!this.scene || !this.parts.charts.clientWidth) return;
    const ratio = Math.min(devicePixelRatio || 1, 2), big = this.box.classList.contains("present");
    this.parts.claim.hidden = !big || !this.scene.claim;
    const size = big ? this.arrange() : this.settle();
    for (const plot of this.plots) plot.resize(plot.canvas.clientWidth, plot.canvas.clientHeight, ratio, size);
    cancelAnimationFrame(this.asked); this.frame(performance.now()); // in the same frame: nothing blinks
  }

  // On a page: as the sheet says.
  settle() {
    const { style } = this.parts.charts;
    style.setProperty("--columns", this.scene.columns);
    style.gridAutoRows = "";
    this.plots.forEach(({ figure }, i) => { figure.hidden = false; figure.style.setProperty("--wide", this.scene.charts[i].wide); });
    for (const note of this.parts.charts.querySelectorAll(".note")) note.style.minHeight = "";
    this.box.classList.remove("dense");
    return 1;
  }

  // In a presentation: so that all charts are seen, each as large as can be; where they would be too small, they scroll. How much larger words are.
  arrange() {
    const { charts, bar, claim } = this.parts, { clientWidth: wide, clientHeight: high } = this.box, em = EM * Math.min(...DESIGN.map((side, i) => [wide, high][i] / side));
    this.box.style.setProperty("--em", `${em}px`);
    const width = wide - 28, height = high - 28 - Math.max(40, claim.offsetHeight) - (bar.hidden ? 0 : bar.offsetHeight + 6) - 6;
    this.plots.forEach(({ figure }, i) => { figure.hidden = this.scene.charts[i].aside; });
    const heads = [...charts.children].filter((figure) => !figure.hidden).map((figure) => [figure.querySelector("figcaption"), ...figure.querySelectorAll(".names li")].map((e) => {
      const range = document.createRange();
      range.selectNodeContents(e);
      return [...range.getClientRects()].reduce((sum, rect) => sum + rect.width, em) / em; // however it is wrapped now
    }));
    let best = null;
    for (let columns = 1; columns <= COLUMNS; columns++) for (const tall of [1, TALL]) {
      const made = this.tried(columns, tall, heads, width / em, height / em);
      if (!best || made.score > best.score) best = { ...made, columns, tall };
    }
    this.plots.forEach(({ figure }, i) => figure.style.setProperty("--wide", Math.min(this.scene.charts[i].wide, best.columns)));
    if (this.leads) this.plots[0].figure.style.setProperty("--wide", best.columns);
    charts.style.setProperty("--columns", best.columns * (this.leads ? 2 : 1));
    charts.style.setProperty("--rows", best.rows);
    charts.style.setProperty("--tall", best.tall);
    charts.style.gridAutoRows = `${best.row * em}px`;
    this.box.classList.toggle("dense", best.least < ROOMY);
    const notes = [...charts.querySelectorAll(".note")];
    for (const note of notes) note.style.minHeight = "";
    const tallest = Math.max(0, ...notes.map((note) => note.offsetHeight));
    for (const note of notes) note.style.minHeight = `${tallest}px`; // then the plots of a row are of one height
    return em / 12;
  }

  // Whether the first chart has the left half of a presentation, and the others the right one.
  get leads() { return this.scene.charts.length > 1 && this.scene.charts[0].lead && this.box.clientWidth > this.box.clientHeight; }

  // How large the plots are in so many columns, where a chart with one unit both ways has so many rows; all in em.
  tried(columns, tall, heads, width, height) {
    const { leads } = this, charts = this.scene.charts.filter((chart) => !chart.aside), taken = [], [across, up] = GAPS;
    const span = (chart, i) => (leads && i === 0 ? [columns, rows] : [Math.min(chart.wide, columns), chart.even ? tall : 1]);
    let rows = 0;
    for (const chart of charts.slice(leads ? 1 : 0)) { // as the grid places them
      const [w, h] = span(chart), free = (k) => k % columns + w <= columns && [...Array(h * w).keys()].every((i) => !taken[k + i % w + Math.floor(i / w) * columns]);
      let k = 0;
      while (!free(k)) k++;
      for (let i = 0; i < h * w; i++) taken[k + i % w + Math.floor(i / w) * columns] = true;
    }
    rows = Math.ceil(taken.length / columns);
    const all = leads ? 2 * columns : columns, cell = (width - across * (all - 1)) / all;
    const sizes = (row) => charts.map((chart, i) => {
      const [w, h] = span(chart, i), own = cell * w + across * (w - 1), [title, ...names] = heads[i];
      const head = 1.35 * Math.ceil(title / own) + 1.4 * Math.ceil(names.reduce((sum, v) => sum + v, 0) / own);
      return [own - AROUND[0], row * h + up * (h - 1) - head - AROUND[1], chart.even];
    });
    const fair = (height - up * (rows - 1)) / rows, least = Math.min(...sizes(fair).map(([, h]) => h)), row = fair + Math.max(0, LOW - least);
    const score = sizes(row).reduce((sum, [w, h, even]) => {
      const [a, b] = even ? [Math.min(w, h), Math.min(w, h)] : [Math.min(w, FLAT * h), Math.min(h, w)];
      return sum + Math.log(Math.max(a, 0.1) * Math.max(b, 0.1));
    }, 0);
    return { row, rows, least, score: score - (row > fair ? 100 * (row - fair) * rows : 0) }; // what must scroll is worse than all that need not
  }

  draw() {
    const { scene, theme: before } = this, k = Math.floor(this.playhead + 1e-9);
    this.wear(scene.themes);
    if (this.theme !== before || !this.worn) this.swatches();
    this.plots.forEach((plot, i) => plot.draw(scene.charts[i], k, this.theme, this.hovered?.plot === plot ? this.hovered.spot : null));
    const counted = scene.moments[this.last] > scene.moments[0] && typeof scene.moments[k] !== "string"; // others go down, or are names
    this.tick(this.last, fill(this.texts[counted ? "moment" : "value"], { unit: scene.unit, k: scene.moments[k], n: scene.moments[this.last] }), this.texts);
  }

  // The samples of colour and stroke in the legends.
  swatches() {
    this.worn = true;
    for (const row of this.parts.charts.querySelectorAll(".names li")) {
      const { mark } = row, g = row.firstChild.getContext("2d"), colour = this.theme[mark.colour] ?? mark.colour;
      g.setTransform(2, 0, 0, 2, 0, 0); g.clearRect(0, 0, 22, 14); g.strokeStyle = g.fillStyle = colour; g.lineWidth = 2.5; g.globalAlpha = mark.kind === "heat" ? mark.alpha : Math.max(mark.alpha ?? 1, 0.5);
      if (mark.kind === "bars" || mark.kind === "heat") g.fillRect(3, 2, 16, 10);
      else if (mark.kind === "dots") { marker(g, mark.shape, 11, 7, 5); g[mark.hollow ? "stroke" : "fill"](); }
      else { g.setLineDash(DASHES[mark.dash ?? 0].map((d) => d * 0.7)); g.beginPath(); g.moveTo(1, 7); g.lineTo(21, 7); g.stroke(); }
    }
  }

  // --- hands -------------------------------------------------------------------------------------------------------------------------

  listen(on) {
    const spotAt = (e) => {
      const plot = this.plots.find((p) => p.canvas === e.target);
      if (!plot || !this.scene) return null;
      const box = plot.canvas.getBoundingClientRect(), spot = plot.find(e.clientX - box.left, e.clientY - box.top);
      return spot && { plot, spot };
    };
    on(this.box, "pointermove pointerdown", (e) => this.hover(spotAt(e), e));
    on(this.parts.charts, "pointerdown pointermove", (e) => {
      const i = this.plots.findIndex((p) => p.canvas === e.target);
      if (!(e.buttons & 1) || !this.scene?.charts[i]?.scrubs) return;
      if (e.type === "pointerdown") e.target.setPointerCapture(e.pointerId);
      this.go(this.nearest(i, e.clientX - e.target.getBoundingClientRect().left));
    });
    on(this.box, "pointerleave", () => this.hover(null));
    on(this.parts.charts, "click", (e) => {
      const i = this.plots.findIndex((p) => p.canvas === e.target), chart = this.scene?.charts[i];
      if (!chart?.picked) return;
      const plot = this.plots[i], box = plot.canvas.getBoundingClientRect(), [px, py] = [e.clientX - box.left, e.clientY - box.top];
      const [, , mark, point] = plot.find(px, py) ?? [], near = Number.isInteger(mark), [x, y] = plot.place(px, py);
      if (near || plot.inside(px, py)) this.send({ pick: { chart: chart.key, mark: near ? mark : null, point: near ? point : null, x, y } });
    });
  }

  // The moment at which a chart's first dot is nearest to a place of its canvas.
  nearest(i, x) {
    const dots = this.scene.charts[i].marks.find((mark) => mark.kind === "dots");
    const far = (k) => Math.abs(this.plots[i].px(at(dots.x, 1, k)[0]) - x);
    let best = 0;
    for (let k = 1; k <= this.last; k++) if (far(k) < far(best)) best = k;
    return best;
  }

  hover(found, e) {
    const same = found && this.hovered && found.plot === this.hovered.plot && found.spot[2] === this.hovered.spot[2] && found.spot[3] === this.hovered.spot[3];
    if (found || this.hovered) { this.hovered = found; if (!same) this.ask(); }
    const { readout } = this.parts;
    readout.hidden = !found;
    if (!found) return;
    readout.textContent = found.plot.told(found.spot);
    const box = this.box.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    readout.style.left = `${Math.max(0, Math.min(x + 14, box.width - readout.offsetWidth))}px`;
    readout.style.top = `${y - readout.offsetHeight - 12 < 0 ? y + 18 : y - readout.offsetHeight - 12}px`;
  }
}
