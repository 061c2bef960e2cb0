// The way to capture.js, and the play without it: every method does nothing where no recorder is in the page.
//
//   const recording = new Recording((state) => hud.showRecording(state));
//   await recording.start({ player, environment, seed }, () => sim.telemetry());
//   recording.telemetry(fields);
//   const saved = await recording.end("died");     // {name, frames, download} or null

export class Recording {
  constructor(onstate) {
    this.capture = window.rushesCapture ?? null;
    this.on = false;
    this.refusal = "";
    this.rate = 10; // pictures a second, as the recorder asks for
    this.onstate = onstate;
    if (this.capture) this.capture.onstate = () => onstate(this.state);
  }

  /** Give "off", or the state of capture.js: "joining", "recording", "paused", "hidden", "ended", "lost". */
  get state() {
    return this.on ? this.capture.state : "off";
  }

  /** Give how many pictures were taken. */
  get captured() {
    return this.on ? this.capture.figures.captured : 0;
  }

  /** Begin; where that fails the game goes on without, and `refusal` says why. */
  async start({ player, environment, seed }, onframe) {
    this.on = false;
    this.refusal = "";
    if (!this.capture) return false;
    try {
      this.on = true;
      this.capture.onframe = onframe;
      this.rate = (await this.capture.start({ player, attrs: { environment, seed } })).rate_hz;
    } catch (error) {
      this.on = false;
      this.refusal = String(error?.message ?? error).slice(0, 200);
    }
    this.onstate(this.state);
    return this.on;
  }

  /** Pass on a row that belongs to no frame. */
  telemetry(fields) {
    if (this.on) this.capture.telemetry(fields);
  }

  pause() {
    if (this.on) this.capture.pause();
  }

  resume() {
    if (this.on) this.capture.resume();
  }

  /** End it and wait until it is saved: {name, frames, download}, or null. */
  async end(reason) {
    if (!this.on) return null;
    try {
      return await this.capture.end(reason);
    } catch (error) {
      this.refusal = String(error?.message ?? error).slice(0, 200);
      return null;
    } finally {
      this.on = false;
      this.onstate(this.state);
    }
  }
}
