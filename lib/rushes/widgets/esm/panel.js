// What the panels of the family are built of: nodes, buttons with a drawn sign, figures that keep their place.
// A panel is calm: texts change, boxes do not move.
import { make } from "./parts.js";

const PANEL_SIGNS = {
  start: '<circle cx="8" cy="8" r="5"/>',
  go: '<path d="M4 2.5v11l9-5.5z"/>',
  pause: '<path d="M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z"/>',
  stop: '<path d="M3 3h10v10H3z"/>',
  again: '<path d="M8 2.2a5.8 5.8 0 1 0 5.6 7.3l-1.9-.5A3.8 3.8 0 1 1 8 4.2c1 0 1.9.4 2.6 1L8.6 7.2H14V1.8L12 3.8a5.8 5.8 0 0 0-4-1.6z"/>',
  loud: '<path d="M2 5.5h3L9 2v12l-4-3.5H2zM10.5 4.5a4.5 4.5 0 0 1 0 7zM11.8 2.3a7 7 0 0 1 0 11.4l-.8-1.2a5.5 5.5 0 0 0 0-9z"/>',
  mute: '<path d="M2 5.5h3L9 2v12l-4-3.5H2zM10.4 6.1l1-1 1.6 1.7 1.7-1.7 1 1L14 7.8l1.7 1.7-1 1L13 8.8l-1.6 1.7-1-1L12 7.8z"/>',
};

// Set a text only where it is another one, so that nothing is laid out anew and no reader says it twice.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A button with a sign, a text and the key that does the same. `tone` is "", "good" or "bad".
export function makeSignButton(parent, { sign, text, key = "", tone = "", press }) {
  const node = make("button", "rushes-press", parent);
  node.type = "button";
  if (tone) node.dataset.tone = tone;
  const drawn = make("span", "rushes-sign", node);
  const said = make("span", "rushes-press-text", node);
  if (key) make("kbd", "rushes-key", node, key);
  node.addEventListener("mousedown", (event) => event.preventDefault()); // the picture keeps the keys
  node.addEventListener("click", () => press());
  const button = {
    node,
    set({ sign: nextSign = sign, text: nextText = text, off = false } = {}) {
      if (drawn.dataset.sign !== nextSign) {
        drawn.dataset.sign = nextSign;
        drawn.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true">${PANEL_SIGNS[nextSign]}</svg>`;
      }
      setText(said, nextText);
      node.disabled = off;
    },
  };
  button.set();
  return button;
}

// One of a few: a row of buttons of which one is down; arrow keys move it, as radio buttons do.
export function makeChoice(parent, { label, options, choose }) {
  const row = make("div", "rushes-choice", parent);
  row.setAttribute("role", "radiogroup");
  row.setAttribute("aria-label", label);
  const nodes = options.map(([value, text]) => {
    const node = make("button", "rushes-choice-one", row, text);
    node.type = "button";
    node.dataset.value = value;
    node.setAttribute("role", "radio");
    node.addEventListener("mousedown", (event) => event.preventDefault());
    node.addEventListener("click", () => choose(value));
    return node;
  });
  row.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const free = nodes.filter((node) => !node.disabled);
    const next = free[(free.indexOf(document.activeElement) + step + free.length) % free.length];
    if (next) {
      next.focus();
      choose(next.dataset.value);
    }
  });
  return {
    node: row,
    set(value, disabled = []) {
      for (const node of nodes) {
        const mine = node.dataset.value === value;
        node.setAttribute("aria-checked", String(mine));
        node.tabIndex = mine ? 0 : -1;
        node.disabled = disabled.includes(node.dataset.value);
      }
    },
  };
}

// The line at the top: a dot and the state's name in its colour, the clock, the subject.
export function makeHead(parent) {
  const head = make("div", "rushes-head", parent);
  make("span", "rushes-dot", head).setAttribute("aria-hidden", "true");
  const state = make("b", "rushes-state", head);
  state.setAttribute("role", "status");
  const clock = make("span", "rushes-clock", head);
  const subject = make("span", "rushes-subject", head);
  return {
    node: head,
    set(name, seconds, about) {
      head.dataset.state = name;
      setText(state, name);
      setText(clock, clockText(seconds));
      setText(subject, about);
      subject.title = about;
    },
  };
}

// Minutes, seconds and tenths.
export function clockText(seconds) {
  const tenths = Math.floor(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

// Rows of a name and a value; set takes [[name, value, tone]] and keeps the nodes.
export function makeFigures(parent, label) {
  const table = make("table", "rushes-figures", parent);
  table.setAttribute("aria-label", label);
  const body = make("tbody", "", table);
  return {
    node: table,
    set(rows) {
      while (body.children.length > rows.length) body.lastChild.remove();
      rows.forEach(([name, value, tone = ""], k) => {
        const line = body.children[k] || body.appendChild(make("tr", ""));
        if (!line.children.length) {
          make("th", "", line).scope = "row";
          make("td", "", line);
        }
        setText(line.children[0], name);
        setText(line.children[1], String(value));
        line.dataset.tone = tone;
      });
    },
  };
}

// The sentence below: what is so, what to do, what went wrong.
export function makeSaid(parent) {
  const node = make("div", "rushes-said", parent);
  node.setAttribute("role", "status");
  return {
    node,
    set(text, tone = "") {
      node.dataset.tone = tone;
      setText(node, text);
    },
  };
}
