"""Planted play on a road, for the notebook about samples when it is given none: what a picture asks is what is pressed.

A runner meets bars and walls. Space jumps a bar, and is held longer for a longer bar's flight; KeyA and KeyD step aside
of a wall; the mouse looks around. Each session has a course and a seed of its own, and two of its holds are left open:
those under way when a segment ends.

Example:
    >>> course = plan_course(seed=1, seconds=20.0)
    >>> course == plan_course(seed=1, seconds=20.0), {act.control for act in course} == {"Space", "KeyA", "KeyD"}
    (True, True)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from rushes.capture.encoding import Encoding
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.notebook.negatives.road import Pixels, Road, Thing
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.store.writer import SessionWriter

Progress = Callable[[int, int, str], None]

SESSIONS: Final = 4
SIZE: Final = (180, 320)
"""(height, width) of the pictures in px."""
RATE_HZ: Final = 30.0
SECONDS: Final = (14.0, 8.0)
"""Length of each segment."""
CONTROLS: Final = ("Space", "KeyA", "KeyD", "MouseDX", "MouseDY")
_SEED: Final = 2027
_SPEED: Final = 6.0  # m/s
_REACT_M: Final = 3.4  # how far off a thing is when the hand answers
_PAUSE_NS: Final = 2 * NS
_KEYS: Final = {"bar": "Space", "left": "KeyD", "right": "KeyA"}
_HOLD_S: Final = {"Space": (0.16, 0.62), "KeyA": (0.3, 0.5), "KeyD": (0.3, 0.5)}
_GAP_S: Final = (0.5, 1.3)
_FIRST_S: Final = 0.7
_SEE_M: Final = 22.0
_ASIDE_M, _HIGH_M = 1.0, 0.9
_SMOOTH_S: Final = 0.12
_MOVE_S: Final = 0.016


@dataclass(frozen=True)
class Act:
    """A thing on the road and what the hand does about it.

    Attributes:
        kind: `bar`, `left` or `right`.
        control: What is pressed.
        down_s: When, seconds from the segment's start.
        up_s: When it is let go; after the end of the segment where the hold is left open.
        at_s: When the runner would meet the thing.
    """

    kind: str
    control: str
    down_s: float
    up_s: float
    at_s: float


def play_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the folder with a notebook's own sessions; they are made where they are not there.

    Args:
        name: Of the notebook, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while they are made.

    Returns:
        A folder of four sessions of two segments, 22 s each at 30 frames a second, 320x180 px, always the same.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            for number in range(SESSIONS):
                make_play(partial / f"play{number + 1}", number + 1)
                if progress is not None:
                    progress(number + 1, SESSIONS, "")
    return folder


def make_play(
    path: Path, number: int, *, seconds: Sequence[float] = SECONDS, size: tuple[int, int] = SIZE
) -> list[list[Act]]:
    """Write a session.

    Args:
        path: A new directory.
        number: Of the session; decides its course, its hills and its id.
        seconds: Length of each segment.
        size: (height, width) in px, even.

    Returns:
        What was planted, segment by segment.
    """
    height, width = size
    info = SessionInfo(
        id=f"play{number}",
        game="Road",
        source={"kind": "synthetic", "name": "road"},
        time_source="nominal",
        streams=(
            StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=RATE_HZ),
            StreamSpec("events", "events", unit="counts"),
        ),
        action_space=ActionSpace.from_names(CONTROLS),
        provenance={"seed": _SEED, "number": number, "seconds": list(seconds)},
    )
    road = Road(size, seed=_SEED + number)
    courses = [plan_course(seed=10 * number + k, seconds=length) for k, length in enumerate(seconds)]
    with SessionWriter(path, info) as writer, Encoding("h264", width=width, height=height, rate_hz=RATE_HZ) as encoding:
        begin_ns, tick = 0, 0
        for k, (length, course) in enumerate(zip(seconds, courses, strict=True)):
            count = round(length * RATE_HZ)
            mouse = plan_mouse(seed=10 * number + k, seconds=length)
            times = [begin_ns + round(j * NS / RATE_HZ) for j in range(count + 1)]
            pictures = (_view(road, tick + j, j / RATE_HZ, course, mouse) for j in range(count))
            hand = [e._replace(t_ns=begin_ns + e.t_ns) for e in _hand(course, mouse, length)]
            writer.write(Start(begin_ns))
            if k and courses[k - 1] and courses[k - 1][-1].up_s >= seconds[k - 1]:  # let go during the pause
                writer.write(Event(begin_ns, "keyboard", courses[k - 1][-1].control, "state", 0.0))
            waiting = deque(hand)
            encoded = _ahead(pictures, encoding)
            for j, (now, following) in enumerate(pairwise(times)):
                writer.write(Frame(now, next(encoded).result(), tick=tick + j))
                while waiting and waiting[0].t_ns < following:
                    writer.write(waiting.popleft())
            last = k == len(seconds) - 1
            writer.write(Gap(times[-1], "end" if last else "pause"))
            begin_ns, tick = times[-1] + _PAUSE_NS, tick + count + round(_PAUSE_NS * RATE_HZ / NS)
    return courses


def plan_course(*, seed: int, seconds: float) -> list[Act]:
    """Plan what stands on the road, and what the hand does about it.

    Args:
        seed: The same one gives the same course.
        seconds: Length of the segment; the last hold of an even seed reaches beyond it.

    Returns:
        Acts in the order of time; those of one control never overlap.
    """
    rng = np.random.default_rng([_SEED, seed])
    acts: list[Act] = []
    at = _FIRST_S
    while at < seconds - 0.3:
        kind = str(rng.choice(["bar", "bar", "left", "right"]))
        low, high = _HOLD_S[_KEYS[kind]]
        hold = float(rng.uniform(low, high))
        down = at + float(rng.uniform(-0.02, 0.02))
        if down + hold >= seconds - 0.05:
            break
        acts.append(Act(kind, _KEYS[kind], down, down + hold, down + _REACT_M / _SPEED))
        at = down + hold + float(rng.uniform(*_GAP_S))
    if seed % 2 == 0:
        down = max(seconds - 0.25, (acts[-1].up_s if acts else 0.0) + 0.05)
        if down < seconds - 0.04:
            acts.append(Act("bar", "Space", down, seconds + 1.0, down + _REACT_M / _SPEED))
    return acts


def plan_mouse(*, seed: int, seconds: float) -> list[tuple[float, int, int]]:
    """Plan how the mouse looks around.

    Args:
        seed: The same one gives the same way.
        seconds: For how long.

    Returns:
        (seconds, dx, dy) of each report in counts; it rests about half of the time.
    """
    rng = np.random.default_rng([_SEED, seed, 7])
    found, speed, left, looking = [], np.zeros(2), 0, False
    for k in range(int(seconds / _MOVE_S) - 1):
        if left == 0:
            left, looking = int(rng.integers(15, 60)), not looking
            aim = rng.normal(0, (14.0, 4.0)) if looking else np.zeros(2)
        left -= 1
        speed = 0.85 * speed + 0.15 * aim
        dx, dy = (int(v) for v in np.rint(speed))
        if dx or dy:
            found.append((k * _MOVE_S + 0.003, dx, dy))
    return found


def _hand(course: Sequence[Act], mouse: Sequence[tuple[float, int, int]], seconds: float) -> list[Event]:
    found = [Event(round(at * NS), "mouse", "Mouse", "move", dx=float(dx), dy=float(dy)) for at, dx, dy in mouse]
    for act in course:
        found.append(Event(round(act.down_s * NS), "keyboard", act.control, "press", 1.0))
        if act.up_s < seconds:
            found.append(Event(round(act.up_s * NS), "keyboard", act.control, "release", 0.0))
    return sorted(found, key=lambda event: event.t_ns)


def _view(
    road: Road, number: int, now_s: float, course: Sequence[Act], mouse: Sequence[tuple[float, int, int]]
) -> Pixels:
    """Draw what is seen at a time: what is pressed at it shows from it on, never before."""
    aside = up = 0.0
    for act in course:
        gone = now_s - act.down_s
        if gone <= 0:
            continue
        back = max(0.0, now_s - act.up_s)
        amount = min(1.0, gone / _SMOOTH_S) * max(0.0, 1.0 - back / _SMOOTH_S)
        if act.control == "Space":
            up = max(up, amount * _HIGH_M)
        else:
            aside += amount * _ASIDE_M * (1.0 if act.control == "KeyD" else -1.0)
    yaw = sum(dx for at, dx, _ in mouse if at < now_s)
    ahead = [
        Thing(act.kind, (act.at_s - now_s) * _SPEED)  # type: ignore[arg-type]
        for act in course
        if 0 < (act.at_s - now_s) * _SPEED < _SEE_M
    ]
    return road.picture(number, gone_m=now_s * _SPEED, aside_m=aside, up_m=up, yaw_counts=yaw, ahead=ahead)


def _ahead(pictures: Iterator[Pixels], encoding: Encoding) -> Iterator[Future[Encoded]]:
    """Hand pictures to the encoder some ahead of when they are asked for."""
    waiting: deque[Future[Encoded]] = deque()
    for k, pixels in enumerate(pictures):
        waiting.append(encoding.submit(pixels, key=k == 0))
        if len(waiting) >= encoding.room:
            yield waiting.popleft()
    yield from waiting
