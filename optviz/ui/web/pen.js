// The pen: points put, dragged and erased on the plane. What a hand does is seen at once; the page is told when it lets go.
import { classStyle, hex, ramp, shade } from "./field.js";
import { button, icon } from "./playback.js";
import { marker } from "./plane.js";
import { digits } from "./scene.js";
import { ANSWER } from "./training.js";

const NEAR = { mouse: 10, pen: 12, touch: 18 }; // px from a point that take hold of it
const CLASSES = 10; // that can be made by hand
const STEPS = 5; // of a value, between the middle and an end

export const TOOLS = `<span class="tools" role="toolbar" hidden><span class="inks"></span><span class="value">${button("less", "−")}<output></output>${button("greater", "+")}</span>
  ${button("erase", icon("M8 16l-4.5-4.5 8-8L17 9l-7 7zM7 8l5.5 5.5M8 16h9"))}${button("clear", icon("M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11"))}</span>`;
export const PENCIL = icon("M4 16l1-4 8.5-8.5 3 3L8 15zM11.5 5.5l3 3");

export class Pen {
  constructor(player) {
    Object.assign(this, { player, on: false, rubber: false, label: 1, value: null, hand: null, edits: [], sent: null });
    const { tools } = player.parts;
    Object.assign(this, { tools, inks: tools.querySelector(".inks"), values: tools.querySelector(".value"), shown: tools.querySelector("output") });
  }

  listen(on) {
    const { top } = this.player.parts;
    on(top, "pointerdown", (e) => this.down(e));
    on(top, "pointermove", (e) => this.move(e));
    on(top, "pointerup pointercancel", (e) => this.up(e));
    on(top, "contextmenu", (e) => { if (this.on) e.preventDefault(); });
    on(this.tools, "click", (e) => { const ink = e.target.closest("[data-ink]"); if (ink) this.take(Number(ink.dataset.ink)); });
  }

  // --- what the hand does ----------------------------------------------------------------------------------------------------------

  down(e) {
    const { scene, parts } = this.player;
    if (!this.on || !scene.points || this.hand || e.button === 1) return;
    parts.top.setPointerCapture(e.pointerId);
    this.hand = { id: e.pointerId, rubs: this.rubber || e.altKey || e.button === 2, edit: { gone: [], come: null } };
    if (!this.hand.rubs) {
      const k = this.near(e);
      this.hand.edit = k < 0 ? { gone: [], come: [...this.place(e), this.ink] } : { gone: [this.point(k)], come: this.point(k) };
    }
    this.move(e);
  }

  move(e) {
    const { hand } = this, { top } = this.player.parts;
    if (!this.on) { top.style.cursor = ""; return; }
    const k = hand && !hand.rubs ? -1 : this.near(e);
    top.style.cursor = hand && !hand.rubs ? "grabbing" : this.rubber ? (k < 0 ? "default" : "pointer") : k < 0 ? "cell" : "grab";
    if (hand?.id !== e.pointerId) return;
    const { edit } = hand, far = (hand.from ??= [e.clientX, e.clientY]).some((v, i) => Math.abs(v - [e.clientX, e.clientY][i]) > 2);
    if (hand.rubs && k >= 0) edit.gone.push(this.point(k));
    else if (edit.come && (far || hand.moved)) { edit.come = [...this.place(e), edit.come[2]]; hand.moved = true; }
    this.draw();
  }

  up(e) {
    const { hand } = this;
    if (hand?.id !== e.pointerId) return;
    this.hand = null;
    const { gone, come } = hand.edit, idle = come ? gone.length && !hand.moved : !gone.length;
    if (e.type === "pointerup" && !idle) this.tell(hand.edit); else this.draw();
  }

  clear() { if (this.player.scene.points?.x.length) this.tell({ gone: [], come: null, all: true }); }

  key(e) {
    if (!this.on) return false;
    const { player } = this;
    if (/^\d$/.test(e.key) && player.scene.labels.length) this.take((Number(e.key) + 9) % 10);
    else if (/^[xч]$/i.test(e.key)) player.do("erase");
    else if (/^[-−]$/.test(e.key)) player.do("less");
    else if (/^[+=]$/.test(e.key)) player.do("greater");
    else if (e.key === "Escape") this.turn(false);
    else return false;
    return true;
  }

  turn(on = !this.on) { this.on = on; this.rubber = false; this.hand = null; this.player.label(); this.draw(); }
  rub() { this.rubber = !this.rubber; this.name(); }
  take(label) { if (label < this.most) { this.label = label; this.rubber = false; this.name(); } }
  shift(by) { const { half } = this.player.scene.scale; this.value = Number((this.ink + by * half / STEPS).toPrecision(3)); this.rubber = false; this.name(); }

  get most() { return Math.max(Math.min(this.player.scene.labels.length + 1, CLASSES), this.player.scene.labels.length); }
  get ink() {
    const { labels, scale } = this.player.scene;
    return labels.length ? Math.min(this.label, this.most - 1) : this.value ?? Number((scale.middle + scale.half).toPrecision(2));
  }

  // Where the pointer is on the plane, within the box, no finer than a pixel tells it.
  place(e) { const { scene } = this.player; return this.player.spot(e).map((v, i) => Math.min(Math.max(v, scene.box[i][0]), scene.box[i][1])); }

  point(k) { const { x, y, label } = this.player.scene.points; return [x[k], y[k], label[k]]; }

  // The point under the pointer, of those that are seen; −1 where there is none.
  near(e) {
    const { field, scene, look } = this.player, r = this.player.parts.top.getBoundingClientRect(), { x, y, train } = scene.points;
    let best = -1, least = NEAR[e.pointerType] ?? NEAR.mouse;
    for (let k = 0; k < x.length; k++) {
      const far = Math.hypot(field.px(x[k]) - e.clientX + r.left, field.py(y[k]) - e.clientY + r.top);
      if (far < least && !look.hidden.includes(k < train ? "train" : "val")) { best = k; least = far; }
    }
    return best;
  }

  // --- what is told, and heard -----------------------------------------------------------------------------------------------------

  // An edit is on its way until it is answered; what it changes is looked up when it is sent, among the points that the page has.
  tell(edit) {
    this.edits.push(edit);
    this.player.change(() => {
      const points = this.word(edit);
      if (!points) { this.forget(edit); return null; }
      this.sent = edit;
      setTimeout(() => { if (this.edits.includes(edit)) { this.forget(edit); this.draw(); } }, ANSWER);
      return { points, run: this.player.scene.run };
    }, true);
    this.draw();
  }

  forget(edit) { this.edits = this.edits.filter((other) => other !== edit); if (this.sent === edit) this.sent = null; }

  word({ gone, come, all }) {
    const { given } = this.player.scene;
    if (all) return { clear: true };
    const at = gone.map((point) => given.x.findIndex((_, k) => alike([given.x[k], given.y[k], given.label[k]], point))).filter((k) => k >= 0);
    if (at.length < Math.min(gone.length, 1)) return null;
    if (!gone.length) return { add: come };
    return come ? { move: [at[0], come[0], come[1]] } : { erase: [...new Set(at)] };
  }

  // The page has spoken: an edit that it has heard of is in this run, or was refused.
  heard(answered) {
    if (this.sent && answered) this.forget(this.sent);
    if (this.edits.length || this.hand) this.draw();
  }

  // Points as they will be once the page has heard of everything.
  draw() {
    const { player } = this, { scene } = player;
    const edits = this.hand ? [...this.edits, this.hand.edit] : this.edits;
    scene.points = edits.length ? changed(scene.given, edits) : scene.given;
    player.pointed();
  }

  // --- tools -----------------------------------------------------------------------------------------------------------------------

  name() {
    const { player, on, rubber, ink, most } = this, { scene, texts, theme, buttons, box } = player, { labels } = scene;
    box.classList.toggle("penning", on);
    this.tools.hidden = !on;
    buttons.erase.setAttribute("aria-pressed", rubber);
    this.values.hidden = labels.length > 0; this.inks.hidden = !labels.length;
    if (!on) return;
    this.shown.textContent = digits(ink, 2);
    this.shown.style.background = hex(shade(ramp(theme), (ink - scene.scale.middle) / scene.scale.half));
    const key = JSON.stringify([labels, scene.language, theme.name]);
    if (this.named !== key) {
      this.named = key;
      this.inks.replaceChildren(...Array.from({ length: Math.min(most, CLASSES) }, (_, k) => {
        const own = document.createElement("button"), canvas = own.appendChild(document.createElement("canvas")), g = canvas.getContext("2d");
        const { colour, shape } = classStyle(k < labels.length ? scene : { ...scene, labels: [...labels, ""] }, theme, k);
        canvas.width = canvas.height = 28; g.scale(2, 2); g.fillStyle = colour; marker(g, shape, 7, 7, 5); g.fill();
        own.append(labels[k] ?? "+");
        own.dataset.ink = k; own.title = own.ariaLabel = `${k < labels.length ? `${texts.class} ${labels[k]}` : texts.another_class} (${(k + 1) % 10})`;
        return own;
      }));
    }
    for (const [k, own] of [...this.inks.children].entries()) own.setAttribute("aria-pressed", !rubber && k === ink);
  }
}

const alike = (a, b) => a.every((v, i) => Math.fround(v) === Math.fround(b[i]));

// Points after some edits: of each, those that are gone, and one that has come, for one of them or besides.
function changed({ x, y, label, train }, edits) {
  let rows = Array.from(x, (v, k) => [v, y[k], label[k], k < train]);
  for (const { gone, come, all } of edits) {
    const at = gone.map((point) => rows.findIndex((row) => alike(row.slice(0, 3), point)));
    if (all) rows = [];
    else if (come && at.length) { if (at[0] >= 0) rows[at[0]] = [...come, rows[at[0]][3]]; }
    else if (come) rows.splice(rows.filter((row) => row[3]).length, 0, [...come, true]);
    else rows = rows.filter((_, k) => !at.includes(k));
  }
  const [xs, ys, labels] = [0, 1, 2].map((i) => Float32Array.from(rows, (row) => row[i]));
  return { x: xs, y: ys, label: labels, train: rows.filter((row) => row[3]).length };
}
