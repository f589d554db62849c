// What every stage that plays has: a bar with its playhead, keys and their help, presentation, the theme of the page around it.
import { themeOf } from "./scene.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const TURNED = ".optviz-stage, input, textarea, select, summary, [contenteditable], " + // what has a use for keys of its own
  ["slider", "spinbutton", "combobox", "listbox", "option", "menu", "dialog", "grid", "radiogroup", "tab"].map((role) => `[role="${role}"]`).join();

export const icon = (path, name = "") => `<svg class="${name}" viewBox="0 0 20 20" aria-hidden="true"><path d="${path}"/></svg>`;
const GLYPHS = {
  home: icon("M5 4v12M16 4l-8 6 8 6z"), back: icon("M13 4l-7 6 7 6"), play: icon("M6 3l11 7-11 7z", "go") + icon("M6 3v14M14 3v14", "rest"), on: icon("M7 4l7 6-7 6"),
  loop: icon("M16 7A7 7 0 1 0 17 11M17 3v4.5h-4.5"), present: icon("M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4"), help: "?",
};
export const button = (name, glyph = GLYPHS[name]) => `<button data-do="${name}"${name === "play" ? ' class="play"' : ""}>${glyph}</button>`;
export const bar = (buttons) => `<div class="bar">
  ${["home", "back", "play", "on"].map((name) => button(name)).join("")}
  <input type="range" min="0" step="1"><output class="count"></output><select class="speed"></select>
  ${buttons}
</div>
<p class="words" aria-live="polite"></p>
<dialog><h2></h2><dl></dl><button></button></dialog>`;

const stages = (window.optvizStages ??= new Set()); // the players of this page, whichever copy of this module they come from
const moves = ({ parts }) => !parts.bar?.hidden;

export class Playback {
  constructor(root, send, markup, parts) {
    this.send = send; stages.add(this);
    root.innerHTML = markup;
    this.box = root.querySelector("section");
    const find = (name) => this.box.querySelector(name);
    this.parts = Object.fromEntries([...parts, "count", "speed", "words"].map((name) => [name, find(`.${name}`)]));
    this.parts.scrub = find(".bar input"); this.parts.help = find("dialog");
    this.buttons = Object.fromEntries([...this.box.querySelectorAll("[data-do]")].map((b) => [b.dataset.do, b]));
    this.playing = false; this.speed = 1; this.playhead = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stops = new AbortController();
    this.sizes = new ResizeObserver(() => this.resize());
    document.fonts.addEventListener("loadingdone", () => this.resize(), { signal: this.stops.signal }); // what was written with another font meanwhile
    this.watch = setInterval(() => { if (this.scene && themeOf(this.box) !== this.theme?.name) this.ask(); }, 400); // a theme flips without an event
  }

  destroy() { stages.delete(this); this.stops.abort(); this.sizes.disconnect(); clearInterval(this.watch); cancelAnimationFrame(this.asked); }

  ask() { if (!this.asked) this.asked = requestAnimationFrame((now) => this.frame(now)); }

  // The page's theme, as colours here and as variables for the style sheet.
  wear(themes) {
    const name = themeOf(this.box);
    if (this.theme?.name === name) return;
    this.theme = { ...themes[name], name };
    this.box.dataset.theme = name;
    for (const [key, value] of Object.entries(themes[name])) this.box.style.setProperty(`--${key}`, value);
  }

  // The words around it, again only where the language is another; true then.
  name(texts, language) {
    if (this.worded === language + texts.keys) return false;
    this.worded = language + texts.keys;
    const { scrub, speed, help } = this.parts;
    for (const [name, button] of Object.entries(this.buttons)) { button.title = button.ariaLabel = texts[name]; }
    this.shownPlaying = null;
    this.box.setAttribute("aria-label", texts.stage); scrub.ariaLabel = texts.playhead; speed.ariaLabel = texts.speed;
    speed.replaceChildren(...SPEEDS.map((s) => new Option(`${s}×`, s, s === this.speed, s === this.speed)));
    help.querySelector("h2").textContent = texts.help; help.querySelector("button").textContent = texts.close;
    help.querySelector("dl").replaceChildren(...texts.keys.split("\n").flatMap((row) => row.split("|").map((cell, i) => {
      const e = document.createElement(i ? "dd" : "dt"); e.textContent = cell.trim(); return e;
    })));
    return true;
  }

  // The bar at a moment of a whole.
  tick(whole, count, texts) {
    const { scrub, count: shown } = this.parts, now = String(Math.round(this.playhead));
    scrub.max = whole;
    if (scrub.value !== now) scrub.value = now;
    scrub.style.setProperty("--share", this.playhead / Math.max(whole, 1));
    if (shown.textContent !== count) shown.textContent = count;
    if (this.shownPlaying === this.playing) return;
    this.shownPlaying = this.playing;
    this.buttons.play.classList.toggle("playing", this.playing);
    this.buttons.play.title = this.buttons.play.ariaLabel = this.playing ? texts.pause : texts.play;
  }

  present(on = !this.box.classList.contains("present")) {
    this.box.classList.toggle("present", on);
    this.buttons.present.setAttribute("aria-pressed", on);
    if (on && document.fullscreenEnabled) this.box.requestFullscreen().catch(() => {}); // where a frame forbids it, filling the window must do
    else if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    this.resize();
  }

  can() { return true; } // whether what a key stands for has a meaning now

  help() { if (this.parts.help.open) this.parts.help.close(); else this.parts.help.showModal(); }
}

// A stage in a slide: its title, what its author says under it, and without the parts that he left out.
export function dress(box, { title, caption, hidden }) {
  const parts = { panel: ".chart, .curves", legend: ".legend", counter: ".count" };
  for (const name of hidden) box.querySelector(parts[name]).hidden = true;
  if (title) box.prepend(Object.assign(document.createElement("h1"), { textContent: title }));
  const words = Object.assign(document.createElement("p"), { className: "caption", textContent: caption });
  if (caption) box.append(words);
  return words;
}

export const listener = (signal) => (target, names, f, options) => names.split(" ").forEach((n) => target.addEventListener(n, f, { signal, ...options }));

// Bar, buttons and keys, told to the player in its own words; `more` hears a key that is not in the table, and says whether it did something.
export function listenToBar(player, signal, keys, more = () => false) {
  const { box, parts } = player, { scrub, speed, help } = parts, on = listener(signal);
  on(scrub, "input", () => player.go(Number(scrub.value)));
  on(speed, "change", () => { player.speed = Number(speed.value); });
  on(box, "click", (e) => {
    const button = e.target.closest("[data-do]");
    if (!button || !player.scene) return;
    player.do(button.dataset.do);
    if (e.detail) box.focus({ preventScroll: true }); // by mouse: the keys shall work; who came by Tab stays on the button
  });
  on(help.querySelector("button"), "click", () => help.close()); // a form would do, but not in a sandbox
  on(document, "fullscreenchange", () => { if (!document.fullscreenElement && box.classList.contains("present")) player.present(false); });

  // No key of the stage reaches the page: Streamlit has shortcuts of its own.
  on(box, "keydown", (e) => { e.stopPropagation(); if (player.scene && key(e)) e.preventDefault(); });
  on(box, "keyup keypress", (e) => e.stopPropagation());
  // The page's keys are the stage's, too, except where something else is typed or turned, or another stage is meant: a still one gives way.
  on(window, "keydown", (e) => {
    const way = e.composedPath();
    if (!player.scene || (!moves(player) && [...stages].some(moves)) || way.includes(box) || way.some((part) => part.matches?.(TURNED)) || !key(e)) return;
    e.preventDefault(); e.stopImmediatePropagation();
  }, { capture: true });

  function key(e) {
    const { key } = e, done = keys[key] ?? keys[key.toLowerCase()];
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === "SELECT" || (help.open && key !== "?")) return false;
    if ((key === " " || key === "Enter") && e.target.closest("button")) return false; // the button's own
    if (key === "," && !e.shiftKey) return false; // ? on a Russian keyboard
    if (more(e)) return true;
    if (key === "Escape" && box.classList.contains("present")) player.present(false);
    else if (done && player.can(done)) player.do(done);
    else return false;
    return true;
  }
}

// What is common to the keys of all stages.
export const KEYS = { ArrowLeft: "back", ArrowRight: "on", Home: "home", End: "end", f: "present", "а": "present", "?": "help", ",": "help", " ": "play" };
