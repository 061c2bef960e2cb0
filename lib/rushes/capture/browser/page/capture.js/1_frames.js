/* capture.js: records what a page draws into a canvas, what its player does, and what the page tells of itself.

One line, before the page's own scripts:

    <script src="http://127.0.0.1:8000/capture.js?token=TOKEN" data-canvas="#game" data-game="Name" data-autostart></script>

It wraps requestAnimationFrame: all callbacks of a frame run, then the canvas is read in that same frame, while what was
drawn is still in it. A tick is due every 1 / rate seconds from the start of the play on; each is taken in the animation
frame nearest to it and carries its own time. A copy of the canvas is handed to a worker, which averages it by
area: on the graphics card, before it is read back, or on the processor where that draws too. Where a page's policy forbids
workers its own thread does that.
Everything goes out in the order of its times, ten times a second or more.

    rushesCapture.start({player, attrs})   joins the recorder; a Promise of {rate_hz, size}
    rushesCapture.onframe = () => fields   telemetry of each captured frame
    rushesCapture.telemetry(fields)        any other row
    rushesCapture.pause(), .resume()       closes a segment, begins the next one
    rushesCapture.end(reason)              a Promise of {name, frames, download}
    rushesCapture.state, .onstate          idle, joining, recording, paused, hidden, ended, lost
    rushesCapture.figures                  {captured, dropped, costs_ms}: what the page's thread spent on each frame

The server joins the parts of this folder, in the order of their names, into one script with a scope of its own.
*/

const SCRIPT = document.currentScript;
const HOME = new URL(SCRIPT.src);

/* ---- animation frames: all of the page's callbacks, then ours ---- */

const nativeRequest = window.requestAnimationFrame.bind(window);
const frames = { waiting: new Map(), running: new Map(), number: 0, armed: false, after: null };

function runFrame(time) {
  frames.armed = false;
  frames.running = frames.waiting;
  frames.waiting = new Map();
  for (const [id, callback] of frames.running) {
    frames.running.delete(id);
    try {
      callback(time);
    } catch (error) {
      reportError(error);
    }
  }
  if (frames.after) {
    frames.after();
    arm();
  }
}

function arm() {
  if (!frames.armed) {
    frames.armed = true;
    nativeRequest(runFrame);
  }
}

window.requestAnimationFrame = (callback) => {
  frames.waiting.set(++frames.number, callback);
  arm();
  return frames.number;
};
window.cancelAnimationFrame = (id) => {
  frames.waiting.delete(id);
  frames.running.delete(id);
};
