// Keys drawn where they lie on a keyboard (or a pad's buttons as a list), with only the rows and columns that are used.

const LINES = [
  "Escape F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12",
  "Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace",
  "Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash",
  "CapsLock KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Enter",
  "ShiftLeft KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight",
  "ControlLeft MetaLeft AltLeft Space AltRight MetaRight ControlRight",
].map((line) => line.split(" "));
const ARROWS = { ArrowUp: [16, 4], ArrowLeft: [15, 5], ArrowDown: [16, 5], ArrowRight: [17, 5] };
const STICK = { UP: [16, 4], LEFT: [15, 5], DOWN: [16, 5], RIGHT: [17, 5], FIRE: [18, 5] };
const SHORT = {
  ArrowUp: "\u2191", ArrowDown: "\u2193", ArrowLeft: "\u2190", ArrowRight: "\u2192", UP: "\u2191", DOWN: "\u2193",
  LEFT: "\u2190", RIGHT: "\u2192", FIRE: "fire", Escape: "esc", CapsLock: "caps", Backspace: "bksp", Backquote: "`",
  Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Semicolon: ";", Quote: "'",
  Comma: ",", Period: ".", Slash: "/", LEFT_SHOULDER: "L shoulder", RIGHT_SHOULDER: "R shoulder",
  LEFT_TRIGGER: "L trigger", RIGHT_TRIGGER: "R trigger", ControlLeft: "ctrl", ControlRight: "ctrl", LEFT_THUMB: "L thumb", RIGHT_THUMB: "R thumb",
};
const CELL = [30, 25];
const MOST_COLUMNS = 8;
const SMALLEST = 20;
const CHIP = [89, 20];

function placeOf(name) {
  const own = name.split("/").pop();
  if (name.includes("/") && STICK[own]) return STICK[own];
  if (ARROWS[name]) return ARROWS[name];
  for (let line = 0; line < LINES.length; line += 1) {
    const column = LINES[line].indexOf(name);
    if (column >= 0) return [column, line];
  }
  return null;
}

export function shortName(name) {
  const own = name.split("/").pop();
  if (SHORT[own]) return SHORT[own];
  return own.replace(/^(Key|Digit)/, "").replace(/(Left|Right)$/, "").replaceAll("_", " ").replace(/^(\w{2,})$/, (word) => word.toLowerCase());
}

// {kind: "keys", cells: [{name, text, x, y, width, height}], list, width, height}
export function planKeys(names) {
  const known = names.map((name) => [name, placeOf(name)]).filter(([, place]) => place);
  const others = names.filter((name) => !placeOf(name));
  const columns = [...new Set(known.map(([, place]) => place[0]))].sort((a, b) => a - b);
  const lines = [...new Set(known.map(([, place]) => place[1]))].sort((a, b) => a - b);
  const cells = [];
  const step = columns.length > MOST_COLUMNS ? Math.floor(186 / columns.length) : CELL[0];
  if (columns.length && step < SMALLEST - 4) {
    // a whole keyboard: what is down is written in slots
    return { kind: "keys", cells: [], list: 8, width: 184, height: 4 * (CHIP[1] + 4) };
  }
  for (const [name, [column, line]] of known) {
    cells.push({
      name, text: shortName(name), x: columns.indexOf(column) * step, y: lines.indexOf(line) * CELL[1],
      width: step - 3, height: CELL[1] - 3,
    });
  }
  const below = lines.length * CELL[1] + (lines.length && others.length ? 6 : 0);
  others.slice(0, 24).forEach((name, k) => {
    cells.push({
      name, text: shortName(name), x: (k % 2) * (CHIP[0] + 4), y: below + Math.floor(k / 2) * (CHIP[1] + 3),
      width: CHIP[0], height: CHIP[1],
    });
  });
  const width = Math.max(...cells.map((cell) => cell.x + cell.width));
  const height = Math.max(...cells.map((cell) => cell.y + cell.height)) + 1;
  return { kind: "keys", cells, list: 0, width, height };
}

export function drawKeys(pen, group, row, colours) {
  const down = new Set(row.down ?? []);
  const pressed = new Set(row.pressed ?? []);
  const cells = group.list
    ? [...down].filter((name) => !name.startsWith("Mouse")).slice(0, group.list).map((name, k) => ({
        name, text: shortName(name), x: (k % 2) * (CHIP[0] + 4), y: Math.floor(k / 2) * (CHIP[1] + 4),
        width: CHIP[0], height: CHIP[1],
      }))
    : group.cells;
  pen.textAlign = "center";
  for (const { name, text, x, y, width, height } of cells) {
    const held = down.has(name);
    pen.beginPath();
    pen.roundRect(x + 0.5, y + 0.5, width, height, 4);
    pen.fillStyle = held ? colours.held : colours.shade;
    pen.fill();
    pen.strokeStyle = held ? colours.held : colours.rule;
    pen.stroke();
    if (pressed.has(name)) {
      pen.fillStyle = held ? "#1b1300" : colours.held; // a bar under the name: it went down in this frame
      pen.fillRect(x + 6.5, y + height - 3.5, width - 12, 2);
    }
    pen.fillStyle = held ? "#1b1300" : colours.muted;
    const size = text.length === 1 ? 12 : width < 24 ? 8 : width < 40 ? 9.5 : 11;
    pen.font = `${held ? 600 : 500} ${size}px ${colours.font}`;
    pen.fillText(text, x + width / 2 + 0.5, y + height / 2 + 1, width - 3);
  }
}
