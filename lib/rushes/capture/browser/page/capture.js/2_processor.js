/* ---- averaging by area on the processor, where it draws too ---- */

/** Averages pictures to one size. Self-contained: the worker is made of its text. */
class Processor {
  constructor(width, height) {
    Object.assign(this, { width, height, source: [0, 0], rgba: new Uint8Array(0), canvas: null, spent_ms: 0 });
  }

  /** What of a line of `from` px goes into each of `to` boxes: first px and the one after the last, and their shares. */
  boxes(from, to) {
    const step = from / to;
    return Array.from({ length: to }, (_, k) => {
      const [low, high] = [k * step, (k + 1) * step];
      const [first, end] = [Math.floor(low + 1e-6), Math.min(Math.ceil(high - 1e-6), from)];
      const share = (x) => (Math.min(x + 1, high) - Math.max(x, low)) / step;
      return { first, end, shares: Float64Array.from({ length: end - first }, (__, x) => share(first + x)) };
    });
  }

  /** Average what `copy` made; a Promise of RGB, top row first. */
  async read(picture) {
    const [width, height] = [picture.displayWidth ?? picture.width, picture.displayHeight ?? picture.height];
    if (this.source[0] !== width || this.source[1] !== height) {
      this.source = [width, height];
      [this.across, this.down] = [this.boxes(width, this.width), this.boxes(height, this.height)];
      this.rows = new Float32Array(3 * this.width * height);
    }
    let began = performance.now();
    const fetched = picture.copyTo ? this.frame(picture) : this.bitmap(picture, width, height);
    this.spent_ms = performance.now() - began; // what is waited for costs this thread nothing
    await fetched;
    began = performance.now();
    this.narrow(width, height);
    const rgb = this.shorten();
    this.spent_ms += performance.now() - began;
    return rgb;
  }

  /** Fetch the pixels of a frame of video. */
  async frame(picture) {
    const { format } = picture;
    const isPlain = /^(RGB|BGR)[AX]$/.test(format);
    const wanted = isPlain ? {} : { format: "RGBA" };
    const bytes = picture.allocationSize(wanted);
    if (this.rgba.length !== bytes) this.rgba = new Uint8Array(bytes);
    const [{ offset, stride }] = await picture.copyTo(this.rgba, wanted);
    Object.assign(this, { offset, stride, red: isPlain && format[0] === "B" ? 2 : 0 });
  }

  /** Fetch the pixels of an ImageBitmap, where the browser has no frames of video. */
  bitmap(picture, width, height) {
    const black = { alpha: false, willReadFrequently: true };
    if (!this.canvas) this.canvas = new OffscreenCanvas(width, height).getContext("2d", black);
    Object.assign(this.canvas.canvas, { width, height }); // which clears it
    this.canvas.drawImage(picture, 0, 0);
    Object.assign(this, { offset: 0, stride: 4 * width, red: 0 });
    this.rgba = this.canvas.getImageData(0, 0, width, height).data;
  }

  /** Average along each line: (height, this.width, 3). */
  narrow(width, height) {
    const { rgba, rows, across, red, offset, stride } = this;
    for (let y = 0, to = 0; y < height; y += 1) {
      const line = offset + y * stride;
      for (const { first, end, shares } of across) {
        let [r, g, b] = [0, 0, 0];
        for (let x = first, at = line + 4 * first; x < end; x += 1, at += 4) {
          const share = shares[x - first];
          r += share * rgba[at];
          g += share * rgba[at + 1];
          b += share * rgba[at + 2];
        }
        rows[to + red] = r;
        rows[to + 1] = g;
        rows[to + 2 - red] = b;
        to += 3;
      }
    }
  }

  /** Average the lines: (this.height, this.width, 3), rounded. */
  shorten() {
    const { rows, down } = this;
    const wide = 3 * this.width;
    const rgb = new Uint8Array(wide * this.height);
    const sums = new Float64Array(wide);
    down.forEach(({ first, end, shares }, k) => {
      sums.fill(0.5);
      for (let y = first; y < end; y += 1) {
        for (let at = 0, from = y * wide; at < wide; at += 1) sums[at] += shares[y - first] * rows[from + at];
      }
      rgb.set(sums, k * wide);
    });
    return rgb;
  }
}
