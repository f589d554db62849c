// The relief: a surface f(x, y) as a block of coloured strata under a lamp, with the paths of the optimizers lying on it.
//
// Space: the box is the square [-1/2, 1/2]^2 whatever its sides, and the levels 0 ... bands are the heights 0 ... RISE. The grid of heights
// that is drawn also carries the trails and answers project() and pick(): on it a narrow valley is a little shallower than in the formula,
// and a trail at the formula's height would be buried there.

const CELLS = 160, SIDE = CELLS + 1, POINTS = SIDE * SIDE;
const RISE = 0.4, FLOOR = -0.03;
const LIFT = 0.0015; // of a trail above the ground
const TINY = 2e-4; // a move too short to be seen
const PIECES = 12000; // of one trail, at most about
const MARGIN = 0.94, FOCUS = 1 / Math.tan((11 * Math.PI) / 180), DEPTH = 0.9; // of view: half the angle, half the depth
const ROW = 2048; // of the texture that holds a trail
const DASHES = [[14, 14], [13, 6], [7, 0]]; // period and painted part in CSS pixels: solid, dashed, dotted
const STRIDE = 1 / 1500; // of a ray that looks for the ground
const AROUND = [[-1, -1], [0, -1], [1, -1], [-1, 0], [1, 0], [-1, 1], [0, 1], [1, 1]];

// What the block stands on: a soft shadow along its foot.
const GROUND = [`uniform mat4 camera; uniform float foot; out vec2 place;
void main() {
  place = (vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0) * 0.9;
  gl_Position = camera * vec4(place, foot, 1.0);
}`, `in vec2 place; uniform vec3 shade; out vec4 colour;
void main() {
  vec2 q = abs(place) - 0.5;
  colour = vec4(shade, 0.3 * exp(-16.0 * (length(max(q, 0.0)) - min(max(q.x, q.y), 0.0))));
}`];

const SURFACE = [`layout(location = 0) in vec3 position; layout(location = 1) in vec3 normal; layout(location = 2) in float level;
uniform mat4 camera; out vec3 n; out float u;
void main() {
  n = normal;
  u = level;
  gl_Position = camera * vec4(position, 1.0);
}`, `in vec3 n; in float u; out vec4 colour;
uniform vec3 valley, peak, isoline, shade, glow, lamp; uniform float bands, ratio;
vec3 tint(float k) { return mix(valley, peak, clamp(k / max(bands - 1.0, 1.0), 0.0, 1.0)); }
void main() {
  float slope = max(length(vec2(dFdx(u), dFdy(u))), 1e-6), nearest = floor(u + 0.5), away = (u - nearest) / slope;
  vec3 band = mix(tint(min(nearest - 1.0, bands - 1.0)), tint(nearest), clamp(away + 0.5, 0.0, 1.0));
  float line = clamp(0.5 * ratio + 0.5 - abs(away), 0.0, 1.0) * min(1.0, 0.3 / slope); // where lines would merge they fade
  line *= step(1e-5, slope) * step(0.5, nearest) * step(nearest, bands - 0.5);
  float wall = 1.0 - n.z; // on the walls lines and light are only hinted at
  float lit = mix(1.0, 0.45, wall) * (dot(normalize(n), lamp) - lamp.z) - 0.1 * wall;
  band = mix(band, lit < 0.0 ? shade : glow, clamp(abs(lit) * 0.62, 0.0, 0.75)); // level ground keeps its colour
  colour = vec4(mix(band, isoline, line * (1.0 - 0.6 * wall)), 1.0);
}`];

// Each straight piece of a trail is a capsule of constant width on the screen: six vertices, its two ends read from a texture.
const TRAIL = [`uniform highp sampler2D thread; uniform mat4 camera; uniform vec2 size; uniform float radius;
out vec2 place; flat out float reach; flat out vec2 steps, ways;
vec4 texel(int i) { return texelFetch(thread, ivec2(i % ${ROW}, i / ${ROW}), 0); }
void main() {
  int piece = gl_VertexID / 6, c = gl_VertexID % 6;
  vec2 corner = vec2(c == 1 || c == 2 || c == 4 ? 1.0 : 0.0, c > 1 && c < 5 ? 1.0 : 0.0);
  vec4 from = texel(2 * piece), to = texel(2 * piece + 2), end = texel(2 * piece + 3);
  vec4 a = camera * vec4(from.xyz, 1.0), b = camera * vec4(to.xyz, 1.0);
  vec2 p = a.xy / a.w * size * 0.5, q = b.xy / b.w * size * 0.5;
  reach = distance(p, q);
  vec2 along = reach > 1e-3 ? (q - p) / reach : vec2(1.0, 0.0);
  place = vec2(corner.x * reach, 0.0) + (corner * 2.0 - 1.0) * (radius + 1.0);
  steps = vec2(from.w, to.w);
  ways = vec2(texel(2 * piece + 1).x, end.x);
  vec2 spot = (p + along * place.x + vec2(-along.y, along.x) * place.y) / size * 2.0;
  gl_Position = end.y > 0.5 ? vec4(spot, mix(a.z / a.w, b.z / b.w, corner.x), 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`, `in vec2 place; flat in float reach; flat in vec2 steps, ways; out vec4 colour;
uniform vec3 paint; uniform vec2 dash; uniform float radius, playhead, opacity;
void main() {
  float t = clamp(place.x / max(reach, 1e-3), 0.0, 1.0);
  float gap = abs(mod(mix(ways.x, ways.y, t), dash.x) - 0.5 * dash.x) - 0.5 * dash.y;
  float beyond = max(gap, 0.0) * reach / max(ways.y - ways.x, 1e-6);
  float cover = clamp(radius + 0.5 - length(vec2(place.x - t * reach, length(vec2(place.y, beyond)))), 0.0, 1.0);
  if (mix(steps.x, steps.y, t) > playhead || (opacity < 1.0 && cover < 0.5)) discard;
  colour = vec4(paint, opacity < 1.0 ? opacity : cover);
}`];

const HEAD = [`uniform mat4 camera; uniform vec2 size; uniform vec3 centre; uniform float radius, rim; out vec2 place;
void main() {
  place = (vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0) * (1.5 * radius + rim + 1.0);
  vec4 c = camera * vec4(centre, 1.0);
  gl_Position = vec4(c.xy / c.w + place / size * 2.0, 0.0, 1.0);
}`, `in vec2 place; uniform vec3 paint, background; uniform float radius, rim, opacity, shape; out vec4 colour;
float bar(vec2 p) { return max(p.x - 1.2 * radius, p.y - 0.36 * radius); }
float outside(vec2 p) {
  vec2 q = abs(p);
  if (shape == 1.0) return max(q.x, q.y) - 0.88 * radius;
  if (shape == 2.0) return max(dot(vec2(q.x, p.y), vec2(0.866, 0.5)), -p.y) - 0.68 * radius;
  if (shape == 3.0) return (q.x + q.y) * 0.707 - 0.9 * radius;
  if (shape == 4.0) return min(bar(q), bar(q.yx));
  return length(p) - radius;
}
void main() {
  float d = outside(place);
  colour = vec4(mix(background, paint, clamp(0.5 - d, 0.0, 1.0)), opacity * clamp(rim + 0.5 - d, 0.0, 1.0));
}`];

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
const mix = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = (a) => a.map((v) => v / Math.hypot(...a));
const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

// The part [s, t] of the way from a to b that lies in the square, or null.
function inside(a, b) {
  let s = 0, t = 1;
  for (let i = 0; i < 2; i++) {
    if (a[i] === b[i] && Math.abs(a[i]) <= 0.5) continue;
    const p = (-0.5 - a[i]) / (b[i] - a[i]), q = (0.5 - a[i]) / (b[i] - a[i]);
    s = Math.max(s, Math.min(p, q));
    t = Math.min(t, Math.max(p, q));
  }
  return s <= t ? [s, t] : null;
}

// Heights on a grid: `z` for the trails and the pointer, `vertices` (position, normal, level) and `indices` for the graphics card.
class Terrain {
  constructor({ height, box: [x0, x1, y0, y1], warp, bands }) {
    this.bands = bands;
    this.rise = (u) => (clamp(u, 0, bands) / bands) * RISE;
    this.level = (x, y) => { // in bands, and a little beyond them, so that the outermost isolines fall into place; NaN is a hole
      const f = height(x0 + (x + 0.5) * (x1 - x0), y0 + (y + 0.5) * (y1 - y0));
      return Math.abs(f) === Infinity ? (f > 0 ? bands + 1 : -1) : clamp(warp(f), -1, bands + 1);
    };
    this.z = new Float32Array(POINTS);
    this.vertices = new Float32Array(7 * (POINTS + 8 * SIDE)); // the last ones for the walls
    const { z, vertices } = this, levels = new Float32Array(POINTS);
    for (let k = 0; k < POINTS; k++) {
      levels[k] = this.level((k % SIDE) / CELLS - 0.5, Math.floor(k / SIDE) / CELLS - 0.5);
      z[k] = this.rise(levels[k]);
    }
    for (let k = 0; k < POINTS; k++) {
      const at = [(k % SIDE) / CELLS - 0.5, Math.floor(k / SIDE) / CELLS - 0.5], rim = Number.isNaN(z[k]) ? this.rim(k, ...at) : null;
      const [x, y] = rim ? rim.at : at, level = rim ? this.level(x, y) : levels[k];
      vertices.set([x, y, this.rise(level), ...this.normal(rim ? rim.from : k), level], 7 * k);
    }
    const top = this.cover();
    this.indices = new Uint32Array(top.concat(this.walls()));
    this.top = top.length;
  }

  // Where a grid point in a hole moves to: the nearest rim on the way to a neighbour, for a smooth rim instead of a staircase.
  rim(k, x, y) {
    let best = null;
    for (const [di, dj] of AROUND) {
      if (Math.abs(x + di / CELLS) > 0.501 || Math.abs(y + dj / CELLS) > 0.501 || Number.isNaN(this.z[k + di + dj * SIDE])) continue;
      let hole = 0, ground = 1;
      for (let n = 0; n < 10; n++) {
        const half = (hole + ground) / 2, bare = Number.isNaN(this.level(x + (half * di) / CELLS, y + (half * dj) / CELLS));
        [hole, ground] = bare ? [half, ground] : [hole, half];
      }
      const far = ground * Math.hypot(di, dj);
      if (!best || far < best.far) best = { far, from: k + di + dj * SIDE, at: [x + (ground * di) / CELLS, y + (ground * dj) / CELLS] };
    }
    return best;
  }

  normal(k) {
    const { z } = this, i = k % SIDE;
    const slope = (before, after) => {
      const a = before >= 0 && !Number.isNaN(z[before]) ? before : k, b = after < POINTS && !Number.isNaN(z[after]) ? after : k;
      return ((z[b] - z[a]) * CELLS) / ((a < k) + (b > k) || 1) || 0;
    };
    return [-slope(i > 0 ? k - 1 : k, i < CELLS ? k + 1 : k), -slope(k - SIDE, k + SIDE), 1];
  }

  // Two triangles a cell, parted along the diagonal that bends less: valleys aslant to the grid stay smooth.
  cover() {
    const { z, vertices } = this, indices = [];
    const add = (...corners) => { // ground, or between ground and a rim
      if (corners.every((k) => !Number.isNaN(vertices[7 * k + 6])) && corners.some((k) => !Number.isNaN(z[k]))) indices.push(...corners);
    };
    for (let k = 0; k < POINTS - SIDE; k++) {
      if (k % SIDE === CELLS) continue;
      const a = k, b = k + 1, c = k + SIDE, d = c + 1, rising = Math.abs(z[a] - z[d]) <= Math.abs(z[b] - z[c]);
      add(a, b, rising ? d : c);
      add(rising ? a : b, d, c);
    }
    return indices;
  }

  walls() {
    const { z, vertices, bands } = this, indices = [];
    let next = POINTS;
    for (const [start, stride, nx, ny] of [[0, 1, 0, -1], [CELLS * SIDE, 1, 0, 1], [0, SIDE, -1, 0], [CELLS, SIDE, 1, 0]]) {
      for (let n = 0, k = start; n < SIDE; n++, k += stride, next += 2) {
        const [x, y, top] = vertices.subarray(7 * k, 7 * k + 3);
        vertices.set([x, y, top, nx, ny, 0, (top / RISE) * bands, x, y, FLOOR, nx, ny, 0, (FLOOR / RISE) * bands], 7 * next);
        const [a, b] = ny < 0 || nx > 0 ? [next, next + 2] : [next + 2, next]; // counter-clockwise seen from outside
        if (n < CELLS && !Number.isNaN(z[k] + z[k + stride])) indices.push(a, a + 1, b, a + 1, b + 1, b);
      }
    }
    return indices;
  }

  // The drawn height at a point of the square; NaN in a hole and outside.
  at(x, y) {
    if (!(Math.abs(x) <= 0.5 && Math.abs(y) <= 0.5)) return NaN;
    const gx = (x + 0.5) * CELLS, gy = (y + 0.5) * CELLS, i = Math.min(Math.floor(gx), CELLS - 1), j = Math.min(Math.floor(gy), CELLS - 1);
    const s = gx - i, t = gy - j, k = j * SIDE + i, a = this.z[k], b = this.z[k + 1], c = this.z[k + SIDE], d = this.z[k + SIDE + 1];
    if (Number.isNaN(a + b + c + d)) return this.rise(this.level(x, y));
    if (Math.abs(a - d) <= Math.abs(b - c)) return s > t ? a + s * (b - a) + t * (d - b) : a + t * (c - a) + s * (d - c);
    return s + t < 1 ? a + s * (b - a) + t * (c - a) : d + (1 - s) * (c - d) + (1 - t) * (b - d);
  }

  // A trail (points of the square) cut into pieces about as long as a cell, which follow the ground. Eight numbers a
  // point: x, y, z, step, length of the way so far, joined to the point before (0 or 1), two zeros.
  drape(points) {
    const legs = [], data = [];
    let total = 0, x0 = 0, y0 = 0, z0 = 0, way = 0, joined = false;
    for (let k = 0; k + 1 < points.length; k++) {
      const part = inside(points[k], points[k + 1]);
      const length = Math.hypot(points[k + 1][0] - points[k][0], points[k + 1][1] - points[k][1]);
      legs.push(part && { s: part[0], t: part[1], length: (part[1] - part[0]) * length });
      total += legs[k]?.length || 0;
    }
    legs.forEach((leg, k) => {
      joined &&= leg?.s === 0;
      const [ax, ay] = points[k], [bx, by] = points[k + 1], pieces = leg ? Math.ceil(leg.length / Math.max(1 / CELLS, total / PIECES)) || 1 : -1;
      for (let m = joined ? 1 : 0; m <= pieces; m++) {
        const t = leg.s + ((leg.t - leg.s) * m) / pieces, x = clamp(ax + (bx - ax) * t, -0.5, 0.5), y = clamp(ay + (by - ay) * t, -0.5, 0.5);
        const z = this.at(x, y) + LIFT, move = joined ? Math.hypot(x - x0, y - y0, z - z0) : 0;
        if (joined && move < TINY) continue;
        if (!Number.isNaN(z)) {
          way += move;
          data.push(x, y, z, k + t, way, joined ? 1 : 0, 0, 0);
          [x0, y0, z0] = [x, y, z];
        }
        joined = !Number.isNaN(z);
      }
      joined &&= leg.t === 1;
    });
    return data;
  }
}

export class Relief {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: true, alpha: false, stencil: true });
    if (!this.gl) throw new Error("no WebGL2");
    this.camera = { yaw: -60, pitch: 40, zoom: 1 }; // yaw -90: x to the right and y away from the viewer
    this.trails = [];
    this.playhead = 0;
    this.box = [0, 1, 0, 1];
    this.setTheme({ background: "#ffffff", valley: "#cfdde8", peak: "#f7f9fb", isoline: "#9fb3c4", ink: "#1b2733" });
    this.resize(canvas.clientWidth, canvas.clientHeight, 1);
    this.lose = (event) => event.preventDefault(); // else the browser would not restore the context
    this.restore = () => { this.prepare(); this.draw(this.playhead); };
    canvas.addEventListener("webglcontextlost", this.lose);
    canvas.addEventListener("webglcontextrestored", this.restore);
    this.prepare();
  }

  // Everything that lives on the graphics card, from what was set last.
  prepare() {
    this.programs = Object.fromEntries(Object.entries({ GROUND, SURFACE, TRAIL, HEAD }).map(([name, source]) => [name, this.compile(source)]));
    this.bare = this.gl.createVertexArray();
    this.block = { array: this.gl.createVertexArray(), vertices: this.gl.createBuffer(), indices: this.gl.createBuffer() };
    this.threads = [];
    if (this.terrain) this.upload();
  }

  compile([vertex, fragment]) {
    const { gl } = this, program = gl.createProgram(), uniforms = {};
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, `#version 300 es\nprecision highp float;\n${source}`);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader)).join("") + gl.getProgramInfoLog(program));
    }
    for (let i = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) - 1; i >= 0; i--) {
      const { name } = gl.getActiveUniform(program, i);
      uniforms[name] = gl.getUniformLocation(program, name);
    }
    return { program, uniforms };
  }

  resize(width, height, ratio) {
    Object.assign(this, { width: Math.max(width, 1), height: Math.max(height, 1), ratio });
    const w = Math.round(this.width * ratio), h = Math.round(this.height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
  }

  setTheme(theme) {
    const colours = Object.fromEntries(Object.entries(theme).map(([name, hex]) => [name, rgb(hex)])), { background, valley, peak, ink } = colours;
    const dark = dot(background, [1, 1, 1]) < dot(ink, [1, 1, 1]);
    this.theme = { ...colours, shade: dark ? background.map((v) => 0.3 * v) : mix(valley, ink, 0.6), glow: dark ? mix(peak, ink, 0.5) : background };
  }

  setSurface(surface) {
    this.box = surface.box;
    this.terrain = new Terrain(surface);
    this.upload();
  }

  setTrails(trails) {
    this.trails = trails;
    if (this.terrain) this.uploadTrails();
  }

  upload() {
    const { gl, terrain, block } = this;
    gl.bindVertexArray(block.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, block.vertices);
    gl.bufferData(gl.ARRAY_BUFFER, terrain.vertices, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, block.indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, terrain.indices, gl.STATIC_DRAW);
    for (const [location, count, offset] of [[0, 3, 0], [1, 3, 12], [2, 1, 24]]) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, count, gl.FLOAT, false, 28, offset);
    }
    gl.bindVertexArray(null);
    this.uploadTrails();
  }

  uploadTrails() {
    const { gl } = this;
    this.threads.forEach(({ texture }) => gl.deleteTexture(texture));
    this.threads = this.trails.map(({ x, y, end }) => {
      const last = Math.min(end ?? Infinity, x.length - 1), points = Array.from({ length: last + 1 }, (_, k) => this.unit(x[k], y[k]));
      const data = this.terrain.drape(points), rows = Math.ceil(data.length / (4 * ROW)) || 1, texels = new Float32Array(4 * ROW * rows);
      texels.set(data);
      const texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, texture);
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, ROW, rows);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, ROW, rows, gl.RGBA, gl.FLOAT, texels);
      return { texture, points, steps: Float32Array.from({ length: data.length / 8 }, (_, i) => data[8 * i + 3]) };
    });
  }

  unit(x, y) {
    const [x0, x1, y0, y1] = this.box;
    return [(x - x0) / (x1 - x0) - 0.5, (y - y0) / (y1 - y0) - 0.5];
  }

  // Where the eye is, and what it sees. The block fills the canvas, and just so when it is turned by any yaw: nothing swells on the way.
  view() {
    const yaw = (this.camera.yaw * Math.PI) / 180, pitch = (this.camera.pitch * Math.PI) / 180, aspect = this.width / this.height;
    const cp = Math.cos(pitch), sp = Math.sin(pitch), cy = Math.cos(yaw), sy = Math.sin(yaw), middle = (FLOOR + RISE) / 2, k = FOCUS / MARGIN;
    const right = [-sy, cy, 0], up = [-sp * cy, -sp * sy, cp], back = [cp * cy, cp * sy, sp];
    let wide = 0, above = 0, below = 0; // how far away the eye must be for the corners, on their circles, to stay within the margins
    for (let angle = 0; angle <= Math.PI; angle += Math.PI / 24) {
      for (const z of [FLOOR - middle, RISE - middle]) {
        const across = Math.SQRT1_2 * Math.sin(angle), flat = Math.SQRT1_2 * Math.cos(angle), near = cp * flat + sp * z, high = cp * z - sp * flat;
        wide = Math.max(wide, near + (across * k) / aspect);
        above = Math.max(above, near + high * k);
        below = Math.max(below, near - high * k);
      }
    }
    const far = Math.max(wide, (above + below) / 2), shift = (above - below) / (2 * k);
    const eye = [0, 1, 2].map((i) => back[i] * far + up[i] * shift + (i === 2 ? middle : 0));
    const fy = FOCUS * this.camera.zoom, fx = fy / aspect, n = far - DEPTH, f = far + DEPTH, deep = (f + n) / (f - n);
    const rows = [right.map((v) => v * fx), up.map((v) => v * fy), back.map((v) => -v * deep), back.map((v) => -v)];
    const origin = rows.map((row, i) => -dot(row, eye) - (i === 2 ? (2 * f * n) / (f - n) : 0));
    return { matrix: [0, 1, 2].flatMap((i) => rows.map((row) => row[i])).concat(origin), far, eye, right, up, back, fx, fy };
  }

  draw(playhead) {
    const { gl } = this;
    this.playhead = playhead;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.depthMask(true); // else the depth would not be cleared
    gl.clearColor(...this.theme.background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    if (!this.terrain) return;
    const view = this.view();
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    this.drawBlock(view);
    this.drawTrails(view, playhead);
    this.drawHeads(view, playhead);
    gl.bindVertexArray(null);
  }

  set({ program, uniforms }, values) {
    this.gl.useProgram(program);
    for (const [name, value] of Object.entries(values)) {
      if (value.length === 16) this.gl.uniformMatrix4fv(uniforms[name], false, value);
      else this.gl[`uniform${value.length ?? 1}fv`](uniforms[name], [value].flat());
    }
  }

  // Draws with only these capabilities on.
  having(names, draw) {
    names.forEach((name) => this.gl.enable(this.gl[name]));
    draw();
    names.forEach((name) => this.gl.disable(this.gl[name]));
  }

  drawBlock({ matrix: camera, right, back }) {
    const { gl, ratio } = this, { top, indices, bands } = this.terrain, { valley, peak, isoline, shade, glow } = this.theme;
    // As on maps the lamp hangs over the viewer's left shoulder: hills look like hills from every side.
    const lamp = unit([0, 1, 2].map((i) => -0.6 * right[i] + 0.1 * back[i] + (i === 2 ? 0.65 : 0)));
    this.set(this.programs.SURFACE, { camera, valley, peak, isoline, shade, glow, lamp, bands, ratio });
    gl.bindVertexArray(this.block.array);
    gl.depthFunc(gl.LESS);
    gl.polygonOffset(2 * ratio, 2); // steep ground steps back by what half the width of a trail needs
    this.having(["DEPTH_TEST", "POLYGON_OFFSET_FILL"], () => {
      gl.drawElements(gl.TRIANGLES, top, gl.UNSIGNED_INT, 0);
      this.having(["CULL_FACE"], () => gl.drawElements(gl.TRIANGLES, indices.length - top, gl.UNSIGNED_INT, 4 * top));
    });
    gl.depthMask(false);
    this.set(this.programs.GROUND, { camera, foot: FLOOR, shade });
    gl.bindVertexArray(this.bare);
    this.having(["DEPTH_TEST", "BLEND"], () => gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4));
  }

  drawTrails({ matrix: camera }, playhead) {
    const { gl, ratio } = this, { TRAIL: program } = this.programs;
    // Dashes are painted on the ground, so that they keep still while the block is turned; a close view has finer ones.
    const pixel = 1.5 / Math.min(this.width, this.height) / 2 ** Math.round(Math.log2(this.camera.zoom));
    this.set(program, { camera, size: [this.canvas.width, this.canvas.height], playhead });
    gl.bindVertexArray(this.bare);
    const each = (opacity) => this.threads.forEach(({ texture, steps }, i) => {
      const trail = this.trails[i], next = steps.findIndex((step) => step >= playhead), pieces = next < 0 ? steps.length - 1 : next;
      if (pieces < 1) return;
      const dash = DASHES[trail.dash].map((v) => v * pixel);
      this.set(program, { opacity, radius: 1.6 * ratio, dash, paint: rgb(trail.colour) });
      gl.stencilFunc(gl.NOTEQUAL, i + 1, 255);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.drawArrays(gl.TRIANGLES, 0, 6 * pieces);
    });
    gl.depthFunc(gl.GREATER); // behind a ridge: faint, and by the stencil no less so where pieces overlap
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.REPLACE);
    this.having(["DEPTH_TEST", "STENCIL_TEST", "BLEND"], () => each(0.25));
    gl.depthFunc(gl.LEQUAL);
    this.having(["DEPTH_TEST", "SAMPLE_ALPHA_TO_COVERAGE"], () => each(1));
  }

  drawHeads(view, playhead) {
    const { gl, ratio } = this, { HEAD: program } = this.programs, { background } = this.theme;
    this.set(program, { camera: view.matrix, size: [this.canvas.width, this.canvas.height], rim: 1.75 * ratio, background });
    this.having(["BLEND"], () => this.threads.forEach(({ points }, i) => {
      const trail = this.trails[i], step = clamp(playhead, 0, points.length - 1), k = Math.floor(step);
      const [x, y] = mix(points[k], points[Math.ceil(step)], step - k), centre = [x, y, this.terrain.at(x, y) + LIFT];
      if (Number.isNaN(centre[2])) return;
      const opacity = this.hides(view, centre) ? 0.45 : 1;
      this.set(program, { centre, opacity, radius: 6 * ratio, shape: trail.shape, paint: rgb(trail.colour) });
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }));
  }

  // Is there ground between this point and the eye?
  hides(view, point) {
    const way = view.eye.map((v, i) => v - point[i]), stride = 0.4 / CELLS / Math.max(Math.hypot(way[0], way[1]), 1e-3);
    for (let t = 2 * stride; t < 1; t += stride) {
      const [x, y, z] = point.map((v, i) => v + t * way[i]);
      if (z > RISE || Math.abs(x) > 0.5 || Math.abs(y) > 0.5) return false;
      if (this.terrain.at(x, y) > z + 0.0008) return true;
    }
    return false;
  }

  // The CSS pixel of a point of the surface. Outside the box and in a hole, where there is none: of its foot, and hidden.
  project(x, y) {
    const view = this.view(), m = view.matrix, [X, Y] = this.unit(x, y), z = this.terrain?.at(X, Y) ?? NaN;
    const [cx, cy, , w] = [0, 1, 2, 3].map((i) => m[i] * X + m[4 + i] * Y + m[8 + i] * (z || 0) + m[12 + i]);
    const hides = () => Number.isNaN(z) || this.hides(view, [X, Y, z]); // asked for few points, and dear
    return { px: (cx / w + 1) * this.width / 2, py: (1 - cy / w) * this.height / 2, get hidden() { return hides(); } };
  }

  // The point [x, y] of the surface under a CSS pixel; null beside the surface and on the walls of the block.
  pick(px, py) {
    if (!this.terrain) return null;
    const view = this.view(), sx = ((2 * px) / this.width - 1) / view.fx, sy = (1 - (2 * py) / this.height) / view.fy;
    const way = [0, 1, 2].map((i) => sx * view.right[i] + sy * view.up[i] - view.back[i]);
    const ray = (t) => view.eye.map((v, i) => v + t * way[i]);
    const over = (t) => { const [x, y, z] = ray(t); return z - this.terrain.at(x, y); }; // NaN where there is no ground
    for (let t = view.far - DEPTH, above = NaN; t < view.far + DEPTH; t += STRIDE) {
      const now = over(t);
      if (now < 0) {
        const [X, Y] = ray(t - (STRIDE * now) / (now - above)), [x0, x1, y0, y1] = this.box;
        return above >= 0 ? [x0 + (X + 0.5) * (x1 - x0), y0 + (Y + 0.5) * (y1 - y0)] : null;
      }
      above = now;
    }
    return null;
  }

  destroy() {
    const { gl, block, bare } = this;
    this.canvas.removeEventListener("webglcontextlost", this.lose);
    this.canvas.removeEventListener("webglcontextrestored", this.restore);
    this.threads.forEach(({ texture }) => gl.deleteTexture(texture));
    [block.array, bare].forEach((array) => gl.deleteVertexArray(array));
    [block.vertices, block.indices].forEach((buffer) => gl.deleteBuffer(buffer));
    Object.values(this.programs).forEach(({ program }) => gl.deleteProgram(program));
  }
}
