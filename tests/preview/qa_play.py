"""A recording for the pictures of checks: given times and inputs, pictures that turn white at a press plus 200 ms."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec

MS = 1_000_000


def press(control, down_ms, up_ms):
    """Give both edges of a hold."""
    return [
        Event(down_ms * MS, "keyboard", control, "press", 1.0),
        Event(up_ms * MS, "keyboard", control, "release", 0.0),
    ]


@dataclass
class Play(Recording):
    """Segments of frames at given ms, at 20 Hz by its stream; a square lights 200 ms after each press, for 150 ms."""

    times_ms: list[list[float]]
    presses_ms: tuple[int, ...] = ()
    rate_hz: float = 20.0
    unreadable: int = -1

    def __post_init__(self):
        streams = (StreamSpec("screen", "frames", "h264", exact=False, width=160, height=90, rate_hz=self.rate_hz),
                   StreamSpec("events", "events", unit="counts"))  # fmt: skip
        space = ActionSpace.from_names(["KeyW", "Space", "MouseDX", "MouseDY"])
        self.info = SessionInfo("play-1", "Doom", {"kind": "desktop", "name": "x"}, "measured", streams, space)
        firsts = np.cumsum([0, *(len(times) for times in self.times_ms)])
        self.segments = tuple(
            Segment(k, int(times[0] * MS), int((times[-1] + 50) * MS), int(firsts[k]), len(times), "pause")
            for k, times in enumerate(self.times_ms)
        )
        self.ledger, self.problems = Ledger(), ()
        edges = [event for at in self.presses_ms for event in press("Space", at, at + 100)]
        self.event_rows = events_frame(sorted(edges, key=lambda e: e.t_ns))

    def index(self, segment=None):
        rows = [(k, at) for k, times in enumerate(self.times_ms) for at in times]
        t_ns = np.array([at * MS for _, at in rows], np.int64)
        table = pd.DataFrame({
            "frame_index": range(len(rows)), "tick": np.rint(t_ns / 5e7).astype(int), "picture": range(len(rows)),
            "t_ns": t_ns, "segment": [k for k, _ in rows], "duplicate": False, "late": False, "dropped_before": 0,
        })  # fmt: skip
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def steps(self, segment=None):
        raise AssertionError("recorded play has no steps")

    def events(self, segment=None):
        if segment is None:
            return self.event_rows
        one = self.segments[segment]
        return self.event_rows[self.event_rows["t_ns"].between(one.start_ns, one.end_ns - 1)].reset_index(drop=True)

    def frames(self, start, stop):
        from rushes.errors import BadDataError

        times = [at for part in self.times_ms for at in part]
        for k in range(start, stop):
            if k == self.unreadable:
                raise BadDataError("picture", accepts="a whole one", fix="restore it")
            pixels = np.full((90, 160, 3), 60, np.uint8)
            if any(at + 200 <= times[k] < at + 350 for at in self.presses_ms):
                pixels[60:80, 120:150] = 255
            yield pixels

    def pictures(self, start, stop):
        return iter([None] * (stop - start))


def evenly(count, *, start_ms=0.0, step_ms=50.0):
    """Give times at a steady step."""
    return [start_ms + k * step_ms for k in range(count)]
