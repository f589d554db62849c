// A slide: the stage in a file of its own. What the server does in the app is done here: to hear what a visitor did, and to answer with a scene.
import { Player } from "./player.js";
import { swatch } from "./plane.js";
import { dress } from "./playback.js";
import { digits, rerun, unpack } from "./scene.js";

const GROWTH = 1e4, MOST = 1e300; // as in scene.py
const TURNS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]; // keys that belong to a slider
const BACK = `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 8h8a4 4 0 0 1 0 8H7M7.5 4L4 8l3.5 4"/></svg>`;

export function mount(main, bytes, about) {
  const author = unpack(bytes), { texts } = author, values = about.sliders.map((s) => s.value), kept = new Map();
  const own = { start: author.start, muted: author.paths.filter((p) => p.muted).map((p) => p.entrant), look: about.look };
  const now = { ...own }, player = new Player(main, (told) => { Object.assign(now, told); answer(); });
  let { panel } = author, asked = 0;

  // --- the answer ------------------------------------------------------------------------------------------------------------------

  const turned = (entrant) => about.sliders.filter((s, i) => s.entrant === entrant && values[i] !== s.value);
  const valueOf = (slider) => values[about.sliders.indexOf(slider)];
  const moved = () => now.start.some((v, i) => v !== author.start[i]);

  // A name may tell a setting: then it tells its value of now.
  function called(name, entrant) {
    return turned(entrant).reduce((text, s) => (s.told ? text.replace(s.told, () => s.told.slice(0, s.told.lastIndexOf(" ") + 1) + digits(valueOf(s), 6)) : text), name);
  }

  // The author's own path, or the run from where it starts now, with its settings of now.
  function path(first) {
    const sliders = turned(first.entrant);
    if (!moved() && !sliders.length) return first;
    if (!first.live) return { ...first, stale: true };
    const key = JSON.stringify([now.start, sliders.map(valueOf)]), { numbers } = first.live;
    if (kept.get(first)?.key !== key) {
      const rate = sliders.find((s) => s.number === "h_lr"), rates = rate ? scaled(first.live.rates, rate, valueOf(rate), author.steps) : first.live.rates;
      const live = { ...first.live, rates, numbers: { ...numbers, ...Object.fromEntries(sliders.map((s) => [s.number, valueOf(s)])) } };
      const [name, short] = [first.name, first.short].map((text) => called(text, first.entrant));
      kept.set(first, { key, path: rerun({ ...author, paths: [{ ...first, name, short, live, rate: rate ? rates : first.rate }] }, now.start)[0] });
    }
    return kept.get(first).path;
  }

  // The scene as it is now; limits keep still while a slider is held.
  function answer(still = false) {
    asked = 0;
    const paths = author.paths.map(path), other = (entrant) => !author.paths.includes(paths.find((p) => p.entrant === entrant));
    const explained = now.look.explain !== null && author.explained, gauges = now.look.gauges && author.gauges;
    for (const p of paths) { p.muted = now.muted.includes(p.entrant); p.dim = !!explained && p.entrant !== explained.entrant; }
    const changed = paths.some((p, i) => p !== author.paths[i]) || moved();
    if (!still) panel = changed ? panelOf(paths.filter((p) => !p.stale).map((p) => p.height), about.best, author.heat) : author.panel;
    // What a method remembers, and what it can bear, hangs on its settings, but not on its rate: where another one was turned, nothing is said.
    const known = gauges && gauges.each.map((g) => (turned(g.entrant).some((s) => s.number !== "h_lr") ? { entrant: g.entrant } : { ...g, moved: other(g.entrant) }));
    player.put({ ...author, start: now.start, paths, panel, look: now.look, crowds: author.crowds.filter((c) => !other(c.entrant)),
      explained: explained && { ...explained, away: other(explained.entrant) }, gauges: gauges && { ...gauges, each: known },
      texts: changed ? { ...texts, no_gauges: texts.away } : texts });
    player.gauges.whose.disabled = !!explained; // the readouts of whom the lines are about
    reset.disabled = !changed;
    caption.style.visibility = values.some((v, i) => v !== about.sliders[i].value) ? "hidden" : ""; // it tells the author's
  }

  // --- the page --------------------------------------------------------------------------------------------------------------------

  const make = (name, more) => Object.assign(document.createElement(name), more), { box } = player;
  const reset = make("button", { className: "reset", innerHTML: BACK, title: texts.reset, ariaLabel: texts.reset });
  reset.addEventListener("click", () => {
    now.start = author.start;
    about.sliders.forEach((s, i) => { values[i] = s.value; show[i](); });
    answer();
  });
  box.querySelector(".bar").append(reset);
  const caption = dress(box, about);
  box.querySelector("aside").dataset.away = texts.away;
  player.steps.who.disabled = true; // one of them was worked out beforehand
  player.buttons.explain.hidden = !author.explained;
  player.buttons.gauges.hidden = !author.gauges?.each.length;

  const strip = make("div", { className: "sliders" }), show = about.sliders.map((slider, i) => {
    const whose = author.paths.find((p) => p.entrant === slider.entrant), label = make("label");
    const piece = make("canvas"), said = make("output"), words = make("span", { textContent: slider.name });
    const input = make("input", { type: "range", min: 0, max: slider.stops.length - 1, step: 1 });
    swatch(piece, whose);
    label.style.setProperty("--accent", whose.colour);
    label.append(piece, words, said, input);
    strip.append(label);
    const turn = () => {
      input.value = slider.stops.indexOf(values[i]);
      input.style.setProperty("--share", input.value / Math.max(slider.stops.length - 1, 1));
      input.ariaLabel = label.title = `${called(whose.short, whose.entrant)}: ${slider.name}`;
      said.textContent = input.ariaValueText = (slider.sign && `${slider.sign} = `) + digits(values[i], 6);
    };
    input.addEventListener("input", () => {
      values[i] = slider.stops[input.value];
      turn();
      asked ||= requestAnimationFrame(() => answer(true));
    });
    input.addEventListener("change", () => { cancelAnimationFrame(asked); answer(); });
    turn();
    return turn;
  });
  strip.addEventListener("keydown", (e) => { if (TURNS.includes(e.key)) e.stopPropagation(); });
  if (show.length) box.querySelector(".bar").before(strip);
  answer();
  return player;
}

// A schedule's rates for another rate: its own, in proportion, over what it never goes below.
export function scaled(rates, { value, floor }, other, steps) {
  const at = (rate, low) => (rate === value && !low ? other : low + (rate - low) * (other / value));
  if (!floor) return typeof rates === "number" ? at(rates, 0) : rates.map((rate) => at(rate, 0));
  return Float64Array.from(floor, (low, t) => at(typeof rates === "number" ? rates : rates[t], low));
}

// The limits of the curves: scene.panel.
export function panelOf(curves, best, { low: ground, span }) {
  const all = curves.map((c) => c.map((v) => Math.min(Math.max(v, -MOST), MOST)));
  if (!all.length) return { base: 0, low: 0, high: 1, log: false };
  const least = (c) => c.reduce((a, b) => Math.min(a, b), Infinity), greatest = (c) => c.reduce((a, b) => Math.max(a, b), -Infinity);
  const top = greatest(all.map((c) => c[0])), most = greatest(all.map(greatest)), lowest = least(all.map(least));
  const base = best ?? (lowest > 0 ? 0 : null), above = base === null ? Infinity : least(all.map((c) => least(c.map((v) => (v > base ? v - base : Infinity)))));
  if (above < Infinity) {
    const high = Math.min(most - base, GROWTH * Math.max(top - base, span));
    if (high / above > 100) {
      const end = 10 ** Math.ceil(Math.log10(high * 1.5));
      return { base, low: Math.max(10 ** Math.floor(Math.log10(above)), end * 1e-18), high: end, log: true };
    }
  }
  const low = Math.max(lowest, Math.min(ground - 0.25 * span, top)), high = Math.min(most, Math.max(top + 0.5 * (top - low), ground + span));
  const margin = Math.max(0.06 * (high - low), 1e-9 * Math.abs(high)) || 0.06;
  return { base: 0, low: low - margin, high: high + margin, log: false };
}
