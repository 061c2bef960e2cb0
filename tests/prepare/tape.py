"""Recorded play in memory, made of plain numbers: frame k stands at k * STEP, every event where a test says it.

Times of events are given in rows: 2.5 is half a frame behind frame 2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.events import cut_events, edges_from_actions, events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec

STEP = 100_000_000
"""ns from frame to frame: 10 a second."""
KEYS = ActionSpace.from_names(["KeyW", "KeyA", "KeyD", "Space"])


def ns(row: float) -> int:
    return round(row * STEP)


def press(row: float, control: str = "KeyW", device: str = "keyboard", flag: str = "") -> Event:
    return Event(ns(row), device, control, "press", flag=flag)


def release(row: float, control: str = "KeyW", device: str = "keyboard", flag: str = "") -> Event:
    return Event(ns(row), device, control, "release", flag=flag)


def axis(row: float, control: str, value: float, device: str = "pad") -> Event:
    return Event(ns(row), device, control, "axis", value=value)


def state(row: float, control: str = "KeyW", value: float = 1.0, device: str = "keyboard") -> Event:
    return Event(ns(row), device, control, "state", value=value)


class Tape(Recording):
    """A session of segments with so many frames, one directly behind the other.

    Args:
        lengths: Frames of each segment.
        events: What was done.
        actions: Of an environment: one a frame but for the last of each segment; a name, or a vector.
        pictures: What each frame shows: equal numbers, equal pictures; the number of the frame where not given.
    """

    def __init__(self, lengths, events=(), *, name="tape", space=KEYS, actions=None, pictures=None) -> None:
        self.actions = actions
        streams = (StreamSpec("screen", "frames", "png", width=8, height=8, rate_hz=10.0),)
        streams += (StreamSpec("steps", "steps"),) if actions is not None else ()
        self.info = SessionInfo(name, "Game", {"kind": "desktop", "name": "x"}, "measured", streams, space)
        first, segments = 0, []
        for number, count in enumerate(lengths):
            end = first + count - (1 if actions is not None else 0)
            segments.append(Segment(number, first * STEP, end * STEP, first, count, "pause"))
            first += count
        self.segments = tuple(segments)
        self.shown = list(range(first)) if pictures is None else list(pictures)
        self._events = events_frame(sorted(events, key=lambda event: event.t_ns))
        self.ledger, self.problems = Ledger(), ()

    def index(self, segment=None):
        chosen = self.segments if segment is None else [self.segments[segment]]
        frames = [k for one in chosen for k in range(one.first_frame, one.stop_frame)]
        numbers = [one.index for one in chosen for _ in range(one.frames)]
        columns = dict.fromkeys(INDEX_COLUMNS, np.zeros(len(frames), np.int64))
        columns |= {name: np.array(frames, np.int64) for name in ("frame_index", "tick", "picture")}
        columns |= {"t_ns": np.array(frames, np.int64) * STEP, "segment": np.array(numbers, np.int64)}
        return pd.DataFrame(columns).astype({"duplicate": bool, "late": bool})

    def steps(self, segment=None):
        if self.actions is None:
            return pd.DataFrame({column: [] for column in STEP_COLUMNS})
        chosen = self.segments if segment is None else [self.segments[segment]]
        frames = [k for one in chosen for k in range(one.first_frame, one.stop_frame - 1)]
        said = [self.actions[k] for k in frames]
        numbers = [one.index for one in chosen for _ in range(one.frames - 1)]
        names = [s if isinstance(s, str) else "" for s in said]
        return pd.DataFrame(
            {"frame_index": frames, "t_ns": [k * STEP for k in frames], "segment": numbers}
            | {"action": [self.info.action_space.names.index(s) if isinstance(s, str) else s for s in said]}
            | {"action_name": names, "reward": 0.0, "terminated": False, "truncated": False, "lives": -1}
            | {"random_action": False, "is_human": False}
        )

    def events(self, segment=None):
        if self.actions is not None:
            steps = self.steps(segment)
            if not len(steps) or not steps["action_name"].iloc[0]:
                return events_frame()
            return edges_from_actions(steps["t_ns"], steps["action_name"], world="ALE")
        if segment is None:
            return self._events
        one = self.segments[segment]
        return cut_events(self._events, one.start_ns, one.end_ns)

    def frames(self, start, stop):
        for k in range(start, stop):
            yield np.full((8, 8, 3), self.shown[k] % 256, np.uint8)

    def pictures(self, start, stop):
        return iter([None] * (stop - start))
