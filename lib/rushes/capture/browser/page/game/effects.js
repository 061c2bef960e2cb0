// What moves in the picture, from the state of the game: people, pieces that fall, wreckage, fire, smoke, dust.
// Nothing here is remembered: smoke and flames are functions of the time, so that a game that is replayed looks alike.
//
//   collect(sim, view, palette, { boxes, sprites });

import { FLAME, SHADOW, SMOKE, SPOT } from "./batches.js";
import { rgb } from "./palettes.js";
import { drawHeap, drawPerson, signal } from "./people.js";
import { noise } from "./random.js";

const FAR = 46; // units: people and rubble further away are left out

/** Fill the two lists of one frame. */
export function collect(sim, view, palette, seen) {
  const near = ({ x, z }, reach = FAR) => Math.hypot(x - view.eye[0], z - view.eye[2]) < reach;
  for (const person of sim.victims.people) {
    if (person.state === "waiting") signal(sim, person, seen.sprites);
    if (person.state !== "saved" && near(person)) drawPerson(sim, person, seen);
  }
  const tones = palette.rubble.map(rgb);
  for (const heap of sim.victims.heaps) if (heap.left > 0 && near(heap)) drawHeap(sim, heap, tones, seen);
  for (const station of sim.plan.stations) {
    const y = sim.plan.ground(station.x, station.z);
    if (near(station)) seen.sprites.add(station.x, y + 0.16, station.z, 5.4, 5.4, SPOT, 0, [0.2, 0.8, 0.5], 0, 0.16);
  }
  ({ earthquake: drawQuake, tsunami: drawFlood, wildfire: drawFire })[sim.environment](sim, view, palette, seen, near);
}

/** A column of puffs that rise, widen and fade; `count` of them at once. */
function plume(
  sprites,
  time,
  { x, y, z },
  { count, tall, wide, colour, strength, wind = [0.5, 0.3], speed = 0.12, seed = 0 },
) {
  for (let k = 0; k < count; k += 1) {
    const life = (time * speed + k / count + noise(seed, k) * 0.1) % 1;
    const round = Math.floor(time * speed + k / count);
    const side = noise(seed, k, round) - 0.5;
    const size = wide * (0.35 + 1.1 * life);
    sprites.add(
      x + wind[0] * life * tall + side * wide,
      y + life * tall,
      z + wind[1] * life * tall + side * wide * 0.6,
      size,
      size,
      SMOKE,
      0,
      colour.map((tone) => tone * (0.75 + 0.35 * life)),
      1,
      strength * Math.min(1, life * 6) * (1 - life),
    );
  }
}

function drawQuake(sim, view, palette, { boxes, sprites }, near) {
  const { hazard, plan } = sim;
  const tones = palette.rubble.map(rgb);
  hazard.pieces.forEach((piece, at) => {
    const fade = piece.rest > 200 ? (240 - piece.rest) / 40 : 1;
    boxes.add(
      piece.x,
      piece.y,
      piece.z,
      piece.size * fade,
      piece.size * 0.7 * fade,
      piece.size * 0.9 * fade,
      [piece.turn, piece.turn * 0.7, 0],
      tones[at % 5],
    );
    sprites.add(
      piece.x,
      plan.ground(piece.x, piece.z) + 0.16,
      piece.z,
      piece.size,
      piece.size,
      SHADOW,
      0,
      [0, 0, 0],
      1,
      0.45,
    );
  });
  const dust = rgb(palette.smoke);
  for (const puff of hazard.dust) {
    const age = (sim.time - puff.at) / 3;
    for (const side of [-1, 1])
      sprites.add(
        puff.x + side * age * 1.2,
        puff.y + age * 1.1,
        puff.z + side * age * 0.5,
        0.5 + 2.2 * age,
        0.4 + 1.5 * age,
        SMOKE,
        0,
        dust,
        1,
        0.5 * (1 - age) * Math.min(1, age * 8),
      );
  }
  hazard.rings.forEach((ring, at) => {
    if (near(ring, 70))
      plume(
        sprites,
        sim.time,
        { x: ring.x, y: 1, z: ring.z },
        { count: 4, tall: 11, wide: 3.4, colour: dust, strength: 0.34 + 0.3 * hazard.shake, seed: at },
      );
  });
  plume(
    sprites,
    sim.time,
    { x: 3, y: 2, z: -70 },
    { count: 7, tall: 44, wide: 9, colour: dust.map((tone) => tone * 0.8), strength: 0.5, speed: 0.05, seed: 99 },
  );
}

function drawFlood(sim, view, palette, { boxes, sprites }, near) {
  const { hazard, plan } = sim;
  const tones = [
    [0.62, 0.45, 0.3],
    [0.85, 0.83, 0.78],
    [0.91, 0.42, 0.3],
    [0.25, 0.5, 0.56],
  ];
  for (const piece of hazard.wreckage) {
    const water = hazard.water(piece.x, piece.z);
    const ground = plan.ground(piece.x, piece.z);
    if (!near(piece, 75)) continue;
    const y = Math.max(water, ground + 0.05);
    const sway = water > ground ? 0.14 * Math.sin(sim.time * 1.6 + piece.yaw * 3) : 0.05;
    const [w, h, d] =
      piece.kind === 0
        ? [piece.size * 2, 0.14, 0.5]
        : piece.kind === 1
          ? [piece.size, piece.size * 0.6, piece.size]
          : [piece.size * 0.8, piece.size * 0.5, piece.size * 1.1];
    boxes.add(
      piece.x,
      y + h * 0.2 + sway * 0.2,
      piece.z,
      w,
      h,
      d,
      [piece.yaw + sim.time * 0.05 * piece.drift, sway, sway * 0.7],
      tones[piece.kind],
    );
  }
  const foam = rgb(palette.smoke);
  for (const wave of hazard.running()) {
    for (let k = 0; k < 16; k += 1) {
      const x = (noise(k, Math.floor(wave.age * 2)) * 2 - 1) * 30 + view.eye[0] * 0.6;
      const life = (wave.age * 2) % 1;
      if (wave.tall > 0.5)
        sprites.add(
          x,
          hazard.water(x, wave.z) + life * 0.9,
          wave.z + 1.5,
          0.6 + life * 1.3,
          0.4 + life * 0.8,
          SMOKE,
          0,
          foam,
          1,
          0.4 * (1 - life),
        );
    }
  }
}

/** Give how far the tip of a flame leans now. */
function sway(sim, high, number) {
  return 0.26 * high * Math.sin(sim.time * 6 + number * 9);
}

function drawFire(sim, view, palette, { sprites }, near) {
  const { hazard } = sim;
  const smoke = rgb(palette.smoke);
  const away = (cell) => Math.hypot(cell.x - view.eye[0], cell.z - view.eye[2]);
  const cells = [...hazard.burning].sort((a, b) => away(a) - away(b));
  cells.forEach((cell, rank) => {
    const strong = hazard.strength(cell);
    const number = cell.j * 24 + cell.i;
    const flames = rank < 9 ? 6 : 2;
    const scale = cell.roof ? 1.5 : 1.1;
    for (let k = 0; k < flames; k += 1) {
      const [dx, dz] = [noise(number, k, 1) - 0.5, noise(number, k, 2) - 0.5];
      const high =
        scale *
        strong *
        cell.tall *
        (0.5 + 1.25 * noise(number, k, 3) ** 2 + (flames < 3 ? 0.5 : 0)) *
        (0.9 + 0.16 * Math.sin(sim.time * 6 + k * 2 + number));
      sprites.add(
        cell.x + dx * 3.8,
        cell.roof + 0.05,
        cell.z + dz * 3.8,
        high * 0.44 + 0.12,
        high,
        FLAME,
        sway(sim, high, number + k),
        [1, 0.36, 0.1],
        1,
      );
    }
    const flicker = 0.34 * strong * (0.9 + 0.1 * Math.sin(sim.time * 9 + number));
    sprites.add(cell.x, 0.18, cell.z, 5.6, 5.6, SPOT, 0, [1, 0.42, 0.1], 0, flicker);
    if (cell.roof && rank < 14)
      sprites.add(cell.x, cell.roof + 1.5, cell.z, 5, 5, SMOKE, 0, [1, 0.4, 0.1], 0, flicker * 0.8);
    if (rank < 22)
      plume(
        sprites,
        sim.time,
        { x: cell.x, y: cell.roof + 2.5, z: cell.z },
        {
          count: rank < 8 ? 5 : 2,
          tall: 13,
          wide: 1.9,
          colour: smoke,
          strength: 0.5 * strong,
          seed: number,
          wind: [hazard.wind.x * 0.4, hazard.wind.z * 0.35],
          speed: 0.16,
        },
      );
  });
  for (const { x, z, side } of sim.plan.lamps) {
    if (near({ x, z }, 34)) sprites.add(x + side * 1.05, 0.19, z, 2.6, 2.6, SPOT, 0, [1, 0.72, 0.36], 0, 0.3);
  }
  for (let k = 0; k < 5; k += 1) {
    const x = 14 + k * 9 * (k % 2 ? -1.4 : 1);
    sprites.add(x, 1, -80 + (k % 2) * 6, 2.2, 4.5 + (k % 3), FLAME, sway(sim, 4, k), [1, 0.36, 0.1], 1);
    plume(
      sprites,
      sim.time,
      { x, y: 5, z: -82 },
      { count: 4, tall: 40, wide: 8, colour: smoke, strength: 0.55, speed: 0.05, seed: 200 + k, wind: [0.35, 0.1] },
    );
  }
  for (let k = 0; k < 30; k += 1) {
    // embers
    const life = (sim.time * (0.1 + 0.1 * noise(k, 1)) + noise(k, 2)) % 1;
    const x = view.eye[0] + (noise(k, 3) - 0.5) * 30 + Math.sin(sim.time + k) * 0.8;
    const z = view.eye[2] + (noise(k, 4) - 0.5) * 30;
    sprites.add(x, 0.3 + life * 8, z, 0.045, 0.045, SMOKE, 0, [1, 0.6, 0.2], 0, 1.3 * (1 - life));
  }
}
