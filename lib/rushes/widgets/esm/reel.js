// The pictures of one source: asked for in the order in which they will be shown, kept encoded and decoded, both within
// a number of bytes. What lies farthest from the place that is looked at is dropped first, so memory stays flat.
import { clamp } from "./parts.js";

const ENCODED_BYTES = 48e6;
const DECODED_BYTES = 96e6;
const MOST_IN_MESSAGE = 16;
const BATCHES = 3;
const FORGET_MS = 6000; // an answer that is not there by then is asked for again: the kernel may have been restarted

// One row of tickets for all requests of the page: a newer one lets the kernel drop what it has not begun.
export function makeTickets() {
  let ticket = Date.now() * 16; // the kernel may have heard a page before this one
  return {
    next: () => (ticket = Math.max(ticket + 1, Date.now() * 16)),
    now: () => ticket,
    // Another page has asked with a newer one: what is asked from here on counts again.
    catchUp: (newest) => (ticket = Math.max(ticket, newest)),
  };
}

export function makeReel({ send, source, about, tickets, arrived }) {
  const size = Math.max(1, about.width * about.height * 4);
  const encoded = new Map(); // number -> {blob, exact, bytes}
  const decoded = new Map(); // number -> {number, bitmap, exact, bytes}
  const asked = new Map(); // "number" or "number!" (exact) -> {ticket, at}
  const decoding = new Set();
  const lost = new Set(); // what the kernel could not give
  let batches = []; // [{keys: Set, at}] under way
  let bytes = { encoded: 0, decoded: 0 };
  let pinned = null;
  let middle = 0;
  let ended = false;
  const most = clamp(Math.floor((0.6 * DECODED_BYTES) / size), 4, 96);
  const room = Math.max(DECODED_BYTES, (most + 3) * size); // what is asked for must fit, however large pictures are

  function drop(map, kind, limit) {
    while (bytes[kind] > limit && map.size > 1) {
      let worst = null;
      let far = -1;
      for (const [number, entry] of map) {
        const distance = Math.abs(number - middle);
        if (distance > far && entry !== pinned) [worst, far] = [number, distance];
      }
      if (worst === null) return;
      forget(map, kind, worst);
    }
  }

  function forget(map, kind, number) {
    const entry = map.get(number);
    if (!entry) return;
    map.delete(number);
    bytes[kind] -= entry.bytes;
    if (entry.bitmap && entry !== pinned) entry.bitmap.close();
  }

  async function decode(number) {
    const from = encoded.get(number);
    if (!from || decoding.has(number)) return;
    decoding.add(number);
    let bitmap = null;
    try {
      bitmap = await createImageBitmap(from.blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    } catch {
      forget(encoded, "encoded", number); // asked for again when it is wanted again
    }
    decoding.delete(number);
    if (!bitmap) return;
    const old = decoded.get(number);
    if (ended || (old && old.exact && !from.exact)) {
      bitmap.close();
      return;
    }
    forget(decoded, "decoded", number);
    const entry = { number, bitmap, exact: from.exact, bytes: bitmap.width * bitmap.height * 4 };
    decoded.set(number, entry);
    bytes.decoded += entry.bytes;
    drop(decoded, "decoded", room);
    arrived(source, number);
    if (encoded.get(number) !== from) decode(number);
  }

  function request(numbers, exact) {
    const now = performance.now();
    const keys = numbers.map((number) => (exact ? `${number}!` : `${number}`));
    for (const key of keys) asked.set(key, { ticket: tickets.now(), at: now });
    batches.push({ keys: new Set(keys), at: now, ticket: tickets.now() });
    send({ do: "frames", ticket: tickets.now(), source, numbers, exact });
  }

  function waiting(number, exact) {
    const found = asked.get(exact ? `${number}!` : `${number}`);
    return found && found.ticket === tickets.now() && performance.now() - found.at < FORGET_MS;
  }

  function tidy() {
    const now = performance.now();
    batches = batches.filter((batch) => batch.keys.size && batch.ticket === tickets.now() && now - batch.at < FORGET_MS);
    if (asked.size > 400) for (const [key, { at }] of asked) if (now - at > FORGET_MS) asked.delete(key);
  }

  return {
    most,
    bytes: () => ({ ...bytes, pictures: decoded.size }),
    get: (number) => decoded.get(number) ?? null,
    isLost: (number) => lost.has(number),
    lose(number) {
      lost.add(number);
      arrived(source, number);
    },
    // The newest picture that is there between what is shown and what should be, going in `direction`.
    best(number, shown, direction) {
      if (decoded.has(number)) return decoded.get(number);
      const end = shown === null ? number - direction * 64 : shown;
      for (let n = number, left = 64; n !== end && left > 0; n -= direction, left -= 1) {
        if (decoded.has(n)) return decoded.get(n);
      }
      return null;
    },
    // How many of the next pictures are there already.
    ready(number, step, count) {
      let there = 0;
      for (let n = number; there < count && n >= 0 && n < about.frames && decoded.has(n); n += step) there += 1;
      return there;
    },
    pin(entry) {
      if (pinned && pinned !== entry && decoded.get(pinned.number) !== pinned) pinned.bitmap.close();
      pinned = entry;
    },
    // Say what is wanted: `number`, then `ahead` more at distances of `step`; `exact` also as its own pixels.
    aim(number, { step = 1, ahead = 0, exact = false } = {}) {
      middle = clamp(number + step * Math.floor(ahead / 3), 0, about.frames - 1);
      tidy();
      const missing = [];
      let first = 0;
      const far = Math.min(ahead, most);
      for (let k = 0, n = number; k <= far && n >= 0 && n < about.frames; k += 1, n += step) {
        if (decoded.has(n) || decoding.has(n) || waiting(n, false)) continue;
        if (encoded.has(n)) decode(n);
        else if (missing.push(n) === 1) first = k;
      }
      const urgent = missing[0] === number;
      while (missing.length && batches.length < BATCHES) {
        // few at first, so that the one that is waited for comes at once
        const count = urgent && !batches.length ? Math.min(2, MOST_IN_MESSAGE) : MOST_IN_MESSAGE;
        if (far >= 12 && first > far / 3 && missing.length < MOST_IN_MESSAGE / 2) break; // there is time: ask for more at once
        request(missing.splice(0, count), false);
      }
      if (exact && !waiting(number, true) && !waiting(number, false)) {
        const known = decoded.get(number) ?? encoded.get(number);
        if (known && !known.exact && !decoding.has(number)) request([number], true);
      }
    },
    take({ numbers, types }, buffers) {
      numbers.forEach((number, k) => {
        asked.delete(`${number}`);
        lost.delete(number);
        if (types[k] === "png") asked.delete(`${number}!`);
        for (const batch of batches) for (const key of [`${number}`, `${number}!`]) batch.keys.delete(key);
        const exact = types[k] === "png";
        if (!buffers[k] || encoded.get(number)?.exact) return;
        forget(encoded, "encoded", number);
        const blob = new Blob([buffers[k]], { type: `image/${types[k]}` });
        encoded.set(number, { blob, exact, bytes: blob.size });
        bytes.encoded += blob.size;
        decode(number);
      });
      drop(encoded, "encoded", ENCODED_BYTES);
    },
    dispose() {
      ended = true;
      for (const entry of decoded.values()) entry.bitmap.close();
      if (pinned && decoded.get(pinned.number) !== pinned) pinned.bitmap.close();
      decoded.clear();
      encoded.clear();
    },
  };
}
