"""When something begins to sound, and when a picture changes at once: each between two times.

Both are seen at several levels of strength, for a shot may be louder than the music or not, and a picture may change as
a whole or in one place.

Example:
    >>> series = np.array([1.0, 1.1, 0.9, 1.0, 9.0, 1.2, 1.0])
    >>> novelty(series).argmax().item()
    4
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, median_filter

from rushes.qa.alignment.sound_brackets import Brackets
from rushes.qa.sound.signs import HOP_NS

if TYPE_CHECKING:
    from rushes.qa.pictures.signs import Signs
    from rushes.qa.sound.signs import SoundSigns

Floats = npt.NDArray[np.float64]

_HOP_MS: Final = HOP_NS / 1e6
_EARLY_MS: Final = 3.0  # a beginning near the end of a hop is seen in the next one
_WEAKEST_DB: Final = 4.0
_ABOVE: Final = 3.0  # times the usual strength around
_AROUND: Final = 301  # hops that are usual: 1.5 s
_APART: Final = 8  # hops: of beginnings that are nearer than 40 ms the strongest counts
_SEEN: Final = 0.3  # of the strongest, from which on it has begun
_LEVELS: Final = (0.0, 0.5, 0.8)
_REGIONS: Final = (3, 4)
_STILL: Final = 0.3  # levels of 255 by which a picture changes where nothing does
_TWICE: Final = 0.7  # log: a change that is twice what it was
_FEW: Final = 8
_FLASH_MS: Final = 400.0  # what lights up goes out within that
_OPPOSITE: Final = 0.6  # cosine


def onsets(heard: SoundSigns) -> tuple[Brackets, ...]:
    """Find what begins to sound: all of it, the stronger half, the strongest fifth.

    Args:
        heard: A stream.

    Returns:
        Brackets in ms since session start, rising; as many as there are levels with something in them.
    """
    strength = heard["onset"].astype(float)
    if not len(strength):
        return ()
    usual = median_filter(strength, _AROUND, mode="nearest")
    peaks = (strength == maximum_filter1d(strength, 2 * _APART + 1)) & (
        strength > np.maximum(_WEAKEST_DB, _ABOVE * usual)
    )
    places = np.flatnonzero(peaks)
    places = places[np.diff(places, prepend=-_APART) >= _APART]  # of two that are as strong the first
    first = places.copy()
    for back in (1, 2, 3):
        before = np.maximum(places - back, 0)
        begun = (strength[before] >= _SEEN * strength[places]) & (first == places - back + 1)
        first[begun] = before[begun]
    low = heard["hop"][first] * _HOP_MS - _EARLY_MS
    return tuple(Brackets(low[chosen], low[chosen] + _HOP_MS + _EARLY_MS) for chosen in _levels(strength[places]))


def _levels(strength: Floats) -> Iterator[npt.NDArray[np.bool_]]:
    """Choose all, the stronger half, the strongest fifth; a level that leaves too few is left out."""
    for level in _LEVELS:
        chosen = strength >= np.quantile(strength, level) if len(strength) else np.zeros(0, np.bool_)
        if not level or chosen.sum() >= _FEW:
            yield chosen


def picture_changes(signs: Signs) -> tuple[Brackets, ...]:
    """Find frames that change at once, as a whole or in one region more than is usual there.

    Where a flash goes out the picture changes once more; such a change, which takes back one before it, is left out.

    Args:
        signs: Of a recording.

    Returns:
        Brackets in ms since session start, rising: from the frame before to the frame that shows it.
    """
    bracket, whole, local, step = np.zeros((0, 2)), np.zeros(0), np.zeros((0, 12)), np.zeros((0, 12, 12))
    for segment in np.unique(signs["segment"]):
        part = signs.of(int(segment))
        t_ms = part["t_ns"] / 1e6
        luma = _by_region(part["luma"])
        bracket = np.concatenate([bracket, np.column_stack([np.concatenate([t_ms[:1], t_ms[:-1]]), t_ms])])
        whole = np.concatenate([whole, novelty(part["change"].astype(float))])
        local = np.concatenate([local, novelty(_by_region(part["blocks"]).mean(axis=2))])
        step = np.concatenate([step, np.diff(luma, axis=0, prepend=luma[:1])])
    if not len(whole):
        return ()
    usual = np.quantile(local, 0.9, axis=0)
    unusual = local / np.maximum(usual, 0.2) * _TWICE
    where = unusual.argmax(axis=1)
    found: list[Brackets] = []
    for series, steps in (
        (whole, step.reshape(len(step), -1)),
        (unusual.max(axis=1), step[np.arange(len(step)), where]),
    ):
        regions = None if series is whole else where
        peaks = np.flatnonzero((series == maximum_filter1d(series, 3)) & (series > _TWICE)).tolist()
        begun = [k for k in peaks if not _takes_back(k, bracket[:, 1], step, steps[k], regions)]
        places = np.array(begun, np.int64)
        levels = list(_levels(series[places]))[:2]
        found += [Brackets(bracket[places[chosen], 0], bracket[places[chosen], 1]) for chosen in levels]
    return tuple(found)


def _takes_back(place: int, t_ms: Floats, step: Floats, own: Floats, regions: npt.NDArray[np.intp] | None) -> bool:
    """Say whether a change of brightness undoes the largest one in the same place shortly before."""
    first = int(np.searchsorted(t_ms, t_ms[place] - _FLASH_MS))
    before = step[first:place].reshape(place - first, -1) if regions is None else step[first:place, regions[place]]
    size = np.sqrt((before**2).sum(axis=1))
    length = float(np.sqrt((own**2).sum()))
    if not len(size) or length == 0 or size.max() < length / 2:
        return False
    largest = int(size.argmax())
    return bool(before[largest] @ own < -_OPPOSITE * size[largest] * length)


def novelty(series: Floats) -> Floats:
    """Say by how much a series stands above its last three values: log of the ratio, 0 where it does not.

    Args:
        series: (N,) or (N, ...), not negative; NaN is nothing new.
    """
    level = np.log(np.nan_to_num(series, nan=np.inf) + _STILL)
    before = np.full_like(level, np.inf)
    before[1:] = level[:-1]
    for back in (2, 3):
        before[back:] = np.maximum(before[back:], np.where(np.isinf(level[:-back]), -np.inf, level[:-back]))
    new = np.zeros_like(level)
    known = np.isfinite(level) & np.isfinite(before)
    new[known] = np.maximum(level[known] - before[known], 0)
    return new


def _by_region(blocks: npt.NDArray[Any]) -> Floats:
    """Sort blocks by region: (N, 9, 16) -> (N, 12, 12)."""
    rows, columns = _REGIONS
    high, wide = blocks.shape[1] // rows, blocks.shape[2] // columns
    parts = blocks.astype(float).reshape(len(blocks), rows, high, columns, wide)
    return np.asarray(parts.transpose(0, 1, 3, 2, 4).reshape(len(blocks), rows * columns, high * wide))
