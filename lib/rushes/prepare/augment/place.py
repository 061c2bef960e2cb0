"""Place: pictures moved, and parts of them made as large as the whole.

A shift is a whole number of pixels of a picture of 227, the size of the JumpNet scripts; at another size it grows
with it. Nothing of the action changes. A crop makes everything larger: the mouse that moved the view, or the cursor,
by n pixels seems to have moved it by n times the zoom, and so says its row.

Example:
    >>> import numpy as np
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.prepare.augment.base import Action, World
    >>> world = World(ActionSpace.from_names(["Space", "MouseDX"]))
    >>> still = Action(np.array([1, 8], np.float32), "Space", 0.3)
    >>> Crop.action(still, {"box": [0.1, 0.2, 0.9, 1.0]}, world).keys.tolist()
    [1.0, 10.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.base import REFERENCE_PX, Action, Pixels, Transform, World, is_number, one_range

_SMALLEST: Final = 0.1
"""Least side of a crop."""


@dataclass(frozen=True)
class Shift(Transform):
    """Moved by whole pixels.

    Attributes:
        dx: Most to the left or right, px of a picture of 227.
        dy: Most up or down.
    """

    dx: int
    dy: int = 0
    writes: ClassVar[str] = "DX or DX DY, most px of a picture of 227; 5 unless given"
    example: ClassVar[str] = "5 2"

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read how far; see `Transform.parse`."""
        words = values.split() or ["5"]
        if len(words) > 2 or not all(w.isdecimal() and int(w) < REFERENCE_PX for w in words):  # noqa: PLR2004 - x and y
            raise BadInputError(
                f"shift of {values!r}", accepts=f"one or two whole numbers of px below {REFERENCE_PX}",
                fix="write shift=0.3:5 for up to 5 px to the left or right",
            )  # fmt: skip
        return cls(*map(int, words))

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw whole pixels, all alike likely; see `Transform.draw`."""
        del length
        dx = int(rng.integers(-self.dx, self.dx, endpoint=True))
        dy = int(rng.integers(-self.dy, self.dy, endpoint=True))
        return {"dx": dx, "dy": dy} if dx or dy else None

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept two whole numbers; see `Transform.check`."""
        return set(parameters) == {"dx", "dy"} and all(
            isinstance(v, int) and is_number(v, -REFERENCE_PX, REFERENCE_PX) for v in parameters.values()
        )

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Move right by dx and down by dy, black where nothing comes in; see `Transform.pixels`."""
        height, width = window.shape[1:3]
        dy, dx = round(parameters["dy"] * height / REFERENCE_PX), round(parameters["dx"] * width / REFERENCE_PX)
        made = np.zeros_like(window)
        made[:, max(dy, 0) : height + dy, max(dx, 0) : width + dx] = window[
            :, max(-dy, 0) : height - dy, max(-dx, 0) : width - dx
        ]
        return made


@dataclass(frozen=True)
class Crop(Transform):
    """A part made as large as the whole.

    Attributes:
        low: Least side of the part, as a part of the whole's.
        high: Greatest.
    """

    low: float
    high: float
    writes: ClassVar[str] = "SIDE or LOW..HIGH as a part of the whole, 0.8..1 unless given"
    example: ClassVar[str] = "0.8..1"

    @classmethod
    def parse(cls, values: str) -> Self:
        """Read the range of its side; see `Transform.parse`."""
        return cls(*one_range(values, "crop", default=(0.8, 1.0), limits=(_SMALLEST, 1)))

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw side and place, evenly; see `Transform.draw`."""
        del length
        side = float(rng.uniform(self.low, self.high))
        left, top = (float(v) * (1 - side) for v in rng.uniform(0, 1, 2))
        box = [round(edge, 4) for edge in (left, top, min(left + side, 1), min(top + side, 1))]
        return None if box == [0, 0, 1, 1] else {"box": box}

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept left, top, right and bottom; see `Transform.check`."""
        box = parameters.get("box")
        if set(parameters) != {"box"} or not isinstance(box, list) or len(box) != 4:  # noqa: PLR2004 - four edges
            return False
        if not all(is_number(edge, 0, 1) for edge in box):
            return False
        return bool(min(box[2] - box[0], box[3] - box[1]) > _SMALLEST / 2)

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Cut it out and make it large, by linear interpolation between pixels; see `Transform.pixels`."""
        import cv2

        height, width = window.shape[1:3]
        left, top, right, bottom = parameters["box"]
        back = np.array(  # where a pixel of the made picture lies in the old one; centres lie at halves
            [
                [right - left, 0, left * width + (right - left) / 2 - 0.5],
                [0, bottom - top, top * height + (bottom - top) / 2 - 0.5],
            ]
        )
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        for frame in window:
            frame[:] = cv2.warpAffine(frame, back, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
        return window

    @staticmethod
    def keys(keys: npt.NDArray[np.float32], parameters: Mapping[str, Any], world: World) -> npt.NDArray[np.float32]:
        """Multiply the motion of the mouse by the zoom; see `Transform.keys`."""
        left, top, right, bottom = parameters["box"]
        return scaled(keys, world.space, {"MouseDX": 1 / (right - left), "MouseDY": 1 / (bottom - top)})

    @staticmethod
    def action(action: Action, parameters: Mapping[str, Any], world: World) -> Action:
        """Multiply the motion of the mouse by the zoom; see `Transform.action`."""
        return replace(action, keys=Crop.keys(action.keys, parameters, world))


def scaled(keys: npt.NDArray[np.float32], space: ActionSpace, factors: Mapping[str, float]) -> npt.NDArray[np.float32]:
    """Multiply what was moved.

    Args:
        keys: (..., A) float32.
        space: Its slots; what goes beyond the limits of a slot is held there.
        factors: Control -> factor. Only slots of motion change, never positions of sticks.

    Returns:
        A new array of the same shape.
    """
    made = np.array(keys, np.float32)
    for place, slot in enumerate(space.slots):
        found = {factors[name] for name in (*slot.plus, *slot.minus) if name in factors}
        if slot.role == "motion" and found:
            made[..., place] = np.clip(made[..., place] * found.pop(), *slot.limits)
    return made
