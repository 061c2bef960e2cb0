/* ---- hands ---- */

const BUTTONS = ["MouseLeft", "MouseMiddle", "MouseRight", "MouseX1", "MouseX2"];

function row(t, device, control, kind, value = null, x = null, y = null, dx = null, dy = null) {
  put({ t, row: [t, device, control, kind, value, x, y, dx, dy] });
}

/** Whether a key goes into a field, also one of a component with a tree of its own. */
function isTyping(event) {
  const fields = "input, textarea, select, [contenteditable]";
  return event.composedPath().some((part) => part instanceof Element && part.matches(fields));
}

function edge(t, device, control, isDown, x, y) {
  if (!play.layout.has(control)) {
    play.lost += play.state === "recording";
    return;
  }
  if (Boolean(play.down.get(control)) === isDown) return; // repeated by the keyboard
  play.down.set(control, isDown ? device : "");
  if (play.state !== "recording") return;
  play.told.set(control, isDown ? device : "");
  row(t, device, control, isDown ? "press" : "release", Number(isDown), x, y);
}

/** Say what is down and was not told: it was pressed or let go while nothing was recorded. */
function tellState(t) {
  for (const [control, device] of play.down) {
    if (Boolean(device) === Boolean(play.told.get(control))) continue;
    row(t, device || play.told.get(control), control, "state", Number(Boolean(device)));
    play.told.set(control, device);
  }
}

function place(event) {
  if (document.pointerLockElement || !play.canvas) return [null, null];
  const box = play.canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function moved(event) {
  if (event.pointerType !== "mouse" || play.state !== "recording" || !play.layout.has("MouseDX")) return;
  const parts = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  const sums = parts.reduce((sum, e) => [sum[0] + e.movementX, sum[1] + e.movementY], [0, 0]);
  const whole = parts.length && sums[0] === event.movementX && sums[1] === event.movementY ? parts : [event];
  for (const e of whole) {
    if (e.movementX || e.movementY) row(e.timeStamp, "mouse", "Mouse", "move", null, ...place(e), e.movementX, e.movementY);
  }
}

function listen() {
  const on = (name, act) => window.addEventListener(name, act, { capture: true, passive: true });
  for (const [name, isDown] of [["keydown", true], ["keyup", false]]) {
    on(name, (event) => {
      if (event.repeat || (isDown && isTyping(event))) return;
      edge(event.timeStamp, "keyboard", event.code, isDown);
    });
  }
  for (const [name, isDown] of [["mousedown", true], ["mouseup", false]]) {
    on(name, (event) => {
      if (event.button in BUTTONS) edge(event.timeStamp, "mouse", BUTTONS[event.button], isDown, ...place(event));
    });
  }
  on("pointermove", moved);
  on("wheel", (event) => {
    if (play.state !== "recording") return;
    const notches = [["MouseWheel", event.wheelDeltaY / 120], ["MouseWheelX", -event.wheelDeltaX / 120]];
    for (const [control, value] of notches) {
      if (value && play.layout.has(control)) row(event.timeStamp, "mouse", control, "scroll", value);
    }
  });
  on("blur", (event) => {
    if (event.target !== window) return;
    for (const [control, device] of play.down) if (device) edge(performance.now(), device, control, false);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && play.state === "recording") {
      gap("hidden");
      flush(true);
      become("hidden");
    } else if (!document.hidden && play.state === "hidden") {
      become("recording");
    }
  });
  window.addEventListener("pagehide", () => {
    giveUp();
    play.leaves = true; // it is hidden next, for good
  });
  window.addEventListener("pageshow", () => {
    play.leaves = false;
  });
}
