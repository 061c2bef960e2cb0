// What lies around the city and closes the view: barriers, hills, the landmark at the end of the avenue, clouds.
//
//   surround(site);    // site: see build() in scenery.js

import { noise, stream } from "./random.js";
import { GLOW, WINDOWS } from "./mesh.js";
import { rgb } from "./palettes.js";
import { EDGE, STOREY } from "./world.js";

/** Put all of it into the mesh. */
export function surround(site) {
  site.mesh.raise = 0;
  barriers(site);
  land(site);
  const landmark = { earthquake: leaningTower, tsunami: lighthouse, wildfire: waterTower }[site.plan.environment];
  landmark(site);
}

/** Concrete barriers on the edge of the city, with gaps that nobody passes. */
function barriers({ plan, palette, mesh }) {
  const draw = stream(plan.seed, "barriers");
  const side = EDGE + 2.6;
  mesh.small = true;
  for (let k = -side + 1.5; k < side; k += 4.2) {
    for (const [x, z, yaw] of [
      [k, side, 0],
      [k, -side, 0],
      [side, k, Math.PI / 2],
      [-side, k, Math.PI / 2],
    ]) {
      if (draw.chance(0.12) || (plan.environment === "tsunami" && z === -side)) continue;
      mesh.raise = plan.ground(x, z);
      const striped = draw.chance(0.3);
      mesh.box([x, 0.5, z], [3.9, 1, 0.5], striped ? rgb(palette.trim[2]) : rgb(palette.pavement), {
        yaw: yaw + draw.range(-0.06, 0.06),
      });
    }
  }
  mesh.raise = 0;
  mesh.small = false;
}

/** The land outside: rings of hills, low at the feet and higher behind; open to the sea in `tsunami`. */
function land({ plan, palette, mesh }) {
  const rings = [EDGE + 3.5, 76, 96, 124, 160];
  const rise = [0, 1.5, 9, 20, 34];
  const sides = 48; // a multiple of 8: the inmost ring has the corners of the city
  const point = (ring, k) => {
    const angle = ((k % sides) * 2 * Math.PI) / sides;
    const [sx, sz] = [Math.sin(angle), Math.cos(angle)];
    const square = rings[0] / Math.max(Math.abs(sx), Math.abs(sz)); // how far the city reaches this way
    const away = ring === 0 ? square : Math.max(rings[ring], square + 9 * ring);
    const [x, z] = [sx * away, sz * away];
    let y = rise[ring] * (0.45 + 0.9 * noise(plan.seed, ring * 31 + 7, k % sides));
    if (ring === 0) y = 0;
    let base = plan.ground(x, Math.max(-EDGE - 4, Math.min(EDGE + 4, z)));
    if (plan.environment === "tsunami") {
      const shore = Math.max(0, Math.min(1, (z + 55) / 50));
      y *= shore;
      if (z < -EDGE) base -= (-EDGE - z) * 0.12;
    }
    return [x, base + y, z];
  };
  for (let ring = 0; ring < rings.length - 1; ring += 1) {
    for (let k = 0; k < sides; k += 1) {
      const [a, b, c, d] = [point(ring, k), point(ring, k + 1), point(ring + 1, k + 1), point(ring + 1, k)];
      const tint = rgb(palette.hill[Math.floor(noise(k, ring, plan.seed) * 3)]);
      const shade = ring === 0 ? 1 : 0.9 + 0.2 * noise(k, ring, 5);
      const colour = (ring === 0 ? rgb(palette.soil) : tint).map((part) => part * shade);
      mesh.face([a, c, b], colour);
      mesh.face(
        [a, d, c],
        colour.map((part) => part * 0.95),
      );
    }
  }
}

/** Earthquake: a tower that leans over the end of the avenue, broken at the top. */
function leaningTower({ plan, palette, mesh, heights }) {
  const wall = rgb(palette.walls[3]);
  const lean = 0.13;
  const [w, d, z] = [11, 11, -72];
  const storeys = 13;
  const at = (sx, y, sz) => [4 + (sx * w) / 2 - y * lean, y, z + (sz * d) / 2 + y * 0.04];
  for (let part = 0; part < 3; part += 1) {
    const low = [0, 5, 9][part] * STOREY;
    const high = [5, 9, storeys][part] * STOREY;
    const jag = (sx, sz) => (part === 2 ? high - 7 * noise(sx + 2, sz + 2, plan.seed + 9) : high);
    const ring = [
      [-1, 1],
      [1, 1],
      [1, -1],
      [-1, -1],
    ];
    ring.forEach(([sx, sz], k) => {
      const [tx, tz] = ring[(k + 1) % 4];
      mesh.face([at(sx, low, sz), at(tx, low, tz), at(tx, jag(tx, tz), tz), at(sx, jag(sx, sz), sz)], wall, {
        material: WINDOWS,
        uv: [
          [0, low / STOREY],
          [4, low / STOREY],
          [4, jag(tx, tz) / STOREY],
          [0, jag(sx, sz) / STOREY],
        ],
        shades: part ? null : [0.6, 0.6, 0.9, 0.9],
      });
    });
    if (part < 2) {
      const [x0, y0, z0] = at(0, high, 0);
      mesh.box([x0, y0, z0], [w + 0.6, 0.5, d + 0.6], rgb(palette.trim[0]), { base: 0.9 });
    }
  }
  mesh.face(
    [at(-1, 32, 1), at(1, 33, 1), at(1, 31, -1), at(-1, 30, -1)],
    wall.map((part) => part * 0.5),
  );
  heights.push({ x0: -3, z0: -66, x1: 5, z1: -62, top: 10 });
}

/** Tsunami: a lighthouse on a rock before the shore. */
function lighthouse({ mesh }) {
  const [x, z] = [-3, -84];
  mesh.cone([x, -8, z], 10, 5.5, 8.4, 9, [0.42, 0.44, 0.46], { base: 0.55, cap: true });
  for (let k = 0; k < 6; k += 1) {
    const colour = k % 2 ? [0.95, 0.95, 0.92] : [0.86, 0.3, 0.22];
    mesh.cone([x, 0.4 + k * 3.2, z], 2.6 - k * 0.2, 2.4 - k * 0.2, 3.2, 12, colour, { base: 1 });
  }
  mesh.cone([x, 19.6, z], 2.2, 2.2, 0.4, 12, [0.3, 0.32, 0.35], { cap: true });
  mesh.cone([x, 20, z], 1, 1, 1.7, 8, [1, 0.95, 0.7], { material: GLOW });
  mesh.cone([x, 21.7, z], 1.5, 0, 1.4, 12, [0.86, 0.3, 0.22], { base: 0.9 });
  mesh.box([x + 4, 2, z + 1], [3, 3, 3.4], [0.93, 0.92, 0.88]);
  mesh.gable([x + 4, 3.5, z + 1], [3, 1.4, 3.4], [0.86, 0.3, 0.22], [0.93, 0.92, 0.88]);
}

/** Wildfire: a water tower on a burning ridge. */
function waterTower({ mesh }) {
  const [x, z] = [1, -74];
  const steel = [0.3, 0.24, 0.33];
  for (const [dx, dz] of [
    [-2.6, -2.6],
    [2.6, -2.6],
    [-2.6, 2.6],
    [2.6, 2.6],
  ])
    mesh.cone([x + dx, 0, z + dz], 0.3, 0.22, 13, 4, steel, { lean: [-dx * 0.35, -dz * 0.35] });
  for (const y of [4, 8.5]) mesh.box([x, y, z], [4.6, 0.2, 4.6], steel, { skip: "" });
  mesh.cone([x, 12.6, z], 1.5, 4, 1.8, 12, [0.5, 0.36, 0.4], { base: 0.8 });
  mesh.cone([x, 14.4, z], 4, 4, 4.2, 12, [0.62, 0.42, 0.42], { base: 0.85 });
  mesh.cone([x, 18.6, z], 4.3, 0, 2.4, 12, [0.42, 0.27, 0.36], { base: 0.9 });
}
