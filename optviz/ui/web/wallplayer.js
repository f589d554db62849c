// The stage of several networks on one playhead: a picture of each, what sets it apart, its figures, and the losses of all.
// It knows nothing of Streamlit: `send` tells the world what a visitor did.
import { beyond } from "./bent.js";
import { Chart } from "./chart.js";
import { Curve } from "./curve.js";
import { Field, answer, valueScale } from "./field.js";
import { Net, decide } from "./net.js";
import { KEYS, bar, button, icon, listenToBar, listener } from "./playback.js";
import { digits, fill, opened } from "./scene.js";
import { AGAIN, TrainingPlayer, addFrames, frameAt, lasting } from "./training.js";

const REST = 180; // ms after which the pictures become finer
const MOVING = 10, RESTING = 12; // ms that all fields of a picture may take in motion, and one field at rest
const POINTED = 2.5; // ms that errors may take in motion; of more they are told when it rests
const TURN = 30; // ms of a picture in which fields become finer
const FINEST = 2; // px between two places of a field
const LEAST = 110, LOW = [80, 56], GAP = 10, ROOMY = 170; // px: a cell's width and its height (in a presentation) at least, between two, and a phone's that are roomy
const DESCRIBED = 8; // cells that are described in words
const SWITCHES = ["train", "val", "wrong", "discrete"];
const OWN = { ...KEYS, r: "reset", "к": "reset", s: "seed", "ы": "seed", v: "val", "м": "val", t: "train", "е": "train", d: "discrete", "в": "discrete", c: "pin", "с": "pin" };

const MARKUP = `
<section class="network wall" tabindex="0" role="application">
  <div class="cells"></div>
  <div class="legend"><ul></ul><span class="switches">${SWITCHES.map((name) => button(name, "")).join("")}${button("present")}${button("help")}</span></div>
  <div class="says"><p class="sentence"></p></div>
  <div class="curves"><canvas class="loss"></canvas><canvas class="accuracy"></canvas></div>
  ${bar(AGAIN)}
  <output class="readout" hidden></output>
</section>`;
const CELL = `<figcaption><i></i><span></span><button class="drop">${icon("M5 5l10 10M15 5L5 15")}</button></figcaption>
  <div class="spot"><canvas></canvas><canvas></canvas><canvas role="img"></canvas><p class="none" hidden></p><small hidden></small></div><output></output>`;
const LINES = ["solid", "dashed", "dotted"];

export class WallPlayer extends TrainingPlayer {
  constructor(root, send) {
    super(root, send, MARKUP, ["cells", "sentence", "legend", "curves", "loss", "accuracy", "readout"]);
    this.charts = [new Chart(this.parts.loss), new Chart(this.parts.accuracy)];
    this.cells = []; this.spots = []; this.marked = null; this.inputs = new WeakMap();
    listenToBar(this, this.stops.signal, OWN, (e) => /^[1-9]$/.test(e.key) && this.open(Number(e.key) - 1));
    this.listen(listener(this.stops.signal));
    for (const part of [this.parts.cells, this.parts.loss]) this.sizes.observe(part);
  }

  // --- data ------------------------------------------------------------------------------------------------------------------------

  show(bytes) { this.put(...opened(bytes)); }

  // A message: frames of runs that are shown are added to them, others begin anew.
  put(scene, array) {
    const before = this.scene, came = !before || before.take !== scene.take, known = new Map(came ? [] : this.cells.map((cell) => [cell.run, cell]));
    const atEnd = before && this.playhead >= this.last, nets = new Map(this.cells.map((cell) => [cell.about, cell.net]));
    this.scene = scene; this.texts = scene.texts;
    for (const points of scene.points) for (const name of ["x", "y", "label"]) points[name] = array(points[name]);
    const shapes = scene.nets.map((net) => ({ ...net, matrix: array(net.matrix), shift: array(net.shift) })), abouts = shapes.map((net) => JSON.stringify(net));
    abouts.forEach((about, k) => nets.has(about) || nets.set(about, new Net(shapes[k])));
    this.cells = scene.cells.map((head, i) => {
      const frames = known.get(head.run)?.frames ?? [], points = head.points === null ? null : scene.points[head.points], about = abouts[head.net], net = nets.get(about);
      addFrames(frames, head.frames, array);
      const scale = points && head.kind === "values" ? valueScale(points.label) : { middle: 0, half: 1 };
      return { ...head, frames, points, net, about, scale, colours: scene.colours, style: this.styleOf(i), view: head.box?.flat(), spoken: points && this.spoken(net, points) };
    });
    const other = this.cells.some(({ run }) => !known.has(run));
    if (other) { this.queue = this.queue.filter(lasting); this.grids = new Map(); }
    if (this.spots.length !== this.cells.length) this.lay();
    this.spots.forEach((spot, i) => {
      const field = spot.pictures[this.cells[i].inputs === 1 ? 0 : 1];
      if (field !== spot.field) { field.width = 0; spot.field = field; } // its canvases were the other's
    });
    if (came) this.begin();
    else if (other && this.playhead > this.last) this.playhead = 0;
    else if (this.stepping && atEnd) this.playhead = this.last;
    this.curved = null;
    this.heard();
    if (this.cells.some((cell) => !cell.frames.length)) this.tell({ lack: this.there }); // they were shown before, in another stage than this
    const shape = JSON.stringify([this.there.length, scene.columns, scene.rowHeads, scene.columnHeads, scene.language, this.cells.map(({ caption, box, run }) => [caption, box, run])]);
    if (shape !== this.shape) { this.shape = shape; this.resize(); }
  }

  // What a network is shown of some points: the same for cells that share both.
  spoken(net, points) {
    const of = this.inputs.get(points) ?? new Map();
    this.inputs.set(points, of);
    if (!of.has(net)) of.set(net, net.inputs(points.x, points.y));
    return of.get(net);
  }

  // A colour and a dash; orange and blue are − and + in every cell, so a run has one of the others.
  styleOf(i) { const own = this.scene.colours.slice(2); return { colour: own[i % own.length], dash: Math.floor(i / own.length) % LINES.length }; }

  get ready() { return this.scene && this.cells.length && this.cells.every((cell, i) => cell.frames.length && this.spots[i].field.width); }
  get there() { return this.cells.map((cell) => cell.frames.length); }
  get ended() { return this.cells.every(over); }
  get last() {
    const going = this.cells.filter((cell) => !over(cell)), ends = (cells) => cells.map((cell) => cell.frames.at(-1)?.pass ?? 0);
    return going.length ? Math.min(...ends(going)) : Math.max(...ends(this.cells));
  }
  passes() { return this.cells.flatMap((cell) => cell.frames.map((frame) => frame.pass)); }
  next() { return this.passes().filter((pass) => pass > this.playhead + 1e-9 && pass <= this.last).sort((a, b) => a - b)[0]; }
  previous() { return Math.max(0, ...this.passes().filter((pass) => pass < this.playhead - 1e-9)); }
  now(cell) { return cell.frames[frameAt(cell.frames, this.playhead)]; }

  // --- where the cells are ---------------------------------------------------------------------------------------------------------

  lay() {
    this.spots = this.cells.map((_, i) => {
      const box = document.createElement("figure");
      box.innerHTML = CELL;
      box.dataset.cell = i;
      const find = (name) => box.querySelector(name), layers = [...box.querySelectorAll("canvas")];
      return { box, caption: find("figcaption"), line: find("i"), name: find("span"), drop: find("button"), top: layers[2], none: find("p"), note: find("small"), figures: find("output"),
        pictures: [Curve, Field].map((Kind) => new Kind(...layers)), field: null, painted: {} };
    });
  }

  resize() {
    const { scene, parts, cells } = this, place = parts.cells;
    if (!scene || !this.spots.length || !place.clientWidth) return;
    const ratio = Math.min(devicePixelRatio || 1, 2), big = this.box.classList.contains("present"), phone = this.box.clientWidth <= 560, low = phone ? LEAST : LOW[Number(big)];
    const head = scene.rowHeads.length ? (big ? 11 : 8) * Math.max(...scene.rowHeads.map((text) => text.length)) + GAP : 0;
    const headed = head > 0 && (place.clientWidth - head) / scene.columns - GAP >= (big ? LOW[1] : LEAST), width = place.clientWidth - (headed ? head : 0), height = phone ? Infinity : place.clientHeight - (headed ? 30 : 0);
    this.order(headed);
    const across = (columns) => (width - GAP * (columns - 1)) / columns, down = (columns, text) => (height + GAP) / Math.ceil(cells.length / columns) - GAP - text;
    let size = 0;
    for (let text = headed ? 22 : 64, turn = 0; turn < 3; turn++) { // what stands around a picture is as high as its width lets it be
      const best = (a, b) => (Math.min(across(b), down(b, text)) > Math.min(across(a), down(a, text)) + 1 ? b : a), fitting = cells.map((_, k) => k + 1).filter((columns) => across(columns) >= LEAST);
      const columns = headed ? scene.columns : phone ? Math.max(1, fitting.findLast((columns) => across(columns) >= Math.min(ROOMY, across(2)) && across(columns) >= LEAST) ?? 1) : fitting.reduce(best, 1);
      size = Math.floor(Math.max(low, Math.min(across(columns), down(columns, text))));
      place.style.gridTemplateColumns = `${headed ? `${head}px ` : ""}repeat(${columns}, ${size}px)`;
      place.style.setProperty("--size", `${size}px`);
      text = Math.max(...this.spots.map(({ box }) => box.offsetHeight)) - size;
    }
    Object.assign(this, { ratio, big, grids: new Map() });
    for (const [i, { field, painted }] of this.spots.entries()) {
      if (field.width !== size || field.ratio !== ratio || painted.big !== big) { field.resize(size, size, ratio); this.spots[i].painted = { big }; }
    }
    [parts.loss, parts.accuracy].forEach((part, i) => this.charts[i].resize(part.clientWidth, part.clientHeight, ratio));
    cancelAnimationFrame(this.asked); this.frame(performance.now()); // in the same frame: nothing blinks
  }

  // The cells in their place, with headings or without.
  order(headed) {
    const { rowHeads, columnHeads, columns } = this.scene, key = JSON.stringify([headed, rowHeads, columnHeads, columns, this.spots.length]);
    this.box.classList.toggle("headed", headed);
    this.box.style.setProperty("--rows", rowHeads.length);
    if (this.ordered === key && this.spots[0].box.isConnected) return;
    this.ordered = key;
    const heading = (text, kind) => Object.assign(document.createElement("b"), { textContent: text, className: kind });
    const boxes = this.spots.map(({ box }) => box), heads = headed ? ["", ...columnHeads].map((text) => heading(text, "above")) : [];
    this.parts.cells.replaceChildren(...heads, ...boxes.flatMap((box, i) => (headed && i % columns === 0 ? [heading(rowHeads[i / columns], "before"), box] : [box])));
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  draw() {
    const { scene, cells, spots, look, texts } = this, began = performance.now();
    this.wear(scene.themes);
    const style = JSON.stringify([this.theme.name, look.hidden, look.discrete]);
    const stale = cells.flatMap((cell, i) => (spots[i].painted.frame !== this.now(cell) || spots[i].painted.style !== style ? [i] : []));
    if (stale.length) this.fine = false;
    const points = stale.reduce((sum, i) => sum + (cells[i].points?.x.length ?? 0) * cells[i].net.cost, 0), quick = points * this.pace < POINTED;
    for (const i of stale) this.paint(i, style, MOVING / stale.length, !this.playing || quick, false);
    if (this.fine) for (let i = 0; i < cells.length && performance.now() - began < TURN; i++) if (!spots[i].painted.fine) this.paint(i, style, RESTING, true, true);
    if (this.fine && spots.some(({ painted }) => !painted.fine)) this.ask();
    if (!this.fine && !this.playing && !this.resting) this.resting = setTimeout(() => { this.resting = 0; this.fine = !this.playing; this.ask(); }, REST);
    this.figure();
    this.curves();
    this.tick(scene.epochs, fill(texts.pass_of, { k: Math.round(this.playhead), n: scene.epochs }), texts);
  }

  // The field of a cell and what lies on it.
  paint(i, style, time, errors, fine) {
    const { look, theme, big } = this, cell = this.cells[i], spot = this.spots[i], { field } = spot, { net } = cell, frame = this.now(cell);
    spot.painted = { frame, style, fine, big };
    if (!cell.points) return;
    field.view = cell.view;
    const grid = this.places(cell, field, this.side([time, Math.ceil(field.width / FINEST)], net.cost));
    const layers = this.timed(grid, net.cost, () => net.flow(grid.inputs, frame.theta, frame.running)), shown = answer(cell, layers, null, 1, look.discrete);
    field.paint(grid, shown, cell, theme, big ? 3 : 2, { layers, reach: null, neuron: null, net, theta: frame.theta });
    field.points(cell, theme, look.hidden, big);
    field.clear();
    if (errors && cell.labels.length && !look.hidden.includes("wrong")) field.errors(cell, decide(net.flow(cell.spoken, frame.theta, frame.running).at(-1)), theme, look.hidden, big);
  }

  // The places of a field, and what the networks that share a preparation are shown there.
  places(cell, field, n) {
    const of = this.grids.get(cell.net) ?? new Map(), key = `${n} ${cell.view}`;
    this.grids.set(cell.net, of);
    if (!of.has(key)) { const grid = field.grid(n); of.set(key, { ...grid, inputs: cell.net.inputs(grid.xs, grid.ys) }); }
    return of.get(key);
  }

  // What is said of each cell at the playhead.
  figure() {
    for (const [i, cell] of this.cells.entries()) {
      const { figures, note } = this.spots[i], text = this.figuresOf(i), said = cell.sentence && this.playhead >= cell.frames.at(-1).pass && over(cell);
      if (figures.textContent !== text) figures.textContent = text;
      if (note.hidden === !!said) note.hidden = !said;
    }
  }

  figuresOf(i) {
    const { texts } = this, cell = this.cells[i], frame = this.now(cell), values = frame.accuracy_train === null, name = values ? "loss" : "accuracy", told = values ? digits : (v) => digits(100 * v, 2), headed = this.box.classList.contains("headed");
    const figures = fill(texts[(held(cell) ? (values ? "losses" : "accuracies") : name) + (headed ? "_short" : "")], { train: told(frame[`${name}_train`]), val: told(frame[`${name}_val`]) });
    return cell.inputs === 2 && cell.labels.length ? `${figures} · ${fill(texts[headed ? "length_short" : "length"], { length: digits(this.spots[i].field.traced ?? 0, 2) })}` : figures;
  }

  // The losses of all, on training and on validation, at one scale.
  curves() {
    const { scene, cells, texts, theme, charts, big } = this, font = `${big ? 17 : 11}px optviz, system-ui, sans-serif`, alone = this.marked ?? (cells.length > scene.colours.length ? scene.chosen : null);
    const key = [theme.name, alone].join();
    if (this.curved?.key !== key) {
      const paths = ["loss_train", "loss_val"].map((name) => cells.map(({ frames, style }, i) => ({ height: frames.map((f) => f[name]), times: frames.map((f) => f.pass), ...style, end: null,
        stale: alone !== null && i !== alone })).sort((a, b) => b.stale - a.stale));
      const heights = paths.flat().map(({ height }) => height), top = Math.max(...heights.map(([first]) => first)), most = Math.max(...heights.flat().filter(Number.isFinite));
      this.curved = { key, paths, panel: { panel: { base: 0, low: 0, high: beyond(Math.min(most, 3 * top) * 1.02) || 1, log: false }, steps: scene.epochs } };
    }
    charts.forEach((chart, i) => chart.draw(this.curved.panel, this.curved.paths[i], this.playhead, theme, { loss: texts[["loss_train", "loss_val"][i]], step_axis: texts.pass_axis }, font));
  }

  // --- words -----------------------------------------------------------------------------------------------------------------------

  label() {
    const { scene, texts, look, buttons, parts, cells } = this;
    this.wear(scene.themes);
    if (this.name(texts, scene.language)) for (const name of SWITCHES) buttons[name].textContent = texts[`${name}_short`];
    const flat = cells.some((cell) => cell.points), validated = cells.some((cell) => cell.frames.length && held(cell));
    buttons.wrong.hidden = !cells.some((cell) => cell.points && cell.labels.length); buttons.train.hidden = !flat; buttons.discrete.hidden = !cells.some((cell) => cell.inputs === 2 || cell.points && cell.labels.length); buttons.val.hidden = !flat || !validated;
    for (const name of ["train", "val", "wrong"]) buttons[name].setAttribute("aria-pressed", !look.hidden.includes(name));
    buttons.discrete.setAttribute("aria-pressed", look.discrete);
    parts.accuracy.hidden = !validated;
    parts.sentence.textContent = texts.hint;
    for (const [i, cell] of cells.entries()) {
      const { box, line, name, drop, none, note, figures } = this.spots[i];
      name.textContent = cell.caption; note.textContent = cell.sentence ?? ""; note.title = cell.sentence ?? ""; none.textContent = texts.no_plane; none.hidden = !!cell.points;
      line.style.borderTop = `3px ${LINES[cell.style.dash]} ${cell.style.colour}`;
      name.title = cell.caption; drop.title = drop.ariaLabel = texts.drop; drop.hidden = !scene.loose || i === scene.chosen;
      box.classList.toggle("chosen", i === scene.chosen); figures.title = texts.figures;
      box.title = i === scene.chosen || !this.send ? "" : texts.open;
    }
    this.legend(cells[0]);
  }

  // What the pictures show, for whoever cannot see them.
  describe() {
    if (!this.ready) return;
    const { scene, texts, cells, spots } = this, told = cells.map(({ caption, sentence }, i) => fill(texts.described_cell, { n: i + 1, caption, figures: this.figuresOf(i) }) + (sentence ? ` ${sentence}` : ""));
    this.parts.words.textContent = [fill(texts.described, { k: Math.round(this.playhead), n: scene.epochs }), ...told.slice(0, DESCRIBED)].join(" ");
    spots.forEach(({ top }, i) => { top.ariaLabel = told[i]; });
  }

  // What a network says at a place of the plane, in words.
  saying(i, [x, y]) {
    const { texts } = this, cell = this.cells[i], frame = this.now(cell), outputs = cell.net.flow(cell.net.inputs([x], [y]), frame.theta, frame.running).at(-1);
    const lines = [cell.inputs === 1 ? `x = ${digits(x)}` : `(${digits(x)}, ${digits(y)})`, `${texts.output}: ${outputs.slice(0, 6).map(([v]) => digits(v)).join(", ")}${outputs.length > 6 ? ", …" : ""}`];
    if (cell.labels.length) lines.push(`${texts.class}: ${cell.labels[decide(outputs)[0]]}`);
    return lines.join("\n");
  }

  // --- what a visitor does ---------------------------------------------------------------------------------------------------------

  listen(on) {
    const { cells: place, loss, accuracy } = this.parts, at = (e) => { const box = e.target.closest("figure"); return box ? Number(box.dataset.cell) : null; };
    const mark = (i) => { if (i !== this.marked) { this.marked = i; this.ask(); } };
    on(place, "pointermove pointerdown", (e) => {
      const i = this.ready ? at(e) : null;
      mark(i);
      const top = i === null ? null : this.spots[i].top, { left, y, width, height } = (top ?? place).getBoundingClientRect(), px = e.clientX - left, py = e.clientY - y;
      this.read(e, top && this.cells[i].points && px >= 0 && py >= 0 && px < width && py < height ? this.saying(i, this.spots[i].field.place(px, py)) : "");
    });
    on(place, "pointerleave", (e) => { mark(null); this.read(e, ""); });
    on(place, "click", (e) => {
      const i = at(e);
      if (i === null || !this.scene) return;
      if (e.target.closest(".drop")) this.say("drop", i); else this.open(i);
      this.box.focus({ preventScroll: true });
    });
    for (const [i, canvas] of [loss, accuracy].entries()) {
      const along = (e) => this.go(this.charts[i].step(e.clientX - canvas.getBoundingClientRect().left));
      on(canvas, "pointerdown", (e) => { if (this.ready && !e.button) { canvas.setPointerCapture(e.pointerId); along(e); this.box.focus({ preventScroll: true }); } });
      on(canvas, "pointermove", (e) => { if (canvas.hasPointerCapture(e.pointerId)) along(e); });
    }
  }

  // A cell's settings shall stand beside the wall; true where there is such a cell.
  open(i) {
    if (i >= this.cells.length || !this.send) return false;
    if (i !== this.scene.chosen) this.say("open", i);
    return true;
  }

  // A word about a cell, wherever that is by then.
  say(word, i) {
    const { run } = this.cells[i];
    this.tell(() => { const at = this.cells.findIndex((cell) => cell.run === run); return at < 0 ? null : { [word]: at }; });
  }

  // Look at it another way.
  see(change) { Object.assign(this.look, change); this.label(); this.describe(); this.settle(); this.ask(); }

  do(name) {
    const { look } = this, flip = (part) => this.see({ hidden: look.hidden.includes(part) ? look.hidden.filter((p) => p !== part) : [...look.hidden, part].sort() });
    if (this.buttons[name]?.hidden) return;
    ({ play: () => this.play(), back: () => this.go(this.previous()), on: () => this.step(), home: () => this.go(0), end: () => this.go(this.last), reset: () => this.reset("same"),
      seed: () => this.reset("seed"), train: () => flip("train"), val: () => flip("val"), wrong: () => flip("wrong"), discrete: () => this.see({ discrete: !look.discrete }),
      pin: () => { if (this.scene.loose) this.tell({ pin: true }); }, present: () => this.present(), help: () => this.help() })[name]();
  }
}

const over = (cell) => ["done", "stopped", "diverged", "waiting"].includes(cell.state);
// Without points for validation its figures are those of training.
const held = ({ frames: [first] }) => first.loss_val !== first.loss_train;
