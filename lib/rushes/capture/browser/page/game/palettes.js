// The colours of the environments, as "#rrggbb". Each lives from one pair: warm sand and teal (earthquake), sea green
// and coral (tsunami), violet dusk and orange (wildfire). `sun` points towards the sun.

/** Read "#rrggbb" as three numbers of 0 ... 1. */
export function rgb(text) {
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16) / 255);
}

/** Bring a direction to length 1. */
export function unit(way) {
  const length = Math.hypot(...way);
  return way.map((part) => part / length);
}

/** Give a function: the light on a face by its normal, with all of the sun or a `share` of it. */
export function lighting(palette) {
  const sun = unit(palette.sun);
  const [sunlight, sky, ground] = [palette.sunlight, palette.ambientSky, palette.ambientGround].map(rgb);
  return ([x, y, z], share = 1) => {
    const facing = share * palette.sunStrength * Math.max(0, x * sun[0] + y * sun[1] + z * sun[2]);
    const up = y * 0.5 + 0.5;
    return [0, 1, 2].map((part) => ground[part] + (sky[part] - ground[part]) * up + sunlight[part] * facing);
  };
}

export const PALETTES = {
  earthquake: {
    title: "Earthquake",
    story: "The ground is not done yet. Stay out of the rings: what still stands may fall.",
    sun: [-0.62, 0.56, -0.38],
    sunlight: "#ffd9a0",
    sunStrength: 0.95,
    ambientSky: "#7f9fb4",
    ambientGround: "#7a6a58",
    zenith: "#4f8798",
    horizon: "#f3d7ab",
    glow: "#fff0c9",
    fogDensity: 0.0088,
    clouds: 0.55,
    cloud: "#fff3dc",
    asphalt: "#635d5c",
    line: "#e8dcc0",
    pavement: "#b9a68a",
    grass: "#8f9455",
    soil: "#a48a63",
    hill: ["#b08c66", "#8a8468", "#c7a579"],
    walls: ["#d9a27c", "#e6cfa4", "#c9785c", "#efe3c8", "#a98e7c", "#d8b48a", "#b7604d"],
    roofs: ["#9c4b3c", "#7d5a4c", "#b9674e"],
    trim: ["#2f7f86", "#1f6a74", "#d8603f", "#e8b04b"],
    rubble: ["#b3a089", "#8e7d6c", "#c9b596", "#7c6d62", "#a8674f"],
    leaves: ["#6d8a4f", "#8a9a53", "#55784f"],
    cars: ["#2e8b93", "#e4e0d4", "#c8553d", "#3b4754", "#e0a73e"],
    windowsLit: 0.04,
    glass: "#41616b",
    smoke: "#c9b08c",
    accent: "#ffb454",
  },
  tsunami: {
    title: "Tsunami",
    story: "The sea rises wave by wave. Begin at the shore, and be gone before the next one.",
    sun: [0.55, 0.62, -0.5],
    sunlight: "#fff4e0",
    sunStrength: 0.72,
    ambientSky: "#9dbccb",
    ambientGround: "#6f8084",
    zenith: "#4a7391",
    horizon: "#d5e9e4",
    glow: "#ffffff",
    fogDensity: 0.0072,
    clouds: 0.95,
    cloud: "#f2f7f6",
    asphalt: "#5b666c",
    line: "#eef2ea",
    pavement: "#bcc3bd",
    grass: "#7ea86a",
    soil: "#d8c9a0",
    hill: ["#5f8f6c", "#4c7d6a", "#86a877"],
    walls: ["#f1ece0", "#dbe8e6", "#f6d7c3", "#c9dde2", "#f4e7b8", "#e8b9a4", "#b8d0c8"],
    roofs: ["#e2674a", "#d1573f", "#ee8660"],
    trim: ["#ef6f4f", "#1f8f93", "#f2b544", "#2c6e8a"],
    rubble: ["#a9b0ab", "#87908e", "#c4c0ae", "#9b7f66", "#75827f"],
    leaves: ["#4f9562", "#69ad6a", "#3c8062"],
    cars: ["#f0efe8", "#e8694a", "#2b7f8c", "#f0bd4a", "#46586a"],
    windowsLit: 0.03,
    glass: "#4d7487",
    smoke: "#dfeceb",
    accent: "#ff8a66",
    water: "#1d7d86",
    foam: "#d9f3ec",
  },
  wildfire: {
    title: "Wildfire",
    story: "The wind drives the fire through the streets. Watch where the smoke goes.",
    sun: [0.5, 0.3, -0.8],
    sunlight: "#ff9a55",
    sunStrength: 0.85,
    ambientSky: "#8a76a6",
    ambientGround: "#8c5a50",
    zenith: "#2c2145",
    horizon: "#f08a4b",
    glow: "#ffd08a",
    fogDensity: 0.0105,
    clouds: 0.75,
    cloud: "#6a4360",
    asphalt: "#5a5064",
    line: "#c9a98c",
    pavement: "#7d6a72",
    grass: "#6f6a45",
    soil: "#6e5148",
    hill: ["#4a3450", "#5d3d4f", "#38294a"],
    walls: ["#9a7480", "#b78f86", "#7d6a86", "#c39c84", "#6d5a78", "#a66f64"],
    roofs: ["#5a3a4e", "#6f3f44", "#4a3558"],
    trim: ["#ff9a4d", "#d9544f", "#7fa3c7", "#f3c56b"],
    rubble: ["#5d5058", "#463c48", "#75646a", "#382f3c", "#8a5f52"],
    leaves: ["#7d6a3c", "#94683a", "#5d5a40", "#a8592f"],
    cars: ["#8a5f6d", "#c7b6a8", "#4b5a7c", "#b2573f", "#39324a"],
    windowsLit: 0.34,
    glass: "#3a3452",
    smoke: "#584051",
    accent: "#ff8d3a",
  },
};

export const ENVIRONMENTS = Object.keys(PALETTES);
