"""Training files of flat arrays: the rows of all sessions one behind the other, in NPZ and in files of tensors.

Which rows are a session's follows from the counts that the file notes of each session. Every process opens the file
for itself; nothing that is open goes through a fork or a pickle.

Example:
    >>> told = {"sessions": [{"counts": {"steps": 2}}, {"counts": {"steps": 3}}]}
    >>> spans_of(told, "a file")[1]["steps"]
    (2, 5)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.imported import Pixels
from rushes.formats.training.described import as_text
from rushes.formats.training.plan import Plan
from rushes.formats.training.reread import Ints, read_json
from rushes.store.statistics import Statistics

ABOUT: Final = "about"
NEEDED: Final = frozenset({"about", "video", "inputs", "metadata", "frames"})
"""Arrays by which a file is known."""
_MOST: Final = 2**40


def about_file(plan: Plan, **more: Any) -> str:
    """Say all that a flat file says of itself, as JSON."""
    return as_text({**plan.about(), **more, "sessions": [plan.about_take(take) for take in plan.takes]})


def small_arrays(statistics: Statistics) -> dict[str, npt.NDArray[Any]]:
    """Give the figures of a training file as arrays of their own, `statistics_...`."""
    return {f"statistics_{name}": values for name, values in statistics.arrays().items()}


def spans_of(said: Mapping[str, Any], where: str) -> list[dict[str, tuple[int, int]]]:
    """Say for each session which rows of each array are its own.

    Raises:
        BadDataError: The counts of a file are none.
    """
    found: list[dict[str, tuple[int, int]]] = []
    at: dict[str, int] = {}
    try:
        for session in said["sessions"]:
            spans = {}
            for name, count in session["counts"].items():
                spans[name] = at.get(name, 0), at.get(name, 0) + range(_MOST).index(count)
                at[name] = spans[name][1]
            found.append(spans)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDataError(
            f"{where}: sessions that do not read ({error})",
            accepts="a whole file, as rushes writes it",
            fix="write it again, or copy it again",
        ) from error
    return found


class Flat:
    """A file of flat arrays; see `training.reread.Stored`.

    Args:
        where: The file, for messages.
        load: Opens its arrays: name -> an array that is mapped, or anything that can be cut like one.
    """

    def __init__(self, where: str, load: Callable[[], Mapping[str, Any]]) -> None:
        self.where, self._load = where, load
        self._arrays: Mapping[str, Any] | None = None
        self._process = -1
        self._said: Mapping[str, Any] | None = None
        self._spans: list[dict[str, tuple[int, int]]] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None, "_process": -1}

    def _array(self, name: str) -> Any:
        if self._arrays is None or self._process != os.getpid():
            self._arrays, self._process = self._load(), os.getpid()
        if name not in self._arrays:
            raise self._damage(f"no {name}")
        return self._arrays[name]

    def _damage(self, what: str) -> BadDataError:
        return BadDataError(
            f"{self.where}: {what}", accepts="a whole file, as rushes writes it", fix="write it again, or copy it again"
        )

    def about(self) -> Mapping[str, Any]:
        """Say what holds for the whole file."""
        if self._said is None:
            self._said = read_json(str(self._array(ABOUT)), self.where)
            self._spans = spans_of(self._said, self.where)
        return self._said

    def sessions(self) -> int:
        """Count its recordings."""
        return len(self.about()["sessions"])

    def about_session(self, number: int) -> Mapping[str, Any]:
        """Say what holds for a recording."""
        found: Mapping[str, Any] = self.about()["sessions"][number]
        return found

    def _span(self, number: int, name: str) -> tuple[int, int]:
        self.about()
        if name not in self._spans[number]:
            raise self._damage(f"session {number} without a count of {name}")
        return self._spans[number][name]

    def table(self, number: int, name: str) -> npt.NDArray[Any]:
        """Read the rows of a small array that are of a recording."""
        start, stop = self._span(number, name)
        return self.values(number, name, 0, stop - start)

    def values(self, number: int, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """Read some of them."""
        first, end = self._span(number, name)
        if not 0 <= start <= stop <= end - first:
            raise self._damage(f"{name} from {start} to {stop} of session {number}, which has {end - first}")
        found = np.asarray(self._array(name)[first + start : first + stop])
        if len(found) != stop - start:
            raise self._damage(f"{name} with fewer rows than its sessions")
        return found

    def pictures(self, number: int, at: Ints) -> Iterator[Pixels]:
        """Read pictures of a recording by their places."""
        (first, stop), (aside, _) = self._span(number, "video"), self._span(number, "last_video")
        rows = stop - first
        video, last = self._array("video"), self._array("last_video")
        for place in at.tolist():
            array, row = (video, first + place) if place < rows else (last, aside + place - rows)
            if row >= len(array):
                raise self._damage(f"picture {place} of session {number}, which is not there")
            yield np.array(array[row], np.uint8)
