// A weight or a bias set by hand: dragged up and down, turned by the wheel or by keys, or typed. The page is told when the hand rests.
import { digits } from "./scene.js";
import { ANSWER } from "./training.js";

const SLOPE = 0.02; // of a value, a pixel
const TURN = 0.1, FINE = 0.01; // of a value, a notch of the wheel or a key; with Shift
const ZERO = 0.1; // where a drag is caught by 0
const MOST = 1000;
const REST = 500; // ms after which a wheel or a key is at rest
const SLIP = 3; // px that a click may move
const NEAR = { mouse: 6, pen: 9, touch: 16 }; // px from a curve that count as on it

export class Knob {
  constructor(player) {
    const { card } = player.parts;
    Object.assign(this, { player, card, spot: null, hand: null, values: new Map(), told: new Map(), away: [], made: null });
    Object.assign(this, { title: card.querySelector("b"), sign: card.querySelector("i"), field: card.querySelector("input"), why: card.querySelector("p") });
  }

  destroy() { clearTimeout(this.resting); clearTimeout(this.lost); }

  listen(on) {
    if (!this.player.send) return; // in a slide nobody would hear of it
    const mesh = this.player.diagram.canvas, near = (e, kind = e.pointerType) => this.player.diagram.at(...this.where(e), NEAR[kind] ?? NEAR.mouse);
    on(mesh, "pointerdown", (e) => {
      const spot = this.player.ready && !e.button && near(e);
      if (!spot || spot.neuron) { if (!this.player.ready || !e.button) this.close(); return; }
      mesh.setPointerCapture(e.pointerId);
      this.open(spot, this.where(e));
      this.hand = { id: e.pointerId, from: e.clientY, value: this.value, moved: false };
    });
    on(mesh, "pointermove", (e) => {
      if (this.hand?.id !== e.pointerId) return;
      const up = this.hand.from - e.clientY, v = this.hand.value + up * SLOPE * (e.shiftKey ? 0.1 : Math.max(Math.abs(this.hand.value) / 4, 1));
      this.hand.moved ||= Math.abs(up) > SLIP;
      if (this.hand.moved) this.set(Math.abs(v) < ZERO && !e.shiftKey ? 0 : v);
    });
    on(mesh, "pointerup pointercancel", (e) => {
      if (this.hand?.id !== e.pointerId) return;
      this.hand = null;
      this.tell();
    });
    on(mesh, "touchstart", (e) => { const spot = this.player.ready && near(e.touches[0], "touch"); if (spot && !spot.neuron) e.preventDefault(); }, { passive: false }); // drags a weight, not the page
    on(mesh, "wheel", (e) => {
      if (!this.spot || near(e)?.index !== this.spot.index) return;
      e.preventDefault();
      this.set(this.value - Math.sign(e.deltaY) * (e.shiftKey ? FINE : TURN), true);
    }, { passive: false });
    on(this.card, "keydown", (e) => { // what is typed is no key of the stage
      e.stopPropagation();
      if (e.key === "Enter" && e.target === this.field) this.type();
      else if (e.key === "Escape") { this.close(); this.player.box.focus({ preventScroll: true }); }
      else if (["ArrowUp", "ArrowDown"].includes(e.key)) { this.key(e); e.preventDefault(); }
    });
    on(this.field, "change", () => this.type());
  }

  where(e) { const r = this.player.diagram.canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; }

  key(e) {
    if (!this.player.send) return false;
    if (/^[lд]$/i.test(e.key)) this.next(e.shiftKey ? -1 : 1);
    else if (!this.spot) return false;
    else if (e.key === "ArrowUp" || e.key === "ArrowDown") this.set(this.value + (e.key === "ArrowUp" ? 1 : -1) * (e.shiftKey ? FINE : TURN), true);
    else if (["0", "Delete", "Backspace"].includes(e.key)) this.cut();
    else if (e.key === "Enter") { this.field.focus(); this.field.select(); }
    else if (e.key === "Escape") this.close();
    else return false;
    return true;
  }

  // --- values ----------------------------------------------------------------------------------------------------------------------

  // A frame with what was set by hand.
  moment(frame) {
    if (!this.values.size && !this.told.size) return frame;
    if (this.made?.of !== frame || this.made.stale) {
      const theta = frame.theta.slice();
      for (const [index, value] of [...this.told, ...this.values]) theta[index] = value;
      this.made = { of: frame, frame: { ...frame, theta } };
    }
    return this.made.frame;
  }

  get value() { return this.player.shown.theta[this.spot.index]; }

  set(value, soon = false) {
    const { player } = this;
    player.hold();
    this.values.set(this.spot.index, Number(Math.min(Math.max(value, -MOST), MOST).toPrecision(value < 1 && value > -1 ? 3 : 4)) + 0);
    if (this.made) this.made.stale = true;
    this.show(); player.ask();
    clearTimeout(this.resting);
    if (soon) this.resting = setTimeout(() => this.tell(), REST);
  }

  cut() { if (this.spot) { this.set(0); this.tell(); } }

  type() {
    const { texts } = this.player, text = this.field.value.trim().replace(",", ".").replace("−", "-"), value = Number(text), good = text !== "" && Math.abs(value) <= MOST;
    this.why.hidden = good; this.why.textContent = good ? "" : texts.impossible_weight;
    this.field.setAttribute("aria-invalid", !good);
    if (good && value !== Number(plain(this.value))) { this.set(value); this.tell(); }
  }

  tell() {
    clearTimeout(this.resting);
    this.resting = 0;
    if (!this.values.size) return;
    const { player } = this;
    for (const change of this.values) this.told.set(...change);
    this.values = new Map();
    player.change(() => {
      if (!this.told.size) return null; // an earlier word took them, or another network came
      this.away = [...this.told];
      clearTimeout(this.lost);
      this.lost = setTimeout(() => { this.arrived(); this.show(); player.ask(); }, ANSWER);
      return { weights: this.away, at: player.frames[player.now()].pass, run: player.scene.run };
    });
  }

  // What was on its way is in this run, or was refused; what was told since then is not sent yet.
  arrived() {
    clearTimeout(this.lost);
    for (const [index, value] of this.away) if (this.told.get(index) === value) this.told.delete(index);
    this.away = []; this.made = null;
  }

  // The page has spoken; another network or story has other weights.
  heard(another, answered) {
    if (another) { this.told = new Map(); this.values = new Map(); this.hand = null; this.close(); }
    if (another || answered) this.arrived();
    this.show();
  }

  // --- the card --------------------------------------------------------------------------------------------------------------------

  open(spot, [x, y]) {
    const { card, player } = this, { mesh } = player.parts;
    this.spot = player.diagram.picked = spot;
    card.hidden = false;
    this.why.hidden = true; this.field.removeAttribute("aria-invalid");
    this.show();
    card.style.left = `${Math.max(Math.min(x + 14, mesh.clientWidth - card.offsetWidth - 2), 2)}px`;
    card.style.top = `${y + 18 + card.offsetHeight > mesh.clientHeight ? Math.max(y - card.offsetHeight - 14, 2) : y + 18}px`;
    player.ask();
  }

  close() {
    if (!this.spot) return;
    this.tell();
    this.spot = this.player.diagram.picked = null;
    this.card.hidden = true;
    this.player.ask();
  }

  show() {
    if (!this.spot || !this.player.frames.length) return;
    const { spot, player, card, field } = this;
    this.title.textContent = player.nameOfWeight(spot); this.sign.textContent = spot.bias ? "b =" : "w =";
    field.ariaLabel = field.title = player.texts.type_weight;
    if (card.getRootNode().activeElement !== field || this.hand || this.resting) field.value = plain(this.value);
  }

  // Weights one after the other, for whoever has no pointer.
  next(by) {
    if (!this.player.diagram.net) return;
    const { diagram, net } = this.player, spots = diagram.spotsOf(net);
    if (!spots.length) return;
    const spot = spots[(spots.findIndex(({ index }) => index === this.spot?.index) + by + spots.length * 2) % spots.length] ?? spots[0];
    this.tell();
    this.open(spot, diagram.middle(spot));
  }
}

const plain = (value) => digits(value, 4).includes("·") ? String(Number(value.toPrecision(4))) : digits(value, 4).replace("−", "-");
