// One game, without picture or clock: fixed steps of 1/60 s. The same seed, environment and inputs give the same game.
//
//   const sim = new Simulation({ seed: 7, environment: "earthquake" });
//   sim.step({ keys: new Set(["KeyW"]), dyaw: 0, dpitch: 0 });
//   sim.told;       // [{event, fields}]: what happened, emptied by who reads it
//   sim.over;       // null, or "died", "saved_all", "all_lost", "time_up"
//   sim.hash();     // 8 hex digits of the whole state

import { RED_COST, makeHazard } from "./hazards.js";
import { PALETTES } from "./palettes.js";
import { Player, RATE } from "./player.js";
import { mixText } from "./random.js";
import { build } from "./scenery.js";
import { telemetry } from "./sensors.js";
import { Victims } from "./victims.js";
import { makePlan } from "./world.js";

export const LIMIT = 180; // seconds of one game
const FLAT = 10; // seconds on an empty battery that end it
const STATION = 5.5; // units: as near as this one can recharge

export class Simulation {
  constructor({ seed, environment }) {
    this.plan = makePlan(seed, environment);
    const { mesh, solid, heights } = build(this.plan, PALETTES[environment]);
    Object.assign(this, {
      seed,
      environment,
      mesh,
      solid,
      heights,
      tick: 0,
      time: 0,
      score: 0,
      zone: "safe",
      over: null,
      told: [],
      burnt: 0,
    });
    this.hazard = makeHazard(this.plan, heights);
    this.victims = new Victims(this.plan, solid);
    this.player = new Player(this.plan, solid);
    this.inspecting = false;
    this.destroying = false;
    this.hurtAt = -10;
    this.zone = this.hazard.zoneAt(this.player.x, this.player.z, this.player.y);
  }

  /** Advance by 1/60 s. */
  step(input) {
    if (this.over) return;
    this.tick += 1;
    this.time = this.tick / RATE;
    this.hazard.step(this);
    this.player.step(input, this);
    this.victims.step(input, this);
    this.#recharge(input);
    this.#zone();
    this.#end();
  }

  #recharge({ keys }) {
    const { player, plan } = this;
    const close = plan.stations.some((station) => Math.hypot(station.x - player.x, station.z - player.z) < STATION);
    if (!keys.has("KeyF") || !close || player.battery > 98) return;
    player.battery = 100;
    this.tell("refuel");
  }

  #zone() {
    const zone = this.hazard.zoneAt(this.player.x, this.player.z, this.player.y);
    if (zone !== this.zone) {
      this.zone = zone;
      this.tell("zone_change");
    }
    this.burnt = zone === "red" ? this.burnt + 1 : 0;
    if (this.burnt && this.burnt % RATE === 0) this.hurt(RED_COST[this.environment], "damage_from_zone");
  }

  #end() {
    const waiting = this.victims.count("waiting");
    if (this.player.health <= 0 || this.player.empty >= FLAT) this.over = "died";
    else if (waiting === 0) this.over = this.victims.count("saved") ? "saved_all" : "all_lost";
    else if (this.time >= LIMIT) this.over = "time_up";
    if (this.over === "saved_all") this.score += Math.round(2 * (LIMIT - this.time));
    if (this.over) this.tell("game_end");
  }

  /** Take health away, points, and tell why. */
  hurt(points, event) {
    this.player.health = Math.max(0, this.player.health - points);
    this.hurtAt = this.time;
    this.tell(event);
  }

  /** Note that something happened, with the telemetry of now. */
  tell(event) {
    this.told.push({ event, fields: telemetry(this, event) });
  }

  /** Give the telemetry of now. */
  telemetry(event = "periodic_update_10hz") {
    return telemetry(this, event);
  }

  /** Give 8 hex digits of the whole state. */
  hash() {
    const { player } = this;
    const numbers = [
      this.tick,
      this.score,
      player.x,
      player.y,
      player.z,
      player.yaw,
      player.pitch,
      ...player.velocity,
      player.battery,
      player.health,
      ...this.victims.numbers(),
      ...this.hazard.numbers(),
    ];
    const bytes = new Uint8Array(new Float64Array(numbers).buffer);
    return mixText(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
      .toString(16)
      .padStart(8, "0");
  }
}
