"""Single pictures out of a film, from anywhere in it, for little: what `rushes.store.clips` is made of.

`video_pictures` reads on in order. Training asks for short stretches at random, and then nearly all the time goes into
pictures that nobody wants: those from the key picture on to the first one asked for. So

- what an H.264 film marks as referred to by no other picture is not decoded on the way, which changes nothing else;
- only what is wanted is converted, and it is made small on the way from YUV to RGB (means of areas, by FFmpeg), into
  four bytes a pixel first, which FFmpeg does in a third of the time that three take it;
- the table of a film (`contents`) is read once and may be shared. Where no picture stands out of order, an MP4's own
  table of contents tells everything, and the film is not read for it.

Example:
    >>> import numpy as np, tempfile
    >>> from rushes.store.video_stream import VideoEncoder, mux
    >>> encoder = VideoEncoder("lossless", width=64, height=48, rate_hz=30)
    >>> packets = [(encoder.encode(np.full((48, 64, 3), k, np.uint8)), k * 33_000_000, encoder.last_was_key)
    ...            for k in range(20)]
    >>> clip = Path(tempfile.mkdtemp()) / "frames.mp4"
    >>> mux(clip, packets, codec="lossless", width=64, height=48, rate_hz=30)
    >>> with Film(clip) as film:
    ...     [(number, int(film.pixels(picture)[0, 0, 0])) for number, picture in film.pictures([3, 17])]
    [(3, 3), (17, 17)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, dropwhile, islice, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.store.video import _av, _opened

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_SAYS_NO_REFERENCE: Final = "h264"
"""The codec whose packets say for certain that no other picture needs them: nal_ref_idc 0, ITU-T H.264, 7.4.1."""
_LOOKED_AT: Final = 32
"""Pictures whose times are looked up in the film, before the head of an MP4 is believed for all of them."""


@dataclass(frozen=True)
class Contents:
    """Which pictures a film has, in the order of their times.

    Attributes:
        pts: (N,) int64 times in the film's own unit, rising.
        keys: (K,) int64 numbers of those that need none before them, rising; the first is 0.
    """

    pts: Ints
    keys: Ints

    def __len__(self) -> int:
        return len(self.pts)

    def key_of(self, numbers: Ints) -> Ints:
        """Give the key picture that each of these is decoded from: (n,) int64 to (n,) int64."""
        return self.keys[np.searchsorted(self.keys, numbers, side="right") - 1]

    def __repr__(self) -> str:
        return f"<Contents: {len(self)} pictures, {len(self.keys)} of them keys>"


class Film:
    """A video file, open for reading pictures by number. One thread at a time uses it, and decodes with it alone.

    Args:
        path: A file that FFmpeg reads.
        contents: Of this very file, where they are known already.

    Attributes:
        contents: Which pictures it has.
        decoded: How many pictures were decoded; for tests and for measuring.

    Raises:
        MissingError: No such file.
        BadDataError: Empty, no video, damaged, or cut: fewer pictures than it says.
        StorageError: The file cannot be read.
        UnavailableError: PyAV is missing or does not load.
    """

    def __init__(self, path: str | Path, *, contents: Contents | None = None) -> None:
        self.path, self.decoded = Path(path), 0
        self._files = ExitStack()
        with self._files as opening:
            self._container, self._stream = opening.enter_context(_opened(self.path))
            self._coder = self._stream.codec_context
            self._coder.thread_count = 1
            self.contents = contents or self._read_contents()
            self._files = opening.pop_all()
        self._converter = _av().video.reformatter.VideoReformatter()
        self._may_skip = self._coder.name == _SAYS_NO_REFERENCE

    def _read_contents(self) -> Contents:
        with self._damage("its packets"):
            packets = self._container.demux(self._stream)
            looked_at = list(islice(packets, _LOOKED_AT))
            listed = self._listed(looked_at)
            shown = listed or [
                (p.pts, p.is_keyframe)
                for p in chain(looked_at, packets)
                if p.size and p.pts is not None and not p.is_corrupt
            ]
        if len(shown) < self._stream.frames:
            raise self._error(f"cut, {len(shown)} of {self._stream.frames} pictures are there")
        pts = np.array([at for at, _ in shown], np.int64)
        order = np.argsort(pts, kind="stable")
        keys = np.flatnonzero(np.array([key for _, key in shown], bool)[order])
        if not len(keys) or keys[0]:
            raise self._error("without a key picture at its start" if shown else "without a picture")
        return Contents(pts[order], keys)

    def _listed(self, first: Sequence[Any]) -> list[tuple[int, bool]] | None:
        """Give time and keyness of each picture as an MP4's head lists them, where none stands out of order.

        The head has them in the order of decoding; `first` are packets from the film's start, which have their times.
        """
        if "mp4" not in self._container.format.name or self._coder.has_b_frames:
            return None
        entries = list(self._stream.index_entries)
        if len(entries) != self._stream.frames or any(entry.is_discard for entry in entries):
            return None
        if any(p.size and p.pts != entry.timestamp for p, entry in zip(first, entries, strict=False)):
            return None
        return [(entry.timestamp, entry.is_keyframe) for entry in entries]

    def pictures(self, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Decode pictures.

        Args:
            numbers: 0-based, rising.

        Yields:
            The number and the decoded picture of each, in order; see `pixels`.

        Raises:
            BadInputError: A number that the film does not have, or numbers that do not rise.
            BadDataError: Damaged; the message names the picture.
        """
        wanted = np.asarray(numbers, np.int64)
        if len(wanted) and (wanted[0] < 0 or wanted[-1] >= len(self.contents) or (np.diff(wanted) <= 0).any()):
            raise BadInputError(
                f"{self.path}: pictures {list(numbers)}",
                accepts=f"rising numbers from 0 to {len(self.contents) - 1}",
                fix="ask for what is there, each once",
            )
        groups = self.contents.key_of(wanted)
        for part in np.split(wanted, np.flatnonzero(np.diff(groups)) + 1):
            if len(part):
                yield from self._of_one_key(part)

    def _of_one_key(self, wanted: Ints) -> Iterator[tuple[int, Any]]:
        """Decode pictures that hang on one key; what comes out is told by its time."""
        contents = self.contents
        missing = dict(zip(contents.pts[wanted].tolist(), wanted.tolist(), strict=True))
        to_go_in = set(missing)
        with self._damage(f"picture {wanted[0]}"):
            for packet in self._from_key(int(contents.key_of(wanted[:1])[0])):
                for picture in self._decoded(packet, to_go_in):
                    if picture.is_corrupt:
                        raise self._error(f"damaged at or before picture {min(missing.values())} of {len(contents)}")
                    number = missing.pop(picture.pts, None)
                    if number is not None:
                        yield number, picture
                if not missing:
                    return
        raise self._error(f"damaged at picture {min(missing.values())} of {len(contents)}")

    def _decoded(self, packet: Any, to_go_in: set[int]) -> list[Any]:
        """Decode a packet; with the last that is needed also what the decoder still holds back."""
        if self._may_skip:
            self._coder.skip_frame = "DEFAULT" if packet.pts in to_go_in else "NONREF"
        was_needed = packet.pts in to_go_in
        to_go_in.discard(packet.pts)
        found: list[Any] = self._coder.decode(packet)
        if was_needed and not to_go_in:
            found += self._coder.decode(None)
        self.decoded += len(found)
        return found

    def _from_key(self, key: int) -> Iterator[Any]:
        """Give packets from a key picture on."""
        begin = int(self.contents.pts[key])
        self._container.seek(begin, stream=self._stream)
        packets = dropwhile(lambda packet: packet.pts != begin, self._container.demux(self._stream))
        return takewhile(lambda packet: packet.size and not packet.is_corrupt, packets)

    def pixels(self, picture: Any, size: tuple[int, int] | None = None) -> Pixels:
        """Convert a decoded picture.

        Args:
            picture: As `read` gives it.
            size: (height, width) to squash it to by means of areas; None leaves it as it is.

        Returns:
            (H, W, 3) uint8 RGB; where it is squashed (H, W, 4), the fourth of which means nothing. Its rows may lie
            apart.
        """
        height, width = size or (picture.height, picture.width)
        # Without scaling, FFmpeg leaves the last columns of four-byte pixels as they are where the width is no
        # multiple of 8.
        form, depth = ("rgb24", 3) if (height, width) == (picture.height, picture.width) else ("rgb0", 4)
        rgb = self._converter.reformat(
            picture, width=width, height=height, format=form, interpolation="AREA", dst_color_range=2, threads=1
        )
        rows = np.frombuffer(rgb.planes[0], np.uint8).reshape(-1, rgb.planes[0].line_size)
        return rows[:height, : width * depth].reshape(height, width, depth)

    @contextmanager
    def _damage(self, where: str) -> Iterator[None]:
        try:
            yield
        except _av().FFmpegError as error:
            raise self._error(f"damaged at {where} ({error.strerror})") from error

    def _error(self, what: str) -> BadDataError:
        return BadDataError(f"{self.path}: {what}", accepts="a whole video", fix="restore it from a copy")

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Film {self.path.name}: {self.contents!r}>"
