// What a person does, drawn: keys where they lie on a keyboard, the mouse and how far it moved, sticks, and the numbers
// of an environment. A plan is made once from the names, so what is drawn keeps its place from frame to frame.
import { drawKeys, planKeys } from "./board.js";

const GAP = 14;
const TEXT_WIDTH = 184;
const NOTE = { least: 220, most: 460, letters: 1000, line: 17 }; // of a labelled sample: px, and px of most of them in one line

function planText(about) {
  const lines = about.environment ? ["action", "reward", "score", "lives", "played by"] : [];
  return { kind: "text", lines, isNote: Boolean(about.samples), width: TEXT_WIDTH, height: lines.length * 19 + 36 };
}

// A note is as wide as there is room beside the others, else on lines of its own, and as high as it needs at that width.
function fitNote(group, left, most) {
  const width = Math.min(NOTE.most, left >= NOTE.least ? left : most);
  return { ...group, width, height: Math.ceil(NOTE.letters / width) * NOTE.line + 4 };
}

function planAxes(names, reach) {
  const pairs = [];
  const bars = [];
  for (const name of names) {
    const stem = name.replace(/_?[XY]$/, "");
    const other = `${name.slice(0, -1)}${name.endsWith("X") ? "Y" : "X"}`;
    if (/[XY]$/.test(name) && names.includes(other)) {
      if (name.endsWith("X")) pairs.push({ kind: "stick", name: stem, x: name, y: other, width: 70, height: 84 });
    } else bars.push(name);
  }
  if (bars.length) pairs.push({ kind: "bars", names: bars.slice(0, 8), reach, width: TEXT_WIDTH, height: Math.min(8, bars.length) * 17 + 2 });
  return pairs;
}

export function planHands(about) {
  const names = about.controls ?? [];
  const mouse = about.mouse || about.wheel || names.some((name) => name.startsWith("Mouse"));
  const keys = names.filter((name) => !name.startsWith("Mouse"));
  const groups = [];
  if (keys.length) groups.push(planKeys(keys));
  if (mouse) groups.push({ kind: "mouse", width: 150, height: 76 });
  groups.push(...planAxes(about.axes ?? [], about.reach ?? {}), planText(about));
  return groups;
}

// Place the groups in rows no wider than `most`: {width, height, places: [[group, x, y]]}. A note has the height `tall`
// to itself where that is more.
export function layHands(groups, most, tall = 0) {
  const places = [];
  let [x, y, high, wide] = [0, 0, 0, 0];
  for (const planned of groups) {
    const group = planned.isNote ? fitNote(planned, most - x, most) : planned;
    if (x && x + group.width > most) [x, y, high] = [0, y + high + GAP, 0];
    if (group.isNote) group.height = Math.max(group.height, tall - y);
    places.push([group, x, y]);
    x += group.width + GAP;
    high = Math.max(high, group.height);
    wide = Math.max(wide, x - GAP);
  }
  return { width: wide, height: y + high, places };
}

export function drawHands(pen, layout, row, colours) {
  const shown = row ?? { down: [], pressed: [], axes: {}, flags: [] };
  pen.textBaseline = "middle";
  pen.lineWidth = 1;
  for (const [group, x, y] of layout.places) {
    pen.save();
    pen.translate(x, y);
    if (group.kind === "keys") drawKeys(pen, group, shown, colours);
    if (group.kind === "mouse") drawMouse(pen, shown, colours);
    if (group.kind === "stick") drawStick(pen, group, shown, colours);
    if (group.kind === "bars") drawBars(pen, group, shown, colours);
    if (group.kind === "text") drawText(pen, group, row, colours);
    pen.restore();
  }
}

function drawMouse(pen, row, colours) {
  const down = new Set(row.down ?? []);
  const body = new Path2D();
  body.roundRect(0.5, 0.5, 47, 71, 22);
  pen.save();
  pen.clip(body);
  pen.fillStyle = colours.shade;
  pen.fillRect(0, 0, 48, 72);
  pen.fillStyle = colours.held;
  if (down.has("MouseLeft")) pen.fillRect(0, 0, 24, 30);
  if (down.has("MouseRight")) pen.fillRect(24, 0, 24, 30);
  if (down.has("MouseX1")) pen.fillRect(0, 34, 9, 12);
  if (down.has("MouseX2")) pen.fillRect(0, 48, 9, 12);
  pen.restore();
  pen.strokeStyle = colours.faint;
  pen.stroke(body);
  pen.beginPath();
  pen.moveTo(0, 30.5);
  pen.lineTo(48, 30.5);
  pen.moveTo(24, 0);
  pen.lineTo(24, 30);
  pen.stroke();
  pen.fillStyle = down.has("MouseMiddle") || row.wheel ? colours.held : colours.paper;
  pen.beginPath();
  pen.roundRect(20, 8, 8, 15, 4);
  pen.fill();
  pen.stroke();
  if (row.wheel) {
    pen.fillStyle = colours.ink;
    pen.font = `600 11px ${colours.font}`;
    pen.textAlign = "center";
    pen.fillText(`${row.wheel > 0 ? "\u2191" : "\u2193"}${Math.abs(row.wheel)}`, 24, 48);
  }
  const [dx, dy] = row.mouse ?? [0, 0];
  drawDish(pen, 110, 30, 30, colours);
  const far = Math.hypot(dx, dy);
  if (far > 0) {
    const long = 28 * Math.min(1, Math.log1p(far) / Math.log1p(200)); // 200 counts in a frame reach the rim
    const end = [110 + (dx / far) * long, 30 + (dy / far) * long];
    pen.strokeStyle = colours.held;
    pen.lineWidth = 2.5;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(110, 30);
    pen.lineTo(end[0], end[1]);
    pen.stroke();
    drawDot(pen, end[0], end[1], 3.5, colours.held);
  }
  pen.fillStyle = colours.muted;
  pen.font = `11px ${colours.font}`;
  pen.textAlign = "center";
  pen.fillText(`${signed(dx)}, ${signed(dy)}`, 110, 69);
}

function drawDish(pen, x, y, radius, colours) {
  pen.beginPath();
  pen.arc(x, y, radius - 0.5, 0, 2 * Math.PI);
  pen.fillStyle = colours.shade;
  pen.fill();
  pen.strokeStyle = colours.faint;
  pen.stroke();
  pen.strokeStyle = colours.rule;
  pen.beginPath();
  pen.moveTo(x - radius + 4, y + 0.5);
  pen.lineTo(x + radius - 4, y + 0.5);
  pen.moveTo(x + 0.5, y - radius + 4);
  pen.lineTo(x + 0.5, y + radius - 4);
  pen.stroke();
}

function drawDot(pen, x, y, radius, colour) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
}

function drawStick(pen, group, row, colours) {
  const x = row.axes?.[group.x] ?? 0;
  const y = row.axes?.[group.y] ?? 0;
  drawDish(pen, 34, 32, 32, colours);
  drawDot(pen, 34 + 24 * x, 32 + 24 * y, 7, Math.hypot(x, y) > 0.08 ? colours.held : colours.faint);
  pen.fillStyle = colours.muted;
  pen.font = `11px ${colours.font}`;
  pen.textAlign = "center";
  pen.fillText(group.name.replace(/^J_/, "").replaceAll("_", " ").toLowerCase(), 34, 77);
}

function drawBars(pen, group, row, colours) {
  pen.font = `11px ${colours.font}`;
  group.names.forEach((name, k) => {
    const value = Math.max(-1, Math.min(1, (row.axes?.[name] ?? 0) / (group.reach[name] ?? 1)));
    const y = k * 17;
    pen.textAlign = "left";
    pen.fillStyle = colours.muted;
    pen.fillText(name.replaceAll("_", " ").toLowerCase(), 0, y + 8, 82);
    pen.fillStyle = colours.shade;
    pen.fillRect(88, y + 3, 96, 10);
    pen.fillStyle = colours.held;
    pen.fillRect(136 + Math.min(0, value) * 48, y + 3, Math.abs(value) * 48, 10);
    pen.fillStyle = colours.faint;
    pen.fillRect(136, y + 1, 1, 14);
  });
}

function drawText(pen, group, row, colours) {
  const human = row?.human;
  const values = {
    action: row?.action ?? "\u2013",
    reward: row?.reward == null ? "\u2013" : signed(row.reward),
    score: row?.score ?? "\u2013",
    lives: row?.lives ?? "\u2013",
    "played by": human === true ? "a person" : human === false ? "a policy" : "\u2013",
  };
  group.lines.forEach((name, k) => {
    const y = k * 19 + 9;
    pen.textAlign = "left";
    pen.font = `12px ${colours.font}`;
    pen.fillStyle = colours.muted;
    pen.fillText(name, 0, y);
    pen.font = `600 13px ${colours.font}`;
    const reward = name === "reward" && row?.reward;
    pen.fillStyle = reward ? (row.reward > 0 ? colours.good : colours.bad) : colours.ink;
    pen.fillText(String(values[name]), 70, y, group.width - 70);
  });
  const y = group.lines.length * 19 + 11;
  const flags = row?.flags ?? [];
  let x = 0;
  pen.font = `11px ${colours.font}`;
  for (const flag of flags) {
    const wide = pen.measureText(flag).width + 12;
    pen.strokeStyle = pen.fillStyle = colours.warn;
    pen.beginPath();
    pen.roundRect(x + 0.5, y - 8.5, wide, 17, 4);
    pen.stroke();
    pen.fillText(flag, x + 6.5, y + 0.5);
    x += wide + 6;
  }
  pen.fillStyle = colours.ink;
  if (group.isNote) pen.font = `12px ${colours.font}`;
  const step = group.isNote ? NOTE.line : 14;
  const first = y + (flags.length ? 18 : 0);
  const room = Math.max(1, Math.floor((group.height - first + 8) / step));
  breakWords(pen, row?.note ?? "", group.width, room).forEach((line, k) => pen.fillText(line, 0, first + k * step, group.width));
}

// Break a text into lines of a width; a word that is longer is broken within, and what has no room ends in "...".
function breakWords(pen, text, width, most) {
  const lines = [];
  const fits = (words) => pen.measureText(words).width <= width;
  for (const word of text.replaceAll(" \u00b7", "\u00a0\u00b7").split(" ")) {
    const last = lines.length - 1;
    if (last >= 0 && fits(`${lines[last]} ${word}`)) lines[last] += ` ${word}`;
    else lines.push(word);
    while (!fits(lines.at(-1)) && lines.at(-1).length > 1) {
      const long = lines.pop();
      let cut = long.length - 1;
      while (cut > 1 && !fits(long.slice(0, cut))) cut -= 1;
      lines.push(long.slice(0, cut), long.slice(cut));
    }
  }
  if (lines.length <= most) return lines;
  let end = `${lines[most - 1]}\u2026`;
  while (end.length > 1 && !fits(end)) end = `${end.slice(0, -2)}\u2026`;
  return [...lines.slice(0, most - 1), end];
}

function signed(value) {
  const rounded = Math.round(value * 100) / 100;
  return rounded > 0 ? `+${rounded}` : String(rounded).replace("-", "\u2212");
}
