// Wildfire: the ground is a grid of cells that burn by what stands on them. Fire jumps to neighbours, faster down the
// wind, burns out and leaves ash. Near a burning cell it is red, a little further yellow.
//
// A hazard has: step(sim), zoneAt(x, z, y), areas(), shake, water(x, z), numbers() (its state, for the hash).

import { stream } from "./random.js";
import { onBlock } from "./world.js";

const CELL = 5;
const SIDE = 24; // cells a side: 120 units
const BURNS = 34; // seconds
const RED = 3.6;
const YELLOW = 7.5;
const MOST = 46; // cells that burn at once
const FUEL = { park: 1, houses: 0.75, tower: 0.35, ruin: 0.5, collapsed: 0.55, station: 0.05 };

export class Wildfire {
  constructor(plan, heights) {
    this.draw = stream(plan.seed, "wildfire");
    this.wind = { x: this.draw.range(-0.6, 0.6), z: this.draw.range(0.6, 1) };
    this.shake = 0;
    this.pieces = [];
    this.dust = [];
    this.cells = [];
    this.time = 0;
    for (let j = 0; j < SIDE; j += 1) {
      for (let i = 0; i < SIDE; i += 1) {
        const [x, z] = [(i + 0.5) * CELL - 60, (j + 0.5) * CELL - 60];
        const block = plan.blocks.find((other) => Math.abs(other.x - x) < 10 && Math.abs(other.z - z) < 10);
        const fuel = onBlock(x, z) && block ? FUEL[block.kind] : 0.16;
        this.cells.push({
          i,
          j,
          x: x + this.draw.range(-1.2, 1.2),
          z: z + this.draw.range(-1.2, 1.2),
          fuel,
          since: -1,
          out: false,
          tall: this.draw.range(0.7, 1.3),
          roof: 0,
        });
      }
    }
    for (const cell of this.cells) {
      for (const { x0, z0, x1, z1, top, bottom = 0 } of heights) {
        if (bottom === 0 && cell.x > x0 && cell.x < x1 && cell.z > z0 && cell.z < z1)
          cell.roof = Math.max(cell.roof, top - 0.3);
      }
    }
    for (let k = 0; k < 7; k += 1) {
      const cell = this.cells[this.draw.int(9) * SIDE + this.draw.int(SIDE)];
      if (Math.abs(cell.x - 1) > 6) cell.since = -this.draw.range(2, 12);
    }
    // in sight from the start: left and right of the avenue, and at its end
    for (const [i, j] of [
      [9, 12],
      [10, 13],
      [14, 11],
      [13, 14],
      [9, 3],
      [13, 2],
    ])
      this.cells[j * SIDE + i].since = -this.draw.range(3, 9);
    this.burning = this.cells.filter((cell) => cell.since !== -1);
  }

  /** Advance by one step; the fire itself moves twice a second. */
  step(sim) {
    this.time = sim.time;
    if (sim.tick % 30) return;
    for (const cell of [...this.burning]) {
      const age = sim.time - cell.since;
      if (age > BURNS * (0.6 + 0.6 * cell.fuel)) {
        cell.out = true;
        continue;
      }
      if (age < 4 || this.burning.length >= MOST) continue;
      for (const [di, dj] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
        [1, 1],
        [-1, 1],
      ]) {
        const next = this.cells[(cell.j + dj) * SIDE + cell.i + di];
        const inside = cell.i + di >= 0 && cell.i + di < SIDE && cell.j + dj >= 0 && cell.j + dj < SIDE;
        if (!inside || next.since !== -1) continue;
        const down = (di * this.wind.x + dj * this.wind.z) / Math.hypot(di, dj);
        if (this.draw.chance(0.045 * next.fuel * (1 + 1.1 * down))) next.since = sim.time;
      }
    }
    this.burning = this.cells.filter((cell) => cell.since !== -1 && !cell.out);
  }

  /** Give the strength of a burning cell now, 0 to 1: it grows for five seconds and dies down in six. */
  strength(cell) {
    const age = this.time - cell.since;
    const life = BURNS * (0.6 + 0.6 * cell.fuel);
    return Math.max(0.05, Math.min(1, age / 5, (life - age) / 6));
  }

  /** Say how dangerous a point is: "safe", "yellow" or "red". */
  zoneAt(x, z) {
    let zone = "safe";
    for (const cell of this.burning) {
      const away = Math.hypot(x - cell.x, z - cell.z);
      if (away < RED) return "red";
      if (away < YELLOW) zone = "yellow";
    }
    return zone;
  }

  /** List the circles of the zones. */
  areas() {
    return this.burning.map(({ x, z }) => ({ x, z, red: RED, yellow: YELLOW }));
  }

  /** Give the height of the water: there is none. */
  water() {
    return -Infinity;
  }

  numbers() {
    return this.cells.filter((cell) => cell.since !== -1).flatMap((cell) => [cell.i, cell.j, cell.since]);
  }
}
