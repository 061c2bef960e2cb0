// A camera: where it stands, which way its axes point, and the matrix that brings the world to the screen.
//
//   const view = look({ x, y, z, yaw, pitch, roll }, aspect);
//   view.matrix;          // Float32Array(16), column by column
//   view.sees(low, high)  // whether a box along the axes is in sight
//
// Yaw 0 looks north (-z) and grows to the left, pitch grows upwards, roll to the left; radians.

const NEAR = 0.12;
const FAR = 230;

/** Set up a camera. `height` is the tangent of half its vertical field of view. */
export function look({ x, y, z, yaw, pitch, roll = 0 }, aspect, height = 0.64) {
  const [sy, cy, sp, cp, sr, cr] = [yaw, pitch, roll].flatMap((angle) => [Math.sin(angle), Math.cos(angle)]);
  const flatRight = [cy, 0, -sy];
  const flatUp = [sy * sp, cp, cy * sp];
  const forward = [-sy * cp, sp, -cy * cp];
  const right = flatRight.map((part, axis) => part * cr + flatUp[axis] * sr);
  const up = flatUp.map((part, axis) => part * cr - flatRight[axis] * sr);
  const eye = [x, y, z];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const wide = height * aspect;
  const depth = [(FAR + NEAR) / (FAR - NEAR), (-2 * FAR * NEAR) / (FAR - NEAR)];
  const rows = [
    [...right.map((part) => part / wide), -dot(right, eye) / wide],
    [...up.map((part) => part / height), -dot(up, eye) / height],
    [...forward.map((part) => part * depth[0]), -dot(forward, eye) * depth[0] + depth[1]],
    [...forward, -dot(forward, eye)],
  ];
  const matrix = new Float32Array(16);
  for (let row = 0; row < 4; row += 1)
    for (let column = 0; column < 4; column += 1) matrix[column * 4 + row] = rows[row][column];
  const planes = [0, 1].flatMap((axis) =>
    [1, -1].map((sign) => rows[3].map((part, at) => part + sign * rows[axis][at])),
  );
  planes.push(rows[3].map((part, at) => part + rows[2][at]));
  const sees = (low, high) =>
    planes.every(
      ([a, b, c, d]) =>
        a * (a > 0 ? high : low)[0] + b * (b > 0 ? high : low)[1] + c * (c > 0 ? high : low)[2] + d >= 0,
    );
  return { matrix, eye, right, up, forward, wide, height, sees };
}
