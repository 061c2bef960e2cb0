/* ---- pictures: copied in their animation frame, read and averaged in a worker ---- */

const SLOTS = 4; // pictures that the worker has

/** Averages on the graphics card where there is one and as long as it can, else on the processor. */
class Reader {
  constructor(width, height) {
    Object.assign(this, { width, height, by: Card.make(width, height) ?? new Processor(width, height) });
  }

  /** Average what `copy` made, and close it; a Promise of RGB, top row first. */
  async read(picture) {
    try {
      return await this.by.read(picture);
    } catch (error) {
      if (this.by instanceof Processor) throw error;
      this.by = new Processor(this.width, this.height); // the card is gone, or the canvas is larger than a texture
      return await this.by.read(picture);
    } finally {
      picture.close();
    }
  }
}

/** What the worker runs beside these three; pictures are read one after the other. */
function work() {
  let [reader, before] = [null, Promise.resolve()];
  const answer = async ({ number, picture }) => {
    try {
      const rgb = await reader.read(picture);
      self.postMessage({ number, rgb }, [rgb.buffer]);
    } catch (error) {
      self.postMessage({ number, error: String(error) });
    }
  };
  self.onmessage = ({ data }) => {
    if (data.picture) before = before.then(() => answer(data));
    else {
      reader = new Reader(data.width, data.height);
      self.postMessage({ ready: true });
    }
  };
}

/** Copy a canvas now, for another thread: what is transparent is black. A frame of video costs the game least, if there are such. */
async function copy(canvas) {
  if (window.VideoFrame) return new VideoFrame(canvas, { timestamp: 0, alpha: "discard" });
  return createImageBitmap(canvas, { premultiplyAlpha: "premultiply", colorSpaceConversion: "none" });
}

/** Pictures that are read elsewhere: `take(canvas, got)` copies now, and calls got(rgb or null, ms of this thread) later. */
class Away {
  constructor(width, height) {
    Object.assign(this, { width, height, waiting: new Map(), number: 0, worker: null, here: null, before: Promise.resolve() });
  }

  /** Begin the worker; where there can be none, pictures are averaged on the page's own thread. */
  async begin() {
    const text = [Card, Processor, Reader, `(${work})();`].join("\n");
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      const worker = new Worker(address);
      const began = new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = (event) => reject(new Error(event.message || "no worker may run here"));
      });
      worker.postMessage({ width: this.width, height: this.height });
      await began;
      worker.onmessage = ({ data }) => this.settle(data.number, data.rgb || null);
      this.worker = worker;
    } catch {
      this.here = new Reader(this.width, this.height);
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Say whether the picture is taken; it is not where enough of them are away. */
  take(canvas, got) {
    if (this.waiting.size >= SLOTS) return false;
    const number = (this.number += 1);
    this.waiting.set(number, got);
    const copied = copy(canvas); // now; what comes later may wait
    const fail = () => this.settle(number, null);
    if (this.worker) copied.then((picture) => this.worker.postMessage({ number, picture }, [picture])).catch(fail);
    else {
      this.before = Promise.all([copied, this.before])
        .then(([picture]) => this.here.read(picture))
        .then((rgb) => this.settle(number, rgb, this.here.by.spent_ms), fail);
    }
    return true;
  }

  settle(number, rgb, cost = 0) {
    const got = this.waiting.get(number);
    this.waiting.delete(number);
    got(rgb, cost);
  }
}
