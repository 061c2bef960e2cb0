"""A take of plain numbers for the checks that read tables: 30 frames a second, every frame on its tick, hands at play.

Tests change the tables before they are checked; nothing here comes from the code under test.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.qa.rules import Limits
from rushes.qa.subject import Expected, Subject

MS = 1_000_000
STEP = 33_333_333
"""ns from frame to frame."""
SPACE = ActionSpace.from_names(
    ["KeyW", "KeyA", "KeyS", "KeyD", "Space", "MouseLeft", "MouseDX", "MouseDY", "J_LEFT_X", "J_LEFT_Y"]
)


class Take(Recording):
    """Recorded play, or an environment where `actions` are given.

    Args:
        lengths: Frames of each segment; 20 ms of pause lie between two.
        events: What was done.
        actions: One a frame but for the last of each segment, numbers of `space`.
        rate_hz: What the stream states.
        time_source: As a session says it.
        unit: Of motion.
        space: What can be done.
    """

    def __init__(
        self, lengths, events=(), *, actions=None, rate_hz=30.0, time_source="measured", unit="counts", space=SPACE
    ) -> None:
        kind, streams = ("desktop", (StreamSpec("events", "events", unit=unit),))
        if actions is not None:
            kind, streams = "env", (StreamSpec("steps", "steps"),)
        screen = StreamSpec("screen", "frames", "h264", width=64, height=36, rate_hz=rate_hz)
        self.info = SessionInfo("take", "Game", {"kind": kind, "name": "x"}, time_source, (screen, *streams), space)
        self.segments, self.ledger, self.problems = (), Ledger(), ()
        first, start, t_ns, number = 0, 0, [], []
        for count in lengths:
            t_ns += [start + k * STEP for k in range(count)]
            number += [len(self.segments)] * count
            end = t_ns[-1] + STEP * (actions is None)
            self.segments += (Segment(len(self.segments), start, end, first, count, "pause"),)
            first, start = first + count, end + 20 * MS
        whole = np.arange(len(t_ns))
        self.table = pd.DataFrame(
            {"frame_index": whole, "tick": whole, "picture": whole, "t_ns": t_ns, "segment": number}
            | {"duplicate": False, "late": False, "dropped_before": 0}
        )[list(INDEX_COLUMNS)]
        self.done = events_frame(sorted(events, key=lambda event: event.t_ns))
        here = [k for s in self.segments for k in range(s.first_frame, s.stop_frame - 1)] if actions is not None else []
        self.said = pd.DataFrame(
            {"frame_index": here, "t_ns": [t_ns[k] for k in here], "segment": [number[k] for k in here]}
            | {"action": [actions[k] for k in here], "action_name": "", "reward": 1.0, "terminated": False}
            | {"truncated": False, "lives": -1, "random_action": False, "is_human": False}
        )[list(STEP_COLUMNS)]

    def index(self, segment=None):
        return self.table if segment is None else self.table[self.table["segment"] == segment]

    def steps(self, segment=None):
        return self.said if segment is None else self.said[self.said["segment"] == segment]

    def events(self, segment=None):
        return self.done

    def frames(self, start, stop):
        raise AssertionError("a quick check decodes nothing")

    def pictures(self, start, stop):
        raise AssertionError("a quick check reads no picture")


def found(check, take, *, limits=None, expected=None):
    """Run a check and give its findings by rule; of several of one rule the first."""
    subject = Subject(take, Limits(limits or {}), expected or Expected(), quick=True)
    told = {}
    for finding in check(subject):
        told.setdefault(finding.check.partition(".")[2], finding)
        assert finding.session == "take"
        assert (finding.limit is None) == (finding.value is None) or finding.severity == "info" or finding.value
    return told


def bad(check, take, **more):
    """Name the rules that have something to say, in order, but for what is no fault."""
    return sorted(name for name, finding in found(check, take, **more).items() if finding.severity != "info")


def hold(down_s, up_s, control="KeyW", device="keyboard"):
    """Hold a control from one second to another."""
    return [Event(round(t * 1e9), device, control, kind) for t, kind in ((down_s, "press"), (up_s, "release"))]


def taps(start_s, stop_s, control="Space", *, each_s=0.5, long_s=0.1, device="keyboard"):
    """Tap a control again and again."""
    times = np.arange(start_s, stop_s - long_s, each_s)
    return [event for t in times for event in hold(t, t + long_s, control, device)]


def moves(start_s, stop_s, *, seed=0, rate_hz=125, spread=30.0, dy=True):
    """Move a mouse as a hand does: many small motions, some large ones."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(start_s, stop_s, round((stop_s - start_s) * rate_hz)))
    way = np.round(rng.normal(0, spread, (len(times), 2)))
    return [
        Event(round(t * 1e9), "mouse", "Mouse", "move", dx=float(x), dy=float(y) if dy else 0.0)
        for t, (x, y) in zip(times, way, strict=True)
    ]


def stick(start_s, stop_s, control="J_LEFT_X", *, seed=0, rest=0.0, scale=1.0):
    """Push a stick about once a second and let it go home, at 60 positions a second while it moves."""
    rng, rows = np.random.default_rng(seed), []
    for t in np.arange(start_s, stop_s - 0.6, 1.0):
        far, path = rng.uniform(-0.9, 0.9), np.sin(np.linspace(0, np.pi, 24))
        for k, part in enumerate(path):
            rows.append((t + k / 60, rest if k == 23 else np.clip(scale * (rest + far * part), -1, 1)))
    return [Event(round(t * 1e9), "pad0", control, "axis", float(value)) for t, value in rows]


def playing(seconds):
    """Play on keys and a mouse."""
    return [*taps(0.2, seconds), *taps(0.33, seconds, "KeyA", each_s=0.9, long_s=0.3), *moves(0.0, seconds)]
