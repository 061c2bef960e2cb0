// The shaders: the city by material (plain, which moving boxes use too; windows; ground), sky, sprites, zones, water.
//
// They have to be light: where there is no graphics card the processor draws. So the city brings its light along, fog
// is worked out at the corners of faces, and the common case of a pixel is one addition. Fog takes the colour of the
// sky at the horizon, brighter towards the sun; `haze` is its share. Colours are as the screen shows them.

const HEAD = `#version 300 es
precision highp float;
`;

const AIR = `
uniform mat4 uMatrix;
uniform vec3 uEye, uHorizon, uGlow;
uniform vec2 uSunWay; // towards the sun over the ground, length 1
uniform float uFog;
vec3 horizon(vec3 way, float away) {
  float toSun = max(0.0, dot(way.xz, uSunWay)) / away;
  toSun *= toSun;
  return mix(uHorizon, uGlow, 0.55 * toSun * toSun);
}
float haze(float away) { float d = away * uFog; d *= d; return d / (0.75 + d); }
`;

const CITY = (uv, outputs, work) => `${HEAD}${AIR}
layout(location=0) in vec3 aPosition;
layout(location=1) in vec4 aColour;
${uv}
out vec3 vColour;
${outputs}
void main() {
  vec3 way = aPosition - uEye;
  float away = length(way);
  float fog = haze(away);
  ${work}
  gl_Position = uMatrix * vec4(aPosition, 1.0);
}`;

export const PLAIN = {
  vertex: CITY("", "", "vColour = mix(aColour.rgb, horizon(way, away), fog);"),
  fragment: `${HEAD}
in vec3 vColour;
out vec4 colour;
void main() { colour = vec4(vColour, 1.0); }`,
};

const PARTS = "vColour = aColour.rgb * (1.0 - fog); vFog = horizon(way, away) * fog;";

export const GROUND = {
  vertex: CITY("uniform float uSpan;", "out vec3 vFog; out vec2 vAt;", `${PARTS} vAt = aPosition.xz / uSpan + 0.5;`),
  fragment: `${HEAD}
in vec3 vColour, vFog;
in vec2 vAt;
uniform sampler2D uShade;
uniform vec3 uShadow; // what is left of the light in a shadow
out vec4 colour;
void main() { colour = vec4(vColour * mix(uShadow, vec3(1.0), texture(uShade, vAt).r) + vFog, 1.0); }`,
};

export const WINDOWS = {
  vertex: CITY(
    "layout(location=2) in vec2 aWindow;",
    "out vec3 vFog; out vec3 vAt;",
    `${PARTS} vAt = vec3(aWindow / 256.0, 1.0 - fog);`,
  ),
  fragment: `${HEAD}
in vec3 vColour, vFog, vAt; // vAt: window, storey, share of what is not fog
uniform vec3 uGlass, uPane; // dark and bright glass
uniform float uLit;
out vec4 colour;
void main() {
  vec2 cell = floor(vAt.xy);
  vec2 f = vAt.xy - cell;
  vec3 c = vColour;
  vec2 d = abs(f - vec2(0.5, 0.54));
  if (d.x < 0.28 && d.y < 0.26) {
    float chance = fract(dot(cell, vec2(5.5176, 4.1654)) + cell.x * cell.y * 0.131);
    vec3 glass = mix(uGlass, uPane, chance * f.y) * (0.45 + vColour.g);
    glass = chance < uLit ? vec3(1.0, 0.8, 0.45) : glass * (chance > 0.9 ? 0.4 : 1.0);
    c = (f.x < 0.26 || f.y > 0.76 ? glass * 0.62 : d.x < 0.02 ? vColour * 0.85 / vAt.z : glass) * vAt.z;
  } else if (f.y < 0.055) {
    c *= 0.8;
  } else if (d.x < 0.32 && f.y > 0.2 && f.y < 0.28) {
    c *= 1.14;
  }
  colour = vec4(c + vFog, 1.0);
}`,
};

export const SKY = {
  vertex: `${HEAD}
layout(location=0) in vec3 aWay;
layout(location=1) in vec4 aColour;
uniform mat4 uMatrix;
uniform vec3 uEye;
out vec3 vColour;
void main() {
  vColour = aColour.rgb;
  gl_Position = uMatrix * vec4(aWay + uEye, 1.0);
  gl_Position.z = gl_Position.w * 0.99999;
}`,
  fragment: PLAIN.fragment,
};

export const SPRITES = {
  vertex: `${HEAD}${AIR}
layout(location=0) in vec3 aPlace;
layout(location=1) in vec3 aCorner; // corner, kind (batches.js)
layout(location=2) in vec4 aColour; // alpha 0 adds light, 1 covers
out vec2 vAt;
out vec4 vColour;
flat out float vKind;
void main() {
  vec3 way = aPlace - uEye;
  float away = length(way);
  float fog = haze(away);
  vec3 covering = mix(aColour.rgb, horizon(way, away) * aColour.a, fog);
  vColour = vec4(aColour.a < 0.01 ? aColour.rgb * (1.0 - 0.6 * fog) : covering, aColour.a);
  vAt = aCorner.xy;
  vKind = aCorner.z;
  gl_Position = uMatrix * vec4(aPlace, 1.0);
}`,
  fragment: `${HEAD}
in vec2 vAt;
in vec4 vColour;
flat in float vKind;
out vec4 colour;
void main() {
  if (vKind > 0.5 && vKind < 1.5) { // a flame: a pointed leaf with a bright heart
    float up = vAt.y * 0.5 + 0.5;
    float wide = (1.0 - up) * (0.35 + 2.6 * up * (1.3 - up));
    float across = abs(vAt.x) / max(wide, 0.001);
    if (across > 1.0) discard;
    float heart = across + 0.55 * up;
    vec3 tone = heart < 0.48 ? vec3(1.0, 0.94, 0.62) : heart < 0.85 ? vec3(1.0, 0.68, 0.2) : vColour.rgb;
    colour = vec4(tone, vColour.a);
    return;
  }
  float share;
  if (vKind > 2.5 && vKind < 3.5) { // a pillar of light
    share = (1.0 - vAt.x * vAt.x) * (0.5 - 0.5 * vAt.y);
  } else { // a soft disc: smoke, dust, a shadow, a glow on the ground
    share = 1.0 - dot(vAt, vAt);
    if (share < 0.0) discard;
    share *= vKind > 4.5 ? 1.0 : 0.4 + 0.6 * share;
  }
  colour = vColour * share;
}`,
};

export const RINGS = {
  vertex: `${HEAD}${AIR}
layout(location=0) in vec2 aAround; // angle, 0 inside or 1 outside
uniform vec4 uRing; // x, z, radius, width
uniform float uSlope, uTime;
out float vAt;
out float vClear;
void main() {
  float r = uRing.z - uRing.w * (1.0 - aAround.y);
  vec2 spot = uRing.xy + r * vec2(sin(aAround.x), cos(aAround.x));
  vec3 place = vec3(spot.x, 0.2 + uSlope * spot.y, spot.y);
  vAt = aAround.x * uRing.z - uTime * 0.5;
  vClear = 1.0 - haze(length(place - uEye));
  gl_Position = uMatrix * vec4(place, 1.0);
}`,
  fragment: `${HEAD}
in float vAt;
in float vClear;
uniform vec3 uTone;
out vec4 colour;
void main() { colour = vec4(uTone, 1.0) * vClear * (fract(vAt * 0.5) < 0.55 ? 0.9 : 0.2); }`,
};

export const WATER = {
  vertex: `${HEAD}${AIR}
layout(location=0) in vec2 aSpot;
uniform float uTime, uLevel, uSlope;
uniform vec4 uWaves[3]; // z of the crest, height
out vec3 vWay;
out vec3 vHorizon;
out vec4 vState; // foam, depth, haze, closeness
out vec2 vSpot;
void main() {
  vec2 p = aSpot;
  float y = uLevel + 0.07 * sin(p.x * 0.5 + uTime * 1.3) + 0.08 * sin(p.y * 0.43 - uTime * 1.7 + p.x * 0.2);
  float foam = 0.0;
  for (int k = 0; k < 3; k += 1) {
    float ahead = p.y - uWaves[k].x + 1.6 * sin(p.x * 0.16 + float(k) * 2.0);
    float shape = clamp(ahead > 0.0 ? 1.0 - ahead / 6.0 : 1.0 + ahead / 30.0, 0.0, 1.0);
    shape = shape * shape * (3.0 - 2.0 * shape);
    y += uWaves[k].y * shape;
    foam += smoothstep(4.8, 0.5, ahead) * smoothstep(-3.5, 0.0, ahead) * min(1.0, uWaves[k].y * 1.4);
  }
  vec3 place = vec3(p.x, y, p.y);
  vWay = place - uEye;
  float away = length(vWay);
  vHorizon = horizon(vWay, away);
  float depth = y - uSlope * p.y + max(0.0, -60.0 - p.y) * 0.12;
  vState = vec4(foam, depth, haze(away), 1.0 / (1.0 + away * 0.03));
  vSpot = p + 0.7 * sin(p.yx * 1.3 + uTime * 0.6);
  gl_Position = uMatrix * vec4(place, 1.0);
}`,
  fragment: `${HEAD}
in vec3 vWay, vHorizon;
in vec4 vState;
in vec2 vSpot;
uniform vec3 uWater, uFoam;
uniform float uTime;
out vec4 colour;
float wave(float x) { x = abs(fract(x) - 0.5) * 2.0; return x * x * (3.0 - 2.0 * x) * 2.0 - 1.0; }
void main() {
  float glance = 1.0 + vWay.y * inversesqrt(dot(vWay, vWay));
  glance *= glance;
  glance *= glance;
  vec2 run = vec2(0.37, 0.45) * vSpot + vec2(0.11, -0.07) * vSpot.yx + vec2(0.17, -0.23) * uTime;
  float ripple = wave(run.x) * wave(run.y);
  float near = ripple * vState.w;
  vec3 c = mix(uWater * (0.82 + 0.3 * near), vHorizon, 0.12 + 0.6 * glance);
  float edge = clamp(1.0 - vState.y / (0.28 + 0.12 * ripple), 0.0, 1.0);
  float foam = clamp(vState.x * (0.75 + 0.4 * ripple) + edge * 0.8 + max(0.0, near - 0.6), 0.0, 1.0);
  float alpha = clamp(0.55 + 0.3 * vState.y + glance * 0.3 + foam, 0.0, 0.97);
  colour = vec4(mix(mix(c, uFoam, foam), vHorizon, vState.z) * alpha, alpha);
}`,
};
