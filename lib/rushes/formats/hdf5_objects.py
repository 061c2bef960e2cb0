"""HDF5 files, groups and virtual datasets without the time of day in them, so that the same data are the same bytes.

h5py leaves times out of ordinary datasets; for the rest it offers the HDF5 library's own calls. A full disk is told by
us: the library itself crashes when it closes a file that it could not write (HDF5 1.14), so it never sees the error.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.h5"
    >>> with Disk(path) as disk, new_hdf5(disk) as file:
    ...     _ = new_group(file, "one").create_dataset("x", data=[1, 2, 3])
    ...     lay_over(file, "all", (4,), "int64", [Piece("/one/x", 1, 2), Piece("/one/x", 0, 2)])
    ...     file["all"][:].tolist()
    [2, 3, 1, 2]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from rushes.errors import BadDataError, UnavailableError

_MOST_RATIO: Final = 1100
"""Deflate makes at the most 1032 bytes of one (zlib's technical notes)."""


@dataclass(frozen=True)
class Piece:
    """Rows of a dataset that stand in a virtual one.

    Attributes:
        path: Of the dataset, from the root.
        first: Its first row.
        count: How many.
    """

    path: str
    first: int
    count: int


class Disk:
    """A new file that takes all that is written, and keeps the first error for `check`.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None
        self.readinto, self.seek, self.tell = self._file.readinto, self._file.seek, self._file.tell

    def write(self, data: Any) -> int:
        """Write all of it, unless something failed before."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self._error is None:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int) -> int:
        """Make the file so long."""
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size

    def flush(self) -> None:
        """Do nothing: nothing waits here."""

    def check(self) -> None:
        """Raise what a write met.

        Raises:
            OSError: The disk is full or fails.
        """
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self.check()


def new_hdf5(disk: Disk) -> Any:
    """Make a file for h5py 3 and anything that reads HDF5 1.10.

    Args:
        disk: Where; call its `check` after writing.
    """
    h5py = library()
    created, access = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    created.set_obj_track_times(False)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, disk)
    return h5py.File(h5py.h5f.create(repr(disk).encode(), h5py.h5f.ACC_TRUNC, created, access))


def new_group(parent: Any, name: str) -> Any:
    """Make a group in a file or a group."""
    h5py = library()
    created = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    created.set_obj_track_times(False)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode(), gcpl=created))


def lay_over(file: Any, name: str, shape: tuple[int, ...], dtype: Any, pieces: Iterable[Piece]) -> None:
    """Make a virtual dataset whose rows are rows of others in the same file, in their order.

    Args:
        file: The file.
        name: Of the new dataset.
        shape: Its shape; the pieces fill its rows.
        dtype: Of all of them.
        pieces: Rows of datasets that are there.
    """
    h5py = library()
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_obj_track_times(False)
    at, rest = 0, shape[1:]
    for piece in pieces:
        own = h5py.h5s.create_simple(file[piece.path].shape)
        own.select_hyperslab((piece.first, *([0] * len(rest))), (piece.count, *rest))
        place = h5py.h5s.create_simple(shape)
        place.select_hyperslab((at, *([0] * len(rest))), (piece.count, *rest))
        created.set_virtual(place, b".", piece.path.encode(), own)
        at += piece.count
    kind = h5py.h5t.py_create(np.dtype(dtype), logical=True)
    h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple(shape), created)


def open_hdf5(path: Path) -> Any:
    """Open a file to read it.

    Raises:
        BadDataError: It is cut or damaged.
    """
    try:
        return library().File(path, "r")
    except OSError as error:
        raise BadDataError(
            f"{path}: an HDF5 file that is cut or damaged ({error})",
            accepts="a whole file",
            fix="write it again, or copy it again",
        ) from error


def dataset_at(file: Any, path: str, where: str) -> Any:
    """Give a dataset of a file that somebody sent: one whose numbers stand in this very file.

    HDF5 can name other files as links, as sources of virtual datasets and as raw storage. None of these is followed.

    Args:
        file: An open file.
        path: Of the dataset, from the root.
        where: The file, for messages.

    Raises:
        BadDataError: It is not there, lies elsewhere, or says that it is far larger than the file.
    """
    h5py, found = library(), file
    try:
        for name in path.strip("/").split("/"):
            if not isinstance(found.get(name, getlink=True), h5py.HardLink):
                raise _damage(where, f"{path}, which is not there or lies in another place")
            found = found[name]
    except (KeyError, AttributeError, OSError, RuntimeError) as error:
        raise _damage(where, f"{path}, which cannot be opened ({error})") from error
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise _damage(where, f"{path}, which is no dataset of this file")
    if found.nbytes > _MOST_RATIO * file.id.get_filesize():
        raise _damage(where, f"{path} of {found.nbytes:,} bytes in a file of {file.id.get_filesize():,}")
    return found


def _damage(where: str, what: str) -> BadDataError:
    return BadDataError(
        f"{where}: {what}", accepts="a whole file that stands for itself", fix="write it again, or copy it again"
    )


def library() -> Any:
    """Load h5py.

    Raises:
        UnavailableError: It does not load here.
    """
    try:
        import h5py
    except Exception as error:
        raise UnavailableError(
            f"h5py does not load here ({type(error).__name__}: {error})",
            accepts="an environment with h5py",
            fix="pip install h5py",
        ) from error
    return h5py
