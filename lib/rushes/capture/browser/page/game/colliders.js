// What stands in the way: boxes along the axes and circles, each with a top, in a grid of the ground.
//
//   const solid = new Colliders();
//   const wall = solid.box(0, 0, 4, 1, 3);           // x0, z0, x1, z1, top above the ground
//   solid.push(2, 1.3, 0.45, 0)                      // -> [x, z] moved out of the wall, for feet at 0
//   solid.ray(2, 5, 0, -1, 10)                       // -> 4: units to the wall, 10 when nothing is there
//   solid.remove(wall);

const CELL = 5;
const STEP = 0.3; // what is no higher than this above the feet is stepped on

export class Colliders {
  constructor() {
    this.cells = new Map();
  }

  #keys({ x0, z0, x1, z1 }) {
    const keys = [];
    for (let i = Math.floor(x0 / CELL); i <= Math.floor(x1 / CELL); i += 1) {
      for (let j = Math.floor(z0 / CELL); j <= Math.floor(z1 / CELL); j += 1) keys.push(i * 1000 + j);
    }
    return keys;
  }

  #add(item) {
    for (const key of this.#keys(item)) {
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(item);
    }
    return item;
  }

  /** Add a box of the ground. */
  box(x0, z0, x1, z1, top) {
    return this.#add({ x0, z0, x1, z1, top, radius: 0 });
  }

  /** Add a circle of the ground. */
  circle(x, z, radius, top) {
    return this.#add({ x0: x - radius, z0: z - radius, x1: x + radius, z1: z + radius, x, z, top, radius });
  }

  /** Take an item away again. */
  remove(item) {
    for (const key of this.#keys(item)) {
      this.cells.set(
        key,
        this.cells.get(key).filter((other) => other !== item),
      );
    }
  }

  /** List the items near a point, each once, in the order in which they were added to its cells. */
  near(x, z, reach) {
    const found = [];
    for (const key of this.#keys({ x0: x - reach, z0: z - reach, x1: x + reach, z1: z + reach })) {
      for (const item of this.cells.get(key) ?? []) if (!found.includes(item)) found.push(item);
    }
    return found;
  }

  /** Move a circle out of everything that is higher than a step above its feet (units above the ground). */
  push(x, z, radius, feet) {
    let px = x;
    let pz = z;
    for (let round = 0; round < 3; round += 1) {
      for (const item of this.near(px, pz, radius)) {
        if (item.top <= feet + STEP) continue;
        [px, pz] = item.radius ? outOfCircle(px, pz, radius, item) : outOfBox(px, pz, radius, item);
      }
    }
    return [px, pz];
  }

  /** Give the height above the ground that carries feet here: 0, or the top of what they stand on. */
  floor(x, z, radius, feet) {
    let height = 0;
    for (const item of this.near(x, z, radius)) {
      if (item.top > feet + STEP || item.top <= height) continue;
      const nx = Math.max(item.x0, Math.min(x, item.x1)) - x;
      const nz = Math.max(item.z0, Math.min(z, item.z1)) - z;
      if (Math.hypot(nx, nz) < radius * 0.7) height = item.top;
    }
    return height;
  }

  /** Measure how far a ray of the ground is free: units, at most `reach`. */
  ray(x, z, dx, dz, reach, height = 0.8) {
    let best = reach;
    const seen = new Set();
    for (let along = 0; along <= best + CELL; along += CELL / 2) {
      const i = Math.floor((x + dx * Math.min(along, best)) / CELL);
      const j = Math.floor((z + dz * Math.min(along, best)) / CELL);
      for (let k = -1; k <= 1; k += 1) {
        for (let l = -1; l <= 1; l += 1) {
          for (const item of this.cells.get((i + k) * 1000 + j + l) ?? []) {
            if (seen.has(item) || item.top < height) continue;
            seen.add(item);
            best = Math.min(best, item.radius ? hitCircle(x, z, dx, dz, item) : hitBox(x, z, dx, dz, item));
          }
        }
      }
    }
    return best;
  }
}

function outOfCircle(x, z, radius, item) {
  const dx = x - item.x;
  const dz = z - item.z;
  const apart = Math.hypot(dx, dz);
  const least = radius + item.radius;
  if (apart >= least) return [x, z];
  if (apart < 1e-9) return [item.x + least, z];
  return [item.x + (dx / apart) * least, item.z + (dz / apart) * least];
}

function outOfBox(x, z, radius, { x0, z0, x1, z1 }) {
  const nx = Math.max(x0, Math.min(x, x1));
  const nz = Math.max(z0, Math.min(z, z1));
  const dx = x - nx;
  const dz = z - nz;
  const apart = Math.hypot(dx, dz);
  if (apart >= radius) return [x, z];
  if (apart > 1e-9) return [nx + (dx / apart) * radius, nz + (dz / apart) * radius];
  const ways = [
    [x0 - radius, z, x - x0],
    [x1 + radius, z, x1 - x],
    [x, z0 - radius, z - z0],
    [x, z1 + radius, z1 - z],
  ];
  ways.sort((a, b) => a[2] - b[2]);
  return [ways[0][0], ways[0][1]];
}

function hitCircle(x, z, dx, dz, item) {
  const ox = item.x - x;
  const oz = item.z - z;
  const along = ox * dx + oz * dz;
  const inside = item.radius ** 2 - (ox * ox + oz * oz - along * along);
  if (inside < 0) return Infinity;
  const hit = along - Math.sqrt(inside);
  return hit >= 0 ? hit : along + Math.sqrt(inside) >= 0 ? 0 : Infinity;
}

function hitBox(x, z, dx, dz, { x0, z0, x1, z1 }) {
  let near = 0;
  let far = Infinity;
  for (const [start, way, low, high] of [
    [x, dx, x0, x1],
    [z, dz, z0, z1],
  ]) {
    if (Math.abs(way) < 1e-12) {
      if (start < low || start > high) return Infinity;
      continue;
    }
    const first = (low - start) / way;
    const second = (high - start) / way;
    near = Math.max(near, Math.min(first, second));
    far = Math.min(far, Math.max(first, second));
  }
  return near <= far ? near : Infinity;
}
