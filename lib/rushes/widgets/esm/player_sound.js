// The sound of the source, heard while it plays forward at its own speed. Pieces are asked for ahead of the play head and
// begin at their time on the sound card's clock; where that and the play head have parted, after a jump or a wait, all
// begin anew. It is silent until somebody turns it on, stream by stream.
import { closeOutput, makePiece, openOutput, wakeOutput } from "./sound_piece.js";

const PIECE_S = 1;
const PIECES_AHEAD = 3;
const LISTEN_MS = 100;
const APART_S = 0.08;
const PIECE_LATE_MS = 6000;
const PIECES_KEPT = 12;

// `heard` gives the play head in s, null while nothing is to be heard; `changed` is told the stream, "" for silence.
export function makePlayerSound({ about, send, heard, changed }) {
  const streams = about.sound ?? [];
  const source = about.sources[0];
  const figures = { stream: "", pieces: 0, anew: 0, apart_ms: 0 };
  let output = null;
  let stream = "";
  let anchor = null; // {at: s of the sound card, head: s of the source}
  let pieces = new Map(); // number -> {at: when it was asked for, view, rate}
  const begun = new Map(); // number -> what sounds or will

  function hush() {
    for (const piece of begun.values()) piece.stop();
    begun.clear();
    anchor = null;
  }

  function want(number) {
    const known = pieces.get(number);
    if (known?.view || performance.now() - (known?.at ?? -PIECE_LATE_MS) < PIECE_LATE_MS) return;
    const [from, to] = [number, number + 1].map((n) => Math.round(n * PIECE_S * 1e9));
    if (to <= source.t0_ns || from >= source.t1_ns) return;
    pieces.set(number, { at: performance.now(), view: null });
    send({ do: "sound", stream, from_ns: from, to_ns: to });
  }

  function begin(number, now) {
    const known = pieces.get(number);
    if (!known?.view || begun.has(number)) return;
    const at = anchor.at + number * PIECE_S - anchor.head;
    const late = Math.max(0, now - at);
    if (late >= PIECE_S) return;
    const piece = makePiece(output, known);
    if (!piece) return;
    piece.start(at + late, late);
    begun.set(number, piece);
    figures.pieces += 1;
  }

  function listen() {
    const head = stream && output?.context.state === "running" ? heard() : null;
    if (head === null) {
      if (anchor) hush();
      return;
    }
    const now = output.context.currentTime;
    const place = head + (output.context.outputLatency || 0); // what is begun now is heard so much later
    figures.apart_ms = anchor ? Math.round(1000 * (now - anchor.at - (place - anchor.head))) : 0;
    if (Math.abs(figures.apart_ms) > 1000 * APART_S) {
      hush();
      figures.anew += 1;
    }
    anchor ??= { at: now, head: place };
    const first = Math.floor(place / PIECE_S);
    for (let number = first; number < first + PIECES_AHEAD; number += 1) {
      want(number);
      begin(number, now);
    }
    for (const number of begun.keys()) if (number < first - 1) begun.delete(number);
    for (const number of pieces.keys()) if (Math.abs(number - first) > PIECES_KEPT) pieces.delete(number);
  }

  const timer = setInterval(listen, LISTEN_MS);
  return {
    figures, listen,
    // From a gesture: the next stream, and after the last one silence.
    next() {
      hush();
      pieces = new Map();
      stream = streams[streams.indexOf(stream) + 1] ?? "";
      figures.stream = stream;
      if (stream) output ??= openOutput();
      wakeOutput(output);
      changed(stream);
      listen();
    },
    take(message, view) {
      if (message.stream !== stream || !view) return;
      pieces.set(Math.round(message.from_ns / 1e9 / PIECE_S), { at: performance.now(), view, rate: message.rate });
      listen();
    },
    dispose() {
      clearInterval(timer);
      hush();
      closeOutput(output);
      output = null;
      stream = "";
    },
  };
}
