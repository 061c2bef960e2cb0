"""A recording in memory, made of plain numbers, so that expected values come from here and not from the library.

Picture k of session s has one colour in each quarter that follows from (s, k) alone; actions, rewards and ends follow
from k. Nothing here imports rushes.formats.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.clock import emulated_ns
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import Picture, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.store.images import encode_indexed, encode_rgb

HEIGHT, WIDTH = 20, 16
BREAKOUT = ("ALE/NOOP", "ALE/FIRE", "ALE/RIGHT", "ALE/LEFT")
ALIEN = (
    "ALE/NOOP", "ALE/FIRE", "ALE/UP", "ALE/RIGHT", "ALE/LEFT", "ALE/DOWN", "ALE/UPRIGHT", "ALE/UPLEFT",
    "ALE/DOWNRIGHT", "ALE/DOWNLEFT", "ALE/UPFIRE", "ALE/RIGHTFIRE", "ALE/LEFTFIRE", "ALE/DOWNFIRE",
    "ALE/UPRIGHTFIRE", "ALE/UPLEFTFIRE", "ALE/DOWNRIGHTFIRE", "ALE/DOWNLEFTFIRE",
)  # fmt: skip
PALETTE = np.random.default_rng(7).integers(0, 256, (256, 3)).astype(np.uint8)


def indices(salt: int, k: int) -> np.ndarray:
    screen = np.zeros((HEIGHT, WIDTH), np.uint8)
    screen[:10, :8] = (salt * 31 + 7) % 256
    screen[:10, 8:] = k % 256
    screen[10:, :8] = (k // 256) % 256
    screen[10:, 8:] = (k * 7 + salt) % 256
    return screen


def picture(salt: int, k: int) -> np.ndarray:
    """What frame k must show: (20, 16, 3) uint8 RGB."""
    return PALETTE[indices(salt, k)]


class Fake(Recording):
    """A session of `episodes` (lists of frame counts), every number a function of its place."""

    def __init__(
        self,
        episodes: list[int],
        *,
        env_id: str = "ALE/Alien-v5",
        game: str = "Alien",
        names: tuple[str, ...] = ALIEN,
        salt: int = 1,
        randomness: float | None = 0.2,
        indexed: bool = True,
        last_action: bool = False,
        break_at: int | None = None,
    ) -> None:
        self.salt, self.names, self.indexed, self.last_action, self.break_at = (
            salt,
            names,
            indexed,
            last_action,
            break_at,
        )
        codec = "png-indexed" if indexed else "png"
        self.info = SessionInfo(
            id=f"session-{salt}",
            game=game,
            source={"kind": "env", "name": env_id},
            time_source="emulated",
            streams=(
                StreamSpec("screen", "frames", codec, width=WIDTH, height=HEIGHT, rate_hz=15.0),
                StreamSpec("steps", "steps", rate_hz=15.0),
            ),
            action_space=ActionSpace.discrete(list(names)),
            provenance={"env_id": env_id, "seed": 0},
        )
        segments, first = [], 0
        for number, count in enumerate(episodes):
            attrs = {
                "env_id": env_id, "frameskip": 4, "sticky": 0.25, "full_action_space": False,
                "episode": number, "seed": 1000 + number, "randomness": randomness, "policy": "uniform", "score": 1.5,
            }  # fmt: skip
            times = emulated_ns(first, frameskip=4), emulated_ns(first + count - 1, frameskip=4)
            reason = "terminated" if number % 2 == 0 else "budget"
            segments.append(Segment(number, *times, first, count, reason, attrs))
            first += count
        self.segments = tuple(segments)
        actions = sum(len(self.steps(s.index)) for s in segments)
        self.ledger = Ledger({"frames": Account(first, first), "actions": Account(actions, actions)})
        self.problems = ()

    def _chosen(self, segment):
        return self.segments if segment is None else (self.segments[segment],)

    def index(self, segment=None) -> pd.DataFrame:
        rows = [
            (k, k, k, emulated_ns(k, frameskip=4), s.index, False, False, 0)
            for s in self._chosen(segment)
            for k in range(s.first_frame, s.stop_frame)
        ]
        names = ["frame_index", "tick", "picture", "t_ns", "segment", "duplicate", "late", "dropped_before"]
        return pd.DataFrame(rows, columns=names)

    def action(self, k: int) -> int:
        return (k * 5 + self.salt) % len(self.names)

    def steps(self, segment=None) -> pd.DataFrame:
        rows = []
        for s in self._chosen(segment):
            stop = s.stop_frame - (0 if self.last_action else 1)
            for k in range(s.first_frame, stop):
                over = k == stop - 1 and s.end_reason == "terminated"
                a = self.action(k)
                t_ns = emulated_ns(k, frameskip=4)
                outcome = (k * 0.5, over, False, 3 - k % 3, k % 4 == 0, False)
                rows.append((k, t_ns, s.index, a, self.names[a], *outcome))
        names = [
            "frame_index", "t_ns", "segment", "action", "action_name", "reward", "terminated", "truncated",
            "lives", "random_action", "is_human",
        ]  # fmt: skip
        table = pd.DataFrame(rows, columns=names)
        ints, flags = (
            ["frame_index", "t_ns", "segment", "action", "lives"],
            ["terminated", "truncated", "random_action", "is_human"],
        )
        return table.astype(
            dict.fromkeys(ints, "int64") | dict.fromkeys(flags, "bool") | {"reward": "float64", "action_name": "str"}
        )

    def events(self, segment=None) -> pd.DataFrame:
        return self.step_edges(segment)

    def frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        for k in range(start, stop):
            yield picture(self.salt, k)

    def pictures(self, start: int, stop: int) -> Iterator[Picture]:
        for k in range(start, stop):
            if k == self.break_at:
                raise RuntimeError("the source breaks here")
            if self.indexed:
                yield Picture("png-indexed", encode_indexed(indices(self.salt, k), PALETTE))
            else:
                yield Picture("png", encode_rgb(picture(self.salt, k)))
