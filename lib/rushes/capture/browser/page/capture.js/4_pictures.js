/* ---- pictures: copied in their animation frame, read and averaged in a worker ---- */

const SLOTS = 4; // pictures that the worker has

/** What the worker runs; pictures are read one after the other. */
function work(Card, Processor) {
  let [pictures, before] = [null, Promise.resolve()];
  const answer = async ({ number, picture }) => {
    if (pictures.gl?.isContextLost()) pictures = new Processor(pictures.width, pictures.height);
    try {
      const rgb = await pictures.read(picture);
      self.postMessage({ number, rgb }, [rgb.buffer]);
    } catch (error) {
      self.postMessage({ number, error: String(error) });
    }
  };
  self.onmessage = ({ data }) => {
    if (data.picture) before = before.then(() => answer(data));
    else {
      pictures = Card.make(data.width, data.height) ?? new Processor(data.width, data.height);
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
    const address = URL.createObjectURL(new Blob([`(${work})(${Card}, ${Processor})`], { type: "text/javascript" }));
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
      this.here = Card.make(this.width, this.height) ?? new Processor(this.width, this.height);
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
        .then((rgb) => this.settle(number, rgb, this.here.spent_ms), fail);
    }
    return true;
  }

  settle(number, rgb, cost = 0) {
    const got = this.waiting.get(number);
    this.waiting.delete(number);
    got(rgb, cost);
  }
}
