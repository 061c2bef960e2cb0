"""What a training needs to know of its data beforehand: how often each control is used, how bright pictures are.

Everything is counted piece by piece and can be added up, so nothing is held however long the play is. A column counts
as used in a row where it is not 0. Of pictures whole numbers are counted, so mean and deviation (of values from 0 to
1) do not depend on how the pictures came.

Class weights are scikit-learn's "balanced": n / (2 * count) for a button that is down in `count` of n rows, and
n / (2 * (n - count)) where it is up; n / (k * count) for each of the k actions of a discrete space. A button that is
never used, or always, has no weight on the side that never occurs.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> found = Statistics(ActionSpace.from_names(["w", "dx"]))
    >>> found.add_rows(np.array([[1, 0], [0, 3], [0, -3], [0, 0]], np.float32))
    >>> w, dx = found.to_json()["columns"]
    >>> w["count"], w["share"], w["weight_used"], dx["mean"], dx["std"]
    (1, 0.25, 2.0, 0.0, 2.1213203435596424)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace

Floats = npt.NDArray[np.float64]

WEIGHTS: Final = "balanced: n / (2 * count) a button, n / (k * count) an action of k (scikit-learn)"
"""The formula of the class weights, as it stands beside them."""
_LEVELS: Final = 256
_WHITE: Final = 255.0


@dataclass
class Moments:
    """Count, mean and spread of rows of numbers; two of them add up (Chan, Golub, LeVeque 1979).

    Attributes:
        count: Rows so far.
        mean: (A,) of the rows so far.
        squares: (A,) sum of squared distances from the mean.
    """

    count: int
    mean: Floats
    squares: Floats

    @classmethod
    def none(cls, columns: int) -> Moments:
        """Begin with no row."""
        return cls(0, np.zeros(columns), np.zeros(columns))

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Add rows: (N, A) numbers."""
        if len(rows):
            values = np.asarray(rows, np.float64)
            mean = values.mean(0)
            self.join(Moments(len(values), mean, ((values - mean) ** 2).sum(0)))

    def join(self, other: Moments) -> None:
        """Add the rows that another one has seen."""
        count = self.count + other.count
        if count:
            apart = other.mean - self.mean
            self.mean = self.mean + apart * (other.count / count)
            self.squares = self.squares + other.squares + apart**2 * (self.count * other.count / count)
            self.count = count

    @property
    def std(self) -> Floats:
        """(A,) deviation over the rows, divided by their number; 0 where there is none."""
        found: Floats = np.sqrt(self.squares / max(self.count, 1))
        return found


class Statistics:
    """What was counted of rows, pictures and sound.

    Args:
        space: What the columns of the rows are.
        features: Numbers of sound a row, 0 where there is none.

    Attributes:
        rows: How many rows.
        pictures: How many pictures.
        sampled: Whether the pictures are some of all, evenly spaced.
    """

    def __init__(self, space: ActionSpace, *, features: int = 0) -> None:
        self.space, self.pictures, self.sampled = space, 0, False
        self._inputs, self._sound = Moments.none(len(space)), Moments.none(features)
        self._used = np.zeros(len(space), np.int64)
        self._low, self._high = np.full(len(space), np.inf), np.full(len(space), -np.inf)
        self._levels = np.zeros((3, _LEVELS), np.int64)
        self._sound_rows = 0

    @property
    def rows(self) -> int:
        """How many rows."""
        return self._inputs.count

    def add_rows(self, inputs: npt.NDArray[Any]) -> None:
        """Count rows: (N, A) numbers in the order of the space."""
        self._inputs.add(inputs)
        self._used += np.count_nonzero(inputs, axis=0)
        if len(inputs):
            self._low, self._high = np.minimum(self._low, inputs.min(0)), np.maximum(self._high, inputs.max(0))

    def add_pictures(self, pictures: npt.NDArray[np.uint8]) -> None:
        """Count pictures: (N, H, W, 3) uint8 RGB."""
        import cv2

        for picture in pictures:
            whole = np.ascontiguousarray(picture)
            for channel in range(len(self._levels)):
                counts = cv2.calcHist([whole], [channel], None, [_LEVELS], [0, _LEVELS])
                self._levels[channel] += counts.reshape(-1).astype(np.int64)
        self.pictures += len(pictures)

    def add_sound(self, features: npt.NDArray[np.float32], heard: npt.NDArray[np.bool_]) -> None:
        """Count sound: (N, F) features, of which the rows count where something was heard, (N,) bool."""
        self._sound.add(features[heard])
        self._sound_rows += len(heard)

    def join(self, other: Statistics) -> None:
        """Add what another one has counted, in the same space."""
        self._inputs.join(other._inputs)
        self._sound.join(other._sound)
        self._used += other._used
        self._low, self._high = np.minimum(self._low, other._low), np.maximum(self._high, other._high)
        self._levels += other._levels
        self._sound_rows += other._sound_rows
        self.pictures += other.pictures
        self.sampled |= other.sampled

    @property
    def weights(self) -> Floats:
        """(A, 2) class weights: where a column is used, and where it is not; nan where that never occurs.

        For axes, motion and numbers both are nan; for discrete spaces the second is.
        """
        found = np.full((len(self.space), 2), np.nan)
        sides = len(self.space) if self.space.kind == "discrete" else 2
        for place, (slot, used) in enumerate(zip(self.space.slots, self._used.tolist(), strict=True)):
            for side, count in enumerate((used, self.rows - used)):
                if slot.role == "button" and count and not (side and self.space.kind == "discrete"):
                    found[place, side] = self.rows / (sides * count)
        return found

    @property
    def channels(self) -> tuple[Floats, Floats]:
        """(3,) mean and (3,) deviation of red, green, blue from 0 to 1; nan without a picture."""
        levels, count = np.arange(_LEVELS) / _WHITE, self._levels.sum(1)
        with np.errstate(invalid="ignore"):
            mean = self._levels @ levels / count
            return mean, np.sqrt(((levels[None] - mean[:, None]) ** 2 * self._levels).sum(1) / count)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the figures as arrays, whose shapes follow from the space and the features alone."""
        mean, std = self.channels
        return {
            "inputs_count": self._used.copy(),
            "inputs_mean": self._inputs.mean.astype(np.float32),
            "inputs_std": self._inputs.std.astype(np.float32),
            "class_weights": self.weights.astype(np.float32),
            "pixel_mean": mean.astype(np.float32),
            "pixel_std": std.astype(np.float32),
            "audio_mean": self._sound.mean.astype(np.float32),
            "audio_std": self._sound.std.astype(np.float32),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values; null where nothing can be said."""
        weights, (mean, std) = self.weights, self.channels
        columns = [
            {
                "name": slot.name,
                "role": slot.role,
                "count": int(self._used[k]),
                "share": _number(self._used[k] / self.rows) if self.rows else None,
                "mean": _number(self._inputs.mean[k]),
                "std": _number(self._inputs.std[k]),
                "min": _number(self._low[k]),
                "max": _number(self._high[k]),
                "weight_used": _number(weights[k, 0]),
                "weight_unused": _number(weights[k, 1]),
            }
            for k, slot in enumerate(self.space.slots)
        ]
        pictures = {
            "count": self.pictures,
            "sampled": self.sampled,
            "mean": [_number(v) for v in mean],
            "std": [_number(v) for v in std],
        }
        heard = self._sound.count
        sound = {
            "rows": self._sound_rows,
            "heard": heard,
            "mean": _number(self._sound.mean.mean()) if heard else None,
            "std": _number(_whole_std(self._sound)) if heard else None,
        }
        return {"rows": self.rows, "columns": columns, "weights": WEIGHTS, "pictures": pictures, "sound": sound}

    def __repr__(self) -> str:
        return f"<Statistics: {self.rows} rows of {len(self.space)} columns, {self.pictures} pictures>"


def _whole_std(moments: Moments) -> float:
    """Give the deviation over all numbers of all rows: within the columns and between them."""
    return float(np.sqrt((moments.std**2).mean() + moments.mean.var()))


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def spaced(count: int, most: int) -> npt.NDArray[np.int64]:
    """Choose at most `most` of `count` places, evenly spaced, in the middle of equal parts.

    Example:
        >>> spaced(100, 4).tolist(), spaced(2, 4).tolist()
        ([12, 37, 62, 87], [0, 1])
    """
    few = min(count, most)
    return ((2 * np.arange(few) + 1) * count) // (2 * max(few, 1))
