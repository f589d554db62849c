// The picture: what the network says, or one of its neurons, over the plane of the inputs; the points on it.
import { certainty, decide, difference } from "./net.js";
import { fit, marker, rgb } from "./plane.js";

const DEEP = 0.72; // how much of a colour a certain field has: points, which have all of it, stand out
const SHADES = 128; // on each side of white
const LEVELS = 4; // isolines of a predicted value between the middle and an end
const SMALL = 300; // px of a picture in which points are smaller
const SMOOTH = 400; // px of a picture whose colours come in steps

const mix = (a, b, share) => a.map((c, i) => c + (b[i] - c) * share);
const packed = ([r, g, b]) => (255 << 24 | Math.round(b) << 16 | Math.round(g) << 8 | Math.round(r)) >>> 0;

// From −1, orange, over the page's own colour to 1, blue; as pixels.
const ramps = new Map();
export function ramp(theme, deep = DEEP) {
  const key = [theme.page, theme.minus, theme.plus, deep].join();
  if (!ramps.has(key)) {
    const [page, minus, plus] = [theme.page, theme.minus, theme.plus].map(rgb);
    ramps.set(key, Uint32Array.from({ length: 2 * SHADES + 1 }, (_, i) => packed(mix(page, i < SHADES ? minus : plus, deep * Math.abs(i / SHADES - 1)))));
  }
  return ramps.get(key);
}
export const shade = (ramp, v) => ramp[v > -1 ? (v < 1 ? Math.round((v + 1) * SHADES) : 2 * SHADES) : v < 0 || v === -Infinity ? 0 : SHADES];

// The colour and the mark of a class: two classes are − and +.
export function classStyle(scene, theme, k) {
  const two = scene.labels.length === 2, { colours } = scene;
  return { colour: two ? [theme.minus, theme.plus][k] : colours[k % colours.length], shape: (k + Math.floor(k / colours.length)) % 5 };
}

// Where a value stands between an end and the other, −1 to 1: white is 0, or the middle where all values are on one side of it.
export function valueScale(values) {
  if (!values.length) return { middle: 0, half: 1 };
  const low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const middle = low < 0 && high > 0 ? 0 : (low + high) / 2, half = Math.max(high - middle, middle - low) || 1;
  return { middle, half };
}

// The line on which a function of a grid is `level`, piece by piece: told (x0, y0, x1, y1) in cells.
export function contour(values, columns, rows, level, piece) {
  for (let j = 0, at = 0; j + 1 < rows; j++, at++) {
    for (let i = 0; i + 1 < columns; i++, at++) {
      const a = values[at] - level, b = values[at + 1] - level, c = values[at + columns] - level, d = values[at + columns + 1] - level;
      const key = (a > 0) | (b > 0) << 1 | (d > 0) << 2 | (c > 0) << 3;
      if (key === 0 || key === 15 || !Number.isFinite(a + b + c + d)) continue;
      const cuts = [];
      if ((a > 0) !== (b > 0)) cuts.push(i + a / (a - b), j);
      if ((b > 0) !== (d > 0)) cuts.push(i + 1, j + b / (b - d));
      if ((c > 0) !== (d > 0)) cuts.push(i + c / (c - d), j + 1);
      if ((a > 0) !== (c > 0)) cuts.push(i, j + a / (a - c));
      if (cuts.length === 4) piece(...cuts);
      else if ((a + b + c + d > 0) === (a > 0)) { piece(...cuts.slice(0, 4)); piece(...cuts.slice(4)); } // a saddle: its middle says who is joined
      else { piece(...cuts.slice(6), ...cuts.slice(0, 2)); piece(...cuts.slice(2, 6)); }
    }
  }
}

// The lines between the areas of several classes: in a cell with two of them as above, more meet in its middle.
export function borders(outputs, winners, columns, rows, piece) {
  for (let j = 0, at = 0; j + 1 < rows; j++, at++) {
    for (let i = 0; i + 1 < columns; i++, at++) {
      const corners = [at, at + 1, at + columns + 1, at + columns], own = corners.map((k) => winners[k]);
      if (own.every((c) => c === own[0])) continue;
      const cuts = [];
      for (const [e, [x, y, dx, dy]] of [[i, j, 1, 0], [i + 1, j, 0, 1], [i + 1, j + 1, -1, 0], [i, j + 1, 0, -1]].entries()) {
        const [a, b] = [own[e], own[(e + 1) % 4]], [from, to] = [corners[e], corners[(e + 1) % 4]];
        if (a === b) continue;
        const before = outputs[a][from] - outputs[b][from], after = outputs[b][to] - outputs[a][to], share = before + after > 0 ? before / (before + after) : 0.5;
        cuts.push([x + dx * share, y + dy * share]);
      }
      if (cuts.length === 2) piece(...cuts[0], ...cuts[1]);
      else { const middle = [0, 1].map((c) => cuts.reduce((sum, cut) => sum + cut[c] / cuts.length, 0)); for (const cut of cuts) piece(...cut, ...middle); }
    }
  }
}

// The lines of an answer over its grid.
export function trace({ lines, outputs, winners }, columns, rows, piece) {
  if (winners) borders(outputs, winners, columns, rows, piece);
  else for (const [row, level] of lines) contour(row, columns, rows, level, piece);
}

export class Field {
  constructor(back, dots, top) { Object.assign(this, { back, dots, top, small: document.createElement("canvas"), dotted: "" }); }

  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio, dotted: "" });
    for (const canvas of [this.back, this.dots, this.top]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  }

  look([x, y]) { this.view = fit([...x, ...y], this.width, this.height); }

  // About n × n places that fill the picture, row by row from the top.
  grid(n) {
    const { width, height, view } = this, cell = Math.sqrt(width * height) / n, columns = Math.max(Math.round(width / cell), 2), rows = Math.max(Math.round(height / cell), 2);
    const xs = new Float64Array(columns * rows), ys = new Float64Array(columns * rows);
    for (let j = 0, at = 0; j < rows; j++) {
      const y = view[3] - j / (rows - 1) * (view[3] - view[2]);
      for (let i = 0; i < columns; i++, at++) { xs[at] = view[0] + i / (columns - 1) * (view[1] - view[0]); ys[at] = y; }
    }
    return { columns, rows, xs, ys };
  }

  px(x) { return (x - this.view[0]) / (this.view[1] - this.view[0]) * this.width; }
  py(y) { return (this.view[3] - y) / (this.view[3] - this.view[2]) * this.height; }
  place(px, py) { return [this.view[0] + px / this.width * (this.view[1] - this.view[0]), this.view[3] - py / this.height * (this.view[3] - this.view[2])]; }

  // An answer: values from −1 to 1, or certainties of `winners`; functions with the levels of theirs that are drawn as lines; how many
  // steps a side has, or 0 where colours flow.
  paint({ columns, rows }, shown, scene, theme, lineWidth) {
    const g = this.back.getContext("2d", { alpha: false }), palette = ramp(theme), { values, winners, lines, steps } = shown;
    const ramps = winners && scene.labels.map((_, k) => ramp({ ...theme, plus: classStyle(scene, theme, k).colour })), fine = steps ? Math.max(Math.round(SMOOTH / columns), 1) : 1;
    const across = (columns - 1) * fine + 1, down = (rows - 1) * fine + 1, image = new ImageData(across, down), out = new Uint32Array(image.data.buffer);
    const pick = winners ? (at, v) => shade(ramps[winners[at]], v) : (at, v) => shade(palette, v);
    for (let j = 0, o = 0; j < down; j++) {
      const r = Math.min(Math.floor(j / fine), rows - 2), fy = j / fine - r;
      for (let i = 0; i < across; i++, o++) {
        if (fine === 1) { out[o] = pick(o, values[o]); continue; }
        const c = Math.min(Math.floor(i / fine), columns - 2), fx = i / fine - c, at = r * columns + c, nearest = at + (fx > 0.5) + (fy > 0.5) * columns;
        if (winners) { out[o] = pick(nearest, 1); continue; }
        const upper = values[at] + (values[at + 1] - values[at]) * fx, lower = values[at + columns] + (values[at + columns + 1] - values[at + columns]) * fx;
        const v = upper + (lower - upper) * fy;
        out[o] = pick(0, steps === 1 ? (v > 0 ? 1 : -1) : Math.round(v * steps) / steps);
      }
    }
    if (this.small.width !== across || this.small.height !== down) { this.small.width = across; this.small.height = down; }
    this.small.getContext("2d").putImageData(image, 0, 0);
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.imageSmoothingEnabled = true; g.imageSmoothingQuality = "medium";
    g.drawImage(this.small, 0.5, 0.5, across - 1, down - 1, 0, 0, this.back.width, this.back.height); // a value stands in the middle of its pixel
    g.setTransform(this.ratio * this.width / (columns - 1), 0, 0, this.ratio * this.height / (rows - 1), 0, 0);
    g.beginPath();
    this.traced = 0; // how long the lines are, where the picture's sides are 1
    trace(shown, columns, rows, (x0, y0, x1, y1) => { g.moveTo(x0, y0); g.lineTo(x1, y1); this.traced += Math.hypot((x1 - x0) / (columns - 1), (y1 - y0) / (rows - 1)); });
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.strokeStyle = theme.ink; g.lineCap = "round"; g.lineWidth = lineWidth; g.globalAlpha = lines?.length > 1 ? 0.35 : 0.8;
    g.stroke();
    g.globalAlpha = 1;
  }

  radius(big) { const n = this.count; return (n > 2000 ? 2.2 : n > 600 ? 3 : 4.2) * (big ? 1.5 : 1) * this.shrink; }
  get shrink() { return Math.min(Math.max(this.width / SMALL, 0.4), 1); }

  // The points; those for validation have a hole. Painted again only where something is another than before.
  points(scene, theme, hidden, big) {
    const key = [scene.run, scene.points.revision, theme.name, hidden, big, this.view].join();
    if (this.dotted === key) return;
    this.dotted = key;
    const g = this.dots.getContext("2d"), { x, y, label, train } = scene.points, values = scene.kind === "values";
    this.count = x.length;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    const r = this.radius(big), full = ramp(theme, 1), { middle, half } = scene.scale;
    const styles = scene.labels.map((_, k) => classStyle(scene, theme, k));
    g.strokeStyle = values ? theme.ink : theme.page; g.lineWidth = 1.1;
    for (let k = x.length - 1; k >= 0; k--) {
      if (hidden.includes(k < train ? "train" : "val")) continue;
      const { colour, shape } = values ? { colour: hex(shade(full, (label[k] - middle) / half)), shape: 0 } : styles[label[k]], px = this.px(x[k]), py = this.py(y[k]);
      g.fillStyle = colour;
      marker(g, shape, px, py, r); g.fill(); g.stroke();
      if (k >= train) { g.fillStyle = theme.page; marker(g, shape, px, py, 0.55 * r); g.fill(); if (values) g.stroke(); }
    }
  }

  // A ring around every point that is taken for another class.
  errors(scene, decided, theme, hidden, big) {
    this.topped = true;
    const g = this.top.getContext("2d"), { x, y, label, train } = scene.points, r = 1.6 * this.radius(big);
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.beginPath();
    for (let k = 0; k < x.length; k++) {
      if (decided[k] === label[k] || hidden.includes(k < train ? "train" : "val")) continue;
      const px = this.px(x[k]), py = this.py(y[k]);
      g.moveTo(px + r, py); g.arc(px, py, r, 0, 7);
    }
    g.lineWidth = (big ? 2.5 : 1.6) * this.shrink; g.strokeStyle = theme.ink; g.stroke();
  }

  clear() { if (this.topped) this.top.getContext("2d").clearRect(0, 0, this.top.width, this.top.height); this.topped = false; }
}

export const hex = (pixel) => `rgb(${pixel & 255} ${pixel >> 8 & 255} ${pixel >> 16 & 255})`;

// What is to be painted of a network's answer over a grid: of all of it, or of one neuron, whose values reach to `reach`.
export function answer(scene, layers, neuron, reach, discrete) {
  const outputs = layers.at(-1), steps = discrete ? 1 : 0;
  if (neuron) {
    const row = layers[neuron[0]][neuron[1]];
    return { values: row.map((v) => v / reach), lines: [[row, 0]], steps };
  }
  if (scene.kind === "values") {
    const { middle, half } = scene.scale, values = outputs[0].map((v) => (v - middle) / half);
    return { values, lines: Array.from({ length: 2 * LEVELS + 1 }, (_, i) => [values, i / LEVELS - 1]), steps: discrete ? LEVELS : 0 };
  }
  const values = certainty(outputs);
  return outputs.length < 3 ? { values, lines: [[difference(outputs), 0]], steps } : { values, winners: decide(outputs), outputs, steps };
}
