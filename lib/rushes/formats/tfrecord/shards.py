"""Shards: record files of a limited size, written one behind the other, read at any place.

Example:
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Shards(folder, "windows-{:05}.tfrecord", most_records=2) as shards:
    ...     places = [shards.write(data) for data in (b"one", b"two", b"three")]
    >>> places, [shard.name for shard in shards.done]
    ([(0, 0), (0, 19), (1, 0)], ['windows-00000.tfrecord', 'windows-00001.tfrecord'])
    >>> with Reader(folder) as reader:
    ...     reader.at("windows-00000.tfrecord", 19)
    b'two'
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from rushes.errors import MissingError
from rushes.formats.tfrecord.wire import frame_record, read_record
from rushes.store.atomic import sync

_OPEN: Final = 8


@dataclass(frozen=True)
class Shard:
    """One file.

    Attributes:
        name: Its name within the folder.
        records: How many it holds.
        bytes: Its size.
        sha256: Of its content, in hex.
    """

    name: str
    records: int
    bytes: int
    sha256: str


class Shards:
    """Files that are written until they are full.

    Args:
        folder: Where.
        pattern: Their names, with a place for a number from 0 on.
        most_records: Records a file; 0 for no limit.
        most_bytes: Size of a file; 0 for no limit. A record that is larger has a file of its own.

    Attributes:
        done: The files, complete once the shards are closed.
    """

    def __init__(self, folder: Path, pattern: str, *, most_records: int = 0, most_bytes: int = 0) -> None:
        self._folder, self._pattern = folder, pattern
        self._most_records, self._most_bytes = most_records, most_bytes
        self.done: list[Shard] = []
        self._file: BinaryIO | None = None
        self._records = self._bytes = 0
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> tuple[int, int]:
        """Append a record.

        Returns:
            Number of the file, and at which of its bytes the record begins.
        """
        record = frame_record(data)
        too_large = self._most_bytes and self._bytes + len(record) > self._most_bytes
        if self._records and (too_large or self._records == self._most_records):
            self.close()
        if self._file is None:
            self._file = (self._folder / self._pattern.format(len(self.done))).open("xb")
        self._file.write(record)
        self._digest.update(record)
        place = len(self.done), self._bytes
        self._records, self._bytes = self._records + 1, self._bytes + len(record)
        return place

    def close(self) -> None:
        """Complete the file that is open."""
        if self._file is None:
            return
        self._file.close()
        path = Path(self._file.name)
        sync(path)
        self.done.append(Shard(path.name, self._records, self._bytes, self._digest.hexdigest()))
        self._file, self._records, self._bytes, self._digest = None, 0, 0, hashlib.sha256()

    def drop(self) -> None:
        """Close the file that is open as it is, after an error that is told already."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.drop()


class Reader:
    """Record files of a folder, read at any place; a few are kept open.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()

    def at(self, name: str, offset: int) -> bytes:
        """Read the record of a file that begins at a byte.

        Raises:
            MissingError: The file is not there.
            BadDataError: There is no whole record.
        """
        if name not in self._open:
            path = self._folder / name
            if not path.is_file():
                raise MissingError(f"{path}: no such file", accepts="a folder with all its shards", fix="restore it")
            self._open[name] = path.open("rb")
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(name)
        self._open[name].seek(offset)
        return read_record(self._open[name], where=str(self._folder / name)) or b""

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def records(path: Path) -> Iterator[bytes]:
    """Read a file from its beginning, record by record.

    Raises:
        BadDataError: A record is cut or damaged.
    """
    with path.open("rb") as file:
        while (data := read_record(file, where=str(path))) is not None:
            yield data
