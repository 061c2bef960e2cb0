/* ---- the play ---- */

const HOLD_MS = 40; // an input is told a little after it happened; what is younger than this waits for it
const AWAY_MS = 5000; // a picture that is away for longer is left out: what comes behind it waits for it
const BUFFERED = 8 << 20; // bytes on the way beyond which pictures are left out, and counted
const COSTS = 8192;

const play = {
  state: "idle", socket: null, rate_hz: 0, size: [0, 0], layout: new Set(), pictures: null, canvas: null, drawn: [0, 0],
  begin: 0, tick: 0, first: true, missed: 0, interval: 16.7, lastFrame: 0,
  out: [], early: [], lost: 0, down: new Map(), told: new Map(), timer: 0, saved: null, leaves: false, landed,
  answer: null, why: "", // how it ended where the page did not end it
};
const figures = { captured: 0, dropped: 0, costs_ms: [] };

function become(state) {
  if (play.state === state) return;
  play.state = state;
  frames.after = state === "recording" ? afterFrame : null;
  if (state === "recording") arm();
  if (api.onstate) api.onstate(state);
}

function afterFrame() {
  const now = performance.now();
  play.interval += (Math.min(100, now - play.lastFrame) - play.interval) / 16;
  play.lastFrame = now;
  const period = 1000 / play.rate_hz;
  const near = Math.min(play.interval / 2, period / 4);
  const due = Math.floor((now + near - play.begin) / period);
  if (play.first || due >= play.tick) capture(now, due, period);
}

function capture(now, due, period) {
  const { canvas } = play;
  if (!play.first && (canvas.height !== play.drawn[0] || canvas.width !== play.drawn[1])) gap("resized", now);
  const item = { t: now, waits: true, message: null, cost: 0, head: null };
  const taken = play.socket.bufferedAmount < BUFFERED && play.pictures.take(canvas, (rgb, cost) => arrived(item, rgb, cost));
  const dropped = play.first ? 0 : due - play.tick;
  play.tick = due + 1;
  if (!taken) {
    if (play.first) return; // a segment begins with its first picture
    play.missed += dropped + 1;
    figures.dropped += dropped + 1;
    return;
  }
  if (play.first) tellState(now);
  const fields = asked();
  const late = now - (play.begin + due * period) > period / 2;
  item.head = { t: now, tick: due, late, dropped: dropped + play.missed, w: play.size[1], h: play.size[0], fields };
  figures.dropped += dropped;
  play.missed = 0;
  play.drawn = [canvas.height, canvas.width];
  put(item);
  if (play.first) {
    play.first = false;
    for (const row of play.early.splice(0)) tell(now, row);
  }
  figures.captured += 1;
  item.cost += performance.now() - now;
}

/** Give what the page tells now: it may go on to write into the same object. */
function asTold(fields) {
  return JSON.parse(JSON.stringify(fields ?? null));
}

/** Ask the page for the row of this frame; where it fails, the picture has none. */
function asked() {
  try {
    return api.onframe ? asTold(api.onframe()) : null;
  } catch (error) {
    reportError(error);
    return null;
  }
}

/** A picture has come back, null where it could not be read, and cost this thread so many ms. */
function arrived(item, rgb, cost) {
  item.cost += cost;
  if (rgb) pack(item, rgb);
  else leaveOut(item);
  play.landed();
}

/** Make the message of a picture. */
function pack(item, rgb) {
  const began = performance.now();
  const text = new TextEncoder().encode(JSON.stringify(item.head));
  const bytes = new Uint8Array(4 + text.length + rgb.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(rgb, 4 + text.length);
  Object.assign(item, { message: bytes, waits: false });
  figures.costs_ms.push(item.cost + performance.now() - began);
  if (figures.costs_ms.length > COSTS) figures.costs_ms.shift();
}

function landed() {
  if (document.hidden) flush(true); // its timer is slow
}

/** Do without a picture that does not come back; the recorder counts it. */
function leaveOut(item) {
  const count = 1 + item.head.dropped;
  Object.assign(item, { waits: false, message: { type: "lost", stream: "frames", reason: "not_read", count } });
}

/* ---- what goes out, in the order of its times ---- */

function put(item) {
  let at = play.out.length;
  while (at && play.out[at - 1].t > item.t) at -= 1;
  play.out.splice(at, 0, item);
}

function tell(t, fields) {
  put({ t, message: { type: "telemetry", t, fields } });
}

function send(message) {
  if (play.socket && play.socket.readyState === WebSocket.OPEN) {
    play.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }
}

function flush(all) {
  const now = performance.now();
  const until = all ? Infinity : now - HOLD_MS;
  for (const item of play.out) if (item.waits && item.t < now - AWAY_MS) leaveOut(item);
  if (play.lost) {
    put({ t: now, message: { type: "lost", stream: "events", reason: "not_in_layout", count: play.lost } });
    play.lost = 0;
  }
  let rows = [];
  while (play.out.length && play.out[0].t <= until && !play.out[0].waits) {
    const item = play.out.shift();
    if (item.row) {
      rows.push(item.row);
      continue;
    }
    if (rows.length) send({ type: "events", rows });
    rows = [];
    send(item.message.type === "lost" ? { t: item.t, ...item.message } : item.message);
  }
  if (rows.length) send({ type: "events", rows });
}

/** Send all there is, without the pictures that are still away. */
function giveUp() {
  for (const item of play.out) if (item.waits) leaveOut(item);
  flush(true);
}

function gap(reason, t = performance.now()) {
  if (play.leaves) return;
  put({ t, message: { type: "gap", t, reason } });
  play.first = true;
}
