// One chart of a sheet: marks over two scales at a moment, drawn on a canvas; what lies under a pointer.
import { DASHES, marker, paintHeat, rgb } from "./plane.js";
import { between, compiled, digits, power } from "./scene.js";

const TOP = 26, BOTTOM = 38, RIGHT = 12, GAP = 1e38; // a number as large is none
const CLOSE = { top: 22, bottom: 32 }; // of the same, where others are to have room, too
const BAR = 10; // px wide is the scale of colours
const MOST = 3, SHORT = 4; // rows of words under a scale, and letters of which none is left out
const NEAR = 22; // px within which a mark is meant
const HEAD = 7; // px of an arrow's head
const BESIDE = 5, APART = 6; // px from a line to its word, and between words
const WIDE = 0.9; // of a place, where ridges are the widest
const FEW = 2.5, FINER = [[1, 2, 5], [1, 3], [1]]; // decades that have marks inside them, as many as there is room for
const ABSENT = -2; // a cell of a map of kinds that nobody knows yet
const FULL = 1, FAINT = 0.4, HINT = 0.16; // of a colour: where a map of kinds has its least number, its largest, and none
const TICK = 64, ROW = 26, ROWS = 14; // px that a tick's words want

// The numbers of an array at a moment: those that move have a first axis of moments.
export function at([values, shape], dimensions, k) {
  if (shape.length <= dimensions) return values;
  const size = values.length / shape[0], moment = Math.min(k, shape[0] - 1);
  return values.subarray(moment * size, (moment + 1) * size);
}
const isNumber = (word) => /^[−-]?[\d.,]+$/.test(word);
const own = (values, i) => (values.length === 1 ? values[0] : values[i]);
const there = (...values) => values.every((v) => Number.isFinite(v) && Math.abs(v) < GAP);

export class Plot {
  constructor(canvas) { this.canvas = canvas; }

  // `size`: how much larger than on a page its words are.
  resize(width, height, ratio, size) {
    Object.assign(this, { width, height, ratio, size, bold: Math.max(1, size * 0.85) });
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
  }

  // Where the scales lie in the canvas; an even chart has one unit for both.
  lay(g) {
    const { chart, size } = this, { top: over, bottom: under } = size > 1 ? CLOSE : { top: TOP, bottom: BOTTOM };
    this.font = (weight = 400) => `${weight} ${12 * size}px optviz, system-ui, sans-serif`;
    g.font = this.font();
    this.x = { ...chart.x }; this.y = { ...chart.y };
    if (chart.bare) {
      this.room = { left: 0, right: this.width, top: 0, bottom: this.height };
      if (chart.even) this.level();
      return null;
    }
    const up = ticks(chart.y, Math.max(2, Math.floor((this.height - (over + under) * size) / (ROW * size))));
    const left = Math.max(34, ...up.map(([, word]) => g.measureText(word).width + 12));
    this.bar = this.coloured(g);
    const right = this.width - (this.bar ? this.bar.wide : RIGHT * size), { words } = chart.x, wide = (right - left) / Math.max(words.length, 1) - 4;
    const widest = Math.max(...words.map((word) => g.measureText(word).width)), every = words.every(isNumber) ? Math.max(1, Math.ceil(widest / wide)) : 1;
    this.below = words.map((word, i) => (i % every ? [] : every > 1 ? [word] : wrapped(g, word, wide)));
    this.deep = Math.max(1, ...this.below.map((rows) => rows.length));
    this.room = { left, right, top: over * size, bottom: this.height - (under + ROWS * (this.deep - 1)) * size };
    const tight = chart.y.words.every(isNumber) ? Math.ceil(13 * size * up.length / (this.room.bottom - this.room.top)) : 1;
    if (chart.even) this.level();
    const along = ticks(this.x, Math.max(2, Math.floor((this.room.right - left) / (TICK * size))));
    return { up: chart.even ? ticks(this.y, Math.max(2, Math.floor((this.room.bottom - this.room.top) / (ROW * size)))) : up.filter((_, i) => !chart.y.words.length || i % tight === 0), along };
  }
  // One unit both ways: a map of kinds has no more room than it fills, others see more of their plane.
  level() {
    const { left, right, top, bottom } = this.room, unit = Math.max((this.x.high - this.x.low) / (right - left), (this.y.high - this.y.low) / (bottom - top));
    if (this.chart.marks.some(({ kind }) => kind === "regions")) {
      Object.assign(this.room, { right: left + (this.x.high - this.x.low) / unit, bottom: top + (this.y.high - this.y.low) / unit });
      return;
    }
    for (const [scale, length] of [[this.x, right - left], [this.y, bottom - top]]) {
      const middle = (scale.low + scale.high) / 2;
      scale.low = middle - unit * length / 2; scale.high = middle + unit * length / 2;
    }
  }

  // The numbers beside the scale of colours of a map, and how wide both are; nothing where there is no map of numbers.
  coloured(g) {
    const mark = this.chart.marks.find(({ kind, colour }) => kind === "heat" && !colour);
    if (!mark) return null;
    const [low, high] = mark.beyond, words = [low, "", high].map((sign, i) => sign + digits(value({ low: mark.least, high: mark.most, log: mark.log }, i / 2)));
    return { mark, words, wide: (BAR + 16) * this.size + Math.max(...words.map((word) => g.measureText(word).width)) };
  }

  px(v) { return this.room.left + share(this.x, v) * (this.room.right - this.room.left); }
  py(v) { return this.room.bottom - share(this.y, v) * (this.room.bottom - this.room.top); }

  draw(chart, moment, theme, hovered) {
    if (!this.width) return;
    Object.assign(this, { chart, moment, theme });
    const g = this.canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    const marks = this.lay(g), { left, right, top, bottom } = this.room;
    if (marks) this.grid(g, marks);
    g.save(); g.beginPath(); g.rect(left, top - 1, right - left, bottom - top + 2); g.clip();
    this.spots = []; this.beside = this.words(g);
    for (const kind of ["ground", "heat", "regions", "ridges", "bars", "line", "rule", "arrows", "dots"]) chart.marks.forEach((mark, m) => mark.kind === kind && this[kind](g, mark, m));
    g.restore();
    if (marks) this.names(g, marks);
    if (hovered) this.ring(g, hovered);
  }

  colour(name) { return this.theme[name] ?? name; }

  // --- the scales ------------------------------------------------------------------------------------------------------------------

  grid(g, { up, along }) {
    const { left, right, top, bottom } = this.room;
    g.strokeStyle = this.theme.line; g.lineWidth = 1; g.globalAlpha = 0.6; g.beginPath();
    for (const [v] of up) { const y = Math.round(this.py(v)) + 0.5; g.moveTo(left, y); g.lineTo(right, y); }
    for (const [v] of this.x.words.length ? [] : along) { const x = Math.round(this.px(v)) + 0.5; g.moveTo(x, top); g.lineTo(x, bottom); }
    g.stroke(); g.globalAlpha = 1;
    g.beginPath(); g.moveTo(left, top); g.lineTo(left, bottom); g.lineTo(right, bottom); g.stroke();
  }

  names(g, { up, along }) {
    const { left, right, top, bottom } = this.room, { size } = this, under = size > 1 ? 28 : 32;
    g.fillStyle = this.theme.faint; g.font = this.font(); g.textBaseline = "middle"; g.textAlign = "right";
    for (const [v, word] of up) g.fillText(word, left - 6, this.py(v));
    g.textBaseline = "alphabetic"; g.textAlign = "center";
    along.forEach(([v, word], i) => (this.below[i] ?? [word]).forEach((row, j) => {
      const half = g.measureText(row).width / 2;
      g.fillText(row, Math.min(Math.max(this.px(v), half), this.width - half), bottom + (15 + ROWS * j) * size);
    }));
    const half = Math.min(g.measureText(this.chart.x.name).width, this.width) / 2;
    g.fillText(this.chart.x.name, Math.min((left + right) / 2, this.width - half), bottom + (under + ROWS * (this.deep - 1)) * size, this.width);
    g.textAlign = "left"; g.fillText(cut(g, this.chart.y.name, this.width), 2, top - (size > 1 ? 9 : 12) * size);
    if (this.bar) this.scale(g);
  }

  // Which colour stands for how much.
  scale(g) {
    const { right, top, bottom } = this.room, { size, bar: { mark, words } } = this, left = right + 8 * size, wide = BAR * size, high = bottom - top;
    g.globalAlpha = mark.alpha;
    for (let y = 0; y < high; y++) { g.fillStyle = this.shade(mark, 1 - (y + 0.5) / high); g.fillRect(left, top + y, wide, Math.min(1, high - y)); }
    g.globalAlpha = 1; g.strokeStyle = this.theme.line; g.lineWidth = 1; g.strokeRect(left, top, wide, high);
    g.fillStyle = this.theme.faint; g.textBaseline = "middle";
    words.forEach((word, i) => (i !== 1 || high > 70 * size) && g.fillText(word, left + wide + 4 * size, bottom - i / 2 * high + (1 - i) * -6 * size));
    g.textBaseline = "alphabetic";
    const start = this.width - g.measureText(mark.name).width;
    if (start > g.measureText(this.chart.y.name).width + 16) g.fillText(mark.name, start, top - (size > 1 ? 9 : 12) * size);
  }

  // --- the marks -------------------------------------------------------------------------------------------------------------------

  line(g, mark, m) {
    const [x, y] = [mark.x, mark.y].map((a) => at(a, 1, this.moment));
    g.strokeStyle = g.fillStyle = this.colour(mark.colour); g.lineWidth = mark.width * this.bold; g.lineJoin = "round";
    if (mark.low && mark.high) {
      const [low, high] = [mark.low, mark.high].map((a) => at(a, 1, this.moment)), some = [...x.keys()].filter((i) => there(x[i], low[i], high[i]));
      g.globalAlpha = 0.18 * mark.alpha; g.beginPath();
      for (const i of some) g.lineTo(this.px(x[i]), this.py(high[i]));
      for (const i of some.toReversed()) g.lineTo(this.px(x[i]), this.py(low[i]));
      g.fill();
    }
    g.globalAlpha = mark.alpha; g.setLineDash(DASHES[mark.dash].map((d) => d * 0.7)); g.beginPath();
    let drawn = false;
    for (let i = 0, n = mark.grown ? at(mark.grown, 0, this.moment)[0] : x.length; i < n; i++) {
      drawn = there(x[i], y[i]) ? (g[drawn ? "lineTo" : "moveTo"](this.px(x[i]), this.py(y[i])), true) : false;
      if (drawn) this.spots.push([this.px(x[i]), this.py(y[i]), m, i, x[i], y[i]]);
    }
    g.stroke(); g.setLineDash([]); g.globalAlpha = 1;
  }

  dots(g, mark, m) {
    const [x, y] = [mark.x, mark.y].map((a) => at(a, 1, this.moment)), r = mark.size * this.bold;
    g.globalAlpha = mark.alpha; g.fillStyle = this.colour(mark.colour); g.strokeStyle = mark.hollow ? g.fillStyle : this.theme.page; g.lineWidth = mark.hollow ? 2 : 1;
    for (let i = 0; i < x.length; i++) {
      if (!there(x[i], y[i])) continue;
      marker(g, mark.shape, this.px(x[i]), this.py(y[i]), r);
      if (!mark.hollow) g.fill();
      g.stroke();
      this.spots.push([this.px(x[i]), this.py(y[i]), m, i, x[i], y[i]]);
    }
    g.globalAlpha = 1;
  }

  bars(g, mark, m) {
    const [left, right, height] = [mark.left, mark.right, mark.height].map((a) => at(a, 1, this.moment)), base = at(mark.base, 1, this.moment);
    g.globalAlpha = mark.alpha; g.fillStyle = this.colour(mark.colour);
    for (let i = 0; i < height.length; i++) {
      if (!there(left[i], right[i], height[i])) continue;
      const floor = Math.max(own(base, i), this.y.log ? this.y.low : -Infinity), [a, b] = [this.px(left[i]), this.px(right[i])], [low, high] = [this.py(floor), this.py(height[i])];
      g.fillRect(a, Math.min(low, high), Math.max(b - a - (b - a > 6 ? 1 : 0), 0.5), Math.abs(high - low));
      this.spots.push([(a + b) / 2, high, m, i, [left[i], right[i]], height[i], [a, b, Math.min(low, high), Math.max(low, high)]]);
    }
    g.globalAlpha = 1;
  }

  // Bands and isolines of a surface that is known by its formula or on a lattice; painted once.
  ground(g, mark) {
    const { left, right, top, bottom } = this.room, size = [right - left, bottom - top].map((v) => Math.round(v * this.ratio));
    const view = [this.x.low, this.x.high, this.y.low, this.y.high], key = [size, view, this.theme.page].join();
    if (mark.key !== key) {
      const canvas = document.createElement("canvas"), surface = mark.heat ? compiled(mark.heat.surface) : { height: between(...[mark.x, mark.y, mark.z].map(([values]) => values)) };
      paintHeat(canvas, surface, mark.heat ?? { low: 0, span: mark.bands, scale: 0, bands: mark.bands }, view, this.theme, ...size, 0.8 * this.ratio);
      Object.assign(mark, { key, canvas });
    }
    g.drawImage(mark.canvas, left, top, right - left, bottom - top);
  }

  // Rows of cells from below; a signed value is orange below 0 and blue above.
  heat(g, mark, m) {
    const [x, y] = [mark.x, mark.y].map(([values]) => values), z = at(mark.z, 2, this.moment), columns = x.length - 1;
    const way = (v) => (mark.log ? Math.log10(v) : v);
    const [low, high] = [way(mark.least), way(mark.most)];
    g.globalAlpha = mark.alpha;
    for (let i = 0; i < z.length; i++) {
      if (!there(z[i]) || (mark.log && z[i] <= 0)) continue;
      const column = i % columns, row = (i - column) / columns, part = Math.min(Math.max((way(z[i]) - low) / (high - low || 1), 0), 1);
      g.fillStyle = mark.colour ? this.colour(mark.colour) : this.shade(mark, part);
      const whole = (v) => Math.round(v * this.ratio) / this.ratio; // else the edges between cells are seen
      const [a, b] = [this.px(x[column]), this.px(x[column + 1])].map(whole), [c, d] = [this.py(y[row + 1]), this.py(y[row])].map(whole);
      g.fillRect(a, c, b - a, d - c);
      this.spots.push([(a + b) / 2, (c + d) / 2, m, i, [x[column], x[column + 1]], [y[row], y[row + 1]], [a, b, c, d], mark.colour ? undefined : z[i]]);
    }
    g.globalAlpha = 1;
  }

  // Even cells of several kinds, painted anew only when another moment reaches others.
  regions(g, mark) {
    const [rows, columns] = mark.which[1], until = at(mark.until, 0, this.moment)[0], key = [until, this.theme.page].join();
    if (mark.key !== key) {
      const canvas = mark.canvas ?? Object.assign(document.createElement("canvas"), { width: columns, height: rows });
      const image = new ImageData(columns, rows), kind = mark.which[0], z = mark.z[0], page = rgb(this.theme.page);
      const colours = [...mark.colours, this.theme.faint].map((colour) => rgb(this.colour(colour))), least = Math.log1p(mark.least), span = Math.log1p(mark.most) - least || 1;
      for (let i = 0; i < kind.length; i++) {
        const row = (i / columns) | 0, to = 4 * ((rows - 1 - row) * columns + i - row * columns), colour = colours[kind[i] < 0 ? colours.length - 1 : kind[i]];
        const cover = there(z[i]) && z[i] <= until ? FULL - (FULL - FAINT) * Math.min(Math.max((Math.log1p(z[i]) - least) / span, 0), 1) : HINT;
        for (let c = 0; c < 3; c++) image.data[to + c] = page[c] + (colour[c] - page[c]) * cover;
        image.data[to + 3] = kind[i] === ABSENT ? 0 : 255;
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
      Object.assign(mark, { key, canvas });
    }
    const half = ([a, b], n) => (b - a) / Math.max(n - 1, 1) / 2, [[x0, x1], [y0, y1]] = [mark.x[0], mark.y[0]], [dx, dy] = [half(mark.x[0], columns), half(mark.y[0], rows)];
    const [a, b, c, d] = [this.px(x0 - dx), this.px(x1 + dx), this.py(y1 + dy), this.py(y0 - dy)];
    g.imageSmoothingEnabled = b - a < columns * this.ratio; g.drawImage(mark.canvas, a, c, b - a, d - c);
  }

  // The cell of a map of kinds that a place lies in.
  region(x, y) {
    const m = this.chart?.marks.findIndex(({ kind }) => kind === "regions") ?? -1;
    if (m < 0 || !this.inside(x, y)) return null;
    const mark = this.chart.marks[m], [rows, columns] = mark.which[1], [u, v] = this.place(x, y);
    const [j, i] = [[u, mark.x[0], columns], [v, mark.y[0], rows]].map(([w, [a, b], n]) => Math.round((w - a) / (b - a || 1) * (n - 1)));
    if (!(i >= 0 && i < rows && j >= 0 && j < columns)) return null;
    const k = i * columns + j;
    if (mark.which[0][k] === ABSENT) return null;
    return [x, y, m, k, u, v, undefined, { kind: mark.which[0][k] < 0 && !there(mark.z[0][k]) ? null : mark.kinds.at(mark.which[0][k]), z: mark.z[0][k] }];
  }

  // The colour of a value that is part of the way from the least to the most.
  shade({ signed, pale }, part) {
    const v = signed ? 2 * part - 1 : pale + (1 - pale) * part, [none, full] = [this.theme.page, v < 0 ? this.theme.minus : this.theme.plus].map(rgb);
    return `rgb(${none.map((c, k) => Math.round(c + (full[k] - c) * Math.abs(v))).join(" ")})`;
  }

  // A histogram on its side over each place.
  ridges(g, mark, m) {
    const [x, edges] = [mark.x[0], mark.edges[0]], counts = at(mark.counts, 2, this.moment), bins = edges.length - 1;
    g.globalAlpha = mark.alpha; g.fillStyle = this.colour(mark.colour);
    for (let i = 0; i < x.length; i++) {
      const own = counts.subarray(i * bins, (i + 1) * bins), most = Math.max(...own), whole = own.reduce((sum, n) => sum + n, 0);
      if (!(most > 0)) continue;
      const left = this.px(x[i] - WIDE / 2), wide = this.px(x[i] + WIDE / 2) - left;
      g.beginPath(); g.moveTo(left, this.py(edges[0]));
      for (let j = 0; j < bins; j++) {
        const end = left + wide * own[j] / most, [low, high] = [this.py(edges[j]), this.py(edges[j + 1])];
        g.lineTo(end, low); g.lineTo(end, high);
        if (own[j]) this.spots.push([left + wide / 2, (low + high) / 2, m, i, x[i], [edges[j], edges[j + 1]], [left, left + wide, high, low], own[j] / whole]);
      }
      g.lineTo(left, this.py(edges[bins])); g.fill();
    }
    g.globalAlpha = 1;
  }

  arrows(g, mark, m) {
    const [x, y, dx, dy] = [mark.x, mark.y, mark.dx, mark.dy].map((a) => at(a, 1, this.moment));
    g.globalAlpha = mark.alpha; g.strokeStyle = g.fillStyle = this.colour(mark.colour); g.lineWidth = mark.width * this.bold; g.setLineDash(DASHES[mark.dash]);
    for (let i = 0; i < dx.length; i++) {
      const [x0, y0] = [own(x, i), own(y, i)];
      if (!there(x0, y0, dx[i], dy[i])) continue;
      const [a, b, c, d] = [this.px(x0), this.py(y0), this.px(x0 + dx[i]), this.py(y0 + dy[i])], turn = Math.atan2(d - b, c - a), head = Math.min(HEAD, Math.hypot(c - a, d - b));
      g.beginPath(); g.moveTo(a, b); g.lineTo(c - Math.cos(turn) * head / 2, d - Math.sin(turn) * head / 2); g.stroke();
      g.beginPath(); g.moveTo(c, d);
      for (const side of [-0.45, 0.45]) g.lineTo(c - Math.cos(turn + side) * head, d - Math.sin(turn + side) * head);
      g.fill();
      this.spots.push([c, d, m, i, dx[i], dy[i]]);
    }
    g.setLineDash([]); g.globalAlpha = 1;
  }

  rule(g, mark) {
    const { left, right, top, bottom } = this.room, upright = mark.x !== null, v = upright ? this.px(mark.x) : this.py(mark.y);
    g.strokeStyle = g.fillStyle = this.colour(mark.colour); g.lineWidth = 1.5 * this.bold; g.setLineDash([5, 4]); g.beginPath();
    if (upright) { g.moveTo(v, top); g.lineTo(v, bottom); } else { g.moveTo(left, v); g.lineTo(right, v); }
    g.stroke(); g.setLineDash([]);
    if (!mark.word) return;
    g.fillStyle = `color-mix(in srgb, ${g.fillStyle} 78%, ${this.theme.ink})`; // words are to be read, too
    g.font = this.font(600); g.textBaseline = "alphabetic"; g.strokeStyle = this.theme.page; g.lineWidth = 4; g.lineJoin = "round";
    const { row, after } = this.beside.get(mark) ?? {};
    g.textAlign = after ? "left" : "right";
    const spot = upright ? [v + (after ? BESIDE : -BESIDE), top + (12 + 16 * row) * this.size] : [right - 4, v - 5 < top + 12 * this.size ? v + 15 * this.size : v - 5];
    const word = upright ? mark.word : cut(g, mark.word, right - left - 8);
    g.strokeText(word, ...spot); g.fillText(word, ...spot);
  }

  // On which side of its line and in which row the word of each upright rule stands: on no other word, inside, across few other lines, high.
  words(g) {
    const { left, right } = this.room, taken = [], spots = new Map();
    g.font = this.font(600);
    const lines = this.chart.marks.filter((mark) => mark.kind === "rule" && mark.x !== null).map((mark) => [this.px(mark.x), mark]).sort(([a], [b]) => a - b);
    for (const [v, mark] of lines.filter(([, { word }]) => word)) {
      const wide = g.measureText(mark.word).width;
      let best = null;
      for (let row = 0; row < lines.length; row++) {
        for (const after of [true, false]) {
          const [a, b] = after ? [v + BESIDE, v + BESIDE + wide] : [v - BESIDE - wide, v - BESIDE], over = taken.some((t) => t.row === row && a < t.b + APART && t.a < b + APART);
          const cost = 1000 * over + 100 * (a < left || b > right) + 2 * lines.filter(([other]) => other > a && other < b).length + row + 0.5 * !after;
          if (!best || cost < best.cost) best = { cost, row, after, a, b };
        }
      }
      taken.push(best); spots.set(mark, best);
    }
    return spots;
  }

  // --- what is under a pointer -------------------------------------------------------------------------------------------------------

  // The mark that is meant at a place of the canvas: the cell or bar it is in, else the nearest point, else the ground.
  find(x, y) {
    if (this.chart?.read) return this.inside(x, y) ? this.reading(x) : null;
    let best = null, least = NEAR;
    for (const spot of this.spots ?? []) {
      const area = spot[6], inside = area && x >= area[0] && x <= area[1] && y >= area[2] && y <= area[3];
      const far = inside ? 6 : area ? Infinity : Math.hypot(spot[0] - x, spot[1] - y);
      if (far < least) { least = far; best = spot; }
    }
    if (!best && (best = this.region(x, y))) return best;
    const over = !best && this.chart?.picked && this.inside(x, y) && this.chart.marks.some(({ kind }) => kind === "ground");
    return over ? [x, y, null, `${x} ${y}`, ...this.place(x, y)] : best;
  }

  inside(x, y) { const { left, right, top, bottom } = this.room ?? {}; return x >= left && x <= right && y >= top && y <= bottom; }

  // What the scales say of a place.
  place(x, y) {
    const { left, right, top, bottom } = this.room;
    return [value(this.x, (x - left) / (right - left)), value(this.y, (bottom - y) / (bottom - top))];
  }

  // Every named curve where x is: what it is called, how high it is, and where that point is seen.
  reading(x) {
    const rows = this.chart.marks.filter((mark) => mark.kind === "line" && mark.name && mark.x[0].length).map((mark) => {
      const [xs, ys] = [mark.x, mark.y].map((a) => at(a, 1, this.moment));
      let i = 0;
      for (let k = 1; k < xs.length; k++) if (Math.abs(this.px(xs[k]) - x) < Math.abs(this.px(xs[i]) - x)) i = k;
      return { name: mark.name, y: ys[i], spot: [this.px(xs[i]), this.py(ys[i])], colour: mark.colour };
    });
    return [x, 0, null, x, this.place(x, 0)[0], rows];
  }

  ring(g, [x, y, m, , , rows, area]) {
    g.strokeStyle = this.theme.ink; g.lineWidth = 2;
    if (m === null && Array.isArray(rows)) {
      const { left, right, top, bottom } = this.room;
      g.lineWidth = 1; g.beginPath(); g.moveTo(x, top); g.lineTo(x, bottom); g.stroke();
      g.save(); g.beginPath(); g.rect(left, top, right - left, bottom - top); g.clip(); g.strokeStyle = this.theme.page; g.lineWidth = 1.5;
      for (const { y, spot, colour } of rows) if (there(y)) { g.beginPath(); g.arc(...spot, 4, 0, 7); g.fillStyle = this.colour(colour); g.fill(); g.stroke(); }
      g.restore();
      return;
    }
    if (this.chart.marks[m]?.kind === "regions") return;
    g.beginPath();
    if (area) g.rect(area[0], area[2], area[1] - area[0], area[3] - area[2]); else g.arc(x, y, 6, 0, 7);
    g.stroke();
  }

  // What it says of itself.
  told([, , m, , x, y, , z]) {
    const beside = ({ name, sign }, v) => (sign ? `${sign} = ${v}` : `${name}: ${v}`);
    if (m === null && !Array.isArray(y)) return [beside(this.chart.x, digits(x)), beside(this.chart.y, digits(y))].join("\n");
    if (m === null) return [beside(this.chart.x, digits(x)), ...y.map((row) => `${row.name}: ${there(row.y) ? digits(row.y) : "–"}`)].join("\n");
    const mark = this.chart.marks[m];
    if (mark.kind === "regions") return [z.kind, beside(this.chart.x, digits(x)), beside(this.chart.y, digits(y)), there(z.z) ? `${mark.name}: ${digits(z.z)}` : mark.never].filter(Boolean).join("\n");
    const middle = (scale, [a, b]) => (scale.log ? Math.sqrt(a * b) : (a + b) / 2);
    const said = (scale, v) => (Array.isArray(v) ? scale.sign ? digits(middle(scale, v)) : scale.words.length ? scale.words[Math.round((v[0] + v[1]) / 2)] : v.map((e) => digits(e)).join(" … ") : scale.words[v] ?? digits(v));
    const rows = [[this.chart.x, x], [this.chart.y, y]].map(([scale, v]) => beside(scale, said(scale, v)));
    return [named(mark) ? mark.name : "", ...rows, z === undefined ? "" : `${mark.name}: ${digits(z)}`].filter(Boolean).join("\n");
  }
}

// Whether a mark bears its name, and not its numbers.
export const named = ({ name, kind, colour }) => name && kind !== "ridges" && kind !== "regions" && (kind !== "heat" || colour);

// Words in rows as wide as there is room; a word that is still too wide ends in ….
function wrapped(g, text, wide) {
  const rows = [];
  for (const word of text.split(" ")) {
    if (rows.length && (rows.length === MOST || g.measureText(`${rows.at(-1)} ${word}`).width <= wide)) rows[rows.length - 1] += ` ${word}`; else rows.push(word);
  }
  return rows.map((row) => (row.length > SHORT ? cut(g, row, wide) : row));
}
function cut(g, text, wide) {
  let n = text.length;
  while (n > 1 && g.measureText(text.slice(0, n) + (n < text.length ? "…" : "")).width > wide) n--;
  return n < text.length ? `${text.slice(0, n)}…` : text;
}

// How far along a scale a value lies.
function share({ low, high, log }, v) {
  const way = (a) => (log ? Math.log10(Math.max(a, 1e-300)) : a);
  return Math.min(Math.max((way(v) - way(low)) / (way(high) - way(low)), -5), 6);
}

// The value that lies so far along a scale.
const value = ({ low, high, log }, s) => (log ? low * (high / low) ** s : low + (high - low) * s);

// The marks of a scale: [value, words], so many at most.
export function ticks({ low, high, log, words }, most) {
  if (words.length) return words.map((word, i) => [i, word]);
  if (log && high / low > 4) {
    const a = Math.ceil(Math.log10(low) - 1e-9), b = Math.floor(Math.log10(high) + 1e-9), every = Math.max(1, Math.ceil((b - a + 1) / most));
    if (Math.log10(high / low) < FEW) {
      const decades = Array.from({ length: b - a + 2 }, (_, i) => 10 ** (a - 1 + i)), marks = (inside) => decades.flatMap((ten) => inside.map((m) => m * ten)).filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9));
      return (FINER.map(marks).find(({ length }) => length <= most) ?? marks(FINER.at(-1))).map((v) => [v, digits(v)]);
    }
    return Array.from({ length: Math.floor((b - a) / every) + 1 }, (_, i) => a + i * every).map((p) => [10 ** p, p >= -2 && p <= 3 ? digits(10 ** p) : power(p)]);
  }
  const rough = (high - low) / most, ten = 10 ** Math.floor(Math.log10(rough)), size = ten * [1, 2, 5, 10].find((s) => s * ten >= rough * 0.999);
  const first = Math.ceil(low / size - 1e-9), count = Math.min(Math.floor(high / size + 1e-9) - first, most + 2), places = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * size).map((v) => [v, Math.abs(v) < 1e5 && places < 5 ? v.toFixed(places).replace("-", "−") : digits(v)]);
}
