"""The sound of a recording in pieces, as a page plays them beside the pictures: one channel of 16 bit.

Where nothing was recorded it is silent. Sample n of a stream stands at n / rate seconds since session start, so pieces
that follow each other join without a gap, across segments too. Twenty seconds are read at a time and the last ones
kept: a page asks second by second.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def first_second(path):
    ...     return Hearing(open_shown(path)).piece("game", 0, 1_000_000_000)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.sounds import BRIDGE_NS, lay
from rushes.widgets.player_asked import whole
from rushes.widgets.player_source import Shown

Shorts = npt.NDArray[np.int16]

LONGEST_S: Final = 10
"""Of a piece."""
READ_S: Final = 20
"""What is read at a time."""
_KEPT: Final = 3
_FULL: Final = 32_767


class Hearing:
    """The sound of a source. One thread at a time asks it.

    Args:
        shown: The source.
        lock: Held while the recording is read.
    """

    def __init__(self, shown: Shown, *, lock: AbstractContextManager[Any] | None = None) -> None:
        self._shown, self._lock = shown, lock or nullcontext()
        self._read: OrderedDict[tuple[str, int], Shorts] = OrderedDict()

    def answer(self, content: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Answer a page: message and buffer.

        Args:
            content: `stream`, `from_ns` and `to_ns`; see `piece`.

        Raises:
            BadInputError: No such stretch, or a source without sound.
            BadNameError: No such stream.
        """
        stream, from_ns, to_ns = str(content.get("stream")), whole(content, "from_ns"), whole(content, "to_ns")
        samples = self.piece(stream, from_ns, to_ns)
        return {"is": "sound", "stream": stream, "from_ns": from_ns, "rate": self.rate_hz(stream)}, [samples.tobytes()]

    def piece(self, stream: str, from_ns: int, to_ns: int) -> Shorts:
        """Give a stretch: (N,) int16.

        Args:
            stream: Name of the stream.
            from_ns: ns since session start.
            to_ns: Its end, at most ten seconds later.

        Raises:
            BadInputError: No such stretch, or a source without sound.
            BadNameError: No such stream.
        """
        if not 0 <= from_ns < to_ns or to_ns - from_ns > LONGEST_S * NS:
            raise BadInputError(
                f"sound from {from_ns} to {to_ns} ns", accepts=f"up to {LONGEST_S} s, from 0 on", fix="ask for less"
            )
        rate = self.rate_hz(stream)
        first, stop = from_ns * rate // NS, to_ns * rate // NS
        size = READ_S * rate
        parts = []
        for number in range(first // size, (stop - 1) // size + 1):
            begin = number * size
            parts.append(self._part(stream, number)[max(first - begin, 0) : stop - begin])
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def rate_hz(self, stream: str) -> int:
        """Samples a second of a stream.

        Raises:
            BadInputError: A source without sound.
            BadNameError: No such stream.
        """
        if self._shown.samples is not None:
            raise BadInputError("the sound of samples", accepts="a recording", fix="open the session that they are of")
        return max(1, round(self._shown.recording.sound_stream(stream).rate_hz))

    def _part(self, stream: str, number: int) -> Shorts:
        key = (stream, number)
        if key not in self._read:
            rate = self.rate_hz(stream)
            first, stop = number * READ_S * rate, (number + 1) * READ_S * rate
            times = number * READ_S * NS - BRIDGE_NS, (number + 1) * READ_S * NS + BRIDGE_NS
            with self._lock:
                blocks = self._shown.recording.sound_between(stream, *times)
                line, _ = lay(blocks, first=first, stop=stop, rate_hz=rate)
            self._read[key] = np.rint(np.clip(line, -1, 1) * _FULL).astype(np.int16)
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return self._read[key]

    def rest(self) -> None:
        """Forget what was read."""
        self._read.clear()

    def __repr__(self) -> str:
        return f"<Hearing of {self._shown.name}: {len(self._read)} pieces of {READ_S} s at hand>"
