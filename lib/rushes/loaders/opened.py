"""What one process has open of a dataset: recordings, their rows, their pictures; never shared with another process.

A process that was forked opens everything anew. What it inherited is kept and not freed: freeing a decoder waits for
its threads, which only the parent has.

Example:
    >>> kept = Kept(most=2)
    >>> [kept.get(key, lambda key=key: (key.upper(), 1)) for key in "abca"], len(kept)
    (['A', 'B', 'C', 'A'], 2)
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.loaders.packed import PackedClips
from rushes.loaders.source import Source
from rushes.model.actions import ActionSpace
from rushes.model.recording import Recording
from rushes.store.aligned import Aligned, aligned
from rushes.store.clips import Clips, Want
from rushes.store.hearing import Heard, Hearing, hear
from rushes.store.pairing import delay_of

_RECORDINGS: Final = 32
_ROWS_BYTES: Final = 48_000_000
_OF_THE_PARENT: Final[list[Any]] = []

T = TypeVar("T")
Ints = npt.NDArray[np.int64]


class Kept(Generic[T]):
    """The values that were asked for last, up to a sum of costs.

    Args:
        most: The sum; one value is kept whatever it costs.
    """

    def __init__(self, *, most: int) -> None:
        self._most, self._cost = most, 0
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], tuple[T, int]]) -> T:
        """Give a value, made where it is not there.

        Args:
            key: Its name.
            make: Gives the value and what it costs.
        """
        if key not in self._values:
            self._values[key] = made = make()
            self._cost += made[1]
            while self._cost > self._most and len(self._values) > 1:
                self._cost -= self._values.popitem(last=False)[1][1]
        self._values.move_to_end(key)
        return self._values[key][0]

    def __len__(self) -> int:
        return len(self._values)


class Shown(NamedTuple):
    """What a window shows.

    Attributes:
        number: Of the window.
        source: Number of its recording.
        frames: (T,) int64 frame_index.
    """

    number: int
    source: int
    frames: Ints


class Opened:
    """The recordings of a dataset as this process reads them.

    Args:
        sources: The recordings.
        size: (height, width) of the pictures.
        space: What the columns of `inputs` are.
        encoding: See `store.aligned.aligned`.
        action_delay_ms: A number, or `measured`.
        frame_skip: Frames from one row to the next.
        hearing: How sound is given; None gives none.
        stream: Which sound; see `store.hearing.hear`.
        packs: Where packs of the pictures may lie.

    Attributes:
        hearing: As given.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        size: tuple[int, int],
        space: ActionSpace,
        encoding: str,
        action_delay_ms: str,
        frame_skip: int,
        hearing: Hearing | None = None,
        stream: str | Sequence[str] | None = None,
        packs: Path | None = None,
    ) -> None:
        self._sources, self._size, self._space = sources, size, space
        self._encoding, self._delay, self._skip = encoding, action_delay_ms, frame_skip
        self.hearing, self._stream, self._packs = hearing, stream, packs
        self._threads: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._recordings: Kept[Recording] = Kept(most=_RECORDINGS)
        self._rows: Kept[Aligned] = Kept(most=_ROWS_BYTES)
        self._ahead: dict[int, npt.NDArray[np.uint8]] = {}
        self._clips = (
            Clips(self._size, threads=self._threads)
            if self._packs is None
            else PackedClips(self._size, self._packs, threads=self._threads)
        )

    def _here(self) -> None:
        if self._process != os.getpid():
            _OF_THE_PARENT.append((self._recordings, self._rows, self._clips))
            self._begin()

    def recording(self, source: int) -> Recording:
        """Open a recording, its marks honoured."""
        self._here()
        return self._recordings.get(source, lambda: (self._sources[source].open(), 1))

    def rows(self, source: int, stretch: int, phase: int = 0) -> Aligned:
        """Give the rows of a stretch."""
        self._here()

        def make() -> tuple[Aligned, int]:
            recording = self.recording(source)
            made = aligned(
                recording,
                self._sources[source].entry.stretches[stretch],
                space=self._space,
                encoding=self._encoding,
                action_delay_ms=delay_of(recording, self._delay),
                frame_skip=self._skip,
                phase=phase,
            )
            return made, made.nbytes

        return self._rows.get((source, stretch, phase), make)

    def pictures(
        self, now: Sequence[Shown], ahead: Callable[[], Sequence[Shown]] | None = None
    ) -> list[npt.NDArray[np.uint8]]:
        """Decode the pictures of windows.

        Args:
            now: Windows that are wanted.
            ahead: Gives windows that will be wanted; they are decoded with those that have to be, and kept. What lies
                in packs need not be.

        Returns:
            (T, H, W, 3) uint8 RGB of each of `now`; not to be written where they lie in a pack.
        """
        self._here()
        missing = [one for one in now if one.number not in self._ahead]
        if missing:
            more: list[Shown] = []
            if ahead is not None and not all(self._is_packed(one) for one in missing):
                later = {one.number: one for one in ahead() if not self._is_packed(one)}
                wanted = later.keys() | {one.number for one in now}
                self._ahead = {number: frames for number, frames in self._ahead.items() if number in wanted}
                more = [one for number, one in later.items() if number not in self._ahead]
            try:
                made = self._read([*missing, *more])
            except (RushesError, OSError):
                if not more:
                    raise
                made, more = self._read(missing), []  # what comes later is told when it is wanted
            self._ahead |= {one.number: frames for one, frames in zip([*missing, *more], made, strict=True)}
        found: dict[int, npt.NDArray[np.uint8]] = {}
        for one in now:
            found[one.number] = found[one.number] if one.number in found else self._ahead.pop(one.number)
        twice = len(found) < len(now)
        return [found[one.number].copy() if twice else found[one.number] for one in now]

    def _is_packed(self, shown: Shown) -> bool:
        return isinstance(self._clips, PackedClips) and self._clips.holds(self.recording(shown.source))

    def _read(self, shown: Sequence[Shown]) -> list[npt.NDArray[np.uint8]]:
        return self._clips.read([Want(self.recording(one.source), one.frames) for one in shown])

    @property
    def features(self) -> int:
        """Numbers that a row of sound has; 0 where none is given."""
        if self.hearing is None:
            return 0
        several = not isinstance(self._stream, str | None)
        return self.hearing.features * (len(self._stream) if several and self._stream is not None else 1)

    def heard(self, source: int, starts_ns: Ints, ends_ns: Ints) -> Heard:
        """Hear the sound of rows.

        Args:
            source: Number of a recording.
            starts_ns: (T,) int64 ns since session start.
            ends_ns: (T,) int64, behind each row.

        Returns:
            (T, F) float32, and (T,) bool whether each row was heard.
        """
        assert self.hearing is not None
        return hear(self.recording(source), self._stream, starts_ns, ends_ns, self.hearing)

    def use_threads(self, threads: int) -> None:
        """Decode with so many threads from now on, in this process."""
        if threads != self._threads:
            self._threads = threads
            self.close()

    def close(self) -> None:
        """Close the files of this process."""
        self._here()
        self._clips.close()
        self._begin()

    def __getstate__(self) -> dict[str, Any]:
        own = ("_process", "_recordings", "_rows", "_clips", "_ahead")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()
