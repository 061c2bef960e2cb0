"""A stretch of frames of one segment: their times, what was held on each, and their pixels, unreadable ones in grey.

Example (a recording with frames):
    >>> def held_at(recording, frame_index):
    ...     return Stretch.around(recording, frame_index).held(frame_index)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.model.grid import Grid, to_grid
from rushes.model.recording import Recording

Pixels = npt.NDArray[np.uint8]

_GREY: Final = 128
_UNKNOWN_PX: Final = (90, 160)


@dataclass(frozen=True)
class Stretch:
    """A segment with its frames and what was done on each.

    Attributes:
        first: Its first frame_index.
        stop: frame_index after its last.
        t_ns: (N,) int64 ns since session start.
        grid: What hands did, None of an environment.
        names: frame_index -> name of the action, of an environment.
    """

    first: int
    stop: int
    t_ns: npt.NDArray[np.int64]
    grid: Grid | None = None
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def around(cls, recording: Recording, frame_index: int) -> Stretch:
        """Give the segment that a frame stands in.

        Args:
            recording: Any.
            frame_index: A frame of it.
        """
        segment = next(s for s in recording.segments if s.first_frame <= frame_index < s.stop_frame)
        t_ns = recording.index(segment.index)["t_ns"].to_numpy(np.int64)
        if recording.is_environment:
            steps = recording.steps(segment.index)
            names = dict(zip(steps["frame_index"].tolist(), map(str, steps["action_name"]), strict=True))
            return cls(segment.first_frame, segment.stop_frame, t_ns, names=names)
        grid = to_grid(recording.events(segment.index), t_ns, end_ns=segment.end_ns)
        return cls(segment.first_frame, segment.stop_frame, t_ns, grid)

    def time_ns(self, frame_index: int) -> int:
        """Give the time of a frame, ns since session start."""
        return int(self.t_ns[frame_index - self.first])

    def first_from(self, t_ns: int) -> int:
        """Give the first frame at or after a time; the last one where there is none."""
        return min(self.first + int(np.searchsorted(self.t_ns, t_ns)), self.stop - 1)

    def held(self, frame_index: int) -> str:
        """Say what was done from a frame to the next; `""` for nothing."""
        if self.grid is None:
            return self.names.get(frame_index, "")
        k = frame_index - self.first
        down = sorted(control for control, held in self.grid.held.items() if held[k])
        moved = any(sums[k] for name, sums in self.grid.motion.items() if name.startswith("MouseD"))
        return " + ".join([*down, *(["mouse"] if moved else [])])


def pixels_of(recording: Recording, wanted: Sequence[int]) -> Iterator[Pixels]:
    """Decode frames.

    Args:
        recording: Any.
        wanted: Their numbers, rising; those between are decoded too.

    Yields:
        (H, W, 3) uint8 RGB for each; grey for one that cannot be read, and for those behind it.
    """
    frames, size, chosen = recording.frames(wanted[0], wanted[-1] + 1), _UNKNOWN_PX, set(wanted)
    for k in range(wanted[0], wanted[-1] + 1):
        try:
            pixels = next(frames)
        except (RushesError, StopIteration):
            frames, pixels = iter(()), np.full((*size, 3), _GREY, np.uint8)
        size = (int(pixels.shape[0]), int(pixels.shape[1]))
        if k in chosen:
            yield pixels
