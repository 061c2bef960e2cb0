"""Whether what was exported says the same as what went in, read back as a stranger would.

All that a format promises to keep is held against what went in: pictures bit for bit, times, every column of the
steps, and how each episode was made and ended. The settings are read once more from the plain columns and files of
the export, which a stranger reads instead of our reader's.

Example (after `exports.write(run, sessions)`):
    >>> def cell(sessions, exports):
    ...     return compare(sessions, exports.reports).rows
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from rushes.formats.base import Report, open_any
from rushes.model.findings import Finding
from rushes.model.recording import Episode, Sessions

SETTINGS: Final = ("env_id", "seed", "frameskip", "sticky", "full_action_space", "end_reason")
"""What is held against each other of how an episode was made and ended."""
OUTCOMES: Final = ("reward", "terminated", "truncated", "lives", "random_action", "is_human")
"""Columns of the steps that a format with rewards keeps."""
_LIMIT: Final = 2**63


@dataclass(frozen=True)
class Comparison:
    """What came back.

    Attributes:
        rows: One an export: its name, episodes, frames, pictures equal, actions equal, all else that it keeps equal.
        findings: An error for each export that differs in what its format promises; the first difference is named.
        figures: `episodes` and `frames` that went in, `exports` and `exports_equal`.
        last: What was read back last, or what went in where nothing was exported.
    """

    rows: tuple[tuple[str, int, int, str, str, str], ...]
    findings: tuple[Finding, ...]
    figures: dict[str, int]
    last: Sessions = field(repr=False)


@dataclass(frozen=True)
class _Difference:
    about: str  # pictures, actions or the rest
    sentence: str
    frame_index: int | None = None


def compare(sessions: Sessions, reports: Iterable[Report]) -> Comparison:
    """Read exports back and hold them against what went in, episode by episode.

    Args:
        sessions: What went in.
        reports: What `convert` gave for each export; `kept` says what is compared.

    Raises:
        BadDataError: An export cannot be read.
    """
    before = list(sessions.episodes())
    frames = sum(e.segment.frames for e in before)
    rows, findings, equal, last = [], [], 0, sessions
    for report in reports:
        last = open_any(report.target, format=report.format)
        after = list(last.episodes())
        count = sum(e.segment.frames for e in after)
        most = max(len(before), len(after))
        each = [list(_differences(a, b, report.kept)) for a, b in zip(before, after, strict=False)]
        if len(before) == len(after) and "rewards" in report.kept:
            for found, stated, episode in zip(each, _stated(report.target, len(before)), before, strict=False):
                found.extend(_unlike(episode, stated))
        same = [sum(not any(d.about == about for d in found) for found in each) for about in ("pictures", "actions", "rest")]
        said = [f"{n} of {most}" for n in same]
        if "frames (exact)" not in report.kept:
            said[0] = "not promised"
        if not {"times", "rewards"} & {*report.kept}:
            said[2] = "not promised"
        rows.append((report.target.name, len(after), count, *said))
        first = next((d for found in each for d in found), None)
        if len(before) == len(after) and count == frames and first is None:
            equal += 1
            continue
        findings.append(
            Finding(
                check="convert.read_back",
                severity="error",
                sentence=f"{report.target.name}: {count} of {frames} frames and {len(after)} of {len(before)} episodes "
                f"came back" + (f"; first difference: {first.sentence}" if first else ""),
                frame_index=first.frame_index if first else None,
                value=float(count),
                limit=float(frames),
            )
        )
    figures = {"episodes": len(before), "frames": frames, "exports": len(rows), "exports_equal": equal}
    return Comparison(tuple(rows), tuple(findings), figures, last)


def _differences(before: Episode, after: Episode, kept: Sequence[str]) -> Iterator[_Difference]:
    where = f"{before.recording.info.game}, {before.name}"
    if before.segment.frames != after.segment.frames:
        yield _Difference("pictures", f"{where}: {after.segment.frames} frames instead of {before.segment.frames}")
        return
    first = before.segment.first_frame
    if "frames (exact)" in kept:
        for k, (a, b) in enumerate(zip(before.frames(), after.frames(), strict=True)):
            if not np.array_equal(a, b):
                yield _Difference("pictures", f"{where}, frame {first + k}: the picture", first + k)
                break
    old, new = before.steps, after.steps
    if len(old) != len(new):
        yield _Difference("actions", f"{where}: {len(new)} actions instead of {len(old)}")
        return
    columns: list[tuple[str, str, Sequence[Any], Sequence[Any]]] = [
        ("actions", "action", list(old["action"]), list(new["action"]))
    ]
    if "names" in kept:
        columns.append(("actions", "action_name", _names(before), _names(after)))
    if "times" in kept:
        columns.append(("rest", "t_ns", _times(before), _times(after)))
        columns.append(("rest", "t_ns of the action", old["t_ns"].tolist(), new["t_ns"].tolist()))
    if "rewards" in kept:
        columns += [("rest", name, old[name].tolist(), new[name].tolist()) for name in OUTCOMES]
    for about, name, one, other in columns:
        k = _first_unlike(one, other)
        if k is not None:
            yield _Difference(about, f"{where}, frame {first + k}: {name} {other[k]!r} instead of {one[k]!r}", first + k)
    if "rewards" in kept:
        yield from _unlike(before, {**after.segment.attrs, "end_reason": after.segment.end_reason}, every=True)


def _unlike(episode: Episode, stated: Mapping[str, Any], *, every: bool = False) -> Iterator[_Difference]:
    """Settings that differ; of those that are not stated only where `every` one shall be."""
    made: dict[str, Any] = {**episode.segment.attrs, "end_reason": episode.segment.end_reason}
    for name in SETTINGS if every else (name for name in SETTINGS if name in stated):
        was, now = made.get(name), stated.get(name)
        if was != now and not (not every and isinstance(was, int) and abs(was) >= _LIMIT):  # too large for a column
            where = f"{episode.recording.info.game}, {episode.name}"
            yield _Difference("rest", f"{where}: {name} {now!r} instead of {was!r}")


def _names(episode: Episode) -> list[str]:
    steps, names = episode.steps, episode.recording.info.action_space.names
    return [
        str(name or (names[int(action)] if names else "")).rpartition("/")[2]
        for name, action in zip(steps["action_name"], steps["action"], strict=True)
    ] if episode.recording.info.action_space.kind == "discrete" else [str(name) for name in steps["action_name"]]


def _times(episode: Episode) -> list[int]:
    times: npt.NDArray[np.int64] = episode.recording.index(episode.segment.index)["t_ns"].to_numpy(np.int64)
    return [int(t) for t in times]


def _first_unlike(before: Sequence[Any], after: Sequence[Any]) -> int | None:
    return next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if not _alike(a, b)), None)


def _alike(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b)) or (a != a and b != b)  # noqa: PLR0124 - a reward that is no number is like itself


def _stated(target: Path, episodes: int) -> Iterator[dict[str, Any]]:
    """Settings of each episode as plain columns of a Parquet file or as `episode.json` say them; empty where none do."""
    if target.is_file() and target.suffix == ".parquet":
        found: dict[tuple[str, str], dict[str, Any]] = {}
        there = [name for name in SETTINGS if name in pq.read_schema(target).names]
        for row in pq.read_table(target, columns=["environment", "episode", *there]).to_pylist():
            key = (row.pop("environment"), row.pop("episode"))
            before = found.setdefault(key, row)
            before.update({name: f"{row[name]!r} and others" for name in there if row[name] != before[name]})
        if len(found) == episodes:
            yield from found.values()
    elif target.is_dir():
        told = [json.loads(path.read_text(encoding="utf-8")) for path in target.rglob("episode.json")]
        if len(told) == episodes and all("place" in one for one in told):
            yield from sorted(told, key=lambda one: int(one["place"]))
