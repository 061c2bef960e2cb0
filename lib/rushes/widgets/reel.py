"""Any picture of a recording by its number, encoded as a browser shows it: JPEG while it plays, PNG where it stands.

Pictures that are stored as PNG are handed on as they are. Those of a film are decoded once when they are asked for in
order; going back decodes from the key picture before, and what was encoded on the way is kept, so that the next step
back costs nothing. A PNG is exact: its pixels are those that `Recording.frame` gives. What is kept stays within a
number of bytes, whatever the length; films are closed when nobody has asked for a while (`rest`).

One thread at a time asks it.

Example:
    >>> from rushes.store.reader import open_session
    >>> def first_picture(path):
    ...     with Reel(open_session(path)) as reel:
    ...         return reel.picture(0, exact=True).type
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Picture, Recording
from rushes.store import images
from rushes.store.video_pictures import VideoPictures
from rushes.store.whereabouts import Part, parts_of

Pixels = npt.NDArray[np.uint8]

QUALITY: Final = 88
"""Of JPEG, for large pictures while they play."""
SMALL_PX: Final = 320 * 240
"""Pictures of up to so many pixels are sent as PNG also while they play."""
KEPT_BYTES: Final = 32_000_000
"""What is kept encoded."""
_FILMS: Final = 3
_SKIPPED: Final = 8
"""So many pictures are read and dropped before a stretch is begun anew."""
_AROUND: Final = 12
"""Pictures before one that is asked for going back, which are encoded on the way."""


class Encoded(NamedTuple):
    """One picture as it is sent.

    Attributes:
        type: `png` or `jpeg`.
        data: The file.
    """

    type: str
    data: bytes


class Reel:
    """The pictures of a recording, by `frame_index`.

    Args:
        recording: Any recording; a view has the pictures of the whole.
        kept_bytes: What may be kept encoded.
        lock: Held while the recording itself is read, so that two reels of one recording may stand side by side.

    Attributes:
        decoded: How many pictures were decoded; for tests.
        kept: Bytes that are kept now.
    """

    def __init__(
        self, recording: Recording, *, kept_bytes: int = KEPT_BYTES, lock: AbstractContextManager[Any] | None = None
    ) -> None:
        self._recording, self._most, self._lock = recording.whole, kept_bytes, lock or nullcontext()
        self._parts: tuple[Part, ...] | None = None
        self._films: OrderedDict[tuple[Path, tuple[int, int] | None], VideoPictures] = OrderedDict()
        self._cache: OrderedDict[tuple[int, bool], Encoded] = OrderedDict()
        self._stream: tuple[int, Iterator[Picture | Pixels | None]] | None = None
        self._last = -1
        self.decoded = self.kept = 0

    def picture(self, number: int, *, exact: bool = False) -> Encoded:
        """Give one picture; asking in order is quick.

        Args:
            number: Its frame_index.
            exact: Whether it has to be lossless.

        Returns:
            A PNG or JPEG file; PNG always where `exact`, where it is stored so, and where it is small.

        Raises:
            BadInputError: A number that the recording does not have.
            BadDataError: It cannot be decoded.
            MissingError: Its file is not there any more.
        """
        known = self._known(number, exact=exact)
        if known is None:
            part = self._part(number)
            known = self._stored(number, exact=exact) if part.film is None else self._filmed(part, number, exact=exact)
        self._last = number
        return known

    def pixels(self, number: int) -> Pixels:
        """Decode one picture: (H, W, 3) uint8 RGB; see `picture`."""
        part = self._part(number)
        if part.film is not None:
            return np.array(self._film(part).view(self._place(part, number)))
        with self._lock:
            given = self._read(number)
        return images.decode(given.data, where=self._where(number)) if isinstance(given, Picture) else given

    def _known(self, number: int, *, exact: bool) -> Encoded | None:
        for key in ((number, True),) if exact else ((number, False), (number, True)):
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        return None

    def _keep(self, number: int, encoded: Encoded) -> Encoded:
        key = (number, encoded.type == "png")
        if key not in self._cache:
            self._cache[key] = encoded
            self.kept += len(encoded.data)
            while self.kept > self._most and len(self._cache) > 1:
                self.kept -= len(self._cache.popitem(last=False)[1].data)
        return encoded

    def _part(self, number: int) -> Part:
        if self._parts is None:
            self._parts = parts_of(self._recording)
        for part in self._parts:
            if part.first <= number < part.stop:
                return part
        stop = self._parts[-1].stop if self._parts else 0
        raise BadInputError(
            f"{self._where(number)}", accepts=f"frames 0 to {stop - 1}", fix="ask for a frame that is there"
        )

    def _where(self, number: int) -> str:
        return f"{self._recording.info.id}, frame {number}"

    # Pictures of films

    def _filmed(self, part: Part, number: int, *, exact: bool) -> Encoded:
        film, place = self._film(part), self._place(part, number)
        going_back = 0 < self._last - number <= _AROUND and not exact
        if going_back:  # the pictures before it are decoded anyway, and will be asked for next
            key = int(film.keys[np.searchsorted(film.keys, place, side="right") - 1])
            first = max(part.first, number - _AROUND)
            for earlier in range(first, number):
                at = self._place(part, earlier)
                if key <= at < place and self._known(earlier, exact=False) is None:
                    self._keep(earlier, self._encode(self._view(film, at), exact=False))
        return self._keep(number, self._encode(self._view(film, place), exact=exact))

    def _view(self, film: VideoPictures, place: int) -> Pixels:
        self.decoded += 1
        return film.view(place)

    def _place(self, part: Part, number: int) -> int:
        return int(part.picture_of(np.array([number]))[0])

    def _film(self, part: Part) -> VideoPictures:
        assert part.film is not None
        key = (part.film, part.cut)
        if key not in self._films:
            self._films[key] = VideoPictures(part.film, size=part.cut)
            while len(self._films) > _FILMS:
                self._films.popitem(last=False)[1].close()
        self._films.move_to_end(key)
        return self._films[key]

    # Pictures that are read through the recording

    def _stored(self, number: int, *, exact: bool) -> Encoded:
        with self._lock:
            given = self._read(number)
        if isinstance(given, Picture):
            return self._keep(number, Encoded("png", given.data))
        return self._keep(number, self._encode(given, exact=exact))

    def _read(self, number: int) -> Picture | Pixels:
        """Read on in order where that leads there soon."""
        at, coming = self._stream or (-1, iter(()))
        if not 0 <= number - at <= _SKIPPED or at < 0:
            at, coming = number, self._from(number)
        found: Picture | Pixels | None = None
        for _ in range(at, number + 1):
            found = next(coming, None)
        self._stream = (number + 1, coming)
        if found is None:
            self._stream = None
            found = self._recording.frame(number)
        return found

    def _from(self, number: int) -> Iterator[Picture | Pixels | None]:
        stop = self._part(number).stop
        first = next(iter(self._recording.pictures(number, number + 1)), None)
        return self._recording.pictures(number, stop) if first is not None else self._recording.frames(number, stop)

    def _encode(self, pixels: Pixels, *, exact: bool) -> Encoded:
        small = pixels.shape[0] * pixels.shape[1] <= SMALL_PX
        return as_png(pixels) if exact or small else as_jpeg(pixels)

    def rest(self) -> None:
        """Close what is open, and keep what was encoded; the next picture opens it again."""
        films, self._films = self._films, OrderedDict()
        self._stream = None
        for film in films.values():
            film.close()

    def close(self) -> None:
        """Close what is open and forget what was encoded."""
        self.rest()
        self._cache.clear()
        self.kept = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Reel of {self._recording.info.id}: {len(self._cache)} pictures kept, {self.kept / 1e6:.1f} MB>"


def as_png(pixels: Pixels) -> Encoded:
    """Encode a picture exactly: (H, W, 3) uint8 RGB to a PNG file."""
    return Encoded("png", images.encode_rgb(pixels))


def as_jpeg(pixels: Pixels) -> Encoded:
    """Encode a picture for looking at it: (H, W, 3) uint8 RGB to a JPEG file."""
    import cv2

    bgr: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return Encoded("jpeg", cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
