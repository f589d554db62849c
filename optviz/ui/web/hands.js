// What a visitor's hands do on the stage: pointers, wheel and keys, told to the player in its own words.
import { KEYS, listenToBar, listener } from "./playback.js";

const GRAB = 16; // px around the start that take hold of it; a finger has the grip, which is larger
const SLIP = { mouse: 4, pen: 6, touch: 10 }; // px that a click may move
const OWN = { ...KEYS, r: "again", "к": "again", e: "explain", "у": "explain", g: "gauges", "п": "gauges", c: "compare", "с": "compare" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function listen(player, signal) {
  const { box, parts } = player, { picture, chart, rates } = parts, on = listener(signal);
  const focus = () => box.focus({ preventScroll: true });
  const spot = (e, of = picture) => { const r = of.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
  const far = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  const pointers = new Map(); // where each finger is
  let grabbed = null; // what the first of them does: {id, does: "start" | "click" | "orbit" | "nothing", from}

  on(picture, "pointerdown", (e) => {
    if (!player.scene || e.button || e.target.closest("button") || (grabbed && grabbed.does !== "orbit")) return;
    const at = spot(e), near = !player.scene.fixed && (e.target === parts.grip || far(at, player.handleAt) < GRAB);
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
  on(picture, "dblclick", (e) => { if (player.relieved && !e.target.closest("button")) player.centre(); });
  on(picture, "pointerleave", () => { parts.readout.hidden = true; });
  on(picture, "wheel", (e) => {
    if (!player.relieved) return;
    player.zoom(Math.exp(-e.deltaY / 600));
    player.look();
    e.preventDefault();
  }, { passive: false });

  const along = (e, of) => player.chart.step(spot(e, of)[0]);
  for (const curves of [chart, rates]) {
    on(curves, "pointerdown", (e) => { if (player.scene && !e.button) { curves.setPointerCapture(e.pointerId); player.go(along(e, curves)); focus(); } });
    on(curves, "pointermove", (e) => { if (curves.hasPointerCapture(e.pointerId)) player.go(along(e, curves)); });
  }
  on(rates, "pointermove", (e) => { player.peek = rates.hasPointerCapture(e.pointerId) ? null : along(e, rates); player.ask(); });
  on(rates, "pointerleave", () => { player.peek = null; player.ask(); });
  listenToBar(player, signal, OWN, (e) => {
    if (e.shiftKey && e.key in ARROWS) {
      const [x0, x1, y0, y1] = player.scene.heat.box, [x, y] = player.start, [dx, dy] = ARROWS[e.key];
      player.grab();
      player.hold([x + dx * (x1 - x0) / 100, y + dy * (y1 - y0) / 100]);
    } else if (/^[1-9]$/.test(e.key)) player.mute(Number(e.key) - 1);
    else return false;
    return true;
  });
  on(window, "keyup", (e) => { if (player.holding && !grabbed && (e.key === "Shift" || e.key in ARROWS)) player.release(); }, { capture: true });
  on(box, "focusout", () => { if (player.holding && !grabbed) player.release(); });
}
