"""A recording of GameOn: its frames in one video or several, its sound in WAV files, its events from the database.

A row of `sessions` is one segment. Where we wrote a session of several segments, its rows are one recording again.

Example:
    >>> Track("system", Path("a.wav"), 0, 10).stop_ns
    10
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rushes.formats.gameon.wav import Wav, look_at
from rushes.formats.imported import Frames, Imported, Part
from rushes.formats.nitrogen.video import Film
from rushes.model.clock import NS
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Picture
from rushes.model.session import SessionInfo
from rushes.model.sounds import overlapping

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Films:
    """The videos of a recording one behind the other, as a `Frames`.

    Attributes:
        each: One a segment.
    """

    each: tuple[Film, ...]

    def _parts(self, start: int, stop: int) -> Iterator[tuple[Film, int, int]]:
        first = 0
        for film in self.each:
            here = max(start - first, 0), min(stop - first, len(film.numbers))
            if here[0] < here[1]:
                yield film, *here
            first += len(film.numbers)

    def films(self, start: int, stop: int) -> Iterator[tuple[Path, tuple[int, int] | None, list[int]]]:
        """Say where frames lie, for those who read films themselves; see `store.whereabouts.OfFilms`."""
        for film, first, last in self._parts(start, stop):
            yield film.path, film.size, film.numbers[first:last].tolist()

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures in order; see `imported.Frames`."""
        for film, first, last in self._parts(start, stop):
            yield from film.frames(first, last)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        return iter([None] * (stop - start))

    def __repr__(self) -> str:
        return f"<Films {', '.join(film.path.name for film in self.each)}>"


@dataclass(frozen=True)
class Track:
    """A WAV file as a part of a stream of sound.

    Attributes:
        stream: Its name: `system`, `mic`.
        path: The file.
        start_ns: ns since session start of its first sample.
        stop_ns: Where its segment ends; what it holds behind that is given too.
        silences: (first sample, count) of stretches that are no sound: nothing was heard there.
    """

    stream: str
    path: Path
    start_ns: int
    stop_ns: int
    silences: tuple[tuple[int, int], ...] = ()

    def blocks(self, from_ns: int | None = None, until_ns: int | None = None) -> Iterator[Sound]:
        """Read it, or the blocks of a stretch alone."""
        wav = look_at(self.path)
        first = 0 if from_ns is None else max(0, (from_ns - self.start_ns) * wav.rate_hz // NS - 1)
        stop = wav.count if until_ns is None else min(wav.count, -((self.start_ns - until_ns) * wav.rate_hz // NS) + 1)
        for begin, end in self._heard(first, stop):
            for at, samples in _numbered(wav, begin, end):
                yield Sound(self.start_ns + at * NS // wav.rate_hz, samples, wav.rate_hz, self.stream)

    def _heard(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """Give the stretches between silences."""
        for begin, count in self.silences:
            if first < min(begin, stop):
                yield first, min(begin, stop)
            first = max(first, begin + count)
        if first < stop:
            yield first, stop


def _numbered(wav: Wav, first: int, stop: int) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
    for block in wav.blocks(first=first, stop=stop):
        yield first, block
        first += len(block)


class GameOnRecording(Imported):
    """A recording of GameOn.

    Args:
        info: Its description.
        parts: Its segments.
        frames: Where its pictures lie.
        ledger: What was offered, kept and lost in reading.
        problems: What reading had to work around.
        numbers: id of the row of `sessions` of each segment.
        tracks: Its sound.
    """

    def __init__(
        self,
        info: SessionInfo,
        parts: Sequence[Part],
        frames: Frames,
        *,
        ledger: Ledger,
        problems: Iterable[Problem] = (),
        numbers: Sequence[int] = (),
        tracks: Sequence[Track] = (),
    ) -> None:
        super().__init__(info, parts, frames, ledger=ledger, problems=problems)
        self.numbers, self._tracks = tuple(numbers), tuple(tracks)

    def tell_dropped(self, dropped: Sequence[npt.NDArray[np.int64] | None]) -> None:
        """Say how many ticks before each frame have no picture, where that is known otherwise than by their numbers.

        Args:
            dropped: One a segment; None where the numbers of ticks tell it.
        """
        for segment, counts in zip(self.segments, dropped, strict=True):
            if counts is not None:
                self._index.loc[segment.first_frame : segment.stop_frame - 1, "dropped_before"] = counts

    def sound(self, stream: str) -> Iterator[Sound]:
        """Give what a stream of sound holds; see `Recording.sound`."""
        self.sound_stream(stream)
        return (block for track in self._tracks if track.stream == stream for block in track.blocks())

    def sound_between(self, stream: str, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Give the sound of a stretch, and read nothing else; see `Recording.sound_between`."""
        self.sound_stream(stream)
        near = (track for track in self._tracks if track.stream == stream and track.start_ns < stop_ns)
        return overlapping((block for track in near for block in track.blocks(start_ns, stop_ns)), start_ns, stop_ns)
