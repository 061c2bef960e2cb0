r"""Where runs lie: `outputs/<name>/<utc>-<hash>/`, and `outputs/<name>/latest`, which names the newest.

A run folder is made here and nowhere else, so the command line and the notebooks agree about it.

Example:
    >>> import tempfile
    >>> folder = new_run_folder("tour", {"frames": 3}, root=Path(tempfile.mkdtemp()))
    >>> folder.parent.name, (folder.parent / "latest").read_text() == folder.name + "\n"
    ('tour', True)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from rushes.store.atomic import replace_text, storage_errors

OUTPUTS: Final = "outputs"
LATEST: Final = "latest"
_SIGNS: Final = ("recipes", OUTPUTS)
_HASH: Final = 8


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
    """Make the folder of a new run, empty, and name it as the newest.

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
    name_latest(folder)
    return folder


def name_latest(folder: Path) -> None:
    """Write into `latest` beside a run folder that it is the newest."""
    with suppress(FileNotFoundError):  # two runs began at once: either of them is the newest
        replace_text(folder.parent / LATEST, folder.name + "\n")
