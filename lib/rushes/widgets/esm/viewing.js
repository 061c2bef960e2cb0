// What is looked at: the frame, whether it plays, and that the pictures and rows of it are there. At rest the picture
// is the source's own pixels; a second source follows by the pairs that the kernel knows, and by time while it plays.
import { clamp } from "./parts.js";
import { makeReel, makeTickets } from "./reel.js";
import { makeRows } from "./rows.js";
import { makeTransport } from "./transport.js";

const REST_MS = 70; // a frame stands when it has not changed for so long
const TELL_PLAYING_MS = 250;
const LOOK_AGAIN_MS = 1000;
const MOST_SPEED = 16;

export function makeViewing({ model, send, about, stages, changed }) {
  const figures = { shown: 0, skipped: 0, seek_ms: [], exact_ms: [] };
  const frames = about.sources[0].frames;
  const state = { frame: clamp(model.get("frame") ?? 0, 0, frames - 1), playing: false, speed: 1, direction: 1 };
  state.speed = Math.abs(model.get("speed")) || 1;
  const tickets = makeTickets();
  const reels = about.sources.map((source, k) => makeReel({ send, source: k, about: source, tickets, arrived }));
  const rows = about.sources.map((source, k) =>
    makeRows({ send, source: k, about: source, segments: k ? [] : about.segments, arrived: () => changed("rows") }));
  const shown = about.sources.map(() => null); // entries of the reels
  let pair = { frame: state.frame, other: 0, sure: false, byNumber: false };
  let seek = null; // {number, at, exact}
  let rest = 0;
  let told = state.frame;
  let tellAt = 0;
  let scrubbing = false;
  const transport = makeTransport({ reel: reels[0], rows: rows[0], about: about.sources[0], figures, state, show: played, ended });
  const again = setInterval(() => !state.playing && settle(), LOOK_AGAIN_MS);

  function put(source, entry) {
    if (shown[source] === entry) return false;
    stages[source].show(entry.bitmap);
    reels[source].pin(entry);
    shown[source] = entry;
    return true;
  }

  // A picture that cannot be had: none is shown rather than another one.
  function blank(source) {
    stages[source].clear();
    reels[source].pin(null);
    shown[source] = null;
    changed("picture");
  }

  function other(frame, seconds = rows[0].time(frame)) {
    const last = about.sources[1].frames - 1;
    if (pair.sure && pair.frame === frame) return pair.other;
    if (pair.byNumber) return clamp(frame + pair.other - pair.frame, 0, last);
    const from = pair.sure ? rows[1].time(pair.other) - rows[0].time(pair.frame) : 0;
    return clamp(rows[1].at(seconds + from), 0, last);
  }

  // A picture has come: show it if it is the one that is looked at.
  function arrived(source, number) {
    if (state.playing) return;
    if (source === 0 && scrubbing && number !== state.frame && shown[0]?.number !== state.frame) put(0, reels[0].get(number));
    if (number === wanted(source)) settle();
  }

  const wanted = (source) => (source ? other(state.frame) : state.frame);

  function settle() {
    if (state.playing) return;
    const now = performance.now();
    reels.forEach((reel, source) => {
      const number = wanted(source);
      const entry = reel.get(number);
      if (entry && put(source, entry)) changed("picture");
      if (!entry && shown[source] && reel.isLost(number)) blank(source);
      const still = !scrubbing && now - rest >= REST_MS - 5;
      reel.aim(number, { exact: still });
      if (still && entry?.exact) reel.aim(number, { step: state.direction, ahead: Math.min(8, reel.most) });
      if (source || !entry || seek?.number !== number) return;
      if (!seek.done) figures.seek_ms.push(now - seek.at);
      seek.done = true;
      if (entry.exact) {
        figures.exact_ms.push(now - seek.at);
        seek = null;
      }
    });
    for (const list of [figures.seek_ms, figures.exact_ms]) if (list.length > 2000) list.splice(0, 1000);
  }

  function tell(force = false) {
    const now = performance.now();
    if (!force && state.playing && now - tellAt < TELL_PLAYING_MS) return;
    tellAt = now;
    if (told === state.frame) return;
    told = state.frame;
    model.set("frame", state.frame);
    model.save_changes();
  }

  function played(entry, clock) {
    put(0, entry);
    state.frame = entry.number;
    figures.shown += 1;
    if (reels[1]) {
      const number = other(state.frame, clock);
      const { step: own, ahead } = transport.pace;
      const pace = pair.byNumber ? 1 : (about.sources[1].rate_hz || 30) / (about.sources[0].rate_hz || 30);
      const step = Math.max(1, Math.round(own * pace));
      rows[1].want(number, state.direction);
      const aligned = number - (number % step); // what was asked for ahead is what is shown
      reels[1].aim(aligned, { step: step * state.direction, ahead: Math.min(ahead, reels[1].most) });
      const there = reels[1].best(aligned, shown[1]?.number ?? null, state.direction);
      if (there) put(1, there);
    }
    tell();
    changed("frame");
  }

  function ended(frame) {
    play(false);
    go(frame);
  }

  // Look at a frame. `scrub`: the hand is still on it, so that its own pixels are not worth asking for yet.
  function go(frame, { scrub = false } = {}) {
    const number = clamp(Math.round(frame), 0, frames - 1);
    const near = Math.abs(number - state.frame);
    if (near && !state.playing) state.direction = number > state.frame ? 1 : -1;
    scrubbing = scrub;
    rest = performance.now();
    if (number !== state.frame || !shown[0]) {
      if (near > 1) tickets.next();
      seek = { number, at: rest, done: false };
      state.frame = number;
      if (reels[1] && !(pair.sure && pair.frame === number)) send({ do: "match", frame: number });
    }
    rows[0].want(number, state.direction);
    if (reels[1]) rows[1].want(wanted(1), state.direction);
    if (state.playing) transport.jump();
    else settle();
    clearTimeout(go.timer);
    go.timer = setTimeout(() => {
      tell(true);
      settle();
    }, REST_MS);
    changed("frame");
  }

  function play(on, { direction = 1 } = {}) {
    if (on === state.playing && (!on || direction === state.direction)) return;
    state.playing = on;
    if (on) {
      state.direction = direction;
      const edge = direction > 0 ? frames - 1 : 0;
      if (state.frame === edge) {
        state.frame = frames - 1 - edge;
        tickets.next();
      }
      transport.start();
    } else {
      transport.stop();
      state.direction = 1;
      rest = performance.now();
      if (reels[1]) send({ do: "match", frame: state.frame });
      setTimeout(settle, REST_MS);
      settle();
      tell(true);
    }
    if (Boolean(model.get("playing")) !== on) {
      model.set("playing", on);
      model.save_changes();
    }
    changed("playing");
  }

  function speed(value) {
    state.speed = clamp(Math.abs(value) || 1, 0.05, MOST_SPEED);
    if (model.get("speed") !== state.speed) {
      model.set("speed", state.speed);
      model.save_changes();
    }
    changed("speed");
  }

  const follow = {
    "change:frame": () => {
      const number = model.get("frame");
      if (number === told || number === state.frame) return;
      told = number;
      go(number);
    },
    "change:playing": () => {
      follow["change:frame"](); // the kernel may have set both: a place that it named is not overwritten with the one that was played
      if (Boolean(model.get("playing")) !== state.playing) play(!state.playing);
    },
    "change:speed": () => model.get("speed") !== state.speed && speed(model.get("speed")),
  };
  for (const [name, act] of Object.entries(follow)) model.on(name, act);

  return {
    state, figures, reels, rows, tickets, go, play, speed,
    row: () => rows[0].row(state.frame),
    numbers: () => shown.map((entry) => entry?.number ?? null),
    // J and L: backwards and forwards, faster each time.
    shuttle(direction) {
      if (state.playing && state.direction === direction) speed(Math.min(8, state.speed * 2));
      else {
        if (state.speed > 1) speed(1);
        play(true, { direction });
      }
    },
    begin() {
      state.frame = clamp(state.frame, 0, frames - 1);
      go(state.frame);
      if (model.get("playing")) play(true);
    },
    take(message, buffers) {
      if (message.is === "frames") reels[message.source]?.take(message, buffers);
      if (message.is === "rows") rows[message.source]?.take(message);
      if (message.is === "refused" && message.to === "frames") reels[message.source]?.lose(message.number);
      if (message.is === "dropped") {
        tickets.catchUp(message.ticket);
        settle();
      }
      if (message.is === "rows" && !state.playing) settle();
    },
    matched({ frame, of = state.frame, by }) {
      if (state.playing || of !== state.frame) return;
      pair = { frame: of, other: frame, sure: true, byNumber: by === "number" };
      settle();
      changed("frame");
    },
    exact: () => shown.map((entry) => Boolean(entry?.exact)),
    // The play head in s while sound belongs to it: forward at its own speed; else null.
    heard: () => (state.playing && state.direction > 0 && state.speed === 1 && !transport.waiting && !document.hidden ? transport.clock : null),
    dispose() {
      transport.stop();
      clearInterval(again);
      clearTimeout(go.timer);
      for (const [name, act] of Object.entries(follow)) model.off(name, act);
      for (const reel of reels) reel.dispose();
    },
  };
}
