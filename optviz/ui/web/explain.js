// One step, line by line: the formula with this step's numbers in a panel, and its terms as arrows on the picture.
import { digits, fill } from "./scene.js";

const FIGURES = 4; // of a number that somebody may check by hand
const KEPT = [28, 190], LONGEST = 140; // px: where the longest arrow of a unit may lie before its scale changes, and then at most
const READABLE = 100; // ms
const NOISE = 1e9; // times longer: such an arrow is made of rounding errors
const LADDER = [5, 2, 1];

export class Steps {
  constructor(panel, choose) {
    this.panel = panel;
    panel.innerHTML = `<header><select></select><output></output></header><table></table><ol></ol>`;
    [this.who, this.which, this.list, this.table] = ["select", "output", "ol", "table"].map((name) => panel.querySelector(name));
    this.who.addEventListener("change", () => choose(Number(this.who.value)));
    this.scales = {};
  }

  // Another scene: the lines are made anew only where they are others.
  show(scene) {
    const { explained, texts, paths } = scene;
    this.explained = explained; this.texts = texts; this.filled = null;
    this.panel.hidden = !explained;
    if (!explained) return;
    this.who.replaceChildren(...paths.map((p) => new Option(p.name, p.entrant, false, p.entrant === explained.entrant)));
    this.who.ariaLabel = texts.explained;
    explained.colours.forEach((colour, role) => this.panel.style.setProperty(`--r${role}`, colour));
    const lines = explained.lines.flat().join();
    if (lines !== this.lines) {
      this.list.innerHTML = explained.lines.map(([symbols, ...numbers]) => `<li>${symbols}<span class="numbers">${numbers.join("</span><span class=\"numbers\">")}</span></li>`).join("");
      this.places = [...this.list.querySelectorAll("[data-value]")].map((place) => ({ place, value: Number(place.dataset.value),
        part: Number(place.dataset.part), alone: !place.closest("mtd") }));
      this.lines = lines;
    }
    this.table.hidden = !explained.rates;
    if (explained.rates) {
      const logs = explained.rates.filter((v) => v > 0 && Number.isFinite(v)).map(Math.log10);
      this.range = logs.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
      this.table.innerHTML = `<caption>${texts.rates}</caption>` + ["x", "y"].map((name) => `<tr><th>α<sub>${name}</sub></th><td><i></i></td><td></td></tr>`).join("");
    }
  }

  // The step that begins at the playhead; at the end the last one.
  step(playhead) { return Math.min(Math.floor(playhead), this.explained.steps - 1); }

  // This step's numbers; while it plays only as often as they can be read.
  fill(playhead, stale, playing) {
    const { explained } = this, k = this.step(playhead), now = performance.now();
    this.panel.classList.toggle("stale", stale);
    if (this.filled === k || (playing && this.filled !== null && now - this.filledAt < READABLE)) return;
    Object.assign(this, { filled: k, filledAt: now });
    this.which.textContent = fill(this.texts.one_step, { k, n: k + 1 });
    for (const { place, value, part, alone } of this.places) {
      const text = digits(this.number(value, part, k), FIGURES);
      place.textContent = alone && text.startsWith("−") ? `(${text})` : text;
    }
    if (!explained.rates) return;
    const [low, high] = this.range;
    [...this.table.rows].forEach((row, i) => {
      const rate = explained.rates[i * explained.steps + k];
      row.querySelector("i").style.width = `${8 + 92 * (high > low ? (Math.log10(rate) - low) / (high - low) : 1)}%`;
      row.cells[2].textContent = digits(rate, FIGURES);
    });
  }

  number(value, part, k) { return this.explained.values[value][part * this.explained.steps + k]; }
  pair(value, k) { return [this.number(value, 0, k), this.number(value, 1, k)]; }

  // Every term with a direction, from the place it belongs to; arrows of one unit share a scale, which is written beside them.
  draw(g, playhead, { at, lengthOf, tag, theme, font, line }) {
    const { explained } = this, k = this.step(playhead), longest = {};
    for (const { value, unit } of explained.arrows) longest[unit] = Math.max(longest[unit] ?? 0, lengthOf(...this.pair(value, k)));
    for (const [unit, length] of Object.entries(longest)) this.scales[unit] = scaleOf(length, this.scales[unit], unit === "step");
    const labels = []; // after all arrows: none shall cross a word
    g.font = font; g.textBaseline = "middle"; g.textAlign = "left"; g.lineCap = "round"; g.lineJoin = "round";
    for (const { value, label, role } of explained.spots) {
      const from = at(...this.pair(0, k)), to = at(...this.pair(value, k)), colour = explained.colours[role];
      if (!seen(...to)) continue;
      stroke(g, from, to, colour, 1.5, [2, 4]);
      g.strokeStyle = colour; g.fillStyle = theme.page; g.lineWidth = 2.5;
      g.beginPath(); g.arc(...to, line * 2, 0, 7); g.fill(); g.stroke();
      labels.push([label, to, [0, -1], colour]);
    }
    for (const { value, start, sign, label, role, unit, faint } of explained.arrows) {
      const [x, y] = this.pair(start, k), [vx, vy] = this.pair(value, k), s = sign * this.scales[unit];
      const from = at(x, y), to = at(x + s * vx, y + s * vy), far = Math.hypot(to[0] - from[0], to[1] - from[1]);
      if (!seen(...from) || !(far > 2) || Math.abs(s) > NOISE) continue;
      const way = [(to[0] - from[0]) / far, (to[1] - from[1]) / far], colour = explained.colours[role];
      arrow(g, from, to, way, colour, theme.page, unit === "step" ? line * 1.5 : line, faint);
      labels.push([Math.abs(s) === 1 ? label : `${label} ×${digits(Math.abs(s))}`, to, way, colour]);
    }
    for (const label of labels) tag(...label);
  }
}

const seen = (...p) => p.every((v) => Math.abs(v) < 1e5);

// A round number that makes a length legible; the one before, as long as that does. A step is drawn as long as it is where it can be.
function scaleOf(length, before, step) {
  if (!(length > 0) || !Number.isFinite(length)) return before ?? 1;
  if (step && length > 18 && length < 600) return 1;
  if (before && before * length > KEPT[0] && before * length < KEPT[1]) return before;
  const ten = 10 ** Math.floor(Math.log10(LONGEST / length));
  return ten * (LADDER.find((m) => m * ten * length <= LONGEST) ?? 1); // 1·10ⁿ may miss by a rounding
}

function stroke(g, from, to, colour, width, dash = []) {
  g.strokeStyle = colour; g.lineWidth = width; g.setLineDash(dash);
  g.beginPath(); g.moveTo(...from); g.lineTo(...to); g.stroke(); g.setLineDash([]);
}

function arrow(g, from, to, [dx, dy], colour, ground, width, faint) {
  const size = 3.2 * width, neck = [to[0] - dx * size, to[1] - dy * size];
  const head = () => {
    g.beginPath(); g.moveTo(...to);
    for (const side of [1, -1]) g.lineTo(neck[0] - side * dy * size * 0.55, neck[1] + side * dx * size * 0.55);
    g.closePath();
  };
  g.globalAlpha = faint ? 0.55 : 1;
  if (!faint) { stroke(g, from, neck, ground, width + 3); head(); g.lineWidth = 3; g.strokeStyle = ground; g.stroke(); }
  stroke(g, from, neck, colour, width, faint ? [5, 5] : []);
  head(); g.fillStyle = colour; g.fill();
  g.globalAlpha = 1;
}
