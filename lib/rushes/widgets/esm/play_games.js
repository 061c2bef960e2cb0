// Choosing an environment: a field to type in and a list that narrows, by mouse or by keyboard.
import { make } from "./parts.js";

const MOST = 250; // rows that are drawn; typing narrows

// `games` is [{id, name, group}]; `choose(id)` is called when one is chosen.
export function makeGames(parent, { games, choose }) {
  const box = make("div", "rushes-games", parent);
  const field = make("input", "rushes-games-field", box);
  const list = make("div", "rushes-games-list", box);
  const label = "environment";
  const number = Math.random().toString(36).slice(2);
  Object.assign(field, { type: "text", spellcheck: false, autocomplete: "off", placeholder: "search an environment" });
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-label", label);
  field.setAttribute("aria-controls", `rushes-games-${number}`);
  field.dataset.lmSuppressShortcuts = "true";
  list.id = `rushes-games-${number}`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", label);
  let chosen = "";
  let found = [];
  let at = 0;

  const named = (id) => (games.find((game) => game.id === id) || { name: id }).name;

  function match(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const hit = (game) => words.every((word) => `${game.name} ${game.id} ${game.group}`.toLowerCase().includes(word));
    const begins = (game) => (game.name.toLowerCase().startsWith(words[0] || "") ? 0 : 1);
    const hits = games.filter(hit);
    return words.length ? hits.sort((a, b) => begins(a) - begins(b)) : hits;
  }

  function draw() {
    list.replaceChildren();
    let group = null;
    found.slice(0, MOST).forEach((game, k) => {
      if (game.group !== group) {
        group = game.group;
        make("div", "rushes-games-group", list, group);
      }
      const row = make("div", "rushes-games-row", list, game.name);
      make("span", "rushes-games-id", row, game.id);
      row.id = `${list.id}-${k}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(k === at));
      row.addEventListener("mousedown", (event) => event.preventDefault());
      row.addEventListener("click", () => take(game));
    });
    if (!found.length) make("div", "rushes-games-none", list, "no environment of that name is installed here");
    point();
  }

  function point() {
    const rows = list.querySelectorAll("[role=option]");
    rows.forEach((row, k) => row.setAttribute("aria-selected", String(k === at)));
    field.setAttribute("aria-activedescendant", rows.length ? `${list.id}-${at}` : "");
    const row = rows[at];
    if (row) list.scrollTop = Math.max(0, row.offsetTop - list.clientHeight / 2);
  }

  function open(text = "") {
    found = match(text);
    at = text ? 0 : Math.max(0, found.findIndex((game) => game.id === chosen));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    draw();
  }

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.value = named(chosen);
  }

  function take(game) {
    chosen = game.id;
    close();
    choose(game.id);
  }

  field.addEventListener("focus", () => field.select());
  field.addEventListener("mousedown", () => list.hidden && !field.disabled && open());
  field.addEventListener("input", () => open(field.value));
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (move) {
      event.preventDefault();
      if (list.hidden) open();
      else {
        at = Math.max(0, Math.min(Math.min(found.length, MOST) - 1, at + move));
        point();
      }
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && found[at]) take(found[at]);
      else if (list.hidden) open();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
  close();
  return {
    node: box,
    set(id, off) {
      chosen = id;
      field.disabled = off;
      if (off && !list.hidden) close();
      if (list.hidden) field.value = named(id);
    },
    chosen: () => chosen,
  };
}
