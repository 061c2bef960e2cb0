"""Filling a file of tensors row by row, on a thread of its own, and going on where an earlier try was killed.

Every 32 MB the disk takes what is written, and the pages are let go, which keeps the cache small and costs less time
than new pages do. Now and then the writer notes how far it is; all of what it notes is on the disk. A later writer with
the same plan goes on there and ends with the same bytes.

Example:
    >>> import tempfile, torch
    >>> from rushes.formats.tensor_file import Tensor, blueprint
    >>> path = Path(tempfile.mkdtemp()) / "small.pt"
    >>> form = blueprint(".pt", [Tensor("obs", (2, 3), "float32")], {"meta": {"note": "six numbers"}})
    >>> with TensorWriter(path, path.with_suffix(".progress"), form, plan="a") as writer:
    ...     writer.write("obs", np.arange(6).reshape(2, 3))
    ...     writer.finish()
    >>> found = torch.load(path, weights_only=True, mmap=True)
    >>> found["obs"].tolist(), found["meta"]["note"]
    ([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], 'six numbers')
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, StorageError
from rushes.formats.tensor_file import Blueprint
from rushes.store.atomic import replace_text

_SYNC_BYTES: Final = 32_000_000
_NOTE_BYTES: Final = 256_000_000
_NOTE_S: Final = 2.0
_WAITING_BYTES: Final = 96_000_000
"""What may wait for the disk; then the caller waits too."""


class _Written(NamedTuple):
    """What was written up to a moment."""

    tensors: dict[str, dict[str, int]]
    pages: list[tuple[int, int]]
    size: int


class TensorWriter:
    """Fills a file in place, on a thread of its own.

    Args:
        path: The file; made, or gone on with.
        progress: Where it notes how far it is; None for one that is not gone on with.
        form: Where everything stands.
        plan: What decides the bytes, as a digest; with another one it begins anew.

    Attributes:
        done: Name -> rows that are there already.
    """

    def __init__(self, path: Path, progress: Path | None, form: Blueprint, *, plan: str) -> None:
        self._path, self._progress, self._form, self._plan = path, progress, form, plan
        self._crcs = dict.fromkeys(form.tensors, 0)
        self._rows = dict.fromkeys(form.tensors, 0)
        known = self._noted()
        if known is not None:
            self._crcs = {name: int(known[name]["crc"]) for name in form.tensors}
            self._rows = {name: int(known[name]["rows"]) for name in form.tensors}
        self._refuse_full_disk(path)
        self._file = path.open("wb" if known is None else "r+b", buffering=0)
        self._file.truncate(form.size)
        self.done: Mapping[str, int] = dict(self._rows)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="tensors")
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="tensors-sync")
        self._waiting: deque[tuple[Future[None], int]] = deque()
        self._waiting_bytes = self._new_bytes = self._unnoted_bytes = 0
        self._pages: list[tuple[int, int]] = []
        self._sync: Future[None] | None = None
        self._noted_s = time.monotonic()
        self._put_rows = dict(self._rows)

    def _noted(self) -> dict[str, Any] | None:
        """Read how far an earlier writer with the same plan came."""
        if self._progress is None:
            return None
        try:
            said = json.loads(self._progress.read_text(encoding="utf-8"))
            same = said["plan"] == self._plan and said["size"] == self._form.size == self._path.stat().st_size
            known: dict[str, Any] = said["tensors"]
            fit = all(0 <= int(known[n]["rows"]) <= t.shape[0] for n, t in self._form.tensors.items())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return known if same and fit else None

    def _refuse_full_disk(self, path: Path) -> None:
        free = shutil.disk_usage(path.parent).free
        needed = sum((t.shape[0] - self._rows[n]) * t.row_bytes for n, t in self._form.tensors.items())
        if needed > free:
            raise StorageError(
                f"{path.parent}: the disk is full ({needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free)",
                accepts="a disk with room for it",
                fix="free some space, choose another folder, or write less: smaller pictures, fewer sessions",
            )

    def write(self, name: str, rows: npt.ArrayLike) -> None:
        """Write the next rows of a tensor.

        Args:
            name: Which one.
            rows: (n, ...) in its shape; cast to its dtype.

        Raises:
            OSError: The disk is full or fails; of an earlier write, too.
            BadInputError: Rows of another shape, or more than it has.
        """
        tensor = self._form.tensors[name]
        array = np.ascontiguousarray(rows, tensor.dtype)
        first = self._rows[name]
        if array.shape[1:] != tensor.shape[1:] or first + len(array) > tensor.shape[0]:
            raise BadInputError(
                f"{array.shape} as rows from {first} on of {name}",
                accepts=f"the rows of {tensor.shape}",
                fix="write what the blueprint was made for",
            )
        self._rows[name] = first + len(array)
        offset = self._form.offsets[name] + first * tensor.row_bytes
        self._waiting.append((self._writing.submit(self._put, name, array, offset, self._rows[name]), array.nbytes))
        self._waiting_bytes += array.nbytes
        while len(self._waiting) > 1 and self._waiting_bytes > _WAITING_BYTES:
            self._take_one()

    def _take_one(self) -> None:
        done, size = self._waiting.popleft()
        self._waiting_bytes -= size
        done.result()

    def _put(self, name: str, array: npt.NDArray[Any], offset: int, rows: int) -> None:
        if self._put_rows[name] + len(array) != rows:  # else the notes would count what is not on the disk
            raise StorageError(
                f"{self._path}: rows before row {rows - len(array)} of {name} were not written",
                accepts="rows that follow each other",
                fix="look at the error before this one",
            )
        data = array.reshape(-1).view(np.uint8).data
        crc = zlib.crc32(data, self._crcs[name])
        self._at(offset, data)
        self._crcs[name], self._put_rows[name] = crc, rows
        self._pages.append((offset, len(data)))
        self._new_bytes += len(data)
        if self._new_bytes >= _SYNC_BYTES:
            self._begin_sync()

    def _begin_sync(self) -> None:
        """Have the disk take what is written so far, while more is written; one such wait at a time."""
        if self._sync is not None:
            self._sync.result()
        tensors = {name: {"rows": rows, "crc": self._crcs[name]} for name, rows in self._put_rows.items()}
        written = _Written(tensors, self._pages, self._new_bytes)
        self._pages, self._new_bytes = [], 0
        self._sync = self._syncing.submit(self._to_disk, written)

    def _at(self, offset: int, data: memoryview | bytes) -> None:
        self._file.seek(offset)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def _to_disk(self, written: _Written, *, note: bool = False) -> None:
        """Wait for the disk, let go of the pages, which are used again for what comes next, and note it at times."""
        handle = self._file.fileno()
        getattr(os, "fdatasync", os.fsync)(handle)
        if hasattr(os, "posix_fadvise"):
            for offset, length in written.pages:
                os.posix_fadvise(handle, offset, length, os.POSIX_FADV_DONTNEED)
        self._unnoted_bytes += written.size
        if self._progress is None:
            return
        if note or self._unnoted_bytes >= _NOTE_BYTES or time.monotonic() - self._noted_s > _NOTE_S:
            said = {"plan": self._plan, "size": self._form.size, "tensors": written.tensors}
            replace_text(self._progress, json.dumps(said))
            self._unnoted_bytes, self._noted_s = 0, time.monotonic()

    def finish(self) -> None:
        """Write the headers; the file is whole then.

        Raises:
            OSError: The disk is full or fails.
            BadInputError: Rows are missing.
        """
        while self._waiting:
            self._take_one()
        if self._sync is not None:
            self._sync.result()
        short = [n for n, t in self._form.tensors.items() if self._rows[n] != t.shape[0]]
        if short:
            raise BadInputError(
                f"{short[0]} with {self._rows[short[0]]} rows", accepts="all its rows", fix="write the others first"
            )
        for offset, data in self._form.around(self._crcs):
            self._at(offset, data)

    def close(self) -> None:
        """Close the file, whole or not."""
        self._writing.shutdown(cancel_futures=True)
        self._syncing.shutdown()
        self._file.close()

    def _stop(self) -> None:
        """Write what waits and note it, for the one who goes on."""
        self._writing.shutdown()
        self._syncing.shutdown()
        tensors = {name: {"rows": rows, "crc": self._crcs[name]} for name, rows in self._put_rows.items()}
        self._to_disk(_Written(tensors, self._pages, self._new_bytes), note=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self._stop()
        finally:
            self.close()
