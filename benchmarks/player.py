"""The player in a real JupyterLab in Chromium without a window: pictures a second, seeks, and memory while it plays.

Run it with `make bench` or `python benchmarks/player.py`; a short form is `--minutes 0.5 --warm 0 --seconds 5
--repeats 1 --seeks 15`. It needs Chromium and Playwright. A film of 640x360 at 60 Hz (H.264) is made first, with a
number in each picture.

- `shown`: different pictures that the page drew in a second while it played in real time, median of several stretches.
  The limit is 50. `skipped` are those that came too late. The page draws at most 60 times a second.
- `seek`: ms from asking for a frame drawn by lot until its picture stands. The limit is 100 at the median. `exact` is
  until its own, lossless pixels stand, which are asked for when nobody has moved on for 70 ms.
- `two`: the same film beside itself, pictures a second of each.
- `memory`: the page's process, its JavaScript heap and the kernel's process while ten minutes are played, after five
  others in which the stores of the page and the browser's own pools fill up; what the page has at the start, after
  those five and at the end is printed. What a line through the ten rises by has to be less than 5 %. No driver is
  joined to the page meanwhile (see `measured.lab_page`); that it played all the time is counted.
- The peer is the usual way in a notebook: `ipywidgets.Play` at 16 ms moves an `ipywidgets.Image`, to which the kernel
  sends JPEG files that it reads from the same film in order. What counts is what the page loaded.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page

from measured.lab_page import LabPage, lab_page, resident, until
from rushes.model.readings import Encoded, Frame, Gap, Reading, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.synthetic import Synthetic, draw_counter, read_counter

LEAST_HZ, SEEK_MS, RISE = 50.0, 100.0, 0.05
SIZE, RATE_HZ = (360, 640), 60.0
EVERY_S = 5.0
LONGEST_S = 120.0
"""Of the film, which is played again and again."""
ONE = "from rushes.widgets.player import player\np = player({0!r})\np"
TWO = "from rushes.widgets.player import player\np = player({0!r}, beside={0!r})\np"
PEER = """import cv2, ipywidgets
film, at = cv2.VideoCapture({1!r}), 0
play = ipywidgets.Play(min=0, max={2}, interval=16)
image = ipywidgets.Image(format="jpeg")
def show(change):
    global at
    if change.new < at or change.new > at + 8:
        film.set(cv2.CAP_PROP_POS_FRAMES, change.new)
        at = change.new
    while at <= change.new:
        ok, picture = film.read()
        at += 1
    if ok:
        image.value = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
play.observe(show, "value")
show(type("", (), {{"new": 0}}))
ipywidgets.VBox([play, image])"""
PLAYER = "document.querySelector('.rushes-player').parentElement.rushes"
COUNT = f"""() => {{
  const seen = window.seen = [0, 0];
  let last = [];
  const look = () => {{
    requestAnimationFrame(look);
    const shown = {PLAYER}.state().shown;
    shown.forEach((number, k) => {{ if (number !== last[k]) seen[k] += 1; }});
    last = shown;
  }};
  requestAnimationFrame(look);
}}"""
GO_ON = f"""() => {{
  window.noted = [];
  const look = () => {{
    {PLAYER}.state().playing || {PLAYER}.play(true);
    window.noted.push([performance.now() / 1000, performance.memory.usedJSHeapSize / 1e6, window.seen[0]]);
  }};
  {PLAYER}.go(0);
  look();
  window.going = setInterval(look, {1000 * EVERY_S:g});
}}"""
LOADS = """() => {
  window.loads = 0;
  document.addEventListener("load", (event) => { if (event.target.tagName === "IMG") window.loads += 1; }, true);
}"""


def readings(frames: int) -> Iterator[Reading]:
    """Yield a film: a camera that wanders over a texture, and the inputs of the planted world."""
    height, width = SIZE
    noise = np.random.default_rng(3).integers(0, 256, (height + 400, width + 400, 3), np.uint8)
    ground = cv2.GaussianBlur(noise, (0, 0), 4)
    ground = cv2.normalize(ground, ground, 0, 255, cv2.NORM_MINMAX)
    encoder = VideoEncoder("h264", width=width, height=height, rate_hz=RATE_HZ)
    events = iter(Synthetic(frames=frames, rate_hz=RATE_HZ, seed=2).events())
    waiting = next(events, None)
    yield Start(0, {})
    for number in range(frames):
        t_ns = int(number * 1e9 / RATE_HZ)
        while waiting is not None and waiting.t_ns < t_ns:
            yield waiting
            waiting = next(events, None)
        x, y = (int(200 + 190 * f) for f in (np.sin(number / 70), np.cos(number / 90)))
        picture = np.ascontiguousarray(ground[y : y + height, x : x + width])
        draw_counter(picture, number)
        data = encoder.encode(picture)
        yield Frame(t_ns, Encoded("h264", data, encoder.last_was_key))
    yield Gap(int(frames * 1e9 / RATE_HZ), "end")


def record(path: Path, frames: int) -> Path:
    """Record the film; return the video file that the peer reads."""
    height, width = SIZE
    streams = (
        StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    )
    space = Synthetic(frames=1).action_space
    info = SessionInfo("film", "Synthetic", {"kind": "synthetic", "name": "film"}, "measured", streams, space)
    with SessionWriter(path, info, chunk_frames=frames) as writer:
        for reading in readings(frames):
            writer.write(reading)
    return max((p for p in path.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


def opened(page: Page) -> None:
    """Wait until the first picture stands."""
    until(lambda: page.evaluate(f"() => {PLAYER}?.state().exact.every(Boolean)"))


def play_for(page: Page, seconds: float, start: int = 0) -> dict[str, float]:
    """Play on from a frame that was not seen before, and count what was drawn after the first second."""
    page.evaluate(f"() => {{ {PLAYER}.play(false); {PLAYER}.go({start}); }}")
    page.wait_for_timeout(1000)
    page.evaluate(f"() => {PLAYER}.play(true)")
    page.wait_for_timeout(1000)
    ask = f"() => [performance.now() / 1000, ...window.seen, {PLAYER}.figures.skipped]"
    before = page.evaluate(ask)
    page.wait_for_timeout(1000 * seconds)
    after = page.evaluate(ask)
    page.evaluate(f"() => {PLAYER}.play(false)")
    took, *counts = (b - a for a, b in zip(before, after, strict=True))
    return {name: count / took for name, count in zip(("first", "second", "skipped"), counts, strict=True)}


def seek(page: Page, frames: int, count: int) -> dict[str, float]:
    """Go to frames drawn by lot, and check that the picture that stands is the one that was asked for."""
    draw = random.Random(7)
    wrong = 0
    for _ in range(count):
        frame = draw.randrange(frames)
        page.evaluate(f"() => {PLAYER}.go({frame})")
        stands = f"() => {{ const s = {PLAYER}.state(); return s.shown[0] === {frame} && s.exact[0]; }}"
        page.wait_for_function(stands)
        row = page.evaluate(
            f"() => {{ const s = {PLAYER}.pixels(); return Array.from(s.data.slice(0, 40 * s.width)); }}"
        )
        picture = np.array(row, np.uint8).reshape(10, -1, 4)[..., :3]
        wrong += read_counter(picture) != frame
    figures = page.evaluate(f"() => {PLAYER}.figures")
    ms, exact = figures["seek_ms"][-count:], figures["exact_ms"][-count:]
    spread = np.percentile(ms, [50, 95]).tolist()
    return {"median": spread[0], "p95": spread[1], "exact": median(exact), "wrong": wrong}


def watch(lab: LabPage, minutes: float) -> dict[str, Any]:
    """Play for so long without a driver, from the start again where the film ends; note MB every few seconds."""
    found: dict[str, Any] = {"seconds": [], "page": [], "kernel": []}
    lab.page.evaluate(GO_ON)
    start = time.monotonic()
    with lab.left_alone() as holder:
        while (passed := time.monotonic() - start) < 60 * minutes:
            found["seconds"].append(passed)
            found["page"].append(resident(holder))
            found["kernel"].append(resident(lab.kernel))
            time.sleep(EVERY_S)
    seconds, heap, shown = zip(*lab.page.evaluate("() => window.noted"), strict=True)
    lab.page.evaluate(f"() => {{ clearInterval(window.going); {PLAYER}.play(false); }}")
    pace = (shown[-1] - shown[0]) / (seconds[-1] - seconds[0])
    return {**found, "heap_seconds": seconds, "heap": heap, "shown": pace}


def rise(seconds: list[float], mb: list[float]) -> float:
    """Give by which share of its middle a line rises over all of the time."""
    slope = np.polyfit(seconds, mb, 1)[0]
    return float(slope * (seconds[-1] - seconds[0]) / median(mb))


def peer(path: Path, film: Path, frames: int, seconds: float) -> float:
    """Measure the usual way: pictures a second."""
    with lab_page([PEER.format(str(path), str(film), frames - 1)], ".widget-image, .jupyter-widget-image") as lab:
        page = lab.page
        page.evaluate(LOADS)
        page.locator(".widget-play button, .jupyter-widget-play button").first.click()
        page.wait_for_timeout(2000)
        before = page.evaluate("() => [performance.now() / 1000, window.loads]")
        page.wait_for_timeout(1000 * seconds)
        after = page.evaluate("() => [performance.now() / 1000, window.loads]")
        return float((after[1] - before[1]) / (after[0] - before[0]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of playing for the memory; 0 leaves it out")
    parser.add_argument("--warm", type=float, default=5.0, help="minutes of playing before those")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeks", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rushes-player-") as folder:
        stretch = int(RATE_HZ * (asked.seconds + 4))
        starts = [number * stretch for number in range(asked.repeats)]
        frames = max(int(RATE_HZ * min(60.0 * asked.minutes, LONGEST_S)), stretch * asked.repeats + 60)
        path = Path(folder) / "film"
        film = record(path, frames)
        with lab_page([ONE.format(str(path))], ".rushes-player") as lab:
            page = lab.page
            opened(page)
            page.evaluate(COUNT)
            found["one"] = [play_for(page, asked.seconds, start) for start in starts]
            found["seek"] = seek(page, frames, asked.seeks)
            found["memory"] = watch(lab, asked.warm + asked.minutes) if asked.minutes else None
        with lab_page([TWO.format(str(path))], ".rushes-player") as lab:
            page = lab.page
            opened(page)
            page.evaluate(COUNT)
            found["two"] = [play_for(page, asked.seconds, start) for start in starts]
        found["peer"] = [peer(path, film, frames, asked.seconds) for _ in range(max(1, asked.repeats - 1))]
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    sys.exit(report(found, 60 * asked.warm))


def report(found: dict[str, Any], warm_s: float) -> int:
    """Print a line a figure, its limit beside it; give the exit status."""
    short: list[str] = []

    def line(name: str, value: float, unit: str, limit: str = "", holds: bool | None = None) -> None:
        verdict = "" if holds is None else f"limit {limit}: {'holds' if holds else 'FALLS SHORT'}"
        print(f"  {name:34s} {value:9.1f} {unit:8s} {verdict}".rstrip())
        if holds is False:
            short.append(name)

    shown = median(one["first"] for one in found["one"])
    line("shown, 640x360 at 60 Hz", shown, "/s", f">= {LEAST_HZ:g}", shown >= LEAST_HZ)
    line("came too late", median(one["skipped"] for one in found["one"]), "/s")
    seeks = found["seek"]
    line("seek to picture, median", seeks["median"], "ms", f"< {SEEK_MS:g}", seeks["median"] < SEEK_MS)
    line("seek to picture, p95", seeks["p95"], "ms")
    line("seek to its own pixels, median", seeks["exact"], "ms")
    line("seeks that showed another picture", seeks["wrong"], "", "0", seeks["wrong"] == 0)
    for name in ("first", "second"):
        line(f"two sources, the {name}", median(one[name] for one in found["two"]), "/s")
    memory = found["memory"]
    for name in ("page", "heap", "kernel") if memory else ():
        seconds = memory["heap_seconds" if name == "heap" else "seconds"]
        first = next((k for k, at in enumerate(seconds) if at - seconds[0] >= warm_s), 0)
        share = rise(seconds[first:], memory[name][first:])
        for when, few in (("at first", slice(5)), ("warm", slice(first, first + 5)), ("at the end", slice(-5, None))):
            line(f"{name}, {when}", median(memory[name][few]), "MB")
        line(f"{name} rises by", 100 * share, "%", f"< {100 * RISE:g}", share < RISE if name != "heap" else None)
    if memory:
        line("shown meanwhile", memory["shown"], "/s", f">= {LEAST_HZ:g}", memory["shown"] >= LEAST_HZ)
    usual = median(found["peer"])
    line("peer: ipywidgets.Play and Image", usual, "/s")
    line("ratio to the peer", shown / usual, "times")
    print(f"FALLS SHORT: {', '.join(short)}" if short else "all limits hold")
    return int(bool(short))


if __name__ == "__main__":
    main()
