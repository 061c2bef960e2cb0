// What is known of each frame of one source: its time, its segment and what a person did on it. Rows come in blocks and
// are kept for a stretch around the place that is looked at; until a block is there times are taken from the segments.
import { clamp } from "./parts.js";

const BLOCK = 256;
const MOST_BLOCKS = 48;
const ROWS_LATE_MS = 6000;

export function makeRows({ send, source, about, segments, arrived }) {
  const blocks = new Map(); // block number -> rows
  const asked = new Map(); // block number -> when
  const spans = segments.length
    ? segments.map(({ start, stop, t_start_ns, t_end_ns }) => ({ start, stop, from: t_start_ns / 1e9, to: t_end_ns / 1e9 }))
    : [{ start: 0, stop: about.frames, from: about.t0_ns / 1e9, to: about.t1_ns / 1e9 }];

  const row = (frame) => blocks.get(Math.floor(frame / BLOCK))?.[frame % BLOCK] ?? null;

  function spanOf(frame) {
    return spans.find((span) => frame < span.stop) ?? spans[spans.length - 1];
  }

  function time(frame) {
    const known = row(frame);
    if (known) return known.t;
    const span = spanOf(frame);
    return span.from + ((frame - span.start) * (span.to - span.from)) / Math.max(1, span.stop - span.start);
  }

  function ask(block) {
    if (block < 0 || block * BLOCK >= about.frames || blocks.has(block)) return;
    if (performance.now() - (asked.get(block) ?? -ROWS_LATE_MS) < ROWS_LATE_MS) return;
    asked.set(block, performance.now());
    send({ do: "rows", source, start: block * BLOCK, stop: Math.min(about.frames, (block + 1) * BLOCK) });
  }

  return {
    row, time, spans,
    // The frame that is shown at a time: the last one that began, never one of another segment.
    at(seconds) {
      let span = spans[0];
      for (const next of spans) if (next.from <= seconds) span = next;
      const share = (seconds - span.from) / Math.max(1e-9, span.to - span.from);
      const last = Math.max(span.start, span.stop - 1);
      let frame = clamp(Math.floor(span.start + share * (span.stop - span.start)), span.start, last);
      while (frame < last && time(frame + 1) <= seconds + 1e-6) frame += 1;
      while (frame > span.start && time(frame) > seconds + 1e-6) frame -= 1;
      return frame;
    },
    // Seconds of play around a clock that has left a segment: where it goes on, or null at the end.
    onward(seconds, direction) {
      if (direction > 0) {
        if (spans.some(({ from, to }) => from <= seconds && seconds < to)) return seconds;
        const next = spans.find(({ from }) => from > seconds);
        return next ? next.from : null;
      }
      if (spans.some(({ from, to }) => from <= seconds && seconds < to)) return seconds;
      const before = spans.filter(({ to }) => to <= seconds);
      return before.length ? before[before.length - 1].to - 1e-4 : null;
    },
    want(frame, direction = 1) {
      const block = Math.floor(frame / BLOCK);
      ask(block);
      const inside = frame % BLOCK;
      if (direction > 0 ? inside > BLOCK / 2 : inside < BLOCK / 2) ask(block + direction);
    },
    take({ start, rows: given }) {
      const block = Math.floor(start / BLOCK);
      if (start % BLOCK) return; // asked by another view
      blocks.set(block, given);
      asked.delete(block);
      while (blocks.size > MOST_BLOCKS) {
        let worst = block;
        for (const number of blocks.keys()) if (Math.abs(number - block) > Math.abs(worst - block)) worst = number;
        blocks.delete(worst);
      }
      arrived(source, start);
    },
    // The correction has changed: what was done on a frame is asked for again, what is shown stays until it comes.
    renew(frame) {
      const block = Math.floor(frame / BLOCK);
      for (const number of [...blocks.keys()]) if (number !== block) blocks.delete(number);
      asked.clear();
      const kept = blocks.get(block);
      blocks.delete(block);
      ask(block);
      if (kept) blocks.set(block, kept);
    },
  };
}
