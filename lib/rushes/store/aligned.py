"""Rows as arrays: the frames of one stretch, each with what was done on it, as a trainer reads them.

Row k is a frame and what happened until the next one that is taken. With `frame_skip` every k-th frame is taken and
its row spans all that happened until the next one that is: what was down at any time in it is held, motion is summed
over all of it, and nothing is dropped. `phase` says which frame of the stretch comes first.

Recorded play is put on the grid of its frames. For environments the steps are the truth: a discrete action is one of
A columns (of several skipped over, each that was taken), a vector is given as it is (over several, its mean).

Example:
    >>> from rushes.store.reader import open_session
    >>> from rushes.store.entry import describe
    >>> def jumps(path):
    ...     session, space = open_session(path), ActionSpace.from_names(["Space"])
    ...     return [aligned(session, part, space=space).inputs[:, 0] for part in describe(session).stretches]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.controls import ALE_ACTIONS
from rushes.model.grid import Grid, to_grid
from rushes.model.layouts import LAYOUTS, Slot
from rushes.model.recording import Recording
from rushes.store.entry import Stretch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

InputEncoding = Literal["multi_hot", "pressed", "released", "fraction"]
INPUT_ENCODINGS: Final[tuple[str, ...]] = get_args(InputEncoding)
_HELD: Final = "multi_hot"


@dataclass(frozen=True)
class Aligned:
    """N rows of one stretch.

    Attributes:
        frame_index: (N,) int64, the frame of each row.
        t_ns: (N,) int64 ns since session start, when the frame was taken.
        ends_ns: (N,) int64, when the row ends.
        inputs: (N, A) float32 in the order of the action space.
        action: What an environment was told on the frame itself: (N,) int64, its number in the action space, or
            (N, D) float32; None for recorded play.
        rewards: (N,) float32, summed over the row; None for recorded play.
        terminated: (N,) bool, whether the episode ended in the row; None for recorded play.
        truncated: (N,) bool, whether it was cut; None for recorded play.
        is_human: (N,) bool, whether a person acted on the frame; None for recorded play.
    """

    frame_index: Ints
    t_ns: Ints
    ends_ns: Ints
    inputs: Floats
    action: npt.NDArray[Any] | None = None
    rewards: Floats | None = None
    terminated: Bools | None = None
    truncated: Bools | None = None
    is_human: Bools | None = None

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def nbytes(self) -> int:
        """Bytes that its arrays take."""
        return sum(value.nbytes for value in self.__dict__.values() if value is not None)


def aligned(
    recording: Recording,
    stretch: Stretch,
    *,
    space: ActionSpace,
    encoding: str = _HELD,
    action_delay_ms: float = 0.0,
    frame_skip: int = 1,
    phase: int = 0,
) -> Aligned:
    """Put the rows of a stretch together.

    Args:
        recording: With marks honoured (`store.validity.honour`).
        stretch: One of its entry's (`store.entry.describe`).
        space: What the columns of `inputs` are; see `common_space`.
        encoding: What the column of a button holds: `multi_hot` (1 where it was down at any time in the row),
            `pressed` or `released` (1 where that happened in it), `fraction` (the part of it that it was down). Where
            the space is discrete or numbers, there is `multi_hot` alone.
        action_delay_ms: Moves every event this much later first; steps of an environment stay.
        frame_skip: Frames from one row to the next.
        phase: Frames of the stretch before the first row.

    Returns:
        One row for each frame `phase`, `phase + frame_skip` ... of the stretch that has an action.

    Raises:
        BadInputError: An encoding that does not exist or does not fit the space, or a space that the recording's
            actions have no place in.
        BadDataError: The recording is no longer what its entry says: it was marked or changed since.
    """
    if encoding not in INPUT_ENCODINGS:
        raise BadInputError(f"encoding={encoding!r}", accepts=", ".join(INPUT_ENCODINGS), fix="choose one")
    segment = recording.segments[stretch.segment] if stretch.segment < len(recording.segments) else None
    if segment is None or (segment.first_frame, segment.frames) != (stretch.first_frame, stretch.frames):
        raise BadDataError(
            f"{recording.info.id}, whose stretches are no longer those that were counted",
            accepts="a recording that nobody marks or changes while it is read",
            fix="open it anew",
        )
    t_ns = recording.index(stretch.segment)["t_ns"].to_numpy(np.int64)
    end_ns = segment.end_ns if stretch.rows == len(t_ns) else int(t_ns[stretch.rows])
    taken = np.arange(phase, stretch.rows, frame_skip)
    starts = t_ns[taken]
    common = stretch.first_frame + taken, starts, np.append(starts[1:], np.int64(end_ns))[: len(starts)]
    own = recording.info.action_space
    from_steps = recording.is_environment and (own.kind == "box" or space.kind == "discrete")
    if from_steps and encoding != _HELD:
        raise BadInputError(
            f"encoding={encoding!r} for {space!r}", accepts=_HELD, fix="leave encoding out, or name a layout of buttons"
        )
    if not len(taken):
        return Aligned(*common, np.zeros((0, len(space)), np.float32))
    if not from_steps:
        events = recording.events(stretch.segment)
        grid = to_grid(events, starts, end_ns=end_ns, action_delay_ms=action_delay_ms)
        inputs = _vectors(grid, space, encoding)
    if not recording.is_environment:
        return Aligned(*common, inputs)
    steps, firsts = recording.steps(stretch.segment), np.arange(0, stretch.rows - phase, frame_skip)
    steps = steps.iloc[phase : stretch.rows]
    action = _actions(steps, own, space)
    if from_steps:
        every = action if action.ndim > 1 else np.eye(len(space), dtype=np.float32)[action]
        reduce = np.add if action.ndim > 1 else np.maximum
        inputs = reduce.reduceat(every, firsts, axis=0).astype(np.float32)
        if action.ndim > 1:
            inputs /= np.diff(np.append(firsts, len(steps)))[:, None].astype(np.float32)
    return Aligned(
        *common,
        inputs,
        action=action[firsts],
        rewards=np.add.reduceat(steps["reward"].to_numpy(np.float32), firsts),
        terminated=np.logical_or.reduceat(steps["terminated"].to_numpy(bool), firsts),
        truncated=np.logical_or.reduceat(steps["truncated"].to_numpy(bool), firsts),
        is_human=steps["is_human"].to_numpy(bool)[firsts],
    )


def _vectors(grid: Grid, space: ActionSpace, encoding: str) -> Floats:
    return grid.vector(space, "held" if encoding == _HELD else encoding)  # type: ignore[arg-type]


def _actions(steps: pd.DataFrame, own: ActionSpace, space: ActionSpace) -> npt.NDArray[Any]:
    """Give what was told: numbers in the space asked for where both are discrete, else as they stand."""
    if own.kind == "box":
        if own.digest != space.digest:
            raise BadInputError(f"{own!r} as {space!r}", accepts="numbers as they are", fix="leave layout out")
        return np.stack(steps["action"].to_list()).astype(np.float32).reshape(len(steps), -1)
    action = steps["action"].to_numpy(np.int64)
    if space.kind != "discrete" or own.digest == space.digest:
        return action
    place = {name: number for number, name in enumerate(space.names)}
    missing = sorted(set(own.names) - set(place))
    if missing:
        raise BadInputError(
            f"{own!r} as {space!r}, which has no {missing[0]}",
            accepts="a space with all actions of the recordings",
            fix="leave layout out, or name one that has them",
        )
    numbers: npt.NDArray[np.int64] = np.array([place[name] for name in own.names], np.int64)
    found: npt.NDArray[np.int64] = numbers[action]
    return found


def common_space(spaces: Iterable[ActionSpace], layout: str | ActionSpace | None = None) -> ActionSpace:
    """Find the columns that recordings are given in.

    Args:
        spaces: What can be done in each.
        layout: A known layout (`capture28`, `gameon20`, `ale18` ...), names of controls with commas between
            (`w,a,s,d,space,MouseDX`), or a space; None takes what the recordings have: their own where all have one,
            the 18 actions of ALE for several of its games, and for recorded play every slot of any of them.

    Raises:
        BadInputError: Spaces that have nothing in common, or a name that means two things.
        BadNameError: An unknown name; the message names the nearest.
    """
    if isinstance(layout, ActionSpace):
        return layout
    if layout is not None:
        known = layout.strip() in LAYOUTS
        return ActionSpace.from_layout(layout.strip()) if known else ActionSpace.from_names(_words(layout))
    found = {space.digest: space for space in {id(space): space for space in spaces}.values()}
    if len(found) <= 1:
        return next(iter(found.values()), ActionSpace.from_names([]))
    ale = {f"ALE/{name}" for name in ALE_ACTIONS} | set(ALE_ACTIONS)
    if all(space.kind == "discrete" and ale.issuperset(space.names) for space in found.values()):
        return ActionSpace.from_layout("ale18")
    slots: dict[str, Slot] = {}
    for space in found.values():
        for slot in space.slots:
            if space.kind != "buttons" or slots.setdefault(slot.name, slot) != slot:
                raise BadInputError(
                    f"recordings with {len(found)} action spaces, {slot.name} of {space!r} among them",
                    accepts="spaces of buttons whose names mean the same, or games of ALE",
                    fix="name the columns with layout=, or take the recordings of one game",
                )
    return ActionSpace("buttons", tuple(slots.values()))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
