// Towers, and the ruins of towers: 4 x 4 bays, each with its own number of storeys.
//
//   tower(site, block);                          // site: see build() in scenery.js; block.floors from world.js
//   lump(mesh, palette, draw, x, z, size);       // a lump of masonry

import { GLOW, PLAIN, WINDOWS } from "./mesh.js";
import { rgb } from "./palettes.js";
import { BAY, STOREY } from "./world.js";

/** Raise a tower, or the ruin of one: walls run down to the next lower roof; equal neighbours share one wall. */
export function tower({ palette, mesh, block: stand, draw }, block) {
  const wall = rgb(palette.walls[block.lot % palette.walls.length]);
  const ruin = block.kind === "ruin";
  const roof = rgb(palette.rubble[block.lot % 3]).map((part) => part * (ruin ? 0.95 : 0.8));
  const height = (count) => count * STOREY + (count ? 0.5 : 0);
  const at = (i, j) => [block.x + (i - 2) * BAY, block.z + (j - 2) * BAY];
  walls({ mesh, wall, ruin, height, at }, block);
  for (const { i, from, to, own } of runs(block.floors)) {
    const [[x0, z0], [x1, z1]] = [at(i, from), at(i + 1, to)];
    if (!own) {
      mesh.small = true;
      for (let k = 0; k < 2 * (to - from); k += 1)
        lump(mesh, palette, draw, draw.range(x0, x1), draw.range(z0, z1), draw.range(0.4, 1.1));
      mesh.small = false;
      continue;
    }
    const top = height(own);
    stand(x0, z0, x1, z1, top);
    mesh.face(
      [
        [x0, top, z1],
        [x1, top, z1],
        [x1, top, z0],
        [x0, top, z0],
      ],
      roof,
    );
    const [x, z] = [(x0 + x1) / 2, (z0 + z1) / 2];
    if (ruin && draw.chance(0.8))
      mesh.box(
        [x + draw.range(-1, 1), top + 0.5, z + draw.range(-1, 1)],
        [draw.range(0.25, 1.6), draw.range(0.8, 2), 0.25],
        wall,
        { yaw: draw.pick([0, Math.PI / 2]), base: 0.8 },
      );
    else if (!ruin && draw.chance(0.3))
      mesh.box(
        [x, top + 0.45, z + draw.range(-1, 1)],
        [1.4, 0.9, 1.2],
        roof.map((part) => part * 1.15),
      );
  }
  if (!ruin) crown({ palette, mesh, draw }, block, height);
}

/** Give the runs of equal storeys in each row of bays: {i, from, to, own}. */
function runs(floors) {
  return floors.flatMap((row, i) => {
    const found = [];
    row.forEach((own, j) => {
      if (j && found.at(-1).own === own) found.at(-1).to = j + 1;
      else found.push({ i, from: j, to: j + 1, own });
    });
    return found;
  });
}

/** Put up the walls along the ten lines between and around the bays; equal pieces of a line are one face. */
function walls({ mesh, wall, ruin, height, at }, { floors, lot }) {
  const count = (i, j) => floors[i]?.[j] ?? 0;
  const shift = [lot % 31, (lot >> 5) % 31];
  const light = (y) => 0.55 + 0.45 * Math.min(1, y / 9);
  for (const along of [0, 1]) {
    for (let line = 0; line <= 4; line += 1) {
      for (const side of [1, -1]) {
        let open = null;
        for (let k = 0; k <= 4; k += 1) {
          const [a, b] = [line - 1, line].map((row) => (along ? count(k, row) : count(row, k)));
          const [own, other] = side > 0 ? [a, b] : [b, a]; // the wall looks up the line, or down
          const inner = ruin && other === 0 && line > 0 && line < 4;
          const piece = k < 4 && own > other ? `${own},${other},${inner}` : null;
          if (open && open.piece !== piece) {
            raiseWall(open, k);
            open = null;
          }
          if (piece && !open) open = { piece, own, other, inner, from: k };
        }
        function raiseWall({ own, other, inner, from }, to) {
          const [low, high] = [height(other), height(own)];
          const ends = (along ? side > 0 : side < 0) ? [from, to] : [to, from];
          const [[ax, az], [bx, bz]] = ends.map((k) => (along ? at(k, line) : at(line, k)));
          const uv = (y, k) => [shift[0] + line * 5 + Math.abs(k - ends[0]), shift[1] + y / STOREY];
          mesh.face(
            [
              [ax, low, az],
              [bx, low, bz],
              [bx, high, bz],
              [ax, high, az],
            ],
            inner ? wall.map((part) => part * 0.72) : wall,
            {
              material: inner ? PLAIN : WINDOWS,
              uv: [uv(low, ends[0]), uv(low, ends[1]), uv(high, ends[1]), uv(high, ends[0])],
              shades: [light(low), light(low), light(high), light(high)],
            },
          );
        }
      }
    }
  }
}

/** Dress a tower: awnings and a band over the shops, a water tank or a mast on the roof. */
function crown({ palette, mesh, draw }, block, height) {
  const trim = rgb(palette.trim[block.lot % palette.trim.length]);
  mesh.small = true;
  for (const [sx, sz] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    const yaw = sx ? Math.PI / 2 : 0;
    mesh.box(
      [block.x + sx * 5.55, STOREY - 0.02, block.z + sz * 5.55],
      [11.3, 0.32, 0.3],
      trim.map((part) => part * 0.8),
      { yaw, base: 0.9 },
    );
    for (let k = -1; k <= 1; k += 1) {
      if (draw.chance(0.4)) continue;
      const tone = draw.chance(0.5) ? trim : rgb(draw.pick(palette.trim));
      const at = (out, side, up) => [
        block.x + sx * out + sz * (k * 3.4 + side),
        up,
        block.z + sz * out - sx * (k * 3.4 + side),
      ];
      const cloth = [at(6.75, -1.4, 2.2), at(6.75, 1.4, 2.2), at(5.5, 1.4, 2.75), at(5.5, -1.4, 2.75)];
      mesh.face(cloth, tone, { shades: [0.85, 0.85, 1, 1] });
      mesh.face(
        [cloth[1], cloth[0], cloth[3], cloth[2]],
        tone.map((part) => part * 0.7),
      );
    }
  }
  mesh.small = false;
  const top = height(block.floors[1][1]);
  if (draw.chance(0.5)) {
    mesh.cone([block.x + 0.8, top, block.z - 0.6], 1.15, 1.15, 2, 8, trim, { base: 0.75 });
    mesh.cone(
      [block.x + 0.8, top + 2, block.z - 0.6],
      1.3,
      0,
      0.8,
      8,
      trim.map((part) => part * 0.8),
      { base: 0.9 },
    );
  } else {
    mesh.box([block.x, top + 2.6, block.z], [0.14, 5.2, 0.14], [0.3, 0.3, 0.32]);
    mesh.box([block.x, top + 5.2, block.z], [0.3, 0.3, 0.3], [1, 0.25, 0.2], { material: GLOW });
  }
}

/** Drop a lump of masonry. */
export function lump(mesh, palette, draw, x, z, size) {
  mesh.box(
    [x, size * 0.25, z],
    [size, size * draw.range(0.4, 0.9), size * draw.range(0.6, 1.1)],
    rgb(draw.pick(palette.rubble)),
    { yaw: draw.range(0, 6.3), tilt: draw.range(-0.5, 0.5), base: 0.6 },
  );
}
