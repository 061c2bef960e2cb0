"""Structure: what is said to be there is there, unchanged, in order, and adds up.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def is_sound(path):
    ...     return not list(check_structure(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from rushes.errors import BadDataError
from rushes.model.findings import Finding, Severity
from rushes.model.recording import Recording
from rushes.model.session import Segment
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject
from rushes.store.fingerprint import of_file
from rushes.store.layout import chunk_folder
from rushes.store.manifest import merge_segments, read_description, summaries
from rushes.store.reader import Session

RULES: Final = rules_of(
    Rule("structure.missing_file", "a file that a chunk names and that is not there", severity="error", sees="files"),
    Rule("structure.changed_file", "a file that was changed after it was written", severity="error", sees="files"),
)


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
        damaged = list(_files(recording, hashes=not subject.quick))
        yield from damaged
        if damaged:
            return
    elif not subject.quick:
        yield from _pictures(subject)
    yield from _ledger(recording)
    for segment in recording.segments:
        yield from _segment(recording, segment)


def _pictures(subject: Subject) -> Iterator[Finding]:
    """Name the pictures of a foreign recording that cannot be decoded; it has no hashes to say that it is as it was."""
    told: set[int] = set()
    for frame_index, what in subject.signs.problems:
        segment = next(s.index for s in subject.recording.segments if frame_index < s.stop_frame)
        if segment not in told:
            told.add(segment)
            yield Finding(
                check="structure.picture",
                severity="error",
                sentence=f"frame {frame_index} cannot be read: {what}",
                session=subject.recording.info.id,
                stream="frames",
                frame_index=frame_index,
            )


def _files(session: Session, *, hashes: bool) -> Iterator[Finding]:
    name = session.info.id
    chunks = summaries(session.path)
    numbers = [c["number"] for c in chunks]
    if numbers != list(range(1, len(numbers) + 1)):
        missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
        sentence = f"chunks {missing} are missing; restore them from a copy"
        yield Finding(check="structure.missing_chunk", severity="error", sentence=sentence, session=name)
    for chunk in chunks:
        folder = chunk_folder(session.path, chunk["number"])
        for file, stated in chunk["files"].items():
            yield from _file(folder / file, stated, name, hashes=hashes)
    stored = [Segment.from_json(s) for s in read_description(session.path).get("segments", [])]
    if stored != list(merge_segments(chunks)):
        sentence = (
            f"session.json lists {len(stored)} segments, the chunks hold {len(session.segments)}: its writer did not "
            "come to its end; run `rushes recover`"
        )
        yield Finding(check="structure.not_closed", severity="error", sentence=sentence, session=name)


def _file(path: Path, stated: dict[str, object], session: str, *, hashes: bool) -> Iterator[Finding]:
    if not path.is_file():
        sentence = f"{path} is missing; restore it from a copy"
        yield Finding(check="structure.missing_file", severity="error", sentence=sentence, session=session)
    elif path.stat().st_size != stated["bytes"] or (hashes and of_file(path) != stated["sha256"]):
        sentence = f"{path} was changed after it was written; restore it from a copy"
        yield Finding(check="structure.changed_file", severity="error", sentence=sentence, session=session)


def _ledger(recording: Recording) -> Iterator[Finding]:
    for stream, account in recording.ledger.items():
        if not account.balances:
            yield Finding(
                check="structure.ledger",
                severity="error",
                sentence=(
                    f"{stream}: {account.offered} came in, {account.kept} are kept, "
                    f"{sum(account.lost.values())} are accounted for as lost"
                ),
                session=recording.info.id,
                stream=stream,
                value=float(account.kept + sum(account.lost.values())),
                limit=float(account.offered),
            )
    kept = recording.ledger["frames"].kept if "frames" in recording.ledger else recording.frame_count
    if kept != recording.frame_count:
        yield Finding(
            check="structure.ledger",
            severity="error",
            sentence=f"the ledger keeps {kept} frames, the segments hold {recording.frame_count}",
            session=recording.info.id,
            stream="frames",
            value=float(recording.frame_count),
            limit=float(kept),
        )


def _segment(recording: Recording, segment: Segment) -> Iterator[Finding]:
    session, index = recording.info.id, recording.index(segment.index)
    if len(index) != segment.frames:
        raise BadDataError(
            f"{session}, segment {segment.index}: {len(index)} rows for {segment.frames} frames",
            accepts="one row of the index a frame",
            fix="restore it from a copy",
        )
    t_ns = index["t_ns"].to_numpy()
    back = np.flatnonzero(np.diff(t_ns) <= 0)
    if len(back):
        frame = int(index["frame_index"].iloc[back[0] + 1])
        sentence = f"time stands still or runs back at {len(back)} frames, first at frame {frame}"
        yield Finding(
            check="structure.time",
            severity="error",
            sentence=sentence,
            session=session,
            stream="frames",
            frame_index=frame,
            t_ns=int(t_ns[back[0] + 1]),
        )
    if not recording.is_environment:
        return
    actions, observations = len(recording.steps(segment.index)), segment.frames
    if actions == observations:
        sentence = f"segment {segment.index} ends with an action whose outcome was not stored ({segment.end_reason})"
        yield Finding(
            check="structure.action_without_outcome",
            severity="warning",
            sentence=sentence,
            session=session,
            stream="actions",
        )
    elif actions != observations - 1:
        yield Finding(
            check="structure.count",
            severity="error",
            sentence=f"segment {segment.index} has {actions} actions for {observations} observations",
            session=session,
            stream="actions",
            value=float(actions),
            limit=float(observations - 1),
        )
