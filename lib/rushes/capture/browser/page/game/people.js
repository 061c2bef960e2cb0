// The people in the picture: those who wait, those who lie, the light over them, and the rubble on some of them.
//
//   signal(sim, person, sprites); drawPerson(sim, person, seen); drawHeap(sim, heap, tones, seen);    // see effects.js

import { PILLAR, SHADOW } from "./batches.js";

const SKINS = [
  [0.95, 0.78, 0.64],
  [0.78, 0.56, 0.42],
  [0.55, 0.37, 0.27],
  [0.9, 0.7, 0.55],
];
const CLOTHS = [
  [0.95, 0.45, 0.25],
  [0.25, 0.5, 0.85],
  [0.95, 0.8, 0.3],
  [0.85, 0.3, 0.5],
  [0.3, 0.7, 0.6],
];
/** A pillar of light over everybody who waits, green to red by health. */
export function signal(sim, person, sprites) {
  const share = person.health / 100;
  const pulse = 0.4 + 0.1 * Math.sin(sim.time * 3 + person.phase);
  sprites.add(
    person.x,
    person.y,
    person.z,
    0.55,
    7,
    PILLAR,
    0,
    [1 - 0.7 * share, 0.25 + 0.65 * share, 0.3 + 0.4 * share],
    0,
    pulse + (person.inspected < 1 ? 0 : 0.25),
  );
}

/** A person of boxes: standing and waving, or lying. */
export function drawPerson(sim, person, { boxes, sprites }) {
  const { x, y, z, yaw, phase } = person;
  const skin = SKINS[person.skin];
  const cloth = CLOTHS[person.cloth];
  const dead = person.state === "dead";
  const lying = dead || person.trapped;
  const [sin, cos] = [Math.sin(yaw), Math.cos(yaw)];
  const afloat = Math.max(y, sim.hazard.water(x, z) - (lying ? 0.25 : 0.75));
  const part = (side, up, ahead, w, h, d, colour, tilt = 0, roll = 0) =>
    boxes.add(
      x + cos * side + sin * ahead,
      afloat + up,
      z - sin * side + cos * ahead,
      w,
      h,
      d,
      [yaw, tilt, roll],
      dead ? colour.map((tone) => tone * 0.55) : colour,
    );
  sprites.add(x, y + 0.04, z, 0.7, 0.7, SHADOW, 0, [0, 0, 0], 1, 0.4);
  if (lying) {
    part(0, 0.2, 0, 0.46, 0.28, 0.7, cloth);
    part(0, 0.24, 0.52, 0.28, 0.28, 0.28, skin);
    part(0, 0.34, 0.6, 0.3, 0.14, 0.22, [0.2, 0.14, 0.1]);
    part(0.13, 0.15, -0.65, 0.17, 0.18, 0.7, [0.24, 0.27, 0.36]);
    part(-0.13, 0.15, -0.65, 0.17, 0.18, 0.7, [0.24, 0.27, 0.36]);
    const wave = dead ? 0 : 0.5 + 0.5 * Math.sin(sim.time * 4 + phase);
    part(0.34, 0.2 + wave * 0.24, 0.3, 0.13, 0.13, 0.55, skin, -1.1 * wave);
    return;
  }
  const hop = Math.max(0, Math.sin(sim.time * 2.4 + phase)) * 0.06;
  for (const side of [0.12, -0.12]) part(side, 0.36, 0, 0.17, 0.72, 0.2, [0.24, 0.27, 0.36]);
  part(0, 1.0 + hop, 0, 0.46, 0.6, 0.28, cloth);
  part(0, 1.48 + hop, 0, 0.27, 0.29, 0.27, skin);
  part(0, 1.62 + hop, -0.03, 0.3, 0.13, 0.31, [0.2, 0.14, 0.1]);
  const wave = Math.sin(sim.time * 5 + phase) * 0.35;
  part(0.36, 1.5 + hop, 0, 0.13, 0.6, 0.14, skin, 0, 0.35 + wave);
  part(-0.36, 1.5 + hop, 0, 0.13, 0.6, 0.14, skin, 0, -0.35 + wave);
}

/** A heap of rubble, lower the more of it is cleared. */
export function drawHeap(sim, heap, tones, { boxes, sprites }) {
  const y = sim.plan.ground(heap.x, heap.z) + 0.05;
  const left = 0.25 + 0.75 * heap.left;
  const shake = heap.left < 1 ? 0.04 * Math.sin(sim.time * 60) : 0;
  sprites.add(heap.x, y + 0.12, heap.z, heap.radius * 1.3, heap.radius * 1.3, SHADOW, 0, [0, 0, 0], 1, 0.4);
  for (const piece of heap.pieces) {
    boxes.add(
      heap.x + piece.dx + shake,
      y + piece.up * left,
      heap.z + piece.dz,
      piece.w * left,
      piece.h * left,
      piece.d * left,
      [piece.yaw, piece.tilt, 0],
      tones[piece.tone],
    );
  }
}
