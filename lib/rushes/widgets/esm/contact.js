// Whether the kernel still answers. After a silence, or where the connection ends, it is said, so that a person knows why
// nothing comes: a kernel that was restarted knows nothing of this page until the cell is run again. A connection that
// was lost for a while comes back: whatever is heard then says that the kernel is there.

const SILENT_MS = 6000;
const LOOK_MS = 1000;
const ANSWERED = new Set(["frames", "rows", "lines"]); // at once, whatever comes of it
const GONE = "The kernel was restarted or is away. Run this cell again";
const SILENT = "The kernel has not answered for some seconds: it is busy, or was restarted. In that case run this cell again";

// `kept` says what is not lost, `say` is told a sentence and its tone.
export function makeContact({ model, say, kept = "what was marked and saved is kept" }) {
  let since = 0; // when the oldest thing was asked that nothing has come after
  let state = "live";

  function turn(next, text, tone) {
    if (state === next || (state === "gone" && next === "silent")) return;
    state = next;
    say(text, tone);
  }
  const gone = () => turn("gone", `${GONE}: ${kept}.`, "bad");
  const timer = setInterval(() => {
    if (since && performance.now() - since > SILENT_MS) turn("silent", `${SILENT}: ${kept}.`, "bad");
  }, LOOK_MS);
  model.on("comm_live_update", gone);

  return {
    state: () => state,
    send(message) {
      if (!since && ANSWERED.has(message.do)) since = performance.now();
      try {
        model.send(message);
      } catch {
        gone(); // the connection is closed for good
      }
    },
    // Something has to come soon, without being asked for.
    expect() {
      since = since || performance.now();
    },
    heard() {
      since = 0;
      turn("live", "The kernel answers again.", "ok");
    },
    dispose() {
      clearInterval(timer);
      model.off("comm_live_update", gone);
    },
  };
}

// Show a view that is built anew when something is opened, and only renewed when what is stored beside it has changed.
export function makeRender(build, renewed) {
  const lasting = (about) => JSON.stringify({ ...about, ...Object.fromEntries(renewed.map((name) => [name, null])) });
  return ({ model, el }) => {
    let view = build(model, el);
    let known = lasting(model.get("about"));
    const follow = () => {
      const about = model.get("about");
      if (lasting(about) === known) {
        view.renew(about);
        return;
      }
      known = lasting(about);
      view.dispose();
      view = build(model, el);
    };
    model.on("change:about", follow);
    return () => {
      model.off("change:about", follow);
      view.dispose();
    };
  };
}
