// The shortcuts: one table that is both what the keys do and what the help sheet shows.

// [group, keys as they are shown, what they do, {event key: action}]; letters stand small, "Shift+" is said
const TABLE = [
  ["Play", "Space", "play or pause", { " ": "toggle" }],
  ["Play", "J K L", "backwards, stop, forwards; again: faster", { j: "shuttleBack", k: "pause", l: "shuttle" }],
  ["Play", "A", "sound: the next stream, off", { a: "sound" }],
  ["Move", "\u2190 \u2192", "one frame (also , and .)", { arrowleft: "back", arrowright: "on", ",": "back", ".": "on" }],
  ["Move", "Shift+\u2190 Shift+\u2192", "ten frames", { "shift+arrowleft": "back10", "shift+arrowright": "on10" }],
  ["Move", "Home End", "first, last frame", { home: "first", end: "last" }],
  ["Move", "G", "go to a frame or a time", { g: "go" }],
  ["Jump", "P N", "previous, next event", { p: "eventBack", n: "event" }],
  ["Jump", "Shift+F F", "previous, next finding", { "shift+f": "findingBack", f: "finding" }],
  ["Jump", "Shift+M M", "previous, next mark", { "shift+m": "markBack", m: "mark" }],
  ["Mark", "[ ]", "the selection starts, ends here", { "[": "selectStart", "]": "selectStop" }],
  ["Mark", "I V", "mark it invalid, valid", { i: "invalid", v: "valid" }],
  ["Mark", "T", "give it a label", { t: "label" }],
  ["Mark", "Delete", "take the chosen mark back", { delete: "unmark", backspace: "unmark" }],
  ["Mark", "Esc", "no selection", { escape: "unselect" }],
  ["View", "+ -", "zoom the timeline (also the wheel)", { "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", _: "zoomOut" }],
  ["View", "0", "the whole timeline", { 0: "zoomAll" }],
  ["View", "O", "hands beside, over, off", { o: "overlay" }],
  ["Keep", "C S D", "a clip, the still, a link", { c: "clip", s: "still", d: "link" }],
  ["Keep", "?", "this sheet", { "?": "help" }],
];
const ACTIONS = Object.assign({}, ...TABLE.map(([, , , keys]) => keys));
const OWN_KEYS = new Set(["INPUT", "SELECT", "TEXTAREA"]);

export function helpGroups() {
  const groups = new Map();
  for (const [group, keys, words] of TABLE) groups.set(group, [...(groups.get(group) ?? []), [keys, words]]);
  return [...groups];
}

export function makeKeys(root, actions) {
  root.addEventListener("keydown", (event) => {
    const composed = event.altKey && "[]".includes(event.key); // as many keyboards write them
    if (((event.ctrlKey || event.metaKey || event.altKey) && !composed) || event.isComposing) return;
    const target = event.target;
    if (OWN_KEYS.has(target.tagName)) {
      event.stopPropagation(); // Lab must not take what is typed
      if (event.key === "Escape") root.focus({ preventScroll: true });
      return;
    }
    if (target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) {
      event.stopPropagation();
      return; // the button's own
    }
    const key = event.key.toLowerCase();
    const long = key.length > 1 || /[a-z]/.test(key);
    const action = ACTIONS[event.shiftKey && long ? `shift+${key}` : key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat && /toggle|select|valid|label|clip|still|link|help|overlay|shuttle|unmark|sound|go$/.test(action)) return;
    actions[action]?.();
  });
}
