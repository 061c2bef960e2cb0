"""How far something reaches, in frames or in milliseconds, as people write it.

| written | reaches |
| --- | --- |
| `2`, `2 frames` | frames on both sides |
| `80ms`, `80 ms` | milliseconds on both sides |
| `4x` | so many times another reach |

Example:
    >>> str(Reach.parse("2", name="exclusion")), str(Reach.parse("80 ms", name="exclusion").times(4))
    ('2', '320ms')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

_WRITTEN: Final = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>frames?|ms|)\s*")
_FACTOR: Final = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*x\s*")
_ACCEPTS: Final = "a whole number of frames such as 2, or milliseconds such as 80ms"

FAR: Final = int(np.iinfo(np.int64).max)
"""The distance to something that is not there."""


@dataclass(frozen=True)
class Reach:
    """A distance that counts on both sides.

    Attributes:
        frames: Frames; -1 where it is said in time.
        ms: Milliseconds; used where `frames` is -1.
    """

    frames: int = -1
    ms: float = 0.0

    @classmethod
    def parse(cls, written: str | float, *, name: str) -> Reach:
        """Read a reach.

        Args:
            written: As the table above shows, without `x`.
            name: Of the parameter, for the message.

        Raises:
            BadInputError: It does not read, or is a part of a frame.
        """
        found = _WRITTEN.fullmatch(str(written))
        number = float(found["number"]) if found else np.nan
        if found and found["unit"] == "ms":
            return cls(ms=number)
        if not found or not number.is_integer():
            raise BadInputError(f"{name}={written!r}", accepts=_ACCEPTS, fix=f"write {name}=2")
        return cls(int(number))

    def beyond(self, written: str | float, *, name: str) -> Reach:
        """Read a reach that has to go farther than this one; `4x` means four times this one.

        Raises:
            BadInputError: It does not read, is said in the other unit, or goes no farther.
        """
        factor = _FACTOR.fullmatch(str(written))
        found = self.times(float(factor["number"])) if factor else Reach.parse(written, name=name)
        farther = found.frames > self.frames if self.frames >= 0 else found.frames < 0 and found.ms > self.ms
        if not farther:
            raise BadInputError(
                f"{name}={written!r} beside an exclusion of {self}",
                accepts="more than the exclusion, in the same unit, or a factor such as 4x",
                fix=f"write {name}=4x",
            )
        return found

    def times(self, factor: float) -> Reach:
        """Give one so many times as far; of no frames at all, so many frames."""
        if self.frames >= 0:
            return Reach(round(max(self.frames, 1) * factor))
        return Reach(ms=self.ms * factor)

    def covers(self, frames: npt.NDArray[np.int64], apart_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Say what lies within.

        Args:
            frames: (N,) int64 distances in frames, of either sign; `FAR` where there is nothing.
            apart_ns: (N,) int64 distances in ns, from 0 on; `FAR` where there is nothing.

        Returns:
            (N,) bool.
        """
        if self.frames >= 0:
            return np.asarray(np.abs(frames) <= self.frames)
        return np.asarray(apart_ns <= round(self.ms * 1e6))

    def __str__(self) -> str:
        return str(self.frames) if self.frames >= 0 else f"{self.ms:g}ms"
