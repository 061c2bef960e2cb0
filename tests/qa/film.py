"""A recording that is nothing but pictures, for tests of what pictures show."""

from itertools import pairwise

import cv2
import numpy as np
import pandas as pd

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Picture, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec

RATE_HZ = 10
STEP_NS = NS // RATE_HZ


class Film(Recording):
    """Pictures at 10 frames a second in segments of given lengths, with a key that goes up and down where asked."""

    def __init__(self, frames, *, lengths=(), broken=(), video=False, duplicates=(), playing=False, size=None):
        self.shown, self.broken, self.video, self.playing = list(frames), set(broken), video, playing
        self.duplicates, self.asked, self.problems, self.ledger = set(duplicates), [], (), Ledger()
        height, width = size or self.shown[0].shape[:2]
        stream = StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=RATE_HZ)
        self.info = SessionInfo(
            id="film",
            game="Film",
            source={"kind": "synthetic", "name": "film"},
            time_source="measured",
            streams=(stream, StreamSpec("events", "events", unit="counts")),
            action_space=ActionSpace.from_names(["KeyW"]),
            provenance={},
        )
        edges = np.cumsum([0, *(lengths or (len(self.shown),))]).tolist()
        self.segments = tuple(
            Segment(
                index=k, start_ns=a * STEP_NS, end_ns=b * STEP_NS, first_frame=a, frames=b - a, end_reason="stopped"
            )
            for k, (a, b) in enumerate(pairwise(edges))
        )

    def index(self, segment=None):
        count = len(self.shown)
        rows = {name: np.zeros(count, np.int64) for name in INDEX_COLUMNS}
        rows["frame_index"] = rows["tick"] = rows["picture"] = np.arange(count)
        rows["t_ns"] = np.arange(count) * STEP_NS
        for one in self.segments:
            rows["segment"][one.first_frame : one.stop_frame] = one.index
        table = pd.DataFrame(rows).astype({"duplicate": bool, "late": bool})
        table["duplicate"] = [k in self.duplicates for k in range(count)]
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def steps(self, segment=None):
        return pd.DataFrame({name: [] for name in STEP_COLUMNS})

    def events(self, segment=None):
        ticks = range(2, len(self.shown), 3) if self.playing else ()
        kinds = ("press", "release")
        return events_frame(Event(k * STEP_NS, "keyboard", "KeyW", kinds[number % 2]) for number, k in enumerate(ticks))

    def frames(self, start, stop):
        for k in range(start, stop):
            self.asked.append(k)
            if k in self.broken:
                raise BadDataError(f"picture {k} is damaged", accepts="a whole one", fix="restore it")
            yield self.shown[k]

    def pictures(self, start, stop):
        return iter([None if self.video else Picture("png", b"")] * (stop - start))


def scene(seed, *, height, width):
    """Sky above, ground below, things of every size and colour: (height, width, 3) uint8, wide enough to pan over."""
    rng = np.random.default_rng(seed)
    wide = np.empty((height, width, 3), np.uint8)
    wide[:] = np.linspace((90, 140, 220), (60, 110, 40), height)[:, None]
    for _ in range(width // 2):
        x, y, w, h = rng.integers(0, (width, height, 24, 18))
        cv2.rectangle(wide, (int(x), int(y)), (int(x + w + 4), int(y + h + 4)), rng.integers(0, 255, 3).tolist(), -1)
    return wide


def pan(count=100, *, seed=0, step=3, size=(90, 160)):
    """Pictures of a camera that goes to the right at `step` px a frame."""
    height, width = size
    wide = scene(seed, height=height, width=count * step + width + 1)
    return [np.ascontiguousarray(wide[:, k * step : k * step + width]) for k in range(count)]
