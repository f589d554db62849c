// The readouts under the stage: curvature against the rate, the memory of a momentum, Adam's first steps. Words are the page's, pictures ours.
import { DASHES, swatch } from "./plane.js";
import { compiled, digits, fill } from "./scene.js";

const MARKUP = `<button class="whose"><canvas></canvas><span></span></button>
<figure class="product"><figcaption><span class="name"></span> = <output></output> <span class="against"><b></b> <span class="most"></span></span></figcaption><canvas></canvas></figure>
<figure class="comb"><figcaption></figcaption><canvas></canvas></figure>
<figure class="feet"><figcaption></figcaption><canvas></canvas></figure>
<p></p>`;
const LEVEL = 0.6; // of the picture's height: there the limit is
const STRIPE = 6; // px between the stripes above it
const SOME = 200; // values that decide on the decimals and the room of all

export class Gauges {
  constructor(strip, choose) {
    this.strip = strip; this.choose = choose;
    strip.innerHTML = MARKUP;
    const find = (name) => strip.querySelector(name);
    this.whose = find(".whose"); this.none = find("p");
    this.cards = Object.fromEntries(["product", "comb", "feet"].map((name) => [name, { figure: find(`.${name}`), text: find(`.${name} figcaption`), canvas: find(`.${name} canvas`) }]));
    [this.name, this.value, this.against, this.sign, this.most] = [".name", "output", ".against", "b", ".most"].map(find);
    this.whose.addEventListener("click", () => this.next());
    this.chosen = null; this.kept = new WeakMap(); this.rooms = new WeakMap(); this.shape = document.createElement("canvas");
  }

  // Another scene; without readouts the strip takes no room.
  show(scene) {
    this.scene = scene; this.gauges = scene.gauges; this.worn = null;
    this.strip.hidden = !this.gauges;
    if (!this.gauges) return;
    this.curvature = compiled(this.gauges.curvature).curvature;
    for (const { entrant, products, moved } of this.gauges.each) if (products && !moved) this.kept.set(scene.paths.find((p) => p.entrant === entrant).x, products);
  }

  resize(ratio, big) { Object.assign(this, { ratio, big, worn: null }); }

  // Whose readouts there are: those who are seen and have some; the one whose step is explained is alone.
  candidates(paths) {
    const { each } = this.gauges, explained = this.scene.look.explain;
    const alone = each.filter((g) => g.entrant === explained);
    if (alone.length) return alone;
    return each.filter((g) => (g.products || g.comb || g.feet) && !paths.find((p) => p.entrant === g.entrant)?.muted);
  }
  now(paths) {
    const all = this.candidates(paths);
    return all.find((g) => g.entrant === this.chosen) ?? all[0];
  }

  // The readouts of whoever comes after, and the step's explanation with them where there is one.
  next() {
    const { paths } = this.scene, shown = paths.filter((p) => !p.muted), at = this.now(paths)?.entrant;
    const able = this.scene.look.explain !== null ? shown.map((p) => p.entrant) : this.candidates(paths).map((g) => g.entrant);
    const after = able[(able.indexOf(at) + 1) % able.length] ?? null;
    if (this.scene.look.explain === null) this.chosen = after;
    this.choose(after);
  }

  // α·λmax along a path; one that follows the hand is measured here, where its rates do not hang on what it met.
  products(path, gauge) {
    if (!this.kept.has(path.x)) this.kept.set(path.x, gauge.limit === null || Number.isNaN(path.rate) ? null : this.measured(path));
    return this.kept.get(path.x);
  }
  measured({ x, y, rate, end }) {
    return Float64Array.from(x, (_, t) => {
      const [xx, xy, yy] = this.curvature(x[t], y[t]), largest = xx / 2 + yy / 2 + Math.hypot(xx / 2 - yy / 2, xy);
      return end !== null && t >= end || !Number.isFinite(largest) ? NaN : largest * (typeof rate === "number" ? rate : rate[Math.min(t, rate.length - 1)]);
    });
  }

  // What the first card says at a step: the number, how it stands to the limit, and the limit.
  reading(paths, playhead) {
    const gauge = this.now(paths), path = gauge && paths.find((p) => p.entrant === gauge.entrant), products = path && !path.stale && this.products(path, gauge);
    if (!products) return null;
    const value = products[Math.min(Math.floor(playhead), (path.end ?? products.length) - 1)], { limit } = gauge;
    let { places } = this.room(products), figures = 3;
    if (limit === null || Number.isNaN(value)) return { value: decimal(value, places), limit: limit === null ? null : digits(limit), sign: "<", above: false };
    const near = Math.abs(value - limit) <= 1e-9 * limit; // else as many figures as tell the two apart
    while (!near && figures < 9 && Number(decimal(value, places)) === Number(digits(limit, figures))) { places++; figures++; }
    return { value: decimal(value, places), limit: digits(limit, figures), sign: near ? "=" : value > limit ? ">" : "<", above: !near && value > limit };
  }

  // How many decimals all values of a run are printed with, so that they are as wide; and how wide.
  room(products) {
    if (this.rooms.has(products)) return this.rooms.get(products);
    const every = Math.ceil(products.length / SOME), some = Array.from(products.filter((v, t) => t % every === 0 && Number.isFinite(v)));
    const middle = some.map(Math.abs).sort((a, b) => a - b)[some.length >> 1] || 1, most = Math.min(Math.max(2 - Math.floor(Math.log10(middle)), 0), 9);
    const places = Math.max(0, ...some.map((v) => (String(Number(v.toFixed(most))).split(".")[1] ?? "").length));
    const room = { places, width: Math.min(Math.max(1, ...some.map((v) => decimal(v, places).length)), 8) };
    this.rooms.set(products, room);
    return room;
  }

  // The same in words, for whoever cannot see it.
  words(paths, playhead) {
    if (!this.gauges) return "";
    const said = this.reading(paths, playhead), { texts } = this.scene;
    if (!said) return "";
    const name = paths.find((p) => p.entrant === this.now(paths).entrant).name;
    return ` ${name}: ` + (said.limit === null ? `λmax(D·H) = ${said.value}, ${texts.no_limit}.` : `α·λmax = ${said.value} ${said.sign} ${said.limit}, ${texts.limit}.`);
  }

  draw(paths, playhead, theme) {
    if (!this.gauges) return;
    const gauge = this.now(paths), path = gauge && paths.find((p) => p.entrant === gauge.entrant);
    if (!this.worn || this.worn.path !== path || this.worn.theme !== theme.name || this.worn.paths !== paths) this.dress(paths, gauge, path, theme);
    if (!path) return;
    const { cards } = this;
    if (this.worn.products) {
      this.say(this.reading(paths, playhead));
      this.point(cards.product, path, Math.min(playhead, (path.end ?? path.x.length) - 1), gauge);
    }
    const k = Math.min(Math.floor(playhead), (path.end ?? Infinity) - 1);
    if (this.worn.k === k) return;
    this.worn.k = k;
    if (gauge.comb) this.comb(cards.comb, gauge, path, k, theme);
    if (gauge.feet) this.feet(cards.feet, gauge.feet, path, k, theme);
  }

  font(size, weight = 400) { return `${weight} ${this.big ? size * 1.55 : size}px optviz, system-ui, sans-serif`; }

  // Everything that stays while the playhead moves.
  dress(paths, gauge, path, theme) {
    const { texts } = this.scene, products = path && gauge.products ? this.products(path, gauge) : null, { cards } = this;
    this.worn = { paths, path, theme: theme.name, products };
    this.none.hidden = !!gauge && !!(gauge.products || gauge.comb || gauge.feet);
    this.none.textContent = texts.no_gauges;
    this.whose.hidden = !path;
    for (const name of ["product", "comb", "feet"]) cards[name].figure.hidden = !gauge?.[name === "product" ? "products" : name];
    if (!path) return;
    this.strip.style.setProperty("--own", path.colour);
    this.whose.lastChild.textContent = path.short;
    this.whose.title = texts.whose;
    this.whose.classList.toggle("more", (this.scene.look.explain === null ? this.candidates(paths) : paths.filter((p) => !p.muted)).length > 1);
    swatch(this.whose.firstChild, path);
    for (const card of Object.values(cards)) {
      card.width = card.canvas.clientWidth; card.height = card.canvas.clientHeight;
      card.canvas.width = Math.round(card.width * this.ratio); card.canvas.height = Math.round(card.height * this.ratio);
    }
    cards.product.figure.classList.toggle("stale", !!gauge.products && !products);
    if (products) {
      this.name.innerHTML = gauge.limit === null ? "λ<sub>max</sub>(D·H)" : "α·λ<sub>max</sub>";
      cards.product.figure.title = gauge.limit === null ? texts.own_rates : "";
      this.value.style.minWidth = `${this.room(products).width - 0.6}ch`; // a point is narrower than a figure
      this.against.hidden = gauge.limit === null;
      this.paint(paths, gauge, path, products, theme);
    }
    if (gauge.comb) {
      const { steps, held } = gauge.comb;
      cards.comb.text.textContent = fill(steps === 1 ? texts.held_one : texts.held, { n: steps, p: Math.round(100 * held) });
    }
    if (gauge.feet) cards.feet.text.textContent = fill(texts.feet, { n: gauge.feet[0].length });
  }

  say({ value, sign, limit, above }) {
    for (const [part, text] of [[this.value, value], [this.sign, sign], [this.most, limit]]) if (text !== null && part.textContent !== text) part.textContent = text;
    this.against.classList.toggle("above", above);
  }

  begin({ canvas, width, height }) {
    const g = canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.lineJoin = "round"; g.lineCap = "butt"; g.textBaseline = "alphabetic"; g.globalAlpha = 1; g.setLineDash([]);
    return g;
  }

  // --- α·λmax and its limit --------------------------------------------------------------------------------------------------------

  px(t) { return 2 + t / Math.max(this.scene.steps, 1) * (this.cards.product.width - 8); }
  py(share) { const { height } = this.cards.product; return Math.min(Math.max(height - 4 - share * LEVEL * (height - 8), -4), height + 4); }

  // The curve of everybody who has a limit, each as a share of its own: so there is one line for all; the one that is read on top.
  paint(paths, gauge, path, products, theme) {
    const { cards: { product: card }, shape } = this, { width, height } = card;
    if (!width) return;
    shape.width = card.canvas.width; shape.height = card.canvas.height;
    const g = this.begin({ ...card, canvas: shape });
    const sorted = products.filter((v) => !Number.isNaN(v)).sort();
    this.unit = gauge.limit ?? Math.max(sorted[Math.floor(0.98 * (sorted.length - 1))] ?? 1, 1e-12) * LEVEL / 0.85;
    if (gauge.limit !== null) {
      for (const other of this.gauges.each) {
        const theirs = paths.find((p) => p.entrant === other.entrant);
        const those = other !== gauge && other.limit !== null && theirs && !theirs.muted && !theirs.stale && this.products(theirs, other);
        if (!those) continue;
        g.strokeStyle = theirs.colour; g.globalAlpha = 0.6; g.lineWidth = this.big ? 1.75 : 1.25; g.setLineDash(DASHES[theirs.dash].map((d) => d * 0.5));
        g.stroke(this.curve(those, other.limit));
      }
    }
    const side = (low, high) => products.filter((v, t) => t > 0.7 * products.length && v > low * this.unit && v < high * this.unit).length;
    this.low = side(1, 1.5) > side(0.5, 1); // the limit's name stands where the curve is not
    const own = this.curve(products, this.unit), wide = this.big ? 3 : 2, limit = this.py(1);
    g.globalAlpha = 1; g.strokeStyle = path.colour; g.lineWidth = wide; g.setLineDash(DASHES[path.dash].map((d) => d * 0.6));
    g.stroke(own);
    if (gauge.limit === null) return;
    g.setLineDash([]); g.save(); // above the limit: twice as thick
    g.beginPath(); g.rect(0, 0, width, limit); g.clip();
    g.lineWidth = 2 * wide; g.stroke(own);
    g.restore();
  }

  // Least and greatest of each pixel column, as in the chart above; what is no number is a gap.
  curve(products, unit) {
    const line = new Path2D(), columns = this.cards.product.width - 8, column = (t) => Math.floor(t / Math.max(this.scene.steps, 1) * columns);
    let drawn = false;
    for (let t = 0; t < products.length;) {
      let low = products[t], high = low, end = t + 1;
      for (; end < products.length && column(end) === column(t); end++) {
        low = Math.min(low, products[end]); high = Math.max(high, products[end]);
      }
      if (Number.isNaN(low)) { drawn = false; t = end; continue; }
      const x = this.px(t);
      if (drawn) line.lineTo(x, this.py(products[t] / unit)); else line.moveTo(x, this.py(products[t] / unit));
      if (end - t > 2) { line.lineTo(x, this.py(high / unit)); line.lineTo(x, this.py(low / unit)); }
      line.lineTo(this.px(end - 1), this.py(products[end - 1] / unit));
      drawn = true;
      t = end;
    }
    return line;
  }

  // The curve up to the playhead, what is to come pale, the zone above the limit striped.
  point(card, path, playhead, gauge) {
    const { width, height, canvas } = card, { themes, texts } = this.scene, theme = themes[this.worn.theme], { products } = this.worn;
    if (!width) return;
    const g = this.begin(card), limit = this.py(1), x = this.px(playhead), now = Math.min(Math.round(x * this.ratio), canvas.width);
    if (gauge.limit !== null) {
      g.save(); g.beginPath(); g.rect(0, 0, width, limit); g.clip();
      g.strokeStyle = theme.line; g.lineWidth = 1; g.beginPath();
      for (let at = -height; at < width; at += STRIPE) { g.moveTo(at, limit); g.lineTo(at + limit, 0); }
      g.stroke(); g.restore();
    }
    g.setTransform(1, 0, 0, 1, 0, 0);
    if (now) g.drawImage(this.shape, 0, 0, now, canvas.height, 0, 0, now, canvas.height);
    g.globalAlpha = 0.3;
    if (now < canvas.width) g.drawImage(this.shape, now, 0, canvas.width - now, canvas.height, now, 0, canvas.width - now, canvas.height);
    g.globalAlpha = 1;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.strokeStyle = theme.faint; g.lineWidth = 1;
    const level = Math.round(gauge.limit === null ? this.py(0) : limit) + 0.5;
    g.beginPath(); g.moveTo(0, level); g.lineTo(width, level); g.stroke();
    const k = Math.floor(playhead), a = products[k], b = products[Math.min(k + 1, (path.end ?? products.length) - 1)];
    const share = (a + ((Number.isNaN(b) ? a : b) - a) * (playhead - k)) / this.unit, y = Math.min(Math.max(this.py(share), 5), height - 4);
    this.label(g, theme, gauge.limit === null ? texts.no_limit : texts.limit, gauge.limit === null ? height - 8 : this.low ? limit + (this.big ? 19 : 13) : limit - 4);
    if (Number.isNaN(a)) return;
    g.fillStyle = path.colour; g.strokeStyle = theme.card; g.lineWidth = 1.5;
    g.beginPath(); g.arc(x, y, this.big ? 6 : 4, 0, 7); g.fill(); g.stroke();
  }

  // A name in the corner.
  label(g, theme, text, y) {
    g.font = this.font(11); g.textAlign = "right"; g.strokeStyle = theme.card; g.lineWidth = 4; g.fillStyle = theme.faint;
    const { width } = this.cards.product;
    g.strokeText(text, width - 2, y); g.fillText(text, width - 2, y);
  }

  // --- the memory of a momentum ------------------------------------------------------------------------------------------------------

  // A bar for each past gradient, the newest on the right: as high as its weight in the velocity; empty where there was no step yet.
  comb(card, { comb, sign }, path, k, theme) {
    const g = this.begin(card), { width, height } = card, { shares, steps } = comb, n = shares.length;
    if (!width) return;
    const foot = height - (this.big ? 27 : 18), pitch = width / n, gap = pitch > 7 ? 2 : pitch > 3 ? 1 : 0, top = 3;
    for (let i = 0; i < n; i++) {
      const tall = Math.max(shares[i] / shares[0] * (foot - top), 1), x = width - (i + 1) * pitch;
      g.fillStyle = i < k ? path.colour : theme.line; g.globalAlpha = i < k && i >= steps ? 0.4 : 1;
      g.fillRect(x + gap / 2, foot - tall, pitch - gap, tall);
    }
    g.globalAlpha = 1;
    g.font = this.font(11); g.fillStyle = theme.faint; g.textAlign = "left";
    g.fillText(this.scene.texts.memory, 0, this.big ? 18 : 11);
    const left = Math.max(width - steps * pitch, 0), text = `1/(1−${sign}) = ${digits(comb.reach)}`, base = height - (this.big ? 4 : 3), long = g.measureText(text).width;
    g.strokeStyle = theme.ink; g.lineWidth = this.big ? 2 : 1.25; g.fillStyle = theme.ink; g.textAlign = "center";
    g.beginPath(); if (steps <= n) { g.moveTo(left + 0.5, foot); g.lineTo(left + 0.5, foot + 3); }
    g.moveTo(left, foot + 3); g.lineTo(width - 0.5, foot + 3); g.lineTo(width - 0.5, foot); g.stroke();
    g.fillText(text, Math.min((left + width) / 2, width - long / 2), base);
    if (width - Math.max(long, width - left) > 60) { g.textAlign = "left"; g.fillStyle = theme.faint; g.fillText(this.scene.texts.older, 0, base); }
  }

  // --- Adam's first steps ------------------------------------------------------------------------------------------------------------

  // Feet over a ruler in units of α, filled as the playhead passes them.
  feet(card, [corrected, uncorrected], path, k, theme) {
    const g = this.begin(card), { width, height } = card, big = this.big ? 1.55 : 1, { texts } = this.scene;
    if (!width) return;
    const most = Math.max(corrected.at(-1), uncorrected.at(-1)), left = 8 * big, px = (v) => left + v / most * (width - left - 8 * big), ruler = height - 13 * big;
    const size = Math.min(Math.max((px(corrected[1]) - px(0)) / 7.2, 1), ruler / 42); // no foot on another
    const rows = [[uncorrected, ruler * 0.44, texts.uncorrected], [corrected, ruler * 0.82, texts.corrected]];
    g.font = this.font(11); g.textAlign = "left";
    for (const [marks, y, name] of rows) {
      const own = marks === corrected;
      for (let i = -1; i < marks.length; i++) {
        foot(g, px(i < 0 ? 0 : marks[i]), y + (i % 2 ? 2.6 : -2.6) * size, size, i < k ? (own ? path.colour : theme.ink) : null, i < 0 ? theme.faint : own ? path.colour : theme.faint);
      }
      g.fillStyle = theme.faint;
      if (own) g.fillText(name, px(marks.at(-1)) + 5 * size + 4, y + 4 * big); else g.fillText(name, px(0) - 4 * big, 9 * big);
    }
    g.strokeStyle = theme.faint; g.fillStyle = theme.faint; g.lineWidth = 1; g.textAlign = "center";
    const rough = most / ((width - left) / (44 * big)), ten = 10 ** Math.floor(Math.log10(rough)), every = ten * [1, 2, 5, 10].find((m) => m * ten >= rough);
    g.beginPath(); g.moveTo(px(0), ruler); g.lineTo(px(most), ruler);
    for (let v = 0, i = 0; v <= most; v = ++i * every) {
      g.moveTo(px(v), ruler); g.lineTo(px(v), ruler + 3);
      g.fillText(v ? `${digits(v)}α` : "0", px(v), height - 1);
    }
    g.stroke();
  }
}

// A number with so many decimals, where that is one to be read at a glance.
const decimal = (value, places) => (Math.abs(value) < 1e5 ? value.toFixed(places).replace("-", "−") : digits(value));

// A print of a foot that goes to the right: filled where it has been.
function foot(g, x, y, size, filled, outline) {
  g.beginPath();
  g.ellipse(x, y, 2.7 * size, 1.7 * size, 0, 0, 7);
  g.moveTo(x - 2.6 * size, y); g.ellipse(x - 3.9 * size, y, 1.2 * size, 1.1 * size, 0, 0, 7);
  if (filled) { g.fillStyle = filled; g.fill(); } else { g.strokeStyle = outline; g.lineWidth = 0.9; g.stroke(); }
}
