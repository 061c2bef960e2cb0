// Things that move, each kind in one draw call: boxes in the light, and sprites (flames, smoke, shadows, pillars).
// Their corners are worked out here and not on the graphics card: where the processor draws, copies of a mesh
// ("instances") cost more than all of this.
//
//   const boxes = new Boxes(gl);
//   boxes.start(light).add(x, y, z, w, h, d, [yaw, tilt, roll], [r, g, b]);
//   boxes.draw(uniforms);
//
// A sprite has a kind: SMOKE faces the eye, FLAME and PILLAR stand on their place, SPOT (a light) and SHADOW lie on the
// ground. A colour with alpha 0 adds light, with alpha 1 it covers.

import { layOut, makeBuffer, makeProgram, setUniforms } from "./programs.js";
import { PLAIN, SPRITES } from "./shaders.js";

export const SMOKE = 0;
export const FLAME = 1;
export const PILLAR = 3;
export const SPOT = 4;
export const SHADOW = 5;

const MOST_BOXES = 700;
const MOST_SPRITES = 360;
const BOX = 24 * 16; // bytes: 24 corners of a place and a colour
const SPRITE = 40; // numbers: 4 corners of place, corner, kind, colour
const SIDES = [0, 1, 2].flatMap((axis) => [1, -1].map((sign) => [axis, sign]));
const AROUND = [
  [-1, -1],
  [1, -1],
  [1, 1],
  [-1, 1],
];

/** Give the indices of `count` faces of four corners. */
function faces(count) {
  const indices = new Uint16Array(count * 6);
  for (let k = 0; k < count; k += 1)
    indices.set(
      [0, 1, 2, 0, 2, 3].map((corner) => 4 * k + corner),
      6 * k,
    );
  return indices;
}

export class Boxes {
  constructor(gl) {
    this.gl = gl;
    this.program = makeProgram(gl, PLAIN);
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.bytes = new ArrayBuffer(MOST_BOXES * BOX);
    this.places = new Float32Array(this.bytes);
    this.colours = new Uint8ClampedArray(this.bytes);
    this.buffer = makeBuffer(gl, this.places, { usage: gl.DYNAMIC_DRAW });
    layOut(gl, 16, [
      [0, 3, gl.FLOAT, 0],
      [1, 4, gl.UNSIGNED_BYTE, 12, true],
    ]);
    makeBuffer(gl, faces(MOST_BOXES * 6), { target: gl.ELEMENT_ARRAY_BUFFER });
    gl.bindVertexArray(null);
    this.count = 0;
  }

  /** Forget the boxes of the frame before; `light` gives the light on a face by its normal. */
  start(light) {
    this.light = light;
    this.count = 0;
    return this;
  }

  /** Add a box about its middle, rolled about z, tilted about x, turned about y; what is too much is left out. */
  add(x, y, z, w, h, d, [yaw, tilt, roll], [r, g, b]) {
    if (this.count === MOST_BOXES) return;
    const [sy, cy, st, ct, sr, cr] = [
      Math.sin(yaw),
      Math.cos(yaw),
      Math.sin(tilt),
      Math.cos(tilt),
      Math.sin(roll),
      Math.cos(roll),
    ];
    const axes = [
      [cr * cy + sr * st * sy, sr * ct, -cr * sy + sr * st * cy],
      [-sr * cy + cr * st * sy, cr * ct, sr * sy + cr * st * cy],
      [ct * sy, -st, ct * cy],
    ];
    const half = [w / 2, h / 2, d / 2];
    let at = (this.count * BOX) / 4;
    for (const [axis, sign] of SIDES) {
      const [a, b2] = [(axis + 1) % 3, (axis + 2) % 3];
      const [n, u, v] = [axes[axis], axes[a], axes[b2]];
      const [light0, light1, light2] = this.light([n[0] * sign, n[1] * sign, n[2] * sign]);
      for (const [i, j] of AROUND) {
        const [du, dv, dn] = [i * half[a], j * sign * half[b2], sign * half[axis]];
        const rise = axis === 1 ? sign : a === 1 ? i : j * sign; // darker below
        const shade = 255 * (rise > 0 ? 1 : 0.74);
        this.places[at] = x + n[0] * dn + u[0] * du + v[0] * dv;
        this.places[at + 1] = y + n[1] * dn + u[1] * du + v[1] * dv;
        this.places[at + 2] = z + n[2] * dn + u[2] * du + v[2] * dv;
        this.colours[at * 4 + 12] = r * light0 * shade;
        this.colours[at * 4 + 13] = g * light1 * shade;
        this.colours[at * 4 + 14] = b * light2 * shade;
        at += 4;
      }
    }
    this.count += 1;
  }

  draw(values) {
    const { gl } = this;
    if (!this.count) return;
    gl.useProgram(this.program.program);
    setUniforms(gl, this.program, values);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.places, 0, (this.count * BOX) / 4);
    gl.drawElements(gl.TRIANGLES, this.count * 36, gl.UNSIGNED_SHORT, 0);
  }
}

export class Sprites {
  constructor(gl) {
    this.gl = gl;
    this.program = makeProgram(gl, SPRITES);
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.data = new Float32Array(MOST_SPRITES * SPRITE);
    this.buffer = makeBuffer(gl, this.data, { usage: gl.DYNAMIC_DRAW });
    layOut(gl, 40, [
      [0, 3, gl.FLOAT, 0],
      [1, 3, gl.FLOAT, 12],
      [2, 4, gl.FLOAT, 24],
    ]);
    makeBuffer(gl, faces(MOST_SPRITES), { target: gl.ELEMENT_ARRAY_BUFFER });
    gl.bindVertexArray(null);
    this.list = [];
  }

  /** Forget the sprites of the frame before; `view` is the camera (matrix.js). */
  start(view) {
    this.view = view;
    this.list = [];
    return this;
  }

  /** Add a sprite: half its width and height, its kind, its sway (flames), its colour, how much of it covers. */
  add(x, y, z, w, h, kind, sway, [r, g, b], alpha, strength = 1) {
    const { eye, forward, wide } = this.view;
    const [dx, dy, dz] = [x - eye[0], y - eye[1], z - eye[2]];
    const depth = dx * forward[0] + dy * forward[1] + dz * forward[2];
    const size = Math.max(w, 2 * h);
    const aside = Math.abs(dx * this.view.right[0] + dz * this.view.right[2]);
    if (depth < -size || aside > (depth + size) * wide + size) return;
    // what is close and covers is let fade: it would fill the picture
    const fade = kind === SMOKE && alpha ? Math.min(1, Math.max(0, (depth - 0.5 * w) / (2 * w))) : 1;
    if (strength * fade < 0.012) return;
    const share = strength * fade;
    const order = kind >= SPOT ? depth + 1000 : depth; // what lies on the ground comes first
    this.list.push([order, x, y, z, w, h, kind, sway, r * share, g * share, b * share, alpha * share]);
  }

  draw(values) {
    const { gl, data } = this;
    const { right, up } = this.view;
    const flat = Math.hypot(right[0], right[2]);
    const kept = this.list.sort((a, b) => b[0] - a[0]).slice(-MOST_SPRITES);
    if (!kept.length) return;
    let at = 0;
    for (const [, x, y, z, w, h, kind, sway, ...colour] of kept) {
      for (const [i, j] of AROUND) {
        const [a, b] = [i * w, j * h];
        if (kind >= SPOT) {
          data.set([x + a, y, z - b], at);
        } else if (kind >= FLAME) {
          const side = a + (j > 0 ? sway : 0);
          data.set([x + (right[0] / flat) * side, y + b + h, z + (right[2] / flat) * side], at);
        } else {
          data.set([x + right[0] * a + up[0] * b, y + right[1] * a + up[1] * b, z + right[2] * a + up[2] * b], at);
        }
        data.set([i, j, kind], at + 3);
        data.set(colour, at + 6);
        at += 10;
      }
    }
    gl.useProgram(this.program.program);
    setUniforms(gl, this.program, values);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, at);
    gl.drawElements(gl.TRIANGLES, kept.length * 6, gl.UNSIGNED_SHORT, 0);
  }
}
