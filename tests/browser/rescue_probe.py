"""What really happened in a play of the demo, noted in the page beside the recorder, and how to compare with it.

`PROBE` runs before all of the page's own scripts. Its listeners see every input; its callback comes last in each
animation frame, behind the game's and the recorder's, while what was drawn is still in the canvas.

    tab = browser.open(address, width=480, height=270, first=PROBE)
    truth = Truth(tab.js(TRUTH))
    number_in(picture)      # which animation frame a stored picture shows
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

PROBE = """(() => {
  const native = window.requestAnimationFrame.bind(window);
  const seen = (window.seen = { shots: [], inputs: [], moves: [], rows: [], full: [], hidden: [], every: 0 });
  const on = (name, act) => window.addEventListener(name, act, true);
  const buttons = ["MouseLeft", "MouseMiddle", "MouseRight"];
  const kept = () => window.rushesCapture?.state === "recording";
  for (const name of ["keydown", "keyup", "mousedown", "mouseup"]) {
    on(name, (event) => {
      if (event.repeat || event.target instanceof HTMLInputElement) return;
      const control = event.code ?? buttons[event.button];
      const [at, down] = [performance.now(), name.endsWith("down")];
      seen.inputs.push({ t: event.timeStamp, at, down, control, kept: kept() });
    });
  }
  on("blur", (event) => {
    const at = performance.now();
    if (event.target === window) seen.inputs.push({ t: at, at, down: false, control: "*", kept: kept() });
  });
  on("pointermove", (event) => kept() && seen.moves.push([event.timeStamp, event.movementX, event.movementY]));
  document.addEventListener("visibilitychange", () => seen.hidden.push([performance.now(), document.hidden]));

  function read() {
    const canvas = document.getElementById("game");
    const gl = canvas.getContext("webgl2");
    const pixels = new Uint8Array(4 * canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    return { pixels, size: [canvas.height, canvas.width] };
  }

  let sim = null;
  let [captured, back] = [0, 0];
  function look(t) {
    native(look);
    for (const row of seen.rows) row.by ??= performance.now();
    if (sim !== rescue.sim) {
      sim = rescue.sim;
      const { tell } = sim;
      sim.tell = function (event) {
        tell.call(this, event);
        seen.rows.push({ at: performance.now(), fields: this.told.at(-1).fields });
      };
    }
    for (; back < rushesCapture.figures.costs_ms.length; back += 1) seen.shots[back].back = performance.now();
    if (rushesCapture.figures.captured === captured) return;
    captured = rushesCapture.figures.captured;
    const { frame, drawn, t: drawnIn, keys } = rescue.log.at(-1);
    seen.shots.push({ frame, t, drawnIn, drawn, after: performance.now(), keys, fields: rescue.state() });
    if (seen.every && seen.shots.length % seen.every === 1) seen.full.push({ shot: seen.shots.length - 1, ...read() });
  }
  // by then the page's scripts have run, the game's callback stands before this one, and nothing is recorded yet
  document.addEventListener("DOMContentLoaded", () => window.requestAnimationFrame(() => native(look)));
})();"""
TRUTH = """(({shots, inputs, moves, rows, hidden, full}) => ({
  shots, inputs, moves, rows, hidden, full: full.map(({shot, size}) => [shot, size]),
}))(seen)"""
BITS = 16


@dataclass(frozen=True)
class Truth:
    """What the page noted; times are its own, ms.

    Attributes:
        shots: One for each picture that was taken: frame, t (of the animation frame), drawnIn (the same by the game),
            drawn and after (the picture was taken between the two), keys (the game's), fields; back, once it
            has been read and averaged.
        inputs: t (the event's), at (when the page was told), down, control, kept (whether it was recorded then); the
            control `*` when the window lost the focus.
        moves: t, dx, dy in px, of what was recorded.
        rows: What the game told: fields, at, by (a time after the animation frame in which it was told).
        hidden: When the tab was hidden or shown, and which.
        full: Which shots were kept whole, and their (height, width).
    """

    shots: list
    inputs: list
    moves: list
    rows: list
    hidden: list
    full: list

    def held(self, t, controls):
        """Say what was down at a time, by the events' own times."""
        down = set()
        for event in self.inputs:
            if event["t"] > t:
                continue
            if event["control"] == "*":
                down.clear()
            elif event["down"]:
                down.add(event["control"])
            else:
                down.discard(event["control"])
        return down & set(controls)


def number_in(picture):
    """Read which animation frame a picture (H, W, 3) of the demo shows, from the blocks in its lower left corner."""
    height, width = picture.shape[:2]
    grey = picture.astype(float).mean(axis=2)
    bits = [
        int(grey[int(height * (13.5 + row) / 16), int(width * (0.5 + column) / 16)] > 127)
        for row in range(3)
        for column in range(6)
    ]
    assert bits[0] == 1, "no marker"
    assert sum(bits[1:]) % 2 == 0, "its parity is wrong"
    return int("".join(map(str, bits[1 : 1 + BITS])), 2)


def by_area(picture, height, width):
    """Average a picture (H, W, 3) by area, in floats: each pixel of the result is the mean of the box it covers."""

    def shares(large, small):
        edges = np.arange(small + 1) * large / small
        at = np.arange(large)
        lower = np.maximum(edges[:-1, None], at[None])
        upper = np.minimum(edges[1:, None], at[None] + 1)
        return np.clip(upper - lower, 0, None) * small / large

    tall, wide = shares(picture.shape[0], height), shares(picture.shape[1], width)
    return np.einsum("yr,rcp,xc->yxp", tall, picture.astype(float), wide, optimize=True)


def told(session):
    """Give a session's telemetry as rows: (t_ns, frame index or None, fields without those that are not there)."""
    table = session.telemetry()
    names = [name for name in table.columns if name not in {"t_ns", "segment", "frame_index"}]
    rows = []
    for row in table.to_dict("records"):
        there = {name: value for name, value in row.items() if not pd.isna(value)}
        frame = int(there["frame_index"]) if "frame_index" in there else None
        rows.append((row["t_ns"], frame, {name: there[name] for name in names if name in there}))
    return rows
