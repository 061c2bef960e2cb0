"""Emulator play with its actions moved by whole steps, and what interventions in the emulator say is true of it.

Nothing here uses the code that is measured: the truth comes from plain Gymnasium and ALE, played from `reset(seed)`.
At many steps of the play other actions are done in place of the stored one, followed by the stored ones: the first
later observation that differs says how long the game takes to show an action. Other actions are tried from saved
states where a state that is put back plays on as the play itself did, picture by picture; where a game's does not
(Tetris), the play up to there is repeated from the reset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import ale_py
import gymnasium
import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.recording import Picture, Recording

LATEST = 6
"""Observations that are looked at after an action."""
TRIED = 100
"""Steps of a play at which other actions are tried, and
ALTERNATIVES other actions at each."""
ALTERNATIVES = 4


class Moved(Recording):
    """A recording with other actions on its observations, each episode for itself.

    Args:
        recording: Emulator play.
        shift: Stored action k is the one that was done on observation k + shift; the first or last stands in where
            the episode has none.
        other: Whether the actions are those of the next episode instead, repeated to the length of this one.
    """

    def __init__(self, recording: Recording, *, shift: int = 0, other: bool = False) -> None:
        self._recording = recording
        self.info, self.segments = recording.info, recording.segments
        self.ledger, self.problems = recording.ledger, recording.problems
        steps = recording.steps()
        self._steps = steps.copy()
        rows = [np.flatnonzero(steps["segment"] == segment.index) for segment in self.segments]
        for number, here in enumerate(rows):
            there = rows[(number + 1) % len(rows)] if other else here
            at = np.arange(len(here)) % len(there) if other else np.clip(np.arange(len(here)) + shift, 0, len(here) - 1)
            for column in ("action", "action_name"):
                self._steps.iloc[here, steps.columns.get_loc(column)] = steps[column].to_numpy()[there[at]]

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame, as it was."""
        return self._recording.index(segment)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a step, with other actions."""
        chosen = self._steps if segment is None else self._steps[self._steps["segment"] == segment]
        return chosen.reset_index(drop=True)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return the edges that follow from the other actions."""
        return self.step_edges(segment)

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures, as they were."""
        return self._recording.frames(start, stop)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give stored pictures, as they were."""
        return self._recording.pictures(start, stop)


class Truth(NamedTuple):
    """What interventions in a play showed.

    Attributes:
        tried: Steps at which other actions were tried.
        first: How many of them were first seen in observation k + 1, k + 2 ... (`LATEST` numbers).
    """

    tried: int
    first: tuple[int, ...]

    @property
    def moves(self) -> float:
        """Share of the steps at which another action gives another picture."""
        return sum(self.first) / self.tried if self.tried else 0.0

    @property
    def latency(self) -> int:
        """Steps until the first observation that shows a tenth or more of the actions that move anything."""
        return next((n for n, count in enumerate(self.first) if count and count >= sum(self.first) / 10), 0)

    @property
    def modal(self) -> int:
        """The most frequent one."""
        return int(np.argmax(self.first))


def intervene(recording: Recording) -> Truth:
    """Find out what actions do in a sampled session, by doing others."""
    env = gymnasium.make(
        recording.segments[0].attrs["env_id"], frameskip=4, repeat_action_probability=0.0, disable_env_checker=True
    ).unwrapped
    rng = np.random.default_rng(recording.frame_count)
    every = max(recording.frame_count // TRIED, 1)
    firsts: list[int] = []
    tried = 0
    for episode in recording.episodes():
        play = _Play(env, int(episode.segment.attrs["seed"]), [int(a) for a in episode.steps["action"]])
        for step in range(every // 2, len(play.actions) - LATEST, every):
            tried += 1
            others = [int(a) for a in rng.permutation(len(play.codes)) if a != play.actions[step]][:ALTERNATIVES]
            seen = [first for other in others if (first := play.first(step, other)) is not None]
            firsts += [min(seen)] if seen else []
    env.close()
    return Truth(tried, tuple(firsts.count(n) for n in range(LATEST)))


class _Play:
    """An episode in the emulator that can be left at any step for another action."""

    def __init__(self, env: Any, seed: int, actions: Sequence[int]) -> None:
        self.env, self.seed, self.actions = env, seed, actions
        self.ale, self.codes = env.ale, list(env._action_set)  # noqa: SLF001 - the order of the actions
        self.env.reset(seed=seed)
        self.pictures, self.states = [], []
        for action in actions:
            self.states.append(self.ale.cloneSystemState())
            self.pictures.append(self._act(action))

    def first(self, step: int, other: int) -> int | None:
        """Say after how many observations an action at a step is first seen, or None."""
        self.ale.restoreSystemState(self.states[step])
        if not all(self._act(self.actions[n]) == self.pictures[n] for n in range(step, step + LATEST)):
            self.env.reset(seed=self.seed)
            for action in self.actions[:step]:
                self._act(action)
        else:
            self.ale.restoreSystemState(self.states[step])
        for n in range(LATEST):
            if self._act(other if n == 0 else self.actions[step + n]) != self.pictures[step + n]:
                return n
        return None

    def _act(self, action: int) -> bytes:
        for _ in range(4):
            self.ale.act(self.codes[action])
        return bytes(self.ale.getScreen().tobytes())


ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
gymnasium.register_envs(ale_py)
