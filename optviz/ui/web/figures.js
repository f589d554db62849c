// Plots side by side: lines, bands, marks, coloured cells, a surface; a click tells where it was.
import { DASHES, fit, paintHeat, rgb } from "./plane.js";
import { compiled, digits, power, themeOf } from "./scene.js";

const LEFT = 50, RIGHT = 12, TOP = 10, BOTTOM = 34, BARE = 2;
const FAR = 1e5; // px: no line needs to be drawn farther out
const kept = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let plots = kept.get(parentElement);
  if (!plots) kept.set(parentElement, plots = new Plots(parentElement.appendChild(document.createElement("div"))));
  plots.show(data, (at) => setTriggerValue("picked", at));
  return () => { plots.destroy(); kept.delete(parentElement); };
}

class Plots {
  constructor(box) {
    this.box = box;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(box);
    this.watch = setInterval(() => { if (this.data && themeOf(box) !== this.worn) this.draw(); }, 400); // a theme flips without an event
  }
  destroy() { this.sizes.disconnect(); clearInterval(this.watch); this.box.remove(); }

  show(data, pick) {
    this.data = data;
    const { box } = this;
    while (box.children.length > data.plots.length) box.lastChild.remove();
    while (box.children.length < data.plots.length) {
      const figure = document.createElement("figure");
      figure.append(...["figcaption", "canvas", "output"].map((name) => document.createElement(name)));
      box.append(figure);
    }
    data.plots.forEach((plot, i) => {
      const figure = box.children[i], [caption, canvas, output] = figure.children;
      caption.textContent = plot.title ?? ""; caption.hidden = !plot.title;
      canvas.style.height = `${plot.height}px`;
      canvas.role = "img"; canvas.ariaLabel = data.words;
      figure.classList.toggle("pick", !!plot.pick);
      output.hidden = true;
      canvas.onpointermove = (e) => this.hover(plot, canvas, output, e);
      canvas.onpointerleave = () => { output.hidden = true; };
      canvas.onclick = (e) => { const at = plot.pick && place(plot, canvas, e); if (at) pick(at); };
    });
    this.draw();
  }

  draw() {
    const { box, data } = this;
    if (!data || !box.clientWidth) return;
    this.worn = themeOf(box);
    const theme = data.themes[this.worn];
    for (const [name, value] of Object.entries(theme)) box.style.setProperty(`--${name}`, value);
    data.plots.forEach((plot, i) => paint(plot, box.children[i].children[1], theme));
  }

  hover(plot, canvas, output, e) {
    const at = place(plot, canvas, e);
    output.hidden = !at || plot.bare;
    if (output.hidden) return;
    output.textContent = told(plot, at);
    const { left, top, width } = canvas.getBoundingClientRect(), x = e.clientX - left, y = e.clientY - top + canvas.offsetTop;
    output.style.left = `${Math.max(Math.min(x + 14, width - output.offsetWidth - 4), 0)}px`;
    output.style.top = `${y > 60 ? y - output.offsetHeight - 10 : y + 16}px`;
  }
}

const room = ({ bare }) => (bare ? [BARE, BARE, BARE, BARE] : [LEFT, RIGHT, TOP, BOTTOM]);
const way = ({ log }, v) => (log ? Math.log10(v) : v);
const share = (axis, v) => (way(axis, axis.log ? Math.max(v, 1e-308) : v) - way(axis, axis.low)) / (way(axis, axis.high) - way(axis, axis.low));
const value = (axis, s) => { const v = way(axis, axis.low) + s * (way(axis, axis.high) - way(axis, axis.low)); return axis.log ? 10 ** v : v; };

// Where in the plot a pointer is; nothing outside of the axes.
function place(plot, canvas, e) {
  const { left, top, width, height } = canvas.getBoundingClientRect(), [l, r, t, b] = room(plot);
  const s = (e.clientX - left - l) / (width - l - r), u = 1 - (e.clientY - top - t) / (height - t - b);
  return s < 0 || s > 1 || u < 0 || u > 1 ? null : [value(plot.x, s), value(plot.y, u)];
}

// The numbers at a place, in words.
function told({ x, y, cells, lines = [] }, [a, b]) {
  if (cells) {
    const i = Math.min(Math.floor(share(y, b) * cells.rows), cells.rows - 1), j = Math.min(Math.floor(share(x, a) * cells.columns), cells.columns - 1);
    const v = cells.values[i * cells.columns + j], words = v === null ? cells.late : v < 0 ? cells.grown : cells.said.replace("{n}", v);
    return `${x.sign} = ${digits(cells.across[j])}, ${y.sign} = ${digits(cells.up[i])}\n${words}`;
  }
  const near = lines.filter((l) => l.name && l.x.length > 1).map((l) => {
    let k = l.x.findIndex((v) => v >= a);
    if (k < 0) k = l.x.length - 1;
    return `${l.name}: ${l.y[k] === null ? "–" : digits(l.y[k])}`;
  });
  return [`${x.sign} = ${digits(a)}`, ...near].join("\n");
}

function paint(plot, canvas, theme) {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = Math.min(devicePixelRatio || 1, 2), [l, r, t, b] = room(plot);
  if (!width || !height) return;
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  const g = canvas.getContext("2d"), { x, y } = plot, w = width - l - r, h = height - t - b;
  const bounded = (v) => Math.min(Math.max(v, -FAR), FAR), view = plot.surface && fit(plot.surface.box, w, h);
  const px = (v) => bounded(l + w * (view ? (v - view[0]) / (view[1] - view[0]) : share(x, v)));
  const py = (v) => bounded(t + h * (view ? (view[3] - v) / (view[3] - view[2]) : 1 - share(y, v)));
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.lineJoin = "round"; g.textBaseline = "middle";
  g.save();
  g.beginPath(); g.rect(l, t, w, h); g.clip();
  if (plot.surface) {
    const ground = document.createElement("canvas");
    paintHeat(ground, compiled(plot.surface.surface), plot.surface, view, theme, Math.round(w * ratio), Math.round(h * ratio), ratio * 0.8);
    g.drawImage(ground, l, t, w, h);
  }
  if (plot.cells) cells(g, plot.cells, theme, l, t, w, h);
  for (const { x: at, low, high, colour } of plot.bands ?? []) {
    g.fillStyle = colour; g.globalAlpha = 0.18;
    g.beginPath();
    at.forEach((v, k) => (k ? g.lineTo(px(v), py(high[k])) : g.moveTo(px(v), py(high[k]))));
    for (let k = at.length - 1; k >= 0; k--) g.lineTo(px(at[k]), py(low[k]));
    g.fill();
  }
  g.globalAlpha = 1;
  for (const { x: xs, y: ys, colour, dash } of plot.lines ?? []) {
    g.strokeStyle = theme[colour] ?? colour; g.lineWidth = 2; g.setLineDash(DASHES[dash].map((d) => d * 0.8));
    g.beginPath();
    let pen = false;
    xs.forEach((v, k) => {
      if (v === null || ys[k] === null) { pen = false; return; }
      pen ? g.lineTo(px(v), py(ys[k])) : g.moveTo(px(v), py(ys[k]));
      pen = true;
    });
    g.stroke();
  }
  g.setLineDash([]);
  for (const { x: a, y: c, colour } of plot.dots ?? []) {
    g.fillStyle = colour; g.strokeStyle = theme.page; g.lineWidth = 1.5;
    g.beginPath(); g.arc(px(a), py(c), 5, 0, 7); g.fill(); g.stroke();
  }
  g.restore();
  if (!plot.bare) frame(g, plot, theme, px, py, l, t, w, h);
  g.font = "12px optviz, system-ui, sans-serif"; g.textAlign = "left";
  let row = 0;
  for (const { x: at, text, colour, dash } of plot.marks ?? []) {
    if (at < x.low || at > x.high) continue;
    const where = px(at), wide = g.measureText(text).width, left = where + 5 + wide > width ? where - 5 - wide : where + 5;
    g.strokeStyle = theme[colour] ?? colour; g.lineWidth = 1.75; g.setLineDash(dash ? [4, 4] : []);
    g.beginPath(); g.moveTo(where, t); g.lineTo(where, t + h); g.stroke(); g.setLineDash([]);
    label(g, text, left, t + 9 + 16 * row++, theme, theme.ink);
  }
}

function label(g, text, x, y, theme, colour) {
  g.lineWidth = 4; g.strokeStyle = theme.page; g.strokeText(text, x, y);
  g.fillStyle = colour; g.fillText(text, x, y);
}

// Cells by how many steps they take: dark is quick; what does not arrive in time is bare, what grows is orange.
function cells(g, { values, columns, rows, most }, theme, l, t, w, h) {
  const image = new ImageData(columns, rows), quick = rgb(theme.plus), slow = rgb(theme.valley), late = rgb(theme.peak), grown = rgb(theme.minus), page = rgb(theme.page);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const v = values[i * columns + j], o = 4 * ((rows - 1 - i) * columns + j), s = v > 0 ? Math.min(Math.log(v) / Math.log(most), 1) : 0;
      const ink = v === null ? late : v < 0 ? grown.map((c, n) => 0.45 * c + 0.55 * page[n]) : quick.map((c, n) => c + (slow[n] - c) * s);
      image.data.set([...ink.map(Math.round), 255], o);
    }
  }
  const small = document.createElement("canvas");
  small.width = columns; small.height = rows;
  small.getContext("2d").putImageData(image, 0, 0);
  g.imageSmoothingEnabled = false;
  g.drawImage(small, l, t, w, h);
}

function frame(g, { x, y }, theme, px, py, l, t, w, h) {
  g.strokeStyle = theme.line; g.fillStyle = theme.faint; g.lineWidth = 1; g.font = "11px optviz, system-ui, sans-serif";
  g.strokeRect(l, t, w, h);
  g.textAlign = "center";
  for (const [v, text] of marks(x, w / 46)) if (px(v) > l - 1 && px(v) < l + w + 1) g.fillText(text, px(v), t + h + 10);
  g.fillText(x.name, l + w / 2, t + h + 25);
  g.textAlign = "right";
  for (const [v, text] of marks(y, h / 24)) g.fillText(text, l - 5, py(v));
  g.textAlign = "left"; g.font = "12px optviz, system-ui, sans-serif";
  label(g, y.name, l + 6, t + h - 10, theme, theme.faint);
}

function marks({ low, high, log }, most) {
  const out = [];
  if (log) {
    const a = Math.ceil(Math.log10(low) - 1e-9), b = Math.floor(Math.log10(high) + 1e-9), every = Math.max(Math.ceil((b - a) / most), 1);
    for (let p = b; p >= a; p -= every) out.push([10 ** p, p >= 0 && p <= 3 ? String(10 ** p) : power(p)]);
    return out;
  }
  const rough = (high - low) / Math.max(most, 1), ten = 10 ** Math.floor(Math.log10(rough)), size = ten * [1, 2, 5, 10].find((m) => m * ten >= rough);
  for (let k = Math.ceil(low / size - 1e-9); k * size <= high * (1 + 1e-9) && out.length < 40; k++) out.push([k * size, digits(k * size)]);
  return out;
}
