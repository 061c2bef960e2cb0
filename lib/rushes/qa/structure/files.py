"""Structure of a session's files: all of them there, as they were written, and listed as they are.

Example:
    >>> [rule.id for rule in RULES.values() if rule.sees == "files"]
    ['structure.missing_file', 'structure.changed_file']
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rushes.model.findings import Finding
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
    Rule("structure.missing_chunk", "a chunk that is not there", severity="error", sees="metadata"),
    Rule("structure.not_closed", "segments that session.json does not list", severity="error", sees="metadata"),
)


def check_files(subject: Subject, session: Session) -> Iterator[Finding]:
    """Check the files of a session; their content by SHA-256 unless it shall be quick, their sizes always.

    Args:
        subject: What is checked.
        session: Its recording.

    Yields:
        Findings of this module's `RULES`.
    """
    chunks = summaries(session.path)
    numbers = [c["number"] for c in chunks]
    if numbers != list(range(1, len(numbers) + 1)):
        missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
        sentence = f"chunks {missing} are missing; restore them from a copy"
        yield subject.finding(RULES["structure.missing_chunk"], sentence, value=len(missing))
    for chunk in chunks:
        folder = chunk_folder(session.path, chunk["number"])
        for file, stated in chunk["files"].items():
            yield from _file(subject, folder / file, stated)
    stored = [Segment.from_json(s) for s in read_description(session.path).get("segments", [])]
    if stored != list(merge_segments(chunks)):
        sentence = (
            f"session.json lists {len(stored)} segments, the chunks hold {len(session.segments)}: its writer did not "
            "come to its end; run `rushes recover`"
        )
        yield subject.finding(RULES["structure.not_closed"], sentence)


def _file(subject: Subject, path: Path, stated: dict[str, object]) -> Iterator[Finding]:
    if not path.is_file():
        sentence = f"{path} is missing; restore it from a copy"
        yield subject.finding(RULES["structure.missing_file"], sentence)
    elif path.stat().st_size != stated["bytes"] or (not subject.quick and of_file(path) != stated["sha256"]):
        sentence = f"{path} was changed after it was written; restore it from a copy"
        yield subject.finding(RULES["structure.changed_file"], sentence)
