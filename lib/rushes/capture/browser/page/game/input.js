// What the player holds down and how far the mouse went since the last step of the game.
//
//   const input = new Input(canvas, { active: () => playing });
//   input.take();    // {keys: Set of W3C codes and MouseLeft, MouseRight, dyaw, dpitch}; the motion is used up
//
// The mouse turns the view while it is locked to the canvas; where it cannot be locked (a play by script), its motion
// over the page does. Nothing is taken while the player writes into a field.

const PER_PIXEL = 0.002; // radians
const BUTTONS = { 0: "MouseLeft", 1: "MouseMiddle", 2: "MouseRight" };
const OURS = new Set(["KeyW", "KeyA", "KeyS", "KeyD", "Space", "KeyE", "KeyR", "KeyF"]);

export class Input {
  constructor(canvas, { active, onlock = () => {} }) {
    this.canvas = canvas;
    this.keys = new Set();
    this.motion = [0, 0]; // px
    this.free = false; // whether motion counts without a lock
    const writing = (event) => event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
    window.addEventListener("keydown", (event) => {
      if (!active() || writing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!OURS.has(event.code)) return;
      event.preventDefault();
      this.keys.add(event.code);
    });
    window.addEventListener("keyup", (event) => this.keys.delete(event.code));
    canvas.addEventListener("mousedown", (event) => {
      if (!active()) return;
      if (this.free || this.locked) this.keys.add(BUTTONS[event.button] ?? "MouseOther");
      if (!this.locked) this.lock();
    });
    window.addEventListener("mouseup", (event) => this.keys.delete(BUTTONS[event.button] ?? "MouseOther"));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    window.addEventListener("mousemove", (event) => {
      if (!active() || !(this.free || this.locked)) return;
      this.motion[0] += event.movementX;
      this.motion[1] += event.movementY;
    });
    window.addEventListener("blur", () => this.release());
    document.addEventListener("pointerlockchange", () => {
      if (this.locked) this.free = false;
      onlock(this.locked);
    });
  }

  /** Say whether the mouse is locked to the canvas. */
  get locked() {
    return document.pointerLockElement === this.canvas;
  }

  /** Ask for the mouse; where it is refused, its motion counts without. */
  lock() {
    try {
      Promise.resolve(this.canvas.requestPointerLock()).catch(() => {
        this.free = true;
      });
    } catch {
      this.free = true;
    }
  }

  /** Let go of everything. */
  release() {
    this.keys.clear();
    this.motion = [0, 0];
  }

  /** Give the input of the next step. */
  take() {
    const [dx, dy] = this.motion;
    this.motion = [0, 0];
    return { keys: this.keys, dyaw: -dx * PER_PIXEL, dpitch: -dy * PER_PIXEL };
  }
}
