r"""Where runs lie: `outputs/<name>/<utc>-<hash>/`, and `outputs/<name>/latest`, which names the newest that finished.

A run folder is made here and nowhere else, and whether a folder may be run in is decided here, so the command line
and the notebooks agree about both: it is new, empty, or holds an unfinished run of the same parameters, and nobody
else is at work in it. A run that wrote nothing (its parameters were wrong) is in nobody's way.

Example:
    >>> import tempfile
    >>> folder = new_run_folder("tour", {"frames": 3}, root=Path(tempfile.mkdtemp()))
    >>> folder.parent.name, unfinished_run(folder, {"frames": 3}) is None
    ('tour', True)
    >>> name_latest(folder)
    >>> (folder.parent / "latest").read_text() == folder.name + "\n"
    True
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from rushes.errors import BusyError, OccupiedError, StorageError
from rushes.store.atomic import replace_text, storage_errors
from rushes.store.lock import lock

OUTPUTS: Final = "outputs"
LATEST: Final = "latest"
RUN_FILE: Final = "run.json"
LOCK_FILE: Final = ".run.lock"
REPORTS: Final = ("report.ipynb", "report.html")
"""What `rushes run` leaves beside a run; content of its own only where no unfinished run stands beside it."""
_SIGNS: Final = ("recipes", OUTPUTS)
_HASH: Final = 8
_ACCEPTS: Final = "a folder that is new, empty, or holds an unfinished run of the same parameters"
_NAMED: Final = 3


def project_root(start: Path | None = None) -> Path:
    """Find the folder that runs are written under: the nearest one above that holds `recipes/` or `outputs/`.

    Args:
        start: Where to begin; the current folder by default.

    Returns:
        That folder, or `start` where there is none.
    """
    here = (start or Path.cwd()).absolute()
    return next((p for p in (here, *here.parents) if any((p / sign).is_dir() for sign in _SIGNS)), here)


def run_hash(name: str, parameters: Mapping[str, Any]) -> str:
    """Give 8 hex digits that are the same for the same notebook with the same parameters."""
    text = json.dumps([name, dict(parameters)], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH]


def new_run_folder(name: str, parameters: Mapping[str, Any], *, root: Path | None = None) -> Path:
    """Make the folder of a new run, empty.

    Args:
        name: Of the notebook or recipe, without its ending.
        parameters: Its parameters; the folder's name carries their hash. `out_dir` does not count.
        root: Folder that holds `outputs/`; by default `project_root()`.

    Returns:
        The folder; no other run has it, not even one that was begun in the same second.

    Raises:
        StorageError: It cannot be written.
    """
    parent = (root or project_root()) / OUTPUTS / name
    base = (
        f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{run_hash(name, {k: v for k, v in parameters.items() if k != 'out_dir'})}"
    )
    with storage_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            folder = parent / (base if number == 1 else f"{base}-{number}")
            try:
                folder.mkdir()
                break
            except FileExistsError:
                continue
    return folder


def name_latest(folder: Path) -> None:
    """Write into `latest` beside a run folder that it is the newest."""
    try:
        replace_text(folder.parent / LATEST, folder.name + "\n")
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):  # two runs began at once: either of them is the newest
            raise


def unfinished_run(
    folder: Path, parameters: Mapping[str, Any], *, name: str = "", executing: bool = False
) -> dict[str, Any] | None:
    """Hold a folder against the rule of where a run may go; nothing is touched.

    Args:
        folder: It need not be there. Hidden files in it do not count.
        parameters: All of the run; `out_dir` is not compared.
        name: Of the notebook; not compared where it is empty.
        executing: The notebook runs already, so what papermill has begun to write does not count.

    Returns:
        run.json of the unfinished run that lies there and can be gone on with, or None for a fresh one.

    Raises:
        OccupiedError: It holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise OccupiedError(f"{folder}, which is a file", accepts=_ACCEPTS, fix="choose another out_dir")
    content = _content(folder, executing=executing)
    if not content:
        return None
    record = _read(folder / RUN_FILE)
    if record is None:
        raise OccupiedError(
            f"{folder}, which holds {', '.join(content[:_NAMED])}{' and more' if len(content) > _NAMED else ''}",
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
    if differing and not wrote_nothing(folder):
        raise OccupiedError(
            f"{folder}, which holds an unfinished run with {differing}",
            accepts=_ACCEPTS,
            fix="choose another out_dir, or repeat the parameters of its run.json",
        )
    return None if differing else record


def wrote_nothing(folder: Path) -> bool:
    """Say whether an unfinished run, or none, lies in a folder and left nothing but its run.json and its report.

    Args:
        folder: Of the run.
    """
    record = _read(folder / RUN_FILE) or {}
    return (
        record.get("ended") is None
        and not record.get("outputs")
        and all(name in (RUN_FILE, *REPORTS) for name in _content(folder, executing=True))
    )


def refuse_busy(folder: Path) -> None:
    """Refuse a folder in which a run is going on, in this process or another.

    Args:
        folder: It need not be there.

    Raises:
        BusyError: A run is going on.
    """
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR)
    except OSError:  # no run, or a folder that cannot be read: who wants to write says so
        return
    try:
        take(handle, folder)
    finally:
        os.close(handle)


def take(handle: int, folder: Path) -> None:
    """Take the lock of a run, until the handle is closed.

    Args:
        handle: The open lock file.
        folder: Of the run, for the message.

    Raises:
        BusyError: Somebody else has it.
    """
    try:
        lock(handle, folder)
    except BusyError:
        raise BusyError(
            f"{folder}, in which a run is going on,",
            accepts="a folder at rest",
            fix="wait until that run ends, or choose another out_dir",
        ) from None


def tidy(folder: Path) -> None:
    """Take away what a run that is over leaves of no use: its lock, and the folder where it is empty.

    Args:
        folder: Of the run; where a run is going on nothing happens.
    """
    with suppress(BusyError, OSError):
        refuse_busy(folder)
        (folder / LOCK_FILE).unlink(missing_ok=True)
        folder.rmdir()  # refuses by itself where something lies in it


def _content(folder: Path, *, executing: bool) -> list[str]:
    if not folder.is_dir():
        return []
    every = (p for p in folder.iterdir() if not p.name.startswith("."))
    return sorted(p.name for p in every if not (executing and _is_being_executed(p)))


def _is_being_executed(path: Path) -> bool:
    return path.suffix == ".ipynb" and "papermill" in ((_read(path) or {}).get("metadata") or {})


def _difference(record: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> str:
    if name and record.get("name") != name:
        return f"the name {record.get('name')!r}"
    before, now = ({k: v for k, v in p.items() if k != "out_dir"} for p in (record.get("parameters", {}), parameters))
    for key in (*before, *now):
        if key not in before or key not in now or before[key] != now[key]:
            return f"{key}={before.get(key)!r}"
    return ""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
