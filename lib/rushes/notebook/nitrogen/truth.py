"""What the events of a session say that each form of NitroGen data must hold: the other side of a comparison.

Rows are made from the session's events and frames; no file of any form is read here. Layouts and pad map are those that
the writers use, so a comparison tells whether files hold what they should, and not whether a layout is right: tests do.

Example:
    >>> def windows(sessions, plan):
    ...     return len(truth_of(sessions, plan).starts(plan.seq_len))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.formats.inputs import Rows
from rushes.model.actions import ActionSpace
from rushes.model.grid import Grid, to_grid
from rushes.model.recording import Recording, Sessions
from rushes.notebook.nitrogen.compared import equal_rows
from rushes.notebook.nitrogen.forms import Plan
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import Pair, pairs
from rushes.store.validity import honour_all

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CAPTURE_KEYS: Final = "capture28"
_RELEASE: Final = "nitrogen21"
_PAD: Final = "nitrogen25"
_MOTIONS: Final = ("MouseDX", "MouseDY")


@dataclass(frozen=True, eq=False)
class Part:
    """One recording.

    Attributes:
        recording: It.
        segment: (N,) int64, segment of each row.
        frame_index: (N,) int64.
        tick: (N,) int64.
        t_ns: (N,) int64 ns since session start.
        keys: (N, 28), keys of the NitroGen Capture program that were down in [t_k, t_{k+1}).
        motion: (N, 2), motion of the mouse in it: right, down.
        pt: (N, A), rows of the .pt file's layout.
        pad: (N, 25), the pad that the keys stand for, 21 buttons and 4 axes: what was done in [t_k, t_{k+1}).
        release: (R, 21), the release's columns, a row for every frame: what had been done when it showed.
    """

    recording: Recording
    segment: Ints
    frame_index: Ints
    tick: Ints
    t_ns: Ints
    keys: Floats
    motion: Floats
    pt: Floats
    pad: Floats
    release: Floats

    def __repr__(self) -> str:
        return f"Part({self.recording.info.id}, {len(self.tick)} rows)"


@dataclass(frozen=True)
class Truth:
    """What the recordings of a run say.

    Attributes:
        parts: One a recording, in order.
        names: Columns of the .pt file's layout.
        presses: Control -> how often it went down in a segment.
        places: Format -> controls that it has a place for.
        clipped: Rows whose motion is more than a full stick of the .pt file says.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    presses: Mapping[str, int]
    places: Mapping[str, frozenset[str]] = field(repr=False)
    clipped: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(part.tick) for part in self.parts)

    @property
    def motion(self) -> npt.NDArray[np.float64]:
        """Sums of the mouse's motion: right, down."""
        total = np.zeros(len(_MOTIONS))
        for part in self.parts:
            total += part.motion.sum(0, dtype=np.float64)
        return total

    @property
    def pt_rows(self) -> Floats:
        """All rows of the .pt file's layout: (N, A)."""
        return np.concatenate([part.pt for part in self.parts])

    def starts(self, length: int) -> Ints:
        """Number the rows at which a window of `length` rows fits into its segment: (M,) int64."""
        found: list[Ints] = [np.zeros(0, np.int64)]
        first = 0
        for part in self.parts:
            for count in np.unique(part.segment, return_counts=True)[1].tolist():
                found.append(np.arange(first, first + max(0, count - length + 1)))
                first += count
        return np.concatenate(found)

    def place(self, row: int) -> tuple[Part, int]:
        """Find a row: its recording, and its number there."""
        for part in self.parts:
            if row < len(part.tick):
                return part, row
            row -= len(part.tick)
        raise IndexError(row)

    def picture(self, row: int, side: int) -> npt.NDArray[np.uint8]:
        """Give the frame of a row as a trainer gets it: (side, side, 3) uint8 RGB."""
        import cv2

        part, k = self.place(row)
        pixels = part.recording.frame(int(part.frame_index[k]))
        return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    def presses_kept(self, form: str) -> int:
        """Count the presses of controls that a form has a place for."""
        return sum(count for control, count in self.presses.items() if control in self.places[form])


def truth_of(sessions: Sessions, plan: Plan) -> Truth:
    """Read the recordings' events as the rows of every form.

    Args:
        sessions: What was converted; stretches that were marked invalid are left out, as `convert` does.
        plan: How it was converted.
    """
    target = ActionSpace.from_layout(plan.layout)
    parts, presses, places, clipped = [], Counter[str](), dict[str, frozenset[str]](), 0
    for recording in honour_all(sessions):
        pad_map = read_pad_map(plan.pad_map, game=recording.info.game)
        keys = Rows(_keys_and_motion(), pad_map)
        pt, release = Rows(target, pad_map), Rows(ActionSpace.from_layout(_RELEASE), pad_map)
        for form, rows in (("nitrogen_capture", keys), ("nitrogen_pt", pt), ("nitrogen_dataset", release)):
            places[form] = places.get(form, frozenset()) | rows.controls
        every = list(pairs(recording))
        if not every:
            continue
        for pair in every:
            presses.update({control: int(count.sum()) for control, count in pair.grid.pressed.items()})
            clipped += _clipped(pair, target)
        both = np.concatenate([keys.vectors(pair.grid) for pair in every])
        pad = [pad_map.pad(pair.grid) for pair in every]
        index = pd.concat([pair.index for pair in every], ignore_index=True)
        parts.append(
            Part(
                recording,
                segment=np.concatenate([np.full(len(pair), pair.segment.index, np.int64) for pair in every]),
                frame_index=index["frame_index"].to_numpy(np.int64),
                tick=index["tick"].to_numpy(np.int64),
                t_ns=index["t_ns"].to_numpy(np.int64),
                keys=both[:, : -len(_MOTIONS)],
                motion=both[:, -len(_MOTIONS) :],
                pt=np.concatenate([pt.vectors(pair.grid) for pair in every]),
                pad=np.concatenate(pad),
                release=np.concatenate(
                    [_shown(pair, pad_map.pad(_before(pair)), one) for pair, one in zip(every, pad, strict=True)]
                ),
            )
        )
    return Truth(tuple(parts), target.names, {c: n for c, n in presses.items() if n}, places, clipped)


def _keys_and_motion() -> ActionSpace:
    keys = ActionSpace.from_layout(CAPTURE_KEYS).slots
    return ActionSpace("buttons", (*keys, *ActionSpace.from_names(_MOTIONS).slots))


def take_part(waiting: list[Part], column: str, values: npt.ArrayLike) -> Part | None:
    """Find the part that a file holds, and take it out of those that wait; names of folders are not asked.

    Args:
        waiting: Parts that no file was found for yet.
        column: `keys`, `pt`, `pad` or `release`.
        values: What the file holds of it.
    """
    found = next(
        (one for one in waiting if equal_rows(getattr(one, column), values) == len(getattr(one, column))), None
    )
    if found is not None:
        waiting.remove(found)
    return found


def _shown(pair: Pair, first: Floats, rows: Floats) -> Floats:
    """Give what had been done when each frame of a segment showed: its first state, then the rows, one later."""
    names = [slot.name for slot in ActionSpace.from_layout(_PAD).slots]
    columns = [names.index(slot.name) for slot in ActionSpace.from_layout(_RELEASE).slots]
    return np.concatenate([first, rows])[: pair.segment.frames, columns]


def _before(pair: Pair) -> Grid:
    """Give the state in which a segment begins, as a grid of one step."""
    start = int(pair.grid.t_ns[0])
    early = (pair.events["t_ns"] < start) | ((pair.events["kind"] == "state") & (pair.events["t_ns"] <= start))
    return to_grid(pair.events[early].assign(t_ns=start), [start], end_ns=start + 1)


def _clipped(pair: Pair, target: ActionSpace) -> int:
    """Count the rows whose motion is more than its columns can say."""
    over = np.zeros(len(pair), bool)
    for slot in target.slots:
        for control in (*slot.plus, *slot.minus):
            if slot.role == "motion" and control in pair.grid.motion:
                over |= np.abs(pair.grid.motion[control] * slot.scale) > slot.limits[1]
    return int(over.sum())
