"""Augmentation while training: transforms drawn anew for each window of each epoch, in picture and action alike.

What is drawn follows from (seed, epoch, index) alone. The transforms are those of `rushes prepare augment`; a stretch
in time is not among them, since it would show other frames than the window's.

Example:
    >>> import numpy as np
    >>> from rushes.model.actions import ActionSpace
    >>> space = ActionSpace.from_names(["KeyA", "KeyD"])
    >>> item = {"frames": np.zeros((1, 2, 2, 3), np.uint8), "inputs": np.array([[1, 0]], np.float32)}
    >>> Draws("flip=1", space, seed=0).apply(item, space, epoch=0, index=5)["inputs"].tolist()
    [[0.0, 1.0]]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.base import World, family
from rushes.prepare.augment.recipe import parse_recipe

_AUGMENT = 2
"""Purpose of the draws, beside those of other files."""
_FLIP = "flip"


class Draws:
    """The transforms of one dataset.

    Args:
        recipe: As `prepare.augment.recipe` reads it: `flip=0.5, brightness=0.5:0.7..1.3`, or a preset.
        space: What the columns of `inputs` are.
        seed: Of the draws.

    Raises:
        BadInputError: A recipe that does not read or that stretches time, or a flip where actions have no mirror
            image.
        BadNameError: No such transform.
    """

    def __init__(self, recipe: str, space: ActionSpace, *, seed: int) -> None:
        self._parts, self._world, self._seed = parse_recipe(recipe), World(space), seed
        if any(part.name == "stretch" for part in self._parts):
            raise BadInputError(
                f"augment={recipe!r}, which stretches time",
                accepts="transforms of a window's own frames",
                fix="leave stretch out, or make rows with `rushes prepare augment` and load the table",
            )
        if any(part.name == _FLIP for part in self._parts):
            space.mirror()

    def apply(self, item: dict[str, Any], own: ActionSpace, *, epoch: int, index: int) -> dict[str, Any]:
        """Transform an item.

        Args:
            item: `frames` (T, H, W, 3) uint8, `inputs` (T, A) float32 and, where there is one, `action`; its arrays may
                be changed.
            own: The space that `action` is in.
            epoch: Which epoch.
            index: Which window.
        """
        rng = np.random.default_rng([self._seed, epoch, index, _AUGMENT])
        frames, inputs, action = item["frames"], item["inputs"], item.get("action")
        for part in self._parts:
            happens = part.everywhere or rng.random() < part.probability
            parameters = part.transform.draw(rng, len(frames)) if happens else None
            if parameters is None:
                continue
            kind = family(part.name)
            frames = kind.pixels(frames, parameters)
            inputs = kind.keys(inputs, parameters, self._world)
            if action is not None and part.name == _FLIP:
                action = own.mirror().indices(action) if own.kind == "discrete" else own.mirror().vectors(action)
        changed = {"frames": frames, "inputs": inputs} | ({} if action is None else {"action": action})
        return item | changed
