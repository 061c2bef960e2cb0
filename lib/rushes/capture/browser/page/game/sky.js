// The sky as a mesh around the eye: a dome with its gradient, the sun, and low-poly clouds, from far to near.
//
//   const { vertices, indices } = makeSky(palette, seed);   // 16 bytes a vertex: float32 x 3, uint8 x 4

import { lighting, rgb, unit } from "./palettes.js";
import { stream } from "./random.js";

const SECTORS = 28;
const BANDS = [-0.12, 0, 0.05, 0.11, 0.2, 0.33, 0.52, 0.8, 1.15, 1.5707]; // heights, radians
const mix = (a, b, share) => a.map((part, axis) => part + (b[axis] - part) * share);

/** Build the sky of a palette. */
export function makeSky(palette, seed) {
  const corners = [];
  const indices = [];
  const add = (way, colour) => corners.push([way, colour]) - 1;
  dome(palette, add, indices);
  disc(palette, add, indices);
  clouds(palette, stream(seed, "sky"), add, indices);
  const vertices = new ArrayBuffer(corners.length * 16);
  const view = new DataView(vertices);
  corners.forEach(([way, colour], at) => {
    way.forEach((part, axis) => view.setFloat32(at * 16 + axis * 4, part, true));
    colour.forEach((part, axis) =>
      view.setUint8(at * 16 + 12 + axis, Math.round(255 * Math.max(0, Math.min(1, part)))),
    );
  });
  return { vertices, indices: new Uint16Array(indices) };
}

/** Give the colour of the clear sky in a direction of length 1. */
function skyColour(palette, way) {
  const [horizon, glow, zenith] = [palette.horizon, palette.glow, palette.zenith].map(rgb);
  const sun = unit(palette.sun);
  const flat = Math.hypot(way[0], way[2]) || 1;
  const flatSun = Math.hypot(sun[0], sun[2]);
  const round = Math.max(0, (way[0] * sun[0] + way[2] * sun[2]) / flat / flatSun);
  const up = Math.max(0, way[1]);
  const low = mix(horizon, glow, 0.55 * round ** 4);
  const toSun = Math.max(0, way[0] * sun[0] + way[1] * sun[1] + way[2] * sun[2]);
  return mix(low, zenith, 1 - (1 - up) ** 2 * (1 - 0.6 * up)).map(
    (part, axis) => part + 0.22 * toSun ** 8 * glow[axis],
  );
}

function dome(palette, add, indices) {
  const ring = SECTORS + 1;
  for (const band of BANDS) {
    for (let k = 0; k <= SECTORS; k += 1) {
      const angle = (k * 2 * Math.PI) / SECTORS;
      const way = [Math.sin(angle) * Math.cos(band), Math.sin(band), Math.cos(angle) * Math.cos(band)];
      add(
        way.map((part) => part * 200),
        skyColour(palette, way),
      );
    }
  }
  for (let row = 0; row < BANDS.length - 1; row += 1) {
    for (let k = 0; k < SECTORS; k += 1) {
      const a = row * ring + k;
      indices.push(a, a + 1, a + ring, a + 1, a + ring + 1, a + ring);
    }
  }
}

/** The sun: a disc, and around it a glow that ends in the colour of the sky. */
function disc(palette, add, indices) {
  const sun = unit(palette.sun);
  const side = unit([sun[2], 0, -sun[0]]);
  const up = [
    side[1] * sun[2] - side[2] * sun[1],
    side[2] * sun[0] - side[0] * sun[2],
    side[0] * sun[1] - side[1] * sun[0],
  ].map((part) => -part);
  const glow = rgb(palette.glow);
  const at = (angle, size) =>
    sun.map((part, axis) => part + size * (Math.cos(angle) * side[axis] + Math.sin(angle) * up[axis]));
  const rings = [
    [0.3, 0],
    [0.12, 0.3],
    [0.062, 0.62],
    [0.06, 1],
    [0, 1],
  ];
  const first = rings.map(([size, share]) => {
    let start = -1;
    for (let k = 0; k <= 24; k += 1) {
      const way = at((k * 2 * Math.PI) / 24, size);
      const made = add(
        way.map((part) => part * 195),
        mix(skyColour(palette, unit(way)), share === 1 ? mix(glow, [1, 1, 1], 0.5) : glow, share),
      );
      if (k === 0) start = made;
    }
    return start;
  });
  for (let ring = 0; ring < rings.length - 1; ring += 1) {
    for (let k = 0; k < 24; k += 1) {
      const [a, b] = [first[ring] + k, first[ring + 1] + k];
      indices.push(a, a + 1, b, a + 1, b + 1, b);
    }
  }
}

/** Clouds of flat-bottomed lumps, brighter on the side of the sun. */
function clouds(palette, draw, add, indices) {
  const tone = rgb(palette.cloud);
  const count = Math.round(6 + palette.clouds * 10);
  for (let k = 0; k < count; k += 1) {
    const angle = (k / count) * 2 * Math.PI + draw.range(-0.2, 0.2);
    const away = draw.range(120, 175);
    const high = draw.range(34, 95);
    const size = draw.range(6, 13);
    const lumps = 3 + draw.int(3);
    for (let lump = 0; lump < lumps; lump += 1) {
      const along = (lump - (lumps - 1) / 2) * size * 0.95;
      const centre = [
        Math.sin(angle) * away + Math.cos(angle) * along,
        high + draw.range(-0.06, 0.12) * size,
        Math.cos(angle) * away - Math.sin(angle) * along,
      ];
      ball(
        palette,
        tone,
        centre,
        size * draw.range(0.55, 1) * (1.15 - Math.abs(along) / (lumps * size)),
        draw,
        add,
        indices,
      );
    }
  }
}

function ball(palette, tone, centre, radius, draw, add, indices) {
  const lit = lighting(palette);
  const sides = 7;
  const turn = draw.range(0, 6.3);
  const levels = [
    [-0.22, 0.85],
    [0.08, 1],
    [0.42, 0.72],
    [0.62, 0],
  ];
  const spot = (level, k) => {
    const [up, wide] = levels[level];
    const angle = turn + (k * 2 * Math.PI) / sides;
    return [
      centre[0] + Math.sin(angle) * wide * radius,
      centre[1] + up * radius,
      centre[2] + Math.cos(angle) * wide * radius,
    ];
  };
  const face = (points) => {
    const middle = [0, 1, 2].map(
      (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length - centre[axis],
    );
    const light = lit(unit(middle));
    const shown = tone.map((part, axis) => part * (0.45 + 0.55 * light[axis]));
    const fade = Math.min(1, Math.max(0.25, (centre[1] - 10) / 60));
    const colour = mix(skyColour(palette, unit(centre)), shown, 0.35 + 0.5 * fade);
    const made = points.map((point) => add(point, colour));
    indices.push(made[0], made[1], made[2]);
    if (made.length === 4) indices.push(made[0], made[2], made[3]);
  };
  for (let k = 0; k < sides; k += 1) {
    for (let level = 0; level < 2; level += 1)
      face([spot(level, k), spot(level, k + 1), spot(level + 1, k + 1), spot(level + 1, k)]);
    face([spot(2, k), spot(2, k + 1), spot(3, k)]);
  }
}
