// WebGL2 without ceremony: programs with their uniforms by name, buffers, vertex arrays.

/** Compile a program; `names` of its active uniforms become `uniforms.name`. */
export function makeProgram(gl, { vertex, fragment }) {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    const said = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
    throw new Error(`the shaders do not link: ${[gl.getProgramInfoLog(program), ...said].join(" ")}`);
  }
  const uniforms = {};
  for (let at = 0; at < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); at += 1) {
    const { name } = gl.getActiveUniform(program, at);
    uniforms[name.replace("[0]", "")] = gl.getUniformLocation(program, name);
  }
  return { program, uniforms };
}

/** Set uniforms by name: numbers, arrays of 2 to 4, a Float32Array(16); names that a program lacks are left out. */
export function setUniforms(gl, { uniforms }, values) {
  for (const [name, value] of Object.entries(values)) {
    const where = uniforms[name];
    if (where === undefined) continue;
    if (typeof value === "number") gl.uniform1f(where, value);
    else if (value.length === 16) gl.uniformMatrix4fv(where, false, value);
    else if (value.length === 12) gl.uniform4fv(where, value);
    else if (value.length === 2) gl.uniform2fv(where, value);
    else if (value.length === 3) gl.uniform3fv(where, value);
    else gl.uniform4fv(where, value);
  }
}

/** Put data into a new buffer. */
export function makeBuffer(gl, data, { target = gl.ARRAY_BUFFER, usage = gl.STATIC_DRAW } = {}) {
  const buffer = gl.createBuffer();
  gl.bindBuffer(target, buffer);
  gl.bufferData(target, data, usage);
  return buffer;
}

/** Say how attributes lie in the bound buffer: [[place, size, type, offset], ...]. */
export function layOut(gl, stride, attributes, { divisor = 0 } = {}) {
  for (const [place, size, type, offset, normalized = false] of attributes) {
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, normalized, stride, offset);
    gl.vertexAttribDivisor(place, divisor);
  }
}
