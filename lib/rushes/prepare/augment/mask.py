"""Mask: rectangles painted black, such as a score or a map that gives away what the hand does.

Rectangles are the same for every row, and are painted before anything else is done to the picture, so that they cover
the same thing in a flipped or moved one. `mask=1:...` paints them in every copy, `mask=all:...` in every row of the
table, originals and negatives too: what hides a leak has to be hidden everywhere.

Example:
    >>> import numpy as np
    >>> masked = Mask.pixels(np.full((1, 4, 4, 3), 9, np.uint8), {"boxes": [[0, 0, 1, 0.25]]})
    >>> masked[0, :, 0, 0].tolist()
    [0, 9, 9, 9]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from rushes.errors import BadInputError
from rushes.prepare.augment.base import Pixels, Transform, is_number


@dataclass(frozen=True)
class Mask(Transform):
    """Black rectangles.

    Attributes:
        boxes: Left, top, right and bottom of each, as parts of the picture's width and height.
    """

    boxes: tuple[tuple[float, ...], ...]
    writes: ClassVar[str] = "LEFT TOP RIGHT BOTTOM as parts of the picture; several with ; between them"
    example: ClassVar[str] = "0 0 1 0.1; 0.9 0 1 1"

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read the rectangles; see `Transform.parse`."""
        try:
            boxes = tuple(tuple(float(number) for number in box.split()) for box in values.split(";"))
        except ValueError:
            boxes = ()
        if not _are_boxes([list(box) for box in boxes]):
            raise BadInputError(
                f"mask of {values!r}",
                accepts="LEFT TOP RIGHT BOTTOM from 0 to 1, several with ; between them",
                fix="write mask=1:0 0 1 0.1 for the upper tenth",
            )
        return cls(boxes)

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Give the rectangles; see `Transform.draw`."""
        del rng, length
        return {"boxes": [list(box) for box in self.boxes]}

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept rectangles; see `Transform.check`."""
        return set(parameters) == {"boxes"} and _are_boxes(parameters["boxes"])

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Paint them: every pixel that one of them touches; see `Transform.pixels`."""
        height, width = window.shape[1:3]
        for left, top, right, bottom in parameters["boxes"]:
            rows = slice(_inward(top * height, math.floor), _inward(bottom * height, math.ceil))
            columns = slice(_inward(left * width, math.floor), _inward(right * width, math.ceil))
            window[:, rows, columns] = 0
        return window


def _inward(edge: float, rounding: Any) -> int:
    return int(rounding(round(edge, 6)))  # 0.1 x 30 is 3.0000000000000004


def _are_boxes(boxes: Any) -> bool:
    return (
        isinstance(boxes, list)
        and len(boxes) > 0
        and all(isinstance(box, list) and len(box) == 4 for box in boxes)  # noqa: PLR2004 - four edges
        and all(is_number(edge, 0, 1) for box in boxes for edge in box)
        and all(box[0] < box[2] and box[1] < box[3] for box in boxes)
    )
