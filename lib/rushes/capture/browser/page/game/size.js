// How many pixels the canvas gets: those of the window, up to a limit, and fewer where the processor draws.
//
//   const size = new Size(canvas, 0);                      // or the most px of the longer side, which is kept then
//   size.fit();                                            // whenever the window may have changed
//   await size.settle(() => renderer.draw(sim));           // before a game begins: once a page

import { isSoftware } from "./renderer.js";

const WIDEST = 1600;
const SOFTWARE = [640, 560, 480, 400, 320]; // px of the longer side where the processor draws, tried in this order
const FRAMES = 24; // by which it is judged whether a size is drawn fast enough
const DRAWN = 5; // times in each of them
const FAST_MS = 18.3; // between two of them: a screen of 60 Hz, and a tenth

/** Wait for an animation frame; `draw` is called inside of it. */
export function nextFrame(draw = () => {}) {
  return new Promise((resolve) =>
    window.requestAnimationFrame((t) => {
      draw();
      resolve(t);
    }),
  );
}

export class Size {
  constructor(canvas, asked) {
    this.canvas = canvas;
    this.left = asked || !isSoftware() ? [] : SOFTWARE.slice();
    this.widest = asked || this.left.shift() || WIDEST;
  }

  fit() {
    const { canvas, widest } = this;
    const { clientWidth, clientHeight } = canvas;
    const scale = Math.min(window.devicePixelRatio || 1, widest / Math.max(clientWidth, clientHeight, 1));
    const [width, height] = [clientWidth, clientHeight].map((px) => Math.max(16, Math.round(px * scale)));
    if (canvas.width === width && canvas.height === height) return;
    canvas.width = width;
    canvas.height = height;
  }

  /** Take fewer pixels until most of each frame is left to others: what is judged is frames that are drawn several times. */
  async settle(draw) {
    while (this.left.length && !document.hidden) {
      this.fit();
      const times = [];
      const often = () => Array.from({ length: DRAWN }, draw);
      while (times.length <= FRAMES) times.push(await nextFrame(often));
      const passed = times.slice(1).map((t, k) => t - times[k]);
      if (passed.sort((a, b) => a - b)[FRAMES / 2] < FAST_MS) this.left = [];
      else this.widest = this.left.shift();
    }
    this.fit();
  }
}
