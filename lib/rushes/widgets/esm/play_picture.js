// The game's picture: encoded ones come in, and one is drawn each animation frame. Pictures come in bursts: a Jupyter
// server leaves its socket as it is made (Nagle's algorithm), so whatever the page says, a key too, holds up what comes to
// it for the 40 ms of a delayed acknowledgement. So a few may wait for their turn, and no burst is skipped; one that
// was not needed for a second is left out, so that the play is seen as early as the line allows. A page that does not
// keep up skips the oldest. What is skipped is counted.
import { make } from "./parts.js";
import { makeStage } from "./stage.js";

const IDLE = { width: 640, height: 480 };
const AT_ONCE = 4; // decodings under way
const QUEUE = 4; // pictures that may wait for their turn
const SPARE_FRAMES = 60; // one that always stood in line for so long is one too many
const LOW_PX = 280;
const HIGH_PX = 640;
const SHARE = 0.72; // of the window's height, so that the buttons stay in sight

// Figures: received (pictures that came), shown (drawn), skipped (decoded or not, never drawn), per_s (drawn in the
// last second). `told(message)` is called with the message of the picture that is drawn.
export function makePicture(parent, told) {
  const room = make("div", "rushes-play-room", parent);
  const stage = makeStage(room, { ...IDLE, label: "picture of the game" });
  const veil = make("div", "rushes-play-veil", room);
  room.dataset.empty = "true"; // a black box says less than the words over it
  const figures = { received: 0, shown: 0, skipped: 0, per_s: 0 };
  const waiting = []; // [message, bytes] that came while others are decoded
  const decoding = []; // { message, bitmap } in the order in which they came; no bitmap yet: undefined
  const ready = []; // the same, decoded
  let kept = null; // the bitmap that is shown
  let asked = 0;
  let size = null;
  let scale = "fit";
  let times = [];
  let spare = [0, Infinity]; // pictures drawn, and the fewest that stood in line behind one of them
  let closed = false;

  function receive(message, view) {
    figures.received += 1;
    waiting.push([message, view]);
    if (waiting.length > QUEUE) {
      waiting.shift();
      figures.skipped += 1;
    }
    decode();
  }

  // Decoding takes its time but not the page's, so a few are under way at once.
  function decode() {
    while (waiting.length && decoding.length < AT_ONCE && !closed) {
      const [message, view] = waiting.shift();
      const one = { message, bitmap: undefined };
      decoding.push(one);
      createImageBitmap(new Blob([view], { type: `image/${message.type}` }))
        .catch(() => null)
        .then((bitmap) => {
          one.bitmap = bitmap;
          line();
        });
    }
  }

  // Let those that are decoded stand in line, in the order in which they came.
  function line() {
    while (decoding.length && decoding[0].bitmap !== undefined) {
      const one = decoding.shift();
      if (one.bitmap) ready.push(one);
      else figures.skipped += 1; // a picture that cannot be read is one that is not shown
    }
    while (ready.length > (closed ? 0 : QUEUE)) leaveOut();
    if (ready.length && !asked) asked = requestAnimationFrame(draw);
    decode();
  }

  function leaveOut() {
    ready.shift().bitmap.close();
    figures.skipped += 1;
  }

  function draw(now) {
    asked = 0;
    if (!ready.length || closed) return;
    spare = [spare[0] + 1, Math.min(spare[1], ready.length - 1)];
    if (spare[0] === SPARE_FRAMES) {
      if (spare[1] > 0) leaveOut();
      spare = [0, Infinity];
    }
    const { message, bitmap } = ready.shift();
    if (ready.length) asked = requestAnimationFrame(draw);
    if (!size || size[0] !== bitmap.width || size[1] !== bitmap.height) {
      size = [bitmap.width, bitmap.height];
      fit();
    }
    stage.show(bitmap);
    room.dataset.empty = "false";
    if (kept) kept.close();
    kept = bitmap;
    figures.shown += 1;
    times.push(now);
    while (times.length && times[0] < now - 1000) times.shift();
    figures.per_s = times.length;
    told(message);
  }

  // The room keeps its height for as long as the page's width and the choice of the size are what they are.
  function fit() {
    const across = room.clientWidth || IDLE.width;
    const most = scale === "fit" ? null : Number(scale);
    if (most && size) stage.resize(Math.min(across, size[0] * most), size[1] * most);
    else {
      const tall = Math.min(HIGH_PX, (across * IDLE.height) / IDLE.width, window.innerHeight * SHARE);
      stage.resize(across, Math.max(LOW_PX, tall), { fixed: true });
    }
  }

  const watcher = new ResizeObserver(fit);
  watcher.observe(room);
  return {
    node: room,
    canvas: stage.canvas,
    figures,
    receive,
    pixels: () => stage.pixels(),
    scale(next) {
      scale = next;
      fit();
    },
    // Words over the picture; "" takes them away.
    veil(text, hint = "") {
      const whole = `${text}\n${hint}`;
      if (veil.dataset.text === whole) return;
      veil.dataset.text = whole;
      veil.hidden = !text;
      veil.replaceChildren();
      if (text) make("b", "", veil, text);
      if (hint) make("span", "", veil, hint);
    },
    close() {
      closed = true;
      watcher.disconnect();
      cancelAnimationFrame(asked);
      line();
    },
  };
}
