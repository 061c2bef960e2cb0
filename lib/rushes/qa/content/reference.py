"""How a recording compares with a reference: the same way up, the same colours, nothing burnt in.

Small pictures (`rushes.qa.pictures.whole`) are held against those of a recording of the same play at the same times, or
their mean against a screenshot, of which only profiles of rows and columns are used.

Example:
    >>> rng = np.random.default_rng(0)
    >>> shown = [rng.integers(0, 255, (90, 160, 3)).astype(np.uint8) for _ in range(3)]
    >>> like = aligned([picture[::-1] for picture in shown], shown, what="the reference")
    >>> [round(value) for value in like.upright["rows"]]
    [0, 1]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, MissingError
from rushes.model.recording import Recording
from rushes.qa.pictures.row import SMALL
from rushes.qa.subject import Subject

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_COMPARED: Final = 24  # pictures of the album
_ALIKE: Final = 0.5  # correlation of pictures of the same moment
_SIMILAR: Final = 0.3  # correlation of the profiles of rows of two scenes of a game: sky above, ground below
_SIDEWAYS: Final = 0.6  # the same of columns, where only what stands in every scene tells left from right
_SAME: Final = 0.8  # correlation from which brightness is compared
_TINT: Final = 4.0  # levels of red against blue, root mean square, without which colours say nothing
_COLOUR: Final = 6.0  # levels of colour in the reference, the same
_BURNT: Final = 28.0  # levels by which something burnt in differs
_ALWAYS: Final = 0.9  # share of the pictures in which it does
_NOISE: Final = 12.0  # levels that all else differs by, at most
_LUMA: Final = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_TURNS: Final = {"rows": (slice(None, None, -1), slice(None)), "columns": (slice(None), slice(None, None, -1))}


@dataclass(frozen=True)
class Likeness:
    """What comparing gave.

    Attributes:
        what: What was compared with, for sentences.
        least: Correlation below which nothing is told about the way up.
        upright: `rows` (upside down) and `columns` (mirrored): correlation as they are, and turned.
        tint: Correlation of red against blue, or None where there is too little of either.
        colour: Strength of the colours as a share of the reference's, or None where that has none.
        levels: By how many levels black and white are off, or None where it cannot be told.
        burnt: Share of the picture that differs always, in %, and where: top, left, bottom, right in %; or None.
    """

    what: str
    least: float
    upright: Mapping[str, tuple[float, float]]
    tint: float | None
    colour: float | None
    levels: tuple[float, float] | None
    burnt: tuple[float, tuple[int, int, int, int]] | None


def likeness(subject: Subject) -> Likeness | str:
    """Compare a recording with what is expected of it, once.

    Args:
        subject: A recording whose `expected` has a reference or a picture.

    Returns:
        What comparing gave, or why it cannot be told.

    Raises:
        MissingError: There is no such screenshot.
        BadDataError: It is no picture.
    """
    known = subject.__dict__.get("_likeness")
    if known is None:
        known = subject.__dict__["_likeness"] = _compare(subject)
    return known


def _compare(subject: Subject) -> Likeness | str:
    album = subject.signs.whole.album
    chosen = list(album.items())[:: max(1, len(album) // _COMPARED)]
    if not chosen:
        return "there is no picture that can be read"
    expected = subject.expected
    if expected.reference is not None:
        times = dict(zip(subject.signs["frame_index"].tolist(), subject.signs["t_ns"].tolist(), strict=True))
        pairs = _pairs({times[number]: small for number, small in chosen}, expected.reference)
        if not pairs:
            return "no picture of the reference lies at the times of this recording"
        return aligned([one for one, _ in pairs], [other for _, other in pairs], what="the reference")
    assert expected.picture is not None
    return similar([small for _, small in chosen], screenshot(expected.picture))


def _pairs(shown: Mapping[int, Pixels], reference: Recording) -> list[tuple[Pixels, Pixels]]:
    index = reference.index()
    times = index["t_ns"].to_numpy(np.int64)
    frames = index["frame_index"].to_numpy(np.int64)
    step = int(1e9 / reference.rate_hz) if reference.rate_hz else 0
    found = []
    for t_ns, small in shown.items():
        after = int(np.searchsorted(times, t_ns))
        near = min((k for k in (after - 1, after) if 0 <= k < len(times)), key=lambda k: abs(int(times[k]) - t_ns))
        if abs(int(times[near]) - t_ns) <= max(step, 1):
            found.append((small, _small(reference.frame(int(frames[near])))))
    return found


def _small(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.resize(pixels, SMALL[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def screenshot(path: Path) -> Pixels:
    """Read a screenshot: (90, 160, 3) uint8 RGB.

    Raises:
        MissingError: There is no such file.
        BadDataError: It is no picture.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(f"{path}: no such file", accepts="a screenshot, PNG or JPEG", fix="check the path")
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        raise BadDataError(f"{path}: no picture", accepts="a PNG or JPEG file", fix="check what it is")
    return _small(np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8))


def aligned(shown: Sequence[Pixels], reference: Sequence[Pixels], *, what: str) -> Likeness:
    """Compare pictures with those of the same moments.

    Args:
        shown: (90, 160, 3) uint8 RGB each.
        reference: As many.
        what: What the second ones are, for sentences.

    Returns:
        What comparing gave.
    """
    ours, theirs = np.stack(shown).astype(float), np.stack(reference).astype(float)
    ours_y, theirs_y = ours @ _LUMA, theirs @ _LUMA
    upright: dict[str, tuple[float, float]] = {}
    best, turned = (slice(None), slice(None)), _like(ours_y, theirs_y)
    for turns in (*_TURNS.values(), (slice(None, None, -1), slice(None, None, -1))):
        like = _like(ours_y, theirs_y[:, turns[0], turns[1]])
        if like > turned:
            best, turned = turns, like
    for name, turns in _TURNS.items():
        both = tuple(slice(None) if a == b else slice(None, None, -1) for a, b in zip(best, turns, strict=True))
        other = _like(ours_y, theirs_y[:, both[0], both[1]])
        is_turned = best[0 if name == "rows" else 1].step == -1
        upright[name] = (other, turned) if is_turned else (turned, other)
    theirs, theirs_y = theirs[:, best[0], best[1]], theirs_y[:, best[0], best[1]]
    tint = _tint(ours, theirs) if turned >= _ALIKE else None
    if tint is not None and tint < 0:
        theirs_y = theirs[..., ::-1] @ _LUMA
    levels = _levels(ours_y, theirs_y) if turned >= _SAME else None
    return Likeness(
        what,
        _ALIKE,
        upright,
        tint,
        _colour(ours, theirs),
        levels,
        _burnt(ours_y, theirs_y, levels) if levels is not None else None,
    )


def similar(shown: Sequence[Pixels], screenshot: Pixels) -> Likeness:
    """Compare pictures with a screenshot of the same game that may show another scene.

    Args:
        shown: (90, 160, 3) uint8 RGB each.
        screenshot: (90, 160, 3) uint8 RGB.

    Returns:
        What comparing gave; nothing about levels and what is burnt in.
    """
    mean, other = np.stack(shown).astype(float).mean(axis=0), screenshot.astype(float)
    upright = {}
    for axis, name in ((1, "rows"), (0, "columns")):
        ours, theirs = (_levelled(picture.mean(axis=axis)) for picture in (mean, other))
        like = _like(ours, theirs), _like(ours, theirs[::-1])
        upright[name] = like if name == "rows" or max(like) >= _SIDEWAYS else (0.0, 0.0)
    rows = mean.mean(axis=1), other.mean(axis=1)
    flat = rows[0][:, None, :], rows[1][:, None, :]
    colours = [_colour(picture.astype(float), other) for picture in shown]
    colour = None if None in colours else max(one for one in colours if one is not None)  # scenes differ in theirs
    return Likeness("the screenshot", _SIMILAR, upright, _tint(*flat), colour, None, None)


def _levelled(profile: Floats) -> Floats:
    return np.asarray(profile - profile.mean(axis=0))


def _like(one: Floats, other: Floats) -> float:
    """Correlate: -1 to 1, 0 where either is plain."""
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size > 0 else 0.0


def _tint(ours: Floats, theirs: Floats) -> float | None:
    """Correlate red against blue about grey, not about their means: a wholly blue picture says something too."""
    one, other = ours[..., 0] - ours[..., 2], theirs[..., 0] - theirs[..., 2]
    strength = np.sqrt((one**2).mean()), np.sqrt((other**2).mean())
    return None if min(strength) < _TINT else float((one * other).mean() / (strength[0] * strength[1]))


def _colour(ours: Floats, theirs: Floats) -> float | None:
    one, other = (float(np.sqrt((p - p.mean(axis=-1, keepdims=True)) ** 2).mean()) for p in (ours, theirs))
    return None if other < _COLOUR else min(1.0, one / other)


def _levels(ours: Floats, theirs: Floats) -> tuple[float, float] | None:
    """Fit a gain and an offset by deciles, which something burnt in hardly moves."""
    (low, high), (dark, bright) = np.quantile(ours, (0.1, 0.9)), np.quantile(theirs, (0.1, 0.9))
    gain = float((high - low) / (bright - dark)) if bright > dark else 1.0
    offset = float(np.median(ours - gain * theirs))
    return offset, 255.0 * (gain - 1.0) + offset


def _burnt(ours: Floats, theirs: Floats, levels: tuple[float, float]) -> tuple[float, tuple[int, int, int, int]] | None:
    gain = 1.0 + (levels[1] - levels[0]) / 255.0
    differs = np.abs(ours - (gain * theirs + levels[0]))
    if np.median(differs) > _NOISE or theirs.std(axis=0).mean() < 1.0:
        return None
    always = (differs >= _BURNT).mean(axis=0) >= _ALWAYS
    if not always.any():
        return 0.0, (0, 0, 0, 0)
    rows, columns = np.flatnonzero(always.any(axis=1)), np.flatnonzero(always.any(axis=0))
    height, width = always.shape
    box = rows[0] / height, columns[0] / width, (rows[-1] + 1) / height, (columns[-1] + 1) / width
    return 100.0 * float(always.mean()), tuple(round(100 * float(side)) for side in box)  # type: ignore[return-value]
