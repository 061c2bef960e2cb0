"""What a player's page is told once: sources, segments, controls, findings, facts, lanes, in plain JSON values.

No check is run here. Findings are those that are passed, else what stands among the side facts: the reasons of the last
verdict, each at the stretches that were marked invalid for it.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def title(path):
    ...     return source_words(open_shown(path), Pictures(open_shown(path)))["name"]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rushes.errors import RushesError
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.session import Segment
from rushes.preview.notes import end_sentence
from rushes.qa.repair import AUTHOR as CHECKER
from rushes.store.facts import Fact
from rushes.widgets.player_marks import Marks, fact_words
from rushes.widgets.player_pictures import Pictures
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_source import Shown

_LOOKED_AT = 16


def source_words(shown: Shown, pictures: Pictures) -> dict[str, Any]:
    """Describe a source: name, frames, width, height, rate_hz, t0_ns, t1_ns, exact.

    Args:
        shown: The source.
        pictures: Its pictures; one is decoded where nothing says how large they are.
    """
    stream = shown.recording.info.stream("frames")
    width, height = (stream.width, stream.height) if stream is not None and shown.samples is None else (0, 0)
    for frame in range(min(len(shown), _LOOKED_AT) if not width * height else 0):
        try:
            height, width = pictures.pixels(frame).shape[:2]
            break
        except (RushesError, OSError, IndexError):  # one that is damaged is said where it is shown
            continue
    return {
        "name": shown.name,
        "frames": len(shown),
        "width": int(width),
        "height": int(height),
        "rate_hz": float(shown.rate_hz),
        "t0_ns": int(shown.t_ns[0]),
        "t1_ns": int(shown.ends_ns[-1]),
        "exact": bool(stream.exact) if stream is not None and shown.samples is None else False,
    }


def about_words(
    sources: Sequence[dict[str, Any]],
    rows: Rows,
    lanes: list[dict[str, str]],
    findings: Iterable[Finding] | None = None,
) -> dict[str, Any]:
    """Describe all of it.

    Args:
        sources: As `source_words` gives them; the first is what `rows` are of.
        rows: What was done.
        lanes: Of the timeline.
        findings: In place of those that are stored.
    """
    shown = rows.shown
    marks = Marks(shown)
    session = shown.session_of_ours
    facts = session.facts if session is not None else ()
    seconds = (shown.ends_ns[-1] - shown.t_ns[0]) / NS
    wheel = shown.samples is None and bool(rows.inputs.wheels)
    return {
        "title": f"{shown.name}: {len(shown):,} frames, {seconds:.1f} s",
        "sources": list(sources),
        "segments": [
            {
                "start": stretch.start,
                "stop": stretch.stop,
                "t_start_ns": stretch.start_ns,
                "t_end_ns": stretch.end_ns,
                "reason": _reason(stretch.segment),
            }
            for stretch in shown.stretches
        ],
        "controls": list(rows.controls),
        "axes": list(rows.axes),
        "reach": rows.reach,
        "mouse": shown.samples is None and bool(len(rows.inputs.motion.t_ns)),
        "wheel": wheel,
        "environment": shown.samples is None and shown.recording.is_environment,
        "samples": shown.samples is not None,
        "sound": [s.name for s in shown.recording.sound_streams] if shown.samples is None else [],
        "findings": finding_words(shown, findings if findings is not None else stored_findings(facts)),
        **stored_words(shown),
        "can_mark": marks.can_mark,
        "lanes": lanes,
    }


def stored_words(shown: Shown) -> dict[str, Any]:
    """Describe what is stored beside the session now: facts but for marks, and the offset.

    Args:
        shown: The source.
    """
    session, marks = shown.session_of_ours, Marks(shown)
    facts = session.facts if session is not None else ()
    return {
        "facts": [
            fact_json(fact, marks)
            for fact in facts
            if fact.kind not in {"validity", "label"} and shown.meets(*marks.times(fact))
        ],
        "offset": offset_words(facts),
    }


def _reason(segment: Segment | None) -> str:
    return "" if segment is None else end_sentence(segment.end_reason)


def finding_words(shown: Shown, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Give findings with the frames that they are about, in order of time; those without a place last.

    Args:
        shown: The source.
        findings: Any; those about other sessions, or about what lies outside an episode that is shown, are left out.
    """
    own = {recording.info.id for recording in shown.recordings}
    found = []
    for finding in findings:
        if finding.session and finding.session not in own:
            continue
        at, t_ns, t_end_ns = _place(shown, finding)
        if at is not None and not _belongs(shown, finding, t_ns):
            continue
        found.append(
            {
                "id": finding.check,
                "severity": finding.severity,
                "frame": at,
                "t_ns": t_ns,
                "t_end_ns": t_end_ns,
                "sentence": finding.sentence,
            }
        )
    return sorted(found, key=lambda one: (one["frame"] is None, one["frame"] or 0))


def _place(shown: Shown, finding: Finding) -> tuple[int | None, int | None, int | None]:
    """Give the frame that a finding is about, its time and its end, where it has them."""
    frame, t_ns = finding.frame_index, finding.t_ns
    if shown.samples is not None:  # rows are shown at times of their own
        at = None if frame is None else _row(shown, finding.session, frame)
        return at, None if at is None else int(shown.t_ns[at]), None
    at = shown.frame_of(frame) if frame is not None else shown.at(t_ns) if t_ns is not None else None
    if t_ns is None and at is not None:
        t_ns = int(shown.t_ns[at])
    return at, t_ns, finding.t_end_ns


def _belongs(shown: Shown, finding: Finding, t_ns: int | None) -> bool:
    """Say whether a finding with a place is about what is shown."""
    if shown.samples is not None or t_ns is None:
        return True
    if finding.frame_index is None or finding.t_end_ns is not None:
        return shown.meets(t_ns, t_ns if finding.t_end_ns is None else finding.t_end_ns)
    return bool(shown.frame_index[0] <= finding.frame_index <= shown.frame_index[-1])


def _row(shown: Shown, session: str, frame_index: int) -> int | None:
    """Give the row of a table whose picture is nearest to a frame of a session (`""` for any); None without one."""
    named = {number for number, one in enumerate(shown.recordings) if session in {"", one.info.id}}
    rows = np.flatnonzero((shown.frame_index >= 0) & np.isin(shown.source, list(named)))
    return int(rows[np.argmin(np.abs(shown.frame_index[rows] - frame_index))]) if len(rows) else None


def stored_findings(facts: Iterable[Fact]) -> list[Finding]:
    """Give the reasons of the last verdict that is stored, each at the stretches that are marked for it."""
    several = list(facts)
    verdicts = [fact for fact in several if fact.kind == "verdict"]
    found: list[Finding] = []
    for reason in verdicts[-1].value["reasons"] if verdicts else ():
        check, _, sentence = str(reason).partition(": ")
        marked = [f for f in several if f.kind == "validity" and f.author == f"{CHECKER}: {check}"]
        told = f"{sentence} (marked invalid)"
        found += [Finding(check, "info", told, t_ns=fact.t_start_ns, t_end_ns=fact.t_end_ns) for fact in marked]
        if not marked:
            failed = verdicts[-1].value["verdict"] == "FAIL"
            found.append(Finding(check, "error" if failed else "warning", sentence or check))
    known = {one.check for one in found}
    for fact in several:
        check = fact.author.removeprefix(f"{CHECKER}: ")
        if fact.kind == "validity" and not fact.value["valid"] and check != fact.author and check not in known:
            found.append(Finding(check, "info", "marked invalid", t_ns=fact.t_start_ns, t_end_ns=fact.t_end_ns))
    return found


def fact_json(fact: Fact, marks: Marks) -> dict[str, Any]:
    """Write a fact; one about the whole session spans it."""
    start_ns, end_ns = marks.times(fact)
    return {"id": fact.id, "kind": fact.kind, "t_start_ns": start_ns, "t_end_ns": end_ns, "text": fact_words(fact)}


def offset_words(facts: Iterable[Fact]) -> dict[str, Any] | None:
    """Give the last offset of the whole session that is stored; None where there is none."""
    whole = [f for f in facts if f.kind == "offset" and f.t_start_ns is None and f.t_end_ns is None]
    if not whole:
        return None
    return {**{str(name): _plain(value) for name, value in whole[-1].value.items()}, "author": whole[-1].author}


def _plain(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
