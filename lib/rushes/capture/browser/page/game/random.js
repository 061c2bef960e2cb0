// Random numbers from a seed, the same on every machine: 32-bit integer arithmetic only.
//
//   const draw = stream(7, "victims");
//   draw.next();          // 0 <= x < 1
//   draw.range(2, 5);     // 2 <= x < 5
//   draw.int(6);          // 0 ... 5
//   draw.pick(["a", "b"]);
//
// Each purpose has its own stream, so that one draw more for the trees does not move the victims.

/** Mix a text into 32 bits (FNV-1a). */
export function mixText(text, start = 0x811c9dc5) {
  let state = start >>> 0;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return state;
}

/** Scatter 32 bits so that neighbours have nothing in common. */
function scatter(value) {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 17), 0xed5ad4bb);
  bits = Math.imul(bits ^ (bits >>> 11), 0xac4c1b51);
  bits = Math.imul(bits ^ (bits >>> 15), 0x31848bab);
  return (bits ^ (bits >>> 14)) >>> 0;
}

/** Give one repeatable number in 0 ... 1 for whole numbers, without a stream. */
export function noise(...values) {
  let state = 0x9e3779b9;
  for (const value of values) state = scatter(state ^ Math.imul(Math.floor(value) | 0, 0x85ebca6b));
  return state / 4294967296;
}

/** Start the stream of one purpose. */
export function stream(seed, purpose) {
  let counter = scatter(mixText(`${seed}/${purpose}`));
  const draw = {
    next() {
      counter = (counter + 0x9e3779b9) >>> 0;
      return scatter(counter) / 4294967296;
    },
    range: (low, high) => low + (high - low) * draw.next(),
    int: (count) => Math.floor(draw.next() * count),
    pick: (list) => list[draw.int(list.length)],
    chance: (share) => draw.next() < share,
    shuffle(list) {
      const mixed = [...list];
      for (let last = mixed.length - 1; last > 0; last -= 1) {
        const other = draw.int(last + 1);
        [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
      }
      return mixed;
    },
  };
  return draw;
}
