r"""The journal: everything that happened in the open chunk, in the order in which it happened, appended at once.

A record is `length (uint32) | crc32 (uint32) | kind (1 byte) | length of the text (uint32) | JSON text | bytes`, little
endian; length and checksum cover what follows them. Each record goes to the operating system in one write, so a
process that is killed loses nothing that it had appended; a thread of its own waits for the disk twice a second, so a
machine that loses power loses less than a second. A journal that is cut at any byte gives back all whole records.
Where one in the middle is damaged, reading goes on at the next whole one and says how many bytes it left out (`HOLE`).

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.bin"
    >>> with Journal(path) as journal:
    ...     journal.append(b"E", [12, "keyboard", "KeyW", "press"])
    >>> [(r.kind, r.text[2]) for r in read_journal(path)]
    [(b'E', 'KeyW')]
"""

from __future__ import annotations

import json
import os
import re
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self

from rushes.errors import BadDataError
from rushes.store.atomic import storage_errors, sync

MAGIC: Final = b"RUSHESJ1"
"""First eight bytes of a journal, with the version of its form."""
HOLE: Final = b"!"
"""Kind of what stands for a damaged stretch when a journal is read; its text is the number of bytes. Never written."""
SYNC_S: Final = 0.5
"""How often the journal is forced to the disk; with the write itself this stays within the promised second."""
_HEAD: Final = struct.Struct("<II")
_TEXT: Final = struct.Struct("<cI")
# kind, length of a text below 1 MiB, a list: seen in noise once in 10 million bytes, and then the checksum decides
_LIKE_A_RECORD: Final = re.compile(rb"(?=[A-Z]..[\x00-\x0f]\x00\[)", re.DOTALL)
_decode: Final = json.JSONDecoder().raw_decode  # whole records hold nothing behind their value
_WINDOW: Final = 1 << 20
_BIG: Final = 64 << 20  # a longer record is checked before memory is taken for it
_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Record(NamedTuple):
    """One whole record.

    Attributes:
        kind: One letter.
        text: The decoded JSON value.
        data: The bytes behind it.
        end: Offset in the file after the record.
    """

    kind: bytes
    text: Any
    data: bytes
    end: int


class Journal:
    """An append-only file that is open for writing.

    Args:
        path: Where it shall stand; must not exist.
        sync_s: Seconds between two waits for the disk; 0 leaves it to the operating system.
        before: What the thread does first of all: the end of the journal before it, so that nothing here is on the
            disk by our doing before all of that is, and whoever appends waits for neither.
        places: Folders that were made for it, innermost first: they are forced to the disk too, on the thread, since
            a file of which the disk has no name is lost with the power.

    Raises:
        StorageError: The place cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        sync_s: float = SYNC_S,
        before: Callable[[], object] | None = None,
        places: Iterable[Path] = (),
    ) -> None:
        self.path, self._before, self._places = path, before, tuple(places)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with storage_errors(path):
            self._file = os.open(path, flags, 0o644)
            os.write(self._file, MAGIC)
        self._dirty = False
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sync_loop, args=(sync_s,), name="rushes-journal", daemon=True)
        if sync_s:
            self._thread.start()
        elif before is not None:
            before()

    def append(self, kind: bytes, text: Any, data: bytes = b"") -> None:
        """Append a record in one write.

        Args:
            kind: One letter.
            text: A JSON value.
            data: Bytes to stand behind it.

        Raises:
            StorageError: The disk is full; the file is cut back to its last whole record.
        """
        encoded = _encode(text).encode()
        body = b"".join((_TEXT.pack(kind, len(encoded)), encoded, data))
        record = _HEAD.pack(len(body), zlib.crc32(body)) + body
        if self._failure is not None:
            failure, self._failure = self._failure, None
            with storage_errors(self.path):
                raise failure
        try:
            written = os.write(self._file, record)
        except OSError:
            with storage_errors(self.path):
                raise
        if written != len(record):  # a disk that fills up takes a part
            with storage_errors(self.path):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise OSError(28, "No space left on device")
        self._dirty = True

    def _sync_loop(self, period_s: float) -> None:
        try:
            if self._before is not None:
                self._before()
            for place in self._places:
                sync(place)
        except Exception as error:  # noqa: BLE001 - reported by the next append, on the writer's own thread
            self._failure = error
        while not self._stop.wait(period_s):
            if self._dirty:
                self._dirty = False
                try:
                    os.fsync(self._file)
                except OSError as error:
                    self._failure = error

    def close(self) -> None:
        """Stop the thread, wait for the disk where something is not on it yet, and close the file, which is certain.

        Raises:
            StorageError: The disk failed or is full; also where the thread met it and no append told it.
        """
        if self._file < 0:
            return
        self._stop.set()
        with storage_errors(self.path):
            try:
                if self._thread.is_alive():
                    self._thread.join()
                    if self._dirty:  # what comes next, in another file, must not outlive it
                        os.fsync(self._file)
            finally:
                handle, self._file = self._file, -1
                os.close(handle)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path, kinds: bytes = b"") -> Iterator[Record]:
    """Read all whole records of a journal, whatever its middle and its end look like.

    Args:
        path: A journal.
        kinds: Only records of these kinds, one letter each; empty for all.

    Yields:
        Records in order. A damaged stretch stands as a record of kind `HOLE` whose text is its length in bytes. A last
        record that is cut, as a kill leaves it, ends them silently: the file is longer than the last `end`.

    Raises:
        BadDataError: A journal of another version, or no journal.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = len(MAGIC)
        magic = file.read(end)
        if magic != MAGIC:
            if MAGIC.startswith(magic) or not magic.strip(b"\0"):  # killed while it began
                return
            if magic[:-1] == MAGIC[:-1] or not _is_whole(file, end, size):
                raise BadDataError(
                    f"{path}: a journal that begins with {magic!r}",
                    accepts=f"{MAGIC!r}, the form of this version of rushes",
                    fix="run `rushes recover` of the version that wrote it; nothing of it was changed",
                )
        while end < size:
            body = _body(file, end, size)
            if body is None:
                there = _next_whole(file, end + 1, size)
                if there == size and _is_cut(file, end, size):
                    return
                if not kinds or HOLE in kinds:
                    yield Record(HOLE, there - end, b"", there)
                end = there
                continue
            end += _HEAD.size + len(body)
            kind, length = _TEXT.unpack_from(body)
            if not kinds or kind in kinds:
                text = _decode(str(body[_TEXT.size : _TEXT.size + length], "utf-8"))[0]
                yield Record(kind, text, body[_TEXT.size + length :], end)


def _body(file: BinaryIO, at: int, size: int) -> bytes | None:
    """Give what a record that begins at `at` holds behind its head; None where no whole one does."""
    file.seek(at)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, crc = _HEAD.unpack(head)
    if length < _TEXT.size or at + _HEAD.size + length > size or (length > _BIG and not _is_whole(file, at, size)):
        return None
    file.seek(at + _HEAD.size)
    body = file.read(length)
    return body if len(body) == length and zlib.crc32(body) == crc else None


def _is_whole(file: BinaryIO, at: int, size: int) -> bool:
    """Say whether a whole record begins at `at`, in little memory whatever its head says."""
    file.seek(at)
    head = file.read(_HEAD.size + _TEXT.size)
    if len(head) < _HEAD.size + _TEXT.size:
        return False
    length, crc = _HEAD.unpack_from(head)
    text_length = _TEXT.unpack_from(head, _HEAD.size)[1]
    if _TEXT.size + text_length > length or at + _HEAD.size + length > size:
        return False
    found, left = zlib.crc32(head[_HEAD.size :]), length - _TEXT.size
    while left and (part := file.read(min(left, _WINDOW))):
        found, left = zlib.crc32(part, found), left - len(part)
    return found == int(crc)


def _next_whole(file: BinaryIO, start: int, size: int) -> int:
    """Give where the next whole record begins at or behind `start`; `size` where none does."""
    for at in range(start + _HEAD.size, size, _WINDOW):
        file.seek(at)
        window = file.read(_WINDOW + _TEXT.size)  # one that begins near the end is seen whole
        for found in _LIKE_A_RECORD.finditer(window):
            record = at + found.start() - _HEAD.size
            if found.start() < _WINDOW and _is_whole(file, record, size):
                return record
    return size


def _is_cut(file: BinaryIO, at: int, size: int) -> bool:
    """Say whether the rest of the file is the beginning of a record, or a head that never came."""
    file.seek(at)
    head = file.read(_HEAD.size)
    return len(head) < _HEAD.size or (
        (length := _HEAD.unpack(head)[0]) >= _TEXT.size and at + _HEAD.size + length > size
    )


def count_records(path: Path, kind: bytes, start: int = 0) -> tuple[int, int]:
    """Count records of a kind without reading what they hold, to show how far a writer is.

    Args:
        path: A journal, which may be growing.
        kind: One letter.
        start: Offset to begin at: 0, or what an earlier call returned.

    Returns:
        How many there are from `start` on, and the offset after the last whole one.
    """
    found, end = 0, max(start, len(MAGIC))
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while end + _HEAD.size + _TEXT.size <= size:
            file.seek(end)
            head = file.read(_HEAD.size + 1)
            length = _HEAD.unpack_from(head)[0]
            if end + _HEAD.size + length > size:
                break
            found += head[-1:] == kind
            end += _HEAD.size + length
    return found, end
