"""A planted session of keyboard and mouse, for notebooks about desktop play that are given none.

It is what a desktop recording is, H.264 pictures and raw inputs, but made at once and always the same: a hand that
walks, looks around, jumps and shoots, in two stretches with a pause between them. Some of what it does has no place in
one format or another: keys that a layout does not name, motion beyond a full stick.

Example:
    >>> hand = plan_hand(seed=0, seconds=20.0)
    >>> hand == plan_hand(seed=0, seconds=20.0), {e.control for e in hand} >= {"KeyW", "MouseLeft", "Mouse", "Tab"}
    (True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from rushes.capture.encoding import Encoding
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

Progress = Callable[[int, int, str], None]

SIZE: Final = (360, 640)
"""(height, width) of the pictures in px."""
RATE_HZ: Final = 30.0
FRAMES: Final = (612, 108)
"""Frames of each segment: one of more than 20 s, as the NitroGen release cuts, and a short one."""
_PAUSE_NS: Final = 2 * NS
_SEED: Final = 2026
_HABITS: Final = (
    *(("KeyW", 0.6, 1.6), ("KeyA", 2.0, 0.4), ("KeyD", 2.0, 0.4), ("KeyS", 6.0, 0.4), ("Space", 2.5, 0.05)),
    *(("ShiftLeft", 3.0, 1.0), ("ControlLeft", 3.5, 0.6), ("KeyE", 5.0, 0.1), ("KeyQ", 6.0, 0.1), ("KeyR", 5.0, 0.15)),
    *(("KeyF", 7.0, 0.1), ("KeyV", 8.0, 0.1), ("Digit1", 8.0, 0.06), ("Digit2", 9.0, 0.06), ("KeyX", 8.0, 0.1)),
    *(("KeyT", 9.0, 0.1), ("Escape", 9.0, 0.08), ("Tab", 6.0, 0.25), ("KeyM", 7.0, 0.1)),
    *(("MouseLeft", 1.0, 0.15), ("MouseRight", 4.0, 0.8)),
)
"""Control, mean seconds between two holds, mean seconds of one."""
_MOVE_NS: Final = 8_000_000  # a mouse of 125 reports a second
_LOOK, _CALM, _FLICK = 30.0, 0.92, 95.0
_TURNING, _FLICKING, _REPORTS = 0.6, 0.18, 125
_JITTER_NS: Final = 400_000


def desktop_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the folder with a notebook's own session of keyboard and mouse; it is made where it is not there.

    Args:
        name: Of the notebook, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while it is made.

    Returns:
        A folder with one session of two segments: 24 s at 30 frames a second, 640x360 px, always the same.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            make_session(partial / "session", progress=progress)
    return folder


def make_session(
    path: Path, *, frames: tuple[int, ...] = FRAMES, size: tuple[int, int] = SIZE, progress: Progress | None = None
) -> None:
    """Write the session.

    Args:
        path: A new directory.
        frames: Frames of each segment.
        size: (height, width) in px, even.
        progress: Called with (done, total, what).
    """
    height, width = size
    streams = (
        StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    )
    controls = [control for control, _, _ in _HABITS]
    info = SessionInfo(
        id=f"synthetic-desktop-{'-'.join(map(str, frames))}",
        game="Synthetic",
        source={"kind": "synthetic", "name": "desktop"},
        time_source="nominal",
        streams=streams,
        action_space=ActionSpace.from_names([*controls, "MouseDX", "MouseDY"]),
        provenance={"seed": _SEED, "frames": list(frames)},
    )
    with SessionWriter(path, info) as writer, Encoding("h264", width=width, height=height, rate_hz=RATE_HZ) as encoding:
        for reading in _readings(frames, Scenery(size, seed=_SEED), encoding, progress):
            writer.write(reading)


def _readings(
    frames: tuple[int, ...], scenery: Scenery, encoding: Encoding, progress: Progress | None
) -> Iterator[Start | Frame | Event | Gap]:
    rng = np.random.default_rng([_SEED, 1])
    period_ns, tick, start_ns, done = NS / RATE_HZ, 0, 0, 0
    for number, count in enumerate(frames):
        times = [start_ns + round(k * period_ns) + int(rng.integers(_JITTER_NS)) for k in range(count)]
        end_ns = start_ns + round(count * period_ns)
        begin_ns = times[0]
        hand = [
            e._replace(t_ns=e.t_ns + begin_ns) for e in plan_hand(seed=number, seconds=(end_ns - begin_ns) / NS - 0.002)
        ]
        waiting = iter([*hand, None])
        event = next(waiting)
        yield Start(begin_ns)
        encoded = _ahead(scenery, encoding, tick, count)
        for k, (now, following) in enumerate(pairwise([*times, end_ns])):
            yield Frame(now, next(encoded).result(), tick=tick + k)
            while event is not None and event.t_ns < following:
                yield event
                event = next(waiting)
            if progress is not None:
                progress(done + k + 1, sum(frames), "")
        yield Gap(end_ns, "end" if number == len(frames) - 1 else "pause")
        done += count
        start_ns, tick = end_ns + _PAUSE_NS, tick + count + round(_PAUSE_NS / period_ns)


def _ahead(scenery: Scenery, encoding: Encoding, first: int, count: int) -> Iterator[Future[Encoded]]:
    """Hand pictures to the encoder some ahead of when they are asked for."""
    waiting: list[Future[Encoded]] = []
    for k in range(count):
        waiting.append(encoding.submit(scenery.picture(first + k), key=k == 0))
        if len(waiting) >= encoding.room:
            yield waiting.pop(0)
    yield from waiting


def plan_hand(*, seed: int, seconds: float) -> list[Event]:
    """Plan what a hand does.

    Args:
        seed: The same one gives the same hand.
        seconds: For how long; everything is let go before.

    Returns:
        Events from 0 ns on, in the order of time.
    """
    rng = np.random.default_rng([_SEED, seed])
    found: list[Event] = []
    for control, gap_s, hold_s in _HABITS:
        device = "mouse" if control.startswith("Mouse") else "keyboard"
        at = float(rng.exponential(gap_s))
        while True:
            up = at + hold_s * float(rng.uniform(0.3, 1.8))
            if up >= seconds:
                break
            found.append(Event(int(at * NS), device, control, "press", 1.0))
            found.append(Event(int(up * NS), device, control, "release", 0.0))
            at = up + 0.01 + float(rng.exponential(gap_s))
    return sorted([*found, *_mouse(rng, seconds)], key=lambda e: e.t_ns)


def _mouse(rng: np.random.Generator, seconds: float) -> Iterator[Event]:
    """Look around smoothly, rest in between, and now and then turn in a flick."""
    speed, left, active, flick = np.zeros(2), 0, False, np.zeros(2)
    for k in range(int(seconds * NS) // _MOVE_NS):
        if left == 0:
            active = bool(rng.random() < _TURNING)
            left = int(rng.integers(_REPORTS // 4, _REPORTS))
            if active and rng.random() < _FLICKING:
                left, flick = _REPORTS // 20, np.array([rng.choice([-1, 1]) * _FLICK, rng.normal(0, 10)])
            else:
                flick = np.zeros(2)
        left -= 1
        speed = _CALM * speed + (1 - _CALM) ** 0.5 * _LOOK * rng.normal(0, (1.0, 0.5)) if active else 0.6 * speed
        dx, dy = np.rint(speed + flick).tolist()
        if dx or dy:
            yield Event(k * _MOVE_NS + int(rng.integers(_MOVE_NS // 2)), "mouse", "Mouse", "move", dx=dx, dy=dy)
