// The city of a seed, as data: what stands where. No picture, no time. scenery.js draws it, colliders.js feels it.
//
//   const plan = makePlan(7, "earthquake");
//   plan.blocks[0];        // {x, z, kind, floors: [[...]], walls, ...}
//   plan.ground(3, -20);   // height of the ground there
//
// 6 x 6 blocks stand 20 units apart; a block is 13 wide, so that streets are 7 wide. The avenue is x = 0; a person
// starts at its south end (z = 52) and looks north (-z), at the landmark. In `tsunami` the ground falls to the sea.

import { stream } from "./random.js";

export const PITCH = 20;
export const PAD = 6.5; // half of a block with its pavement
export const BAY = 2.75; // a building is 4 x 4 bays
export const STOREY = 2.9;
export const EDGE = 60; // nobody walks further than this from the middle
export const START = [1.2, 52];

const SLOPE = { earthquake: 0, tsunami: 0.06, wildfire: 0 };
const KINDS = {
  earthquake: ["ruin", "ruin", "ruin", "collapsed", "collapsed", "tower", "tower", "houses", "park"],
  tsunami: ["houses", "houses", "houses", "tower", "tower", "ruin", "park", "collapsed", "houses"],
  wildfire: ["houses", "houses", "park", "park", "tower", "tower", "ruin", "collapsed", "houses"],
};

/** Make the plan of a city. */
export function makePlan(seed, environment) {
  const slope = SLOPE[environment];
  const plan = { seed, environment, slope, ground: (x, z) => slope * z, blocks: [], cars: [], lamps: [], trees: [] };
  layBlocks(plan, stream(seed, "blocks"));
  plan.stations = plan.blocks.filter((block) => block.kind === "station").map(({ x, z }) => ({ x, z }));
  plantTrees(plan, stream(seed, "trees"));
  placeCars(plan, stream(seed, "cars"));
  for (const { x, z } of plan.blocks)
    plan.lamps.push({ x: x - Math.sign(x) * (PAD - 0.5), z: z + PAD - 3, side: -Math.sign(x) });
  placePeople(plan, stream(seed, "people"));
  return plan;
}

/** Say whether a point lies on a block (its pavement included). */
export function onBlock(x, z) {
  const inside = (value) => Math.abs((((value % PITCH) + PITCH) % PITCH) - PITCH / 2) < PAD;
  return inside(x) && inside(z);
}

function layBlocks(plan, draw) {
  const kinds = draw.shuffle(Array.from({ length: 4 }, () => KINDS[plan.environment]).flat());
  const second = [draw.int(2), draw.int(3)];
  const third = [4 + draw.int(2), 1 + draw.int(2)];
  for (let i = 0; i < 6; i += 1) {
    for (let j = 0; j < 6; j += 1) {
      const block = { x: (i - 2.5) * PITCH, z: (j - 2.5) * PITCH, kind: kinds[i * 6 + j], lot: draw.int(1 << 20) };
      const here = (at) => at[0] === i && at[1] === j;
      if (here([3, 4]) || here(second) || here(third)) block.kind = "station";
      else if (here([2, 4])) block.kind = plan.environment === "wildfire" ? "park" : "houses";
      else if (here([2, 5])) block.kind = "tower";
      else if (here([3, 5])) block.kind = "houses";
      else if (here([3, 3])) block.kind = plan.environment === "tsunami" ? "tower" : "ruin";
      else if (here([2, 3])) block.kind = "tower";
      else if (here([2, 2])) block.kind = "ruin";
      block.central = Math.abs(block.x) < 15;
      if (block.kind === "tower" || block.kind === "ruin") block.floors = raise(block, draw);
      if (block.kind === "houses") block.houses = settle(block, draw);
      plan.blocks.push(block);
    }
  }
}

/** Give the storeys of the 4 x 4 bays of a tower or of what is left of one. */
function raise(block, draw) {
  const most = block.central ? 5 + draw.int(4) : 3 + draw.int(4);
  const setback = draw.chance(0.5) ? 1 + draw.int(2) : 0;
  const corner = [draw.chance(0.5) ? 0 : 3, draw.chance(0.5) ? 0 : 3];
  const steep = draw.range(1.1, 2.2);
  const rows = [];
  for (let i = 0; i < 4; i += 1) {
    rows.push([]);
    for (let j = 0; j < 4; j += 1) {
      const inner = i > 0 && i < 3 && j > 0 && j < 3;
      let floors = setback && !inner ? most - setback : most;
      if (block.kind === "ruin") {
        const away = Math.hypot(i - corner[0], j - corner[1]);
        floors = Math.round(Math.min(most, away * steep + draw.range(-0.9, 0.9)));
      }
      rows[i].push(Math.max(0, floors));
    }
  }
  return rows;
}

function settle(block, draw) {
  const houses = [];
  for (const [sx, sz] of [
    [-1, -1],
    [1, -1],
    [-1, 1],
    [1, 1],
  ]) {
    if (draw.chance(0.18)) continue;
    houses.push({
      x: block.x + sx * 2.95,
      z: block.z + sz * 2.95,
      w: draw.range(4.2, 5),
      d: draw.range(4.2, 5),
      floors: 1 + draw.int(2),
      across: draw.chance(0.5),
      roof: draw.range(1.3, 2.1),
      wall: draw.int(7),
      door: [sx, sz],
    });
  }
  return houses;
}

function plantTrees(plan, draw) {
  for (const block of plan.blocks) {
    const tree = (dx, dz, size) =>
      plan.trees.push({ x: block.x + dx, z: block.z + dz, size, kind: draw.int(3), turn: draw.range(0, 6) });
    if (block.kind === "park") {
      for (let k = 0; k < 6; k += 1) {
        const angle = (k / 6) * 2 * Math.PI + draw.range(-0.25, 0.25);
        const away = draw.range(3, 5.4);
        tree(Math.sin(angle) * away, Math.cos(angle) * away, draw.range(0.8, 1.35));
      }
    } else if (block.kind !== "station" && draw.chance(0.7)) {
      const side = draw.chance(0.5) ? 1 : -1;
      for (const along of [-3.6, 0.2, 3.6]) if (draw.chance(0.75)) tree(side * 6, along, draw.range(0.65, 0.9));
    }
  }
}

function placeCars(plan, draw) {
  for (let k = 0; k < 60 && plan.cars.length < 22; k += 1) {
    const along = draw.range(-54, 54);
    const street = (draw.int(5) - 2) * PITCH;
    const across = draw.chance(0.5);
    const askew = draw.chance(0.35);
    const side = (draw.chance(0.5) ? 1 : -1) * (askew ? draw.range(0, 1.4) : 2.3);
    const yaw = (across ? Math.PI / 2 : 0) + (askew ? draw.range(-0.7, 0.7) : 0);
    const [x, z] = across ? [along, street + side] : [street + side, along];
    const crossing = Math.abs(along - Math.round(along / PITCH) * PITCH) < 5;
    const close = plan.cars.some((car) => Math.hypot(car.x - x, car.z - z) < 5);
    if (crossing || close || Math.hypot(x - START[0], z - START[1]) < 9) continue;
    plan.cars.push({ x, z, yaw, paint: draw.int(5), van: draw.chance(0.25) });
  }
}

/** Choose where the victims wait and where rubble lies: some of them under it. */
function placePeople(plan, draw) {
  const spots = [];
  for (const { x, z } of plan.blocks) {
    for (const [dx, dz] of [
      [0, 5.95],
      [0, -5.95],
      [5.95, 0],
      [-5.95, 0],
    ])
      spots.push({ x: x + dx + (dx ? 0 : draw.range(-4, 4)), z: z + dz + (dz ? 0 : draw.range(-4, 4)) });
  }
  const clear = ({ x, z }, list, least) => list.every((other) => Math.hypot(other.x - x, other.z - z) >= least);
  const standing = [...plan.trees, ...plan.lamps];
  const chosen = [{ x: -4.05, z: 30.6 }]; // the first is seen from the start
  for (const spot of draw.shuffle(spots)) {
    if (chosen.length === 7) break;
    if (clear(spot, chosen, 21) && clear(spot, standing, 1.3) && clear(spot, [{ x: START[0], z: START[1] }], 16))
      chosen.push(spot);
  }
  plan.trees = plan.trees.filter((tree) => Math.hypot(tree.x - chosen[0].x, tree.z - chosen[0].z) > 4.2);
  plan.victims = chosen.map((spot, at) => ({
    ...spot,
    yaw: draw.range(0, 2 * Math.PI),
    health: draw.range(72, 100),
    trapped: at % 2 === 1,
    skin: draw.int(4),
    cloth: draw.int(5),
  }));
  plan.rubble = plan.victims.filter((victim) => victim.trapped).map(({ x, z }) => ({ x, z, radius: 1.25 }));
  for (let k = 0; k < 60 && plan.rubble.length < 10; k += 1) {
    const heap = {
      x: (draw.int(5) - 2) * PITCH + draw.range(-1.5, 1.5),
      z: draw.range(-50, 40),
      radius: draw.range(1.2, 1.8),
    };
    if (draw.chance(0.5)) [heap.x, heap.z] = [heap.z, heap.x];
    if (
      clear(heap, plan.rubble, 12) &&
      clear(heap, plan.cars, 4) &&
      clear(heap, chosen, 5) &&
      clear(heap, [{ x: START[0], z: START[1] - 6 }], 14)
    )
      plan.rubble.push(heap);
  }
}
