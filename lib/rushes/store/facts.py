"""Side facts: what people and checks say about a session afterwards, appended and never edited in.

The raw streams stay as they were recorded. A correction, a mark, a label, a verdict, a tag or a note is one line in
facts.jsonl; a later fact may replace an earlier one by its id, and the earlier line stays readable.

Example:
    >>> import tempfile
    >>> session = Path(tempfile.mkdtemp())
    >>> fact = add_fact(session, "tag", {"tag": "tutorial"}, author="me")
    >>> [f.value["tag"] for f in read_facts(session)]
    ['tutorial']
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, BadInputError, near
from rushes.store.atomic import new_file, storage_errors, sync
from rushes.store.layout import FACTS_FILE
from rushes.store.lock import lock

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "offset": frozenset({"ms", "low", "high", "drift_ppm"}),
    "validity": frozenset({"valid"}),
    "label": frozenset({"column", "value"}),
    "tag": frozenset({"tag"}),
    "note": frozenset({"text"}),
    "verdict": frozenset({"verdict", "reasons", "figures"}),
}
"""Kind -> the keys of its value (design of the session directory, docs/architecture.md)."""


@dataclass(frozen=True)
class Fact:
    """One line of facts.jsonl.

    Attributes:
        id: Unique.
        kind: One of `KINDS`.
        t_start_ns: Start of what it is about, ns since session start; None for the whole session.
        t_end_ns: End of it, or None.
        value: Its content; keys as in `KINDS`.
        author: Who or what says it.
        time: When it was said, ISO 8601 UTC.
        replaces: Id of the fact that it takes the place of, or `""`.
    """

    id: str
    kind: str
    t_start_ns: int | None
    t_end_ns: int | None
    value: Mapping[str, Any]
    author: str
    time: str
    replaces: str = ""


def add_fact(
    session: str | Path,
    kind: str,
    value: Mapping[str, Any],
    *,
    author: str,
    t_start_ns: int | None = None,
    t_end_ns: int | None = None,
    replaces: str = "",
) -> Fact:
    """Append a fact to a session.

    Args:
        session: Its directory.
        kind: One of `KINDS`.
        value: Content; exactly the keys that `KINDS` gives.
        author: Who or what says it.
        t_start_ns: Start of what it is about, ns since session start; None for all.
        t_end_ns: End of it.
        replaces: Id of the fact that it takes the place of.

    Returns:
        The fact as it was written and forced to the disk.

    Raises:
        BadInputError: Unknown kind, wrong keys, an interval that ends before it starts, or nothing to replace.
        BusyError: Another process is appending at this moment.
    """
    folder = Path(session)
    if kind not in KINDS:
        raise BadInputError(
            f"kind={kind!r}", accepts="one of " + ", ".join(KINDS), fix=near(kind, KINDS) or "choose one"
        )
    if set(value) != KINDS[kind]:
        raise BadInputError(
            f"a {kind} with the keys {sorted(value)}", accepts=f"{sorted(KINDS[kind])}", fix="give exactly these keys"
        )
    if t_start_ns is not None and t_end_ns is not None and t_end_ns < t_start_ns:
        raise BadInputError(
            f"t_start_ns={t_start_ns}, t_end_ns={t_end_ns}", accepts="an end at or after the start", fix="swap them"
        )
    if replaces and replaces not in {f.id for f in read_facts(folder, replaced=True)}:
        raise BadInputError(f"replaces={replaces!r}", accepts="the id of a fact of this session", fix="list them first")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    fact = Fact(uuid.uuid4().hex[:12], kind, t_start_ns, t_end_ns, dict(value), author, now, replaces)
    line = _line(fact)
    path = folder / FACTS_FILE
    with storage_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            lock(handle, path)
            _append(handle, line.encode())
        finally:
            os.close(handle)
        sync(path)
    return fact


def write_facts(session: str | Path, facts: Iterable[Fact]) -> None:
    """Give a new session facts that another one has, as they were said; none of them replaces another.

    Args:
        session: Its directory, which has no facts yet.
        facts: Of the other.
    """
    lines = [_line(replace(fact, replaces="")) for fact in facts]
    if lines:
        with new_file(Path(session) / FACTS_FILE) as partial:
            partial.write_text("".join(lines), encoding="utf-8")


def read_facts(session: str | Path, *, replaced: bool = False) -> tuple[Fact, ...]:
    """Read the facts of a session in the order in which they were said.

    Args:
        session: Its directory.
        replaced: Also give facts that a later one replaces.

    Returns:
        The facts; a last line that a crash cut is left out, and removed when the next fact is added.

    Raises:
        BadDataError: A line that ends is no fact.
    """
    path = Path(session) / FACTS_FILE
    if not path.is_file():
        return ()
    *lines, last = path.read_bytes().split(b"\n")
    facts: list[Fact] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            facts.append(_fact(line))
        except (ValueError, TypeError) as error:
            raise BadDataError(
                f"{path}, line {number}: no fact ({error})",
                accepts="one JSON object a line",
                fix="remove that line",
            ) from error
    with suppress(ValueError, TypeError):  # cut by a crash, unless only its line end is missing
        facts.append(_fact(last))
    gone = {f.replaces for f in facts if f.replaces}
    return tuple(f for f in facts if replaced or f.id not in gone)


def _line(fact: Fact) -> str:
    return json.dumps(asdict(fact), ensure_ascii=False, separators=(",", ":")) + "\n"


def _fact(line: bytes) -> Fact:
    return Fact(**json.loads(line.decode()))


def _append(handle: int, line: bytes) -> None:
    """Append a line, whole or not at all, after the last whole one; what a crash cut is removed first."""
    size = os.fstat(handle).st_size
    text = os.pread(handle, size, 0)
    tail = text[text.rfind(b"\n") + 1 :]
    try:
        _fact(tail)
        line = b"\n" + line  # whole but for its line end
    except (ValueError, TypeError):
        if tail:
            size -= len(tail)
            os.ftruncate(handle, size)
    if os.write(handle, line) != len(line):
        os.ftruncate(handle, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
