// The map in the corner: north is up. What does not change is drawn once.
//
//   const map = new Minimap(canvas);
//   map.load(sim, palette);
//   map.draw(sim);

import { SENSED } from "./victims.js";
import { EDGE, PAD } from "./world.js";

const HALF = EDGE + 4;

export class Minimap {
  constructor(canvas) {
    this.canvas = canvas;
    this.ground = document.createElement("canvas");
    this.ground.width = canvas.width;
    this.ground.height = canvas.height;
  }

  #at(value) {
    return ((value + HALF) / (2 * HALF)) * this.canvas.width;
  }

  /** Draw the blocks and the stations. */
  load({ plan }, palette) {
    const brush = this.ground.getContext("2d");
    const { width } = this.ground;
    brush.fillStyle = "rgba(12, 16, 22, 0.82)";
    brush.fillRect(0, 0, width, width);
    const scale = width / (2 * HALF);
    for (const block of plan.blocks) {
      brush.fillStyle =
        block.kind === "park" ? palette.grass : block.kind === "station" ? "#2fb876" : "rgba(255, 255, 255, 0.17)";
      brush.fillRect(this.#at(block.x - PAD), this.#at(block.z - PAD), 2 * PAD * scale, 2 * PAD * scale);
      if (block.kind !== "station") continue;
      brush.fillStyle = "#ffffff";
      brush.fillRect(this.#at(block.x) - 1.5, this.#at(block.z) - 5, 3, 10);
      brush.fillRect(this.#at(block.x) - 5, this.#at(block.z) - 1.5, 10, 3);
    }
  }

  /** Draw zones, people and the player. */
  draw(sim) {
    const brush = this.canvas.getContext("2d");
    const scale = this.canvas.width / (2 * HALF);
    brush.drawImage(this.ground, 0, 0);
    const areas = sim.hazard.areas();
    for (const [key, colour] of [
      ["yellow", "rgba(255, 190, 50, 0.20)"],
      ["red", "rgba(255, 70, 40, 0.42)"],
    ]) {
      brush.fillStyle = colour;
      brush.beginPath();
      for (const area of areas) {
        brush.moveTo(this.#at(area.x) + area[key] * scale, this.#at(area.z));
        brush.arc(this.#at(area.x), this.#at(area.z), area[key] * scale, 0, 2 * Math.PI);
      }
      brush.fill();
    }
    if (sim.environment === "tsunami") this.#flood(brush, sim);
    for (const person of sim.victims.people) {
      const known =
        person.inspected > 0 ||
        Math.hypot(person.x - sim.player.x, person.z - sim.player.z) < SENSED ||
        person.state !== "waiting";
      if (!known) continue;
      brush.fillStyle = { waiting: "#ffd34d", saved: "#5df2a0", dead: "#8c8c94" }[person.state];
      brush.beginPath();
      brush.arc(this.#at(person.x), this.#at(person.z), 3.6, 0, 2 * Math.PI);
      brush.fill();
    }
    const { player } = sim;
    brush.save();
    brush.translate(this.#at(player.x), this.#at(player.z));
    brush.rotate(-player.yaw);
    brush.fillStyle = "rgba(255, 255, 255, 0.16)";
    brush.beginPath();
    brush.moveTo(0, 0);
    brush.arc(0, 0, 26, -Math.PI / 2 - 0.8, -Math.PI / 2 + 0.8);
    brush.fill();
    brush.fillStyle = "#ffffff";
    brush.beginPath();
    brush.moveTo(0, -7);
    brush.lineTo(5, 6);
    brush.lineTo(0, 3);
    brush.lineTo(-5, 6);
    brush.fill();
    brush.restore();
  }

  #flood(brush, { hazard, plan }) {
    for (let z = -HALF; z < HALF; z += 4) {
      const depth = hazard.water(0, z + 2) - plan.ground(0, z + 2);
      if (depth <= 0.08) continue;
      brush.fillStyle = depth > 0.95 ? "rgba(255, 80, 60, 0.42)" : "rgba(255, 190, 50, 0.30)";
      brush.fillRect(0, this.#at(z), this.canvas.width, 4.2 * (this.canvas.width / (2 * HALF)));
      brush.fillStyle = "rgba(40, 150, 170, 0.5)";
      brush.fillRect(0, this.#at(z), this.canvas.width, 4.2 * (this.canvas.width / (2 * HALF)));
    }
  }
}
