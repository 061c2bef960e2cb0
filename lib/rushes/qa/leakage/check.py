"""Leakage: whether a table of samples keeps apart what it was split to keep apart.

Looked for are rows of one origin in two splits (a parent and its child, one group, windows of one session that overlap
or stand too near), pictures that are equal at 64 x 64 in two splits, one frame or picture with both labels, and copies
of one label alone, whose transforms then tell it. Equal pictures of several sessions are an error only above a share,
since a title screen comes again. In a lossy film equal screens are mostly no equal pictures; what looks alike there is
said with its share.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 1.0, "keys": [1.0], "session": "s", "t_ns": 0, "group": "s"}
    >>> rows = [row | {"sample_id": f"{k}", "frame_index": k // 2, "split": ("train", "test")[k % 2]} for k in range(4)]
    >>> found = check_leakage(Samples(samples_frame(rows), ActionSpace.from_names(["Space"])), [])
    >>> [finding.check for finding in found if finding.severity == "error"]
    ['leakage.group', 'leakage.overlap']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from rushes.model.clock import NS
from rushes.model.findings import Finding, Severity
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.model.samples import roots
from rushes.qa.leakage.findings import RULES as SAMPLE_RULES
from rushes.qa.leakage.findings import Texts, across, finding, pair
from rushes.qa.leakage.labels import labels_of_frames, labels_of_pictures
from rushes.qa.leakage.windows import Windows
from rushes.qa.rules import Limits, Rule
from rushes.store.alike import closest
from rushes.store.looks import alike

RULES: Final[Mapping[str, Rule]] = SAMPLE_RULES
_ROUNDING_S: Final = 1e-6


def check_leakage(samples: Samples, recordings: Iterable[Recording], limits: Limits | None = None) -> Iterator[Finding]:
    """Check a table of samples for leaks between its splits, and for contradictions.

    Args:
        samples: Any table; one that is not split is only held against itself.
        recordings: Where its pixels lie. What is not there is said, and not compared by pictures.
        limits: What is borne; defaults where not given.

    Yields:
        One finding a rule that has something to say, with the number of rows or the share (`value`), what is borne
        (`limit`) and the first example.
    """
    table = samples.rows
    split = table["split"].to_numpy(object)
    decided = split != ""
    if not len(table):
        return
    windows = Windows.of(table, recordings)
    borne = limits or Limits()
    if decided.any():
        yield _balance(table, split)
        yield from _families(table, split)
        yield from _groups(table, split)
        yield from _overlaps(windows, table, split)
        yield from _neighbours(windows, table, split, _promised_s(samples), borne)
        yield from _numbers(windows, table, split, borne)
    if not decided.all():
        some = decided.any()
        sentence = f"{(~decided).sum()} of {len(table)} rows have no split: split before augmentation, then check again"
        severity: Severity = "warning" if some else "info"
        yield finding("undecided", severity, sentence, value=float((~decided).mean()), limit=0.0 if some else None)
    yield from labels_of_frames(samples, windows, split)
    gone = windows.unseen & table["session"].isin(list(windows.recordings)).to_numpy()
    if gone.any():
        first = table.iloc[int(np.flatnonzero(gone)[0])]
        sentence = f"{gone.sum()} rows name frames that their session does not have, the first {first['sample_id']}: "
        sentence += "make the table anew from the session as it is now"
        yield finding("no_such_frame", "error", sentence, first, value=float(gone.sum()), limit=0.0)
    if windows.marked.any():
        first = table.iloc[int(np.flatnonzero(windows.marked)[0])]
        sentence = f"{windows.marked.sum()} rows show what was marked invalid after the table was made, the first "
        sentence += f"{first['sample_id']}: make the table anew"
        yield finding("marked_invalid", "error", sentence, first, value=float(windows.marked.sum()), limit=0.0)
    if windows.unseen.any():
        names = ", ".join(sorted(set(table["session"][windows.unseen]))[:3])
        sentence = f"the pictures of {windows.unseen.sum()} rows are not there and were not compared ({names})"
        yield finding("unseen", "info", sentence, value=float(windows.unseen.mean()))
    yield from _equal_pictures(windows, table, split, borne)
    yield from _alike_pictures(windows, table, split, borne)
    yield from labels_of_pictures(samples, windows, borne)


def _balance(table: pd.DataFrame, split: Texts) -> Finding:
    label = table["label"].to_numpy(float) > 0
    parts = [
        f"{name}: {int((label & (split == name)).sum())} positives of {int((split == name).sum())}"
        for name in sorted(set(split) - {""})
    ]
    share = [float(label[split == name].mean()) for name in sorted(set(split) - {""})]
    return finding("balance", "info", "; ".join(parts), value=min(share))


def _families(table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    up = roots(table)
    parent = table["parent"].to_numpy(object)[up]
    origin = np.where(parent != "", parent, table["sample_id"].to_numpy(object)[up])
    sentence = (
        "{count} rows descend from one sample and stand in two splits, the first {pair}: split before augmentation, "
        "so that children come where their parent is"
    )
    yield from across("family", sentence, table, origin, split)


def _groups(table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    group = table["group"].to_numpy(object)
    sentence = "{keys} groups stand in two splits with {count} rows, the first {key}: a split decides for whole groups"
    yield from across("group", sentence, table, group, np.where(group != "", split, ""))


def _overlaps(windows: Windows, table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    rows = windows.shared(split)
    if not rows.any():
        return
    here = int(np.flatnonzero(rows)[0])
    meets = (windows.shown <= windows.last[here]) & (windows.last >= windows.shown[here])
    others = meets & (table["session"] == table["session"].iloc[here]).to_numpy() & rows & (split != split[here])
    first = (here, int(np.flatnonzero(others)[0]))
    yield finding(
        "overlap",
        "error",
        f"{rows.sum()} rows show a frame that a row of another split shows too, the first {pair(table, first)}: "
        "split by session, or by time with a gap",
        table.iloc[here],
        value=float(rows.sum()),
        limit=0.0,
    )


def _neighbours(
    windows: Windows, table: pd.DataFrame, split: Texts, promised_s: float, borne: Limits
) -> Iterator[Finding]:
    gap = windows.gap_ns(split) / NS
    limit = promised_s or borne.of(RULES["leakage.near"])
    rows = (gap > 0) & (gap < limit - _ROUNDING_S)
    if rows.any():
        nearest = int(np.argmin(np.where(rows, gap, np.inf)))
        yield finding(
            "near",
            "error" if promised_s else "warning",
            f"{rows.sum()} rows stand less than {limit:g} s behind a row of another split in their segment, the "
            f"nearest {gap[nearest]:.3f} s ({table['sample_id'].iloc[nearest]}): neighbouring "
            "pictures look alike; split by session, or by time with a longer gap",
            table.iloc[nearest],
            value=float(gap[nearest]),
            limit=limit,
        )


def _numbers(windows: Windows, table: pd.DataFrame, split: Texts, borne: Limits) -> Iterator[Finding]:
    """Compare the frame numbers of files that give several rows one number, as JumpNet's do with copies."""
    number = np.array([f"{s}:{t}" for s, t in zip(table["session"], windows.tick.tolist(), strict=True)], object)
    sentence = (
        "{count} rows have the frame number of a row of another split, the first {pair}: copies of one picture; "
        "split before augmentation"
    )
    share = borne.of(RULES["leakage.frame_number"])
    yield from across("frame_number", sentence, table, number, np.where(windows.tick >= 0, split, ""), share=share)


def _equal_pictures(windows: Windows, table: pd.DataFrame, split: Texts, borne: Limits) -> Iterator[Finding]:
    seen = np.where(windows.unseen, "", split)
    if len(set(seen) - {""}) <= 1:
        return
    sentence = (
        "{count} rows show pictures that a row of another split shows too, the first {pair}: leave out screens that "
        "come again, or put these sessions into one group"
    )
    share = borne.of(RULES["leakage.equal_pictures"])
    yield from across("equal_pictures", sentence, table, windows.content, seen, share=share)


def _alike_pictures(windows: Windows, table: pd.DataFrame, split: Texts, borne: Limits) -> Iterator[Finding]:
    """Compare last frames where a codec changed them, so that equal screens are no equal pictures any more."""
    seen = ~windows.unseen & (split != "")
    if not (windows.lossy & seen).any() or len(set(split[seen])) <= 1:
        return
    rows, other = np.zeros(len(table), bool), np.zeros(len(table), np.int64)
    frame = pd.MultiIndex.from_arrays([table["session"], windows.last]).factorize()[0]
    for name in sorted(set(split[seen])):
        mine, others = np.flatnonzero(seen & (split == name)), np.flatnonzero(seen & (split != name))
        ours, place = np.unique(frame[mine], return_index=True)  # rows of one frame look alike: it is compared once
        theirs = others[np.unique(frame[others], return_index=True)[1]]
        near = theirs[closest(windows.small[mine[place]], windows.small[theirs])]
        other[mine] = near[np.searchsorted(ours, frame[mine])]
        rows[mine] = alike(windows.small[mine], windows.small[other[mine]])
    rows &= (windows.lossy | windows.lossy[other]) & seen
    if rows.any():
        share, here = float(rows.sum() / seen.sum()), int(np.flatnonzero(rows)[0])
        limit = borne.of(RULES["leakage.alike_pictures"])
        yield finding(
            "alike_pictures",
            "warning" if share > limit else "info",
            f"{rows.sum()} rows look like a row of another split, as far as a lossy film tells, the first "
            f"{pair(table, (here, int(other[here])))}: look at both, and leave out screens that come again",
            table.iloc[here],
            value=share,
            limit=limit,
        )


def _promised_s(samples: Samples) -> float:
    """Give the gap that the split promised between its parts; 0 where it promised none."""
    splits = [step.parameters for step in samples.steps if step.name == "split"]
    gap = splits[-1].get("gap_s", 0.0) if splits and splits[-1].get("by") == "time" else 0.0
    return float(gap)
