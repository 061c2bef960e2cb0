// Playing: a clock that runs with the source's own times, and which picture belongs to it. A picture that comes late is
// left out and counted; one that is there is shown on the next refresh of the screen.
import { clamp } from "./parts.js";

const HIDDEN_S = 0.25; // a page that was not drawn for longer goes on from where it was
const PREPARE_MS = 500;
const DISPLAY_HZ = 60;
const STARVED_MS = 400;
const HEALTHY_MS = 1500;
const COARSEST = 8;
const LEAST_REFRESH_S = 1 / 240;
const MOST_REFRESH_S = 1 / 30;

export function makeTransport({ reel, rows, about, figures, state, show, ended }) {
  let clock = 0; // s of the source
  let last = 0;
  let handle = 0;
  let starved = 0;
  let since = 0;
  let waiting = false;
  let changed = 0;
  let refresh = 1 / DISPLAY_HZ;
  let coarse = 1; // every so many pictures, where the kernel cannot give more

  const rate = () => about.rate_hz || 30;
  const wished = () => Math.max(1, Math.round((state.speed * rate()) / DISPLAY_HZ)); // faster play leaves pictures out
  const stride = () => coarse * wished();
  const ahead = () => clamp(Math.ceil((rate() * state.speed * 1.2) / stride()), Math.min(12, reel.most), reel.most);

  function tick(now) {
    handle = requestAnimationFrame(tick);
    const way = state.direction;
    const step = stride() * way;
    const passed = Math.min((now - last) / 1000, HIDDEN_S);
    last = now;
    if (waiting) {
      reel.aim(state.frame, { step, ahead: ahead() });
      const enough = Math.min(6, ahead(), Math.floor(way > 0 ? (about.frames - 1 - state.frame) / stride() : state.frame / stride()));
      if (reel.ready(state.frame, step, enough) < enough && now - since < PREPARE_MS) return;
      waiting = false;
      return;
    }
    const next = rows.onward(clock + passed * state.speed * way, way);
    if (next === null) {
      ended(way > 0 ? about.frames - 1 : 0);
      return;
    }
    clock = next;
    refresh += (clamp(passed, LEAST_REFRESH_S, MOST_REFRESH_S) - refresh) / 16;
    let target = rows.at(clock);
    // What is due before half a refresh has passed is shown now: else a film as fast as the screen stands at times for
    // two refreshes and then jumps, since refreshes come a little early or late.
    if (target === state.frame) target = rows.at(clock + (way * state.speed * refresh) / 2);
    target -= target % stride();
    rows.want(target, way);
    reel.aim(target, { step, ahead: ahead() });
    if (target === state.frame) {
      starved = now;
      return;
    }
    const entry = reel.best(target, state.frame, way);
    if (entry && (entry.number - state.frame) * way > 0) {
      const left = Math.round(Math.abs(entry.number - state.frame) / wished()) - 1;
      if (left > 0 && rows.spans.every(({ start }) => start !== entry.number)) figures.skipped += left;
      show(entry, clock);
      if (entry.number === target) starved = now;
    }
    if (now - starved > STARVED_MS && coarse < COARSEST) {
      coarse *= 2;
      starved = changed = now;
    } else if (coarse > 1 && now - changed > HEALTHY_MS && reel.ready(target, step, 8) >= 8) {
      coarse /= 2;
      changed = now;
    }
  }

  return {
    get clock() {
      return clock;
    },
    // Whether it stands until enough pictures are there.
    get waiting() {
      return waiting;
    },
    // How far the next picture is, in pictures, and how many shall be there before they are shown.
    get pace() {
      return { step: stride(), ahead: ahead() };
    },
    start() {
      clock = rows.time(state.frame);
      last = since = starved = performance.now();
      coarse = 1;
      waiting = true;
      cancelAnimationFrame(handle);
      handle = requestAnimationFrame(tick);
    },
    stop() {
      cancelAnimationFrame(handle);
      handle = 0;
    },
    // While it plays: go on from another frame.
    jump() {
      clock = rows.time(state.frame);
      since = starved = performance.now();
      waiting = true;
    },
  };
}
