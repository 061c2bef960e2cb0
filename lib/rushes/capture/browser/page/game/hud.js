// The instruments over the picture, in HTML: they are not part of what is captured.
//
//   const hud = new Hud(document, palette);
//   hud.show(sim);         // ten times a second is enough
//   hud.say("Saved");      // a line that fades

import { LIMIT } from "./simulation.js";
import { Minimap } from "./minimap.js";

const WORDS = {
  rescue: "Victim rescued",
  inspect: "Victim inspected",
  destroy_rubble: "Rubble cleared",
  refuel: "Battery full",
  victim_died: "A victim has died",
  collision_damage: "Ouch!",
};
const ZONES = { safe: "Safe", yellow: "Caution", red: "Danger" };

export class Hud {
  constructor(page) {
    const find = (name) => page.getElementById(name);
    this.parts = Object.fromEntries(
      [
        "hud",
        "battery",
        "battery-figure",
        "health",
        "health-figure",
        "zone",
        "clock",
        "saved",
        "score",
        "prompt",
        "prompt-text",
        "prompt-share",
        "said",
        "flash",
        "recording",
        "recording-text",
        "compass",
      ].map((name) => [name, find(name)]),
    );
    this.map = new Minimap(find("map"));
    this.shown = {};
    this.saidAt = -10;
  }

  /** Take over the city of a game. */
  load(sim, palette) {
    this.map.load(sim, palette);
    this.saidAt = -10;
    this.#text("said", "");
    document.documentElement.dataset.environment = sim.environment;
  }

  visible(on) {
    this.parts.hud.hidden = !on;
    this.#state("flash", "on", "false");
  }

  #text(name, text) {
    if (this.shown[name] === text) return;
    this.shown[name] = text;
    this.parts[name].textContent = text;
  }

  #state(name, key, value) {
    const at = `${name}.${key}`;
    if (this.shown[at] === value) return;
    this.shown[at] = value;
    this.parts[name].dataset[key] = value;
  }

  #share(name, share) {
    const width = `${Math.round(100 * share)}%`;
    if (this.shown[`${name}.width`] === width) return;
    this.shown[`${name}.width`] = width;
    this.parts[name].style.width = width;
  }

  /** Bring the instruments up to date. */
  show(sim) {
    const { player, victims } = sim;
    this.#share("battery", player.battery / 100);
    this.#text("battery-figure", `${Math.ceil(player.battery)}`);
    this.#state("battery", "low", String(player.battery < 25));
    this.#share("health", player.health / 100);
    this.#text("health-figure", `${Math.ceil(player.health)}`);
    this.#state("health", "low", String(player.health < 30));
    this.#text("zone", ZONES[sim.zone]);
    this.#state("zone", "zone", sim.zone);
    const left = Math.max(0, Math.ceil(LIMIT - sim.time));
    this.#text("clock", `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
    this.#state("clock", "low", String(left <= 30));
    this.#text("saved", `${victims.count("saved")} / ${victims.people.length}`);
    this.#text("score", `${sim.score}`);
    const prompt = victims.busy ? victims.busy.what : (victims.prompt(player, sim.plan) ?? this.#warning(sim));
    this.parts.prompt.hidden = !prompt;
    this.#text("prompt-text", prompt ?? "");
    this.#share("prompt-share", victims.busy ? victims.busy.share : 0);
    this.#state("flash", "on", String(sim.time - sim.hurtAt < 0.35));
    if (sim.time - this.saidAt > 2.4) this.#text("said", "");
    const degrees = ((((-player.yaw * 180) / Math.PI) % 360) + 360) % 360;
    const name = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"][Math.round(degrees / 45) % 8];
    this.#text("compass", `${name} ${String(Math.round(degrees) % 360).padStart(3, "0")}°`);
    this.map.draw(sim);
  }

  #warning({ player }) {
    if (player.battery <= 0) return "Battery empty: reach a green station";
    return player.battery < 20 ? "Battery low: recharge at a green station (F)" : null;
  }

  /** Say what just happened. */
  tell(event, sim) {
    const words =
      event === "zone_change"
        ? { yellow: "Caution: danger is near", red: "Danger: leave this place", safe: "" }[sim.zone]
        : WORDS[event];
    if (words) this.say(words, sim.time);
  }

  /** Show a line for a while. */
  say(text, time) {
    this.#text("said", text);
    this.saidAt = time;
  }

  /** Show what the recorder does. */
  showRecording(state, rate) {
    this.parts.recording.hidden = state === "off";
    this.#state("recording", "state", state);
    this.#text("recording-text", state === "recording" ? `recording ${rate} Hz` : state);
  }
}
