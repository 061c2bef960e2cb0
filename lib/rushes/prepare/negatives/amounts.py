"""How many rows of each kind, and which: amounts as people write them, shared out evenly and drawn with a seed.

Example:
    >>> parse_kinds("uniform=all, near_miss=1.5x")["near_miss"].wanted(positives=100, found=400)
    150
    >>> share(10, [2, 100, 100])
    [2, 4, 4]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, BadNameError, near
from rushes.model.samples import SampleKind

ALL: Final = "all"
KINDS: Final = tuple(kind for kind in SampleKind if kind is not SampleKind.POSITIVE)
"""Kinds of negatives, in the order of their declaration; the place of a kind is its purpose in the random streams."""
_NUMBER: Final = re.compile(r"(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<factor>x?)")
_ACCEPTS: Final = "a number of rows such as 500, so many a positive such as 1.5x, or all"


@dataclass(frozen=True)
class Amount:
    """How many rows are wanted.

    Attributes:
        number: Rows, or rows a positive; -1 for all that there are.
        per_positive: Whether it is a factor.
    """

    number: float
    per_positive: bool = False

    def wanted(self, *, positives: int, found: int) -> int:
        """Give a number of rows.

        Args:
            positives: How many positives there are.
            found: How many candidates there are.
        """
        if self.number < 0:
            return found
        return round(self.number * positives) if self.per_positive else round(self.number)

    def __str__(self) -> str:
        return ALL if self.number < 0 else f"{self.number:g}{'x' * self.per_positive}"


def parse_kinds(written: str) -> dict[SampleKind, Amount]:
    """Read which kinds are wanted.

    Args:
        written: `KIND=AMOUNT` with commas between; a kind alone means `1x`.

    Raises:
        BadInputError: No kind, one that stands twice, or an amount that does not read.
        BadNameError: A kind that does not exist; the message names the nearest.
    """
    found: dict[SampleKind, Amount] = {}
    for part in filter(None, (part.strip() for part in written.split(","))):
        name, _, amount = (text.strip() for text in part.partition("="))
        if name not in KINDS:
            raise BadNameError(
                f"kind {name!r} of negatives", accepts="one of " + ", ".join(KINDS), fix=near(name, KINDS) or "name one"
            )
        if SampleKind(name) in found:
            raise BadInputError(f"kind {name} twice", accepts="each kind once", fix="leave one of them out")
        found[SampleKind(name)] = _amount(name, amount or "1x")
    if not found:
        raise BadInputError(f"kinds={written!r}", accepts="KIND=AMOUNT, ...", fix="write kinds=uniform=1x")
    return found


def _amount(name: str, written: str) -> Amount:
    if written == ALL:
        return Amount(-1)
    found = _NUMBER.fullmatch(written)
    if not found or (not found["factor"] and not float(found["number"]).is_integer()):
        raise BadInputError(f"{name}={written!r}", accepts=_ACCEPTS, fix=f"write {name}=1x")
    return Amount(float(found["number"]), per_positive=bool(found["factor"]))


def share(wanted: int, found: Sequence[int]) -> list[int]:
    """Share a number out as evenly as what is there allows; what one place lacks goes to the others.

    Args:
        wanted: How many in all.
        found: How many each place has.

    Returns:
        How many each place gives. Where the number does not divide, the first ones give one more.
    """
    given = [0] * len(found)
    left = min(wanted, sum(found))
    while left:
        open_places = [k for k, n in enumerate(found) if given[k] < n]
        each, rest = divmod(left, len(open_places))
        for turn, k in enumerate(open_places):
            more = min(each + (turn < rest), found[k] - given[k])
            given[k] += more
            left -= more
    return given


def order_of(count: int, seed: int, session: str, target: str, kind: SampleKind) -> npt.NDArray[np.int64]:
    """Shuffle the candidates of one kind for one target in one session: (count,) int64, the first are taken.

    The same for any order of sessions and whatever else is drawn.
    """
    rng = np.random.default_rng([seed, crc32(session.encode()), crc32(target.encode()), KINDS.index(kind)])
    return np.asarray(rng.permutation(count), np.int64)
