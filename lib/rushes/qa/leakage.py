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

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.clock import NS
from rushes.model.findings import Finding, Severity
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.model.samples import roots
from rushes.qa.sample_windows import Windows
from rushes.store.alike import closest
from rushes.store.looks import alike

SHARE: Final = 0.01
"""Share of rows with pictures of another split, or of positives with pictures of a negative, that is borne."""
NEAR_S: Final = 1.0
"""Seconds below which windows of one segment in two splits are called near, where the split promised no gap."""

_ROUNDING_S: Final = 1e-6

Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]


def check_leakage(samples: Samples, recordings: Iterable[Recording]) -> Iterator[Finding]:
    """Check a table of samples for leaks between its splits, and for contradictions.

    Args:
        samples: Any table; one that is not split is only held against itself.
        recordings: Where its pixels lie. What is not there is said, and not compared by pictures.

    Yields:
        One finding a rule that has something to say, with the number of rows or the share (`value`), what is borne
        (`limit`) and the first example.
    """
    table = samples.rows
    split, label = table["split"].to_numpy(object), table["label"].to_numpy(float) > 0
    decided = split != ""
    if not len(table):
        return
    windows = Windows.of(table, recordings)
    if decided.any():
        yield _balance(table, split)
        yield from _families(table, split)
        yield from _groups(table, split)
        yield from _overlaps(windows, table, split)
        yield from _neighbours(windows, table, split, _promised_s(samples))
        yield from _numbers(windows, table, split)
    if not decided.all():
        some = decided.any()
        sentence = f"{(~decided).sum()} of {len(table)} rows have no split: split before augmentation, then check again"
        severity: Severity = "warning" if some else "info"
        yield _finding("undecided", severity, sentence, value=float((~decided).mean()), limit=0.0 if some else None)
    # A flipped copy is labelled for another control than its pictures as they are stored: those are its parent's.
    up = roots(table)
    yield from _copies(table, split, label, up)
    stored = table.assign(control=table["control"].to_numpy(object)[up])
    known = table["parent"].to_numpy(object)[up] == ""  # of a copy whose parent is gone nobody knows what it was
    both = _both_labels(windows, stored, np.where(known, np.where(label, "1", "0"), "").astype(object))
    yield from _same_frame(stored, label, *both)
    if exclusion := _exclusion(samples):
        yield from _near_press(windows, stored, label, exclusion)
    gone = windows.unseen & table["session"].isin(list(windows.recordings)).to_numpy()
    if gone.any():
        first = table.iloc[int(np.flatnonzero(gone)[0])]
        sentence = f"{gone.sum()} rows name frames that their session does not have, the first {first['sample_id']}: "
        sentence += "make the table anew from the session as it is now"
        yield _finding("no_such_frame", "error", sentence, first, value=float(gone.sum()), limit=0.0)
    if windows.marked.any():
        first = table.iloc[int(np.flatnonzero(windows.marked)[0])]
        sentence = f"{windows.marked.sum()} rows show what was marked invalid after the table was made, the first "
        sentence += f"{first['sample_id']}: make the table anew"
        yield _finding("marked_invalid", "error", sentence, first, value=float(windows.marked.sum()), limit=0.0)
    if windows.unseen.any():
        names = ", ".join(sorted(set(table["session"][windows.unseen]))[:3])
        sentence = f"the pictures of {windows.unseen.sum()} rows are not there and were not compared ({names})"
        yield _finding("unseen", "info", sentence, value=float(windows.unseen.mean()))
    yield from _equal_pictures(windows, table, split)
    yield from _alike_pictures(windows, table, split)
    yield from _same_look(windows, stored, label, ~windows.unseen & ~both[1] & known)


def _finding(
    rule: str,
    severity: Severity,
    sentence: str,
    row: pd.Series[Any] | None = None,
    *,
    value: float | None = None,
    limit: float | None = None,
) -> Finding:
    place: dict[str, Any] = {}
    if row is not None:
        place = {"session": row["session"], "frame_index": int(row["frame_index"]), "t_ns": int(row["t_ns"])}
    return Finding(f"leakage.{rule}", severity, sentence, stream="samples", value=value, limit=limit, **place)


def _balance(table: pd.DataFrame, split: Texts) -> Finding:
    label = table["label"].to_numpy(float) > 0
    parts = [
        f"{name}: {int((label & (split == name)).sum())} positives of {int((split == name).sum())}"
        for name in sorted(set(split) - {""})
    ]
    share = [float(label[split == name].mean()) for name in sorted(set(split) - {""})]
    return _finding("balance", "info", "; ".join(parts), value=min(share))


def _families(table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    up = roots(table)
    parent = table["parent"].to_numpy(object)[up]
    origin = np.where(parent != "", parent, table["sample_id"].to_numpy(object)[up])
    rows = _in_two(origin, split)
    if rows.any():
        first = _first_pair(origin, split, rows)
        yield _finding(
            "family",
            "error",
            f"{rows.sum()} rows descend from one sample and stand in two splits, the first {_pair(table, first)}: "
            "split before augmentation, so that children come where their parent is",
            table.iloc[first[0]],
            value=float(rows.sum()),
            limit=0.0,
        )


def _groups(table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    group = table["group"].to_numpy(object)
    rows = _in_two(group, split) & (group != "")
    if rows.any():
        first = _first_pair(group, split, rows)
        yield _finding(
            "group",
            "error",
            f"{len(set(group[rows]))} groups stand in two splits with {rows.sum()} rows, the first {group[first[0]]}: "
            "a split decides for whole groups",
            table.iloc[first[0]],
            value=float(rows.sum()),
            limit=0.0,
        )


def _overlaps(windows: Windows, table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    rows = windows.shared(split)
    if not rows.any():
        return
    here = int(np.flatnonzero(rows)[0])
    meets = (windows.shown <= windows.last[here]) & (windows.last >= windows.shown[here])
    others = meets & (table["session"] == table["session"].iloc[here]).to_numpy() & rows & (split != split[here])
    first = (here, int(np.flatnonzero(others)[0]))
    yield _finding(
        "overlap",
        "error",
        f"{rows.sum()} rows show a frame that a row of another split shows too, the first {_pair(table, first)}: "
        "split by session, or by time with a gap",
        table.iloc[here],
        value=float(rows.sum()),
        limit=0.0,
    )


def _neighbours(windows: Windows, table: pd.DataFrame, split: Texts, promised_s: float) -> Iterator[Finding]:
    gap = windows.gap_ns(split) / NS
    limit = promised_s or NEAR_S
    rows = (gap > 0) & (gap < limit - _ROUNDING_S)
    if rows.any():
        nearest = int(np.argmin(np.where(rows, gap, np.inf)))
        yield _finding(
            "near",
            "error" if promised_s else "warning",
            f"{rows.sum()} rows stand less than {limit:g} s behind a row of another split in their segment, the "
            f"nearest {gap[nearest]:.3f} s ({table['sample_id'].iloc[nearest]}): neighbouring "
            "pictures look alike; split by session, or by time with a longer gap",
            table.iloc[nearest],
            value=float(gap[nearest]),
            limit=limit,
        )


def _numbers(windows: Windows, table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    """Compare the frame numbers of files that give several rows one number, as JumpNet's do with copies."""
    known = (windows.tick >= 0) & (split != "")
    number = np.array([f"{s}:{t}" for s, t in zip(table["session"], windows.tick.tolist(), strict=True)], object)
    rows = _in_two(number, np.where(known, split, "")) & known
    if rows.any():
        share, first = float(rows.sum() / known.sum()), _first_pair(number, split, rows)
        yield _finding(
            "frame_number",
            "error" if share > SHARE else "warning",
            f"{rows.sum()} rows have the frame number of a row of another split, the first {_pair(table, first)}: "
            "copies of one picture; split before augmentation",
            table.iloc[first[0]],
            value=share,
            limit=SHARE,
        )


def _equal_pictures(windows: Windows, table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
    seen = ~windows.unseen & (split != "")
    if len(set(split[seen])) <= 1:
        return
    rows = _in_two(windows.content, np.where(seen, split, "")) & seen
    if rows.any():
        share, first = float(rows.sum() / seen.sum()), _first_pair(windows.content, split, rows)
        yield _finding(
            "equal_pictures",
            "error" if share > SHARE else "warning",
            f"{rows.sum()} rows show pictures that a row of another split shows too, the first {_pair(table, first)}: "
            "leave out screens that come again, or put these sessions into one group",
            table.iloc[first[0]],
            value=share,
            limit=SHARE,
        )


def _alike_pictures(windows: Windows, table: pd.DataFrame, split: Texts) -> Iterator[Finding]:
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
        yield _finding(
            "alike_pictures",
            "warning" if share > SHARE else "info",
            f"{rows.sum()} rows look like a row of another split, as far as a lossy film tells, the first "
            f"{_pair(table, (here, int(other[here])))}: look at both, and leave out screens that come again",
            table.iloc[here],
            value=share,
            limit=SHARE,
        )


def _copies(table: pd.DataFrame, split: Texts, label: Bools, up: npt.NDArray[np.int64]) -> Iterator[Finding]:
    """Look for parts where rows of one label alone are changed copies: their noise and borders tell the label."""
    transform = table["transform"].to_numpy(object)
    stands = up != np.arange(len(table))
    changed = (table["parent"] != "").to_numpy() & (transform != np.where(stands, transform[up], ""))
    for name in sorted(set(split[changed])):
        part = split == name
        copies = part & changed
        if len(set(label[part])) == len(set(label[copies])):
            continue
        first = table.iloc[int(np.flatnonzero(copies)[0])]
        own, other = ("positives", "negatives") if label[copies].all() else ("negatives", "positives")
        yield _finding(
            "copies",
            "warning",
            f"all {copies.sum()} changed copies{f' in {name}' * bool(name)} are {own}, and none is of its {other}: "
            "what a transform leaves in a picture (noise, a black border) tells the label; augment with kinds=all",
            first,
            value=float(copies.sum()),
            limit=0.0,
        )


def _both_labels(windows: Windows, table: pd.DataFrame, label: Texts) -> tuple[Texts, Bools]:
    """Name the frame and control of each row, and say which of them have both labels."""
    names = zip(table["session"], table["control"], windows.last.tolist(), strict=True)
    frame = np.array([f"{session}:{control}:{last}" for session, control, last in names], object)
    return frame, _in_two(frame, label)


def _same_frame(table: pd.DataFrame, label: Bools, frame: Texts, rows: Bools) -> Iterator[Finding]:
    if rows.any():
        first = _first_pair(frame, label, rows)
        yield _finding(
            "contradiction",
            "error",
            f"{rows.sum()} rows give one frame both labels, the first {_pair(table, first)}: make the negatives anew "
            "from these positives",
            table.iloc[first[0]],
            value=float(rows.sum()),
            limit=0.0,
        )


def _near_press(windows: Windows, table: pd.DataFrame, label: Bools, exclusion: str) -> Iterator[Finding]:
    """Look for negatives within the exclusion that they were made with: a positive that came later, an edit by hand."""
    in_time = exclusion.endswith("ms")
    reach = float(exclusion.removesuffix("ms")) * (1e6 if in_time else 1)
    place = windows.end_ns if in_time else windows.last
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
        yield _finding(
            "near_press",
            "warning",
            f"{rows.sum()} negatives lie within the exclusion ({exclusion}) of a positive of their control, the first "
            f"{first['sample_id']}: make the negatives anew from these positives",
            first,
            value=float(rows.sum()),
            limit=0.0,
        )


def _same_look(windows: Windows, table: pd.DataFrame, label: Bools, seen: Bools) -> Iterator[Finding]:
    """Compare the labels that one control has on equal pictures of different frames."""
    if not (seen & label).any() or not (seen & ~label).any():
        return
    names = zip(table["control"], windows.content.tolist(), strict=True)
    look = np.array([f"{control}:{content}" for control, content in names], object)
    rows = _in_two(look, np.where(seen, np.where(label, "1", "0"), "").astype(object)) & seen
    if rows.any():
        share, first = float((rows & label).sum() / (seen & label).sum()), _first_pair(look, label, rows)
        yield _finding(
            "same_look",
            "error" if share > SHARE else "warning",
            f"{(rows & label).sum()} positives show the pictures of a negative, the first {_pair(table, first)}: "
            "nothing tells them apart; leave out static screens, or take longer windows",
            table.iloc[first[0]],
            value=share,
            limit=SHARE,
        )


def _in_two(key: Texts, part: Texts) -> Bools:
    """Say which rows share their key with a row of another part; a row without part counts nowhere."""
    counted = np.flatnonzero(part != "")
    both = pd.DataFrame({"key": key[counted], "part": part[counted]})
    found = np.zeros(len(key), bool)
    found[counted] = (both.groupby("key")["part"].transform("nunique") > 1).to_numpy()
    return found


def _first_pair(key: Texts, part: Texts, rows: Bools) -> tuple[int, int]:
    here = int(np.flatnonzero(rows)[0])
    return here, int(np.flatnonzero(rows & (key == key[here]) & (part != part[here]))[0])


def _pair(table: pd.DataFrame, rows: tuple[int, int]) -> str:
    one, other = (table.iloc[row] for row in rows)
    splits = [f" ({row['split']})" if row["split"] else "" for row in (one, other)]
    return f"{one['sample_id']}{splits[0]} and {other['sample_id']}{splits[1]}"


def _promised_s(samples: Samples) -> float:
    """Give the gap that the split promised between its parts; 0 where it promised none."""
    splits = [step.parameters for step in samples.steps if step.name == "split"]
    gap = splits[-1].get("gap_s", 0.0) if splits and splits[-1].get("by") == "time" else 0.0
    return float(gap)


def _exclusion(samples: Samples) -> str:
    """Give the exclusion that the negatives were made with, where it was one; else nothing."""
    found = {str(step.parameters["exclusion"]) for step in samples.steps if step.name == "negatives"}
    return found.pop() if len(found) == 1 else ""
