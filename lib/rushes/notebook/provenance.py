"""What a run was made with and from: versions, revision, and digests of files and folders.

Example:
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = file.write_bytes(b"")
    >>> digest(file)["sha256"][:8]
    'e3b0c442'
"""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from rushes import __version__
from rushes.errors import MissingError
from rushes.model.games import is_atari
from rushes.store.fingerprint import of_file, of_tree

PACKAGES: Final = (
    *("numpy", "pandas", "pyarrow", "opencv-python-headless", "av", "matplotlib", "papermill"),
    *("gymnasium", "ale-py", "torch", "tensorflow-cpu", "tensorflow", "h5py"),
)
"""What changes results or files when its version changes; only those that are installed are listed."""
_PATIENCE_S: Final = 10


def versions() -> dict[str, str]:
    """List versions of Python, of this package and of what it stands on."""
    found = {"python": platform.python_version(), "rushes": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def revision(folder: Path) -> str | None:
    """Name the commit of a checkout, with `-dirty` where files differ from it; None outside of version control."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def emulator(env_ids: Iterable[str]) -> dict[str, Any]:
    """Name the emulator and the exact files of its games, which sessions do not hold.

    Args:
        env_ids: Ids of environments; others than `ALE/...` are left out.

    Returns:
        `version` of ale-py, and `roms`: id -> file name and SHA-256. Empty where no game is the emulator's.
    """
    chosen = [i for i in env_ids if is_atari(i)]
    if not chosen:
        return {}
    import ale_py
    import gymnasium
    from ale_py.roms import get_rom_path

    gymnasium.register_envs(ale_py)
    roms = {}
    for env_id in chosen:
        path = get_rom_path(gymnasium.spec(env_id).kwargs["game"])
        roms[env_id] = {"file": path.name, "sha256": of_file(path)} if path else None
    return {"version": version("ale-py"), "roms": roms}


def digest(path: Path) -> dict[str, Any]:
    """Describe a file or folder so that a change shows.

    Args:
        path: A file, or a folder, of which all files count.

    Returns:
        `sha256` (of a folder: over names and contents), `files` and `bytes`.

    Raises:
        MissingError: Nothing is there.
    """
    if path.is_file():
        return {"sha256": of_file(path), "files": 1, "bytes": path.stat().st_size}
    if not path.is_dir():
        raise MissingError(f"{path}: nothing is there", accepts="a file or a folder", fix="check the path")
    files = sum(p.is_file() for p in path.rglob("*"))
    return {"sha256": of_tree(path), "files": files, "bytes": size_bytes(path)}


def size_bytes(path: Path) -> int:
    """Add up the size of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
