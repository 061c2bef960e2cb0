r"""meta.json of the NitroGen Capture program: read without trust, and written.

A path in it is taken only if it stays in the folder: `..`, absolute paths and links that lead out are refused, the
backslashes of Windows are accepted. What does not read is passed over and noted; no file is touched for it.

Example:
    >>> inside(Path("set"), "frames\\chunk_001", where="meta.json").as_posix()
    'set/frames/chunk_001'
    >>> entry_of(1, start=0, rows=500)["frames_dir"]
    'frames/chunk_001'
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.formats.nitrogen.chunks_notes import Notes

META: Final = "meta.json"
FRAMES: Final = "frames"
OURS: Final = "rushes"
"""Key of meta.json under which this program says what the reference's keys cannot."""
TICKS: Final = "capture_tick_index (gaps indicate dropped frames)"
"""Value of `frame_index_units`. Source: taisrisk/frame-capture capture.py at 0049d7a."""
MERGED: Final = {"actions": "action_file", "mouse_deltas": "mouse_deltas_file", "frame_indices": "frame_indices_file"}
"""Merged array -> its key in meta.json. Source: taisrisk/frame-capture capture_logger.py at 4ff5523."""
FILES: Final = {
    "actions": "actions_file",
    "mouse_deltas": "mouse_deltas_file",
    "frame_indices": "frame_indices_file",
    "t_ns": "t_ns_file",
}
"""Array of a chunk -> its key in an entry; `t_ns_file` is ours."""
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Entry:
    """A chunk as meta.json tells it.

    Attributes:
        number: Its number.
        files: Array -> file.
        folder: Where its pictures are said to lie, None where nothing is said.
        start: Number of its first row in the merged arrays, from 0; -1 where nothing is said.
        rows: How many rows it has; 0 where nothing is said.
        row: Number of its first row in the set as it was written; -1 where nothing is said.
    """

    number: int
    files: Mapping[str, Path]
    folder: Path | None
    start: int
    rows: int
    row: int


@dataclass(frozen=True)
class Manifest:
    """What meta.json says.

    Attributes:
        values: All of it.
        entries: The chunks by number; None where it has no list of them.
    """

    values: Mapping[str, Any]
    entries: Mapping[int, Entry] | None


def inside(root: Path, text: str, *, where: str) -> Path:
    """Give the path of a name that stands in a file.

    Args:
        root: The set.
        text: The name, relative to the set.
        where: Where it stands, for the message.

    Raises:
        BadDataError: It leads out of the set.
    """
    name = text.replace("\\", "/")
    parts = name.split("/")
    found = root / name
    bad = not name or "\0" in name or name.startswith("/") or _DRIVE.match(name) or ".." in parts
    if bad or not stays(root, found):
        raise BadDataError(
            f"{where}: {text!r}, which leads out of the folder",
            accepts="a path in the folder of the set",
            fix="correct it, or move meta.json away: the set is then read from its chunk files",
        )
    return found


def stays(root: Path, path: Path) -> bool:
    """Say whether a path is in a folder when all links are followed."""
    try:
        home, found = os.path.realpath(root), os.path.realpath(path)
    except (OSError, ValueError):  # a name that is too long, or holds a zero
        return False
    return found == home or found.startswith(home.rstrip(os.sep) + os.sep)


def read_manifest(root: Path, notes: Notes) -> Manifest | None:
    """Read meta.json.

    Args:
        root: The set.
        notes: Where to say what does not read.

    Returns:
        What it says; None where there is none or it does not read.

    Raises:
        BadDataError: A path in it leads out of the set.
    """
    path = root / META
    if not path.is_file() or not stays(root, path):
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, OSError):
        values = None
    if not isinstance(values, dict):
        notes.add("damaged_meta", META)
        return None
    listed = values.get("chunks")
    if not isinstance(listed, list):
        return Manifest(values, None)
    entries: dict[int, Entry] = {}
    for place, value in enumerate(listed):
        where = f"{META}, chunks[{place}]"
        entry = _entry(root, value, where) if isinstance(value, dict) else None
        if entry is None or entry.number in entries:
            notes.add("damaged_entry", where)
        else:
            entries[entry.number] = entry
    return Manifest(values, entries)


def whole(value: Any) -> int | None:
    """Give a whole number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) >= 1 << 53:  # noqa: PLR0124 - NaN
        return None
    return int(value) if value == int(value) else None


def _entry(root: Path, value: Mapping[str, Any], where: str) -> Entry | None:
    number = whole(value.get("chunk"))
    if number is None or number < 0:
        return None
    files = {
        kind: inside(root, value[key], where=f"{where}.{key}")
        for kind, key in FILES.items()
        if isinstance(value.get(key), str)
    }
    keys = ("start_frame", "end_frame", "num_frames", "first_row")
    start, stop, rows, row = (whole(value.get(key)) for key in keys)
    count = rows if rows is not None else stop - start + 1 if start is not None and stop is not None else 0
    first = -1 if start is None else start - 1
    return Entry(number, files, _folder(root, value, where), first, max(count, 0), first if row is None else row)


def _folder(root: Path, value: Mapping[str, Any], where: str) -> Path | None:
    """Find the folder of pictures: named from the set at 4ff5523, from its folder `frames` later."""
    text = value.get("frames_dir")
    if not isinstance(text, str):
        return None
    found = inside(root, text, where=f"{where}.frames_dir")
    later = inside(root, f"{FRAMES}/{text}", where=f"{where}.frames_dir")
    return later if not found.is_dir() and later.is_dir() else found


def entry_of(number: int, *, start: int, rows: int, folder: str = "", t_ns: bool = False) -> dict[str, Any]:
    """Make the entry of a chunk, with the reference's keys in its order.

    Args:
        number: The chunk.
        start: Number of its first row, from 0; stands there from 1.
        rows: How many rows it has.
        folder: Where its pictures lie, in the set; empty for the usual place.
        t_ns: Whether it has times, and so its first row stands there too: a merge without the chunks before it gives
            it another place in the merged arrays, and no other number.
    """
    names = {kind: f"{kind}_chunk_{number:03d}.npy" for kind in FILES}
    times = {FILES["t_ns"]: names["t_ns"], "first_row": start} if t_ns else {}
    return {
        "chunk": number,
        "start_frame": start + 1,
        "end_frame": start + rows,
        "actions_file": names["actions"],
        "mouse_deltas_file": names["mouse_deltas"],
        "frame_indices_file": names["frame_indices"],
        "frames_dir": folder or f"{FRAMES}/chunk_{number:03d}",
        "num_frames": rows,
        **times,
    }


def meta_of(
    names: Sequence[str], entries: Sequence[Mapping[str, Any]], *, fps: float, chunk_size: int, unit: str, torch: str
) -> dict[str, Any]:
    """Make a meta.json with the reference's keys in its order.

    Args:
        names: The actions.
        entries: What `entry_of` gives.
        fps: Frames a second.
        chunk_size: Rows a full chunk has.
        unit: `pixels` or `counts`.
        torch: What became of dataset.pt.
    """
    return {
        "fps": fps,
        "region": None,
        "monitor": 0,
        "actions": list(names),
        "num_frames": sum(entry["num_frames"] for entry in entries),
        **{key: f"{kind}.npy" for kind, key in MERGED.items()},
        "mouse_delta_units": f"{unit}_per_frame",
        "chunk_size": chunk_size,
        "num_chunks": len(entries),
        "chunks": [dict(entry) for entry in entries],
        "torch_dataset": torch,
    }
