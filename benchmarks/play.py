"""Playing by hand in a real JupyterLab in headless Chromium: the beat of the steps, pictures shown, keys to steps.

Run it with `make bench` or `python benchmarks/play.py`; `--rounds 1 --seconds 15` is a short form. It needs JupyterLab,
Chromium and Playwright. An Atari game (Freeway: its rounds are longer than a leg) and a planted 640x480 RGB environment
of 60 frames a second are played with the browser's own keys, each leg in a new Lab and a new browser.

- `rate`: steps a second within segments, from the session's own times. The limit is 1 % off 60 Hz.
- `shown`: pictures that were drawn a second, counted in the page. The limit is 50.
- `latency`: from `event.timeStamp` of a key's edge to the step that uses it, from the session's telemetry. The limit is
  50 ms at the 95th percentile.
- The peer is the plain way: a loop in the kernel (`asyncio`, with the same exact beat) steps the same environment,
  writes each picture to `ipywidgets.Image` and takes keys from a small widget; nothing is recorded there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Page

from rushes.model.clock import NS
from rushes.notebook.browser_10hz.demo import chromium
from rushes.store.reader import Session, open_session

RATE_HZ, OFF, SHOWN, LATENCY_MS = 60.0, 0.01, 50.0, 50.0
WARM_S = 3.0
HOLD_MS, REST_MS = (60, 110), (50, 90)
MS = 1_000_000
GAMES = {"ale": ("ALE/Freeway-v5", ("ArrowUp", "ArrowDown")), "wide": ("wide:Wide-v0", ("ArrowLeft", "ArrowRight"))}
TESTS = Path(__file__).parents[1] / "tests" / "browser"
OURS = "from rushes.widgets.play import play\npanel = play({env!r}, out='by_hand', seed=1)\npanel"
PLAIN = """
import asyncio, json, pathlib, time
import anywidget, cv2, ipywidgets
from rushes.capture.browser.clock_join import Sample, join
from rushes.worlds.catalog import make_world

class Keys(anywidget.AnyWidget):
    _esm = '''
    function render({{ model, el }}) {{
      const at = (ms) => performance.timeOrigin + ms;
      el.tabIndex = 0; el.className = "plain"; el.textContent = "keys"; el.dataset.lmSuppressShortcuts = "true";
      const tell = (down) => (event) => {{
        event.preventDefault(); event.stopPropagation();
        if (!event.repeat) model.send({{ t: at(event.timeStamp), code: event.code, down }});
      }};
      el.addEventListener("keydown", tell(1)); el.addEventListener("keyup", tell(0));
      model.on("msg:custom", (message) => model.send({{ s: message.s, c: at(performance.now()) }}));
    }}
    export default {{ render }};
    '''

image, keys, held, edges, answers, used, steps = ipywidgets.Image(format="png"), Keys(), {{}}, [], [], [], []
def heard(widget, message, buffers):
    if "s" in message:
        answers.append(Sample(message["s"], message["c"], time.perf_counter_ns()))
    else:
        held[message["code"]] = message["down"]
        edges.append(message["t"])
keys.on_msg(heard)
async def loop():
    world = make_world({env!r}, frameskip=1)
    world.reset(0)
    due = time.perf_counter()
    while True:
        action = next((n for n, key in enumerate({keys!r}, start=1) if held.get(key)), 0)
        steps.append(time.perf_counter_ns())
        used.extend((edge, steps[-1]) for edge in edges)
        edges.clear()
        outcome = world.act(action)
        screen = world.screen()
        rgb = screen.pixels if screen.palette is None else screen.palette[screen.pixels]
        kind = ".png" if {env!r}.startswith("ALE") else ".jpg"
        image.value = cv2.imencode(kind, rgb[..., ::-1])[1].tobytes()
        if outcome[1] or outcome[2]:
            world.reset(0)
        if len(steps) % 60 == 0:
            keys.send({{"s": time.perf_counter_ns()}})
            where = join(answers[-30:]) if answers else None
            found = [(step - where.at(edge)) / 1e6 for edge, step in used] if where else []
            pathlib.Path("plain.json").write_text(json.dumps([steps, found]))
        due = max(due + 1 / 60, time.perf_counter() - 0.25)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
task = asyncio.ensure_future(loop())
ipywidgets.VBox([image, keys])
"""
PANEL = "document.querySelector('.rushes-play').parentElement.rushes"
FIGURES = f"() => ({{ t: performance.now(), shown: {PANEL}.figures.shown, received: {PANEL}.figures.received }})"
COUNT = """() => {
  window.plain_shown = 0;
  document.querySelector("img.widget-image, .widget-image img").addEventListener("load", () => { plain_shown += 1; });
}"""
LOADED = "() => ({ t: performance.now(), shown: window.plain_shown, received: window.plain_shown })"


def open_lab() -> Any:
    """Take the tests' own way to a Lab: (folder, browser's program, cells, name) -> (page, folder, faults)."""
    spec = importlib.util.spec_from_file_location("labs", TESTS / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return contextmanager(vars(module)["_lab"])


def press(page: Page, keys: tuple[str, ...], seconds: float) -> None:
    """Press keys for a while, at times that no beat of a game has."""
    rng, end_s, number = np.random.default_rng(5), time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        page.keyboard.down(keys[number % len(keys)])
        page.wait_for_timeout(float(rng.uniform(*HOLD_MS)))
        page.keyboard.up(keys[number % len(keys)])
        page.wait_for_timeout(float(rng.uniform(*REST_MS)))
        number += 1


def per_second(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Give what the page counted, a second."""
    seconds = (after["t"] - before["t"]) / 1000
    return {f"{name}_per_s": round((after[name] - before[name]) / seconds, 2) for name in ("shown", "received")}


def rate_of(spans: list[np.ndarray[Any, np.dtype[np.int64]]]) -> float:
    """Give steps a second within spans of times, ns; what a second of warming up took is left out."""
    parts = [times[int(RATE_HZ) :] for times in spans if len(times) > RATE_HZ * 2]
    return float(sum(len(part) - 1 for part in parts) * NS / sum(int(part[-1] - part[0]) for part in parts))


def of_session(session: Session) -> dict[str, Any]:
    """Measure a session: the beat, and how long a key took to become a step."""
    steps = [session.steps(segment.index)["t_ns"].to_numpy(np.int64) for segment in session.segments]
    told = session.telemetry()
    late_ms = (told["step_t_ns"] - told["edge_t_ns"]).to_numpy(np.float64) / MS
    return {"rate_hz": rate_of(steps), "edges": len(late_ms), **quantiles(late_ms)}


def quantiles(late_ms: Any) -> dict[str, float]:
    """Give the median and the 95th percentile."""
    values = np.asarray(late_ms, np.float64)
    return {"p50_ms": round(float(np.median(values)), 2), "p95_ms": round(float(np.quantile(values, 0.95)), 2)}


def ours(name: str, seconds: float) -> dict[str, Any]:
    """Play one leg with the panel."""
    env, keys = GAMES[name]
    with lab_of([OURS.format(env=env)]) as (page, folder, faults):
        page.click(".rushes-play .rushes-press:has-text('Start'):not([disabled])")
        page.wait_for_selector(".rushes-play .rushes-state:text-is('playing')")
        page.wait_for_timeout(1000 * WARM_S)
        before = page.evaluate(FIGURES)
        press(page, keys, seconds)
        counted = per_second(before, page.evaluate(FIGURES))
        page.click(".rushes-play .rushes-press:has-text('Stop')")
        page.wait_for_selector(".rushes-play .rushes-state:text-is('ended')")
        if faults:
            raise SystemExit(f"the page: {faults}")
        return {**counted, **of_session(open_session(folder / "by_hand"))}


def plain(name: str, seconds: float) -> dict[str, Any]:
    """Play one leg the plain way."""
    env, keys = GAMES[name]
    with lab_of([PLAIN.format(env=env, keys=keys)]) as (page, folder, _):
        page.wait_for_selector(".plain")
        page.evaluate(COUNT)
        page.click(".plain")
        page.wait_for_timeout(1000 * WARM_S)
        before = page.evaluate(LOADED)
        press(page, keys, seconds)
        counted = per_second(before, page.evaluate(LOADED))
        page.wait_for_timeout(1500)
        steps, late_ms = json.loads((folder / "plain.json").read_text())
        return {**counted, "rate_hz": rate_of([np.array(steps, np.int64)]), "edges": len(late_ms), **quantiles(late_ms)}


@contextmanager
def lab_of(cells: list[str]) -> Any:
    """Open a Lab in a folder of its own, in which the planted environment lies."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(TESTS / "wide.py", folder)
        with open_lab()(Path(folder), chromium(), cells, "play_benchmark") as found:
            yield found


def measure(rounds: int, seconds: float, names: list[str]) -> dict[str, Any]:
    """Play all legs and sum them up."""
    found: dict[str, Any] = {}
    for _ in range(rounds):
        for name in names:
            for kind, leg in (("ours", ours), ("plain", plain)):
                found.setdefault(name, {}).setdefault(kind, []).append(leg(name, seconds))
                sys.stderr.write(f"{name} {kind}: {found[name][kind][-1]}\n")
    short, report = [], {}
    for name, kinds in found.items():
        middle = {
            kind: {key: round(median(leg[key] for leg in legs), 3) for key in legs[0]} for kind, legs in kinds.items()
        }
        mine, peer = middle["ours"], middle["plain"]
        mine["off_percent"] = round(100 * abs(mine["rate_hz"] / RATE_HZ - 1), 3)
        ratios = {key: round(mine[key] / peer[key], 2) for key in ("rate_hz", "shown_per_s", "p95_ms") if peer[key]}
        report[name] = {**middle, "ours/plain": ratios}
        limits = {
            "rate": mine["off_percent"] > 100 * OFF,
            "shown": mine["shown_per_s"] < SHOWN,
            "latency": mine["p95_ms"] > LATENCY_MS,
        }
        short += [f"{name}: {what}" for what, bad in limits.items() if bad]
    return {
        "seconds": seconds,
        "rounds": rounds,
        **report,
        "limits": {"off_percent": 100 * OFF, "shown_per_s": SHOWN, "p95_ms": LATENCY_MS},
        "short": short,
    }


def main() -> int:
    """Measure and print; 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--games", nargs="+", default=[*GAMES], choices=[*GAMES])
    asked = parser.parse_args()
    figures = measure(asked.rounds, asked.seconds, asked.games)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 1 if figures["short"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
