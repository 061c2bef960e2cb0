// What stands about in the streets: trees, cars, lamps, the refuelling stations, benches.
//
//   furnish(site);    // site: see build() in scenery.js

import { GLOW } from "./mesh.js";
import { rgb } from "./palettes.js";

/** Put all of it into the mesh and the colliders. */
export function furnish(site) {
  for (const tree of site.plan.trees) plantTree(site, tree);
  site.mesh.small = true;
  for (const car of site.plan.cars) parkCar(site, car);
  for (const lamp of site.plan.lamps) lampPost(site, lamp);
  for (const block of site.plan.blocks) {
    site.mesh.raise = site.plan.ground(block.x, block.z) + 0.12;
    if (block.kind === "station") station(site, block);
    if (block.kind === "park") park(site, block);
  }
  site.mesh.small = false;
}

function plantTree({ plan, palette, mesh, solid, heights }, { x, z, size, kind, turn }) {
  mesh.raise = plan.ground(x, z) + 0.1;
  const trunk = plan.environment === "wildfire" ? [0.24, 0.17, 0.18] : [0.42, 0.31, 0.24];
  const leaf = rgb(palette.leaves[kind]);
  const lighter = leaf.map((part) => Math.min(1, part * 1.14));
  if (plan.environment === "tsunami" && kind !== 1) {
    mesh.cone([x, 0, z], 0.2 * size, 0.12 * size, 4.4 * size, 5, [0.58, 0.47, 0.36], { turn, lean: [0.4, 0.3] });
    for (let k = 0; k < 6; k += 1) {
      const angle = turn + (k * 2 * Math.PI) / 6;
      const [dx, dz] = [Math.sin(angle), Math.cos(angle)];
      const at = (out, up, wide) => [x + 0.4 + dx * out + dz * wide, up * size, z + 0.3 + dz * out - dx * wide];
      const blade = [
        [at(0.05, 4.4, -0.2), at(0.05, 4.4, 0.2), at(1.0 * size, 4.75, 0.3), at(1.0 * size, 4.75, -0.3)],
        [at(1.0 * size, 4.75, -0.3), at(1.0 * size, 4.75, 0.3), at(2.2 * size, 3.8, 0)],
      ];
      blade.forEach((points, part) => {
        mesh.face(points, part ? leaf : lighter);
        mesh.face([...points].reverse(), leaf);
      });
    }
  } else if (plan.environment === "wildfire" && kind === 2) {
    mesh.cone([x, 0, z], 0.24 * size, 0.05, 4.2 * size, 5, trunk, { turn });
    for (let k = 0; k < 5; k += 1)
      mesh.box(
        [x + Math.sin(turn + k * 1.9) * 0.5, (1.8 + k * 0.4) * size, z + Math.cos(turn + k * 1.9) * 0.5],
        [0.1, 0.1, 1.3],
        trunk,
        { yaw: turn + k * 1.9, tilt: -0.6 },
      );
  } else {
    mesh.small = true;
    mesh.cone([x, 0, z], 0.2 * size, 0.14 * size, 1.5 * size, 4, trunk, { turn });
    mesh.small = false;
    mesh.cone([x, 1.1 * size, z], 1.45 * size, 0.9 * size, 1.2 * size, 6, leaf, { turn, base: 0.62 });
    mesh.cone([x, 2.1 * size, z], 1.2 * size, 0, 2.0 * size, 6, lighter, { turn: turn + 0.3, base: 0.78 });
  }
  solid.circle(x, z, 0.28, 4);
  heights.push({ x0: x - size, z0: z - size, x1: x + size, z1: z + size, top: 2.6 * size, bottom: 1.2 * size });
}

function parkCar({ plan, palette, mesh, solid, heights, draw }, { x, z, yaw, paint, van }) {
  mesh.raise = plan.ground(x, z);
  const colour = rgb(palette.cars[paint]);
  const part = (forward, up, size, tint, options = {}) =>
    mesh.box([x + Math.sin(yaw) * forward, up, z + Math.cos(yaw) * forward], size, tint, {
      yaw,
      base: 0.75,
      ...options,
    });
  const glass = rgb(palette.glass).map((value) => value * 0.8);
  if (van) {
    part(0, 1.2, [1.85, 1.75, 4.4], colour);
    part(1.55, 1.55, [1.9, 0.6, 1.15], glass);
    part(-0.3, 1.0, [1.9, 0.16, 3.6], [0.95, 0.95, 0.93]);
  } else {
    part(0, 0.66, [1.75, 0.62, 4.1], colour);
    part(-0.25, 1.2, [1.5, 0.52, 2.1], glass, { top: colour });
  }
  for (const [end, tone] of [
    [1, [1, 0.95, 0.8]],
    [-1, [0.75, 0.15, 0.12]],
  ]) {
    // lights
    const reach = end * (van ? 2.22 : 2.07);
    const at = (side, up) => [
      x + Math.sin(yaw) * reach + Math.cos(yaw) * side * end,
      up,
      z + Math.cos(yaw) * reach - Math.sin(yaw) * side * end,
    ];
    for (const side of [-0.6, 0.6])
      mesh.face([at(side - 0.2, 0.62), at(side + 0.2, 0.62), at(side + 0.2, 0.8), at(side - 0.2, 0.8)], tone);
  }
  for (const along of [-1.25, 1.25]) part(along, 0.33, [1.86, 0.62, 0.68], [0.13, 0.13, 0.15]);
  if (draw.chance(0.4))
    mesh.box([x + draw.range(-2.4, 2.4), 0.12, z + draw.range(-2.4, 2.4)], [0.5, 0.25, 0.4], rgb(palette.rubble[0]), {
      yaw: draw.range(0, 6),
    });
  for (const along of [-1.3, 0, 1.3])
    solid.circle(x + Math.sin(yaw) * along, z + Math.cos(yaw) * along, 0.95, van ? 2 : 0.98);
  const reach = 1.5;
  heights.push({ x0: x - reach, z0: z - reach, x1: x + reach, z1: z + reach, top: van ? 1.8 : 1 });
}

function lampPost({ plan, mesh, solid }, { x, z, side }) {
  mesh.raise = plan.ground(x, z) + 0.12;
  const iron = plan.environment === "tsunami" ? [0.32, 0.42, 0.46] : [0.25, 0.24, 0.27];
  mesh.box([x, 2.3, z], [0.13, 4.6, 0.13], iron);
  mesh.box([x + side * 0.55, 4.6, z], [1.2, 0.1, 0.12], iron);
  const on = plan.environment === "wildfire";
  mesh.box(
    [x + side * 1.05, 4.5, z],
    [0.5, 0.12, 0.26],
    on ? [1, 0.85, 0.55] : [0.9, 0.9, 0.85],
    on ? { material: GLOW, skip: "" } : { skip: "" },
  );
  solid.circle(x, z, 0.15, 5);
}

/** A station: a canopy on four posts, two pumps, a kiosk and a sign. */
function station({ palette, mesh, solid, heights }, { x, z }) {
  const white = [0.93, 0.93, 0.9];
  const green = [0.16, 0.66, 0.42];
  mesh.box([x, 4.1, z], [9, 0.55, 7], green, { top: white, skip: "", base: 1 });
  mesh.box([x, 3.78, z], [8.6, 0.1, 6.6], white, { skip: "top" });
  for (const [dx, dz] of [
    [-3.6, -2.6],
    [3.6, -2.6],
    [-3.6, 2.6],
    [3.6, 2.6],
  ]) {
    mesh.box([x + dx, 1.9, z + dz], [0.34, 3.8, 0.34], white);
    solid.circle(x + dx, z + dz, 0.26, 4);
  }
  for (const dx of [-1.7, 1.7]) {
    mesh.box([x + dx, 0.12, z], [1.4, 0.24, 3.2], rgb(palette.pavement));
    mesh.box([x + dx, 1.1, z], [0.7, 1.75, 0.6], green, { top: white });
    mesh.box([x + dx, 1.45, z], [0.74, 0.5, 0.4], [0.1, 0.14, 0.16]);
    mesh.box([x + dx, 1.45, z], [0.76, 0.28, 0.3], [0.55, 1, 0.75], { material: GLOW });
    solid.box(x + dx - 0.45, z - 0.4, x + dx + 0.45, z + 0.4, 2);
  }
  mesh.box([x, 1.3, z - 5.2], [6, 2.6, 1.8], white, { top: green });
  mesh.box([x, 1.5, z - 4.28], [4.6, 1.2, 0.08], rgb(palette.glass));
  solid.box(x - 3, z - 6.1, x + 3, z - 4.3, 2.6);
  for (const side of [-1, 1]) {
    mesh.box([x + side * 5.9, 2.4, z + 5.9], [0.2, 4.8, 0.2], white);
    mesh.box([x + side * 5.9, 5.2, z + 5.9], [1.5, 1.5, 0.22], green, { skip: "" });
    mesh.box([x + side * 5.9, 5.2, z + 5.9], [0.3, 0.95, 0.3], [0.75, 1, 0.85], { material: GLOW, skip: "" });
    mesh.box([x + side * 5.9, 5.2, z + 5.9], [0.95, 0.3, 0.3], [0.75, 1, 0.85], { material: GLOW, skip: "" });
    solid.circle(x + side * 5.9, z + 5.9, 0.2, 5);
  }
  heights.push({ x0: x - 4.5, z0: z - 3.5, x1: x + 4.5, z1: z + 3.5, top: 4.3, bottom: 3.8 });
  heights.push({ x0: x - 3, z0: z - 6.1, x1: x + 3, z1: z - 4.3, top: 2.6 });
}

function park({ palette, mesh, solid, draw }, { x, z }) {
  const stone = rgb(palette.pavement);
  mesh.cone([x, 0, z], 1.7, 1.7, 0.5, 10, stone, { base: 0.7, cap: true });
  mesh.cone([x, 0.5, z], 1.35, 1.35, 0.02, 10, [0.35, 0.6, 0.68], { cap: true });
  mesh.cone([x, 0.5, z], 0.35, 0.22, 1.1, 6, stone);
  solid.circle(x, z, 1.7, 0.5);
  for (let k = 0; k < 3; k += 1) {
    const side = k * 2.1 + draw.range(0, 0.6);
    const [bx, bz] = [x + Math.sin(side) * 2.7, z + Math.cos(side) * 2.7];
    mesh.box([bx, 0.42, bz], [1.5, 0.1, 0.45], [0.55, 0.38, 0.25], { yaw: side });
    mesh.box([bx, 0.2, bz], [1.2, 0.35, 0.12], [0.25, 0.25, 0.27], { yaw: side });
  }
}
