"""Flip: left and right swapped, in the picture and in what was done.

In the mirrored picture, A does what D did and the mouse went the other way. Which control does the same there follows
common use (`model.controls.mirror_control`): A and D, the arrows, the d-pad swap, horizontal motion and stick axes
change their sign, and every other key is its own image. A game that leans with Q and E needs `pairs`. Where nothing
says what the image is, or the table has no place for it, there is no correct action, and the flip is refused.

A game that scrolls to one side only is never seen mirrored: there a flip makes pictures that no player meets. Leave
it out with the preset `jumpnet_no_flip`.

Example:
    >>> import numpy as np
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.prepare.augment.base import World
    >>> world = World(ActionSpace.from_names(["KeyA", "KeyD", "MouseDX"]))
    >>> image = Flip.action(Action(np.array([1, 0, 5], np.float32), "KeyA", 0.3), {}, world)
    >>> image.keys.tolist(), image.control
    ([0.0, 1.0, -5.0], 'KeyD')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, RushesError
from rushes.model.controls import mirror_control
from rushes.model.targets import Target, parse_targets
from rushes.prepare.augment.base import Action, Pixels, Transform, World


@dataclass(frozen=True)
class Flip(Transform):
    """Left and right swapped; nothing is drawn."""

    writes: ClassVar[str] = ""
    example: ClassVar[str] = ""

    @classmethod
    def parse(cls, values: str) -> Self:
        """Refuse a range; see `Transform.parse`."""
        if values:
            raise BadInputError(f"flip of {values!r}", accepts="nothing behind the probability", fix="write flip=0.5")
        return cls()

    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw nothing; see `Transform.draw`."""
        del rng, length
        return {}

    @staticmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Accept no number; see `Transform.check`."""
        return not parameters

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Swap left and right; see `Transform.pixels`."""
        import cv2

        del parameters
        for frame in window:
            frame[:] = cv2.flip(frame, 1)
        return window

    @staticmethod
    def keys(keys: npt.NDArray[np.float32], parameters: Mapping[str, Any], world: World) -> npt.NDArray[np.float32]:
        """Mirror them; see `Transform.keys`."""
        del parameters
        return world.space.mirror(world.pairs).vectors(keys)

    @staticmethod
    def action(action: Action, parameters: Mapping[str, Any], world: World) -> Action:
        """Mirror keys and control; see `Transform.action`."""
        keys = Flip.keys(action.keys, parameters, world)
        return replace(action, keys=keys, control=mirrored(action.control, world))


def mirrored(control: str, world: World) -> str:
    """Give the target that means the same in the mirrored picture.

    Raises:
        BadInputError: The space has no place for it.
    """
    (target,) = _read(control)
    given = dict(world.pairs)
    given |= {b: a for a, b in given.items() if not b.startswith("-")}
    parts = []
    for part in target.parts:
        partner, sign = mirror_control(part.control)
        if part.control in given:
            partner, sign = given[part.control].removeprefix("-"), -1 if given[part.control].startswith("-") else 1
        parts.append(part.mirror(partner, sign))
    places = {name for slot in world.space.slots for name in (*slot.plus, *slot.minus)}
    homeless = [part.control for part in parts if part.control not in places | {old.control for old in target.parts}]
    if homeless:
        raise BadInputError(
            f"a mirror image of {control}, which would be {homeless[0]}: {world.space!r} has no place for it",
            accepts="targets whose image the table can hold",
            fix="leave out the flip, or name the partner with pairs",
        )
    image = Target(tuple(parts))
    return control if set(image.parts) == set(target.parts) else str(image)


def _read(control: str) -> tuple[Target, ...]:
    try:
        found = parse_targets(control)
    except RushesError as error:
        raise BadInputError(
            f"a mirror image of {control} ({error.given})", accepts="a target that reads", fix="leave out the flip"
        ) from error
    if len(found) != 1:
        raise BadInputError(f"a mirror image of {control}", accepts="one target a row", fix="leave out the flip")
    return found
