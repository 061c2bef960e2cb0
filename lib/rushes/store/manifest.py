"""The manifest of a session: session.json and the chunk.json files, which alone give the order of things.

A segment may run over several chunks; each chunk holds its part, and `merge_segments` puts the parts together.

Example:
    >>> part = {"index": 0, "start_ns": 0, "end_ns": 9, "first_frame": 0, "frames": 2, "end_reason": "",
    ...         "attrs": {}, "wall_ns": None, "clock": "", "opens": True, "closes": False}
    >>> rest = {**part, "end_ns": 20, "first_frame": 2, "frames": 1, "end_reason": "pause", "opens": False,
    ...         "closes": True}
    >>> [(s.frames, s.end_reason) for s in merge_segments([{"segments": [part]}, {"segments": [rest]}])]
    [(3, 'pause')]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rushes.errors import BadDataError, MissingError
from rushes.model.session import Segment, SessionInfo
from rushes.store.atomic import replace_text
from rushes.store.layout import CHUNK_FILE, CHUNK_SCHEMA, SESSION_FILE, chunk_folders, is_sealed


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingError(
            f"{path}: no such file", accepts="a session directory", fix="`rushes info PATH` says what a path is"
        )
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadDataError(
            f"{path}: not JSON ({error})",
            accepts="one JSON object",
            fix="restore it from a copy, or run `rushes recover`",
        ) from error
    if not isinstance(value, dict):
        raise BadDataError(f"{path}: not a JSON object", accepts="one JSON object", fix="restore it from a copy")
    return value


def read_description(session: Path) -> dict[str, Any]:
    """Read session.json as it stands.

    Raises:
        MissingError: The folder holds none.
        BadDataError: It is not JSON.
    """
    return _read_json(session / SESSION_FILE)


def describe(session: Path, info: SessionInfo, segments: Sequence[Segment] = ()) -> None:
    """Write session.json in one step."""
    value = {**info.to_json(), "segments": [s.to_json() for s in segments]}
    replace_text(session / SESSION_FILE, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_summary(chunk: Path) -> dict[str, Any]:
    """Read the chunk.json of a sealed chunk.

    Raises:
        BadDataError: It is damaged or of another schema.
    """
    value = _read_json(chunk / CHUNK_FILE)
    if value.get("schema") != CHUNK_SCHEMA:
        raise BadDataError(
            f"{chunk / CHUNK_FILE}: schema {value.get('schema')!r}",
            accepts=repr(CHUNK_SCHEMA),
            fix="open it with the version of rushes that wrote it",
        )
    return value


def summaries(session: Path) -> list[dict[str, Any]]:
    """Read the chunk.json files of all sealed chunks in the order of their numbers, numbered through."""
    return list(numbered_through(read_summary(chunk) for chunk in chunk_folders(session) if is_sealed(chunk)))


def numbered_through(chunks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Let the frames and segments of each chunk follow on those before it.

    A writer numbers them through already. A chunk whose journal was damaged holds fewer frames and more segments than
    its writer had counted for the chunks behind it, which may have been sealed before.

    Args:
        chunks: What the chunk.json files hold, in order.

    Yields:
        The same; one that had to be renumbered has in `renumbered` what its tables need: `frames`, to add to each
        frame_index, and `segments`, stored index -> index.
    """
    first_frame, last, stored = 0, None, -1
    for chunk in chunks:
        added = first_frame - chunk["first_frame"] if chunk["counts"]["frames"] else 0
        segments: dict[int, int] = {}
        parts = []
        for part in chunk["segments"]:
            goes_on = last is not None and not part["opens"] and not last["closes"] and part["index"] <= stored
            index = -1 if last is None else last["index"]
            stored = part["index"]
            if not goes_on and part["closes"] and not part["frames"]:  # the end of what is lost
                segments[stored] = -1
                continue
            start_ns = part["start_ns"] if part["opens"] or goes_on or last is None else last["end_ns"]
            last = {**part, "index": index + (not goes_on), "first_frame": part["first_frame"] + added}
            last["start_ns"] = max(start_ns, part["start_ns"])
            segments[stored] = last["index"]
            parts.append(last)
        first_frame += chunk["counts"]["frames"]
        if added or any(stored != index for stored, index in segments.items()):
            changed = {"frames": added, "segments": segments}
            yield {**chunk, "first_frame": chunk["first_frame"] + added, "segments": parts, "renumbered": changed}
        else:
            yield chunk


def merge_segments(chunks: Iterable[Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Put the parts of segments together.

    Args:
        chunks: What the chunk.json files hold, in order.

    Returns:
        The segments in order; one that no chunk closes ends at its last frame with `end_reason` "unfinished".
    """
    merged: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for part in chunk["segments"]:
            whole = merged.get(part["index"])
            if whole is None:
                merged[part["index"]] = dict(part)
                continue
            if not whole["frames"]:
                whole.update(first_frame=part["first_frame"], start_ns=part["start_ns"])
            whole["frames"] += part["frames"]
            whole["attrs"] = {**whole["attrs"], **part["attrs"]}
            whole.update(end_ns=max(whole["end_ns"], part["end_ns"]), end_reason=part["end_reason"])
    names = Segment.__dataclass_fields__
    return tuple(
        Segment.from_json(
            {k: v for k, v in part.items() if k in names} | {"end_reason": part["end_reason"] or "unfinished"}
        )
        for _, part in sorted(merged.items())
    )


def list_segments(session: Path) -> None:
    """Write the segments that the sealed chunks hold into session.json."""
    stored = read_description(session)
    describe(session, SessionInfo.from_json(stored), merge_segments(summaries(session)))
