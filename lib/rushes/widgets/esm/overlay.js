// Where the hands are drawn: beside the picture, over it, or nowhere. The pointer is always drawn on the picture.
import { fitCanvas, make } from "./parts.js";
import { drawHands, layHands, planHands } from "./hands.js";

export const PLACES = ["beside", "over", "off"];
const LEAST = 188;
const NOTE_LEAST = 250; // of samples, whose note is long
const EDGE = 10;
const ON_DARK = {
  ink: "#f3f6f9", muted: "#c0c9d2", faint: "#76828f", paper: "#20272f", shade: "#2a323b", rule: "#4a5662",
  held: "#f2a33a", good: "#7bd69a", warn: "#ffc04d", bad: "#ff8f88",
};

export function makeOverlay({ about, view, stages, theme }) {
  const groups = planHands(about);
  const panel = make("div", "rushes-hands", view);
  const canvas = make("canvas", "rushes-hands-sheet", panel);
  canvas.setAttribute("role", "img");
  let place = "beside";
  const least = about.samples ? NOTE_LEAST : LEAST;
  let layout = layHands(groups, least);
  let over = layout;
  let room = [least, 100];
  let row = null;
  let said = null;

  function drawOver(pen, box) {
    if (place === "off" || !row) return;
    if (row.pointer) drawPointer(pen, box, row);
    if (place !== "over") return;
    over = layHands(groups, Math.max(least, box.width - 4 * EDGE));
    // more than half of the picture is too much: the plate is drawn smaller then
    const shrink = Math.min(1, (0.55 * box.height) / (over.height + 2 * EDGE), (box.width - EDGE) / (over.width + 2 * EDGE));
    pen.save();
    pen.translate(box.left + EDGE / 2, box.top + box.height - EDGE / 2 - shrink * (over.height + 2 * EDGE));
    pen.scale(shrink, shrink);
    pen.fillStyle = "rgba(13, 17, 22, 0.72)";
    pen.beginPath();
    pen.roundRect(0, 0, over.width + 2 * EDGE, over.height + 2 * EDGE, 6);
    pen.fill();
    pen.translate(EDGE, EDGE);
    drawHands(pen, over, row, { ...ON_DARK, font: theme.colours.font });
    pen.restore();
  }

  function draw() {
    if (place === "beside") {
      const pen = fitCanvas(canvas, room[0], room[1]);
      drawHands(pen, layout, row, theme.colours);
    }
    stages[0].overlay(place === "over" || (place === "beside" && row?.pointer) ? drawOver : null);
    const words = row ? describe(row) : "";
    if (words !== said) canvas.setAttribute("aria-label", (said = words) || "nothing is done");
  }

  return {
    panel, least,
    get place() {
      return place;
    },
    set(next) {
      place = next;
      panel.hidden = place !== "beside";
    },
    // How high it is at a width, in CSS px.
    tall: (width) => layHands(groups, width).height,
    resize(width, height) {
      room = [Math.max(1, width), Math.max(1, height)];
      layout = layHands(groups, width, height);
      draw();
    },
    show(next) {
      if (next === row) return;
      row = next;
      draw();
    },
    draw,
  };
}

function drawPointer(pen, box, row) {
  const x = box.left + (row.pointer[0] + 0.5) * box.scale;
  const y = box.top + (row.pointer[1] + 0.5) * box.scale;
  const down = (row.down ?? []).some((name) => name.startsWith("Mouse"));
  for (const [colour, width] of [["rgba(0, 0, 0, 0.75)", 4], [down ? ON_DARK.held : "#ffffff", 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 2 * Math.PI);
    pen.moveTo(x - 13, y);
    pen.lineTo(x - 4, y);
    pen.moveTo(x + 4, y);
    pen.lineTo(x + 13, y);
    pen.moveTo(x, y - 13);
    pen.lineTo(x, y - 4);
    pen.moveTo(x, y + 4);
    pen.lineTo(x, y + 13);
    pen.stroke();
  }
}

function describe(row) {
  const parts = [];
  if (row.action) parts.push(`action ${row.action}`);
  if (row.down?.length) parts.push(`held: ${row.down.join(", ")}`);
  if (row.mouse) parts.push(`mouse ${row.mouse.join(", ")}`);
  if (row.reward) parts.push(`reward ${row.reward}`);
  if (row.score != null) parts.push(`score ${row.score}`);
  if (row.lives != null) parts.push(`lives ${row.lives}`);
  if (row.human != null) parts.push(`played by ${row.human ? "a person" : "a policy"}`);
  if (row.flags?.length) parts.push(row.flags.join(", "));
  if (row.note) parts.push(row.note);
  return parts.join("; ");
}
