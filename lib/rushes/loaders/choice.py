"""Which windows a dataset has: the recordings of a part, their rows, and an account of what is left out.

Example:
    >>> checked_size(224, ()), checked_size((90, 160), ())
    ((224, 224), (90, 160))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadInputError, BadNameError, near
from rushes.loaders.index import Index, Listed, Place, Regular
from rushes.loaders.parts import part_of
from rushes.loaders.source import Found, Source
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Tally
from rushes.store.aligned import Aligned
from rushes.store.choose import listed
from rushes.store.entry import Entry
from rushes.store.validity import MARKED

OTHER_SPLIT: Final = "other_split"
WITHOUT_ACTION: Final = "without_action"
TOO_SHORT: Final = "too_short"
REMAINDER: Final = "remainder"
IDLE: Final = "idle"
_NOTHING: Final = "NOOP"


@dataclass(frozen=True)
class Cut:
    """How stretches are cut into windows.

    Attributes:
        length: T, frames a window shows.
        frame_skip: Frames from one that is shown to the next.
        stride: Frames from one start to the next.
        pad: Whether the rest of a stretch is a window too.
    """

    length: int
    frame_skip: int
    stride: int
    pad: bool

    @property
    def span(self) -> int:
        """Frames that a window's rows reach over."""
        return self.length * self.frame_skip


def refuse_below(least: int, **numbers: Any) -> None:
    """Refuse options out of their range.

    Raises:
        BadInputError: One of them is below the least, or no integer.
    """
    for name, value in numbers.items():
        if value is not None and (not isinstance(value, int | np.integer) or value < least):
            raise BadInputError(
                f"{name}={value!r}", accepts=f"an integer from {least} on", fix=f"pass {name}={least} or more"
            )


def of_split(found: Found, split: str | None, splits: str | Path, *, seed: int, tally: Tally) -> tuple[Source, ...]:
    """Choose the recordings of a part.

    Args:
        found: What the source holds.
        split: Name of the part; None for all.
        splits: Parts with their shares, or a file; see `loaders.parts`.
        seed: Of the placing.
        tally: Counts `sessions`.

    Raises:
        BadInputError: There is no such part, or no session in it.
    """
    account = found.ledger["sessions"]
    tally.offer("sessions", account.offered)
    for why, count in account.lost.items():
        tally.lose("sessions", why, count)
    if split is None or found.samples is not None:
        return found.each
    parts = part_of({one.entry.id: one.entry.rows for one in found.each}, splits, seed=seed)
    chosen = tuple(one for one in found.each if parts[one.entry.id] == split)
    if not chosen:
        raise BadInputError(
            f"split={split!r}, in which no session of {len(found.each)} is",
            accepts=", ".join(sorted(set(parts.values()))),
            fix="record more sessions (a split is by whole sessions), or split rows with `rushes prepare split`",
        )
    tally.lose("sessions", OTHER_SPLIT, len(found.each) - len(chosen))
    return chosen


def checked_size(size: int | tuple[int, int] | None, entries: Sequence[Entry]) -> tuple[int, int]:
    """Find the size of the frames.

    Args:
        size: Pixels a side, (height, width), or None for that of the recordings.
        entries: The recordings.

    Raises:
        BadInputError: Recordings of several sizes, or a size below 1.
    """
    if size is not None:
        if isinstance(size, int | np.integer):
            size = (int(size), int(size))
        if not isinstance(size, Sequence) or isinstance(size, str) or len(size) != 2:  # noqa: PLR2004 - height, width
            raise BadInputError(f"size={size!r}", accepts="pixels a side, or (height, width)", fix="pass size=224")
        height, width = size
        refuse_below(1, height=height, width=width)
        return int(height), int(width)
    sizes = sorted({(entry.height, entry.width) for entry in entries if entry.frames})
    if len(sizes) != 1 or 0 in sizes[0]:
        raise BadInputError(
            f"size=None for recordings of {', '.join(f'{w} x {h}' for h, w in sizes) or 'no'} px",
            accepts="recordings of one size, or a size to make all of them",
            fix="pass size=224, or size=(height, width)",
        )
    return sizes[0]


def refuse_unknown(stream: str | Sequence[str] | None, found: Found) -> None:
    """Refuse names of sound that nothing of a source has; whoever meant them would train on silence.

    Raises:
        BadNameError: Such a name; the message lists those that are there.
    """
    known = sorted({name for one in found.each for name in one.entry.sounds})
    for name in listed(stream):
        if name not in known:
            raise BadNameError(
                f"stream={name!r}",
                accepts=", ".join(known) or "none: no recording has sound",
                fix=near(name, known) or "take a name from the list, or leave stream out",
            )


def regular(entries: Sequence[Entry], cut: Cut, tally: Tally) -> Index:
    """Cut the stretches of recordings into windows.

    Args:
        entries: The recordings.
        cut: How.
        tally: Counts `frames`: kept where a window spans them.

    Raises:
        BadInputError: No window fits.
    """
    stretches = [(k, n, part.rows) for k, entry in enumerate(entries) for n, part in enumerate(entry.stretches)]
    rows = np.array([number for _, _, number in stretches], np.int64)
    if cut.pad:  # as long as it has to be for its last row to be in a window, where windows leave nothing between them
        more = -(-np.maximum(rows - max(cut.span, cut.stride), 0) // cut.stride) * cut.stride
        padded = np.where(rows > 0, cut.span + more, 0)
        between = (more // cut.stride) * max(cut.stride - cut.span, 0) + np.maximum(rows - more - cut.span, 0)
        longer = [(k, n, size) for (k, n, _), size in zip(stretches, padded.tolist(), strict=True)]
        index = Regular(longer, span=cut.span, stride=cut.stride)
    else:
        index = Regular(stretches, span=cut.span, stride=cut.stride)
    frames = sum(entry.frames for entry in entries)
    usable = sum(part.frames for entry in entries for part in entry.stretches)
    tally.offer("frames", frames)
    tally.lose("frames", MARKED, frames - usable)
    tally.lose("frames", WITHOUT_ACTION, usable - int(rows.sum()))
    if cut.pad:
        tally.lose("frames", REMAINDER, int(between.sum()))
    else:
        tally.lose("frames", TOO_SHORT, index.ledger["too_short"])
        tally.lose("frames", REMAINDER, index.ledger["remainder"])
    if not len(index):
        raise BadInputError(
            f"{len(entries)} recordings, the longest stretch of {int(rows.max(initial=0))} frames",
            accepts=f"one of {cut.span} frames (sequence_length {cut.length}, frame_skip {cut.frame_skip})",
            fix="take a shorter sequence_length, pass pad=True, or record longer",
        )
    return index


def without_idle(index: Index, rows: Callable[[Place], Aligned], cut: Cut, space: ActionSpace, tally: Tally) -> Index:
    """Leave out windows in which nobody did anything.

    Args:
        index: All windows.
        rows: Gives the rows of a window's stretch.
        cut: How they were cut.
        space: Columns of `inputs`; an action `NOOP` is nothing done.
        tally: Counts `windows`.

    Raises:
        BadInputError: None is left.
    """
    doing = np.array([name.rpartition("/")[2] != _NOTHING for name in space.names], bool)
    kept = []
    for number in range(len(index)):
        place = index.at(number)
        first = place.row // cut.frame_skip
        if rows(place).inputs[first : first + cut.length, doing].any():
            kept.append(place)
    tally.offer("windows", len(index))
    tally.lose("windows", IDLE, len(index) - len(kept))
    if not kept:
        raise BadInputError(
            f"{len(index)} windows in which nobody did anything in {space!r}",
            accepts="at least one with an action",
            fix="leave drop_idle out, or name a layout that has the controls that were used",
        )
    return Listed(kept)
