// The people to be rescued, and the rubble that lies on some of them.
//
// Hold E near a victim: after INSPECT seconds the victim is inspected, after RESCUE seconds more saved. Hold R (or a
// mouse button) before rubble for DESTROY seconds to clear it; who lies under it cannot be saved before.

import { stream } from "./random.js";
import { ZONE_FACTOR } from "./hazards.js";
import { RATE } from "./player.js";

export const REACH = 2.7; // units
export const SENSED = 18; // units: nearer victims are detected
const INSPECT = 1;
const RESCUE = 1.4;
const DESTROY = 1.5;

export class Victims {
  constructor(plan, solid) {
    const draw = stream(plan.seed, "fates");
    this.solid = solid;
    this.heaps = plan.rubble.map((heap) => ({
      ...heap,
      left: 1,
      solid: solid.circle(heap.x, heap.z, heap.radius, 1.5),
      pieces: pieces(heap, draw),
    }));
    this.people = plan.victims.map((victim, number) => ({
      ...victim,
      number,
      state: "waiting",
      inspected: 0,
      helped: 0,
      loss: draw.range(0.22, 0.42),
      phase: draw.range(0, 6),
    }));
    for (const person of this.people) {
      person.y = plan.ground(person.x, person.z) + 0.12;
      person.heap = person.trapped ? this.heaps.find((heap) => heap.x === person.x && heap.z === person.z) : null;
    }
    this.busy = null; // what is being done now: {what, share}
  }

  /** Advance by one step: lose health, inspect, rescue, clear. */
  step({ keys }, sim) {
    this.busy = null;
    for (const person of this.people) {
      if (person.state !== "waiting") continue;
      const zone = sim.hazard.zoneAt(person.x, person.z, person.y);
      person.health = Math.max(0, person.health - (person.loss * ZONE_FACTOR[zone]) / RATE);
      if (person.health > 0) continue;
      person.state = "dead";
      sim.tell("victim_died");
    }
    sim.inspecting = keys.has("KeyE");
    sim.destroying = keys.has("KeyR") || keys.has("MouseLeft") || keys.has("MouseRight");
    const person = this.nearest(sim.player, REACH);
    if (sim.inspecting && person && !this.#buried(person)) this.#help(person, sim);
    const heap = this.heapAhead(sim.player);
    if (sim.destroying && heap) this.#clear(heap, sim);
  }

  #buried(person) {
    return person.heap !== null && person.heap.left > 0;
  }

  #help(person, sim) {
    if (person.inspected < 1) {
      person.inspected = Math.min(1, person.inspected + 1 / (INSPECT * RATE));
      this.busy = { what: "Inspecting", share: person.inspected };
      if (person.inspected < 1) return;
      sim.score += 10;
      sim.tell("inspect");
      return;
    }
    person.helped = Math.min(1, person.helped + 1 / (RESCUE * RATE));
    this.busy = { what: "Rescuing", share: person.helped };
    if (person.helped < 1) return;
    person.state = "saved";
    sim.score += Math.round(100 + person.health);
    sim.tell("rescue");
  }

  #clear(heap, sim) {
    heap.left = Math.max(0, heap.left - 1 / (DESTROY * RATE));
    this.busy = { what: "Clearing", share: 1 - heap.left };
    if (heap.left > 0) return;
    this.solid.remove(heap.solid);
    sim.score += 20;
    sim.tell("destroy_rubble");
  }

  /** Find the nearest person who waits, within a reach. */
  nearest({ x, z }, reach = Infinity) {
    let found = null;
    let least = reach;
    for (const person of this.people) {
      const away = Math.hypot(person.x - x, person.z - z);
      if (person.state !== "waiting" || away > least) continue;
      [found, least] = [person, away];
    }
    return found;
  }

  /** Find the rubble in front of a player, within reach. */
  heapAhead({ x, z, yaw }) {
    return (
      this.heaps.find((heap) => {
        if (heap.left <= 0) return false;
        const [dx, dz] = [heap.x - x, heap.z - z];
        const away = Math.hypot(dx, dz);
        return away < heap.radius + REACH - 0.6 && (-dx * Math.sin(yaw) - dz * Math.cos(yaw)) / (away || 1) > 0.45;
      }) ?? null
    );
  }

  /** Say what the player could do here, as a text, or null. */
  prompt(player, plan) {
    const heap = this.heapAhead(player);
    if (heap) return "Hold R to clear the rubble";
    const person = this.nearest(player, REACH);
    if (person && this.#buried(person)) return "Trapped: clear the rubble first (R)";
    if (person) return person.inspected < 1 ? "Hold E to inspect" : "Hold E to rescue";
    const close = plan.stations.some((station) => Math.hypot(station.x - player.x, station.z - player.z) < 5.5);
    return close && player.battery < 98 ? "Press F to recharge" : null;
  }

  count(state) {
    return this.people.filter((person) => person.state === state).length;
  }

  numbers() {
    return [
      ...this.people.flatMap((person) => [person.health, person.inspected, person.helped]),
      ...this.heaps.map((heap) => heap.left),
    ];
  }
}

/** Break a heap of rubble into pieces, as boxes for the picture. */
function pieces({ radius }, draw) {
  return Array.from({ length: 13 }, () => {
    const away = radius * Math.sqrt(draw.next()) * 0.95;
    const angle = draw.range(0, 2 * Math.PI);
    const size = draw.range(0.45, 1.05);
    return {
      dx: Math.sin(angle) * away,
      dz: Math.cos(angle) * away,
      up: (1 - away / radius) * 0.85 + size * 0.22,
      w: size,
      h: size * draw.range(0.4, 0.8),
      d: size * draw.range(0.6, 1.2),
      yaw: draw.range(0, 6.3),
      tilt: draw.range(-0.6, 0.6),
      tone: draw.int(5),
    };
  });
}
