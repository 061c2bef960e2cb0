// The streets of a plan: asphalt, pavements with their kerbs, marks, patches, litter, and cracks after an earthquake.
//
//   pave(site);    // site: see build() in scenery.js
//
// All of it lies on the ground and takes the shadows of shade.js; pieces on top of others lie a few hundredths higher.

import { GROUND } from "./mesh.js";
import { rgb } from "./palettes.js";
import { PAD, PITCH } from "./world.js";

/** Lay the streets, the pavements with their kerbs, and the marks on the street. */
export function pave({ plan, palette, mesh, draw }) {
  const asphalt = rgb(palette.asphalt);
  const line = rgb(palette.line);
  const tint = (colour, share) => colour.map((part) => part * (1 + draw.range(-share, share)));
  const flat = (x0, z0, x1, z1, y, colour) =>
    mesh.face(
      [
        [x0, y, z1],
        [x1, y, z1],
        [x1, y, z0],
        [x0, y, z0],
      ],
      colour,
      { material: GROUND },
    );
  for (let i = -3; i <= 3; i += 1) {
    for (let j = -3; j <= 3; j += 1) {
      const [x, z] = [i * PITCH, j * PITCH];
      flat(x - 3.5, z - 3.5, x + 3.5, z + 3.5, 0, tint(asphalt, 0.05));
      if (j < 3) flat(x - 3.5, z + 3.5, x + 3.5, z + PITCH - 3.5, 0, tint(asphalt, 0.05));
      if (i < 3) flat(x + 3.5, z - 3.5, x + PITCH - 3.5, z + 3.5, 0, tint(asphalt, 0.05));
      for (let k = 0; k < 3; k += 1) {
        const at = 5.2 + k * 4;
        if (j < 3 && !draw.chance(0.1)) flat(x - 0.09, z + at, x + 0.09, z + at + 1.8, 0.035, line);
        if (i < 3 && !draw.chance(0.1)) flat(x + at, z - 0.09, x + at + 1.8, z + 0.09, 0.035, line);
      }
      for (let k = 0; k < 5 && i === 0 && j > -3; k += 1)
        flat(x - 2.9 + k * 1.25, z - 4.6, x - 2.3 + k * 1.25, z - 3.6, 0.035, line);
    }
  }
  for (const { x, z, kind } of plan.blocks) {
    const green =
      kind === "park"
        ? palette.grass
        : kind === "houses"
          ? palette.soil
          : kind === "station"
            ? palette.asphalt
            : palette.pavement;
    const kerb = rgb(palette.pavement).map((part) => part * 0.8);
    const slab = tint(rgb(palette.pavement), 0.05);
    const [a, b, c, d] = [x - PAD, z - PAD, x + PAD, z + PAD];
    for (const [p, q] of [
      [
        [a, d],
        [c, d],
      ],
      [
        [c, d],
        [c, b],
      ],
      [
        [c, b],
        [a, b],
      ],
      [
        [a, b],
        [a, d],
      ],
    ]) {
      mesh.face(
        [
          [p[0], 0, p[1]],
          [q[0], 0, q[1]],
          [q[0], 0.12, q[1]],
          [p[0], 0.12, p[1]],
        ],
        kerb,
        { material: GROUND },
      );
    }
    const inner = PAD - 1.1;
    flat(x - inner, z - inner, x + inner, z + inner, 0.12, tint(rgb(green), 0.06));
    flat(a, b, c, z - inner, 0.12, slab);
    flat(a, z + inner, c, d, 0.12, slab);
    flat(a, z - inner, x - inner, z + inner, 0.12, slab);
    flat(x + inner, z - inner, c, z + inner, 0.12, slab);
  }
  wear({ draw, asphalt }, flat);
  litter({ plan, mesh, draw });
  if (plan.environment === "earthquake") crack({ mesh, draw });
}

const LITTER = {
  earthquake: ["#8a7866", "#b9a384", "#6b5b50", "#e2d6bd"],
  tsunami: ["#8fb7bd", "#a3c9c9", "#6f8a6a", "#e9e2cf"],
  wildfire: ["#1e1822", "#8a4a2c", "#3a2a30", "#b8642f"],
};

/** Strew what the hazard left on the ground: plaster, puddles and weed, ash and leaves. */
function litter({ plan, mesh, draw }) {
  for (let k = 0; k < 130; k += 1) {
    const street = (draw.int(5) - 2) * PITCH + draw.range(-3.2, 3.2);
    let [x, z] = [k % 3 ? street : draw.range(-3.2, 3.2), draw.range(-56, 56)];
    if (k % 2) [x, z] = [z, x];
    if (k < 34) [x, z] = [draw.range(-3.3, 3.3), draw.range(26, 50)];
    const size = draw.range(0.08, plan.environment === "tsunami" && k % 4 === 0 ? 0.9 : 0.26);
    const turn = draw.range(0, 6.3);
    const points = Array.from({ length: 4 }, (_, at) => {
      const angle = turn + (at * Math.PI) / 2;
      const away = size * draw.range(0.6, 1.1);
      return [x + Math.sin(angle) * away, 0.045, z + Math.cos(angle) * away];
    });
    mesh.face(points, rgb(draw.pick(LITTER[plan.environment])), { material: GROUND });
  }
}

/** Age the streets: patches and manholes. */
function wear({ draw, asphalt }, flat) {
  for (let k = 0; k < 46; k += 1) {
    const street = (draw.int(5) - 2) * PITCH;
    const [a, b] = [street + draw.range(-2.9, 2.2), draw.range(-56, 56)];
    const [x, z] = draw.chance(0.5) ? [a, b] : [b, a];
    const patch = k % 3;
    const tone = asphalt.map((part) => part * (patch ? draw.pick([0.86, 0.92, 1.08]) : 0.68));
    if (patch) flat(x, z, x + draw.range(0.8, 2.6), z + draw.range(0.8, 2.6), 0.02 + 0.0002 * k, tone);
    else flat(x, z, x + 0.55, z + 0.55, 0.04, tone);
  }
}

/** Tear the ground: the first crack crosses the view from the start. */
function crack({ mesh, draw }) {
  for (let k = 0; k < 9; k += 1) {
    let [x, z, way] = k ? [draw.range(-50, 50), draw.range(-50, 50), draw.range(0, 6.3)] : [-2.5, 46, 2.2];
    let left = [x, z];
    let right = [x, z];
    for (let piece = 1; piece <= 9; piece += 1) {
      const bend = way + draw.range(-0.75, 0.75);
      x += Math.sin(bend) * 0.85;
      z += Math.cos(bend) * 0.85;
      const half = piece === 9 ? 0 : draw.range(0.06, 0.2) + 0.12 * Math.sin((piece / 9) * Math.PI);
      const [nl, nr] = [
        [x + Math.cos(way) * half, z - Math.sin(way) * half],
        [x - Math.cos(way) * half, z + Math.sin(way) * half],
      ];
      mesh.face(
        [left, right, nr, nl].map(([px, pz]) => [px, 0.15, pz]),
        [0.12, 0.1, 0.1],
        { material: GROUND },
      );
      [left, right] = [nl, nr];
    }
  }
}
