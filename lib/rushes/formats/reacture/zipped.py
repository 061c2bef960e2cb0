"""A folder as one ZIP file whose bytes follow from the files alone: no dates, no owners, names in order.

Pictures and arrays are stored as they are, so that they can be read from the archive without unpacking; texts are
packed.

Example:
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "in").mkdir()
    >>> _ = (folder / "in" / "a.jsonl").write_text("{}")
    >>> pack(folder / "in", folder / "out.zip")
    >>> zipfile.ZipFile(folder / "out.zip").namelist()
    ['a.jsonl']
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_STORED: Final = (".png", ".npy")
_FIRST: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a ZIP file can say."""
_PIECE: Final = 1 << 20
_PLAIN_FILE: Final = 0o100644 << 16


def pack(folder: Path, target: Path) -> None:
    """Write a ZIP file of a folder.

    Args:
        folder: What to pack.
        target: The file; what stands there is replaced.
    """
    files = sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*") if p.is_file())
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for name, path in files:
            add(archive, name, path)


def add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Put a file into an archive.

    Args:
        archive: Open for writing.
        name: What it is called there.
        path: The file.
    """
    info = zipfile.ZipInfo(name, _FIRST)
    info.compress_type = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
    info.create_system, info.external_attr, info.file_size = 3, _PLAIN_FILE, path.stat().st_size
    with path.open("rb") as source, archive.open(info, "w") as into:
        shutil.copyfileobj(source, into, _PIECE)


@contextmanager
def packed_into(partial: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes a ZIP file when the block ends well, and vanishes.

    Args:
        partial: The file to write, `.NAME.partial`.

    Yields:
        The folder; it stands beside the file for as long as it is filled.
    """
    folder = partial.with_name(f"{partial.name.removesuffix('.partial')}.files.partial")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        yield folder
        pack(folder, partial)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
