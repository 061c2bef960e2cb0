// The city as it is seen and as it is felt: from the plan of world.js to one static mesh and the colliders.
//
//   const { mesh, solid, heights } = build(plan, palette);
//
// `heights` is a list of boxes {x0, z0, x1, z1, top}: what throws a shadow on the ground (shade.js).

import { stream } from "./random.js";
import { Colliders } from "./colliders.js";
import { Mesh, WINDOWS } from "./mesh.js";
import { lighting, rgb } from "./palettes.js";
import { furnish } from "./furniture.js";
import { pave } from "./streets.js";
import { surround } from "./surroundings.js";
import { tower } from "./towers.js";
import { BAY, STOREY } from "./world.js";

/** Build the mesh, the colliders and the list of shadows. */
export function build(plan, palette) {
  const mesh = new Mesh(40, lighting(palette));
  mesh.lift = plan.ground;
  const site = { plan, palette, mesh, solid: new Colliders(), heights: [], draw: stream(plan.seed, "scenery") };
  site.block = (x0, z0, x1, z1, top) => {
    site.solid.box(x0, z0, x1, z1, top);
    site.heights.push({ x0, z0, x1, z1, top });
  };
  pave(site);
  for (const block of plan.blocks) {
    mesh.raise = plan.ground(block.x, block.z) + 0.12;
    if (block.floors) tower(site, block);
    else if (block.kind === "houses") houses(site, block);
    else if (block.kind === "collapsed") collapsed(site, block);
  }
  furnish(site);
  surround(site);
  return { mesh: mesh.pack(), solid: site.solid, heights: site.heights };
}

function houses({ plan, palette, mesh, block: stand, draw }, block) {
  for (const house of block.houses) {
    const tall = house.floors * 2.7;
    const wall = rgb(palette.walls[house.wall % palette.walls.length]);
    mesh.raise = plan.ground(house.x, house.z) + 0.1;
    const [hw, hd] = [house.w / 2, house.d / 2];
    const sides = [
      [house.x - hw, house.z + hd, house.x + hw, house.z + hd, 2],
      [house.x + hw, house.z - hd, house.x - hw, house.z - hd, 2],
      [house.x + hw, house.z + hd, house.x + hw, house.z - hd, 2],
      [house.x - hw, house.z - hd, house.x - hw, house.z + hd, 2],
    ];
    for (const [ax, az, bx, bz, bays] of sides) {
      const shift = (house.wall * 7 + block.lot) % 37;
      mesh.face(
        [
          [ax, -0.4, az],
          [bx, -0.4, bz],
          [bx, tall, bz],
          [ax, tall, az],
        ],
        wall,
        {
          material: WINDOWS,
          uv: [
            [shift, 0],
            [shift + bays, 0],
            [shift + bays, house.floors],
            [shift, house.floors],
          ],
          shades: [0.6, 0.6, 1, 1],
        },
      );
    }
    mesh.gable([house.x, tall, house.z], [house.w, house.roof, house.d], rgb(draw.pick(palette.roofs)), wall, {
      across: house.across,
    });
    const [sx, sz] = house.door;
    mesh.box(
      [house.x, 0.95, house.z + sz * (hd + 0.02)],
      [1, 1.95, 0.14],
      rgb(palette.trim[house.wall % palette.trim.length]),
    );
    if (draw.chance(0.6))
      mesh.box(
        [house.x + sx * 1.1, tall + house.roof * 0.8, house.z - sz * 0.7],
        [0.55, 1.5, 0.55],
        wall.map((part) => part * 0.75),
      );
    stand(house.x - hw, house.z - hd, house.x + hw, house.z + hd, tall + 1);
  }
}

function collapsed({ palette, mesh, solid, heights, draw }, block) {
  mesh.small = true;
  for (let k = 0; k < 26; k += 1) {
    const away = 5.2 * Math.sqrt(draw.next());
    const angle = draw.range(0, 2 * Math.PI);
    const high = 2.9 * (1 - away / 5.8);
    const size = draw.range(0.9, 3);
    mesh.box(
      [block.x + Math.sin(angle) * away, high * draw.range(0.3, 0.9), block.z + Math.cos(angle) * away],
      [size, draw.range(0.25, 1), size * draw.range(0.5, 1)],
      rgb(draw.pick(palette.rubble)),
      { yaw: draw.range(0, 6.3), tilt: draw.range(-0.7, 0.7), base: 0.55 },
    );
  }
  mesh.small = false;
  const wall = rgb(palette.walls[block.lot % palette.walls.length]);
  for (let k = 0; k < 4; k += 1) {
    const tall = draw.range(1.5, 6.5);
    mesh.face(
      [
        [block.x - 5.5 + k * BAY, 0, block.z - 5],
        [block.x - 5.5 + (k + 1) * BAY, 0, block.z - 5],
        [block.x - 5.5 + (k + 1) * BAY, tall, block.z - 5],
        [block.x - 5.5 + k * BAY, tall * draw.range(0.7, 1.1), block.z - 5],
      ],
      wall,
      {
        material: WINDOWS,
        uv: [
          [k, 0],
          [k + 1, 0],
          [k + 1, tall / STOREY],
          [k, tall / STOREY],
        ],
        shades: [0.55, 0.55, 1, 1],
      },
    );
    mesh.box(
      [block.x - 5.5 + (k + 0.5) * BAY, tall / 2 - 0.4, block.z - 5.15],
      [BAY, tall, 0.25],
      wall.map((part) => part * 0.8),
    );
  }
  solid.circle(block.x, block.z, 4.1, 2.4);
  solid.box(block.x - 5.5, block.z - 5.3, block.x + 5.5, block.z - 4.95, 3);
  heights.push({ x0: block.x - 3, z0: block.z - 3, x1: block.x + 3, z1: block.z + 3, top: 2 });
}
