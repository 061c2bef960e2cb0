"""Whether what was exported says the same as what went in, read back as a stranger would.

Example (after `exports.write(run, sessions)`):
    >>> def cell(sessions, exports):
    ...     return compare(sessions, exports.reports).rows
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

from rushes.formats.base import Report, get_format, open_any
from rushes.model.findings import Finding
from rushes.model.recording import Episode, Sessions
from rushes.store.fingerprint import of_picture


@dataclass(frozen=True)
class Comparison:
    """What came back.

    Attributes:
        rows: One an export: its name, episodes, frames, pictures equal, actions equal.
        findings: An error for each difference in what the format promises to keep, a remark where it promises nothing.
        figures: `episodes` and `frames` that went in, `exports` and `exports_equal`.
        last: What was read back last, or what went in where nothing was exported.
    """

    rows: tuple[tuple[str, int, int, str, str], ...]
    findings: tuple[Finding, ...]
    figures: dict[str, int]
    last: Sessions = field(repr=False)


def compare(sessions: Sessions, reports: Iterable[Report]) -> Comparison:
    """Read exports back and hold them against what went in, episode by episode.

    Args:
        sessions: What went in.
        reports: What `convert` gave for each export.

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
        pairs = list(zip_longest(before, after))
        pictures = sum(a is not None and b is not None and _same_pictures(a, b) for a, b in pairs)
        actions = sum(a is not None and b is not None and _actions(a) == _actions(b) for a, b in pairs)
        exact = get_format(report.format).keeps.frames == "exact"
        good = (
            len(after) == len(before)
            and count == frames
            and (pictures == len(pairs) or not exact)
            and actions == len(pairs)
        )
        equal += good
        rows.append(
            (report.target.name, len(after), count, f"{pictures} of {len(pairs)}", f"{actions} of {len(pairs)}")
        )
        if not good:
            findings.append(
                Finding(
                    check="convert.read_back",
                    severity="error" if exact else "info",
                    sentence=(
                        f"{report.target.name}: {count} of {frames} frames came back, {pictures} of {len(pairs)} "
                        f"episodes with the same pictures and {actions} with the same actions"
                    ),
                    value=float(count),
                    limit=float(frames),
                )
            )
    figures = {"episodes": len(before), "frames": frames, "exports": len(rows), "exports_equal": equal}
    return Comparison(tuple(rows), tuple(findings), figures, last)


def _same_pictures(before: Episode, after: Episode) -> bool:
    if before.segment.frames != after.segment.frames:
        return False
    return all(of_picture(a) == of_picture(b) for a, b in zip(before.frames(), after.frames(), strict=True))


def _actions(episode: Episode) -> list[str]:
    return [str(name).rpartition("/")[2] for name in episode.steps["action_name"]]
