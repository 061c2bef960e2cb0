// The rescuer: moves by W A S D, jumps by Space, is stopped by walls, has a battery and health.
//
//   const player = new Player(plan, solid);
//   player.step({ keys: new Set(["KeyW"]), dyaw: 0, dpitch: 0 }, sim);
//
// Positions are units (about metres) of the feet, y up; yaw 0 looks north (-z) and grows to the left, pitch grows
// upwards, both radians. `velocity` is exactly the step of the position times 60, `acceleration` that of the velocity.

import { EDGE, START } from "./world.js";

export const RATE = 60; // steps per second
const DRAIN = 2; // battery points per second while W, A, S or D is down
const SPEED = 6.4;
const GRAVITY = 15;
const JUMP = 5.8;
const RADIUS = 0.42;
const EYE = 1.68;
const HARD = 4; // a stop by more than this, units per second, hurts
const TURN = Math.PI / 2 - 0.02; // no looking over the top

export class Player {
  constructor(plan, solid) {
    Object.assign(this, { plan, solid, x: START[0], z: START[1], yaw: 0, pitch: -0.02 });
    this.y = plan.ground(this.x, this.z);
    this.velocity = [0, 0, 0];
    this.acceleration = [0, 0, 0];
    this.lean = 0;
    this.battery = 100;
    this.health = 100;
    this.empty = 0; // seconds with an empty battery
    this.grounded = true;
    this.jumping = false; // from a jump until the feet or the water carry again
    this.walked = 0;
    this.sore = 0; // seconds until the next collision can hurt
    this.moving = false;
  }

  /** Advance by one step. */
  step({ keys, dyaw, dpitch }, sim) {
    this.yaw += dyaw;
    this.pitch = Math.max(-TURN, Math.min(TURN, this.pitch + dpitch));
    const before = [this.x, this.y, this.z];
    const wished = this.#wish(keys, sim);
    this.#move(wished, keys, sim);
    const old = this.velocity;
    this.velocity = [this.x - before[0], this.y - before[1], this.z - before[2]].map((part) => part * RATE);
    this.acceleration = this.velocity.map((part, axis) => (part - old[axis]) * RATE);
    this.#bump(wished, sim);
    this.walked += (Math.hypot(this.velocity[0], this.velocity[2]) / RATE) * (this.grounded ? 1 : 0);
    const sideways = this.velocity[0] * Math.cos(this.yaw) - this.velocity[2] * Math.sin(this.yaw);
    this.lean += (sideways * 0.004 - this.lean) * 0.12;
    this.moving = ["KeyW", "KeyA", "KeyS", "KeyD"].some((key) => keys.has(key));
    if (this.moving) this.battery = Math.max(0, this.battery - DRAIN / RATE);
    this.empty = this.battery > 0 ? 0 : this.empty + 1 / RATE;
  }

  /** Give the velocity over the ground that the keys and the water ask for. */
  #wish(keys, sim) {
    const ahead = Number(keys.has("KeyW")) - Number(keys.has("KeyS"));
    const right = Number(keys.has("KeyD")) - Number(keys.has("KeyA"));
    const length = Math.hypot(ahead, right) || 1;
    const deep = Math.max(0, sim.hazard.water(this.x, this.z) - this.y);
    const speed = ((SPEED * (this.battery > 0 ? 1 : 0.22)) / length) * Math.max(0.42, 1 - 0.4 * deep);
    const [sin, cos] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const goal = [(right * cos - ahead * sin) * speed, (-right * sin - ahead * cos) * speed];
    if (deep > 0.5) goal[1] += sim.hazard.flow(this.z);
    const grip = this.grounded ? 0.16 : 0.05;
    return [
      this.velocity[0] + (goal[0] - this.velocity[0]) * grip,
      this.velocity[2] + (goal[1] - this.velocity[2]) * grip,
    ];
  }

  /** Move over the ground, out of walls, and up and down. */
  #move([vx, vz], keys, sim) {
    const feet = this.y - this.plan.ground(this.x, this.z);
    let [x, z] = this.solid.push(this.x + vx / RATE, this.z + vz / RATE, RADIUS, feet);
    x = Math.max(-EDGE, Math.min(EDGE, x));
    z = Math.max(-EDGE, Math.min(EDGE, z));
    [this.x, this.z] = [x, z];
    const ground = this.plan.ground(x, z);
    const floor = ground + this.solid.floor(x, z, RADIUS, feet);
    const afloat = sim.hazard.water(x, z) - 1.25;
    if (this.grounded && keys.has("Space")) {
      this.fall = JUMP;
      this.grounded = false;
      this.jumping = true;
    }
    if (this.grounded) {
      if (this.y > floor + 0.05) {
        this.grounded = false; // walked off an edge
        this.fall = 0;
      } else {
        this.y = floor;
      }
    }
    if (!this.grounded) {
      this.fall -= GRAVITY / RATE;
      this.y += this.fall / RATE;
      if (this.y <= floor) {
        this.y = floor;
        this.grounded = true;
      }
    }
    this.jumping &&= !this.grounded && afloat <= this.y;
    if (afloat > this.y) {
      this.y += Math.min(afloat - this.y, 3 / RATE);
      this.fall = 0;
      this.grounded = this.y - floor < 0.05;
    }
  }

  /** Hurt by a wall that was run into. */
  #bump([vx, vz], sim) {
    this.sore = Math.max(0, this.sore - 1 / RATE);
    const stopped = Math.hypot(vx - this.velocity[0], vz - this.velocity[2]);
    if (stopped < HARD || this.sore > 0) return;
    this.sore = 0.6;
    sim.hurt(Math.min(10, (stopped - HARD) * 1.5), "collision_damage");
  }

  /** Give the eye: position and angles as they are drawn, with the sway of steps and the shaking ground. */
  camera(sim) {
    const sway = Math.sin(this.walked * 1.9) * 0.035;
    const { shake } = sim.hazard;
    const wave = (speed, phase) => Math.sin(sim.time * speed + phase) * shake;
    return {
      x: this.x + 0.05 * wave(31, 0),
      y: this.y + EYE + sway + 0.07 * wave(37, 1),
      z: this.z + 0.05 * wave(29, 2),
      yaw: this.yaw + 0.008 * wave(23, 3),
      pitch: this.pitch + 0.01 * wave(27, 4),
      roll: -this.lean + 0.014 * wave(19, 5),
    };
  }
}
