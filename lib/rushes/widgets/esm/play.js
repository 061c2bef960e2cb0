// Playing an environment by hand. The model holds `about` (the environments) and `look` (all that stands still for a
// moment: state, sentence, counters, bindings); pictures, sound and single steps come as messages with their bytes.
import { makeContact } from "./contact.js";
import { makeSignButton, makeChoice, makeHead, makeSaid } from "./panel.js";
import { make } from "./parts.js";
import { makeGames } from "./play_games.js";
import { listenKeys, PAGE, pageTime, PANEL_KEYS } from "./play_keys.js";
import { makePicture } from "./play_picture.js";
import { makeSide } from "./play_side.js";
import { makeSound } from "./play_sound.js";

const TWICE_MS = 1500; // two Escapes within this stop
const GOT_EVERY = 30; // pictures after which the kernel is told how far the page is: what is said holds up what comes
const SIZES = [["fit", "Fit"], ["1", "\u00d71"], ["2", "\u00d72"], ["3", "\u00d73"]];
const SLOW_MS = 50;
const GREET_MS = 1000; // a page may stand before its connection does: what it says is lost then
const BUSY = ["starting", "ending"];
const OPEN = ["ready", "playing", "paused"];

function render({ model, el }) {
  const look = () => model.get("look");
  let lost = ["", ""]; // what is said while the kernel does not answer, and its tone
  const contact = makeContact({
    model, kept: "what was played is a session with every step",
    say(...words) {
      lost = words;
      draw();
    },
  });
  const say = contact.send;
  const panel = make("div", "rushes-panel rushes-play", el);
  const frame = make("div", "rushes-frame", panel);
  const top = make("div", "rushes-play-top", frame);
  const head = makeHead(top);
  const games = makeGames(top, { games: model.get("about").games, choose: (id) => say({ do: "choose", env_id: id }) });
  const body = make("div", "rushes-play-body", frame);
  const picture = makePicture(body, shown);
  const side = makeSide(body, { control: (who) => say({ do: "control", who }) });
  const bar = make("div", "rushes-buttons", frame);
  const sound = makeSound();
  const figures = { keys: 0 };
  let last = null; // message of the picture that is shown
  let met = false; // whether the kernel has heard this page: what comes by itself says nothing of that
  let told = 0; // number of the last picture that the kernel knows to be here
  let muted = false;
  let escaped = -TWICE_MS; // when Escape was pressed last
  let scale = "fit";

  const go = makeSignButton(bar, { sign: "start", text: "Start", tone: "good", press: start });
  go.node.classList.add("rushes-play-go");
  const pause = makeSignButton(bar, { sign: "pause", text: "Pause", key: "P", press: () => say({ do: "pause" }) });
  const again = makeSignButton(bar, { sign: "again", text: "Restart", key: "R", press: () => say({ do: "restart" }) });
  const stop = makeSignButton(bar, { sign: "stop", text: "Stop", key: "Esc Esc", tone: "bad", press: () => say({ do: "stop" }) });
  const mute = makeSignButton(bar, { sign: "loud", text: "Sound", key: "M", press: toggleMute });
  const sizes = makeChoice(bar, { label: "size of the picture", options: SIZES, choose: resize });
  const option = make("label", "rushes-play-option", bar);
  const blurs = make("input", "", option);
  blurs.type = "checkbox";
  blurs.checked = true;
  option.append(" pause when left");
  option.title = "pause when the picture loses the focus";
  const said = makeSaid(frame);

  const keys = listenKeys(picture.node, {
    open: () => OPEN.includes(look().state),
    live: () => look().state === "playing",
    taken: (code) => code !== "Escape" && look().bindings.some((row) => (row.keys).includes(code)),
    edges(rows) {
      figures.keys += rows.length;
      say({ do: "keys", rows, page: PAGE });
    },
    pad(t, axes, buttons) {
      figures.keys += 1;
      say({ do: "pad", t, axes, buttons, page: PAGE });
    },
    command,
    left: () => blurs.checked && look().state === "playing" && look().who !== "policy" && say({ do: "pause" }),
    changed: () => side.light(keys.down, keys.padState()),
  });
  picture.node.setAttribute("role", "application");
  picture.node.setAttribute("aria-label", "the game: with the focus here, keys play");
  picture.node.addEventListener("mousedown", () => sound.wake());
  picture.node.addEventListener("click", () => look().state === "paused" && start());
  picture.node.addEventListener("focus", draw);
  picture.node.addEventListener("blur", draw);

  function start() {
    const { state } = look();
    sound.wake();
    picture.node.focus({ preventScroll: true });
    if (state === "paused" || state === "ready") say({ do: "resume" });
    else if (!OPEN.includes(state) && !BUSY.includes(state)) say({ do: "start", env_id: games.chosen() });
  }

  function command(name) {
    const { state } = look();
    sound.wake();
    if (name === "mute") toggleMute();
    else if (name === "go") start();
    else if (name === "pause") state === "playing" ? say({ do: "pause" }) : state === "paused" && start();
    else if (name === "restart") ["playing", "paused"].includes(state) && say({ do: "restart" });
    else if (name === "stop") escape(state);
  }

  function escape(state) {
    if (!OPEN.includes(state)) return;
    if (performance.now() - escaped < TWICE_MS) say({ do: "stop" });
    escaped = performance.now();
    setTimeout(draw, TWICE_MS + 20);
    draw();
  }

  function toggleMute() {
    muted = !muted;
    sound.wake();
    sound.mute(muted);
    draw();
  }

  function resize(next) {
    scale = next;
    picture.scale(next);
    sizes.set(next);
  }

  function shown(message) {
    last = message;
    side.count(message);
    side.who(look().who, look().policy, look().state === "playing" ? message.human : null);
  }

  // The game asks for the page's clock every second, so while there is one a silence means something.
  function hear() {
    if (!met) return;
    contact.heard();
    if (OPEN.includes(look().state)) contact.expect();
  }

  function greet() {
    if (met) clearInterval(greeting);
    else say({ do: "hello", page: PAGE });
  }

  function receive(message, buffers) {
    if (!met && message.is === "met") {
      met = true;
      draw();
    }
    hear();
    if (message.is === "frame") {
      if (message.sent < told || message.sent >= told + GOT_EVERY) say({ do: "got", sent: (told = message.sent) });
      picture.receive(message, buffers[0]);
    }
    if (message.is === "sound") sound.feed(message.rate, message.channels, buffers[0]);
    else if (message.is === "sync") say({ do: "sync", s: message.s, c: pageTime(), page: PAGE });
  }

  function draw() {
    const now = look();
    const here = contact.state() === "live" && met;
    const open = OPEN.includes(now.state) && here;
    const stopping = performance.now() - escaped < TWICE_MS && open;
    head.set(here ? now.state : contact.state() === "live" ? "connecting" : "lost", now.seconds, now.subject);
    games.set(now.env_id, open || BUSY.includes(now.state) || !here);
    side.bind(now.bindings);
    side.who(now.who, now.policy, here && now.state === "playing" && last ? last.human : null);
    if (!last) side.count({});
    side.figures.set(rows(now));
    said.set(...(contact.state() === "live" ? [now.said, now.tone] : lost));
    const texts = { paused: "Go on", ready: "Start", ended: "New session", failed: "Try again" };
    go.set({
      sign: now.state === "paused" ? "go" : "start", text: texts[now.state] || "Start",
      off: now.state === "playing" || BUSY.includes(now.state) || !here,
    });
    pause.set({ off: now.state !== "playing" || !here });
    again.set({ off: !open || now.state === "ready" });
    stop.set({ off: !open });
    mute.set({ sign: muted ? "mute" : "loud", text: muted ? "Muted" : "Sound", off: !now.can_hear });
    const focused = document.activeElement === picture.node;
    if (now.state === "paused" && panel.dataset.state === "playing") keys.again();
    panel.dataset.state = now.state;
    if (contact.state() !== "live") picture.veil("No kernel", "the sentence below says what to do");
    else if (!met) picture.veil("Connecting");
    else if (stopping) picture.veil("Esc again stops", "the session ends and is sealed");
    else if (now.state === "paused") picture.veil("Paused", "P or a click here goes on");
    else if (now.state === "playing" && !focused && now.who !== "policy") picture.veil("Click here to play", "keys go to the game while the picture has the focus");
    else if (now.state === "starting") picture.veil("Starting", now.subject);
    else if (now.state === "off") picture.veil("Press Start", "then play with the keyboard or a gamepad");
    else if (now.state === "ended") picture.veil("Ended", "the session is sealed");
    else if (now.state === "failed") picture.veil("Failed", "the sentence below says why");
    else picture.veil("");
  }

  function renew() {
    hear();
    draw();
  }

  function rows({ status }) {
    const some = (value, places, unit) => (value === null || value === undefined ? "\u2013" : `${value.toFixed(places)}${unit}`);
    const [middle, most] = status.latency_ms || [null, null];
    return [
      ["steps a second", some(status.rate_hz, 1, "")],
      ["pictures shown a second", look().state === "playing" && picture.figures.per_s ? String(picture.figures.per_s) : "\u2013"],
      ["key to step, median / 95 %", most === null ? "\u2013" : `${middle.toFixed(0)} / ${most.toFixed(0)} ms`, most > SLOW_MS ? "warn" : ""],
      ["late steps / hold-ups", status.late === undefined ? "\u2013" : `${status.late} / ${status.stalls}`, status.late || status.stalls ? "warn" : ""],
      ["steps recorded", status.steps === undefined ? "\u2013" : status.steps.toLocaleString("en")],
      ["gamepad", keys.padName() ? keys.padName().replace(/\s*\(.*$/, "").slice(0, 22) : "none"],
    ];
  }

  model.on("msg:custom", receive);
  model.on("change:look", renew);
  el.rushes = {
    figures: new Proxy(figures, { get: (own, name) => (name in own ? own[name] : picture.figures[name]) }),
    sound: sound.figures,
    state: () => ({ ...look(), number: last && last.number, down: [...keys.down], own_keys: PANEL_KEYS, muted, scale }),
    message: () => last,
    pixels: picture.pixels,
  };
  resize("fit");
  draw();
  const greeting = setInterval(greet, GREET_MS);
  greet();
  contact.expect();
  return () => {
    clearInterval(greeting);
    model.off("msg:custom", receive);
    model.off("change:look", renew);
    contact.dispose();
    keys.close();
    picture.close();
    sound.close();
  };
}

export default { render };
