"""The rows of a table of samples as windows of a dataset: label, weight and keys beside the play that they name.

A row names its frames; its transforms, drawn when the table was made, are applied on reading. `inputs` are what was
done on these frames, changed as the row's transforms change actions; `keys` are what the row itself says.

Example:
    >>> def pressed_share(path):
    ...     samples = open_any(path).samples
    ...     return samples.rows["label"].mean()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.loaders.index import Place
from rushes.loaders.source import Source
from rushes.model.ledger import Tally
from rushes.model.sample_table import Samples
from rushes.prepare.augment.base import Drawn, World, apply, family, read, steps_back
from rushes.prepare.reading import one_length

OTHER_SPLIT: Final = "other_split"
NOT_USABLE: Final = "frames_not_usable"
"""Reason in the ledger: the frames are marked invalid, have no action, or their session is not there."""


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        place: Its last frame.
        back: (T,) int64, how many frames each lies before the last one.
        transforms: What is done to its pixels.
        says: `label`, `weight` float32, `keys` (A,) float32, `sample_id`.
    """

    place: Place
    back: npt.NDArray[np.int64]
    transforms: tuple[Drawn, ...]
    says: dict[str, Any]


def listed(samples: Samples, sources: Sequence[Source], *, split: str | None, tally: Tally) -> tuple[int, list[Row]]:
    """Find the rows of a table in the recordings that it names.

    Args:
        samples: The table; its windows have one length.
        sources: The recordings.
        split: Only rows of this split; None for all.
        tally: Counts `samples`: kept, of another split, or whose frames may not be used.

    Returns:
        T, and the rows.

    Raises:
        BadInputError: No row is of the split, the message names those there are; or no frames of any may be used.
        BadDataError: Windows of several lengths, or a transform that does not read.
    """
    table = samples.rows
    known = sorted(set(table["split"]) - {""})
    if split is not None and split not in known:
        raise BadInputError(
            f"split={split!r} of a table without such rows",
            accepts=", ".join(known) or "no split: the table was not split yet",
            fix="split it with `rushes prepare split`, or leave split out",
        )
    length = one_length(samples)
    numbers = {one.entry.id: number for number, one in enumerate(sources)}
    tally.offer("samples", len(table))
    found: list[Row] = []
    columns = ("session", "frame_index", "transform", "label", "weight", "keys", "sample_id", "split")
    for session, first, text, label, weight, keys, name, part in zip(
        *(table[c].tolist() for c in columns), strict=True
    ):
        if split is not None and part != split:
            tally.lose("samples", OTHER_SPLIT)
            continue
        transforms = read(text)
        back = steps_back(length, transforms)
        place = _place(sources, numbers.get(session), first + length - 1, int(back[0]))
        if place is None:
            tally.lose("samples", NOT_USABLE)
            continue
        says = {
            "label": np.float32(label),
            "weight": np.float32(weight),
            "keys": np.asarray(keys, np.float32),
            "sample_id": name,
        }
        found.append(Row(place, back, transforms, says))
    if not found:
        raise BadInputError(
            f"{len(table)} labelled rows, none of which has frames that may be used",
            accepts="rows of sessions that are there and whose frames nobody marked invalid",
            fix="restore the sessions, take the marks back, or make the table anew",
        )
    return length, found


def _place(sources: Sequence[Source], source: int | None, last: int, back: int) -> Place | None:
    """Find the stretch that holds frames `last - back` to `last`, all with an action."""
    if source is None:
        return None
    for number, stretch in enumerate(sources[source].entry.stretches):
        row = last - stretch.first_frame
        if row - back >= 0 and row < stretch.rows:
            return Place(source, number, row)
    return None


def transformed(item: dict[str, Any], transforms: Sequence[Drawn], world: World) -> dict[str, Any]:
    """Do to an item what its row says.

    Args:
        item: `frames` (T, H, W, 3) uint8 and `inputs` (T, A) float32; the frames may be changed.
        transforms: Of the row.
        world: The space of the inputs.
    """
    inputs = item["inputs"]
    for one in transforms:
        inputs = family(one.name).keys(inputs, one.parameters, world)
    return item | {"frames": apply(item["frames"], transforms), "inputs": inputs}
