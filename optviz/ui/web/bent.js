// The plane as a layer of the network sees it: grid lines bent through the net, with the points and the boundary on them.
import { answer, classStyle, hex, ramp, shade, trace } from "./field.js";
import { principal, project } from "./net.js";
import { fit, marker } from "./plane.js";

const CELLS = [36, 108], LINES = 12; // the sheet's cells on a side, in motion and at rest; the lines are between as many
const SOME = 400; // points that decide on the axes
const NICE = [1, 1.5, 2, 3, 5, 7, 10];

// At or beyond a number, no farther than need be: limits that keep still while values change a little.
export function beyond(v) {
  if (!(Math.abs(v) > 1e-9)) return 0;
  const ten = 10 ** Math.floor(Math.log10(Math.abs(v)));
  return Math.sign(v) * ten * NICE.find((m) => m * ten >= Math.abs(v) * (1 - 1e-9));
}

export class Bent {
  constructor(canvas) { this.canvas = canvas; }

  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
  }

  // The plane's sheet and the points as the network is shown them: the same for all frames.
  prepare(net, scene, view, side) {
    if (this.sheet?.net === net && this.sheet.run === scene.run && this.sheet.revision === scene.points.revision && this.sheet.view === view && this.sheet.side === side) return;
    const n = side + 1, cells = Array.from({ length: n * n }, (_, k) => k), { x, y } = scene.points;
    const xs = cells.map((k) => view[0] + k % n / side * (view[1] - view[0])), ys = cells.map((k) => view[3] - Math.floor(k / n) / side * (view[3] - view[2]));
    const every = Math.ceil(x.length / SOME), some = Array.from(x.keys()).filter((k) => k % every === 0);
    this.sheet = { net, run: scene.run, revision: scene.points.revision, view, side, n, cells: net.inputs(xs, ys), points: net.inputs(x, y), some, places: [x, y].map((row) => some.map((k) => row[k])) };
  }

  draw(frame, layer, net, scene, view, { theme, font, hidden, texts, big, fine }) {
    if (!this.width) return;
    this.prepare(net, scene, view, CELLS[Number(fine)]);
    const { n, cells, points, some, places } = this.sheet, g = this.canvas.getContext("2d");
    const all = net.flow(cells, frame.theta, frame.running), spots = net.flow(points, frame.theta, frame.running, layer)[layer];
    let flat = (rows) => rows;
    if (spots.length !== 2) {
      const { mean, axes } = principal(spots.map((row) => some.map((k) => row[k])), ...places);
      flat = (rows) => axes.map((axis) => project(rows, mean, axis));
    }
    const [u, v] = flat(all[layer]), [a, b] = flat(spots);
    const ends = [u, v].flatMap((row) => [Math.min, Math.max].map((most) => beyond(row.reduce((x, y) => most(x, y)))));
    const [x0, x1, y0, y1] = fit([ends[0], Math.max(ends[1], ends[0] + 1e-6), ends[2], Math.max(ends[3], ends[2] + 1e-6)], this.width, this.height);
    const px = (x) => (x - x0) / (x1 - x0) * this.width, py = (y) => (y1 - y) / (y1 - y0) * this.height;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.fillStyle = theme.page; g.fillRect(0, 0, this.width, this.height);
    const shown = answer(scene, all, null, 1, false), { values, winners } = shown, palette = ramp(theme, 0.5);
    const ramps = winners && scene.labels.map((_, k) => ramp({ ...theme, plus: classStyle(scene, theme, k).colour }, 0.5));
    for (let j = 0; j + 1 < n; j++) {
      for (let i = 0; i + 1 < n; i++) {
        const k = j * n + i, corners = [k, k + 1, k + n + 1, k + n];
        g.fillStyle = hex(shade(ramps ? ramps[winners[k]] : palette, (values[k] + values[k + n + 1]) / 2));
        g.beginPath(); corners.forEach((c, m) => g[m ? "lineTo" : "moveTo"](px(u[c]), py(v[c]))); g.fill();
      }
    }
    g.strokeStyle = theme.isoline; g.lineWidth = 1; g.lineJoin = "round"; g.beginPath();
    for (let line = 0; line < n; line += (n - 1) / LINES) {
      for (const step of [(k) => line * n + k, (k) => k * n + line]) for (let k = 0; k < n; k++) g[k ? "lineTo" : "moveTo"](px(u[step(k)]), py(v[step(k)]));
    }
    g.stroke();
    const between = (row, x, y) => {
      const i = Math.min(Math.floor(x), n - 2), j = Math.min(Math.floor(y), n - 2), k = j * n + i, upper = row[k] + (row[k + 1] - row[k]) * (x - i);
      return upper + (row[k + n] + (row[k + n + 1] - row[k + n]) * (x - i) - upper) * (y - j);
    };
    g.strokeStyle = theme.ink; g.lineWidth = big ? 3 : 2; g.lineCap = "round"; g.globalAlpha = scene.kind === "values" ? 0.3 : 0.8; g.beginPath();
    trace(shown, n, n, (...ends) => [0, 2].forEach((e) => g[e ? "lineTo" : "moveTo"](px(between(u, ends[e], ends[e + 1])), py(between(v, ends[e], ends[e + 1])))));
    g.stroke(); g.globalAlpha = 1;
    const { label, train } = scene.points, full = ramp(theme, 1), { middle, half } = scene.scale, r = (a.length > 600 ? 2 : 3) * (big ? 1.5 : 1);
    g.strokeStyle = theme.page; g.lineWidth = 0.8;
    for (let k = a.length - 1; k >= 0; k--) {
      if (hidden.includes(k < train ? "train" : "val")) continue;
      const { colour, shape } = scene.kind === "values" ? { colour: hex(shade(full, (label[k] - middle) / half)), shape: 0 } : classStyle(scene, theme, label[k]);
      g.fillStyle = colour; marker(g, shape, px(a[k]), py(b[k]), r); g.fill(); g.stroke();
    }
    g.font = font(11); g.fillStyle = theme.ink; g.strokeStyle = theme.page; g.lineWidth = 3.5; g.textBaseline = "alphabetic"; g.textAlign = "left";
    const axes = spots.length === 2 ? "h₁ →, h₂ ↑" : texts.principal;
    g.strokeText(axes, 8, this.height - 8); g.fillText(axes, 8, this.height - 8);
  }
}
