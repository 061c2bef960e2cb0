"""Labels of samples: whether one frame or picture has both, and whether a copy tells its own.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "keys": [1.0], "session": "s", "frame_index": 3, "t_ns": 0}
    >>> other = {"kind": "uniform", "reason": "by hand", "label": 0.0}
    >>> rows = samples_frame([row | {"sample_id": "a", "label": 1.0}, row | {"sample_id": "b"} | other])
    >>> samples = Samples(rows, ActionSpace.from_names(["Space"]))
    >>> [f.check for f in labels_of_frames(samples, Windows.of(rows, []), rows["split"].to_numpy(object))]
    ['leakage.contradiction']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.findings import Finding
from rushes.model.sample_table import Samples
from rushes.model.samples import roots
from rushes.qa.leakage.findings import RULES, Bools, Texts, across, finding, first_pair, in_two, pair
from rushes.qa.leakage.windows import Windows
from rushes.qa.rules import Limits

_UNLIKE: Final = 0.2
"""Share of copies among the rows of one label, of that among the other's, from which on a copy tells hardly a thing."""
_MANY: Final = 20
"""Copies from which on such a share means something; where one label has none, one copy tells."""


def labels_of_frames(samples: Samples, windows: Windows, split: Texts) -> Iterator[Finding]:
    """Check labels without looking at pictures.

    Args:
        samples: Any table.
        windows: Its windows.
        split: (N,) split of each row.
    """
    table, label = samples.rows, samples.rows["label"].to_numpy(float) > 0
    yield from _copies(table, split, label, roots(table))
    stored, told = _as_stored(table)
    sentence = "{count} rows give one frame both labels, the first {pair}: make the negatives anew from these positives"
    yield from across("contradiction", sentence, stored, _frames(windows, stored), told)
    if exclusion := _exclusion(samples):
        yield from _near_press(windows, stored, label, exclusion)


def labels_of_pictures(samples: Samples, windows: Windows, limits: Limits) -> Iterator[Finding]:
    """Compare the labels that one control has on equal pictures of different frames; pictures are decoded.

    Args:
        samples: Any table.
        windows: Its windows.
        limits: What is borne.
    """
    stored, told = _as_stored(samples.rows)
    told = np.where(windows.unseen | in_two(_frames(windows, stored), told), "", told).astype(object)
    positive = told == "1"
    if not positive.any() or not (told == "0").any():
        return
    names = zip(stored["control"], windows.content.tolist(), strict=True)
    look = np.array([f"{control}:{content}" for control, content in names], object)
    rows = in_two(look, told)
    if rows.any():
        limit = limits.of(RULES["leakage.same_look"])
        share, first = float((rows & positive).sum() / positive.sum()), first_pair(look, told, rows)
        yield finding(
            "same_look",
            "error" if share > limit else "warning",
            f"{(rows & positive).sum()} positives show the pictures of a negative, the first {pair(stored, first)}: "
            "nothing tells them apart; leave out static screens, or take longer windows",
            stored.iloc[first[0]],
            value=share,
            limit=limit,
        )


def _as_stored(table: pd.DataFrame) -> tuple[pd.DataFrame, Texts]:
    """Give rows the control of what they were made of, and each its label as `1` or `0`; empty where it is not known.

    A flipped copy is labelled for another control than its pictures as they are stored: those are its parent's. Of a
    copy whose parent is gone nobody knows what it was.
    """
    up = roots(table)
    known = table["parent"].to_numpy(object)[up] == ""
    told = np.where(known, np.where(table["label"].to_numpy(float) > 0, "1", "0"), "").astype(object)
    return table.assign(control=table["control"].to_numpy(object)[up]), told


def _frames(windows: Windows, table: pd.DataFrame) -> Texts:
    """Name the frame and control of each row."""
    names = zip(table["session"], table["control"], windows.last.tolist(), strict=True)
    return np.array([f"{session}:{control}:{last}" for session, control, last in names], object)


def _copies(table: pd.DataFrame, split: Texts, label: Bools, up: npt.NDArray[np.int64]) -> Iterator[Finding]:
    """Look for parts where nearly all changed copies have one label: their noise and borders tell the label."""
    transform = table["transform"].to_numpy(object)
    stands = up != np.arange(len(table))
    changed = (table["parent"] != "").to_numpy() & (transform != np.where(stands, transform[up], ""))
    for name in sorted(set(split[changed])):
        part = split == name
        copies = part & changed
        if len(set(label[part])) < 2:  # noqa: PLR2004 - there is nothing to tell apart
            continue
        share = {one: float(copies[part & (label == one)].mean()) for one in (True, False)}
        least, most = sorted(share.values())
        if least > _UNLIKE * most or (least and copies.sum() < _MANY):
            continue
        first = table.iloc[int(np.flatnonzero(copies)[0])]
        own, other = ("positives", "negatives") if share[True] > share[False] else ("negatives", "positives")
        few = int((copies & (label == (share[True] == least))).sum())
        told = f"all {copies.sum()} changed copies" if not few else f"{copies.sum() - few} changed copies"
        yield finding(
            "copies",
            "warning",
            f"{told}{f' in {name}' * bool(name)} are {own}, and {f'{few} are' if few else 'none is'} of its {other}: "
            "what a transform leaves in a picture (noise, a black border) tells the label; augment with kinds=all",
            first,
            value=float(copies.sum()),
            limit=0.0,
        )


def _near_press(windows: Windows, table: pd.DataFrame, label: Bools, exclusion: str) -> Iterator[Finding]:
    """Look for negatives within the exclusion that they were made with: a positive that came later, an edit by hand."""
    in_time = exclusion.endswith("ms")
    reach = float(exclusion.removesuffix("ms")) * (1e6 if in_time else 1)
    place = windows.end_ns if in_time else windows.played
    names = [np.asarray(table[name].to_numpy(object), str) for name in ("session", "segment", "control")]
    key = np.array([":".join(parts) for parts in zip(*names, strict=True)], object)
    rows = np.zeros(len(table), bool)
    for name in sorted(set(key[label])):
        presses, others = np.sort(place[label & (key == name)]), np.flatnonzero(~label & (key == name))
        after = np.searchsorted(presses, place[others])
        near = [np.abs(presses[(after + side).clip(0, len(presses) - 1)] - place[others]) for side in (-1, 0)]
        rows[others] = np.minimum(*near) <= reach
    if rows.any():
        first = table.iloc[int(np.flatnonzero(rows)[0])]
        yield finding(
            "near_press",
            "warning",
            f"{rows.sum()} negatives lie within the exclusion ({exclusion}) of a positive of their control, the first "
            f"{first['sample_id']}: make the negatives anew from these positives",
            first,
            value=float(rows.sum()),
            limit=0.0,
        )


def _exclusion(samples: Samples) -> str:
    """Give the exclusion that the negatives were made with, where it was one; else nothing."""
    found = {str(step.parameters["exclusion"]) for step in samples.steps if step.name == "negatives"}
    return found.pop() if len(found) == 1 else ""
