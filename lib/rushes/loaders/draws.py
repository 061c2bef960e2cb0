"""Augmentation while training: transforms drawn anew for each window of each epoch, in picture and action alike.

What is drawn follows from (seed, epoch, index) alone. The transforms are those of `rushes prepare augment`; a stretch
in time is not among them, since it would show other frames than the window's.

Example:
    >>> import numpy as np
    >>> from rushes.model.actions import ActionSpace
    >>> space = ActionSpace.from_names(["KeyA", "KeyD"])
    >>> item = {"frames": np.zeros((1, 2, 2, 3), np.uint8), "inputs": np.array([[1, 0]], np.float32)}
    >>> Draws("flip=1", space, seed=0).apply(item, None, epoch=0, index=5)["inputs"].tolist()
    [[0.0, 1.0]]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.prepare.augment.base import World, family
from rushes.prepare.augment.flip import mirrored
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
        samples: The table whose rows the windows are, where there is one; its keys change with the picture.

    Raises:
        BadInputError: A recipe that does not read or that stretches time, a flip where actions have no mirror image,
            or one of a table whose labels would be about another control.
        BadNameError: No such transform.
    """

    def __init__(self, recipe: str, space: ActionSpace, *, seed: int, samples: Samples | None = None) -> None:
        self._parts, self._world, self._seed = parse_recipe(recipe), World(space), seed
        if any(part.name == "stretch" for part in self._parts):
            raise BadInputError(
                f"augment={recipe!r}, which stretches time",
                accepts="transforms of a window's own frames",
                fix="leave stretch out, or make rows with `rushes prepare augment` and load the table",
            )
        self._labels = World(space if samples is None else samples.space)
        if any(part.name == _FLIP for part in self._parts):
            space.mirror()
            if samples is not None:
                _check_labels(samples, self._labels)

    def apply(self, item: dict[str, Any], told: ActionSpace | None, *, epoch: int, index: int) -> dict[str, Any]:
        """Transform an item.

        Args:
            item: `frames` (T, H, W, 3) uint8, `inputs` (T, A) float32 and, where there are such, `action` and `keys`;
                its arrays may be changed.
            told: The space that `action` is in; None where nobody was told anything.
            epoch: Which epoch.
            index: Which window.
        """
        rng = np.random.default_rng([self._seed, epoch, index, _AUGMENT])
        changed = {name: item[name] for name in ("frames", "inputs", "keys", "action") if name in item}
        for part in self._parts:
            happens = part.everywhere or rng.random() < part.probability
            parameters = part.transform.draw(rng, len(item["frames"])) if happens else None
            if parameters is None:
                continue
            kind = family(part.name)
            changed["frames"] = kind.pixels(changed["frames"], parameters)
            changed["inputs"] = kind.keys(changed["inputs"], parameters, self._world)
            if "keys" in changed:
                changed["keys"] = kind.keys(changed["keys"], parameters, self._labels)
            if "action" in changed and told is not None and part.name == _FLIP:
                mirror = told.mirror()
                changed["action"] = (mirror.indices if told.kind == "discrete" else mirror.vectors)(changed["action"])
        return item | changed


def _check_labels(samples: Samples, world: World) -> None:
    """Refuse a flip after which a label would be about a control that the table has no labels of."""
    controls = {control: None for control in samples.rows["control"].tolist() if control}
    for control in controls:
        image = mirrored(control, world)
        if image not in controls:
            raise BadInputError(
                f"a flip of labels of {control}, which would be labels of {image}",
                accepts="a table with labels of both, or of controls that are their own mirror image",
                fix="leave the flip out, or make rows with `rushes prepare augment`, which name their control",
            )
