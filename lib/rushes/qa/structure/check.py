"""Structure: what is said to be there is there, unchanged, in order, and adds up.

The files of a session of ours stand in `rushes.qa.structure.files`, its tables, as those of any recording, in
`rushes.qa.structure.tables`. What reading had to work around is said too, under the name that its reader gave it.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def is_sound(path):
    ...     return not list(check_structure(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rushes.model.findings import Finding, Severity
from rushes.model.recording import Recording
from rushes.qa.rules import Rule, rules_of
from rushes.qa.structure import files as structure_files
from rushes.qa.structure import tables as structure_tables
from rushes.qa.subject import Subject
from rushes.store.reader import Session

_OWN: Final = rules_of(
    Rule("structure.unfinished_chunk", "a chunk whose writer died", severity="error", sees="metadata"),
    Rule("structure.damaged_journal", "bytes of a journal that could not be read", sees="metadata"),
    Rule("structure.picture", "a picture that cannot be decoded", severity="error", sees="pictures"),
    Rule("structure.ledger", "sums that do not balance", limit=0.0, unit="things", severity="error", sees="metadata"),
)
RULES: Final[Mapping[str, Rule]] = {**_OWN, **structure_files.RULES, **structure_tables.RULES}


def check_structure(subject: Subject) -> Iterator[Finding]:
    """Check a recording's structure.

    Args:
        subject: Any recording; the files themselves are checked where it is a session of ours.

    Yields:
        `structure.*` findings.
    """
    recording = subject.recording
    session = recording.info.id
    for problem in recording.problems:
        severity: Severity = "error" if problem.kind == "unfinished_chunk" else "warning"
        sentence = f"{problem.where}: {problem.sentence} ({problem.count})"
        yield Finding(check=f"structure.{problem.kind}", severity=severity, sentence=sentence, session=session)
    if isinstance(recording, Session):
        damaged = list(structure_files.check_files(subject, recording))
        yield from damaged
        if damaged:
            return
    elif not subject.quick:
        yield from _pictures(subject)
    yield from _ledger(subject, recording)
    yield from structure_tables.check_tables(subject)


def _pictures(subject: Subject) -> Iterator[Finding]:
    """Name the pictures of a foreign recording that cannot be decoded; it has no hashes to say that it is as it was."""
    told: set[int] = set()
    for frame_index, what in subject.signs.problems:
        segment = next(s.index for s in subject.recording.segments if frame_index < s.stop_frame)
        if segment not in told:
            told.add(segment)
            sentence = f"frame {frame_index} cannot be read: {what}"
            yield subject.finding(RULES["structure.picture"], sentence, stream="frames", frame_index=frame_index)


def _ledger(subject: Subject, recording: Recording) -> Iterator[Finding]:
    rule = RULES["structure.ledger"]
    for stream, account in recording.ledger.items():
        lost = sum(account.lost.values())
        off = abs(account.offered - account.kept - lost)
        if off > subject.limit(rule):
            sentence = (
                f"{stream}: {account.offered} came in, {account.kept} are kept, {lost} are accounted for as lost: "
                f"{off} went nowhere; restore the manifest from a copy"
            )
            yield subject.finding(rule, sentence, value=off, stream=stream)
    kept = recording.ledger["frames"].kept if "frames" in recording.ledger else recording.frame_count
    if abs(kept - recording.frame_count) > subject.limit(rule):
        sentence = f"the ledger keeps {kept} frames, the segments hold {recording.frame_count}"
        yield subject.finding(rule, sentence, value=abs(kept - recording.frame_count), stream="frames")
