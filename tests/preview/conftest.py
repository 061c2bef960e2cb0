"""Recordings that lie in memory and in no format: what every picture must be able to show."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import EVENT_COLUMNS, Recording, Sessions
from rushes.model.session import Segment, SessionInfo, StreamSpec

NS = 1_000_000_000
NAMES = ("NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPFIRE")


@dataclass
class Fake(Recording):
    """Pictures of one grey level a frame; the table of steps is given."""

    info: SessionInfo
    segments: tuple[Segment, ...]
    step_rows: pd.DataFrame
    event_rows: pd.DataFrame
    times: np.ndarray
    size: tuple[int, int] = (210, 160)
    ledger: Ledger = field(default_factory=Ledger)
    problems: tuple[Problem, ...] = ()

    def index(self, segment=None):
        numbers = [s.index for s in self.segments for _ in range(s.frames)]
        table = pd.DataFrame({"frame_index": range(len(numbers)), "t_ns": self.times, "segment": numbers})
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def steps(self, segment=None):
        table = self.step_rows
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def events(self, segment=None):
        return self.event_rows

    def frames(self, start, stop) -> Iterator[np.ndarray]:
        for k in range(start, stop):
            yield np.full((*self.size, 3), (7 * k) % 256, np.uint8)

    def pictures(self, start, stop):
        return iter([None] * (stop - start))


def info(game, kind, space, id_="", source="emulated"):
    return SessionInfo(
        id=id_ or f"{game.lower()}-1",
        game=game,
        source={"kind": "env", "name": game},
        time_source=source,
        streams=(StreamSpec("screen", "frames", "png"), StreamSpec(kind, kind)),
        action_space=space,
    )


def make_environment(
    game="Alien", lengths=(5, 3), rate_hz=15, space=None, actions=None, rewards=(0, 10, 0, 5), size=(210, 160)
):
    """N pictures an episode and N - 1 actions; lives go down by one with every action."""
    space = space or ActionSpace.discrete(NAMES, world="ALE")
    segments, rows, times, first = [], [], [], 0
    for number, frames in enumerate(lengths):
        t = [(first + k) * NS // rate_hz for k in range(frames)]
        attrs = {"episode": number, "randomness": 0.2, "policy": "lookahead", "seed": 40 + number, "frameskip": 4}
        segments.append(Segment(number, t[0], t[-1], first, frames, "terminated" if number % 2 else "budget", attrs))
        for k in range(frames - 1):
            action = actions[k] if actions else k % len(space)
            name = space.names[action].rpartition("/")[2] if np.ndim(action) == 0 else ""
            last = k == frames - 2 and number % 2 == 1
            rows.append(
                (
                    first + k,
                    t[k],
                    number,
                    action,
                    name,
                    float(rewards[k % len(rewards)]),
                    last,
                    False,
                    9 - k,
                    k == 1,
                    False,
                )
            )
        times += t
        first += frames
    columns = "frame_index t_ns segment action action_name reward terminated truncated lives random_action is_human"
    steps = pd.DataFrame(rows, columns=columns.split())
    events = pd.DataFrame({c: [] for c in EVENT_COLUMNS})
    ledger = Ledger({"frames": Account(10, 8, {"truncated_png": 2}, {"duplicate": 1})})
    return Fake(info(game, "steps", space), tuple(segments), steps, events, np.array(times, np.int64), size, ledger)


@pytest.fixture
def environment():
    """The maker of environments: a game, the lengths of its episodes, and more."""
    return make_environment


@pytest.fixture
def alien():
    return make_environment()


@pytest.fixture
def cart():
    """Discrete actions without a joystick."""
    return make_environment(
        "Cart Pole", (4,), 50, ActionSpace.discrete(["PUSH_LEFT", "PUSH_RIGHT"], world="CartPole"), size=(64, 90)
    )


@pytest.fixture
def pendulum():
    """A number without a name."""
    space = ActionSpace.box([-2.0], [2.0])
    return make_environment("Pendulum", (4,), 30, space, actions=[[0.5], [-1.0], [2.0]], size=(100, 100))


@pytest.fixture
def desktop():
    """Recorded play: events, no steps, pictures larger than a page."""
    rows = [
        (0, "kbd", "KeyW", "press", None, None, None, None, None, ""),
        (NS // 10, "mouse", "MouseLeft", "press", None, None, None, None, None, ""),
        (NS // 10, "mouse", "Mouse", "move", None, None, None, 30.0, -4.0, ""),
        (2 * NS // 10, "kbd", "KeyW", "release", None, None, None, None, None, ""),
    ]
    space = ActionSpace.from_names(["KeyW", "MouseLeft", "MouseDX"])
    times = np.array([0, NS // 10, 2 * NS // 10], np.int64)
    segments = (Segment(0, 0, 3 * NS // 10, 0, 3, "pause"),)
    return Fake(
        info("Doom", "events", space, source="measured"),
        segments,
        pd.DataFrame(),
        events_frame(rows),
        times,
        (720, 1280),
    )


@pytest.fixture
def all_kinds(alien, cart, pendulum, desktop):
    return Sessions([alien, cart, pendulum, desktop], format="memory")
