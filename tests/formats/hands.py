"""Recorded play in memory, with keyboard and mouse, made of plain numbers: expected values come from here.

Frame k of a segment stands at start + k * STEP; every picture has one colour in each quarter that follows from
(salt, k) alone. What was done is given as literal events. Nothing here imports rushes.formats.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.layouts import layout, slot
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Event
from rushes.model.recording import Picture, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.store.images import encode_indexed, encode_rgb

HEIGHT, WIDTH = 12, 16
STEP = 40_000_000
"""ns from frame to frame: 25 a second."""
PAUSE = 1_000_000_000
SPACE = ActionSpace("buttons", (*layout("capture28").slots, slot("MouseDX"), slot("MouseDY")))
PALETTE = np.random.default_rng(7).integers(0, 256, (256, 3)).astype(np.uint8)


def indices(salt: int, k: int) -> np.ndarray:
    screen = np.zeros((HEIGHT, WIDTH), np.uint8)
    screen[:6, :8] = (salt * 31 + 7) % 256
    screen[:6, 8:] = k % 256
    screen[6:, :8] = (k // 256) % 256
    screen[6:, 8:] = (k * 7 + salt) % 256
    return screen


def picture(salt: int, k: int) -> np.ndarray:
    """What frame k must show: (12, 16, 3) uint8 RGB."""
    return PALETTE[indices(salt, k)]


def key(t_ns: int, control: str, kind: str) -> Event:
    return Event(t_ns, "mouse" if control.startswith("Mouse") else "keyboard", control, kind)


def move(t_ns: int, dx: float, dy: float) -> Event:
    return Event(t_ns, "mouse", "Mouse", "move", dx=dx, dy=dy)


class Hands(Recording):
    """A session of segments with so many frames.

    Args:
        lengths: Frames of each segment.
        events: What was done; for each segment a function of its start, or nothing for some of everything.
        drops: Frame numbers before which two ticks were dropped.
        stored: `png`, `png-indexed`, or `video` (pictures of no file of their own).
        environment: Whether the last frame of each segment is an observation without an action.
    """

    def __init__(
        self, lengths, *, events=None, salt=1, game="Doom", drops=(), stored="png", environment=False, rate_hz=25.0,
        unit="counts", break_at=None, error=RuntimeError, space=SPACE,
    ) -> None:  # fmt: skip
        self.salt, self.stored, self.environment = salt, stored, environment
        self.break_at, self.error = break_at, error
        streams = [
            StreamSpec("screen", "frames", "png", width=WIDTH, height=HEIGHT, rate_hz=rate_hz),
            StreamSpec("events", "events", unit=unit),
        ]
        self.info = SessionInfo(
            id=f"hands-{salt}",
            game=game,
            source={"kind": "desktop", "name": "x11"},
            time_source="measured",
            streams=(*streams, *([StreamSpec("steps", "steps")] if environment else [])),
            action_space=space,
        )
        segments, rows, first, start, tick = [], [], 0, 0, 0
        for number, count in enumerate(lengths):
            times = [start + k * STEP for k in range(count)]
            end = times[-1] + (0 if environment else STEP)
            attrs = {"part": number}
            segments.append(Segment(number, start, end, first, count, "pause", attrs, wall_ns=10**18 + start))
            for k, t_ns in enumerate(times):
                dropped = 2 if k and first + k in drops else 0
                tick += dropped
                rows.append((first + k, tick, first + k, t_ns, number, False, k % 5 == 3, dropped))
                tick += 1
            first, start, tick = first + count, end + PAUSE, tick + PAUSE // STEP
        self.segments = tuple(segments)
        names = ["frame_index", "tick", "picture", "t_ns", "segment", "duplicate", "late", "dropped_before"]
        self._rows = pd.DataFrame(rows, columns=names)
        per_segment = events if events is not None else [some] * len(lengths)
        every = [e for s, made in zip(segments, per_segment, strict=True) for e in made(s.start_ns)]
        self._events = events_frame(sorted(every, key=lambda e: e.t_ns))
        self.ledger = Ledger({"frames": Account(first, first), "events": Account(len(every), len(every))})
        self.problems = ()

    def index(self, segment=None) -> pd.DataFrame:
        if segment is None:
            return self._rows.copy()
        return self._rows[self._rows["segment"] == segment].reset_index(drop=True)

    def steps(self, segment=None) -> pd.DataFrame:
        rows = self.index(segment) if self.environment else self._rows.iloc[:0]
        last = rows.groupby("segment").tail(1).index
        return rows.drop(last)[["frame_index", "t_ns", "segment"]].assign(
            action=0, action_name="", reward=0.0, terminated=False, truncated=False, lives=-1, random_action=False,
            is_human=True,
        )  # fmt: skip

    def events(self, segment=None) -> pd.DataFrame:
        if segment is None:
            return self._events.copy()
        one = self.segments[segment]
        t_ns = self._events["t_ns"]
        return self._events[(t_ns >= one.start_ns) & (t_ns < one.end_ns)].reset_index(drop=True)

    def frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for k in range(start, stop):
            self._break(k)
            yield picture(self.salt, k)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        for k in range(start, stop):
            if self.stored == "video":
                yield None
                continue
            self._break(k)
            if self.stored == "png":
                yield Picture("png", encode_rgb(picture(self.salt, k)))
            else:
                yield Picture("png-indexed", encode_indexed(indices(self.salt, k), PALETTE))

    def _break(self, k: int) -> None:
        if k == self.break_at:
            raise self.error


def some(start: int) -> list[Event]:
    """W from the middle of row 0 to that of row 2, a tap of E and motion in row 1, the left button in rows 2 and 3."""
    return [
        key(start + STEP // 2, "KeyW", "press"),
        key(start + 5 * STEP // 2, "KeyW", "release"),
        key(start + STEP + 10, "KeyE", "press"),
        key(start + STEP + 20, "KeyE", "release"),
        move(start + STEP + 30, 3, -4),
        move(start + STEP + 40, 1, 1),
        key(start + 2 * STEP + 10, "MouseLeft", "press"),
        key(start + 3 * STEP + 10, "MouseLeft", "release"),
    ]
