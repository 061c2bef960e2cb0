"""Recording a browser game: what it costs the game, as milliseconds of the page's thread and as frames lost.

Run it with `make bench` or `python benchmarks/browser.py`; `--pairs 1 --seconds 10` is a short form. It needs Chromium
and Playwright. The bundled demo is played by a script (the same for every leg, with the browser's own keys and mouse)
in a Chromium without a window, each leg in a new browser.

- `frames`: animation frames that the game drew within the same time, with the recorder and without it, in pairs whose
  order alternates. The limit is 1 % fewer at the median.
- `cost`: milliseconds of the page's thread for each captured picture, averaged down, read back and handed on. The limit
  is 7 ms at the median.
- The peer is the usual way, which the program that our format is named after goes too: ten times a second the canvas
  is drawn into a second one of 128x128 px and read by `getImageData`, in the frame in which the game drew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from rushes.capture.browser.serving import Serving
from rushes.capture.settings import BROWSER_FPS, Settings
from rushes.notebook.browser_10hz.demo import FLAGS, chromium

FEWER, COST_MS = 0.01, 7.0
WINDOW = (640, 360)
WARM_S = 3.0
PEERS = 2
"""Pairs that the peer is played beside."""
BEGIN = "(options) => rescue.start(options)"
FRAMES = """([from_ms, ms]) => {
  const shown = rescue.log.filter((row) => row.t >= from_ms && row.t < from_ms + ms);
  return { frames: shown.length, drawing: shown.map((row) => row.drawn - row.t) };
}"""
PEER = """() => {
  const [canvas, small] = [document.querySelector("canvas"), document.createElement("canvas")];
  small.width = small.height = 128;
  const view = small.getContext("2d", { willReadFrequently: true });
  window.peer_ms = [];
  let due = performance.now();
  const ask = window.requestAnimationFrame.bind(window);
  const look = () => {
    ask(look); // behind the game's own callback of the same frame, so the canvas is not cleared yet
    if (performance.now() < due) return;
    due += 100;
    const began = performance.now();
    view.drawImage(canvas, 0, 0, 128, 128);
    view.getImageData(0, 0, 128, 128);
    window.peer_ms.push(performance.now() - began);
  };
  ask(look);
}"""


def play(page: Page, until_s: float) -> None:
    """Walk about and look around, the same way each time."""
    keys, began_s = ("KeyW", "KeyA", "KeyS", "KeyD"), time.monotonic()
    step, down = 0, ""
    while time.monotonic() < until_s:
        turn = 120.0 * np.sin(step / 7)
        page.mouse.move(WINDOW[0] / 2 + turn, WINDOW[1] / 2 + 20.0 * np.cos(step / 11))
        key = keys[(step // 15) % len(keys)] if (step // 15) % 3 == 0 else ""  # a third of the time: the battery lasts
        if key != down:
            if down:
                page.keyboard.up(down)
            if key:
                page.keyboard.down(key)
            down = key
        step += 1
        page.wait_for_timeout(max(0.0, 1000 * (began_s + 0.1 * step - time.monotonic())))
    if down:
        page.keyboard.up(down)


@contextmanager
def demo(address: str) -> Iterator[Page]:
    """Open the demo in a new browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.set_default_timeout(60_000)
        page.goto(address)
        page.wait_for_function("() => window.rescue")
        yield page
        browser.close()


def leg(kind: str, seconds: float, folder: Path, width: int) -> dict[str, Any]:
    """Play once: `with` the recorder, `without` it, or with the `peer`."""
    settings = Settings(backend="browser", fps=BROWSER_FPS, codec="png", out=str(folder))
    with Serving(settings, port=0) as serving, ThreadPoolExecutor(1) as threads:
        plays = threads.submit(lambda: list(serving.plays(1)))
        extra = {"width": str(width)} if width else {}
        with demo(serving.address_with(**extra)) as page:
            page.evaluate(BEGIN, {"seed": 7, "environment": "earthquake", "record": kind == "with"})
            if kind == "peer":
                page.evaluate(PEER)
            page.wait_for_function("() => rescue.log.length > 10")
            from_ms = float(page.evaluate("() => performance.now()")) + 1000 * WARM_S
            play(page, time.monotonic() + WARM_S + seconds + 0.5)
            if page.evaluate("() => rescue.mode") != "playing":
                raise SystemExit("the game ended before its time")
            told = page.evaluate(FRAMES, [from_ms, 1000 * seconds])
            costs = page.evaluate("() => window.peer_ms || rushesCapture.figures.costs_ms")
            size = page.evaluate(
                "() => [document.querySelector('canvas').width, document.querySelector('canvas').height]"
            )
            dropped = page.evaluate("() => rushesCapture.figures.dropped")
            page.evaluate("() => rescue.stop()")
        serving.stop()
        stored = plays.result()
    return {
        "kind": kind,
        "frames": told["frames"],
        "drawing_ms": median(told["drawing"]),
        "costs_ms": costs,
        "dropped": dropped,
        "canvas": size,
        "stored": stored[0].frames if stored else 0,
    }


def measure(pairs: int, seconds: float, work: Path, width: int) -> dict[str, Any]:
    """Play all legs and sum them up."""
    legs: list[dict[str, Any]] = []
    for pair in range(pairs):
        order = ["with", "without"] if pair % 2 == 0 else ["without", "with"]
        order += ["peer"] if pair < PEERS else []
        legs += [leg(kind, seconds, work / f"{pair}_{kind}", width) for kind in order]
    of = {kind: [one for one in legs if one["kind"] == kind] for kind in ("with", "without", "peer")}
    costs = {kind: [cost for one in of[kind] for cost in one["costs_ms"]] for kind in ("with", "peer")}
    fewer = {
        kind: [1 - one["frames"] / bare["frames"] for one, bare in zip(of[kind], of["without"], strict=False)]
        for kind in ("with", "peer")
    }
    cost, lost = median(costs["with"]), median(fewer["with"])
    return {
        "canvas": legs[0]["canvas"],
        "seconds": seconds,
        "frames_per_s": {kind: [round(one["frames"] / seconds, 2) for one in of[kind]] for kind in of},
        "drawing_ms": median(one["drawing_ms"] for one in of["without"]),
        "fewer_frames": [round(share, 4) for share in fewer["with"]],
        "fewer_frames_median": round(lost, 4),
        "peer_fewer_frames_median": round(median(fewer["peer"]), 4),
        "cost_ms_median": round(cost, 2),
        "cost_ms_p95": round(float(np.quantile(costs["with"], 0.95)), 2),
        "cost/peer": round(cost / median(costs["peer"]), 2),
        "peer_cost_ms_median": round(median(costs["peer"]), 2),
        "pictures_stored": [one["stored"] for one in of["with"]],
        "ticks_dropped": [one["dropped"] for one in of["with"]],
        "limits": {"fewer_frames": FEWER, "cost_ms": COST_MS},
        "short": [name for name, bad in (("frames", lost > FEWER), ("cost", cost > COST_MS)) if bad],
    }


def main() -> int:
    """Measure and print; 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--width", type=int, default=0, help="most px of the picture's longer side; 0: the demo's own")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        figures = measure(asked.pairs, asked.seconds, Path(work), asked.width)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 1 if figures["short"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
