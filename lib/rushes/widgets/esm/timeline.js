// The timeline: what stretch is looked at (wheel and + - zoom, dragging pans), where the play head stands, and what a
// click means: on the ruler it seeks and dragging scrubs, on a mark, a finding or a fact it says what that is.
import { clamp, fitCanvas, make, makeButton, timeWords, wheelSteps } from "./parts.js";
import { drawLane, drawMarks, drawNotes, drawRuler, drawSegments, laneHeight, nsOf, NOTES, rowOf, RULER, stackMarks, STRIP, xOf } from "./lanes.js";

const ASK_MS = 70;
const AGAIN_MS = 3000;
const SHORTEST_NS = 2e7;

export function makeTimeline({ parent, about, theme, send, tickets, timeOf, actions, hooks }) {
  const source = about.sources[0];
  const whole = {
    from: Math.min(source.t0_ns, ...about.segments.map((s) => s.t_start_ns)),
    to: Math.max(source.t1_ns, source.t0_ns + 1, ...about.segments.map((s) => s.t_end_ns)),
  };
  const lanes = about.lanes ?? [];
  const hasNotes = about.can_mark || (about.findings ?? []).length + (about.facts ?? []).length > 0; // facts can come
  const headHeight = RULER + STRIP + (hasNotes ? NOTES : 0);
  const bodyHeight = lanes.reduce((sum, lane) => sum + laneHeight(lane.kind) + 2, 0);

  const root = make("div", "rushes-timeline", parent);
  root.tabIndex = 0;
  root.setAttribute("role", "slider");
  root.setAttribute("aria-label", "timeline");
  root.setAttribute("aria-valuemin", "0");
  root.setAttribute("aria-valuemax", String(source.frames - 1));
  const head = make("canvas", "rushes-timeline-head", root);
  const scroller = make("div", "rushes-timeline-lanes", root);
  const body = make("canvas", "", scroller);
  scroller.hidden = !lanes.length;
  const chosen = make("div", "rushes-timeline-selection", root);
  const hover = make("div", "rushes-timeline-hover", root);
  const line = make("div", "rushes-timeline-playhead", root);
  const foot = make("div", "rushes-timeline-foot", parent);
  makeButton(foot, { sign: "minus", label: "zoom the timeline out", keys: "-", press: actions.zoomOut });
  makeButton(foot, { sign: "plus", label: "zoom the timeline in", keys: "+", press: actions.zoomIn });
  const bar = make("div", "rushes-timeline-overview", foot);
  bar.title = "the stretch that is shown of the whole; drag to move it";
  const thumb = make("div", "", bar);
  const dot = make("i", "", bar);

  const across = { left: 84, width: 400, from: whole.from, to: whole.to };
  let [width, given, marks, selection, now, timer, queued] = [0, null, [], null, whole.from, 0, 0];

  function draw() {
    queued = 0;
    if (!width) return;
    const colours = theme.colours;
    const pen = fitCanvas(head, width, headHeight);
    drawRuler(pen, across, colours);
    drawSegments(pen, across, RULER, about.segments, colours);
    drawMarks(pen, across, RULER, marks, colours);
    if (hasNotes) drawNotes(pen, across, RULER + STRIP, about.findings ?? [], about.facts ?? [], colours);
    pen.clearRect(0, 0, across.left - 1, headHeight);
    gutter(pen, colours, [["marks", RULER + STRIP / 2 - 1], ...(hasNotes ? [["findings", RULER + STRIP + NOTES / 2]] : [])]);
    if (lanes.length) drawBody(colours);
    place();
  }

  function gutter(pen, colours, names) {
    pen.font = `11px ${colours.font}`;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    pen.fillStyle = colours.muted;
    for (const [name, y] of names) pen.fillText(name, across.left - 8, y, across.left - 10);
  }

  function drawBody(colours) {
    const pen = fitCanvas(body, width, bodyHeight);
    let top = 0;
    const names = [];
    for (const { name, kind } of lanes) {
      const height = laneHeight(kind);
      pen.fillStyle = colours.rule;
      pen.globalAlpha = 0.6;
      pen.fillRect(across.left, top + height, across.width, 1);
      pen.globalAlpha = 1;
      const found = given?.lanes.find((lane) => lane.name === name && lane.kind === kind);
      if (found) drawLane(pen, across, top, found, given, colours);
      names.push([name.replace(/^.*\//, "").replace(/^(Key|Digit)(?=.$)/, ""), top + height / 2]);
      top += height + 2;
    }
    gutter(pen, colours, names);
  }

  function place() {
    const x = clamp(xOf(across, now), across.left - 2, across.left + across.width + 2);
    line.style.transform = `translateX(${x.toFixed(2)}px)`;
    line.hidden = now < across.from || now > across.to;
    dot.style.transform = `translateX(${(((now - whole.from) / (whole.to - whole.from)) * across.width).toFixed(1)}px)`;
  }

  function placeSelection() {
    chosen.hidden = !selection;
    if (!selection) return;
    const a = clamp(xOf(across, timeOf(selection[0])), across.left, across.left + across.width);
    const b = clamp(xOf(across, timeOf(selection[1])), across.left, across.left + across.width);
    Object.assign(chosen.style, { left: `${a}px`, width: `${Math.max(1, b - a)}px` });
  }

  function redraw() {
    if (!queued) queued = requestAnimationFrame(draw);
  }

  function ask(left = 4, after = ASK_MS) {
    clearTimeout(timer);
    if (!lanes.length) return;
    timer = setTimeout(() => {
      const px = Math.max(16, Math.round(across.width));
      send({ do: "lines", ticket: tickets.now(), from_ns: Math.round(across.from), to_ns: Math.round(across.to), px });
      if (left) ask(left - 1, AGAIN_MS); // no answer: dropped for something newer, or the kernel is away
    }, after);
  }

  function look(from, to) {
    const span = clamp(to - from, Math.min(SHORTEST_NS, whole.to - whole.from), whole.to - whole.from);
    across.from = clamp(from, whole.from, whole.to - span);
    across.to = across.from + span;
    const share = (ns) => (100 * (ns - whole.from)) / (whole.to - whole.from);
    Object.assign(thumb.style, { left: `${share(across.from)}%`, width: `${Math.max(0.6, share(across.to) - share(across.from))}%` });
    placeSelection();
    redraw();
    ask();
  }

  function zoom(factor, around = clamp(now, across.from, across.to)) {
    look(around - (around - across.from) * factor, around + (across.to - around) * factor);
  }

  // What lies under a place of the head: {mark} or {finding} or {fact}, null for nothing.
  function under(x, y) {
    const near = (a, b) => x >= xOf(across, a) - 5 && x <= Math.max(xOf(across, b), xOf(across, a)) + 5;
    if (y >= RULER && y < RULER + STRIP) {
      const close = marks.filter(({ from, to }) => near(from, to));
      const own = (one) => rowOf(one, RULER)[0] <= y && y <= rowOf(one, RULER)[0] + rowOf(one, RULER)[1] + 1;
      const mark = close.findLast(own) ?? close.at(-1);
      return mark ? { mark } : null;
    }
    if (!hasNotes || y < RULER + STRIP || y > headHeight) return null;
    const distance = ({ t_ns }) => Math.abs(xOf(across, t_ns) - x);
    const close = (about.findings ?? []).filter((f) => f.t_ns !== null && (distance(f) < 7 || near(f.t_ns, f.t_end_ns ?? f.t_ns)));
    if (close.length) return { finding: close.reduce((best, f) => (distance(f) < distance(best) ? f : best)) };
    const fact = (about.facts ?? []).find((f) => near(f.t_start_ns, f.t_end_ns ?? f.t_start_ns));
    return fact ? { fact } : null;
  }

  let drag = null;
  const spot = (event) => {
    const rect = root.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };
  root.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays with the player
  root.addEventListener("pointerdown", (event) => {
    const [x, y] = spot(event);
    if (event.button || x < across.left - 6 || x > across.left + across.width + 6) return;
    root.setPointerCapture(event.pointerId);
    const mode = event.shiftKey ? "select" : y < RULER ? "scrub" : "pan";
    drag = { mode, x, y, from: across.from, to: across.to, moved: false, ns: nsOf(across, x) };
    if (mode === "scrub") hooks.scrub(drag.ns, true);
  });
  root.addEventListener("pointermove", (event) => {
    const [x, y] = spot(event);
    if (!drag) {
      hoverAt(x, y);
      return;
    }
    if (Math.abs(x - drag.x) > 3) drag.moved = true;
    if (drag.mode === "scrub") hooks.scrub(clamp(nsOf(across, x), whole.from, whole.to), true);
    if (drag.mode === "select" && drag.moved) hooks.select(drag.ns, nsOf(across, x));
    if (drag.mode === "pan" && drag.moved) {
      const shift = ((drag.x - x) / across.width) * (drag.to - drag.from);
      root.dataset.drag = "true";
      look(drag.from + shift, drag.to + shift);
    }
  });
  const release = (event) => {
    if (!drag) return;
    const [x, y] = [drag.x, drag.y];
    delete root.dataset.drag;
    if (drag.mode === "scrub") hooks.scrub(clamp(nsOf(across, spot(event)[0]), whole.from, whole.to), false);
    else if (!drag.moved && event.type === "pointerup") {
      const found = under(x, y);
      if (found) hooks.meet(found);
      else hooks.scrub(clamp(drag.ns, whole.from, whole.to), false);
    }
    drag = null;
  };
  root.addEventListener("pointerup", release);
  root.addEventListener("pointercancel", release);
  root.addEventListener("pointerleave", () => (hover.hidden = true));
  root.addEventListener("wheel", (event) => {
    const [x] = spot(event);
    if (event.altKey) return; // scrolls the lanes
    if (!(event.ctrlKey || event.metaKey) && !hooks.focused()) return; // the page scrolls until the player has the focus
    const steps = wheelSteps(event);
    const all = across.to - across.from >= whole.to - whole.from;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const shift = steps * 0.12 * (across.to - across.from);
      look(across.from + shift, across.to + shift);
    } else if (all && steps > 0) return;
    else zoom(1.25 ** steps, nsOf(across, clamp(x, across.left, across.left + across.width)));
    event.preventDefault();
  }, { passive: false });
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    moveBar(event);
  });
  bar.addEventListener("pointermove", (event) => bar.hasPointerCapture(event.pointerId) && moveBar(event));

  function moveBar(event) {
    const rect = bar.getBoundingClientRect();
    const middle = whole.from + ((event.clientX - rect.left) / rect.width) * (whole.to - whole.from);
    const half = (across.to - across.from) / 2;
    look(middle - half, middle + half);
  }

  function hoverAt(x, y) {
    const inside = x >= across.left && x <= across.left + across.width;
    hover.hidden = !inside;
    if (!inside) return;
    const found = under(x, y);
    root.style.cursor = found ? "pointer" : y < RULER ? "ew-resize" : "default";
    hover.textContent = found ? hooks.words(found) : timeWords(nsOf(across, x) / 1e9);
    const right = x > width * 0.6;
    Object.assign(hover.style, right ? { right: `${width - x + 8}px`, left: "auto" } : { left: `${x + 8}px`, right: "auto" });
    hover.style.top = `${y < RULER ? 1 : clamp(y - 26, 0, headHeight)}px`;
  }

  hover.hidden = true;
  return {
    node: root, zoom, redraw,
    view: () => ({ from_ns: across.from, to_ns: across.to, left: across.left, width: across.width }),
    resize(next) {
      width = next;
      across.left = next < 760 ? 66 : 84;
      across.width = Math.max(40, next - across.left - 14);
      bar.style.left = `${across.left}px`;
      bar.style.width = `${across.width}px`;
      look(across.from, across.to);
    },
    move(frame, ns, words, { follow = true } = {}) {
      now = ns;
      if (follow && !drag && (ns < across.from || ns > across.to)) {
        const span = across.to - across.from;
        const from = ns > across.to ? ns - 0.1 * span : ns - 0.9 * span;
        look(from, from + span);
      }
      root.setAttribute("aria-valuenow", String(frame));
      root.setAttribute("aria-valuetext", words);
      place();
    },
    marks(next) {
      marks = stackMarks(next);
      redraw();
    },
    select(next) {
      selection = next;
      placeSelection();
    },
    again: () => ask(),
    take({ from_ns, to_ns, lanes: got }) {
      if (from_ns === Math.round(across.from) && to_ns === Math.round(across.to)) clearTimeout(timer);
      const px = Math.max(1, ...got.map((lane) => lane.values?.length ?? lane.high?.length ?? 1));
      given = { from: from_ns, to: to_ns, px, lanes: got };
      redraw();
    },
  };
}
