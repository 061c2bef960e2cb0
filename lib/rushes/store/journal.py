r"""The journal: everything that happened in the open chunk, in the order in which it happened, appended at once.

A record is `length (uint32) | crc32 (uint32) | kind (1 byte) | length of the text (uint32) | JSON text | bytes`, little
endian; length and checksum cover what follows them. Each record goes to the operating system in one write, so a
process that is killed loses nothing that it had appended; a thread of its own waits for the disk twice a second, so a
machine that loses power loses less than a second. A journal that is cut at any byte gives back all whole records.

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
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from rushes.store.atomic import storage_errors

MAGIC: Final = b"RUSHESJ1"
"""First eight bytes of a journal, with the version of its form."""
SYNC_S: Final = 0.5
"""How often the journal is forced to the disk; with the write itself this stays within the promised second."""
_HEAD: Final = struct.Struct("<II")
_TEXT: Final = struct.Struct("<cI")
_decode: Final = json.JSONDecoder().raw_decode  # whole records hold nothing behind their value
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
    """

    def __init__(self, path: Path, *, sync_s: float = SYNC_S) -> None:
        self.path = path
        with storage_errors(path):
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            os.write(self._file, MAGIC)
        self._dirty = False
        self._failure: OSError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sync_loop, args=(sync_s,), name="rushes-journal", daemon=True)
        if sync_s:
            self._thread.start()

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
        while not self._stop.wait(period_s):
            if self._dirty:
                self._dirty = False
                try:
                    os.fsync(self._file)
                except OSError as error:  # reported by the next append, on the writer's own thread
                    self._failure = error

    def close(self) -> None:
        """Stop the thread, wait for the disk where something is not on it yet, and close the file."""
        if self._file >= 0:
            self._stop.set()
            if self._thread.is_alive():
                self._thread.join()
                if self._dirty:  # what comes next, in another file, must not outlive it
                    os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path, kinds: bytes = b"") -> Iterator[Record]:
    """Read all whole records of a journal, whatever its end looks like.

    Args:
        path: A journal.
        kinds: Only records of these kinds, one letter each; empty for all.

    Yields:
        Records in order; stops silently at the first one that is cut or damaged.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
        end = len(MAGIC)
        size = path.stat().st_size
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            if length < _TEXT.size or end + _HEAD.size + length > size:
                return
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != crc:
                return
            kind, text_length = _TEXT.unpack_from(body)
            if kinds and kind not in kinds:
                end += _HEAD.size + length
                continue
            text = _decode(str(body[_TEXT.size : _TEXT.size + text_length], "utf-8"))[0]
            end += _HEAD.size + length
            yield Record(kind, text, body[_TEXT.size + text_length :], end)


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
