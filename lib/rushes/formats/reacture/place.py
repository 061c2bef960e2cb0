"""Where the files of a set lie: in a folder, or in a ZIP file that is read without being unpacked.

Nothing is ever written by a name from an archive, so that a name such as `../../x` leads nowhere: names are only
compared with those that a set has. A member is read up to a limit, whatever it says of its size.

Example:
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "reacture_1_data.jsonl").write_text("{}")
    >>> place = Place(folder)
    >>> place.sizes(), place.read("reacture_1_data.jsonl", most=10)
    ({'reacture_1_data.jsonl': 2}, b'{}')
"""

from __future__ import annotations

import os
import struct
import threading
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from rushes.errors import BadDataError, MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BROKEN: Final = (zipfile.BadZipFile, RuntimeError, EOFError, struct.error, zlib.error, ValueError, OSError)
"""What zipfile raises for archives that are damaged, locked, or of a kind that it cannot unpack."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL: Final = struct.Struct("<4s5H3L2H")
MOST_FILES: Final = 1_000_000
_SUB: Final = "frames/"


@dataclass(frozen=True)
class Place:
    """A folder, or a folder of an archive.

    Attributes:
        path: The folder, or the ZIP file.
        inner: The folder in the ZIP file, with its slash; empty at its top.
        zipped: Whether it is a ZIP file.
    """

    path: Path
    inner: str = ""
    zipped: bool = False

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"{self.path}/{self.inner}".rstrip("/") if self.zipped else str(self.path)

    def sizes(self) -> dict[str, int]:
        """List its files, and those of its folder `frames/`, with their sizes in bytes; links are passed over.

        Raises:
            BadDataError: A ZIP file that is cut or damaged, or has two members of one name.
        """
        if self.zipped:
            return {
                name.removeprefix(self.inner): size
                for name, size in zip_members(self.path).items()
                if name.startswith(self.inner) and _here(name.removeprefix(self.inner))
            }
        found = dict(_files(self.path, ""))
        if (self.path / _SUB).is_dir() and not (self.path / _SUB).is_symlink():
            found |= dict(_files(self.path / _SUB, _SUB))
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading.

        Raises:
            MissingError: It went away.
            BadDataError: The member is damaged.
        """
        with ExitStack() as stack:
            try:
                if self.zipped:
                    yield stack.enter_context(_archive(self.path).open(self.inner + name))
                else:
                    yield stack.enter_context((self.path / name).open("rb"))
            except (FileNotFoundError, KeyError) as error:
                raise MissingError(
                    f"{self.name}: {name} went away while the set was open",
                    accepts="a set that nobody changes",
                    fix="open it again",
                ) from error
            except _BROKEN as error:
                if not self.zipped or isinstance(error, BadDataError):
                    raise
                raise BadDataError(
                    f"{self.name}: {name} cannot be unpacked ({error})",
                    accepts="a whole ZIP file, stored or deflated",
                    fix="download it again",
                ) from error

    def read(self, name: str, *, most: int) -> bytes:
        """Read a file.

        Args:
            name: Which.
            most: Bytes that are read at the most.

        Raises:
            BadDataError: It has more.
        """
        with self.open(name) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise BadDataError(
                f"{self.name}: {name} with more than {most:,} bytes",
                accepts="a file of a set",
                fix="leave it out; it is none, or made to fill the memory",
            )
        return data

    def whereabouts(self, name: str) -> tuple[Path, int] | None:
        """Say at which byte of which file a file begins; None where it is packed."""
        if not self.zipped:
            return self.path / name, 0
        info = _archive(self.path).getinfo(self.inner + name)
        if info.compress_type != zipfile.ZIP_STORED:
            return None
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            *_, named, extra = _LOCAL.unpack(file.read(_LOCAL.size))
        return self.path, info.header_offset + _LOCAL.size + named + extra


_open = threading.local()


def _archive(path: Path) -> zipfile.ZipFile:
    """Give this thread's view of an archive; each thread has the last one open, whose list of members is long."""
    about = path.stat()
    key = (path, about.st_ino, about.st_size, about.st_mtime_ns)
    if getattr(_open, "key", None) != key:
        if hasattr(_open, "archive"):
            _open.archive.close()
            del _open.archive, _open.key
        _open.archive, _open.key = zipfile.ZipFile(path), key
    found: zipfile.ZipFile = _open.archive
    return found


def _here(name: str) -> bool:
    """Say whether a name is a file of the folder itself or of its `frames/`."""
    return bool(name) and "/" not in name.removeprefix(_SUB)


def _files(folder: Path, prefix: str) -> list[tuple[str, int]]:
    with os.scandir(folder) as listing:
        found = [(prefix + e.name, e.stat().st_size) for e in listing if e.is_file(follow_symlinks=False)]
    return sorted(found)


def zip_members(path: Path) -> dict[str, int]:
    """List the members of a ZIP file that can be read, with the sizes that it says they have.

    Raises:
        BadDataError: It is cut or damaged, has two members of one name, or too many.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except _BROKEN as error:
        raise BadDataError(
            f"{path}: a ZIP file that is cut or damaged ({error})",
            accepts="a whole ZIP file",
            fix="download it again",
        ) from error
    names = {i.filename: i.file_size for i in infos if i.compress_type in _METHODS and not i.flag_bits & 1}
    if len(infos) > MOST_FILES or len({i.filename for i in infos}) < len(infos):
        raise BadDataError(
            f"{path}: an archive of {len(infos)} members, some of one name",
            accepts=f"at most {MOST_FILES:,} members, each name once",
            fix="download it again; nothing of it was read, for safety",
        )
    return names
