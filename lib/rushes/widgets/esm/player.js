// The player: one or two sources, the hands, a timeline, marks and files. The kernel has the session; this page asks it
// for pictures, rows and lines and says what a person does. `el.rushes` has the figures, for tests and benchmarks.
import { clamp, keepFile, make, makeButton, makeColours, readTime, timeWords } from "./parts.js";
import { makeAsk } from "./ask.js";
import { makeContact, makeRender } from "./contact.js";
import { makeMarkBar, makeTransportBar } from "./controls.js";
import { helpGroups, makeKeys } from "./keys.js";
import { makeMarking, newsOf } from "./marking.js";
import { makeOverlay, PLACES } from "./overlay.js";
import { makePlayerSound } from "./player_sound.js";
import { makeStage } from "./stage.js";
import { makeTimeline } from "./timeline.js";
import { makeViewing } from "./viewing.js";
import { captionWords, segmentWords, soundWords, sourceWords } from "./words.js";

const GAP_PX = 14;
const SIDE_PX = 700; // from this width on the hands stand beside the picture
const TALLEST = 760;
const OFFSET_REST_MS = 60;
const SHARE = 0.55; // of the window's height, for the picture

const render = makeRender(build, ["facts", "offset"]);

function build(model, el) {
  const about = { ...model.get("about") };
  el.replaceChildren();
  const root = make("div", "rushes-player", el);
  root.tabIndex = 0;
  root.dataset.lmSuppressShortcuts = "true";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `player: ${about.title ?? ""}`);
  if (!about.sources?.length || !about.sources[0].frames) {
    make("p", "rushes-empty", root, "There is no picture in this source.");
    return { dispose() {}, renew() {} };
  }
  const contact = makeContact({ model, say });
  const { send } = contact;
  const theme = makeColours(root, () => redraw());
  theme.read();

  const head = make("div", "rushes-player-head", root);
  make("b", "rushes-title", head, about.title ?? "").title = about.title ?? "";
  make("span", "rushes-facts", head, about.sources.length > 1 ? "" : sourceWords(about.sources[0]));
  const view = make("div", "rushes-view", root);
  const takes = about.sources.map((source) => {
    const node = make("figure", "rushes-take", view);
    const { width, height } = source;
    const stage = makeStage(node, { width, height, label: `picture of ${source.name}` });
    const words = about.sources.length > 1 ? make("figcaption", "", node) : null;
    return { node, stage, words, source };
  });
  const stages = takes.map(({ stage }) => stage);

  const viewing = makeViewing({ model, send, about, stages, changed });
  const timeOf = (frame) => 1e9 * (frame >= about.sources[0].frames ? about.sources[0].t1_ns / 1e9 : viewing.rows[0].time(frame));
  const ask = makeAsk(root);
  const marking = makeMarking({ model, send, viewing, ask, say, changed: () => showMarks() });
  const jump = (kind, direction) => () => send({ do: "next", frame: viewing.state.frame, kind, direction });
  const by = (count) => () => viewing.go(viewing.state.frame + count);
  const chosen = () => marking.selection() ?? [viewing.state.frame, viewing.state.frame + 1];
  const actions = {
    toggle: () => viewing.play(!viewing.state.playing),
    pause: () => viewing.play(false),
    shuttle: () => viewing.shuttle(1),
    shuttleBack: () => viewing.shuttle(-1),
    back: by(-1), on: by(1), back10: by(-10), on10: by(10),
    first: () => viewing.go(0),
    last: () => viewing.go(about.sources[0].frames - 1),
    event: jump("event", 1), eventBack: jump("event", -1),
    finding: jump("finding", 1), findingBack: jump("finding", -1),
    mark: () => marking.meet(1) || jump("mark", 1)(), markBack: () => marking.meet(-1) || jump("mark", -1)(),
    selectStart: marking.start, selectStop: marking.stop, unselect: marking.clear,
    invalid: marking.invalid, valid: marking.valid, label: marking.label, unmark: marking.unmark,
    zoomIn: () => timeline.zoom(0.6), zoomOut: () => timeline.zoom(1 / 0.6), zoomAll: () => timeline.zoom(1e9),
    overlay: nextPlace,
    sound: () => (about.sound?.length ? sound.next() : say("There is no sound in this source.", "plain")),
    clip() {
      const [start, stop] = chosen();
      if (stop - start < 2) say("Select frames first: [ at the start, ] at the end.", "plain");
      else {
        say("The clip is being made \u2026", "plain");
        send({ do: "clip", start, stop });
      }
    },
    still: () => send({ do: "still", frame: viewing.state.frame }),
    link: () => send({ do: "link", frame: viewing.state.frame }),
    help: () => ask.tell("Shortcuts", helpGroups()),
    go: askWhere,
  };
  const hooks = {
    speed: viewing.speed,
    // said and not set: what is set waits while the kernel is busy, and what is said would overtake it
    offset(ms, what = "offset", after = OFFSET_REST_MS) {
      clearTimeout(moving);
      const ticket = (tried.asked += 1);
      moving = setTimeout(() => send({ do: what, ms, ticket }), after);
    },
    saveOffset: (ms) => hooks.offset(ms, "save_offset", 0),
    focused: () => root.contains(document.activeElement),
    scrub: (ns, held) => viewing.go(viewing.rows[0].at(ns / 1e9), { scrub: held }),
    select(a, b) {
      const [from, to] = [Math.min(a, b), Math.max(a, b)].map((ns) => viewing.rows[0].at(ns / 1e9));
      marking.select([from, to + 1]);
    },
    words: ({ mark, finding, fact }) =>
      mark ? mark.text : finding ? `${finding.severity}: ${finding.sentence}` : `${fact.kind}: ${fact.text}`,
    meet({ mark, finding, fact }) {
      if (mark) marking.choose(mark.mark);
      else if (finding) meetFinding(finding);
      else {
        const now = timeOf(viewing.state.frame); // one that holds here does not lead away
        if (now < fact.t_start_ns || now >= fact.t_end_ns) viewing.go(viewing.rows[0].at(fact.t_start_ns / 1e9));
        say(`${fact.kind}: ${fact.text}`, "plain");
      }
    },
  };
  const overlay = makeOverlay({ about, view, stages, theme });
  const bar = makeTransportBar(root, { head, about, actions, hooks });
  const timeline = makeTimeline({ parent: root, about, theme, send, tickets: viewing.tickets, timeOf, actions, hooks });
  const sound = makePlayerSound({ about, send, heard: viewing.heard, changed: heardNow });
  const markBar = makeMarkBar(root, { about, actions, hooks });
  const status = make("div", "rushes-status", root);
  status.setAttribute("role", "status");
  const said = make("span", "", status);
  make("span", "rushes-hint", said, "Space plays, the arrow keys step, ? shows all shortcuts.");
  makeKeys(root, actions);
  root.addEventListener("pointerdown", (event) => {
    // a click gives the shortcuts to the player, but not from a field or the sheet that is open
    if (!ask.open && !event.target.closest("input, select, label")) root.focus({ preventScroll: true });
  });

  function say(text, tone = "ok", button = null) {
    status.dataset.tone = tone;
    status.querySelector("button")?.remove();
    said.textContent = text;
    said.title = text;
    if (button) makeButton(status, { text: button.text, label: button.text, press: button.press });
  }

  function meetFinding(finding) {
    viewing.go(finding.frame ?? viewing.rows[0].at(finding.t_ns / 1e9));
    say(`${finding.severity}: ${finding.sentence}`, /fail|error/i.test(finding.severity) ? "bad" : "plain");
  }

  function askWhere() {
    ask.ask({
      title: "Go to", button: "Go",
      fields: [{ name: "where", label: "frame, or time as 1:23.5", value: String(viewing.state.frame) }],
      done({ where }) {
        const text = where.trim();
        const seconds = /[:.]/.test(text) ? readTime(text) : null;
        if (seconds === null && !/^\d+$/.test(text)) return `"${text}" is neither a frame nor a time.`;
        const { frames, t1_ns } = about.sources[0];
        if (seconds === null ? Number(text) >= frames : seconds > t1_ns / 1e9)
          return `"${text}" is behind the end: frame ${frames - 1}, ${timeWords(t1_ns / 1e9)}.`;
        viewing.go(seconds === null ? Number(text) : viewing.rows[0].at(seconds));
        return "";
      },
    });
  }

  function heardNow(stream) {
    bar.sound(stream);
    say(soundWords(stream), "plain");
  }

  function nextPlace() {
    overlay.set(PLACES[(PLACES.indexOf(overlay.place) + 1) % PLACES.length]);
    bar.place(overlay.place);
    layout();
  }

  function changed(what) {
    const { state } = viewing ?? {};
    if (!state || !overlay) return;
    if (what === "playing") bar.playing(state.playing);
    if (what === "playing") sound.listen();
    if (what === "playing" || what === "speed") bar.speed(state.speed, state.direction);
    const seconds = viewing.rows[0].time(state.frame);
    bar.read(state.frame, seconds, segmentWords(about, state.frame));
    timeline.move(state.frame, seconds * 1e9, `frame ${state.frame}, ${seconds.toFixed(2)} s`);
    overlay.show(viewing.row());
    takes.forEach(({ words, source }, k) => {
      if (words) words.title = words.textContent = captionWords(source, viewing.numbers()[k]);
    });
  }

  function showMarks() {
    timeline.marks(marking.drawn(timeOf));
    timeline.select(marking.selection());
    markBar.select(marking.selection());
  }

  const tried = { asked: 0, heard: 0 }; // corrections of this page: until the kernel has the last, the slider is the hand's
  let [width, moving, marked] = [0, 0, model.get("marks") ?? []];
  function layout() {
    const inner = root.clientWidth - 24;
    if (inner < 40) return;
    root.dataset.size = inner < 760 ? "narrow" : inner < 1240 ? "middle" : "wide";
    const two = takes.length > 1;
    const most = clamp(SHARE * window.innerHeight, 220, TALLEST);
    const side = overlay.place === "beside" && !two && inner >= SIDE_PX;
    const room = two ? Math.floor((inner - GAP_PX - 1) / 2) : side ? inner - overlay.least - GAP_PX : inner;
    const sizes = stages.map((stage) => stage.resize(room, most));
    view.dataset.mode = side ? "side" : "below";
    if (side) {
      const rest = inner - sizes[0].width - GAP_PX;
      overlay.resize(rest, Math.max(sizes[0].height, overlay.tall(rest)));
    } else if (overlay.place === "beside") overlay.resize(inner, overlay.tall(inner));
    overlay.draw();
    timeline.resize(inner);
  }

  function redraw() {
    overlay?.draw();
    timeline?.redraw();
  }

  function hear(message, buffers) {
    contact.heard();
    viewing.take(message, buffers ?? []);
    if (message.is === "lines") timeline.take(message);
    if (message.is === "offset" || (message.is === "refused" && message.to.endsWith("offset"))) {
      tried.heard = Math.max(tried.heard, message.ticket ?? tried.asked);
      moveInputs(message.ms);
    }
    if (message.is === "frame" && (message.source === 1 || message.why === "match")) viewing.matched(message);
    else if (message.is === "frame") {
      viewing.go(message.frame);
      if (message.why) say(message.why, "plain");
    }
    if (message.is === "file") keepFile(message, buffers[0]);
    if (message.is === "sound") sound.take(message, buffers[0]);
    if (message.is === "said") say(message.text, message.tone);
    if (message.is === "said" && message.link) navigator.clipboard?.writeText(message.link).catch(() => {});
    if (message.is === "refused") say(`${message.given}; accepted: ${message.accepts}. To mend it: ${message.fix}.`, "bad");
  }

  const moveInputs = (ms = model.get("offset_ms") ?? 0) => {
    if (tried.heard < tried.asked) return;
    markBar.offset?.set(ms);
    viewing.rows[0].renew(viewing.state.frame);
    timeline.again();
  };
  const followMarks = () => {
    const before = marked;
    marked = model.get("marks") ?? [];
    const news = newsOf(before, marked, chosen());
    if (news) say(news);
    showMarks();
  };
  const follow = { "msg:custom": hear, "change:marks": followMarks, "change:selection": showMarks, "change:offset_ms": () => moveInputs() };
  for (const [name, act] of Object.entries(follow)) model.on(name, act);
  const watch = new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    layout();
  });
  watch.observe(root);

  markBar.offset?.set(model.get("offset_ms") ?? 0);
  bar.playing(false);
  bar.speed(viewing.state.speed, 1);
  layout();
  showMarks();
  viewing.begin();

  el.rushes = {
    figures: viewing.figures, sound: sound.figures,
    state: () => ({
      ...viewing.state, shown: viewing.numbers(), exact: viewing.exact(), selection: marking.selection(),
      overlay: overlay.place, kernel: contact.state(), row: viewing.row(), view: timeline.view(), bytes: viewing.reels.map((reel) => reel.bytes()),
    }),
    pixels: (source = 0) => stages[source].pixels(),
    go: viewing.go, play: viewing.play,
  };
  return {
    renew(next) {
      Object.assign(about, next);
      markBar.offset?.keep(about.offset);
      timeline.redraw();
    },
    dispose() {
      clearTimeout(moving);
      for (const [name, act] of Object.entries(follow)) model.off(name, act);
      watch.disconnect();
      contact.dispose();
      theme.dispose();
      sound.dispose();
      viewing.dispose();
    },
  };
}

export default { render };
