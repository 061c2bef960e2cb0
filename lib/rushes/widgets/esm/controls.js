// The rows of buttons: transport and readings under the picture; selection, marks, correction and files below.
import { clamp, drawSign, make, makeButton, makeGroup, timeWords } from "./parts.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const OFFSET_MS = 500;

export function makeTransportBar(parent, { head, about, actions, hooks }) {
  const bar = make("div", "rushes-bar", parent);
  const moves = makeGroup(bar, "play");
  const button = (sign, label, keys, press) => makeButton(moves, { sign, label, keys, press });
  button("first", "first frame", "Home", actions.first);
  button("back", "one frame back", "\u2190", actions.back);
  const play = button("play", "play", "Space", actions.toggle);
  play.dataset.tone = "main";
  play.classList.add("rushes-play-button");
  button("on", "one frame on", "\u2192", actions.on);
  button("last", "last frame", "End", actions.last);
  const pace = make("select", "rushes-select", moves);
  pace.title = "speed";
  pace.setAttribute("aria-label", "speed");
  for (const speed of SPEEDS) make("option", "", pace, `${speed}\u00d7`).value = String(speed);
  pace.addEventListener("change", () => hooks.speed(Number(pace.value)));
  const loud = about.sound?.length ? makeButton(moves, { sign: "mute", label: "sound", keys: "A", press: actions.sound }) : null;
  loud?.setAttribute("aria-pressed", "false");

  const readings = make("div", "rushes-readings", bar);
  const time = make("b", "", readings);
  const whole = make("span", "", readings);
  const frame = make("b", "", readings);
  const frames = make("span", "", readings);
  const segment = make("span", "rushes-segment", readings);
  const source = about.sources[0];
  whole.textContent = `/ ${timeWords(source.t1_ns / 1e9)}`;
  frames.textContent = `/ ${source.frames - 1}`;
  frame.style.minWidth = `${`frame ${source.frames - 1}`.length * 0.56}em`;

  const jumps = makeGroup(bar, "jump");
  const pair = (word, back, on, keys) => {
    makeButton(jumps, { text: "\u2039", label: `previous ${word}`, keys: keys[0], press: back });
    make("span", "rushes-word", jumps, word);
    makeButton(jumps, { text: "\u203a", label: `next ${word}`, keys: keys[1], press: on });
  };
  pair("event", actions.eventBack, actions.event, ["P", "N"]);
  pair("finding", actions.findingBack, actions.finding, ["Shift+F", "F"]);
  const view = makeGroup(head, "view");
  view.classList.add("rushes-right");
  const overlay = makeButton(view, { text: "hands: beside", label: "where the hands are drawn", keys: "O", press: actions.overlay });
  overlay.classList.add("rushes-overlay-button");
  makeButton(view, { text: "?", label: "shortcuts", keys: "?", press: actions.help });

  return {
    bar,
    place(name) {
      overlay.textContent = `hands: ${name}`;
    },
    playing(on) {
      drawSign(play, on ? "pause" : "play");
      play.setAttribute("aria-label", on ? "pause" : "play");
      play.setAttribute("aria-pressed", String(on));
    },
    speed(value, direction) {
      const text = String(value);
      if (![...pace.options].some((option) => option.value === text)) make("option", "", pace, `${Number(value.toPrecision(3))}\u00d7`).value = text;
      pace.value = text;
      pace.dataset.back = String(direction < 0);
    },
    sound(stream) {
      if (!loud) return;
      drawSign(loud, stream ? "loud" : "mute");
      loud.title = `sound: ${stream || "off"} (A)`;
      loud.setAttribute("aria-pressed", String(Boolean(stream)));
    },
    read(number, seconds, segmentWords) {
      time.textContent = timeWords(seconds);
      frame.textContent = `frame ${number}`;
      if (segment.textContent !== segmentWords) segment.textContent = segmentWords;
    },
  };
}

export function makeMarkBar(parent, { about, actions, hooks }) {
  const bar = make("div", "rushes-bar rushes-marks", parent);
  const select = makeGroup(bar, "selection");
  makeButton(select, { sign: "start", label: "the selection starts here", keys: "[", press: actions.selectStart });
  makeButton(select, { sign: "stop", label: "the selection ends here", keys: "]", press: actions.selectStop });
  const range = make("span", "rushes-range", select, "this frame");
  const drop = makeButton(select, { sign: "cross", label: "no selection", keys: "Escape", press: actions.unselect });

  const marks = makeGroup(bar, "marks");
  const tools = [
    makeButton(marks, { text: "Invalid", label: "mark it invalid", keys: "I", press: actions.invalid, tone: "bad" }),
    makeButton(marks, { text: "Valid", label: "mark it valid", keys: "V", press: actions.valid, tone: "good" }),
    makeButton(marks, { text: "Label\u2026", label: "give it a label", keys: "T", press: actions.label }),
  ];
  if (!about.can_mark) {
    for (const tool of tools) {
      tool.disabled = true;
      tool.title = "only a session folder of rushes keeps marks: convert this one first";
    }
  }
  const has = about.environment || about.mouse || about.wheel || (about.controls ?? []).length + (about.axes ?? []).length > 0;
  const offset = has && !about.samples ? makeOffset(bar, about, hooks) : null;
  const keep = makeGroup(bar, "keep");
  keep.classList.add("rushes-right");
  makeButton(keep, { text: "Clip", label: "keep the selection as a film", keys: "C", press: actions.clip });
  makeButton(keep, { text: "Still", label: "keep this picture", keys: "S", press: actions.still });
  makeButton(keep, { text: "Link", label: "a link to this moment", keys: "D", press: actions.link });

  return {
    offset,
    select(chosen) {
      range.textContent = chosen ? `${chosen[0]}\u2013${chosen[1] - 1} \u00b7 ${chosen[1] - chosen[0]} frames` : "this frame";
      range.title = chosen ? "frames that are marked or kept" : "nothing is selected: a mark is put on this frame";
      drop.style.visibility = chosen ? "visible" : "hidden";
    },
  };
}

function makeOffset(bar, about, hooks) {
  const group = makeGroup(bar, "correction of the inputs' times");
  make("span", "rushes-word", group, "inputs later");
  const slide = make("input", "rushes-slide", group);
  Object.assign(slide, { type: "range", min: -OFFSET_MS, max: OFFSET_MS, step: 1, value: 0 });
  slide.setAttribute("aria-label", "inputs later by, ms");
  const number = make("input", "rushes-input rushes-number", group);
  Object.assign(number, { type: "number", step: 1, value: 0 });
  number.setAttribute("aria-label", "inputs later by, ms");
  make("span", "rushes-word", group, "ms");
  const save = makeButton(group, { text: "Save", label: "keep this correction with the session", press: () => hooks.saveOffset(value) });
  const kept = makeButton(group, { text: "none stored", label: "see inputs with what is stored", press: () => take(stored) });
  kept.classList.add("rushes-stored");
  let stored = 0;
  let value = 0;
  let touched = false; // since it was saved: saving twice must not store the 0 that it goes back to
  const show = () => {
    slide.value = String(clamp(value, -OFFSET_MS, OFFSET_MS));
    if (Number(number.value) !== value) number.value = String(value);
    save.disabled = !about.can_mark || value === stored || (value === 0 && !touched);
    group.dataset.changed = String(value !== 0);
  };
  const keep = (offset) => {
    stored = Number(offset?.ms ?? 0) || 0;
    touched = false;
    kept.textContent = offset ? `stored ${Math.round(10 * stored) / 10} ms` : "none stored";
    kept.disabled = !offset;
    show();
  };
  const take = (next) => {
    if (!Number.isFinite(next)) return;
    value = next;
    touched = true;
    show();
    hooks.offset(value);
  };
  slide.addEventListener("input", () => take(Number(slide.value)));
  number.addEventListener("input", () => take(Number(number.value)));
  slide.addEventListener("dblclick", () => take(0));
  keep(about.offset);
  return {
    keep,
    set(next) {
      value = next;
      show();
    },
  };
}
