// A scene as render/wire.py packed it, and the runs that the page repeats by itself.

const KINDS = { float32: Float32Array, float64: Float64Array };

// A message's head and a reader of its arrays: [what the head says, (place) => array].
export function opened(bytes) {
  const buffer = bytes.slice().buffer; // an aligned copy
  const [length] = new Uint32Array(buffer, 0, 1);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  return [head, (place) => place && new KINDS[place[0]](buffer, 8 + length + place[1], place[2])];
}

export function unpack(bytes) {
  const [scene, array] = opened(bytes);
  const noise = array(scene.noise);
  const width = noise ? noise.length / scene.steps : 0;
  scene.noise = noise ? Array.from({ length: scene.steps }, (_, t) => Array.from(noise.subarray(t * width, (t + 1) * width))) : [];
  for (const path of scene.paths) {
    for (const name of ["x", "y", "height"]) path[name] = array(path[name]);
    if (Array.isArray(path.rate)) path.rate = array(path.rate);
    if (path.live && Array.isArray(path.live.rates)) path.live.rates = array(path.live.rates);
  }
  for (const crowd of scene.crowds) for (const name of ["x", "y"]) crowd[name] = array(crowd[name]);
  const { explained } = scene;
  if (explained) {
    explained.values = explained.values.map(array);
    explained.rates = array(explained.rates);
    for (const path of scene.paths) path.dim = path.entrant !== explained.entrant;
  }
  for (const gauge of scene.gauges?.each ?? []) {
    gauge.products = array(gauge.products);
    gauge.feet = gauge.feet?.map(array);
    if (gauge.comb) gauge.comb.shares = array(gauge.comb.shares);
  }
  scene.heatKey = JSON.stringify(scene.heat);
  scene.surface = scene.heat.lattice ? lattice(...scene.heat.lattice.map(array)) : compiled(scene.heat.surface);
  scene.descend = compiled(`(() => { ${scene.loop}; return descend; })()`);
  return scene;
}

// The code comes from our own printers (expr.py, trace.py), never from what a visitor typed.
const known = new Map();
export function compiled(source) {
  if (!known.has(source)) {
    if (known.size > 500) known.clear();
    known.set(source, new Function(`"use strict"; return ${source};`)());
  }
  return known.get(source);
}

// A surface between the even places where it is known, and as it is at its edge beyond them.
export function between(x, y, z) {
  const along = (places, v) => {
    const k = Math.min(Math.max((v - places[0]) / (places.at(-1) - places[0]), 0), 1) * (places.length - 1), i = Math.min(Math.floor(k), places.length - 2);
    return [i, k - i];
  };
  return (a, b) => {
    const [i, u] = along(x, a), [j, v] = along(y, b), n = x.length, k = j * n + i;
    return (z[k] * (1 - u) + z[k + 1] * u) * (1 - v) + (z[k + n] * (1 - u) + z[k + n + 1] * u) * v;
  };
}

// The same with its slopes, as they are from cell to cell.
function lattice(x, y, z) {
  const height = between(x, y, z), [dx, dy] = [x, y].map((places) => (places.at(-1) - places[0]) / (places.length - 1) / 2);
  return { height, slope: (a, b) => [(height(a + dx, b) - height(a - dx, b)) / (2 * dx), (height(a, b + dy) - height(a, b - dy)) / (2 * dy)] };
}

// Where a height stands among the bands: scene.Heat.warp.
export function warp(heat) {
  const { low, span, scale, bands } = heat;
  const whole = scale ? bands / Math.log1p(1 / scale) : bands;
  return (f) => {
    const d = (f - low) / span;
    if (!(d < 1) || d === -Infinity) return bands; // what is no number is as high as the highest
    return d <= 0 ? 0 : scale ? whole * Math.log1p(d / scale) : whole * d;
  };
}

// The height at a position among the bands: scene.Heat.height.
export const heightAt = ({ low, span, scale, bands }, u) => low + span * (scale ? scale * Math.expm1(u / bands * Math.log1p(1 / scale)) : u / bands);

// The paths from another start, each by its own formula; null where only Python knows the optimizer.
export function rerun(scene, start) {
  return scene.paths.map((path) => {
    if (!path.live) return null;
    const { step, numbers, rates, noisy, fed } = path.live;
    const given = typeof rates === "number" ? new Float64Array(scene.steps).fill(rates) : rates;
    const out = scene.descend(scene.surface, compiled(step), start[0], start[1], scene.steps, numbers, given, noisy ? scene.noise : []);
    const n = scene.steps + 1, x = new Float64Array(n), y = new Float64Array(n);
    x[0] = start[0]; y[0] = start[1];
    for (let t = 1; t < n; t++) { x[t] = out.rows[t - 1][0]; y[t] = out.rows[t - 1][1]; }
    return { ...path, x, y, height: Float64Array.from(out.loss), end: out.diverged, rate: fed ? NaN : path.rate }; // a fed schedule keeps its rates to itself
  });
}

// "dark" or "light", as the page around an element is painted.
export function themeOf(element) {
  const page = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  if (!page) return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [r, g, b] = page.startsWith("#") ? [1, 3, 5].map((i) => parseInt(page.slice(i, i + 2), 16)) : page.match(/[\d.]+/g).map(Number);
  return 0.3 * r + 0.6 * g + 0.1 * b < 128 ? "dark" : "light";
}

// A few significant digits, as they are printed: 0.00123, 1.23·10⁻⁵.
export function digits(value, n = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return minus(String(size >= 10 ** (n - 1) ? Math.round(value) : Number(value.toPrecision(n))));
  const [mantissa, exponent] = value.toExponential(n - 1).split("e");
  return minus(`${Number(mantissa)}·`) + power(Number(exponent));
}
export const power = (p) => "10" + [...String(p)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("");
const minus = (text) => text.replace("-", "−");

// "step {k} of {n}" with its names filled in
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
