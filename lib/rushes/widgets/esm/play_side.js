// Beside the picture: score, lives and reward, who plays, what each key does, how it goes.
import { makeChoice, makeFigures, setText } from "./panel.js";
import { make } from "./parts.js";
import { keyName } from "./play_keys.js";

const WHO = [["human", "You"], ["shared", "Both"], ["policy", "Policy"]];
// NitroGen's names of a pad -> what is drawn, and where the browser has it: a button's number, or an axis with its side.
const PAD = {
  SOUTH: ["A", 0], EAST: ["B", 1], WEST: ["X", 2], NORTH: ["Y", 3], LEFT_SHOULDER: ["LB", 4], RIGHT_SHOULDER: ["RB", 5],
  LEFT_TRIGGER: ["LT", 6], RIGHT_TRIGGER: ["RT", 7], BACK: ["Back", 8], START: ["Start", 9], LEFT_THUMB: ["LS", 10],
  RIGHT_THUMB: ["RS", 11], DPAD_UP: ["\u25b4", 12], DPAD_DOWN: ["\u25be", 13], DPAD_LEFT: ["\u25c2", 14],
  DPAD_RIGHT: ["\u25b8", 15],
};
const STICKS = { J_LEFT_X: ["L", 0], J_LEFT_Y: ["L", 1], J_RIGHT_X: ["R", 2], J_RIGHT_Y: ["R", 3] };
const SIDES = { "X-": "\u2190", "X+": "\u2192", "Y-": "\u2191", "Y+": "\u2193" };
const HALF = 0.5;

export function makeSide(parent, { control }) {
  const side = make("div", "rushes-play-side", parent);
  const tiles = make("div", "rushes-tiles", side);
  const tile = Object.fromEntries(
    [["score", "score"], ["lives", "lives"], ["reward", "reward"], ["episode", "episode"]].map(([name, label]) => {
      const box = make("div", "rushes-tile", tiles);
      make("span", "rushes-tile-name", box, label);
      const value = make("b", "rushes-tile-value", box, "\u2013");
      value.dataset.name = name;
      return [name, value];
    }),
  );
  const whoRow = make("div", "rushes-who", side);
  make("span", "rushes-label", whoRow, "who plays");
  const now = make("span", "rushes-who-now", whoRow);
  const who = makeChoice(side, { label: "who plays", options: WHO, choose: control });
  who.node.classList.add("rushes-who-choice");
  make("div", "rushes-label", side, "controls");
  const keys = make("div", "rushes-bindings", side);
  keys.tabIndex = 0;
  keys.setAttribute("role", "group");
  keys.setAttribute("aria-label", "what each key does");
  const figures = makeFigures(side, "how it goes");
  let drawn = "";
  let whoSet = "";
  let chips = [];

  function bind(bindings) {
    const text = JSON.stringify(bindings);
    if (text === drawn) return;
    drawn = text;
    keys.replaceChildren();
    chips = [];
    if (!bindings.length) {
      make("p", "rushes-quiet", keys, "Each environment has its own; they stand here after Start.");
      return;
    }
    const heads = make("div", "rushes-binding rushes-binding-head", keys);
    for (const text of ["does", "keys", "gamepad"]) make("span", "", heads, text);
    for (const { does, keys: codes = [], pad = [] } of bindings) {
      const row = make("div", "rushes-binding", keys);
      make("span", "rushes-binding-does", row, does.length > 1 ? does.toLowerCase() : `action ${does}`);
      const held = make("span", "rushes-binding-keys", row);
      for (const code of codes) chips.push([make("kbd", "rushes-chip", held, keyName(code)), code]);
      const round = make("span", "rushes-binding-keys", row);
      for (const name of pad) {
        const chip = make("kbd", "rushes-chip", round, padName(name));
        chip.dataset.pad = "true";
        chip.title = name;
        chips.push([chip, name]);
      }
    }
  }

  return {
    figures,
    bind,
    // Lights what is held: a set of key codes, and the pad's axes and buttons.
    light(down, [axes, buttons]) {
      for (const [chip, name] of chips) {
        const stick = STICKS[name.slice(0, -1)];
        const button = PAD[name.replace(/[+-]$/, "")];
        const side = name.endsWith("-") ? -1 : 1;
        const on = stick ? side * (axes[stick[1]] || 0) > HALF : button ? (buttons[button[1]] || 0) > HALF : down.has(name);
        chip.dataset.on = String(on);
      }
    },
    count({ score, lives, reward, episode }) {
      const said = (value) => (value === null || value === undefined ? "\u2013" : numberText(value));
      setText(tile.score, said(score));
      setText(tile.lives, lives < 0 ? "\u2013" : said(lives));
      setText(tile.reward, said(reward));
      setText(tile.episode, episode === undefined ? "\u2013" : String(episode + 1));
    },
    // `human` is who acts in this step: true, false, or null where nobody does.
    who(value, policy, human) {
      const key = `${value} ${policy} ${human}`; // sixty times a second it is what it was
      if (key === whoSet) return;
      whoSet = key;
      who.set(value, policy ? [] : ["shared", "policy"]);
      who.node.title = policy ? `policy: ${policy}` : "play() was called without a policy";
      now.dataset.human = String(human);
      setText(now, human === null || !policy ? "" : human ? "you act" : `${policy} acts`);
    },
  };
}

function padName(name) {
  const stick = STICKS[name.slice(0, -1)];
  if (stick) return `${stick[0]}${SIDES[name.slice(-2)]}`;
  return (PAD[name.replace(/[+-]$/, "")] || [name])[0];
}

// Whole numbers with a thin gap every three digits, others with two places.
export function numberText(value) {
  if (!Number.isFinite(value)) return String(value);
  const text = Number.isInteger(value) ? String(value) : value.toFixed(2);
  return text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, "\u202f");
}
