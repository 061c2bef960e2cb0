// Shadows and dirt on the ground, worked out once: a picture of SIZE x SIZE bytes over the square of SPAN units.
//
//   const bytes = shadeGround(heights, palette.sun);    // Uint8Array, 255 = full light
//
// What throws shadows are the boxes of scenery.js. From each spot a ray goes towards the sun over a map of heights;
// near walls the ground is a little darker, as corners are. Then all of it is blurred a little.

export const SIZE = 512;
export const SPAN = 132;

/** Work out the light on the ground, row by row from -z, in a row from -x. */
export function shadeGround(heights, sun) {
  const tops = new Float32Array(SIZE * SIZE);
  const bottoms = new Float32Array(SIZE * SIZE);
  const cell = SPAN / SIZE;
  const column = (value) => Math.max(0, Math.min(SIZE - 1, Math.floor((value + SPAN / 2) / cell)));
  for (const { x0, z0, x1, z1, top, bottom = 0 } of heights) {
    for (let j = column(z0); j <= column(z1); j += 1) {
      for (let i = column(x0); i <= column(x1); i += 1) {
        if (top > tops[j * SIZE + i]) {
          tops[j * SIZE + i] = top;
          bottoms[j * SIZE + i] = bottom;
        }
      }
    }
  }
  const flat = Math.hypot(sun[0], sun[2]);
  const climb = sun[1] / flat; // height per unit of ground
  const [dx, dz] = [sun[0] / flat, sun[2] / flat];
  const light = new Float32Array(SIZE * SIZE);
  const stride = 0.5;
  for (let j = 0; j < SIZE; j += 1) {
    for (let i = 0; i < SIZE; i += 1) {
      let free = 1;
      for (let along = 0.4; along * climb < 24 && free; along += along < 6 ? stride : 1.2) {
        const ci = i + Math.round((dx * along) / cell);
        const cj = j + Math.round((dz * along) / cell);
        if (ci < 0 || cj < 0 || ci >= SIZE || cj >= SIZE) break;
        const at = cj * SIZE + ci;
        const high = along * climb;
        if (tops[at] > high && bottoms[at] <= high) free = 0;
      }
      light[j * SIZE + i] = free;
    }
  }
  const solid = new Float32Array(SIZE * SIZE);
  for (let at = 0; at < solid.length; at += 1) solid[at] = tops[at] > 0.8 && bottoms[at] === 0 ? 1 : 0;
  const soft = blur(light, 1);
  const corners = blur(blur(solid, 4), 4);
  const bytes = new Uint8Array(SIZE * SIZE);
  for (let at = 0; at < bytes.length; at += 1)
    bytes[at] = Math.round(255 * Math.max(0, soft[at] * (1 - 0.25 * corners[at]) - 0.12 * corners[at]));
  return bytes;
}

/** Average over a square of 2 * reach + 1 spots, by running sums along both axes. */
function blur(values, reach) {
  let from = values;
  for (const [step, line] of [
    [1, SIZE],
    [SIZE, 1],
  ]) {
    const to = new Float32Array(values.length);
    for (let row = 0; row < SIZE; row += 1) {
      const first = row * line;
      let sum = from[first] * reach;
      for (let k = 0; k < reach; k += 1) sum += from[first + k * step];
      for (let k = 0; k < SIZE; k += 1) {
        sum += from[first + Math.min(SIZE - 1, k + reach) * step];
        to[first + k * step] = sum / (2 * reach + 1);
        sum -= from[first + Math.max(0, k - reach) * step];
      }
    }
    from = to;
  }
  return from;
}
