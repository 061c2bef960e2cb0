// Drawing the timeline: the ruler, segments and marks, findings and facts, and a lane a stream. Times in ns.
import { timeWords } from "./parts.js";

export const RULER = 20;
export const STRIP = 24;
export const NOTES = 18;
const HEIGHTS = { holds: 16, wave: 36, line: 32, ticks: 16 };
const STEPS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 36000];

export function laneHeight(kind) {
  return HEIGHTS[kind] ?? 18;
}

// across: {left, width, from, to} -> x of a time, and back
export function xOf(across, ns) {
  return across.left + ((ns - across.from) / Math.max(1, across.to - across.from)) * across.width;
}

export function nsOf(across, x) {
  return across.from + ((x - across.left) / Math.max(1, across.width)) * (across.to - across.from);
}

export function drawRuler(pen, across, colours) {
  const span = (across.to - across.from) / 1e9;
  const step = STEPS_S.find((s) => (s / span) * across.width >= 78) ?? STEPS_S.at(-1);
  const small = step / 5;
  const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
  pen.font = `11px ${colours.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  const first = Math.ceil(across.from / 1e9 / small - 1e-9);
  const last = Math.floor(across.to / 1e9 / small + 1e-9);
  for (let k = first; k <= last && k - first < 4000; k += 1) {
    const x = Math.round(xOf(across, k * small * 1e9)) + 0.5;
    const large = k % 5 === 0;
    pen.strokeStyle = large ? colours.faint : colours.rule;
    pen.beginPath();
    pen.moveTo(x, large ? 4 : RULER - 5);
    pen.lineTo(x, RULER);
    pen.stroke();
    pen.fillStyle = colours.muted;
    const words = timeWords(k * small, digits);
    if (large && x + 4 + pen.measureText(words).width < across.left + across.width) pen.fillText(words, x + 4, 9);
  }
}

export function drawSegments(pen, across, top, segments, colours) {
  segments.forEach(({ t_start_ns, t_end_ns }, k) => {
    const a = Math.max(across.left, xOf(across, t_start_ns));
    const b = Math.min(across.left + across.width, xOf(across, t_end_ns));
    if (b < a) return;
    pen.fillStyle = colours.shade;
    pen.fillRect(a, top, Math.max(1, b - a - (k < segments.length - 1 ? 1 : 0)), STRIP - 3);
  });
}

// Marks of the same time share the height of the strip: each gets a row of as many as there are beside it.
export function stackMarks(marks) {
  let rows = []; // where each ends, of the marks that hang together
  return [...marks].sort((a, b) => a.from - b.from).map((mark) => {
    if (rows.every((end) => end <= mark.from)) rows = [];
    const free = rows.findIndex((end) => end <= mark.from);
    const row = free >= 0 ? free : rows.length;
    rows[row] = mark.to;
    return { ...mark, row, rows };
  });
}

// Where a stacked mark lies in a strip that begins at `top`: [its top, its height].
export function rowOf({ row, rows }, top) {
  const step = (STRIP - 2) / rows.length;
  return [top + row * step, step - 1];
}

// marks: stacked [{from, to, tone: "good"|"bad"|"accent", text, chosen}]
export function drawMarks(pen, across, top, marks, colours) {
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (const mark of marks) {
    const { from, to, tone, text, chosen } = mark;
    const [y, high] = rowOf(mark, top);
    const a = Math.max(across.left, xOf(across, from));
    const b = Math.min(across.left + across.width, xOf(across, to));
    if (b < across.left || a > across.left + across.width) continue;
    const wide = Math.max(3, b - a);
    pen.fillStyle = colours[tone];
    pen.globalAlpha = chosen ? 0.55 : 0.3;
    pen.fillRect(a, y, wide, high);
    pen.globalAlpha = 1;
    pen.fillRect(a, y, 2, high);
    pen.fillRect(a, y + high - (high > 12 ? 2 : 1), wide, high > 12 ? 2 : 1);
    if (wide > 34 && high >= 9) {
      pen.save();
      pen.beginPath();
      pen.rect(a, y, wide - 2, high);
      pen.clip();
      pen.font = `600 ${high > 12 ? 10.5 : 9}px ${colours.font}`;
      pen.fillStyle = colours.ink;
      pen.fillText(text, a + 6, y + (high > 12 ? high / 2 - 0.5 : high / 2));
      pen.restore();
    }
  }
}

export function drawNotes(pen, across, top, findings, facts, colours) {
  const middle = top + NOTES / 2;
  for (const { t_start_ns, t_end_ns } of facts) {
    const a = Math.max(across.left, xOf(across, t_start_ns));
    const b = Math.min(across.left + across.width, xOf(across, t_end_ns ?? t_start_ns));
    if (b < across.left || a > across.left + across.width) continue;
    pen.fillStyle = colours.accent;
    pen.globalAlpha = 0.35;
    pen.fillRect(a, middle + 4, Math.max(3, b - a), 3);
    pen.globalAlpha = 1;
  }
  for (const { severity, t_ns, t_end_ns } of findings) {
    if (t_ns === null || t_ns === undefined) continue;
    const x = xOf(across, t_ns);
    const end = xOf(across, t_end_ns ?? t_ns);
    if (end < across.left || x > across.left + across.width) continue;
    pen.fillStyle = findingColour(severity, colours);
    pen.globalAlpha = 0.3;
    if (end - x > 2) pen.fillRect(Math.max(x, across.left), middle - 3, Math.min(end, across.left + across.width) - Math.max(x, across.left), 6);
    pen.globalAlpha = 1;
    if (x < across.left - 1) continue;
    pen.beginPath();
    pen.moveTo(x, middle + 5);
    pen.lineTo(x - 5, middle - 4);
    pen.lineTo(x + 5, middle - 4);
    pen.fill();
  }
}

export function findingColour(severity, colours) {
  const word = String(severity).toLowerCase();
  if (/fail|error|bad/.test(word)) return colours.bad;
  return /warn/.test(word) ? colours.warn : colours.accent;
}

// One lane as the kernel summed it up for the stretch `given` {from, to, px}, drawn into the stretch that is looked at.
export function drawLane(pen, across, top, lane, given, colours) {
  const height = laneHeight(lane.kind);
  const column = (k) => xOf(across, given.from + (k / given.px) * (given.to - given.from));
  const right = across.left + across.width;
  pen.save();
  pen.beginPath();
  pen.rect(across.left, top, across.width, height);
  pen.clip();
  if (lane.kind === "holds") {
    pen.fillStyle = colours.held;
    for (const [a, b] of lane.spans) {
      const x = xOf(across, a);
      const end = xOf(across, b);
      if (end < across.left || x > right) continue;
      pen.fillRect(x, top + 4, Math.max(1.5, end - x), height - 8);
    }
  } else if (lane.kind === "ticks") {
    pen.fillStyle = colours.accent;
    for (const t of lane.t) pen.fillRect(xOf(across, t) - 0.5, top + 3, 1.5, height - 6);
  } else if (lane.kind === "wave") {
    const largest = lane.high.reduce((most, v, k) => Math.max(most, Math.abs(v ?? 0), Math.abs(lane.low[k] ?? 0)), 1e-6);
    const scale = (height / 2 - 2) / largest;
    pen.fillStyle = colours.wave;
    for (let k = 0; k < lane.high.length; k += 1) {
      if (lane.high[k] === null) continue;
      const x = column(k);
      if (x < across.left - 4 || x > right + 4) continue;
      const y = top + height / 2 - lane.high[k] * scale;
      pen.fillRect(x, y, Math.max(1, column(k + 1) - x), Math.max(1, (lane.high[k] - lane.low[k]) * scale));
    }
    if (largest > 1e-6) drawReach(pen, `\u00b1${digits(largest)}`, right, top, colours);
  } else if (lane.kind === "line") {
    drawLine(pen, top, height, lane.values, column, right, colours);
  }
  pen.restore();
}

const digits = (value) => String(Number(value.toPrecision(3)));

// How far a curve goes, small in the corner of its lane.
function drawReach(pen, words, right, top, colours) {
  pen.font = `10px ${colours.font}`;
  const wide = pen.measureText(words).width + 6;
  pen.fillStyle = colours.paper;
  pen.globalAlpha = 0.75;
  pen.fillRect(right - wide, top + 1, wide, 12);
  pen.globalAlpha = 1;
  pen.fillStyle = colours.muted;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillText(words, right - 3, top + 7.5);
}

function drawLine(pen, top, height, values, column, right, colours) {
  const known = values.filter((v) => v !== null && v !== undefined);
  if (!known.length) return;
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const y = (v) => top + height - 4 - ((v - low) / (high - low || 1)) * (height - 8);
  pen.strokeStyle = colours.rule;
  pen.beginPath();
  pen.moveTo(column(0), Math.round(y(0)) + 0.5);
  pen.lineTo(column(values.length), Math.round(y(0)) + 0.5);
  pen.stroke();
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 1.25;
  pen.beginPath();
  let open = false;
  values.forEach((v, k) => {
    if (v === null || v === undefined) open = false;
    else if (open) pen.lineTo(column(k + 0.5), y(v));
    else {
      pen.moveTo(column(k + 0.5), y(v));
      pen.lineTo(column(k + 0.5) + 1, y(v)); // a single value is seen too
      open = true;
    }
  });
  pen.stroke();
  pen.lineWidth = 1;
  if (low < high) drawReach(pen, low < 0 ? `${digits(low)} to ${digits(high)}` : digits(high), right, top, colours);
}
