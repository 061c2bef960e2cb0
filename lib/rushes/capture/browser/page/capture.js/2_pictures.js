/* ---- pictures: averaged by area on the graphics card, by a worker ---- */

const SLOTS = 4; // pictures that the worker has

const VERTEX = `#version 300 es
  void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;
const FRAGMENT = `#version 300 es
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

class Pictures {
  constructor(width, height, shaders) {
    this.width = width;
    this.height = height;
    const canvas = new OffscreenCanvas(1, 1);
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (!gl) throw new Error("a browser without WebGL2; recording a canvas needs it");
    this.gl = gl;
    const program = gl.createProgram();
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((kind, at) => {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, shaders[at]);
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
    this.rgba = new Uint8Array(4 * width * height);
  }

  /** Average a canvas, or a copy of one, as it is now; returns RGB, top row first. Waits for the graphics card. */
  read(source) {
    const { gl, rgba } = this;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
    const [width, height] = [source.displayWidth ?? source.width, source.displayHeight ?? source.height];
    gl.uniform2f(this.step, width / this.width, height / this.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.readPixels(0, 0, this.width, this.height, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    const rgb = new Uint8Array((rgba.length / 4) * 3);
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      rgb[to] = rgba[from];
      rgb[to + 1] = rgba[from + 1];
      rgb[to + 2] = rgba[from + 2];
    }
    return rgb;
  }
}

/** What the worker runs. */
function work(Pictures) {
  let pictures = null;
  self.onmessage = ({ data }) => {
    try {
      if (data.shaders) {
        pictures = new Pictures(data.width, data.height, data.shaders);
        self.postMessage({ ready: true });
        return;
      }
      const rgb = pictures.read(data.picture);
      data.picture.close();
      self.postMessage({ number: data.number, rgb }, [rgb.buffer]);
    } catch (error) {
      self.postMessage({ number: data.number, error: String(error) });
    }
  };
}

/** Copy a canvas now, so that another thread can have it; as a frame of video, which costs the game least, if there are such. */
async function copy(canvas) {
  if (window.VideoFrame) return new VideoFrame(canvas, { timestamp: 0 });
  return createImageBitmap(canvas, { premultiplyAlpha: "premultiply", colorSpaceConversion: "none" });
}

/** Pictures that are read elsewhere: `take(canvas, got)` copies now, and calls got(rgb, or null) later. */
class Away {
  constructor(width, height) {
    Object.assign(this, { width, height, waiting: new Map(), number: 0, worker: null, here: null });
  }

  /** Begin the worker; where there can be none, pictures are read here. Raises where they cannot be read at all. */
  async begin() {
    const shaders = [VERTEX, FRAGMENT];
    const address = URL.createObjectURL(new Blob([`(${work})(${Pictures})`], { type: "text/javascript" }));
    try {
      const worker = new Worker(address);
      const began = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.ready ? resolve() : reject(new Error(data.error)));
        worker.onerror = (event) => reject(new Error(event.message || "no worker may run here"));
      });
      worker.postMessage({ shaders, width: this.width, height: this.height });
      await began;
      worker.onmessage = ({ data }) => this.settle(data.number, data.rgb || null);
      this.worker = worker;
    } catch {
      this.here = new Pictures(this.width, this.height, shaders);
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Say whether the picture is taken; it is not where the worker has enough to do. */
  take(canvas, got) {
    if (this.here) {
      got(this.here.read(canvas));
      return true;
    }
    if (this.waiting.size >= SLOTS) return false;
    const number = (this.number += 1);
    this.waiting.set(number, got);
    copy(canvas).then(
      (picture) => this.worker.postMessage({ number, picture }, [picture]),
      () => this.settle(number, null),
    );
    return true;
  }

  settle(number, rgb) {
    const got = this.waiting.get(number);
    this.waiting.delete(number);
    if (got) got(rgb);
  }
}
