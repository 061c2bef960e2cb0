// Tsunami: the sea rises over three minutes, and every half minute a wave runs up the streets from the north.
// What is deeper than half a person is red, any water is yellow. Water slows, and a wave carries along.
//
// A hazard has: step(sim), zoneAt(x, z, y), areas(), shake, water(x, z), numbers() (its state, for the hash).

import { stream } from "./random.js";

const LOW = -2.5; // the sea at the start, units
const HIGH = 1.5; // and after RISE seconds
const RISE = 170;
const SHORE = -95; // where waves begin, z

export class Tsunami {
  constructor(plan) {
    const draw = stream(plan.seed, "tsunami");
    this.ground = plan.ground;
    this.waves = [];
    for (let at = draw.range(3, 5); at < 400; at += draw.range(21, 29))
      this.waves.push({ at, tall: draw.range(2.8, 3.9), speed: draw.range(9, 12) });
    this.time = 0;
    this.shake = 0;
    this.wreckage = Array.from({ length: 34 }, () => ({
      x: draw.range(-62, 62),
      z: draw.range(-78, 40),
      yaw: draw.range(0, 6.3),
      size: draw.range(0.4, 1.5),
      kind: draw.int(4),
      drift: draw.range(0.2, 0.8),
    }));
    this.dust = [];
    this.pieces = [];
  }

  /** Advance by one step. */
  step(sim) {
    this.time = sim.time;
    const { player } = sim;
    const near = this.waves.reduce((most, wave) => Math.max(most, this.#crest(wave, player.z)), 0);
    this.shake = 0.25 * Math.min(1, near);
    for (const piece of this.wreckage) {
      const depth = this.water(piece.x, piece.z) - this.ground(piece.x, piece.z);
      if (depth > 0.3) piece.z += (this.flow(piece.z) * 0.5 + 0.1 * piece.drift) / 60;
      if (piece.z > 58) piece.z = -78;
    }
  }

  /** Give the still level of the sea. */
  level() {
    const share = Math.min(1, this.time / RISE);
    return LOW + (HIGH - LOW) * share * share * (3 - 2 * share) + 0.12 * Math.sin(this.time * 0.7);
  }

  /** Give the height of one wave at a z, units: a steep front and a long back; it loses height on its way up. */
  #crest(wave, z) {
    const age = this.time - wave.at;
    if (age < 0 || age > 16) return 0;
    const ahead = z - (SHORE + wave.speed * age);
    if (ahead > 6 || ahead < -30) return 0;
    const shape = ahead > 0 ? 1 - ahead / 6 : 1 + ahead / 30;
    return wave.tall * shape * shape * (3 - 2 * shape) * Math.max(0, 1 - age / 16);
  }

  /** Give the height of the water at a point of the ground; below the ground it is dry. */
  water(x, z) {
    return this.level() + this.waves.reduce((sum, wave) => sum + this.#crest(wave, z), 0);
  }

  /** Give the speed with which water at a z carries things inland, units per second. */
  flow(z) {
    return this.waves.reduce((sum, wave) => sum + 2.4 * this.#crest(wave, z), 0);
  }

  /** Say how dangerous a point is: "safe", "yellow" or "red". */
  zoneAt(x, z, y) {
    const depth = this.water(x, z) - Math.min(y, this.ground(x, z) + 0.2);
    return depth > 0.95 ? "red" : depth > 0.08 ? "yellow" : "safe";
  }

  /** List the circles of the zones: none, the water is the zone. */
  areas() {
    return [];
  }

  /** List the waves that run now, as {z, tall}: for the picture. */
  running() {
    return this.waves
      .map((wave) => ({
        z: SHORE + wave.speed * (this.time - wave.at),
        tall: wave.tall * Math.max(0, 1 - (this.time - wave.at) / 16),
        age: this.time - wave.at,
      }))
      .filter((wave) => wave.age >= 0 && wave.age <= 16);
  }

  numbers() {
    return [this.level(), this.shake, ...this.wreckage.map((piece) => piece.z)];
  }
}
