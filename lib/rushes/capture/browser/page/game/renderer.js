// Draws a game into a canvas: city, moving boxes, water, sky, zones and sprites, in about 35 draw calls.
//
//   const renderer = new Renderer(canvas);
//   renderer.load(sim);              // once a game: mesh, shadows, colours
//   renderer.draw(sim, { marker });  // once an animation frame
//
// `marker` (a whole number, or null) is drawn as blocks in the lower left corner, so that a picture says which frame it
// is. A block is 1/16 of the width and 1/16 of the height. There are 3 rows of 6, the upper row first, each from the
// left: a white block, then 16 bits of the number (the highest first), then a bit that makes the number of white blocks
// among these 17 even. White is a 1 (RGB 255), black is a 0 (RGB 0).

import { Boxes, Sprites } from "./batches.js";
import { collect } from "./effects.js";
import { look } from "./matrix.js";
import { lighting, PALETTES, rgb, unit } from "./palettes.js";
import { layOut, makeBuffer, makeProgram, setUniforms } from "./programs.js";
import { shadeGround, SIZE, SPAN } from "./shade.js";
import { GROUND, PLAIN, RINGS, SKY, WATER, WINDOWS } from "./shaders.js";
import { makeSky } from "./sky.js";

const AROUND = 48;
const WATER_X = 20;
const WATER_Z = 64;
const MATERIALS = ["plain", "windows", "ground"]; // as mesh.js numbers them
const SMALL = 50; // units: chunks of small things further away are left out

export class Renderer {
  constructor(canvas) {
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: !isSoftware(),
      depth: true,
      preserveDrawingBuffer: false,
      powerPreference: "high-performance",
    });
    if (!gl) throw new Error("this browser has no WebGL2, which the game needs: take a recent Chromium or Firefox");
    this.gl = gl;
    this.programs = Object.fromEntries(
      Object.entries({ plain: PLAIN, windows: WINDOWS, ground: GROUND, sky: SKY, rings: RINGS, water: WATER }).map(
        ([name, source]) => [name, makeProgram(gl, source)],
      ),
    );
    this.boxes = new Boxes(gl);
    this.sprites = new Sprites(gl);
    this.#makeRing();
    this.#makeWater();
    this.shade = gl.createTexture();
    this.city = this.sky = { array: null, buffers: [] };
  }

  /** Put a mesh into buffers of its own. */
  #put({ vertices, indices }, stride, attributes) {
    const { gl } = this;
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    const buffers = [makeBuffer(gl, vertices)];
    layOut(gl, stride, attributes);
    buffers.push(makeBuffer(gl, indices, { target: gl.ELEMENT_ARRAY_BUFFER }));
    gl.bindVertexArray(null);
    return { array, buffers };
  }

  #makeRing() {
    const { gl } = this;
    this.ring = gl.createVertexArray();
    gl.bindVertexArray(this.ring);
    const spots = [];
    for (let k = 0; k <= AROUND; k += 1) for (const side of [0, 1]) spots.push((k * 2 * Math.PI) / AROUND, side);
    makeBuffer(gl, new Float32Array(spots));
    layOut(gl, 8, [[0, 2, gl.FLOAT, 0]]);
  }

  #makeWater() {
    const { gl } = this;
    this.sheet = gl.createVertexArray();
    gl.bindVertexArray(this.sheet);
    const spots = [];
    const corners = [];
    for (let j = 0; j <= WATER_Z; j += 1) {
      for (let i = 0; i <= WATER_X; i += 1)
        spots.push(((i / WATER_X) * 2 - 1) * (j < 20 ? 150 : 66), -160 + (j / WATER_Z) * 226);
    }
    for (let j = 0; j < WATER_Z; j += 1) {
      for (let i = 0; i < WATER_X; i += 1) {
        const a = j * (WATER_X + 1) + i;
        corners.push(a, a + WATER_X + 1, a + 1, a + 1, a + WATER_X + 1, a + WATER_X + 2);
      }
    }
    makeBuffer(gl, new Float32Array(spots));
    layOut(gl, 8, [[0, 2, gl.FLOAT, 0]]);
    makeBuffer(gl, new Uint16Array(corners), { target: gl.ELEMENT_ARRAY_BUFFER });
    this.sheetCorners = corners.length;
  }

  /** Take over the city of a game. */
  load(sim) {
    const { gl } = this;
    const palette = PALETTES[sim.environment];
    for (const { array, buffers } of [this.city, this.sky]) {
      gl.deleteVertexArray(array);
      buffers.forEach((buffer) => gl.deleteBuffer(buffer));
    }
    this.city = {
      ...this.#put(sim.mesh, 20, [
        [0, 3, gl.FLOAT, 0],
        [1, 4, gl.UNSIGNED_BYTE, 12, true],
        [2, 2, gl.SHORT, 16],
      ]),
      chunks: sim.mesh.chunks,
    };
    const sky = makeSky(palette, sim.seed);
    this.sky = {
      ...this.#put(sky, 16, [
        [0, 3, gl.FLOAT, 0],
        [1, 4, gl.UNSIGNED_BYTE, 12, true],
      ]),
      count: sky.indices.length,
    };
    gl.bindTexture(gl.TEXTURE_2D, this.shade);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.R8,
      SIZE,
      SIZE,
      0,
      gl.RED,
      gl.UNSIGNED_BYTE,
      shadeGround(sim.heights, palette.sun),
    );
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    const sun = unit(palette.sun);
    this.light = lighting(palette);
    const [full, shadow] = [this.light([0, 1, 0]), this.light([0, 1, 0], 0)];
    const flat = Math.hypot(sun[0], sun[2]);
    const glass = rgb(palette.glass);
    const horizon = rgb(palette.horizon);
    this.back = horizon; // behind everything, where the land has an end
    const air = {
      uSunWay: [sun[0] / flat, sun[2] / flat],
      uHorizon: horizon,
      uGlow: rgb(palette.glow),
      uShadow: shadow.map((part, axis) => (part / full[axis]) * 0.95),
      uFog: palette.fogDensity,
      uSpan: SPAN,
      uGlass: glass,
      uPane: glass.map((part, axis) => part * 0.4 + horizon[axis] * 0.6),
      uLit: palette.windowsLit,
      uWater: rgb(palette.water ?? "#000000"),
      uFoam: rgb(palette.foam ?? "#000000"),
      uSlope: sim.plan.slope,
    };
    for (const chosen of [...Object.values(this.programs), this.boxes.program, this.sprites.program]) {
      gl.useProgram(chosen.program);
      setUniforms(gl, chosen, air);
    }
  }

  #use(name, values) {
    const { gl } = this;
    const chosen = this.programs[name];
    gl.useProgram(chosen.program);
    setUniforms(gl, chosen, values);
    return chosen;
  }

  /** Draw the game as it stands. */
  draw(sim, { marker = null, camera = sim.player.camera(sim) } = {}) {
    const { gl, canvas } = this;
    const view = look(camera, canvas.width / canvas.height);
    const frame = { uMatrix: view.matrix, uEye: view.eye, uTime: sim.time };
    const seen = { boxes: this.boxes.start(this.light), sprites: this.sprites.start(view) };
    collect(sim, view, PALETTES[sim.environment], seen);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.disable(gl.BLEND);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    gl.depthFunc(gl.LEQUAL);
    gl.depthMask(true);
    gl.clearColor(...this.back, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.#drawCity(view, frame);
    this.boxes.draw(frame);
    gl.disable(gl.CULL_FACE);
    this.#drawSky(frame);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (sim.environment === "tsunami") this.#drawWater(sim, frame);
    gl.depthMask(false);
    if (sim.environment === "earthquake") this.#drawRings(sim, view, frame);
    this.sprites.draw(frame);
    gl.depthMask(true);
    if (marker !== null) this.#drawMarker(marker);
  }

  #drawCity(view, frame) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.shade);
    gl.bindVertexArray(this.city.array);
    const away = ({ low, high }) =>
      Math.hypot((low[0] + high[0]) / 2 - view.eye[0], (low[2] + high[2]) / 2 - view.eye[2]);
    const seen = this.city.chunks
      .filter((chunk) => view.sees(chunk.low, chunk.high) && (!chunk.small || away(chunk) < SMALL))
      .sort((a, b) => away(a) - away(b));
    for (const material of [1, 0, 2]) {
      this.#use(MATERIALS[material], frame);
      for (const { ranges } of seen) {
        const [first, count] = ranges[material];
        if (count) gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, first * 4);
      }
    }
  }

  #drawSky(frame) {
    const { gl } = this;
    this.#use("sky", frame);
    gl.bindVertexArray(this.sky.array);
    gl.depthMask(false);
    gl.drawElements(gl.TRIANGLES, this.sky.count, gl.UNSIGNED_SHORT, 0);
    gl.depthMask(true);
  }

  #drawWater(sim, frame) {
    const { gl } = this;
    const waves = new Float32Array(12);
    sim.hazard
      .running()
      .slice(0, 3)
      .forEach(({ z, tall }, at) => waves.set([z, tall], at * 4));
    this.#use("water", { ...frame, uLevel: sim.hazard.level(), uWaves: waves });
    gl.bindVertexArray(this.sheet);
    gl.drawElements(gl.TRIANGLES, this.sheetCorners, gl.UNSIGNED_SHORT, 0);
  }

  #drawRings(sim, view, frame) {
    const { gl } = this;
    const chosen = this.#use("rings", frame);
    gl.bindVertexArray(this.ring);
    for (const { x, z, red, yellow } of sim.hazard.areas()) {
      if (Math.hypot(x - view.eye[0], z - view.eye[2]) > 55) continue;
      for (const [radius, tone] of [
        [red, [1, 0.25, 0.16]],
        [yellow, [1, 0.78, 0.2]],
      ]) {
        setUniforms(gl, chosen, { uRing: [x, z, radius, 0.22], uTone: tone });
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 2 * AROUND + 2);
      }
    }
  }

  #drawMarker(number) {
    const { gl, canvas } = this;
    const bits = [1];
    for (let bit = 15; bit >= 0; bit -= 1) bits.push((number >> bit) & 1);
    bits.push(bits.slice(1).reduce((sum, bit) => sum + bit, 0) & 1);
    const edge = (share, whole) => Math.round((share * whole) / 16);
    gl.enable(gl.SCISSOR_TEST);
    bits.forEach((bit, at) => {
      const [column, row] = [at % 6, 2 - Math.floor(at / 6)];
      const [x, y] = [edge(column, canvas.width), edge(row, canvas.height)];
      gl.scissor(x, y, edge(column + 1, canvas.width) - x, edge(row + 1, canvas.height) - y);
      gl.clearColor(bit, bit, bit, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
    });
    gl.disable(gl.SCISSOR_TEST);
  }
}

/** Say whether WebGL is drawn by the processor here: then the picture has fewer pixels and soft edges are left out. */
export function isSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}
