// The game in the page: the loop, start and end, and `window.rescue` for scripts.
//
//   await rescue.start({ seed: 7, environment: "tsunami", player: "Ada", record: true });
//   rescue.state();                          // the telemetry of now: the truth
//   rescue.log                               // a row for every animation frame of the game that runs or ran last
//   rescue.step(60, ["KeyW"], 0.01, 0);      // by hand: 60 steps, keys held, radians a step; real time stops for good
//   rescue.hash();                           // 8 hex digits of the whole state
//   await rescue.stop();                     // ends it; resolves to the recorder's answer or null
//
// A row of the log: {frame, t (time of the animation frame), drawn (clock right after drawing), step, yaw, pitch, x, y,
// z (the player's), camera: [x, y, z, yaw, pitch, roll], keys: [what is down]}. Times are ms of performance.now().
//
// The address may say ?seed=7&environment=tsunami&player=Ada&autostart=1&marker=1&width=640 (width: most px of the
// picture's longer side; marker: see renderer.js).

import { Hud } from "./hud.js";
import { Input } from "./input.js";
import { ENVIRONMENTS, PALETTES } from "./palettes.js";
import { Recording } from "./recording.js";
import { Renderer } from "./renderer.js";
import { Screens } from "./screens.js";
import { Simulation } from "./simulation.js";
import { nextFrame, Size } from "./size.js";

const STEP_MS = 1000 / 60;
const LAST_FRAMES = 300; // how long the last picture of a paused game may take, where many are on their way
const MOST_STEPS = 5; // in one animation frame; a slower machine plays slower
const asked = new URLSearchParams(window.location.search);
const canvas = document.getElementById("game");

const renderer = new Renderer(canvas);
const hud = new Hud(document);
const recording = new Recording((state) => hud.showRecording(state, recording.rate));
const game = {
  sim: null,
  mode: "title",
  by: "clock",
  frame: 0,
  still: 0,
  due: 0,
  last: 0,
  player: "",
  log: [],
  saved: null,
};
const input = new Input(canvas, { active: () => game.mode === "playing", onlock: (locked) => !locked && pause() });
const screens = new Screens(document, {
  onstart: (chosen) => begin(chosen),
  onresume: resume,
  onquit: () => finish("stop"),
  onchoose: showcase,
});
screens.onshow = () => {
  game.mode = "title";
  hud.visible(false);
  showcase(screens.environment);
};

const size = new Size(canvas, Number(asked.get("width")));

/** Show a city behind the title. */
function showcase(environment) {
  game.sim = new Simulation({ seed: Number(asked.get("seed")) || 7, environment });
  renderer.load(game.sim);
}

function begin({ environment, player }) {
  input.lock();
  const seed = asked.has("seed") ? Number(asked.get("seed")) : Date.now() % 100000;
  start({ seed, environment, player }).catch((error) => screens.waiting(String(error.message ?? error)));
}

/** Draw a city once, so that no recording begins with the second that a first picture takes. */
async function drawn(sim) {
  size.fit();
  renderer.draw(sim);
  for (let k = 0; k < 2 && !document.hidden; k++) await nextFrame();
  await size.settle(() => renderer.draw(sim));
}

/** Start a game; resolves when it runs. */
async function start({ seed = 7, environment = "earthquake", player = "Player", record = true } = {}) {
  if (!ENVIRONMENTS.includes(environment))
    throw new Error(`environment ${environment}: take one of ${ENVIRONMENTS.join(", ")}`);
  await finish("stop"); // a game that still runs
  game.mode = "joining";
  const sim = new Simulation({ seed: Math.floor(Number(seed)) || 0, environment });
  Object.assign(game, { sim, player: String(player).slice(0, 60), by: "clock", due: 0, last: 0, log: [], saved: null });
  rescue.log = game.log;
  renderer.load(sim);
  hud.load(sim, PALETTES[environment]);
  screens.waiting(recording.capture && record ? "Joining the recorder ..." : "Get ready ...");
  await drawn(sim);
  if (record) await recording.start({ player: game.player, environment, seed: sim.seed }, () => sim.telemetry());
  if (game.sim !== sim) return;
  input.release();
  screens.none();
  hud.visible(true);
  hud.show(sim);
  hud.say(recording.refusal ? "Not recorded: see the console" : PALETTES[environment].story, 0);
  if (recording.refusal) console.warn(recording.refusal);
  sim.tell("game_start");
  pass();
  game.mode = "playing";
}

/** Hand what happened to the recorder and to the player. */
function pass() {
  for (const { event, fields } of game.sim.told.splice(0)) {
    recording.telemetry(fields);
    hud.tell(event, game.sim);
  }
}

function pause() {
  if (game.mode !== "playing") return;
  game.mode = "paused";
  input.release();
  recording.pause();
  screens.pause();
  if (input.locked) document.exitPointerLock();
}

function resume() {
  if (game.mode !== "paused") return;
  game.mode = "playing";
  game.last = 0;
  screens.none();
  input.lock();
  recording.resume();
}

/** Have what stands still recorded once more, so that the last row of a game that is left in a pause has a segment. */
async function lastPicture(sim) {
  const before = recording.captured;
  recording.resume();
  for (let k = 0; k < LAST_FRAMES && recording.captured === before && !document.hidden; k++) {
    await nextFrame(() => renderer.draw(sim)); // inside of the frame, which is captured at its end
  }
}

/** End the game; resolves to the recorder's answer, or null. */
async function finish(reason) {
  const { sim, mode } = game;
  if (!sim || !["playing", "paused"].includes(mode)) return game.saved;
  game.mode = "ended";
  if (!sim.over) sim.tell("game_end");
  if (mode === "paused" && recording.on) await lastPicture(sim);
  pass();
  if (input.locked) document.exitPointerLock();
  hud.visible(false);
  const result = { reason, fields: sim.telemetry("game_end"), seconds: sim.time, seed: sim.seed, player: game.player };
  screens.end(result, recording.on ? undefined : null, recording.refusal);
  game.saved = await recording.end(reason);
  if (game.mode === "ended" && game.sim === sim) screens.end(result, game.saved, recording.refusal);
  return game.saved;
}

/** Advance by the time that passed since the last animation frame, in whole steps. */
function advance(now) {
  const passed = game.last ? now - game.last : STEP_MS;
  game.last = now;
  game.due = Math.min(game.due + passed, MOST_STEPS * STEP_MS);
  // a screen of 60 Hz shows one step a frame, though its times tremble a little
  const steps = Math.abs(passed - STEP_MS) < 3 && Math.abs(game.due - STEP_MS) < 9 ? 1 : Math.floor(game.due / STEP_MS);
  game.due -= steps * STEP_MS;
  for (let step = 0; step < steps; step += 1) {
    const { keys, dyaw, dpitch } = input.take();
    game.sim.step({ keys, dyaw, dpitch });
  }
}

/** The view behind the title: from above the south end, swaying; the landmark stands to the right of the words. */
function overlook(sim) {
  const sway = Math.sin(sim.time * 0.09);
  const [x, z] = [7 + 9 * sway, 65];
  return { x, y: 13.5 + sim.plan.ground(x, z), z, yaw: 0.27 + 0.09 * sway, pitch: -0.1, roll: 0 };
}

function note(t) {
  const { player } = game.sim;
  const camera = player.camera(game.sim);
  game.log.push({
    frame: game.frame,
    t,
    drawn: performance.now(),
    step: game.sim.tick,
    yaw: player.yaw,
    pitch: player.pitch,
    x: player.x,
    y: player.y,
    z: player.z,
    camera: [camera.x, camera.y, camera.z, camera.yaw, camera.pitch, camera.roll],
    keys: [...input.keys],
  });
}

function frame(t) {
  window.requestAnimationFrame(frame);
  const { sim, mode } = game;
  if (!sim) return;
  size.fit();
  if (mode === "title") {
    if (sim.time < 170) sim.step({ keys: new Set(), dyaw: 0, dpitch: 0 });
    sim.told.length = 0;
    renderer.draw(sim, { camera: overlook(sim) });
  } else if (mode === "playing") {
    game.frame += 1;
    if (game.by === "clock") advance(t);
    renderer.draw(sim, { marker: asked.get("marker") ? game.frame % 65536 : null });
    note(t);
    pass();
    if (game.frame % 6 === 0) hud.show(sim);
    if (sim.over) finish(sim.over);
  } else {
    game.still = (game.still + 1) % 6; // what stands still is drawn anew only so that a new size is filled
    if (game.still === 0) renderer.draw(sim);
  }
}

const rescue = {
  start,
  stop: () => finish("stop"),
  pause,
  resume,
  log: game.log,
  /** Let the mouse turn the view without being locked: for scripts. */
  free() {
    input.free = true;
  },
  state: () => game.sim.telemetry(),
  hash: () => game.sim.hash(),
  step(count = 1, keys = [], dyaw = 0, dpitch = 0) {
    game.by = "hand";
    const held = new Set(keys);
    for (let k = 0; k < count; k += 1) game.sim.step({ keys: held, dyaw, dpitch });
    return game.sim.telemetry();
  },
  get mode() {
    return game.mode;
  },
  get sim() {
    return game.sim;
  },
  get saved() {
    return game.saved;
  },
};
window.rescue = rescue;

window.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement || event.repeat) return;
  if (event.code === "KeyP" || (event.code === "Escape" && !input.locked)) (game.mode === "playing" ? pause : resume)();
});
document.addEventListener("visibilitychange", () => {
  pause();
  if (game.mode === "paused") recording.pause(); // the recorder goes on by itself when the page is shown again
});

if (ENVIRONMENTS.includes(asked.get("environment"))) screens.choose(asked.get("environment"));
document.getElementById("player").value = (asked.get("player") ?? "").slice(0, 60);
if (asked.get("autostart")) {
  input.free = true;
  start({
    seed: Number(asked.get("seed")) || 7,
    environment: screens.environment,
    player: asked.get("player") ?? "Player",
  }).catch((error) => screens.waiting(String(error.message ?? error)));
} else {
  screens.title();
}
window.requestAnimationFrame(frame);
