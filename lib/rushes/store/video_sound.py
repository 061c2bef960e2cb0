"""The sound of a video file: one channel of AAC at 48 kHz, which every browser plays, written along with the pictures.

Example:
    >>> import numpy as np, pathlib, tempfile
    >>> from rushes.store.video import write_video
    >>> tone = (np.sin(np.arange(800) / 9) * 9000).astype(np.int16)
    >>> film = (np.zeros((16, 16, 3), np.uint8) for _ in range(10))
    >>> clip = pathlib.Path(tempfile.mkdtemp()) / "clip.mp4"
    >>> write_video(clip, film, rate_hz=10, sound=Track(800, [tone])).duration_s
    1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

AAC_HZ: Final = 48_000
_BITS: Final = 128_000


class Track(NamedTuple):
    """What is heard from the first picture on.

    Attributes:
        rate_hz: Samples a second.
        pieces: (N,) int16 each, one behind the other.
    """

    rate_hz: int
    pieces: Iterable[npt.NDArray[np.int16]]


def write_sound(av: Any, container: Any, track: Track) -> Iterator[float]:
    """Write a track into a container to which nothing was written yet, piece by piece.

    Args:
        av: PyAV.
        container: Its container, open for writing.
        track: The sound.

    Yields:
        0 when the stream is there, then the seconds that are written.
    """
    stream = container.add_stream("aac", rate=AAC_HZ, layout="mono")
    stream.bit_rate = _BITS
    yield 0.0
    at = 0
    for samples in track.pieces:
        if not len(samples):
            continue
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = track.rate_hz, at, Fraction(1, track.rate_hz)
        container.mux(stream.encode(frame))
        at += len(samples)
        yield at / track.rate_hz
    container.mux(stream.encode(None))
