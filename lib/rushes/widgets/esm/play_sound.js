// The game's sound: pieces are played one after another with a short queue. What comes before a gesture has let it
// begin is dropped, as is what would make the queue longer than it may be.
import { closeOutput, makePiece, openOutput, wakeOutput } from "./sound_piece.js";

const FIRST_S = 0.04; // begins so far ahead, so that a piece that comes late leaves no hole
const MOST_S = 0.12;

export function makeSound() {
  let output = null;
  let next = 0; // time of the context at which the queue ends
  let quiet = false;
  const figures = { pieces: 0, dropped: 0, holes: 0, queue_ms: 0 };

  function feed(rate, channels, view) {
    if (output?.context.state !== "running" || quiet) return;
    const now = output.context.currentTime;
    if (next < now) {
      if (next) figures.holes += 1;
      next = now + FIRST_S;
    }
    figures.queue_ms = Math.round((next - now) * 1000);
    if (next - now > MOST_S) {
      figures.dropped += 1;
      return;
    }
    const piece = makePiece(output, { rate, channels, view });
    if (!piece) return;
    piece.start(next);
    next += piece.buffer.duration;
    figures.pieces += 1;
  }

  return {
    figures,
    feed,
    // Call it from a gesture.
    wake() {
      output ??= openOutput();
      wakeOutput(output);
    },
    mute(yes) {
      quiet = yes;
      if (output) output.gain.gain.value = yes ? 0 : 1;
      next = 0;
    },
    close() {
      closeOutput(output);
      output = null;
    },
  };
}
