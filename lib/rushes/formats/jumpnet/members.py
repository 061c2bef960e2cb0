r"""Members of an NPZ file, read piece by piece and never extracted.

What the archive says of itself is checked before a byte is used: names without folders, ranges that lie in the file and
apart, methods that are stored or deflated, and sizes that deflate can reach. Stored members are skipped through without
reading them, so their checksum is not looked at; that of a member which is read whole is.

Example:
    >>> import numpy as np, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> np.savez(path, data=np.arange(3), keys=np.array(["w"]))
    >>> members = Members(path)
    >>> with members.open("keys") as stream:
    ...     list(members), stream.read(6)
    (['data', 'keys'], b'\x93NUMPY')
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Self

from rushes.errors import BadDataError

MAGIC: Final = b"PK"
ENDING: Final = ".npy"
_MOST_BYTES: Final = 1 << 28
"""What is read at once at the most: a picture of 3840 x 2160 in float64 is 199 MB."""
_MOST_RATIO: Final = 1100
"""Deflate makes at the most 1032 bytes of one (zlib's technical notes)."""
_BOMB_RATIO: Final = 200
_BOMB_BYTES: Final = 1 << 32
"""A member that shrinks so well and is so large is none of JumpNet's."""
_MOST_MEMBERS: Final = 256
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_PIECE: Final = 1 << 20
_BROKEN: Final = (zipfile.BadZipFile, RuntimeError, EOFError, struct.error, ValueError, OverflowError, OSError)
"""What zipfile raises for damaged archives, and (as kinds of RuntimeError) for those that it cannot unpack."""


class Members(Mapping[str, int]):
    """The members of an NPZ file by their names without `.npy`, with their sizes in bytes.

    Args:
        path: The file.

    Raises:
        BadDataError: No whole ZIP file, or one that lies about itself; the message says how.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self._infos = {info.filename: info for info in archive.infolist()}
                several = len(archive.infolist()) - len(self._infos)
                self._start_of_directory = archive.start_dir
        except _BROKEN as error:
            raise self._broken(error) from error
        if not self._infos:
            raise self.refuse("no member at all", "copy it again from where it was written")
        if several:
            raise self.refuse("two members of one name", "name each array once")
        if len(self._infos) > _MOST_MEMBERS:
            raise self.refuse(f"{len(self._infos)} members", f"write at most {_MOST_MEMBERS} arrays into a file")
        self._offsets = self._checked()

    def __getitem__(self, name: str) -> int:
        return self._infos[name + ENDING].file_size

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(ENDING) for name in self._infos if name.endswith(ENDING))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def arrays_only(self) -> bool:
        """Whether every member is an array."""
        return len(self) == len(self._infos)

    def _broken(self, error: Exception) -> BadDataError:
        return BadDataError(
            f"{self.path}: an NPZ file that is cut or damaged ({error})",
            accepts="a whole ZIP file of arrays, as np.savez writes it",
            fix="copy it again from where it was written",
        )

    def refuse(self, found: str, fix: str) -> BadDataError:
        """Make the error for an archive that lies about itself."""
        return BadDataError(
            f"{self.path}: {found}; nothing of it was opened, for safety",
            accepts="an NPZ file as np.savez and np.savez_compressed write it",
            fix=fix,
        )

    def _checked(self) -> dict[str, int]:
        """Find where the bytes of each member begin."""
        spans, offsets = [], {}
        with self.path.open("rb") as file:
            for name, info in self._infos.items():
                if "/" in name or "\\" in name or name.startswith("."):
                    raise self.refuse(f"a member with a folder in its name ({name[:80]!r})", "name members plainly")
                if info.flag_bits & 1:
                    raise self.refuse(f"{name}, which is encrypted,", "write it without a password")
                if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                    raise self.refuse(f"{name}, which is neither stored nor deflated,", "write it with NumPy")
                self._check_sizes(name, info)
                if info.header_offset < 0:
                    raise self.refuse(f"{name}, which begins outside the file,", "copy the file again")
                file.seek(info.header_offset)
                head = file.read(_LOCAL.size)
                if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
                    raise self.refuse(f"{name}, which begins outside the file,", "copy the file again")
                *_, named, extra = _LOCAL.unpack(head)
                begin = info.header_offset + _LOCAL.size + named + extra
                spans.append((info.header_offset, begin + info.compress_size, name))
                offsets[name] = begin
        spans.sort()
        for (_, end, name), (start, _, _) in zip(spans, [*spans[1:], (self._start_of_directory, 0, "")], strict=True):
            if end > start:
                raise self.refuse(f"{name}, which overlaps what stands behind it,", "copy the file again")
        return offsets

    def _check_sizes(self, name: str, info: zipfile.ZipInfo) -> None:
        packed, whole = info.compress_size, info.file_size
        if info.compress_type == zipfile.ZIP_STORED and packed != whole:
            raise self.refuse(f"{name}, stored with {packed} bytes for {whole},", "copy the file again")
        ratio = whole / max(packed, 1)
        if ratio > _MOST_RATIO or (ratio > _BOMB_RATIO and whole > _BOMB_BYTES):
            raise self.refuse(
                f"{name}, of which {packed} bytes become {whole} (a ZIP bomb?),", "leave the file alone, or split it"
            )

    def open(self, name: str) -> Stream:
        """Open a member at its start.

        Args:
            name: Without `.npy`.
        """
        info = self._infos[name + ENDING]
        where = f"{self.path}, key {name!r}"
        if info.compress_type == zipfile.ZIP_STORED:
            file = self.path.open("rb")
            file.seek(self._offsets[info.filename])
            return Stream(file, info.file_size, where, stored_at=self._offsets[info.filename])
        with ExitStack() as opening:
            try:
                archive = opening.enter_context(zipfile.ZipFile(self.path))
                member = archive.open(info)
            except _BROKEN as error:
                raise self._broken(error) from error
            opening.pop_all()
        return Stream(member, info.file_size, where, archive=archive)

    def __repr__(self) -> str:
        return f"<Members of {self.path.name}: {', '.join(self)}>"


class Stream:
    """The bytes of one member, from its start on.

    Attributes:
        size: How many there are.
        place: Number of the byte that is read next.
        where: File and key, for messages.
        stored_at: Byte of the file where it begins; None where it is deflated.
    """

    def __init__(
        self,
        file: IO[bytes],
        size: int,
        where: str,
        *,
        stored_at: int | None = None,
        archive: zipfile.ZipFile | None = None,
    ) -> None:
        self._file, self.stored_at, self._archive = file, stored_at, archive
        self.size, self.where, self.place = size, where, 0

    def read(self, count: int = -1, /) -> bytes:
        """Read exactly so many bytes.

        Raises:
            BadDataError: The member does not have so many, or nothing sensible is so long.
        """
        if count > self.size - self.place:
            raise self.cut(count)
        if not 0 <= count <= _MOST_BYTES:
            raise BadDataError(
                f"{self.where}: one value of {count} bytes",
                accepts=f"up to {_MOST_BYTES}",
                fix="leave the file alone: no picture is so large",
            )
        try:
            found = self._file.read(count)
        except (*_BROKEN, zlib.error) as error:
            raise BadDataError(
                f"{self.where}: damaged at byte {self.place} ({error})",
                accepts="what np.savez_compressed writes",
                fix="copy the file again",
            ) from error
        if len(found) < count:
            raise self.cut(count)
        self.place += count
        return found

    def cut(self, count: int) -> BadDataError:
        """Make the error for more bytes than are there."""
        return BadDataError(
            f"{self.where}: {count} bytes at byte {self.place} of {self.size}",
            accepts="sizes that fit what the member holds",
            fix="copy the file again; it is cut, damaged or made to deceive",
        )

    def to(self, place: int) -> None:
        """Go on to a later byte without keeping what lies between.

        Raises:
            BadDataError: The member ends before it.
        """
        if place > self.size or place < self.place:
            raise self.cut(place - self.place)
        if self.stored_at is not None:
            self._file.seek(self.stored_at + place)
            self.place = place
        while self.place < place:
            self.read(min(_PIECE, place - self.place))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._archive is not None:
            self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Stream of {self.where}: byte {self.place} of {self.size}>"
