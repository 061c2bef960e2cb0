"""How good answers are, beside what chance gives.

A key is scored by its balanced accuracy: the mean of how often it is said to be down when it is, and up when it is.
Whoever always says the same has 0.5, however rare the key is, and so has whoever guesses. The score is the mean over
the keys that were both down and up. How far luck reaches is measured: the same answers against shuffled truth.

Example:
    >>> truth = np.array([[1, 0], [0, 1], [0, 0], [1, 0]], bool)
    >>> found = score(truth, truth, names=("KeyA", "KeyD"))
    >>> found.balanced, found.f1, score(np.ones_like(truth), truth, names=("KeyA", "KeyD")).balanced
    (1.0, 1.0, 0.5)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

CHANCE: Final = 0.5
SHUFFLES: Final = 200
_LUCK: Final = 0.99


@dataclass(frozen=True)
class Key:
    """How one key was answered.

    Attributes:
        name: Of the key.
        share: Of the rows in which it was down.
        balanced: Balanced accuracy.
        f1: Of "down"; 0 where it was never said.
        always_f1: What "always down" has.
    """

    name: str
    share: float
    balanced: float
    f1: float
    always_f1: float


@dataclass(frozen=True)
class Score:
    """How rows were answered.

    Attributes:
        rows: How many.
        keys: Those that were both down and up.
        luck: What the best hundredth of shuffled answers reaches.
        majority: Share of (row, key) pairs that "always the commoner one" has right.
        right: Share of (row, key) pairs that are right.
    """

    rows: int
    keys: tuple[Key, ...]
    luck: float
    majority: float
    right: float

    @property
    def balanced(self) -> float:
        """Mean balanced accuracy of the keys."""
        return float(np.mean([key.balanced for key in self.keys]))

    @property
    def f1(self) -> float:
        """Mean F1 of the keys."""
        return float(np.mean([key.f1 for key in self.keys]))

    @property
    def always_f1(self) -> float:
        """Mean F1 of somebody who holds every key all the time."""
        return float(np.mean([key.always_f1 for key in self.keys]))

    def __repr__(self) -> str:
        return f"<Score {self.balanced:.3f} of {self.rows} rows; chance {CHANCE}, luck reaches {self.luck:.3f}>"


def score(said: Bools, truth: Bools, *, names: Sequence[str], seed: int = 0) -> Score:
    """Score answers.

    Args:
        said: (N, A) whether a key was said to be down.
        truth: (N, A) whether it was.
        names: Of the keys.
        seed: Of the shuffles.

    Raises:
        BadInputError: Arrays that do not fit, or no key that was both down and up.
    """
    if said.shape != truth.shape or truth.shape[1:] != (len(names),):
        raise BadInputError(
            f"answers {said.shape} to {truth.shape} of {len(names)} keys", accepts="one shape", fix="cut them alike"
        )
    shares = truth.mean(axis=0) if len(truth) else np.zeros(len(names))
    both = np.flatnonzero((shares > 0) & (shares < 1))
    if not len(both):
        raise BadInputError(
            f"{len(truth)} rows in which no key of {', '.join(names)} is both down and up",
            accepts="a key that is down in some rows and up in others",
            fix="look at `rushes info` for what was pressed, or hold more sessions out",
        )
    mine, true = said[:, both], truth[:, both]
    balanced, hits = balanced_accuracy(mine, true), (mine & true).sum(axis=0)
    f1 = 2 * hits / (mine.sum(axis=0) + true.sum(axis=0))
    always = 2 * shares[both] / (1 + shares[both])
    rng = np.random.default_rng([seed, 17])
    lucky = [balanced_accuracy(mine, true[rng.permutation(len(true))]).mean() for _ in range(SHUFFLES)]
    return Score(
        len(truth),
        tuple(
            Key(names[k], float(shares[k]), *(float(value) for value in row))
            for k, *row in zip(both.tolist(), balanced, f1, always, strict=True)
        ),
        luck=float(np.quantile(lucky, _LUCK)),
        majority=float(np.maximum(shares[both], 1 - shares[both]).mean()),
        right=float((mine == true).mean()),
    )


def balanced_accuracy(said: Bools, truth: Bools) -> Floats:
    """Give (A,) balanced accuracies of (N, A) answers; each key is down in some rows and up in others."""
    down = (said & truth).sum(axis=0) / truth.sum(axis=0)
    up = (~said & ~truth).sum(axis=0) / (~truth).sum(axis=0)
    return np.asarray((down + up) / 2, np.float64)
