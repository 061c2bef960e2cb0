"""The pictures of a set, whatever form they have: which numbers there are, when they were taken, how large they are.

Of several forms the one with the most pictures is taken, the array before the files. Pictures are looked at by their
heads and ends; none is decoded.

Example:
    >>> Album({3: "a", 4: "b"}, {}, (128, 128), None).numbers
    (3, 4)
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rushes.errors import BadDataError
from rushes.formats.imported import Frames, NoFrames
from rushes.formats.reacture import names
from rushes.formats.reacture.find import Found
from rushes.formats.reacture.frames_json import Entry, scan
from rushes.formats.reacture.npy import MOST_HEAD, Head, read_head
from rushes.formats.reacture.pictures import Encoded, Files, Stack
from rushes.formats.reacture.remarks import Notes
from rushes.store import images

_AXES: Final = 4
_CHANNELS: Final = 3
_TAIL: Final = 16
_MOST_TIMES: Final = 1 << 28
_MOST_JSON: Final = 1 << 32
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Album:
    """The pictures of a set.

    Attributes:
        stored: Number of a picture -> where it is stored: a place in the array, a file, an `Entry`.
        t_ms: Number -> ms since the game's start, where the set tells it beside the pictures.
        size: (height, width); None where there are no pictures.
        array: Begin and shape of the array that holds them; None for other forms.
        name: The file that holds all of them; empty where each has its own.
    """

    stored: Mapping[int, Any]
    t_ms: Mapping[int, float]
    size: tuple[int, int] | None
    array: tuple[int, tuple[int, int, int]] | None
    name: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of its pictures, rising."""
        return tuple(sorted(self.stored))

    def frames(self, found: Found, numbers: Sequence[int], *, flip: bool) -> Frames:
        """Give the pictures of some numbers, in this order.

        Args:
            found: The set.
            numbers: One a frame.
            flip: Whether they are stored bottom-up.
        """
        if not self.stored:
            return NoFrames(f"{found.place.name}: {found.id}", "find the pictures of the set and put them beside it")
        each = [self.stored[number] for number in numbers]
        if self.array is not None:
            begin, shape = self.array
            return Stack(found.place, self.name, begin, shape, np.array(each, np.int64), flip)
        if self.name:
            return Encoded(found.place, self.name, tuple(each), flip)
        return Files(found.place, tuple(each), flip)


def open_album(found: Found, notes: Notes) -> Album:
    """Find the pictures of a set.

    Args:
        found: The set.
        notes: Where to say what was wrong.
    """
    best = _stack(found, notes)
    if len(best.stored) < max(len(found.pngs), 1):
        forms = [best, _files(found, notes), _encoded(found, notes), _split(found, notes)]
        best = max(forms, key=lambda album: len(album.stored))
    times = _times(found, notes)
    if times and not best.t_ms:
        known = {number: times[number] for number in best.numbers if number < len(times)}
        return Album(best.stored, known, best.size, best.array, best.name)
    return best


_NONE: Final = Album({}, {}, None, None)


def _head(found: Found, name: str, notes: Notes) -> Head | None:
    try:
        with found.place.open(name) as file:
            head = read_head(file.read(MOST_HEAD), where=name)
    except BadDataError as error:
        notes.add("damaged_array", 1, name, more=error.given)
        return None
    if head.mended:
        notes.add("damaged_head", 1, name)
    return head


def _stack(found: Found, notes: Notes) -> Album:
    """Look at the array of all pictures."""
    name = found.file(names.FRAMES)
    head = _head(found, name, notes) if name else None
    if name is None or head is None:
        return _NONE
    shape = head.shape[1:]
    right = len(head.shape) == _AXES and shape[-1] == _CHANNELS and head.dtype == np.uint8 and not head.fortran
    if not right or not 0 < head.item_bytes <= _CHANNELS * images.MOST_PIXELS:
        notes.add("damaged_array", 1, name, more=f"{head.dtype} {head.shape} and no pictures")
        return _NONE
    count = head.rows_in(found.sizes[name])
    if count < head.shape[0]:
        notes.add("cut_array", 1, name, more=f"{count} of {head.shape[0]} pictures")
    size = (shape[0], shape[1])
    return Album({k: k for k in range(count)}, {}, size if count else None, (head.place, (*size, _CHANNELS)), name)


def _files(found: Found, notes: Notes) -> Album:
    """Look at the PNG files."""
    return _of_one_size({number: (name, _png_size(found, name)) for number, name in found.pngs.items()}, notes)


def _of_one_size(looked: Mapping[int, tuple[str, tuple[int, int] | None]], notes: Notes) -> Album:
    cut = [name for name, size in looked.values() if size is None]
    notes.add("truncated_png", len(cut), cut[0] if cut else "")
    whole = {number: (name, size) for number, (name, size) in sorted(looked.items()) if size is not None}
    if not whole:
        return _NONE
    first = next(iter(whole.values()))[1]
    other = [name for name, size in whole.values() if size != first]
    notes.add("other_size", len(other), other[0] if other else "")
    return Album({n: name for n, (name, size) in whole.items() if size == first}, {}, first, None)


def _png_size(found: Found, name: str) -> tuple[int, int] | None:
    """Give a picture's (height, width); None where it is cut or no PNG."""
    try:
        with found.place.open(name) as file:
            head = file.read(64)
            tail = head
            if file.seekable() and found.sizes[name] > len(head):
                file.seek(max(found.sizes[name] - _TAIL, 0))
                tail = head + file.read()
    except (BadDataError, OSError):
        return None
    return images.size(head) if images.is_whole(tail) else None


def _split(found: Found, notes: Notes) -> Album:
    """Look at arrays of one picture each."""
    if not found.alone:
        notes.add("two_sets", sum(names.SPLIT.fullmatch(name) is not None for name in found.sizes))
    good: dict[int, tuple[str, tuple[int, int] | None]] = {}
    others: list[tuple[str, str]] = []
    for number, name in found.split.items():
        try:
            with found.place.open(name) as file:
                head = read_head(file.read(MOST_HEAD), where=name)
        except BadDataError as error:
            others.append((name, error.given))
            continue
        is_picture = head.dtype == np.uint8 and len(head.shape) == _CHANNELS and head.shape[-1] == _CHANNELS
        if is_picture and not head.fortran and head.rows_in(found.sizes[name]) == head.shape[0] > 0:
            good[number] = (name, (head.shape[0], head.shape[1]))
        else:
            others.append((name, f"{head.dtype} {head.shape}"))
    if others:
        notes.add("not_pictures", len(others), others[0][0], more=f"the first is {others[0][1]}")
    return _of_one_size(good, notes)


def _encoded(found: Found, notes: Notes) -> Album:
    """Look at the file of base64 texts."""
    name = found.file(names.ENCODED)
    if name is None or not found.sizes[name] or found.sizes[name] > _MOST_JSON:
        return _NONE
    plain = found.place.whereabouts(name)
    with tempfile.TemporaryFile() as spare:
        if found.place.zipped or plain is None:
            with found.place.open(name) as packed:
                left = _MOST_JSON
                while left > 0 and (piece := packed.read(min(_PIECE, left))):
                    left -= spare.write(piece)
            if not spare.tell():
                return _NONE
            spare.flush()
            with mmap.mmap(spare.fileno(), 0, access=mmap.ACCESS_READ) as data:
                listing = scan(data)
        else:
            with plain[0].open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                listing = scan(data)
    bad = listing.bad + (not listing.whole)
    notes.add("cut_frames_json", bad, name)
    first = listing.entries[0].shape if listing.entries else (0, 0, 0)
    alike = {entry.number: entry for entry in listing.entries if entry.shape == first}
    notes.add("other_size", len(listing.entries) - len(alike), name)
    times = {number: entry.t_ms for number, entry in alike.items() if entry.t_ms is not None}
    return Album(dict[int, Entry](alike), times, first[:2], None, name) if alike else _NONE


def _times(found: Found, notes: Notes) -> list[float]:
    """Read the times of pictures, ms."""
    name = found.file(names.TIMESTAMPS)
    head = _head(found, name, notes) if name else None
    if name is None or head is None:
        return []
    if len(head.shape) != 1 or head.dtype.kind not in "fiu":
        notes.add("damaged_array", 1, name, more=f"{head.dtype} {head.shape} and no times")
        return []
    count = head.rows_in(min(found.sizes[name], _MOST_TIMES))
    if count < head.shape[0]:
        notes.add("cut_array", 1, name, more=f"{count} of {head.shape[0]} times")
    data = found.place.read(name, most=_MOST_TIMES)
    values = np.frombuffer(data, head.dtype, count=count, offset=head.place).astype(np.float64)
    return [float(v) for v in values] if np.isfinite(values).all() else []
