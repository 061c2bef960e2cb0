// The screens before, between and after: title, pause, end. All words go in as text, never as HTML.
//
//   const screens = new Screens(document, { onstart, onresume, onquit, onchoose });
//   screens.title(); screens.pause(); screens.end(result, saved); screens.none();

import { ENVIRONMENTS, PALETTES } from "./palettes.js";

const ENDS = {
  saved_all: ["Everybody is safe", "Nobody is left behind."],
  time_up: ["Time is up", "The relief troops take over."],
  died: ["You are down", "Your machine gave up before the city did."],
  all_lost: ["Nobody is left", "Help came too late."],
  stop: ["Stopped", "You called it a day."],
};

export class Screens {
  constructor(page, { onstart, onresume, onquit, onchoose }) {
    this.page = page;
    this.find = (name) => page.getElementById(name);
    this.environment = "earthquake";
    const form = this.find("title");
    for (const environment of ENVIRONMENTS) {
      const card = page.createElement("button");
      card.type = "button";
      card.className = "card";
      card.dataset.environment = environment;
      const name = page.createElement("strong");
      name.textContent = PALETTES[environment].title;
      card.append(name);
      card.addEventListener("click", () => this.choose(environment, onchoose));
      this.find("cards").append(card);
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onstart({ environment: this.environment, player: this.find("player").value.trim() || "Player" });
    });
    this.find("resume").addEventListener("click", onresume);
    this.find("quit").addEventListener("click", onquit);
    this.find("again").addEventListener("click", () => this.title());
    this.choose(this.environment);
  }

  /** Choose an environment. */
  choose(environment, onchoose = () => {}) {
    this.environment = environment;
    this.page.documentElement.dataset.environment = environment;
    for (const card of this.find("cards").children)
      card.setAttribute("aria-pressed", String(card.dataset.environment === environment));
    this.find("story").textContent = PALETTES[environment].story;
    onchoose(environment);
  }

  #only(name) {
    for (const screen of ["title", "paused", "ended", "waiting"]) this.find(screen).hidden = screen !== name;
    this.shown = name;
  }

  title() {
    this.#only("title");
    this.page.documentElement.dataset.environment = this.environment;
    this.onshow?.("title");
  }

  waiting(words) {
    this.find("waiting-text").textContent = words;
    this.#only("waiting");
  }

  pause() {
    this.#only("paused");
  }

  none() {
    this.#only("");
    this.page.activeElement?.blur();
  }

  /** Show how it ended; `saved` is the recorder's answer, `undefined` while it is awaited, null without recording. */
  end({ reason, fields, seconds, seed, player }, saved, refusal = "") {
    const [head, line] = ENDS[reason] ?? ENDS.stop;
    this.find("ended-head").textContent = head;
    this.find("ended-line").textContent = line;
    const rows = [
      ["Score", fields.score],
      ["Rescued", `${fields.victims_saved} of ${fields.victims_total}`],
      ["Died", fields.victims_died],
      ["Health", Math.ceil(fields.health)],
      ["Time", `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`],
      ["Player", player],
      ["Seed", seed],
    ];
    this.find("figures").replaceChildren(
      ...rows.flatMap(([name, value]) => {
        const [term, figure] = [this.page.createElement("dt"), this.page.createElement("dd")];
        term.textContent = name;
        figure.textContent = String(value);
        return [term, figure];
      }),
    );
    const download = this.find("download");
    const address = saved?.download ? new URL(saved.download, this.page.baseURI) : null;
    download.hidden = !(address && address.origin === window.location.origin);
    if (!download.hidden) download.href = address.href;
    this.find("session").textContent =
      saved === undefined
        ? "Saving the recording ..."
        : saved
          ? `Recorded ${saved.frames} frames as ${saved.name}`
          : refusal
            ? `Not recorded: ${refusal}`
            : "Played without recording.";
    this.#only("ended");
  }
}
