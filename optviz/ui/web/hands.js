// What a visitor's hands do on the stage: pointers, wheel and keys, told to the player in its own words.

const GRAB = 16; // px around the start that take hold of it; a finger has the grip, which is larger
const SLIP = { mouse: 4, pen: 6, touch: 10 }; // px that a click may move
const KEYS = { ArrowLeft: "back", ArrowRight: "on", Home: "home", End: "end", r: "again", "к": "again", f: "present", "а": "present", e: "explain", "у": "explain", g: "gauges", "п": "gauges", "?": "help", ",": "help", " ": "play" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const TURNED = "input, textarea, select, summary, [contenteditable], " + // what has a use for keys of its own
  ["slider", "spinbutton", "combobox", "listbox", "option", "menu", "dialog", "grid", "radiogroup", "tab"].map((role) => `[role="${role}"]`).join();

export function listen(player, signal) {
  const { box, parts } = player, { picture, scrub, speed, chart } = parts;
  const on = (target, names, f, options) => names.split(" ").forEach((n) => target.addEventListener(n, f, { signal, ...options }));
  const focus = () => box.focus({ preventScroll: true });
  const spot = (e, of = picture) => { const r = of.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
  const far = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  const pointers = new Map(); // where each finger is
  let grabbed = null; // what the first of them does: {id, does: "start" | "click" | "orbit" | "nothing", from}

  on(picture, "pointerdown", (e) => {
    if (!player.scene || e.button || e.target.closest("button") || (grabbed && grabbed.does !== "orbit")) return;
    const at = spot(e), near = e.target === parts.grip || far(at, player.handleAt) < GRAB;
    pointers.set(e.pointerId, at);
    picture.setPointerCapture(e.pointerId);
    focus();
    if (grabbed) return; // a second finger only zooms
    grabbed = { id: e.pointerId, does: near ? "start" : player.relieved ? "orbit" : "click", from: at };
    if (near) player.grab();
  });
  on(picture, "pointermove", (e) => {
    if (!player.scene) return;
    const at = spot(e), before = pointers.get(e.pointerId);
    if (!grabbed) {
      player.hover(...at, e.target);
      parts.top.style.cursor = player.relieved ? "move" : "crosshair";
      return;
    }
    if (!before) return;
    const others = [...pointers].filter(([id]) => id !== e.pointerId).map(([, place]) => place);
    pointers.set(e.pointerId, at);
    if (grabbed.does === "orbit") {
      if (others.length) player.zoom(far(at, others[0]) / Math.max(far(before, others[0]), 1));
      else player.orbit(at[0] - before[0], at[1] - before[1]);
      return;
    }
    if (grabbed.id !== e.pointerId) return;
    if (grabbed.does === "click" && far(at, grabbed.from) > SLIP[e.pointerType || "mouse"]) {
      grabbed.does = e.pointerType === "touch" ? "nothing" : "start"; // a finger that slips scrolls the page
      if (grabbed.does === "start") player.grab();
    }
    if (grabbed.does === "start") player.hold(player.place(...at.map((v, i) => Math.min(Math.max(v, 0), [player.width, player.height][i]))));
  });
  on(picture, "pointerup pointercancel", (e) => {
    if (!pointers.delete(e.pointerId) || !grabbed) return;
    if (grabbed.does === "orbit") player.look();
    else if (grabbed.id === e.pointerId) {
      if (grabbed.does === "click" && e.type === "pointerup") player.hold(player.place(...spot(e)));
      if (grabbed.does !== "nothing") player.release();
    }
    if (!pointers.size || grabbed.id === e.pointerId && grabbed.does !== "orbit") { pointers.clear(); grabbed = null; }
  });
  on(picture, "pointerleave", () => { parts.readout.hidden = true; });
  on(picture, "wheel", (e) => {
    if (!player.relieved) return;
    player.zoom(Math.exp(-e.deltaY / 600));
    player.look();
    e.preventDefault();
  }, { passive: false });

  const along = (e) => player.go(player.chart.step(spot(e, chart)[0]));
  on(chart, "pointerdown", (e) => { if (player.scene && !e.button) { chart.setPointerCapture(e.pointerId); along(e); focus(); } });
  on(chart, "pointermove", (e) => { if (chart.hasPointerCapture(e.pointerId)) along(e); });
  on(scrub, "input", () => player.go(Number(scrub.value)));
  on(speed, "change", () => { player.speed = Number(speed.value); });
  on(box, "click", (e) => {
    const button = e.target.closest("[data-do]");
    if (!button || !player.scene) return;
    player.do(button.dataset.do);
    if (e.detail) focus(); // by mouse: the keys shall work; who came by Tab stays on the button
  });
  on(parts.help.querySelector("button"), "click", () => parts.help.close()); // a form would do, but not in a sandbox
  on(document, "fullscreenchange", () => { if (!document.fullscreenElement && box.classList.contains("present")) player.present(false); });

  // No key of the stage reaches the page: Streamlit has shortcuts of its own.
  on(box, "keydown", (e) => { e.stopPropagation(); if (player.scene && key(e)) e.preventDefault(); });
  on(box, "keyup keypress", (e) => e.stopPropagation());
  // The page's keys are the stage's, too, except where something else is typed or turned.
  on(window, "keydown", (e) => {
    const way = e.composedPath();
    if (!player.scene || way.includes(box) || way.some((part) => part.matches?.(TURNED)) || !key(e)) return;
    e.preventDefault(); e.stopImmediatePropagation();
  }, { capture: true });
  on(window, "keyup", (e) => { if (player.holding && !grabbed && (e.key === "Shift" || e.key in ARROWS)) player.release(); }, { capture: true });
  on(box, "focusout", () => { if (player.holding && !grabbed) player.release(); });

  function key(e) {
    const { key } = e, done = KEYS[key] ?? KEYS[key.toLowerCase()], { help } = parts;
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === "SELECT" || (help.open && key !== "?")) return false;
    if ((key === " " || key === "Enter") && e.target.closest("button")) return false; // the button's own
    if (key === "," && !e.shiftKey) return false; // ? on a Russian keyboard
    if (e.shiftKey && key in ARROWS) {
      const [x0, x1, y0, y1] = player.scene.heat.box, [x, y] = player.start, [dx, dy] = ARROWS[key];
      player.grab();
      player.hold([x + dx * (x1 - x0) / 100, y + dy * (y1 - y0) / 100]);
    } else if (/^[1-9]$/.test(key)) player.mute(Number(key) - 1);
    else if (key === "Escape" && box.classList.contains("present")) player.present(false);
    else if (done) player.do(done);
    else return false;
    return true;
  }
}
