// The recorder's panel. The model holds `look` (state, counters, sentence, what can be pressed) and `picture` (a JPEG
// file, a few a second); the buttons say {do: "start" | "pause" | "stop"}.
import { makeContact } from "./contact.js";
import { makeSignButton, makeFigures, makeHead, makeSaid } from "./panel.js";
import { make } from "./parts.js";
import { makeStage } from "./stage.js";

const PICTURE = { width: 480, height: 270 };

function render({ model, el }) {
  let lost = ["", ""]; // what is said while the kernel does not answer, and its tone
  const contact = makeContact({
    model, kept: "what was recorded is a session",
    say(...words) {
      lost = words;
      draw();
    },
  });
  const say = (name) => () => contact.send({ do: name });
  const panel = make("div", "rushes-panel rushes-record-panel", el);
  const frame = make("div", "rushes-frame", panel);
  const head = makeHead(frame);
  const body = make("div", "rushes-record-body", frame);
  const room = make("div", "rushes-picture", body);
  const stage = makeStage(room, { ...PICTURE, label: "what the recorder sees" });
  const veil = make("span", "rushes-record-veil", room);
  const figures = makeFigures(body, "counters");
  const bar = make("div", "rushes-buttons", frame);
  const start = makeSignButton(bar, { sign: "start", text: "Start", tone: "good", press: say("start") });
  const pause = makeSignButton(bar, { sign: "pause", text: "Pause", press: say("pause") });
  const stop = makeSignButton(bar, { sign: "stop", text: "Stop", tone: "bad", press: say("stop") });
  const said = makeSaid(frame);
  for (const { node } of [start, pause, stop]) node.dataset.wide = "true";
  let kept = null;
  let shown = 0;
  let closed = false;

  function draw() {
    const look = model.get("look");
    figures.set(look.rows);
    const here = contact.state() === "live";
    const can = here ? look.can : [];
    head.set(here ? look.state : "lost", look.seconds, look.subject);
    said.set(...(here ? [look.said, look.tone] : lost));
    start.set({ sign: look.state === "paused" ? "go" : "start", text: look.start, off: !can.includes("start") });
    pause.set({ off: !can.includes("pause") });
    stop.set({ off: !can.includes("stop") });
    cover();
  }

  function cover() {
    const waits = model.get("look").state === "off" ? "no picture yet" : "waiting for the first picture";
    const text = model.get("picture").byteLength ? "" : waits;
    veil.hidden = !text;
    if (veil.textContent !== text) veil.textContent = text;
  }

  async function show() {
    const file = model.get("picture");
    cover();
    if (!file.byteLength) return;
    const bitmap = await createImageBitmap(new Blob([file], { type: "image/jpeg" })).catch(() => null);
    if (!bitmap || closed) return;
    stage.show(bitmap);
    if (kept) kept.close();
    kept = bitmap;
    shown += 1;
  }

  const fit = () => stage.resize(room.clientWidth || PICTURE.width, room.clientHeight || PICTURE.height, { fixed: true });
  const watcher = new ResizeObserver(fit);
  watcher.observe(room);
  // While it records the counters change five times a second, so a silence means something.
  function renew() {
    contact.heard();
    if (model.get("look").state === "recording") contact.expect();
    draw();
  }

  model.on("change:look", renew);
  model.on("change:picture", show);
  el.rushes = { state: () => ({ ...model.get("look"), shown }), pixels: () => stage.pixels() };
  fit();
  draw();
  show();
  return () => {
    closed = true;
    watcher.disconnect();
    model.off("change:look", renew);
    contact.dispose();
    model.off("change:picture", show);
  };
}

export default { render };
