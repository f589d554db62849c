// The curves under the plane: height against step, with the same playhead.
import { DASHES } from "./plane.js";
import { digits, power } from "./scene.js";

const LEFT = 54, RIGHT = 14, TOP = 8, BOTTOM = 20;

// A curve has a height for each step, or for each of its `times`.
const timeOf = (path, k) => (path.times ? path.times[k] : k);
function indexAt(path, time) {
  if (!path.times) return Math.floor(time);
  const after = path.times.findIndex((t) => t > time);
  return (after < 0 ? path.times.length : after) - 1;
}

// Round numbers between two others, at most about so many.
export function ticks(low, high, most) {
  const rough = (high - low) / most, ten = 10 ** Math.floor(Math.log10(rough)), size = ten * [1, 2, 5, 10].find((m) => m * ten >= rough);
  const first = Math.ceil(low / size), count = Math.min(Math.floor(high / size) - first, most + 1); // counted: adding may stand still
  return Array.from({ length: Math.max(count + 1, 0) }, (_, i) => (first + i) * size);
}

export class Chart {
  constructor(canvas) { this.canvas = canvas; this.kept = document.createElement("canvas"); this.painted = null; }

  resize(width, height, ratio) {
    Object.assign(this, { width, height, ratio, painted: null });
    for (const canvas of [this.canvas, this.kept]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  }

  px(t) { return LEFT + t / Math.max(this.steps, 1) * (this.width - LEFT - RIGHT); }
  py(f) {
    const { base, low, high, log } = this.panel, way = (v) => (log ? Math.log10(v) : v);
    const share = (way(log ? Math.max(f - base, low * 1e-3) : f) - way(low)) / (way(high) - way(low));
    return TOP + (1 - Math.min(Math.max(share, -0.2), 1.2)) * (this.height - TOP - BOTTOM);
  }
  step(px) { return Math.min(Math.max((px - LEFT) / (this.width - LEFT - RIGHT), 0), 1) * this.steps; }

  draw(scene, paths, playhead, theme, texts, font) {
    Object.assign(this, { panel: scene.panel, steps: scene.steps });
    const picture = [theme.page, font];
    if (!this.painted || this.painted.paths !== paths || this.painted.scene !== scene || this.painted.picture.some((p, i) => p !== picture[i])) {
      this.curves(paths);
      this.painted = { paths, scene, picture };
    }
    if (!this.width) return; // hidden
    const g = this.canvas.getContext("2d");
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const x = this.px(playhead), { width, height } = this.kept, now = Math.min(Math.round(x * this.ratio), width);
    if (now) g.drawImage(this.kept, 0, 0, now, height, 0, 0, now, height);
    g.globalAlpha = 0.25; // what is still to come
    if (now < width) g.drawImage(this.kept, now, 0, width - now, height, now, 0, width - now, height);
    g.globalAlpha = 1;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.frame(g, theme, texts, font);
    g.strokeStyle = theme.ink; g.lineWidth = 1;
    g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, this.height - BOTTOM); g.stroke();
    for (const path of paths) {
      if (path.muted || path.stale) continue;
      const last = path.end === null ? path.height.length - 1 : path.end - 1, t = Math.min(playhead, timeOf(path, last)), k = indexAt(path, t), y = this.py(path.height[k]);
      const next = Math.min(k + 1, path.height.length - 1), share = next > k ? (t - timeOf(path, k)) / (timeOf(path, next) - timeOf(path, k)) : 0;
      g.fillStyle = path.colour; g.beginPath(); g.arc(this.px(t), Math.min(Math.max(y + (this.py(path.height[next]) - y) * share, TOP), this.height - BOTTOM), 3, 0, 7); g.fill();
    }
  }

  // Least and greatest height of each pixel column: as true as all points, and as quick as a few.
  curves(paths) {
    const g = this.kept.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    g.save(); g.beginPath(); g.rect(LEFT, TOP, this.width - LEFT - RIGHT, this.height - TOP - BOTTOM); g.clip();
    g.lineJoin = "round"; g.lineWidth = 1.75;
    for (const path of paths) {
      if (path.muted) continue;
      g.strokeStyle = path.colour; g.setLineDash(DASHES[path.dash].map((d) => d * 0.7)); g.globalAlpha = path.stale ? 0.25 : 1;
      const last = path.end === null ? path.height.length - 1 : path.end - 1, columns = this.width - LEFT - RIGHT;
      g.beginPath(); g.moveTo(this.px(timeOf(path, 0)), this.py(path.height[0]));
      for (let t = 1; t <= last;) {
        const column = Math.floor(timeOf(path, t) / this.steps * columns);
        let low = path.height[t], high = low, end = t + 1;
        for (; end <= last && Math.floor(timeOf(path, end) / this.steps * columns) === column; end++) {
          low = Math.min(low, path.height[end]); high = Math.max(high, path.height[end]);
        }
        const x = this.px(timeOf(path, t));
        if (end - t > 2) { g.lineTo(x, this.py(high)); g.lineTo(x, this.py(low)); }
        g.lineTo(this.px(timeOf(path, end - 1)), this.py(path.height[end - 1]));
        t = end;
      }
      g.stroke();
    }
    g.restore();
  }

  frame(g, theme, texts, font) {
    const { low, high, log } = this.panel, bottom = this.height - BOTTOM;
    g.fillStyle = theme.faint; g.strokeStyle = theme.line; g.lineWidth = 1; g.font = font; g.setLineDash([]);
    g.beginPath(); g.moveTo(LEFT, TOP); g.lineTo(LEFT, bottom); g.lineTo(this.width - RIGHT, bottom); g.stroke();
    g.textAlign = "right"; g.textBaseline = "middle";
    const most = Math.max(1, Math.floor((bottom - TOP) / 22)), marks = [];
    if (log) {
      const a = Math.ceil(Math.log10(low) - 1e-9), b = Math.floor(Math.log10(high) + 1e-9), every = Math.ceil((b - a) / most) || 1;
      for (let p = b; p >= a; p -= every) marks.push([10 ** p + this.panel.base, p >= 0 && p <= 3 ? String(10 ** p) : power(p)]);
    } else {
      for (const v of ticks(low, high, most)) marks.push([v, digits(v)]);
    }
    for (const [v, text] of marks) g.fillText(text, LEFT - 6, this.py(v));
    g.textBaseline = "alphabetic"; g.textAlign = "left";
    g.fillText("0", LEFT, this.height - 6);
    g.textAlign = "right"; g.fillText(`${this.steps}`, this.width - RIGHT, this.height - 6);
    g.textAlign = "center"; g.fillText(texts.step_axis, (LEFT + this.width - RIGHT) / 2, this.height - 6);
    g.textAlign = "right"; g.strokeStyle = theme.page; g.lineWidth = 4; g.lineJoin = "round";
    const [name, place] = [log && this.panel.base ? texts.loss_above : texts.loss, [this.width - RIGHT - 8, this.panel.below ? bottom - 8 : TOP + 8]];
    g.strokeText(name, ...place); g.fillText(name, ...place); // readable over the curves
  }
}
