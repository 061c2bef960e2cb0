"""Whether a folder may be run in: new, empty, or an unfinished run of the same parameters, and nobody else at work.

What papermill and `rushes run` leave in the folder (the notebook that is being executed, `report.*`) and hidden files
do not count as content.

Example:
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "new"
    >>> claim(folder, "tour", {"frames": 3}) is None, folder.is_dir()
    (True, True)
    >>> release(folder)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rushes.errors import OccupiedError
from rushes.store.atomic import storage_errors
from rushes.store.journal import lock

RUN_FILE: Final = "run.json"
_LOCK_FILE: Final = ".run.lock"
_REPORTS: Final = ("report.ipynb", "report.html")
_ACCEPTS: Final = "a folder that is new, empty, or holds an unfinished run of the same parameters"
_held: dict[Path, int] = {}


def claim(folder: Path, name: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take a folder for a run; it stays taken until `release` or the end of this process.

    Args:
        folder: Made where it is not there.
        name: Of the notebook.
        parameters: All of them; `out_dir` is not compared.

    Returns:
        run.json of the unfinished run that lies there, or None for a fresh folder.

    Raises:
        OccupiedError: It holds something else.
        BusyError: Another process is running in it.
        StorageError: It cannot be made or written.
    """
    _unfinished(folder, name, parameters)  # refuse before anything is touched
    release(folder)  # a cell that is run again in the same notebook
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        lock(handle, folder / _LOCK_FILE)
        former = _unfinished(folder, name, parameters)  # again: it may have been ended meanwhile
    except BaseException:
        os.close(handle)
        raise
    _held[folder] = handle
    return former


def release(folder: Path) -> None:
    """Give a folder back; nothing happens where this process does not hold it."""
    if (handle := _held.pop(folder, None)) is not None:
        with suppress(OSError):
            (folder / _LOCK_FILE).unlink()
        os.close(handle)


def _unfinished(folder: Path, name: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    if folder.exists() and not folder.is_dir():
        raise OccupiedError(f"{folder}, which is a file", accepts=_ACCEPTS, fix="choose another out_dir")
    content = sorted(p.name for p in folder.iterdir() if not _is_by_the_way(p)) if folder.is_dir() else []
    if not content:
        return None
    record = _read(folder / RUN_FILE)
    if record is None:
        raise OccupiedError(
            f"{folder}, which holds {', '.join(content[:3])}{' and more' if len(content) > 3 else ''}",  # noqa: PLR2004
            accepts=_ACCEPTS,
            fix="choose another out_dir, or leave it empty for a new folder",
        )
    if record.get("ended") is not None:
        raise OccupiedError(
            f"{folder}, which holds a finished run of {record.get('name')}",
            accepts=_ACCEPTS,
            fix="leave out_dir empty for a new folder; nothing is overwritten",
        )
    differing = _difference(record, name, parameters)
    if differing:
        raise OccupiedError(
            f"{folder}, which holds an unfinished run with {differing}",
            accepts=_ACCEPTS,
            fix="choose another out_dir, or repeat the parameters of its run.json",
        )
    return record


def _difference(record: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> str:
    if record.get("name") != name:
        return f"the name {record.get('name')!r}"
    before, now = ({k: v for k, v in p.items() if k != "out_dir"} for p in (record.get("parameters", {}), parameters))
    for key in (*before, *now):
        if key not in before or key not in now or before[key] != now[key]:
            return f"{key}={before.get(key)!r}"
    return ""


def _is_by_the_way(path: Path) -> bool:
    if path.name.startswith(".") or path.name in _REPORTS:
        return True
    if path.suffix != ".ipynb":
        return False
    book = _read(path)
    return book is not None and "papermill" in book.get("metadata", {})


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
