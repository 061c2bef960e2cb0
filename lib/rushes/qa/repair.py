"""Repairs that are safe: side facts beside a session with a backup of those before, never an edit of what was recorded.

A stretch that cannot be used is marked invalid, so that loaders and exports leave it out; a measured offset is stored,
so that `action_delay_ms=measured` applies it. Both can be taken back by another fact, or by putting the backup back.

Example:
    >>> from rushes.qa.base import examine
    >>> from rushes.store.reader import open_session
    >>> def repair(path):
    ...     (subject,) = (examined := examine(open_session(path))).subjects
    ...     return store_repairs(path, repairs(subject, examined.of(subject)))
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.recording import Recording
from rushes.qa.alignment.measured import Offset
from rushes.qa.base import every_rule
from rushes.qa.subject import Subject
from rushes.store.atomic import new_file
from rushes.store.facts import Fact, add_fact, read_facts
from rushes.store.layout import FACTS_FILE

AUTHOR: Final = "rushes qa"
_MS: Final = NS // 1000


@dataclass(frozen=True)
class Repair:
    """A side fact that would mend something.

    Attributes:
        kind: `validity` or `offset`.
        value: Its content, see `store.facts.KINDS`.
        why: The finding, for a person.
        author: What says so, and what it rests on.
        t_start_ns: Start of what it is about, ns since session start; None for all.
        t_end_ns: End of it.
    """

    kind: str
    value: Mapping[str, Any]
    why: str
    author: str = AUTHOR
    t_start_ns: int | None = None
    t_end_ns: int | None = None


@dataclass(frozen=True)
class Repaired:
    """What was stored.

    Attributes:
        facts: The new facts.
        known: Repairs that stood there already.
        backup: Where the facts before are, or None where there were none or nothing was added.
    """

    facts: tuple[Fact, ...] = ()
    known: int = 0
    backup: Path | None = field(default=None)


def repairs(subject: Subject, findings: Iterable[Finding]) -> list[Repair]:
    """Give the safe repairs for what was found.

    Args:
        subject: The recording.
        findings: About it.

    Returns:
        Marks for stretches, in the order of the findings, and the measured offset where one was found too large: one
        for the whole, or one a segment where they differ.
    """
    rules, found = every_rule(), []
    offset = False
    for finding in findings:
        rule = rules.get(finding.check)
        if rule is None or finding.severity == "info":
            continue
        if rule.repair == "invalid" and finding.t_ns is not None and finding.t_end_ns is not None:
            why = f"{finding.check}: {finding.sentence}"
            author = f"{AUTHOR}: {finding.check}"
            found.append(Repair("validity", {"valid": False}, why, author, finding.t_ns, finding.t_end_ns))
        offset |= rule.repair == "offset"
    return found + (measured_offsets(subject) if offset else [])


def measured_offsets(subject: Subject) -> list[Repair]:
    """Give what was measured as facts: one for the whole recording, and one a segment where those differ."""
    measured = subject.was_measured
    if measured is None or not measured.offset.known:
        return []
    found = [_offset(measured.offset, subject.recording, whole=True)]
    if measured.segments_differ:
        found += [_offset(one, subject.recording, whole=False) for one in measured.segments if one.known]
    return found


def _offset(offset: Offset, recording: Recording, *, whole: bool) -> Repair:
    """Write an offset as a fact, whose `ms` holds in the middle of what it is about."""
    segments = recording.segments if whole else (recording.segments[offset.segment or 0],)
    start_ns, end_ns = segments[0].start_ns, segments[-1].end_ns
    drift_ppm = offset.drift_ppm or 0.0
    grown_ms = ((start_ns + end_ns) // 2 - offset.at_ns) * drift_ppm * 1e-6 / _MS
    numbers = {"ms": offset.ms, "low": offset.low_ms, "high": offset.high_ms}
    value: dict[str, Any] = {k: None if v is None else round(v + grown_ms, 3) for k, v in numbers.items()}
    value["drift_ppm"] = None if offset.drift_ppm is None else round(offset.drift_ppm, 3)
    author = f"{AUTHOR}: measured on {offset.rests_on or 'its pictures'}; confidence {offset.confidence:.2f}"
    author += f"; {offset.game_latency_ms:g} ms of the game's own taken off" if offset.game_latency_ms else ""
    where = (None, None) if whole else (start_ns, end_ns)
    return Repair("offset", value, f"inputs take effect {offset} after they are stamped", author, *where)


def store_repairs(session: str | Path, found: Sequence[Repair]) -> Repaired:
    """Store repairs as side facts; what is stored already is not stored again.

    Args:
        session: The directory of a session of ours.
        found: What `repairs` gave.

    Returns:
        What was stored, and where the facts before are.

    Raises:
        BusyError: Somebody else is writing side facts of it at this moment.
        StorageError: The folder cannot be written.
    """
    folder = Path(session)
    before = read_facts(folder)
    offsets = [one for one in found if one.kind == "offset"]
    hold = _offsets_that_hold(before)
    stand = len(offsets) == len(hold) and all(map(_same, offsets, hold))  # else all of them are stored anew
    new = [one for one in found if not (stand if one in offsets else any(_same(one, fact) for fact in before))]
    if not new:
        return Repaired(known=len(found))
    backup = _back_up(folder)
    facts = []
    for one in new:
        stale = next((f.id for f in before if f.kind == one.kind == "offset" and _about(f) == _about(one)), "")
        facts.append(
            add_fact(
                folder,
                one.kind,
                one.value,
                author=one.author,
                t_start_ns=one.t_start_ns,
                t_end_ns=one.t_end_ns,
                replaces=stale,
            )
        )
    return Repaired(tuple(facts), len(found) - len(new), backup)


def _offsets_that_hold(facts: Sequence[Fact]) -> list[Fact]:
    """Give the offsets that hold: a newer one of the whole recording hides those of segments before it."""
    offsets = [fact for fact in facts if fact.kind == "offset"]
    return offsets[max((n for n, fact in enumerate(offsets) if _about(fact) == (None, None)), default=0) :]


def _about(one: Repair | Fact) -> tuple[int | None, int | None]:
    return one.t_start_ns, one.t_end_ns


def _same(repair: Repair, fact: Fact) -> bool:
    return (repair.kind, dict(repair.value), *_about(repair)) == (fact.kind, dict(fact.value), *_about(fact))


def _back_up(folder: Path) -> Path | None:
    """Copy the facts beside themselves under the first number that is free."""
    facts = folder / FACTS_FILE
    if not facts.is_file():
        return None
    number = 1
    while (target := folder / f"facts.backup-{number:04d}.jsonl").exists():
        number += 1
    with new_file(target) as partial:
        shutil.copyfile(facts, partial)
    return target
