// Earthquake: aftershocks at times from the seed. While one lasts the ground shakes, the zones around damaged buildings
// widen, and pieces fall from what still stands. A piece that hits costs health; where it lands there is dust.
//
// A hazard has: step(sim), zoneAt(x, z, y), areas(), shake, water(x, z), numbers() (its state, for the hash).

import { stream } from "./random.js";
import { STOREY } from "./world.js";

const GRAVITY = 12;
const RADIUS = 0.9; // a piece that comes down this near hits

export class Earthquake {
  constructor(plan) {
    this.ground = plan.ground;
    this.draw = stream(plan.seed, "earthquake");
    this.sources = plan.blocks
      .filter((block) => block.kind === "ruin" || block.kind === "collapsed")
      .map((block) => ({
        x: block.x,
        z: block.z,
        high: block.floors ? Math.max(...block.floors.flat()) * STOREY : 5,
        block,
      }));
    this.rings = this.sources
      .filter((source, at) => at % 2 === 0 && Math.hypot(source.x - 10, source.z - 30) > 8)
      .slice(0, 7)
      .map(({ x, z }) => ({ x, z, red: this.draw.range(6.8, 8), yellow: this.draw.range(10, 12) }));
    this.quakes = [];
    for (let at = this.draw.range(5, 8); at < 400; at += this.draw.range(17, 27))
      this.quakes.push([at, at + this.draw.range(4, 6.5), this.draw.range(0.6, 1)]);
    this.shake = 0;
    this.widened = 0;
    this.pieces = []; // {x, y, z, vx, vy, vz, size, turn, spin, rest}
    this.dust = []; // {x, y, z, at}: puffs, by the time at which they rose
  }

  /** Advance by one step. */
  step(sim) {
    const quake = this.quakes.find(([from, to]) => sim.time >= from && sim.time < to);
    const rise = quake ? Math.min(1, sim.time - quake[0], (quake[1] - sim.time) / 1.5) : 0;
    this.shake = quake ? quake[2] * Math.max(0, rise) : 0;
    this.widened += ((quake ? 1.6 : 0) - this.widened) * 0.02;
    if (this.draw.chance(0.012 + 0.3 * this.shake)) this.#drop(sim);
    for (const piece of this.pieces) this.#fall(piece, sim);
    this.pieces = this.pieces.filter((piece) => piece.rest < 240);
    this.dust = this.dust.filter((puff) => sim.time - puff.at < 3);
  }

  #drop(sim) {
    if (!this.sources.length || this.pieces.length > 36) return;
    const near = this.sources.filter((source) => Math.hypot(source.x - sim.player.x, source.z - sim.player.z) < 30);
    const source = this.draw.pick(near.length && this.draw.chance(0.7) ? near : this.sources);
    const angle = this.draw.range(0, 2 * Math.PI);
    const piece = {
      x: source.x + Math.sin(angle) * 5,
      z: source.z + Math.cos(angle) * 5,
      vx: Math.sin(angle) * this.draw.range(0.4, 2.2),
      vz: Math.cos(angle) * this.draw.range(0.4, 2.2),
      vy: 0,
      size: this.draw.range(0.35, 1),
      turn: angle,
      spin: this.draw.range(-4, 4),
      rest: 0,
    };
    piece.y = this.ground(piece.x, piece.z) + this.draw.range(0.6, 1) * source.high;
    this.pieces.push(piece);
  }

  #fall(piece, sim) {
    const floor = this.ground(piece.x, piece.z) + piece.size * 0.35;
    if (piece.rest > 0) {
      piece.rest += 1;
      return;
    }
    piece.vy -= GRAVITY / 60;
    for (const axis of ["x", "y", "z"]) piece[axis] += piece[`v${axis}`] / 60;
    piece.turn += piece.spin / 60;
    const { player } = sim;
    const over =
      Math.hypot(piece.x - player.x, piece.z - player.z) < RADIUS && piece.y > player.y && piece.y < player.y + 1.9;
    if (over && piece.vy < -3) {
      sim.hurt(4 + 7 * piece.size, "collision_damage");
      piece.vy = 2;
      piece.vx *= -1;
    }
    if (piece.y > floor) return;
    piece.y = floor;
    this.dust.push({ x: piece.x, y: floor, z: piece.z, at: sim.time });
    if (piece.vy < -3) {
      piece.vy *= -0.28;
      piece.spin *= 0.5;
    } else {
      piece.rest = 1;
    }
  }

  /** Say how dangerous a point is: "safe", "yellow" or "red". */
  zoneAt(x, z) {
    let zone = "safe";
    for (const ring of this.areas()) {
      const away = Math.hypot(x - ring.x, z - ring.z);
      if (away < ring.red) return "red";
      if (away < ring.yellow) zone = "yellow";
    }
    return zone;
  }

  /** List the circles of the zones. */
  areas() {
    return this.rings.map(({ x, z, red, yellow }) => ({
      x,
      z,
      red: red + this.widened,
      yellow: yellow + this.widened,
    }));
  }

  /** Give the height of the water: there is none. */
  water() {
    return -Infinity;
  }

  numbers() {
    return [this.shake, this.widened, ...this.pieces.flatMap(({ x, y, z }) => [x, y, z])];
  }
}
