"""The steps of an environment by frame: which action, what came of it, and what stood before it.

What belongs to a picture is as in `rushes.preview.notes`: `action` is what was done on it and `reward` what came of
that; `score` is the sum of rewards before it and `lives` those that were left. A correction moves actions by whole
steps within their episode, and leaves rewards where they are.

Example:
    >>> from rushes.store.reader import open_session
    >>> from rushes.widgets.player_source import open_shown
    >>> def first_action(path):
    ...     return steps_of(open_shown(path)).name(0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadNameError
from rushes.model.controls import action_buttons
from rushes.widgets.player_source import Shown

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Steps:
    """S steps of N frames.

    Attributes:
        row: (N,) int64, the step on each frame, -1 where there is none.
        stretch: (N,) int64, the stretch of each frame.
        code: (S,) int64, which of `names` each action is; empty where actions are vectors.
        names: Names of actions, bare.
        buttons: Buttons that each of `names` holds down.
        vectors: (S, A) float64; (0, 0) where actions are numbers.
        slots: Names of the columns of `vectors`.
        reward: (S,) float64.
        human: (S,) bool.
        random: (S,) bool.
        ended: (S,) bool, whether the episode ended with it.
        score: (N,) float64, sum of rewards before each frame in its stretch.
        lives: (N,) int64, lives left at each frame, -1 where nothing is known.
    """

    row: Ints
    stretch: Ints
    code: Ints
    names: tuple[str, ...]
    buttons: tuple[tuple[str, ...], ...]
    vectors: Floats
    slots: tuple[str, ...]
    reward: Floats
    human: Bools
    random: Bools
    ended: Bools
    score: Floats
    lives: Ints

    def moved(self, by: int) -> Ints:
        """Give the step whose action each frame has when actions move later by whole steps: (N,) int64, -1 for none."""
        if not by:
            return self.row
        frames = np.arange(len(self.row)) - by
        inside = (frames >= 0) & (frames < len(self.row))
        safe = np.clip(frames, 0, len(self.row) - 1)
        inside &= (self.stretch[safe] == self.stretch) & (self.row >= 0)
        return np.where(inside, self.row[safe], -1)

    def name(self, step: int) -> str:
        """Name the action of a step: its name, or its numbers."""
        if len(self.code):
            return str(self.names[self.code[step]])
        return ", ".join(f"{value:+.2f}" for value in self.vectors[step])

    def down(self, step: int) -> tuple[str, ...]:
        """Give the buttons that a step holds down."""
        return self.buttons[self.code[step]] if len(self.code) else ()

    def axes(self, step: int) -> dict[str, float]:
        """Give the numbers of a step by name; empty where it is one of a few actions."""
        if not len(self.vectors):
            return {}
        return {name: float(value) for name, value in zip(self.slots, self.vectors[step], strict=True)}

    @property
    def controls(self) -> tuple[str, ...]:
        """All buttons, in the order of the actions."""
        return tuple(dict.fromkeys(button for one in self.buttons for button in one))

    def holds(self, t_ns: Ints, ends_ns: Ints, by: int) -> dict[str, Ints]:
        """Give the stretches of time for which each button is held: button -> (H, 2) int64 ns.

        Args:
            t_ns: (N,) time of each frame.
            ends_ns: (N,) its end.
            by: Whole steps by which actions are moved.
        """
        if not len(self.code):
            return {}
        step = self.moved(by)
        code = np.where(step >= 0, self.code[step], -1)
        found: dict[str, Ints] = {}
        for button in self.controls:
            has = np.array([button in one for one in self.buttons] + [False])
            held = has[code]
            begins = held & ~(np.roll(held, 1) & (np.roll(self.stretch, 1) == self.stretch))
            ends = held & ~(np.roll(held, -1) & (np.roll(self.stretch, -1) == self.stretch))
            begins[0], ends[-1] = held[0], held[-1]
            found[button] = np.stack([t_ns[begins], ends_ns[ends]], axis=1)
        return found


def steps_of(shown: Shown) -> Steps:
    """Read the steps of what is shown.

    Args:
        shown: Any source; one without steps gives none.
    """
    recording = shown.recording
    table = recording.steps() if recording.is_environment and shown.samples is None else pd.DataFrame()
    if len(shown.stretches) < len(recording.segments) and len(table):  # an episode alone
        table = table[table["frame_index"].isin(shown.frame_index)].reset_index(drop=True)
    row = np.full(len(shown), -1, np.int64)
    if len(table):
        place = np.searchsorted(shown.frame_index, table["frame_index"].to_numpy(np.int64))
        row[np.minimum(place, len(shown) - 1)] = np.arange(len(table))
    numbers: dict[str, Any] = {
        name: table[name].to_numpy(kind) if len(table) else np.zeros(0, kind)
        for name, kind in (("reward", float), ("random_action", bool), ("is_human", bool), ("terminated", bool))
    }
    cut = table["truncated"].to_numpy(bool) if len(table) else np.zeros(0, bool)
    code, names, vectors = _actions(table, recording.info.action_space.names)
    world = (recording.info.action_space.names[:1] or ("",))[0].partition("/")[0]
    slots = tuple(name.rpartition("/")[2] for name in recording.info.action_space.names)
    return Steps(
        row, shown.stretch_of, code, names, tuple(_buttons(name, world) for name in names),
        vectors, slots if len(slots) == vectors.shape[1] else tuple(str(k) for k in range(vectors.shape[1])),
        np.nan_to_num(numbers["reward"]), numbers["is_human"], numbers["random_action"], numbers["terminated"] | cut,
        _score(shown, row, np.nan_to_num(numbers["reward"])), _lives(shown, row, table),
    )  # fmt: skip


def _actions(table: pd.DataFrame, names: tuple[str, ...]) -> tuple[Ints, tuple[str, ...], Floats]:
    if not len(table):
        return np.zeros(0, np.int64), (), np.zeros((0, 0))
    if np.ndim(table["action"].iloc[0]):
        return np.zeros(0, np.int64), (), np.stack([np.asarray(a, float) for a in table["action"]])
    said = table["action_name"].to_numpy(object)
    number = table["action"].to_numpy(np.int64)
    if not all(said):
        known = dict(enumerate(names))
        said = np.array([text or known.get(int(k), str(k)) for text, k in zip(said, number, strict=True)], object)
    code, found = pd.factorize(said)
    return code.astype(np.int64), tuple(str(name).rpartition("/")[2] for name in found), np.zeros((0, 0))


def _buttons(name: str, world: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(action_buttons(f"{world}/{name}")))
    except BadNameError:  # an import with a name of its own
        return (f"{world}/{name}" if world else name,)


def _score(shown: Shown, row: Ints, reward: Floats) -> Floats:
    score = np.zeros(len(shown))
    for stretch in shown.stretches:
        mine = row[stretch.start : stretch.stop]
        gained = np.where(mine >= 0, reward[mine], 0.0) if len(reward) else np.zeros(len(mine))
        score[stretch.start + 1 : stretch.stop] = np.cumsum(gained)[:-1]
    return score


def _lives(shown: Shown, row: Ints, table: pd.DataFrame) -> Ints:
    """Give the lives left at each frame; games that never have one say nothing."""
    lives = np.full(len(shown), -1, np.int64)
    after = table["lives"].to_numpy(float) if len(row[row >= 0]) else np.zeros(0)
    after = np.nan_to_num(after, nan=-1.0)
    if not (after > 0).any():
        return lives
    for stretch in shown.stretches:
        mine = row[stretch.start : stretch.stop - 1]
        lives[stretch.start + 1 : stretch.stop] = np.where(mine >= 0, after[mine], -1)
    return lives
