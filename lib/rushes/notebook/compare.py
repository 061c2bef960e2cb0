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

from rushes.formats.base import open_any
from rushes.formats.report import Report
from rushes.model.findings import Finding, Problem
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
        same = [
            sum(not any(d.about == about for d in found) for found in each) for about in ("pictures", "actions", "rest")
        ]
        said = [f"{n} of {most}" for n in same]
        if "frames (exact)" not in report.kept:
            said[0] = "not promised"
        if not {"times", "rewards"} & {*report.kept}:
            said[2] = "not promised"
        rows.append((report.target.name, len(after), count, said[0], said[1], said[2]))
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


def as_findings(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Give what reading had to work around as warnings, for a verdict.

    Args:
        problems: Of what was read.
    """
    return tuple(
        Finding(
            check=f"read.{p.kind}",
            severity="warning",
            sentence=f"{p.where}: {p.sentence}" if p.where else p.sentence,
            value=float(p.count),
        )
        for p in problems
    )


def _differences(before: Episode, after: Episode, kept: Sequence[str]) -> Iterator[_Difference]:
    where = f"{before.recording.info.game}, {before.name}"
    if before.segment.frames != after.segment.frames:
        yield _Difference("pictures", f"{where}: {after.segment.frames} frames instead of {before.segment.frames}")
        return
    first = before.segment.first_frame
    if "frames (exact)" in kept:
        unlike = (not np.array_equal(a, b) for a, b in zip(before.frames(), after.frames(), strict=True))
        at = next((first + k for k, differs in enumerate(unlike) if differs), None)
        if at is not None:
            yield _Difference("pictures", f"{where}, frame {at}: the picture", at)
    if len(before.steps) != len(after.steps):
        yield _Difference("actions", f"{where}: {len(after.steps)} actions instead of {len(before.steps)}")
        return
    for about, name, one, other in _columns(before, after, kept):
        k = next((k for k, (a, b) in enumerate(zip(one, other, strict=True)) if not _alike(a, b)), None)
        if k is not None:
            said = f"{where}, frame {first + k}: {name} {other[k]!r} instead of {one[k]!r}"
            yield _Difference(about, said, first + k)
    if "rewards" in kept:
        yield from _unlike(before, {**after.segment.attrs, "end_reason": after.segment.end_reason}, every=True)


def _columns(
    before: Episode, after: Episode, kept: Sequence[str]
) -> Iterator[tuple[str, str, Sequence[Any], Sequence[Any]]]:
    """What is held against each other row by row: what it is about, its name, before and after."""
    old, new = before.steps, after.steps
    yield "actions", "action", list(old["action"]), list(new["action"])
    if "names" in kept:
        yield "actions", "action_name", _names(before), _names(after)
    if "times" in kept:
        yield "rest", "t_ns", _times(before), _times(after)
        yield "rest", "t_ns of the action", old["t_ns"].tolist(), new["t_ns"].tolist()
    if "rewards" in kept:
        for name in OUTCOMES:
            yield "rest", name, old[name].tolist(), new[name].tolist()


def _unlike(episode: Episode, stated: Mapping[str, Any], *, every: bool = False) -> Iterator[_Difference]:
    """Settings that differ; of those that are not stated only where `every` one shall be."""
    made: dict[str, Any] = {**episode.segment.attrs, "end_reason": episode.segment.end_reason}
    for name in SETTINGS if every else (name for name in SETTINGS if name in stated):
        was, now = made.get(name), stated.get(name)
        if was != now and not (not every and isinstance(was, int) and abs(was) >= _LIMIT):  # too large for a column
            where = f"{episode.recording.info.game}, {episode.name}"
            yield _Difference("rest", f"{where}: {name} {now!r} instead of {was!r}")


def _names(episode: Episode) -> list[str]:
    steps, space = episode.steps, episode.recording.info.action_space
    given = zip(steps["action_name"], steps["action"], strict=True)
    every = (name or (space.names[int(action)] if space.kind == "discrete" else "") for name, action in given)
    return [str(name).rpartition("/")[2] for name in every]


def _times(episode: Episode) -> list[int]:
    times: npt.NDArray[np.int64] = episode.recording.index(episode.segment.index)["t_ns"].to_numpy(np.int64)
    return [int(t) for t in times]


def _alike(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b)) or (a != a and b != b)  # noqa: PLR0124 - a reward that is no number is like itself


def _stated(target: Path, episodes: int) -> Iterator[dict[str, Any]]:
    """Settings of each episode as plain columns of a Parquet file or as `episode.json` says them, where one does."""
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
