// The picture of data with one input: what the network says, or one of its neurons, as a curve over it; the points beside it.
import { ticks } from "./chart.js";
import { Field, classStyle, hex, ramp, shade } from "./field.js";
import { digits } from "./scene.js";

const ROOM = 0.04; // of a neuron's reach, above and below its curve
const MOST = 64; // shares that are drawn: more would be fog
const FAR = 1e4; // px: no line needs to be drawn farther out
const CATCH = 24; // px from the pointer within which a point is the one that is meant
const DENSE = 600; // points whose residuals can be told apart

// A curve of a row of values, in pixels, broken where it is no number.
function trace(g, row, px, py) {
  let going = false;
  g.beginPath();
  row.forEach((v, k) => {
    if (Number.isNaN(v)) { going = false; return; }
    g[going ? "lineTo" : "moveTo"](px(k), Math.min(Math.max(py(v), -FAR), FAR));
    going = true;
  });
}

// A neuron in the net: the area between its curve and `middle`, where it is above and where below.
export function miniature(g, row, [half, middle], x, y, size, theme) {
  const n = Math.max(Math.round(size), 2);
  g.fillStyle = theme.page; g.fillRect(x, y, size, size);
  for (const [colour, sign] of [[theme.plus, 1], [theme.minus, -1]]) {
    g.fillStyle = colour;
    g.beginPath(); g.moveTo(x, y + size / 2);
    for (let i = 0; i <= n; i++) {
      const v = Math.min(Math.max((row[Math.round(i / n * (row.length - 1))] - middle) / half, -1), 1);
      g.lineTo(x + i / n * size, y + size / 2 * (1 - Math.max(v * sign, 0) * sign));
    }
    g.lineTo(x + size, y + size / 2); g.fill();
  }
}

// The lines that make up an answer, a row of heights and a colour each: one share of every class, else what is told of all.
function answers(scene, { layers, neuron }, theme) {
  const outputs = layers.at(-1);
  if (neuron) return [[layers[neuron[0]][neuron[1]], theme.ink]];
  if (scene.kind === "values") return [[outputs[0], theme.ink]];
  if (outputs.length === 1) return [[outputs[0].map((v) => Math.min(Math.max(v, -1), 1)), theme.ink]];
  const most = outputs[0].map((_, k) => Math.max(...outputs.map((row) => row[k]))), parts = outputs.map((row) => row.map((v, k) => Math.exp(v - most[k])));
  const sum = most.map((_, k) => parts.reduce((all, row) => all + row[k], 0)), shares = parts.map((row) => row.map((v, k) => v / sum[k]));
  return outputs.length === 2 ? [[shares[1].map((v) => 2 * v - 1), theme.ink]] : shares.map((row, k) => [row, classStyle(scene, theme, k).colour]);
}

export class Curve extends Field {
  look(box) { this.view = [...box[0], ...box[1]]; }

  // Places along the input, no finer than a pixel tells them apart.
  grid(n) {
    const columns = Math.max(Math.min(n * n, Math.round(this.width)), 2), [x0, x1] = this.view;
    const xs = Float64Array.from({ length: columns }, (_, i) => x0 + i / (columns - 1) * (x1 - x0));
    return { columns, rows: 1, xs, ys: new Float64Array(columns) };
  }

  // `moment` is {layers, reach, neuron, net, theta}: all that the network says along the input, and its weights.
  paint(grid, shown, scene, theme, lineWidth, moment) {
    const g = this.back.getContext("2d", { alpha: false }), { neuron, reach } = moment, [low, high] = scene.box[1];
    const half = neuron && (1 + ROOM) * reach[neuron[0]][0], middle = neuron && reach[neuron[0]][1];
    this.view = [...scene.box[0], ...(neuron ? [middle - half, middle + half] : [low, high])];
    this.lines = { lineWidth, rows: answers(scene, moment, theme), theme, neuron };
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.fillStyle = theme.page; g.fillRect(0, 0, this.width, this.height);
    if (scene.labels.length && !neuron) this.bands(g, shown, scene, theme);
    this.axes(g, theme, lineWidth > 2 ? 1.5 : 1, scene.labels.length && !neuron);
    if (scene.kind === "values" && !neuron) this.shares(g, moment, theme, lineWidth);
  }

  // Classes along the input, each with its colour as far as the network is certain of it.
  bands(g, { values, winners, steps }, scene, theme) {
    const ramps = winners ? scene.labels.map((_, k) => ramp({ ...theme, plus: classStyle(scene, theme, k).colour })) : [ramp(theme)], wide = this.width / (values.length - 1);
    values.forEach((v, k) => {
      g.fillStyle = hex(shade(ramps[winners ? winners[k] : 0], steps ? (winners || v > 0 ? 1 : -1) : v));
      g.fillRect((k - 0.5) * wide, 0, wide + 1, this.height);
    });
  }

  axes(g, theme, large, classes) {
    const [x0, x1, y0, y1] = this.view, tall = 22 * large;
    g.strokeStyle = theme.line; g.fillStyle = classes ? theme.ink : theme.faint; g.lineWidth = large; g.font = `${11 * large}px optviz, system-ui, sans-serif`; g.textBaseline = "middle";
    for (const v of ticks(x0, x1, Math.max(Math.floor(this.width / (70 * large)), 2))) {
      g.beginPath(); g.moveTo(this.px(v), 0); g.lineTo(this.px(v), this.height); g.stroke();
      g.textAlign = "center";
      if (this.px(v) > tall && this.px(v) < this.width - tall) g.fillText(digits(v), this.px(v), this.height - 9 * large);
    }
    for (const v of ticks(y0, y1, Math.max(Math.floor(this.height / (40 * large)), 2))) {
      if (classes && Math.abs(v) > 1) continue; // the points stand there
      g.lineWidth = v ? large : 1.5 * large; g.strokeStyle = v ? theme.line : theme.faint;
      g.beginPath(); g.moveTo(0, this.py(v)); g.lineTo(this.width, this.py(v)); g.stroke();
      g.textAlign = "left";
      if (this.py(v) > tall / 2 && this.py(v) < this.height - tall) g.fillText(digits(v), 5, this.py(v) - 8 * large);
    }
  }

  // What each neuron of the last layer before the output adds to it, in the colour of its weight.
  shares(g, { layers, net, theta }, theme, lineWidth) {
    const weight = net.part(theta, net.hidden, "weight"), { columns } = net.own[net.hidden].weight, rows = layers.at(-2);
    if (net.layers.at(-1).pieces > 1 || rows.length > MOST) return;
    g.lineWidth = 0.7 * lineWidth; g.globalAlpha = Math.max(0.5 - rows.length / 160, 0.15); g.lineJoin = "round";
    rows.forEach((row, j) => {
      const w = weight[j * columns];
      g.strokeStyle = w > 0 ? theme.plus : theme.minus;
      trace(g, row, (k) => k / (row.length - 1) * this.width, (v) => this.py(w * v)); g.stroke();
    });
    g.globalAlpha = 1;
  }

  // A neuron's curve has a height of its own, at which the points do not stand.
  points(scene, theme, hidden, big) { super.points(scene, theme, this.lines.neuron ? ["train", "val"] : hidden, big); }

  // What lies on the points begins with the answer: where it is good they would hide it.
  clear() {
    super.clear();
    this.wrong = null; this.topped = true;
    const g = this.top.getContext("2d"), { rows, theme, lineWidth } = this.lines;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0); g.lineJoin = "round"; g.lineCap = "round";
    for (const [row, colour] of rows) {
      trace(g, row, (k) => k / (row.length - 1) * this.width, (v) => this.py(v));
      g.strokeStyle = theme.page; g.lineWidth = 2.5 * lineWidth; g.stroke();
      g.strokeStyle = colour; g.lineWidth = 1.3 * lineWidth; g.stroke();
    }
  }

  errors(...given) { super.errors(...given); this.wrong = given; }

  // The point that is meant at a pixel, or -1.
  near(px, py, { points: { x, y, train } }, hidden) {
    let best = -1, least = this.lines.neuron ? 0 : CATCH;
    for (let k = 0; k < x.length; k++) {
      const far = hidden.includes(k < train ? "train" : "val") ? Infinity : Math.hypot(this.px(x[k]) - px, this.py(y[k]) - py);
      if (far < least) { best = k; least = far; }
    }
    return best;
  }

  // Where the pointer is: what the network says there, and how far it is from each of the values, most of all from the one that is meant.
  hover(pointer, caught, scene, hidden) {
    const { wrong } = this, { rows, theme, lineWidth, neuron } = this.lines, g = this.top.getContext("2d");
    this.clear();
    if (wrong) this.errors(...wrong);
    if (!pointer) return;
    const at = (row, x) => {
      const place = Math.min(Math.max(this.px(x) / this.width, 0), 1) * (row.length - 1), k = Math.min(Math.floor(place), row.length - 2);
      return this.py(row[k] + (row[k + 1] - row[k]) * (place - k));
    };
    if (scene.kind === "values" && !neuron) {
      const { x, y, train } = scene.points, ends = [...x.keys()].filter((k) => !hidden.includes(k < train ? "train" : "val"));
      g.strokeStyle = theme.accent;
      for (const [some, width] of [[ends.length > DENSE ? [] : ends, 0.5 * lineWidth], [caught < 0 ? [] : [caught], 1.5 * lineWidth]]) {
        g.beginPath(); g.lineWidth = width;
        for (const k of some) { g.moveTo(this.px(x[k]), this.py(y[k])); g.lineTo(this.px(x[k]), at(rows[0][0], x[k])); }
        g.stroke();
      }
    }
    for (const [row, colour] of rows) {
      g.fillStyle = colour; g.strokeStyle = theme.page; g.lineWidth = lineWidth;
      g.beginPath(); g.arc(this.px(pointer[0]), at(row, pointer[0]), 2.2 * lineWidth, 0, 7); g.fill(); g.stroke();
    }
  }
}
