// The stage of a network: its answer over the plane, the net beside it, its losses; plays what has been trained and asks for more.
// It knows nothing of Streamlit: `send` tells the world what a visitor did.
import { Bent, beyond } from "./bent.js";
import { Chart } from "./chart.js";
import { Curve } from "./curve.js";
import { Diagram } from "./diagram.js";
import { Field, answer, classStyle, valueScale } from "./field.js";
import { Knob } from "./knob.js";
import { Net, decide } from "./net.js";
import { PENCIL, Pen, TOOLS } from "./pen.js";
import { KEYS, bar, button, icon, listenToBar, listener } from "./playback.js";
import { digits, fill, opened } from "./scene.js";
import { AGAIN, TrainingPlayer, addFrames, frameAt, lasting, percent, same } from "./training.js";

const REST = 180; // ms after which the picture becomes finer
const MOVING = [14, 100], RESTING = [70, 200]; // ms that a field may take, and the most places on a side, in motion and at rest
const NARROW = 280, ROOMY = 320; // px of a chart that has no room for more than its name; that has room for numbers, too
const OWN = { ...KEYS, r: "reset", "к": "reset", s: "seed", "ы": "seed", v: "val", "м": "val", t: "train", "е": "train", d: "discrete", "в": "discrete", w: "warp", "ц": "warp",
  m: "matrix", "ь": "matrix", n: "neuron", "т": "neuron", c: "pin", "с": "pin", p: "pen", "з": "pen" };

const MARKUP = `
<section class="network" tabindex="0" role="application">
  <div class="view">
    <div class="mesh"><canvas role="img"></canvas><div class="card" hidden><b></b><label><i></i><input inputmode="decimal" autocomplete="off"></label>${button("cut", "0")}<p hidden></p></div></div>
    <div class="bent" hidden><canvas role="img"></canvas><select></select></div>
    <div class="picture"><canvas class="back"></canvas><canvas class="dots"></canvas><canvas class="top" role="img"></canvas><p class="none" hidden></p></div>
  </div>
  <div class="legend"><ul></ul><span class="switches">
    ${button("pen", PENCIL)}${button("undo", icon("M7 4L3 8l4 4M3 8h9a4.5 4.5 0 0 1 0 9H8"))}${["train", "val", "wrong", "discrete"].map((name) => button(name, "")).join("")}
    ${button("warp", icon("M3 5q7-3 14 0M3 10q7-3 14 0M3 15q7-3 14 0M5 3q-2 7 0 14M10 2q-2 8 0 16M15 3q-2 7 0 14"))}${button("matrix", icon("M3 3h14v14H3zM10 3v14M3 10h14"))}${button("present")}${button("help")}
  </span></div>
  <div class="says">${TOOLS}<p class="sentence" role="status"></p></div>
  <div class="curves"><canvas class="loss"></canvas><canvas class="accuracy"></canvas><div class="matrix" hidden></div></div>
  ${bar(AGAIN)}
  <output class="readout" hidden></output>
</section>`;

export class NetworkPlayer extends TrainingPlayer {
  constructor(root, send) {
    super(root, send, MARKUP, ["mesh", "bent", "picture", "top", "none", "sentence", "legend", "loss", "accuracy", "matrix", "readout", "tools", "card"]);
    const find = (name) => this.box.querySelector(name);
    this.pictures = [Curve, Field].map((Kind) => new Kind(find(".back"), find(".dots"), find(".top"))); // over one input, over two
    [, this.field] = this.pictures;
    this.diagram = new Diagram(find(".mesh canvas"));
    this.bent = new Bent(find(".bent canvas"));
    this.layers = find(".bent select");
    this.charts = [new Chart(this.parts.loss), new Chart(this.parts.accuracy)];
    this.pen = new Pen(this); this.knob = new Knob(this);
    this.frames = []; this.changes = 0; this.revision = 0;
    listenToBar(this, this.stops.signal, OWN, (e) => this.pen.key(e) || this.knob.key(e));
    this.listen(listener(this.stops.signal));
    for (const part of [this.parts.picture, this.parts.mesh, this.parts.bent, this.parts.loss, this.parts.accuracy]) this.sizes.observe(part);
  }

  destroy() { super.destroy(); this.knob.destroy(); }

  // --- data ------------------------------------------------------------------------------------------------------------------------

  show(bytes) { this.put(...opened(bytes)); }

  // A message: frames of the run that is shown are added to it, another run begins anew.
  put(scene, array) {
    const before = this.scene, came = !before || before.take !== scene.take, other = !before || before.run !== scene.run;
    const atEnd = before && this.playhead >= this.last;
    this.scene = scene; this.texts = scene.texts;
    if (other) { this.frames = []; this.queue = this.queue.filter(lasting); }
    addFrames(this.frames, scene.frames, array);
    const about = JSON.stringify(scene.net.blocks); // where each weight is
    const another = this.about !== about;
    if (another || other) {
      this.about = about;
      this.net = new Net({ ...scene.net, matrix: array(scene.net.matrix), shift: array(scene.net.shift) });
    }
    const field = this.pictures[scene.inputs === 1 ? 0 : 1], turned = field !== this.field;
    this.field = field;
    if (scene.points) for (const name of ["x", "y", "label"]) scene.points[name] = array(scene.points[name]);
    scene.given = scene.points && { ...scene.points, labels: scene.labels };
    scene.scale = scene.points && scene.kind === "values" ? valueScale(scene.points.label) : { middle: 0, half: 1 };
    if (other) this.pointInputs = scene.points && this.net.inputs(scene.points.x, scene.points.y);
    if (came) this.begin();
    else if (other) {
      this.playhead = 0;
      if (this.resume && !this.knob.hand) { this.playing = true; this.resume = false; }
    } else if (this.stepping && atEnd) this.playhead = this.last;
    if (!this.valid(this.look.neuron)) this.look.neuron = null;
    if (this.look.warp !== null && !(scene.inputs === 2 && this.look.warp >= 1 && this.look.warp <= this.net.hidden)) this.look.warp = null;
    this.pen.heard(this.answered); this.knob.heard(another || came, this.answered);
    this.heard();
    if (!this.frames.length) this.tell({ lack: 0 }); // it was shown before, in another stage than this
    if (turned) this.resize();
  }

  get last() { return this.frames.at(-1)?.pass ?? 0; }
  get ended() { return this.last >= this.scene.epochs || ["done", "stopped", "diverged"].includes(this.scene.state); }
  valid(neuron) { return neuron === null || neuron[0] < this.net.widths.length && neuron[1] < this.net.widths[neuron[0]]; }

  get ready() { return this.scene && this.frames.length && this.diagram.width; }
  get there() { return this.frames.length; }
  now() { return frameAt(this.frames, this.playhead); }
  next() { return this.frames[this.now() + 1]?.pass; }

  begin() { super.begin(); this.resume = false; this.changes = 0; }

  // --- what is changed by hand -----------------------------------------------------------------------------------------------------

  // What makes another run: it plays if this one plays, or if it shall play again and has come to its end. The word is found when it is sent.
  change(word, again = false) {
    this.resume ||= this.playing || again && this.last > 0 && this.ended && this.playhead >= this.last;
    this.changes += 1;
    this.label();
    this.tell(word);
  }

  undo() {
    if (!this.changes) return;
    this.changes -= 2; // and this one
    this.change(() => ({ back: 1 }));
  }

  // Still, while a hand changes what is seen.
  hold() { if (this.playing) { this.resume = true; this.playing = false; this.describe(); } }

  // The frame that is seen: that at the playhead, with what is being set by hand.
  get shown() { return this.knob.moment(this.frames[this.now()]); }

  // The points are others than the page has said.
  pointed() {
    const { scene } = this, { given, points } = scene, { labels } = given, more = points.label.reduce((a, b) => Math.max(a, b), 0) + 1 - labels.length;
    points.revision = this.revision += 1;
    scene.labels = scene.kind === "classes" && more > 0 ? [...labels, "+"] : labels;
    scene.scale = scene.kind === "values" ? valueScale(points.label) : scene.scale;
    this.pointInputs = this.net.inputs(points.x, points.y);
    this.what = null;
    this.label(); this.ask();
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2), { picture, mesh, bent, loss, accuracy } = this.parts;
    if (!picture.clientWidth || !mesh.clientWidth) return;
    Object.assign(this, { ratio, big: this.box.classList.contains("present"), grids: null, what: null, noted: null });
    this.field.resize(picture.clientWidth, picture.clientHeight, ratio);
    this.diagram.resize(mesh.clientWidth, mesh.clientHeight, ratio);
    this.bent.resize(bent.clientWidth, bent.clientHeight, ratio);
    [loss, accuracy].forEach((part, i) => this.charts[i].resize(part.clientWidth, part.clientHeight, ratio));
    if (this.scene) { cancelAnimationFrame(this.asked); this.frame(performance.now()); } // in the same frame: nothing blinks
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
    const { scene, net, look, texts, diagram, shown: frame } = this;
    this.wear(scene.themes);
    const { theme } = this, font = (size, weight = 400) => `${weight} ${this.big ? size * 1.5 : size}px optviz, system-ui, sans-serif`;
    const what = [frame, theme.name, JSON.stringify(look)], noted = [...what, this.pointer, diagram.marked, diagram.picked, scene.language];
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
    this.curves(theme, font(11), frame);
    this.tick(scene.epochs, fill(texts.pass_of, { k: frame.pass, n: scene.epochs }), texts);
  }

  // The field and what lies on it.
  paint(frame, style) {
    const { scene, net, look, field } = this, { theme } = style, grid = this.places(this.side(this.fine ? RESTING : MOVING, net.cost));
    const layers = this.timed(grid, net.cost, () => net.flow(grid.inputs, frame.theta, frame.running));
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

  curves(theme, font, frame) {
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
      const name = ["loss", "accuracy"][i], room = charts[i].width / (this.big ? 1.5 : 1), said = texts[name + (room < NARROW ? "_short" : room < ROOMY ? "" : "_now")];
      const [train, val] = ["train", "val"].map((part) => digits((i ? 100 : 1) * frame[`${name}_${part}`]));
      if (paths) charts[i].draw(panels[i], paths, this.playhead, theme, { loss: fill(said, { train, val }), step_axis: texts.pass_axis }, font);
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
    buttons.pen.hidden = buttons.undo.hidden = !scene.points || !this.send; buttons.undo.disabled = !this.changes;
    if (scene.inputs !== 2) { this.pen.on = false; buttons.pen.hidden = true; }
    buttons.pen.setAttribute("aria-pressed", this.pen.on);
    for (const name of ["train", "val", "wrong"]) buttons[name].setAttribute("aria-pressed", !look.hidden.includes(name));
    buttons.discrete.setAttribute("aria-pressed", look.discrete); buttons.warp.setAttribute("aria-pressed", look.warp !== null); buttons.matrix.setAttribute("aria-pressed", look.matrix);
    parts.bent.hidden = look.warp === null || !scene.points; parts.matrix.hidden = !look.matrix || !classes;
    this.box.classList.toggle("counting", !parts.matrix.hidden); this.box.classList.toggle("empty", scene.points?.x.length === 0);
    parts.accuracy.hidden = !scene.labels.length;
    parts.none.hidden = !!scene.points; parts.none.textContent = texts.no_plane;
    parts.sentence.textContent = scene.sentence ?? (this.pen.on ? texts.pen_hint : buttons.pen.hidden ? texts.hint : `${texts.hint} ${texts.hint_pen}`); parts.sentence.classList.toggle("said", !!scene.sentence);
    const names = Array.from({ length: net.hidden }, (_, i) => fill(texts.layer, { n: i + 1, width: net.widths[i + 1] }));
    if (!same(names, this.named)) { this.named = names; this.layers.replaceChildren(...names.map((text, i) => new Option(text, i + 1))); }
    if (look.warp !== null) this.layers.value = look.warp;
    this.legend(scene);
    if (scene.points) this.pen.name();
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

  // What the network says at a place of the plane, in words.
  saying([x, y]) {
    const { scene, texts } = this, layers = this.here(this.shown), outputs = layers.at(-1), one = scene.inputs === 1, lines = [one ? `x = ${digits(x)}` : `(${digits(x)}, ${digits(y)})`];
    if (this.look.neuron) lines.push(`${this.nameOf(this.look.neuron)}: ${digits(layers[this.look.neuron[0]][this.look.neuron[1]])}`);
    lines.push(`${texts.output}: ${outputs.slice(0, 6).map((v) => digits(v)).join(", ")}${outputs.length > 6 ? ", …" : ""}`);
    if (one && this.caught >= 0 && !scene.labels.length) lines.push(fill(texts.residual, { y: digits(y), r: digits(y - outputs[0]) }));
    if (scene.labels.length) lines.push(`${texts.class}: ${scene.labels[decide(outputs.map((v) => [v]))[0]]}`);
    return lines.join("\n");
  }

  // --- what a visitor does ---------------------------------------------------------------------------------------------------------

  listen(on) {
    const { top, loss, accuracy } = this.parts, mesh = this.diagram.canvas;
    this.pen.listen(on); this.knob.listen(on);
    on(this.box, "keydown", (e) => {
      if (!(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey || !/^[zя]$/i.test(e.key) || !this.scene) return;
      e.preventDefault(); this.undo();
    });
    on(top, "pointermove pointerdown", (e) => {
      if (!this.ready || !this.scene.points) return;
      this.pointer = this.spot(e);
      if (this.scene.inputs === 1) {
        const { x, y } = this.scene.points, { left, top: above } = top.getBoundingClientRect(), k = this.caught = this.field.near(e.clientX - left, e.clientY - above, this.scene, this.look.hidden);
        if (k >= 0) this.pointer = [x[k], y[k]];
      }
      this.read(e, this.saying(this.pointer)); this.ask();
    });
    on(mesh, "pointermove pointerdown", (e) => {
      if (!this.ready) return;
      const { marked } = this.diagram, now = this.knob.hand ? null : this.diagram.at(...this.knob.where(e));
      if (!same(marked, now)) this.diagram.marked = now;
      mesh.style.cursor = this.knob.hand || now && !now.neuron && this.send ? "ns-resize" : now && this.scene.points ? "pointer" : "";
      this.read(e, this.knob.spot?.index === now?.index && !now?.neuron ? "" : this.marking()); this.ask();
    });
    on(top, "pointerleave", (e) => { this.pointer = null; this.read(e, ""); this.ask(); });
    on(mesh, "pointerleave", (e) => { this.diagram.marked = null; this.read(e, ""); this.ask(); });
    on(mesh, "click", (e) => {
      const marked = this.ready && this.diagram.at(...this.knob.where(e));
      if (marked?.neuron && this.scene.points) this.choose([marked.layer, marked.j]);
      this.box.focus({ preventScroll: true });
    });
    for (const [i, canvas] of [loss, accuracy].entries()) {
      const along = (e) => this.go(this.charts[i].step(e.clientX - canvas.getBoundingClientRect().left));
      on(canvas, "pointerdown", (e) => { if (this.ready && !e.button) { canvas.setPointerCapture(e.pointerId); along(e); this.box.focus({ preventScroll: true }); } });
      on(canvas, "pointermove", (e) => { if (canvas.hasPointerCapture(e.pointerId)) along(e); });
    }
    on(this.layers, "change", () => this.see({ warp: Number(this.layers.value) }));
  }

  // Where the pointer is on the plane: no finer than a pixel tells it.
  spot(e) {
    const { field } = this, r = this.parts.top.getBoundingClientRect(), places = Math.min(Math.max(-Math.floor(Math.log10((field.view[1] - field.view[0]) / field.width)), 0), 100);
    return field.place(e.clientX - r.left, e.clientY - r.top).map((v) => Number(v.toFixed(places)) + 0);
  }

  nameOfWeight({ layer, i, j, bias }) {
    return bias ? this.nameOf([layer, j]) : `${this.nameOf([layer, i])} → ${this.nameOf([layer + 1, Math.floor(j / this.net.layers[layer].pieces)])}`;
  }

  // What is under the pointer in the net, in words.
  marking() {
    const { marked } = this.diagram, { net, texts } = this, { theta } = this.shown;
    if (!marked) return "";
    const { layer, j } = marked;
    if (!marked.neuron) return `${this.nameOfWeight(marked)}\n${marked.bias ? "b" : "w"} = ${digits(theta[marked.index])}${this.send ? `\n${texts.drag}` : ""}`;
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
  nextNeuron() {
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
      pen: () => this.pen.turn(), erase: () => this.pen.rub(), clear: () => this.pen.clear(), less: () => this.pen.shift(-1), greater: () => this.pen.shift(1),
      undo: () => this.undo(), cut: () => this.knob.cut(), neuron: () => { if (this.scene.points) this.choose(this.nextNeuron()); }, pin: () => this.tell({ pin: true }),
      present: () => this.present(), help: () => this.help() })[name]();
  }
}
