// The flat view: a surface in bands with isolines, paths with heads, and everything that lies on them.
import { digits, heightAt, warp } from "./scene.js";

const FOLLOW = 3; // how much nearer the view that follows a head is
const STRETCH = 3; // beyond this the two scales differ; below it, both are one and right angles are right
const ROOM = 1.04; // a little more than the box, so that what lies on its edge is seen whole
const FAR = 8000; // px: no line needs to be drawn farther out

export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// Equal scales that hold the whole box, or the box stretched when it is far from the shape of the picture.
export function fit([x0, x1, y0, y1], width, height) {
  const wide = (x1 - x0) / width, high = (y1 - y0) / height;
  if (Math.max(wide, high) > STRETCH * Math.min(wide, high)) {
    const dx = (ROOM - 1) / 2 * (x1 - x0), dy = (ROOM - 1) / 2 * (y1 - y0);
    return [x0 - dx, x1 + dx, y0 - dy, y1 + dy];
  }
  const scale = ROOM * Math.max(wide, high), cx = (x0 + x1) / 2, cy = (y0 + y1) / 2;
  return [cx - scale * width / 2, cx + scale * width / 2, cy - scale * height / 2, cy + scale * height / 2];
}

// Every pixel: the band's colour, and the isoline where the bands change, a line of even width whatever the slope.
export function paintHeat(canvas, surface, heat, view, theme, width, height, lineWidth) {
  canvas.width = width; canvas.height = height;
  const coarse = width * height > 1.2e6 ? 3 : 2, columns = Math.ceil(width / coarse) + 2, rows = Math.ceil(height / coarse) + 2;
  const u = new Float32Array(columns * rows), lift = warp(heat);
  for (let j = 0, i = 0; j < rows; j++) {
    const y = view[3] - (j * coarse / height) * (view[3] - view[2]);
    for (let k = 0; k < columns; k++, i++) u[i] = lift(surface.height(view[0] + (k * coarse / width) * (view[1] - view[0]), y));
  }
  const low = rgb(theme.valley), high = rgb(theme.peak), line = rgb(theme.isoline), bands = heat.bands;
  const fills = Array.from({ length: bands }, (_, k) => low.map((c, i) => c + (high[i] - c) * k / Math.max(bands - 1, 1)));
  const image = new ImageData(width, height), out = image.data, half = lineWidth / 2 + 0.5;
  for (let py = 0, o = 0; py < height; py++) {
    const v = py / coarse, j = Math.floor(v), fv = v - j;
    for (let px = 0; px < width; px++, o += 4) {
      const h = px / coarse, i = Math.floor(h), fh = h - i, at = j * columns + i;
      const a = u[at], b = u[at + 1], c = u[at + columns], d = u[at + columns + 1];
      const top = a + (b - a) * fh, bottom = c + (d - c) * fh, here = top + (bottom - top) * fv;
      const sx = ((b - a) * (1 - fv) + (d - c) * fv) / coarse, sy = (bottom - top) / coarse, slope = Math.sqrt(sx * sx + sy * sy);
      const fill = fills[here >= bands ? bands - 1 : here | 0], near = Math.round(here);
      let cover = 0;
      if (slope > 1e-9 && near > 0 && near < bands) {
        cover = half - Math.abs(here - near) / slope;
        cover = cover <= 0 ? 0 : (cover > 1 ? 1 : cover) * Math.min(1, 0.35 / slope); // where lines would merge they fade
      }
      out[o] = fill[0] + (line[0] - fill[0]) * cover;
      out[o + 1] = fill[1] + (line[1] - fill[1]) * cover;
      out[o + 2] = fill[2] + (line[2] - fill[2]) * cover;
      out[o + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export const DASHES = [[], [9, 5], [2, 5]];

// A head's marker: never colour alone.
export function marker(g, shape, x, y, r) {
  g.beginPath();
  if (shape === 1) g.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r);
  else if (shape === 2) { g.moveTo(x, y - 1.2 * r); g.lineTo(x + 1.1 * r, y + 0.8 * r); g.lineTo(x - 1.1 * r, y + 0.8 * r); g.closePath(); }
  else if (shape === 3) { g.moveTo(x, y - 1.3 * r); g.lineTo(x + 1.3 * r, y); g.lineTo(x, y + 1.3 * r); g.lineTo(x - 1.3 * r, y); g.closePath(); }
  else if (shape === 4) {
    const a = r * 0.42, b = r * 1.2;
    for (const [i, [dx, dy]] of [[-a, -b], [a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]].entries()) {
      if (i) g.lineTo(x + dx, y + dy); else g.moveTo(x + dx, y + dy);
    }
    g.closePath();
  } else g.arc(x, y, r, 0, 7);
}

// A piece of a path with its marker, 22 × 14: for the words that stand beside it.
export function swatch(canvas, path) {
  const g = canvas.getContext("2d");
  canvas.width = 44; canvas.height = 28;
  g.scale(2, 2); g.strokeStyle = g.fillStyle = path.colour; g.lineWidth = 2.5; g.setLineDash(path.dash ? (path.dash === 1 ? [5, 3] : [2, 3]) : []);
  g.beginPath(); g.moveTo(0, 7); g.lineTo(22, 7); g.stroke(); g.setLineDash([]); marker(g, path.shape, 11, 7, 4.5); g.fill();
}

// What the colours of a surface mean: its bands from low to high, with some of the isolines' heights.
export function scaleOf(canvas, heat, name, theme, font, ratio) {
  const g = canvas.getContext("2d"), width = canvas.clientWidth, height = canvas.clientHeight, { bands } = heat, size = parseFloat(font.match(/[\d.]+px/)[0]);
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  const low = rgb(theme.valley), high = rgb(theme.peak), step = (height - 3.5 * size) / bands, at = (u) => height - size - u * step;
  for (let k = 0; k < bands; k++) {
    g.fillStyle = `rgb(${low.map((c, i) => c + (high[i] - c) * k / Math.max(bands - 1, 1)).join()})`;
    g.fillRect(0, at(k + 1), 16, step + 0.5);
  }
  g.strokeStyle = theme.isoline; g.lineWidth = 1; g.strokeRect(0.5, at(bands), 15, step * bands);
  g.fillStyle = theme.ink; g.font = font; g.textBaseline = "middle"; g.textAlign = "left";
  g.fillText(name, 0, 0.75 * size);
  for (let u = 0; u <= bands; u += bands / 6) {
    g.beginPath(); g.moveTo(12, at(u)); g.lineTo(19, at(u)); g.stroke();
    g.fillText(digits(heightAt(heat, u), 2), 22, at(u));
  }
}

export class Plane {
  constructor(back, crowds, trails) {
    Object.assign(this, { back, crowds, trails, painted: "", drawn: null, spread: null });
    this.heatCanvas = document.createElement("canvas");
  }

  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio, painted: "", drawn: null, spread: null });
    for (const canvas of [this.back, this.crowds, this.trails]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  }

  // What part of the plane is seen: all of it, or near a head.
  look(scene, theme, themeName, head) {
    const whole = fit(scene.heat.box, this.width, this.height);
    this.whole = whole; this.ground = theme.valley;
    let view = whole;
    if (head) {
      const w = (whole[1] - whole[0]) / FOLLOW / 2, h = (whole[3] - whole[2]) / FOLLOW / 2;
      const x = Math.min(Math.max(head[0], whole[0] + w), whole[1] - w), y = Math.min(Math.max(head[1], whole[2] + h), whole[3] - h);
      view = [x - w, x + w, y - h, y + h];
    }
    const picture = [scene.heatKey, whole, themeName, this.width, this.height, this.ratio].join();
    const moved = !this.view || view.some((v, i) => v !== this.view[i]);
    if (picture !== this.painted) {
      paintHeat(this.heatCanvas, scene.surface, scene.heat, whole, theme, this.back.width, this.back.height, 0.8 * this.ratio);
      this.painted = picture;
    } else if (!moved) return;
    this.view = view; this.drawn = this.spread = null; this.lengths = new WeakMap();
    const g = this.back.getContext("2d", { alpha: false }), { width: W, height: H } = this.heatCanvas;
    const sx = (view[0] - whole[0]) / (whole[1] - whole[0]) * W, sy = (whole[3] - view[3]) / (whole[3] - whole[2]) * H;
    g.drawImage(this.heatCanvas, sx, sy, (view[1] - view[0]) / (whole[1] - whole[0]) * W, (view[3] - view[2]) / (whole[3] - whole[2]) * H,
      0, 0, this.back.width, this.back.height);
    if (scene.heat.lattice) { // beyond it nothing is known
      const [x0, x1, y0, y1] = scene.heat.box, [left, right, top, bottom] = [this.px(x0), this.px(x1), this.py(y1), this.py(y0)].map((v) => v * this.ratio);
      g.fillStyle = theme.page; g.beginPath(); g.rect(0, 0, this.back.width, this.back.height); g.rect(left, top, right - left, bottom - top); g.fill("evenodd");
    }
  }

  px(x) { return (x - this.view[0]) / (this.view[1] - this.view[0]) * this.width; }
  py(y) { return (this.view[3] - y) / (this.view[3] - this.view[2]) * this.height; }
  place(px, py) { return [this.view[0] + px / this.width * (this.view[1] - this.view[0]), this.view[3] - py / this.height * (this.view[3] - this.view[2])]; }

  // The paths up to the playhead; when it only went on, only what is new is drawn.
  drawPaths(paths, playhead, lineWidth) {
    const from = this.begin(this.trails, this.drawn, paths, playhead), g = this.trails.getContext("2d");
    for (const path of paths) if (!path.muted) this.path(g, path, from, playhead, lineWidth);
    this.drawn = { what: paths, playhead };
  }

  // How long a path is up to each of its points, in pixels.
  lengthOf(path) {
    if (!this.lengths.has(path)) {
      const length = new Float64Array(path.x.length);
      for (let t = 1; t < length.length; t++) {
        const step = Math.hypot(this.px(path.x[t]) - this.px(path.x[t - 1]), this.py(path.y[t]) - this.py(path.y[t - 1]));
        length[t] = length[t - 1] + (step < FAR ? step : 0);
      }
      this.lengths.set(path, length);
    }
    return this.lengths.get(path);
  }

  // Hundreds of ways, faint; their heads belong to the moment and lie above, on `top`.
  drawCrowds(crowds, playhead, top) {
    const from = this.begin(this.crowds, this.spread, crowds, playhead), g = this.crowds.getContext("2d");
    for (const crowd of crowds) if (!crowd.muted) this.crowd(g, crowd, from, playhead, top);
    this.spread = { what: crowds, playhead };
  }

  // A layer ready to go on from a step: from the beginning when it shows something else, or later.
  begin(canvas, drawn, what, playhead) {
    const g = canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (drawn && drawn.what === what && drawn.playhead <= playhead) return drawn.playhead;
    g.clearRect(0, 0, this.width, this.height);
    return 0;
  }

  path(g, path, from, to, lineWidth) {
    const last = Math.min(to, path.end === null ? path.x.length - 1 : path.end - 1), first = Math.max(Math.floor(from) - (path.dash ? 0 : 1), 0);
    if (first >= last && from > 0) return;
    g.strokeStyle = g.fillStyle = path.stale || path.dim ? `color-mix(in srgb, ${path.colour} 30%, ${this.ground})` : path.colour;
    g.lineWidth = lineWidth; g.lineJoin = "round"; g.lineCap = path.dash ? "butt" : "round";
    g.setLineDash(DASHES[path.dash].map((d) => d * lineWidth / 2.5));
    let x = this.px(path.x[first]), y = this.py(path.y[first]), dots = [];
    g.beginPath(); g.moveTo(bounded(x), bounded(y));
    if (path.dash) g.lineDashOffset = this.lengthOf(path)[first]; // a piece goes on where the last one ended
    for (let t = first + 1; t <= Math.ceil(last); t++) {
      const share = Math.min(1, last - (t - 1));
      let nx = this.px(path.x[t]), ny = this.py(path.y[t]);
      if (share < 1) { nx = x + (nx - x) * share; ny = y + (ny - y) * share; }
      const gap = Math.abs(nx - x) + Math.abs(ny - y);
      if (gap < 0.6 && t < last) continue;
      if (gap > 14 && share === 1) dots.push(nx, ny);
      if (Math.abs(x) < FAR && Math.abs(y) < FAR) { // a line to far away keeps its direction
        const s = Math.min(1, 2 * FAR / gap);
        g.lineTo(x + (nx - x) * s, y + (ny - y) * s);
      } else g.moveTo(bounded(nx), bounded(ny));
      x = nx; y = ny;
    }
    g.stroke(); g.setLineDash([]);
    for (let i = 0; i < dots.length; i += 2) { g.beginPath(); g.arc(dots[i], dots[i + 1], lineWidth * 1.05, 0, 7); g.fill(); }
  }

  crowd(g, crowd, from, to, top) {
    const { x, y, members } = crowd;
    const first = frameAt(crowd, from), last = frameAt(crowd, to);
    g.strokeStyle = crowd.colour;
    g.globalAlpha = members > 100 ? 0.12 : 0.2; g.lineWidth = 1;
    g.beginPath();
    for (let m = 0; first < last && m < members; m++) {
      let a = this.px(x[first * members + m]), b = this.py(y[first * members + m]);
      g.moveTo(bounded(a), bounded(b));
      for (let f = first + 1; f <= last; f++) {
        const c = this.px(x[f * members + m]), d = this.py(y[f * members + m]);
        if (Math.abs(c - a) + Math.abs(d - b) < 1.5 && f < last) continue;
        if (Math.abs(c) < FAR && Math.abs(d) < FAR) g.lineTo(c, d); else g.moveTo(bounded(c), bounded(d));
        a = c; b = d;
      }
    }
    g.stroke();
    g.globalAlpha = 1;
    heads(top, crowd, to, this.width, this.height, (a, b) => [this.px(a), this.py(b)]);
  }
}

// The last of a crowd's frames that is not after a step.
function frameAt(crowd, step) {
  const f = crowd.steps.findIndex((k) => k > step);
  return (f < 0 ? crowd.steps.length : f) - 1;
}

// Where everybody in a crowd is.
export function heads(g, crowd, playhead, width, height, project) {
  const first = frameAt(crowd, playhead) * crowd.members;
  g.fillStyle = crowd.colour; g.globalAlpha = 0.6;
  for (let m = first; m < first + crowd.members; m++) {
    const [a, b] = project(crowd.x[m], crowd.y[m]);
    if (a > -3 && b > -3 && a < width + 3 && b < height + 3) g.fillRect(a - 1.5, b - 1.5, 3, 3);
  }
  g.globalAlpha = 1;
}

const bounded = (v) => (v > FAR ? FAR : v < -FAR ? -FAR : v || 0);

// Where a path is at a fractional step.
export function headOf(path, playhead) {
  const last = path.end === null ? path.x.length - 1 : path.end - 1, t = Math.min(playhead, last), k = Math.min(Math.floor(t), last), s = t - k;
  return s ? [path.x[k] + (path.x[k + 1] - path.x[k]) * s, path.y[k] + (path.y[k + 1] - path.y[k]) * s] : [path.x[k], path.y[k]];
}

// The step of the nearest point of a visible path around a pixel, or null.
export function nearest(paths, project, px, py, playhead, within) {
  let best = null;
  for (const path of paths) {
    if (path.muted || path.stale) continue;
    const last = Math.min(Math.floor(playhead), path.end === null ? path.x.length - 1 : path.end - 1);
    for (let t = 0; t <= last; t++) {
      const [a, b] = project(path.x[t], path.y[t]), d = (a - px) ** 2 + (b - py) ** 2;
      if (d < within * within && (!best || d < best.d)) best = { path, t, d };
    }
  }
  return best;
}

export const coordinates = (x, y) => `(${digits(x)}, ${digits(y)})`;
