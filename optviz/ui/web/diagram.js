// The network: every neuron with its own field, weights as curves whose width is their size and whose colour their sign.
import { miniature } from "./curve.js";
import { ramp, shade } from "./field.js";
import { digits } from "./scene.js";

const LEFT = 40, RIGHT = 12, TOP = 22, BOTTOM = 10, NAMED = 56; // px; at the right there may be names of classes
const LARGEST = 46, GAP = 5; // px: a neuron's side, and the room between two
const MOST = 400; // weights that are drawn between two layers, the strongest of them
const MIDDLING = 30; // px: no larger where another layer has no room for larger ones
const FIRM = 16; // px: a smaller neuron has no dot for its bias
const CLOSE = 6; // px from a curve that count as on it
const DENSE = 100; // weights between two layers: curves of more are thinner
const NONE = 1e-3, CUT = [3, 4]; // a weight that is none is seen all the same, so that it can be found again: px of its dashes, and between them
const STEPS = 24; // points of a curve that are looked at
const FEATURES = { x: "x", y: "y", x2: "x²", y2: "y²", xy: "xy", sinx: "sin x", siny: "sin y" };

export class Diagram {
  constructor(canvas) { Object.assign(this, { canvas, sheet: document.createElement("canvas"), marked: null, picked: null }); }

  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio, net: null });
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
  }

  // Where the neurons stand: a column for each layer.
  place(net, labels, named, big) {
    if (this.net === net && this.named === named) return; // a new size forgets the net
    Object.assign(this, { net, labels, named, marked: null, crowded: net.own.some(({ weight }) => weight.size > MOST) });
    const left = LEFT * (big ? 1.5 : 1), right = named ? NAMED * (big ? 1.5 : 1) : RIGHT, { widths } = net, wide = this.width - left - right;
    const high = this.height - TOP - (this.crowded ? 2 : 1) * BOTTOM, most = Math.min(LARGEST, 0.62 * wide / widths.length, Math.max(MIDDLING, high / Math.max(...widths) - GAP));
    this.room = wide / widths.length;
    this.columns = widths.map((count, layer) => {
      const size = Math.max(Math.min(most, high / count - Math.min(GAP, 0.2 * high / count)), 1), step = Math.min(size + 5 * GAP, (high - size) / Math.max(count - 1, 1));
      const middle = left + most / 2 + layer * (wide - most) / (widths.length - 1), top = TOP + (high - size - step * (count - 1)) / 2;
      return Array.from({ length: count }, (_, j) => ({ x: middle - size / 2, y: top + j * step, size }));
    });
    this.exact = !net.matrix || Array.from(net.matrix).every((v, i) => v === (i % (widths[0] + 1) ? 0 : 1)) && net.shift.every((v) => v === 0); // what is not in the plane is not said
  }

  feature(j) { return (FEATURES[this.net.features[j]] ?? `x${j + 1}`) + (this.exact ? "" : "′"); } // a prime: prepared

  // A weight's curve, from neuron i of a layer to one of the sums of the next: its four points.
  curve(layer, i, j) {
    const { pieces } = this.net.layers[layer], a = this.columns[layer][i], b = this.columns[layer + 1][Math.floor(j / pieces)];
    const x0 = a.x + a.size, y0 = a.y + a.size / 2, x1 = b.x, y1 = b.y + b.size * ((j % pieces + 1) / (pieces + 1)), bend = (x1 - x0) * 0.45;
    return [x0, y0, x0 + bend, y0, x1 - bend, y1, x1, y1];
  }

  // The strongest weights into a layer: how strong one must be to be drawn.
  least(weight) { return weight.length <= MOST ? 0 : weight.map(Math.abs).sort()[weight.length - MOST]; }

  // `layers` are the rows of a grid, `reach` the value that is full colour in each; `here`, if any, are the values at one place.
  draw(frame, layers, grid, reach, { theme, font, chosen, here, texts, big }) {
    const g = this.canvas.getContext("2d"), { net } = this;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    this.frame = frame;
    this.weights(g, frame.theta, theme, big);
    if (layers && grid.rows > 1) this.thumbnails(layers, grid, reach, theme);
    g.textBaseline = "middle";
    this.columns.forEach((column, layer) => {
      const bias = layer ? net.part(frame.theta, layer - 1, "bias") : null;
      column.forEach(({ x, y, size }, j) => {
        const own = chosen?.[0] === layer && chosen[1] === j, marked = this.marked?.neuron && this.marked.layer === layer && this.marked.j === j;
        if (layers && grid.rows === 1) miniature(g, layers[layer][j], reach[layer], x, y, size, theme);
        else if (layers) g.drawImage(this.sheet, ...this.spots[layer][j], x, y, size, size);
        else { g.fillStyle = theme.card; g.fillRect(x, y, size, size); }
        g.strokeStyle = own || marked ? theme.accent : theme.faint; g.lineWidth = own ? 3 : marked ? 2 : size < FIRM ? 0.5 : 1;
        if (size > 8 || own || marked) g.strokeRect(x, y, size, size);
        if (bias && size >= FIRM && net.layers[layer - 1].pieces === 1) {
          const taken = [this.marked, this.picked].some((spot) => spot?.bias && spot.layer === layer && spot.j === j);
          g.fillStyle = bias[j] > 0 ? theme.plus : theme.minus; g.strokeStyle = taken ? theme.ink : theme.page; g.lineWidth = taken ? 2.5 : 1;
          g.beginPath(); g.arc(x, y + size, Math.min(1.5 + 2 * Math.sqrt(Math.abs(bias[j])), size / 5) + (taken ? 2 : 0), 0, 7); g.fill(); g.stroke();
        }
        g.font = font(12); g.fillStyle = theme.ink;
        if (layer === 0 && (size > 10 || j === 0)) { g.textAlign = "right"; g.fillText(this.feature(j), x - 6, y + size / 2); }
        if (layer === net.hidden + 1 && this.named && size > 10) { g.textAlign = "left"; g.fillText(this.labels[j], x + size + 6, y + size / 2, NAMED - 8); }
        if (here && size >= 22) this.value(g, theme, font(11, 600), digits(here[layer][j], 2), x + size / 2, y + size / 2);
      });
      if (!layer) return;
      const { x, size } = column[0], text = [net.layers[layer - 1].activation, column.length].join(" · ");
      g.font = font(11); g.fillStyle = theme.faint; g.textAlign = "center";
      g.fillText(g.measureText(text).width > this.room - 6 ? column.length : text, Math.min(x + size / 2, this.width - g.measureText(text).width / 2 - 2), 9);
    });
    if (this.crowded) { g.font = font(11); g.fillStyle = theme.faint; g.textAlign = "left"; g.fillText(texts.strongest, 2, this.height - 6); }
  }

  value(g, theme, font, text, x, y) {
    g.font = font; g.textAlign = "center"; g.lineJoin = "round";
    g.strokeStyle = theme.page; g.lineWidth = 3.5; g.strokeText(text, x, y);
    g.fillStyle = theme.ink; g.fillText(text, x, y);
  }

  // Curves of one width and colour are drawn at a time.
  weights(g, theta, theme, big) {
    const groups = new Map(), { net } = this, thinnest = big ? 2 : 1.25;
    net.layers.forEach((_, layer) => {
      const weight = net.part(theta, layer, "weight"), { columns } = net.own[layer].weight, least = this.least(weight), thin = Math.min(1, DENSE / Math.min(weight.length, MOST));
      for (let at = 0; at < weight.length; at++) {
        const w = weight[at], size = Math.abs(w);
        if (size < least) continue;
        const width = Math.max(Math.round(4 * (0.3 + Math.min(1.6 * size, 8)) * thin) / 4, 0.25) * (big ? 1.5 : 1), key = size < NONE ? 0 : w > 0 ? width : -width;
        if (!groups.has(key)) groups.set(key, new Path2D());
        const [x0, y0, ...bend] = this.curve(layer, Math.floor(at / columns), at % columns), path = groups.get(key);
        path.moveTo(x0, y0); path.bezierCurveTo(...bend);
      }
    });
    g.globalAlpha = 0.85;
    for (const [width, path] of groups) {
      g.lineWidth = Math.abs(width) || thinnest; g.strokeStyle = width > 0 ? theme.plus : width < 0 ? theme.minus : theme.line; g.setLineDash(width ? [] : CUT); g.stroke(path);
    }
    g.setLineDash([]);
    g.globalAlpha = 1;
    for (const spot of [this.marked, this.picked]) {
      if (!spot || spot.neuron || spot.bias) continue;
      const [x0, y0, ...bend] = this.curve(spot.layer, spot.i, spot.j);
      g.strokeStyle = theme.ink; g.lineWidth = 3; g.beginPath(); g.moveTo(x0, y0); g.bezierCurveTo(...bend); g.stroke();
    }
  }

  // The fields of all neurons, small, on one sheet.
  thumbnails(layers, { columns, rows }, reach, theme) {
    const side = Math.min(columns, rows), left = (columns - side) >> 1, top = (rows - side) >> 1, { sheet } = this, colours = ramp(theme);
    const cells = this.columns.map((column) => Math.max(Math.min(side, Math.ceil(column[0].size * Math.min(this.ratio, 1.5) / 1.5)), 2));
    const width = Math.max(...cells) * Math.max(...this.columns.map((c) => c.length)), height = cells.reduce((a, b) => a + b, 0);
    if (sheet.width !== width || sheet.height !== height) { sheet.width = width; sheet.height = height; }
    const image = new ImageData(width, height), out = new Uint32Array(image.data.buffer);
    let base = 0;
    this.spots = layers.map((layer, l) => {
      const n = cells[l], from = base;
      base += n;
      return layer.map((row, j) => {
        for (let b = 0; b < n; b++) {
          const at = (top + Math.round(b * (side - 1) / (n - 1))) * columns + left, o = (from + b) * width + j * n;
          for (let a = 0; a < n; a++) out[o + a] = shade(colours, (row[at + Math.round(a * (side - 1) / (n - 1))] - reach[l][1]) / reach[l][0]);
        }
        return [j * n + 0.5, from + 0.5, n - 1, n - 1];
      });
    });
    sheet.getContext("2d").putImageData(image, 0, 0);
  }

  // The mark of a neuron's bias, where it has one, and where it can be seen.
  biasAt(layer, j) {
    const bias = layer ? this.net.own[layer - 1].bias : null, { x, y, size } = this.columns[layer][j];
    return bias && size >= FIRM && this.net.layers[layer - 1].pieces === 1 ? { bias: true, layer, j, index: bias.begin + j, x, y: y + size } : null;
  }

  // All weights and biases that are seen, layer by layer.
  spotsOf({ own }) {
    return own.flatMap(({ weight: { begin, columns, size } }, layer) => [
      ...Array.from({ length: size }, (_, at) => ({ layer, i: Math.floor(at / columns), j: at % columns, index: begin + at })),
      ...this.columns[layer + 1].map((_, j) => this.biasAt(layer + 1, j)).filter(Boolean)]);
  }

  // Where a weight or a bias is.
  middle({ layer, i, j, bias, x, y }) {
    if (bias) return [x, y];
    const [x0, y0, x1, y1, x2, y2, x3, y3] = this.curve(layer, i, j);
    return [(x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8];
  }

  // What is under a pixel: a neuron, the mark of its bias, or a weight near enough.
  at(px, py, close = CLOSE) {
    if (!this.net) return null;
    for (const [layer, column] of this.columns.entries()) {
      for (const [j, { x, y, size }] of column.entries()) {
        const bias = this.biasAt(layer, j);
        if (bias && Math.hypot(bias.x - px, bias.y - py) < close + 1) return bias;
        if (px >= x - 1 && px <= x + size + 1 && py >= y - 1 && py <= y + size + 1) return { neuron: true, layer, j };
      }
    }
    const layer = this.columns.findIndex(([{ x }], l) => l && px < x) - 1;
    if (layer < 0 || px < this.columns[layer][0].x) return null;
    const weight = this.net.part(this.frame.theta, layer, "weight"), { columns, begin } = this.net.own[layer].weight, least = this.least(weight);
    let best = null, nearest = close;
    for (let at = 0; at < weight.length; at++) {
      if (Math.abs(weight[at]) < least) continue;
      const i = Math.floor(at / columns), j = at % columns, [x0, y0, x1, y1, x2, y2, x3, y3] = this.curve(layer, i, j);
      for (let s = 0; s <= STEPS; s++) {
        const t = s / STEPS, u = 1 - t, [a, b, c, d] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
        const far = Math.hypot(a * x0 + b * x1 + c * x2 + d * x3 - px, a * y0 + b * y1 + c * y2 + d * y3 - py);
        if (far < nearest) { best = { layer, i, j, index: begin + at }; nearest = far; }
      }
    }
    return best;
  }
}
