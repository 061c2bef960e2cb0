// The one canvas core of the family: a picture that keeps its shape, and a sheet over it to draw on. The picture stands
// on a canvas of its own size and the page enlarges it: by whole numbers of screen pixels and without smoothing where
// there is room for at least twice its size, smoothly else. So what stands on the canvas are always the source's pixels.
import { make } from "./parts.js";

export function makeStage(parent, { width, height, label }) {
  const node = make("div", "rushes-stage", parent);
  const canvas = make("canvas", "rushes-stage-picture", node);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const sheet = make("canvas", "rushes-stage-sheet", node);
  sheet.setAttribute("aria-hidden", "true");
  let pen = null;
  let shown = null; // ImageBitmap or canvas, kept by who gave it
  let draw = null;
  let isBlank = false;
  const box = { left: 0, top: 0, width, height, scale: 1, ratio: 1 }; // of the picture inside the node, CSS px
  const room = { width, height, fixed: false };

  function prepare(across, down) {
    if (canvas.width !== across || canvas.height !== down || !pen) {
      canvas.width = across;
      canvas.height = down;
      pen = canvas.getContext("2d", { alpha: false });
      place();
    }
  }

  function scaleFor(across, down) {
    const ratio = window.devicePixelRatio || 1;
    const most = Math.min((room.width * ratio) / across, (room.height * ratio) / down);
    const whole = Math.floor(most + 1e-6);
    const scale = most >= 2 ? whole : most >= 1 && most < 1.1 ? 1 : most;
    return { scale: scale / ratio, crisp: most >= 2 || scale === 1, ratio };
  }

  // Lay the picture into the room that there is; returns the size that it takes, in CSS px.
  function place() {
    const across = canvas.width || width;
    const down = canvas.height || height;
    const { scale, crisp, ratio } = scaleFor(across, down);
    box.width = across * scale;
    box.height = down * scale;
    box.scale = scale;
    box.ratio = ratio;
    const outer = room.fixed ? [room.width, room.height] : [box.width, box.height];
    box.left = Math.max(0, Math.round(((outer[0] - box.width) / 2) * ratio) / ratio);
    box.top = Math.max(0, Math.round(((outer[1] - box.height) / 2) * ratio) / ratio);
    Object.assign(node.style, { width: `${outer[0]}px`, height: `${outer[1]}px` });
    Object.assign(canvas.style, {
      left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px`,
      imageRendering: crisp ? "pixelated" : "auto",
    });
    const pixels = [Math.max(1, Math.round(outer[0] * ratio)), Math.max(1, Math.round(outer[1] * ratio))];
    if (sheet.width !== pixels[0] || sheet.height !== pixels[1]) [sheet.width, sheet.height] = pixels;
    Object.assign(sheet.style, { width: `${outer[0]}px`, height: `${outer[1]}px` });
    paint();
    return { width: outer[0], height: outer[1] };
  }

  function paint() {
    if (!draw && isBlank) return; // nothing to wipe off: the page has less to do
    isBlank = !draw;
    const over = sheet.getContext("2d");
    over.setTransform(1, 0, 0, 1, 0, 0);
    over.clearRect(0, 0, sheet.width, sheet.height);
    if (!draw) return;
    over.setTransform(box.ratio, 0, 0, box.ratio, 0, 0);
    draw(over, box);
  }

  prepare(width, height);
  return {
    node, canvas, box,
    // Show an ImageBitmap (or a canvas). It stays yours: close it when another one is shown.
    show(bitmap) {
      prepare(bitmap.width, bitmap.height);
      pen.drawImage(bitmap, 0, 0);
      shown = bitmap;
    },
    clear() {
      pen.fillStyle = "#000";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      shown = null;
    },
    // What to draw over the picture: drawFn(pen, box) in CSS px, or null for nothing.
    overlay(drawFn) {
      draw = drawFn;
      paint();
    },
    paint,
    // The room there is, in CSS px; with `fixed` the node takes all of it and the picture stands in the middle.
    resize(most, tallest, { fixed = false } = {}) {
      Object.assign(room, { width: Math.max(1, most), height: Math.max(1, tallest), fixed });
      return place();
    },
    // From a pointer event to a pixel of the picture.
    at(event) {
      const rect = canvas.getBoundingClientRect();
      return [
        Math.floor(((event.clientX - rect.left) * canvas.width) / rect.width),
        Math.floor(((event.clientY - rect.top) * canvas.height) / rect.height),
      ];
    },
    // The pixels that are shown, one to one: {width, height, data} with data RGBA, or null before the first picture.
    pixels() {
      if (!shown) return null;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return { width: canvas.width, height: canvas.height, data };
    },
  };
}
