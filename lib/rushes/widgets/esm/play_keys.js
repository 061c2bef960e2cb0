// Keyboard and gamepad of a play: every edge goes out at once, with the time at which the browser saw it.
// Nothing hangs: whoever leaves the picture has let go of everything.
export const PANEL_KEYS = { KeyP: "pause", KeyR: "restart", KeyM: "mute", Escape: "stop", Enter: "go" };
const FREE = ["Tab", "F5", "F11", "F12"];
const SMALLEST = 0.004; // an axis that moved less has not moved

// The page's clock, ms: one that a page which reloads goes on with. `at` is a time of this page, as events have it.
export function pageTime(at = performance.now()) {
  return performance.timeOrigin + at;
}

// The name of that clock: a page that reloads has another one, and so has a page on another machine.
export const PAGE = String(performance.timeOrigin);

// Listens on `target` while it has the focus. `open()` says whether there is a game that hears keys (in a pause, too, so
// that it goes on with what is held then), `live()` whether it is played, `taken(code)` whether the game itself uses one
// of the panel's keys; `edges(rows)` gets [[t_ms, code, 1|0]], `pad(t, axes, buttons)` changes,
// `command(name)` the panel's own keys, `left()` is called when the focus has gone.
export function listenKeys(target, { open, live, taken, edges, pad, command, left, changed }) {
  const down = new Set();
  let padDown = null; // [axes, buttons] as told last, null where all is at rest
  let padName = "";
  let frame = 0;
  target.tabIndex = 0;
  target.dataset.lmSuppressShortcuts = "true";

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || FREE.includes(event.code)) return;
    event.preventDefault();
    event.stopPropagation();
    const own = PANEL_KEYS[event.code];
    if (own && !(live() && taken(event.code))) {
      if (!event.repeat) command(own);
      return;
    }
    if (event.repeat || down.has(event.code) || !open()) return;
    down.add(event.code);
    edges([[pageTime(event.timeStamp), event.code, 1]]);
    changed();
  }

  function lift(event) {
    if (!down.delete(event.code)) return;
    event.preventDefault();
    event.stopPropagation();
    edges([[pageTime(event.timeStamp), event.code, 0]]);
    changed();
  }

  function release() {
    const now = pageTime();
    if (down.size) edges([...down].map((code) => [now, code, 0]));
    down.clear();
    if (padDown) pad(now, padDown[0].map(() => 0), padDown[1].map(() => 0));
    padDown = null;
    changed();
  }

  // A pause has let go of everything: what is held all the same is told anew.
  function again() {
    if (down.size) edges([...down].map((code) => [pageTime(), code, 1]));
    padDown = null;
  }

  function blur() {
    release();
    left();
  }
  const hidden = () => document.hidden && document.activeElement === target && blur();

  function first() {
    const pads = navigator.getGamepads ? [...navigator.getGamepads()] : [];
    const there = pads.filter((one) => one && one.connected !== false);
    return there.find((one) => one.mapping === "standard") || there[0] || null;
  }

  function poll() {
    frame = requestAnimationFrame(poll);
    const one = first();
    padName = one ? one.id : "";
    if (!open()) padDown = null;
    if (!one && padDown) {
      pad(pageTime(), padDown[0].map(() => 0), padDown[1].map(() => 0)); // it was pulled out
      padDown = null;
      changed();
    }
    if (!one || !open() || document.activeElement !== target) return;
    const axes = one.axes.map((value) => Math.round(value * 1000) / 1000);
    const buttons = one.buttons.map((button) => Math.round(button.value * 1000) / 1000);
    const rest = [...axes, ...buttons].every((value) => Math.abs(value) < SMALLEST);
    const before = padDown || [axes.map(() => 0), buttons.map(() => 0)];
    const differs = (now, old) => now.some((value, k) => Math.abs(value - (old[k] || 0)) >= SMALLEST);
    if (!differs(axes, before[0]) && !differs(buttons, before[1])) return;
    const now = performance.now();
    pad(pageTime(one.timestamp > 0 ? Math.min(one.timestamp, now) : now), axes, buttons);
    padDown = rest ? null : [axes, buttons];
    changed();
  }

  target.addEventListener("keydown", press);
  target.addEventListener("keyup", lift);
  target.addEventListener("blur", blur);
  document.addEventListener("visibilitychange", hidden);
  frame = requestAnimationFrame(poll);
  return {
    down,
    again,
    padName: () => padName,
    padState: () => padDown || [[], []],
    close() {
      release();
      cancelAnimationFrame(frame);
      target.removeEventListener("keydown", press);
      target.removeEventListener("keyup", lift);
      target.removeEventListener("blur", blur);
      document.removeEventListener("visibilitychange", hidden);
    },
  };
}

const NAMES = {
  ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Space: "Space",
  Enter: "Enter", ShiftLeft: "Shift", ShiftRight: "Shift", ControlLeft: "Ctrl", ControlRight: "Ctrl",
};

// What stands on a key: W for KeyW, 1 for Digit1.
export function keyName(code) {
  return NAMES[code] || code.replace(/^(Key|Digit)/, "");
}
