// Building static, flat-shaded meshes: quads, boxes, roofs, cones. Light is worked out here, once. 20 bytes a vertex:
//
//   0  float32 x 3  position, units, y up
//   12 uint8 x 4    colour in its light; the fourth is unused
//   16 int16 x 2    window coordinates, in 1/256 windows (material WINDOWS only)
//
// Everything is kept in square chunks of the ground, and in each by material, so that the renderer can leave out what
// is behind it. Small things (`mesh.small = true`) are kept apart, in smaller chunks: they are not drawn from afar.
//
//   const mesh = new Mesh(40, (normal) => [1, 1, 1]);    // the light on a face, by its normal
//   mesh.box([0, 1, 0], [2, 2, 2], [1, 0.5, 0]);
//   const { vertices, indices, chunks } = mesh.pack();   // chunks: [{small, low, high, ranges: [[first, count], ...]}]

export const PLAIN = 0;
export const WINDOWS = 1;
export const GROUND = 2;
export const GLOW = 3; // gives light itself; drawn as PLAIN

const STRIDE = 20;

/** Turn a point about the y axis, then tilt it about x. */
function turned([x, y, z], yaw, tilt) {
  const ty = y * Math.cos(tilt) - z * Math.sin(tilt);
  const tz = y * Math.sin(tilt) + z * Math.cos(tilt);
  return [x * Math.cos(yaw) + tz * Math.sin(yaw), ty, -x * Math.sin(yaw) + tz * Math.cos(yaw)];
}

export class Mesh {
  constructor(chunk, light) {
    this.chunk = chunk;
    this.light = light;
    this.chunks = new Map();
    this.lift = () => 0; // height of the ground under a point: faces of GROUND follow it
    this.raise = 0; // height that is added to all other faces from now on
    this.small = false; // whether what comes now is left out from afar
  }

  /** Find the chunk that holds a point of the ground. */
  #chunkAt(x, z, material) {
    const side = this.small || material === WINDOWS ? this.chunk / 2 : this.chunk;
    const key = `${Math.floor(x / side)},${Math.floor(z / side)},${this.small},${side}`;
    let found = this.chunks.get(key);
    if (!found) {
      found = { small: this.small, corners: [], indices: [[], [], []] };
      this.chunks.set(key, found);
    }
    return found;
  }

  /** Add a flat face of three or four corners, counterclockwise as seen from outside. */
  face(points, colour, { material = PLAIN, uv = null, shades = null } = {}) {
    const [a, b, c] = points;
    const u = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    const v = [c[0] - a[0], c[1] - a[1], c[2] - a[2]];
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...normal) || 1;
    const middle = [0, 1].map((axis) => points.reduce((sum, p) => sum + p[axis * 2], 0) / points.length);
    const { corners, indices } = this.#chunkAt(middle[0], middle[1], material);
    const first = corners.length;
    const light = material === GLOW ? [1, 1, 1] : this.light(normal.map((part) => part / length));
    points.forEach(([x, y, z], at) => {
      const share = shades ? shades[at] : 1;
      corners.push({
        point: [x, y + (material === GROUND ? this.lift(x, z) : this.raise), z],
        colour: colour.map((part, axis) => part * light[axis] * share),
        uv: uv ? uv[at] : [0, 0],
      });
    });
    const list = indices[material === GLOW ? PLAIN : material];
    list.push(first, first + 1, first + 2);
    if (points.length === 4) list.push(first, first + 2, first + 3);
  }

  /** Add a box about its middle; `base` is the light at its lower edge; `skip` leaves out "bottom" or "top". */
  box(
    [x, y, z],
    [w, h, d],
    colour,
    { yaw = 0, tilt = 0, base = 0.62, material = PLAIN, top = null, skip = "bottom" } = {},
  ) {
    const at = (sx, sy, sz) => {
      const [tx, ty, tz] = turned([(sx * w) / 2, (sy * h) / 2, (sz * d) / 2], yaw, tilt);
      return [x + tx, y + ty, z + tz];
    };
    const sides = [
      [at(-1, -1, 1), at(1, -1, 1), at(1, 1, 1), at(-1, 1, 1)],
      [at(1, -1, -1), at(-1, -1, -1), at(-1, 1, -1), at(1, 1, -1)],
      [at(1, -1, 1), at(1, -1, -1), at(1, 1, -1), at(1, 1, 1)],
      [at(-1, -1, -1), at(-1, -1, 1), at(-1, 1, 1), at(-1, 1, -1)],
    ];
    for (const side of sides) this.face(side, colour, { material, shades: [base, base, 1, 1] });
    if (skip !== "top")
      this.face([at(-1, 1, 1), at(1, 1, 1), at(1, 1, -1), at(-1, 1, -1)], top ?? colour, { material });
    if (skip !== "bottom")
      this.face([at(-1, -1, -1), at(1, -1, -1), at(1, -1, 1), at(-1, -1, 1)], colour, {
        material,
        shades: [base, base, base, base],
      });
  }

  /** Add a cone or a frustum that stands on its base: `sides` faces from radius `r0` to `r1`. */
  cone(
    [x, y, z],
    r0,
    r1,
    height,
    sides,
    colour,
    { base = 0.6, turn = 0, material = PLAIN, cap = false, lean = [0, 0] } = {},
  ) {
    const ring = (r, up, k) => {
      const angle = turn + (k * 2 * Math.PI) / sides;
      const lx = up ? lean[0] : 0;
      const lz = up ? lean[1] : 0;
      return [x + lx + r * Math.sin(angle), y + (up ? height : 0), z + lz + r * Math.cos(angle)];
    };
    for (let k = 0; k < sides; k += 1) {
      const low = [ring(r0, false, k), ring(r0, false, k + 1)];
      if (r1 > 0.001) {
        this.face([...low, ring(r1, true, k + 1), ring(r1, true, k)], colour, { material, shades: [base, base, 1, 1] });
      } else {
        this.face([...low, ring(0, true, k)], colour, { material, shades: [base, base, 1] });
      }
      if (cap) this.face([ring(r1, true, k), ring(r1, true, k + 1), ring(0, true, k)], colour, { material });
    }
  }

  /** Add a gable roof over a box: the ridge runs along x (or z when `across`). */
  gable([x, y, z], [w, h, d], colour, wall, { across = false } = {}) {
    const at = (sx, up, sz) =>
      across ? [x - (sz * w) / 2, y + up * h, z + (sx * d) / 2] : [x + (sx * w) / 2, y + up * h, z + (sz * d) / 2];
    const over = 1.12;
    for (const side of [1, -1]) {
      const slope = [
        at(-side * over, 0, side * over),
        at(side * over, 0, side * over),
        at(side * over, 1, 0),
        at(-side * over, 1, 0),
      ];
      this.face(slope, colour, { shades: [0.85, 0.85, 1, 1] });
      this.face(slope.reverse(), wall, { shades: [0.55, 0.55, 0.55, 0.55] });
      this.face([at(side, 0, side * over), at(side, 0, -side * over), at(side, 1, 0)], wall);
    }
  }

  /** Pack all chunks into one vertex and one index buffer. */
  pack() {
    const parts = [...this.chunks.values()];
    const corners = parts.reduce((sum, part) => sum + part.corners.length, 0);
    const vertices = new ArrayBuffer(corners * STRIDE);
    const view = new DataView(vertices);
    const indices = new Uint32Array(parts.reduce((sum, part) => sum + part.indices.flat().length, 0));
    const chunks = [];
    let vertex = 0;
    let index = 0;
    for (const part of parts) {
      const [low, high] = [
        [Infinity, Infinity, Infinity],
        [-Infinity, -Infinity, -Infinity],
      ];
      const ranges = part.indices.map((list) => {
        indices.set(
          list.map((corner) => corner + vertex),
          index,
        );
        index += list.length;
        return [index - list.length, list.length];
      });
      for (const { point, colour, uv } of part.corners) {
        const at = vertex * STRIDE;
        point.forEach((value, axis) => {
          view.setFloat32(at + axis * 4, value, true);
          view.setUint8(at + 12 + axis, Math.round(Math.max(0, Math.min(1, colour[axis])) * 255));
          low[axis] = Math.min(low[axis], value);
          high[axis] = Math.max(high[axis], value);
        });
        view.setInt16(at + 16, Math.round(uv[0] * 256), true);
        view.setInt16(at + 18, Math.round(uv[1] * 256), true);
        vertex += 1;
      }
      chunks.push({ small: part.small, low, high, ranges });
    }
    return { vertices, indices, chunks, triangles: indices.length / 3 };
  }
}
