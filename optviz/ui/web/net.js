// A network's forward pass, as nn.py's Net.flow: many points at once, a row of numbers for each neuron. Weights come as one flat vector.
import { compiled } from "./scene.js";

const EPS = 1e-5; // as in nn.py
const FEATURES = { x: (x) => x, y: (x, y) => y, x2: (x) => x * x, y2: (x, y) => y * y, xy: (x, y) => x * y, sinx: (x) => Math.sin(x), siny: (x, y) => Math.sin(y) };
const rows = (count, n) => Array.from({ length: count }, () => new Float64Array(n));

export class Net {
  constructor(head) {
    Object.assign(this, head);
    this.hidden = this.widths.length - 2;
    this.own = this.layers.map(() => ({}));
    for (const [layer, kind, across, columns, begin] of this.blocks) this.own[layer][kind] = { begin, across, columns, size: across * columns };
    this.size = this.blocks.reduce((size, [, , across, columns]) => size + across * columns, 0);
    // each formula in a loop of its own, so that the browser makes one piece of both
    this.rules = this.layers.map(({ code, pieces }) => pieces > 1 ? null : compiled(`(row, alpha) => { const f = ${code}; for (let k = 0; k < row.length; k++) row[k] = f(row[k], alpha); }`));
    const sums = this.layers.slice(0, -1).map(({ pieces }, i) => (this.batchnorm === "before" ? pieces : 1) * this.widths[i + 1]);
    this.moments = sums.map((width, i) => ({ width, begin: 2 * sums.slice(0, i).reduce((a, b) => a + b, 0) }));
    this.momentsSize = this.batchnorm === "none" ? 0 : 2 * sums.reduce((a, b) => a + b, 0);
    // what a point costs, in multiplications: a nonlinearity is worth about twenty
    this.cost = this.layers.reduce((sum, { pieces }, i) => sum + this.widths[i + 1] * (pieces * this.widths[i] + 20), 20 * this.widths[0]);
  }

  // One of a layer's parameters.
  part(theta, layer, kind) {
    const at = this.own[layer][kind];
    return at && theta.subarray(at.begin, at.begin + at.size);
  }

  // Features of points in the plane, prepared: what the network is shown.
  inputs(xs, ys) {
    const n = xs.length, raw = this.features.map((name) => Float64Array.from(xs, (x, k) => FEATURES[name](x, ys[k])));
    return Array.from(this.shift, (shift, j) => {
      const row = new Float64Array(n).fill(shift);
      weighted(row, raw, this.matrix, j, this.shift.length);
      return row;
    });
  }

  // What every neuron says to inputs: [inputs, layer 1, …, outputs], each a row of numbers for each of its neurons.
  flow(inputs, theta, running, layers = this.layers.length) {
    const out = [inputs], n = inputs[0].length;
    for (let layer = 0; layer < layers; layer++) {
      const before = out[layer], weight = this.part(theta, layer, "weight"), bias = this.part(theta, layer, "bias"), width = this.widths[layer + 1];
      let now = rows(width * this.layers[layer].pieces, n);
      now.forEach((row, j) => {
        if (bias) row.fill(bias[j]);
        weighted(row, before, weight, j, now.length);
      });
      if (layer < this.hidden) this.normalize("before", layer, now, theta, running);
      now = this.activate(layer, now, theta);
      if (layer < this.hidden) {
        this.normalize("after", layer, now, theta, running);
        if (this.keep !== null) for (const row of now) for (let k = 0; k < n; k++) row[k] *= this.keep;
        if (this.residual && this.widths[layer] === width) now.forEach((row, j) => add(row, before[j], 1));
      }
      out.push(now);
    }
    return out;
  }

  activate(layer, sums, theta) {
    const { pieces, learned } = this.layers[layer];
    if (pieces === 1) {
      const alpha = learned === null ? undefined : this.part(theta, layer, learned)[0];
      for (const row of sums) this.rules[layer](row, alpha);
      return sums;
    }
    return Array.from({ length: sums.length / pieces }, (_, j) => { // maxout: the pieces of a neuron stand side by side
      const row = sums[j * pieces];
      for (const other of sums.slice(j * pieces + 1, (j + 1) * pieces)) for (let k = 0; k < row.length; k++) if (other[k] > row[k] || other[k] !== other[k]) row[k] = other[k];
      return row;
    });
  }

  // The normalizations of a hidden layer that stand in this place: over a batch by its running moments, over a layer by each point's own.
  normalize(place, layer, now, theta, running) {
    const gains = (kind) => [this.part(theta, layer, `${kind}_gain`), this.part(theta, layer, `${kind}_shift`)];
    if (this.batchnorm === place) {
      const { begin, width } = this.moments[layer], [gain, shift] = gains("bn");
      now.forEach((row, j) => {
        const scale = gain[j] / Math.sqrt(running[begin + width + j] + EPS), mean = running[begin + j];
        for (let k = 0; k < row.length; k++) row[k] = (row[k] - mean) * scale + shift[j];
      });
    }
    if (this.layernorm === place) {
      const [gain, shift] = gains("ln"), width = now.length;
      for (let k = 0; k < now[0].length; k++) {
        let mean = 0, variance = 0;
        for (const row of now) mean += row[k] / width;
        for (const row of now) variance += (row[k] - mean) ** 2 / width;
        const root = Math.sqrt(variance + EPS);
        now.forEach((row, j) => { row[k] = (row[k] - mean) / root * gain[j] + shift[j]; });
      }
    }
  }
}

// row += Σ weight[i, j] · rows[i]; four at a time, because reading and writing the sum takes longer than reckoning it
function weighted(row, rows, weight, j, columns) {
  let i = 0;
  for (; i + 3 < rows.length; i += 4) {
    const [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]], at = i * columns + j;
    const p = weight[at], q = weight[at + columns], r = weight[at + 2 * columns], s = weight[at + 3 * columns];
    for (let k = 0; k < row.length; k++) row[k] += p * a[k] + q * b[k] + r * c[k] + s * d[k];
  }
  for (; i < rows.length; i++) add(row, rows[i], weight[i * columns + j]);
}

// row += factor · values
function add(row, values, factor) { for (let k = 0; k < row.length; k++) row[k] += factor * values[k]; }

// The class that outputs speak for, of every point: losses.Loss.decide.
export function decide(outputs) {
  const [first] = outputs;
  if (outputs.length === 1) return Uint8Array.from(first, (v) => (v > 0 ? 1 : 0));
  return Uint8Array.from(first, (_, k) => outputs.reduce((best, row, c) => (row[k] > outputs[best][k] ? c : best), 0));
}

// How certain outputs are. Two classes: from −1, surely the first, to 1; more: what the best has before the second, from 0 to 1.
export function certainty(outputs) {
  if (outputs.length === 1) return outputs[0].map((v) => Math.min(Math.max(v, -1), 1));
  if (outputs.length === 2) return difference(outputs).map((v) => Math.tanh(v / 2)); // the difference of the two shares of softmax
  return outputs[0].map((_, k) => {
    let best = -Infinity, second = -Infinity, sum = 0;
    for (const row of outputs) { if (row[k] > best) { second = best; best = row[k]; } else if (row[k] > second) second = row[k]; }
    for (const row of outputs) sum += Math.exp(row[k] - best);
    return (1 - Math.exp(second - best)) / sum;
  });
}

// The function whose sign tells two classes apart.
export function difference(outputs) {
  if (outputs.length === 1) return outputs[0];
  const out = outputs[1].slice();
  add(out, outputs[0], -1);
  return out;
}

// Two axes through a layer's rows for some points, on which these differ most, turned so that they lie as they do in the plane (xs, ys).
export function principal(layer, xs, ys) {
  const n = xs.length, d = layer.length, mean = layer.map((row) => row.reduce((a, b) => a + b, 0) / n);
  const covariance = layer.map((a, i) => layer.map((b, j) => { let sum = 0; for (let k = 0; k < n; k++) sum += (a[k] - mean[i]) * (b[k] - mean[j]); return sum / n; }));
  let axes = [0, 1].map((first) => Float64Array.from({ length: d }, (_, i) => Math.cos((first + 1) * (i + 0.5) * Math.PI / d) + (i % 2 === first ? 0.5 : 0)));
  for (let turn = 0; turn < 60; turn++) {
    axes = axes.map((axis) => covariance.map((row) => row.reduce((sum, v, i) => sum + v * axis[i], 0)));
    unit(axes[0]);
    const along = axes[1].reduce((sum, v, i) => sum + v * axes[0][i], 0);
    axes[1] = axes[1].map((v, i) => v - along * axes[0][i]);
    unit(axes[1]);
  }
  // the turn (or mirror) of the two that brings the points nearest to where they were: orthogonal Procrustes
  const [u, v] = axes.map((axis) => project(layer, mean, axis)), dot = (a, b) => a.reduce((sum, c, k) => sum + c * b[k], 0);
  const centred = (a) => { const middle = dot(a, a.map(() => 1)) / n; return Float64Array.from(a, (c) => c - middle); }, X = centred(xs), Y = centred(ys);
  const a = dot(u, X), b = dot(u, Y), c = dot(v, X), e = dot(v, Y), mirror = a * e - b * c < 0 ? -1 : 1;
  const angle = Math.atan2(b - mirror * c, a + mirror * e), cos = Math.cos(angle), sin = Math.sin(angle);
  return { mean, axes: [axes[0].map((p, i) => cos * p - mirror * sin * axes[1][i]), axes[0].map((p, i) => sin * p + mirror * cos * axes[1][i])] };
}

function unit(axis) {
  const length = Math.hypot(...axis) || 1;
  for (let i = 0; i < axis.length; i++) axis[i] /= length;
}

// A layer's rows along an axis.
export function project(layer, mean, axis) {
  const out = new Float64Array(layer[0].length);
  layer.forEach((row, i) => { for (let k = 0; k < out.length; k++) out[k] += (row[k] - mean[i]) * axis[i]; });
  return out;
}
