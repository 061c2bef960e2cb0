/* ---- averaging by area on the graphics card, where there is one ---- */

/** Averages pictures to one size before they are read back. Self-contained: the worker is made of its text. */
class Card {
  static VERTEX = `#version 300 es
    void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

  static FRAGMENT = `#version 300 es
    precision highp float;
    uniform highp sampler2D source;
    uniform vec2 step_px; // width and height of the box, in px of the canvas, that becomes one pixel
    out vec4 colour;
    void main() {
      vec2 low = floor(gl_FragCoord.xy) * step_px, high = low + step_px;
      ivec2 first = ivec2(floor(low + 1e-4)), last = min(ivec2(ceil(high - 1e-4)), textureSize(source, 0));
      vec4 sum = vec4(0.0);
      float area = 0.0;
      for (int y = first.y; y < last.y; y++) {
        float tall = min(float(y + 1), high.y) - max(float(y), low.y);
        for (int x = first.x; x < last.x; x++) {
          float weight = tall * (min(float(x + 1), high.x) - max(float(x), low.x));
          sum += weight * texelFetch(source, ivec2(x, y), 0);
          area += weight;
        }
      }
      colour = sum / area;
    }`;

  /** Make one; null where there is no card, or none that can do it. */
  static make(width, height) {
    const canvas = new OffscreenCanvas(1, 1);
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (!gl) return null;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
    if (/swiftshader|llvmpipe|software|basic render/i.test(name)) return null; // the processor plays the card
    try {
      return new Card(gl, width, height);
    } catch {
      return null;
    }
  }

  constructor(gl, width, height) {
    Object.assign(this, { gl, width, height, spent_ms: 0, rgba: new Uint8Array(4 * width * height) });
    const program = gl.createProgram();
    [[gl.VERTEX_SHADER, Card.VERTEX], [gl.FRAGMENT_SHADER, Card.FRAGMENT]].forEach(([kind, text]) => {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.step = gl.getUniformLocation(program, "step_px");
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true); // what is transparent is black
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    const target = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, target);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, target);
    gl.viewport(0, 0, width, height);
  }

  /** Average what `copy` made; a Promise of RGB, top row first. Waits for the graphics card. */
  async read(picture) {
    const { gl, rgba } = this;
    const began = performance.now();
    const [width, height] = [picture.displayWidth ?? picture.width, picture.displayHeight ?? picture.height];
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.uniform2f(this.step, width / this.width, height / this.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.readPixels(0, 0, this.width, this.height, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    const failed = gl.getError(); // as for a canvas that is larger than a texture: the picture before would be read again
    if (failed || gl.isContextLost()) throw new Error(`the graphics card read nothing (${failed})`);
    const rgb = new Uint8Array((rgba.length / 4) * 3);
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      rgb[to] = rgba[from];
      rgb[to + 1] = rgba[from + 1];
      rgb[to + 2] = rgba[from + 2];
    }
    this.spent_ms = performance.now() - began;
    return rgb;
  }
}
