// What every stage of networks in training has: it plays what has been trained, asks for more, and tells what a visitor did.
import { classStyle } from "./field.js";
import { marker } from "./plane.js";
import { Playback, button, dress, icon } from "./playback.js";
import { digits } from "./scene.js";

const WHOLE_RUN = 4; // seconds at speed 1: a hundred frames are 25 a second
const SLOWEST = 8; // passes a second, for short runs
const AHEAD = 1; // seconds of frames that shall lie before the playhead
export const ANSWER = 10_000; // ms until what was told counts as lost; a busy server takes its time
const GRIDS = [14, 17, 20, 24, 28, 32, 40, 50, 64, 80, 100, 128, 160, 200]; // places on a side of the field
const NAMED = 12; // classes that a legend has room for
export const LOOK = { at: null, neuron: null, hidden: [], discrete: false, warp: null, matrix: false }; // how it is looked at, where nobody says
const ASKING = ["reset", "seed"]; // what only the app can do
export const AGAIN = button("reset", icon("M4 7A7 7 0 1 1 3 11M3 3v4.5h4.5")) + button("seed", icon("M4 4h12v12H4zM7.5 7.5h.01M12.5 7.5h.01M10 10h.01M7.5 12.5h.01M12.5 12.5h.01"));
export const lasting = (event) => event.look || event.pin || event.reset === "seed" || typeof event === "function"; // what another run does not make void
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
export const percent = (share) => `${digits(100 * share)} %`;

// A player has `last`, the pass up to which there are frames, `ended`, whether more can come, and `there`, how many there are.
export class TrainingPlayer extends Playback {
  constructor(...given) {
    super(...given);
    this.pace = 1.5e-6; this.word = 0; this.queue = []; this.look = { ...LOOK };
  }

  destroy() { super.destroy(); [this.resting, this.settling, this.waiting].forEach(clearTimeout); }

  // --- what is told ----------------------------------------------------------------------------------------------------------------

  // One thing at a time, each but a look with its number: of two words in quick succession the other side may hear the later one alone.
  tell(event) { if (this.send) { this.queue.push(event); this.flush(); } }
  flush() {
    clearTimeout(this.waiting);
    if (!this.queue.length) return;
    const left = this.askedAt ? this.askedAt + ANSWER - Date.now() : 0;
    if (left > 0) { this.waiting = setTimeout(() => this.flush(), left); return; }
    const next = this.queue.shift(), event = typeof next === "function" ? next() : next; // a word that is found when it is sent, if it still has a sense
    if (event && !event.look) { this.askedAt = Date.now(); this.word = Math.max(this.word + 1, this.askedAt); } // greater than those of a stage before this one
    if (event) this.send(event.look ? event : { ...event, word: this.word });
    this.flush();
  }

  // More frames, once they come to an end and there may be more.
  want() {
    if (this.ended || this.scene.state === "waiting" || this.queue.length || this.askedAt && Date.now() - this.askedAt < ANSWER) return;
    if (this.last - this.playhead < AHEAD * this.rate) this.tell({ more: this.there });
  }

  // Tell how it is looked at, once the hand rests: that belongs to a shared link.
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const k = Math.round(this.playhead), look = { ...this.look, at: this.playing || k >= this.last ? null : k };
      if (same(look, this.wish ?? { ...LOOK, ...this.scene.look })) return;
      this.wish = look; this.tell({ look });
    }, 400);
  }

  // --- time ------------------------------------------------------------------------------------------------------------------------

  get rate() { return Math.max(this.scene.epochs / WHOLE_RUN, SLOWEST) * this.speed; } // passes a second

  // Somebody came, or opened another preset or link: its own moment and look count.
  begin() {
    const { scene } = this;
    this.look = { ...LOOK, ...scene.look };
    this.playing = this.look.at === null && !this.still && scene.state === "running";
    this.playhead = this.look.at ?? (this.playing ? 0 : this.last);
    this.wish = null;
  }

  // The other side says with all that it sends which word it heard last; what comes may be older than the answer, and one that counts no words answers all.
  get answered() { return (this.scene.heard ?? Infinity) >= this.word; }

  heard() {
    this.playhead = Math.min(this.playhead, this.last);
    if (this.answered) { this.askedAt = null; this.stepping = this.queue.some((event) => event.step); }
    if (this.wish && !same(this.wish, { ...LOOK, ...this.scene.look })) this.settle(); else this.wish = null;
    this.label(); this.describe(); this.flush(); this.ask();
  }

  frame(now) {
    this.asked = 0;
    if (!this.ready) return;
    if (this.playing) {
      if (this.lastTime) this.playhead = Math.min(this.playhead + Math.min(now - this.lastTime, 100) / 1000 * this.rate, this.last);
      if (this.playhead >= this.last && this.ended) { this.playing = false; this.describe(); }
      else this.want();
    }
    this.lastTime = this.playing ? now : 0;
    this.draw();
    if (this.playing) this.ask();
  }

  play(on = !this.playing) {
    if (on && this.playhead >= this.last && this.ended) this.playhead = 0;
    this.playing = on;
    if (on) this.want(); else this.describe();
    this.ask(); this.settle();
  }

  go(pass) {
    this.playhead = Math.min(Math.max(pass, 0), this.last);
    this.playing = false;
    this.describe(); this.settle(); this.ask();
  }

  // One pass on: to the next frame, or the next one that is trained.
  step() {
    const next = this.next();
    if (next !== undefined) { this.go(next); return; }
    this.go(this.last);
    if (this.ended) return;
    this.stepping = true;
    this.tell({ step: 1 });
  }

  reset(kind) { this.go(0); this.queue = this.queue.filter(lasting); this.tell({ reset: kind }); }

  // --- what is seen ----------------------------------------------------------------------------------------------------------------

  // How many places on a side are reckoned in so many milliseconds, where one costs so many multiplications.
  side([time, most], cost) {
    const n = Math.sqrt(time / (this.pace * cost));
    return Math.min(GRIDS.findLast((side) => side <= n) ?? GRIDS[0], most);
  }

  // Some work on places of a field, and how long one of them takes from now on; the first time the browser still learns.
  timed(grid, cost, work) {
    const began = performance.now(), result = work();
    if (grid.warm) this.pace += 0.2 * ((performance.now() - began) / (grid.xs.length * cost) - this.pace);
    grid.warm = true;
    return result;
  }

  // What the colours and marks mean.
  legend({ labels, scale, points, inputs }) {
    const { scene, texts, theme } = this, key = JSON.stringify([labels, inputs, scale, scene.language, theme.name]), lines = inputs === 1 && !labels.length;
    if (this.told === key) return;
    this.told = key;
    const rows = lines ? [[texts.share_plus, { colour: theme.plus, shape: 1 }], [texts.share_minus, { colour: theme.minus, shape: 1 }]]
      : points && !labels.length ? [[digits(scale.middle - scale.half), theme.minus], [digits(scale.middle + scale.half), theme.plus]]
      : labels.slice(0, NAMED).map((name, k) => [name, classStyle({ labels, colours: scene.colours }, theme, k)]);
    this.parts.legend.querySelector("ul").replaceChildren(...rows.map(([name, style]) => {
      const row = document.createElement("li"), canvas = row.appendChild(document.createElement("canvas")), g = canvas.getContext("2d");
      canvas.width = canvas.height = 28; g.scale(2, 2); g.fillStyle = style.colour ?? style; marker(g, style.shape ?? 0, 7, 7, 5); g.fill();
      row.append(name);
      return row;
    }), ...(labels.length > NAMED ? [Object.assign(document.createElement("li"), { textContent: "…" })] : []));
    this.parts.legend.title = lines ? texts.shares : texts.colours;
  }

  // Words beside the pointer, within the stage.
  read(e, text) {
    const { readout } = this.parts;
    readout.hidden = !text;
    if (!text) return;
    readout.textContent = text;
    const box = this.box.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    readout.style.left = `${Math.max(Math.min(x + 16, box.width - readout.offsetWidth - 4), 0)}px`;
    readout.style.top = `${y + 16 + readout.offsetHeight > box.height ? y - readout.offsetHeight - 10 : y + 16}px`;
  }
}

// A stage in a file of its own, with all its frames: there is nobody to ask for more of them, nor for a change.
export function replay(Player, main, bytes, about) {
  const player = new Player(main, null);
  for (const name of ASKING) if (player.buttons[name]) player.buttons[name].hidden = true;
  player.box.classList.add("replay");
  dress(player.box, about);
  player.show(bytes);
  if (player.look.at === null && !player.still) player.play(true);
  return player;
}

// The frames of a message that are not there yet, or in the place of an earlier pass, which was not kept for good; those that begin beyond
// what is there are asked for again.
export function addFrames(there, { first, passes, theta, running, ...figures }, array) {
  if (first > there.length) return;
  const [thetas, runnings] = [array(theta), array(running)], [p, r] = [thetas, runnings].map((a) => (a ? a.length / passes.length : 0));
  const rows = Object.fromEntries(Object.entries(figures).map(([name, place]) => [name, array(place)]));
  passes.forEach((pass, k) => there[first + k]?.pass >= pass || (there[first + k] = { pass, theta: thetas.subarray(k * p, (k + 1) * p), running: runnings && runnings.subarray(k * r, (k + 1) * r),
    ...Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row && row[k]])) }));
}

// The frame at a moment: the last that is not after it.
export function frameAt(frames, pass) {
  let low = 0, high = frames.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (frames[middle].pass <= pass + 1e-9) low = middle; else high = middle - 1; }
  return low;
}
