"""Each augmentation by itself on a few positives, for the notebook: what it does to the picture and to the action.

Example (in a cell, after the samples were made):
    >>> def cell(made):
    ...     examples = each_alone(made)
    ...     return before_and_after(examples.sets, made.load, notes=examples.notes, first=examples.first)
    >>> alone("brightness=0.5:0.7..1.3"), alone("flip 0.5")
    ('brightness=1:0.7..1.3', 'flip=1')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind
from rushes.notebook.negatives.steps import Made
from rushes.prepare.augment import augment
from rushes.prepare.augment.base import TRANSFORMS
from rushes.prepare.augment.recipe import parse_recipe
from rushes.prepare.press_release import press_release
from rushes.preview.sample_grid import chosen_rows

_EXAMPLES: Final = 6
_BETWEEN: Final = re.compile(r"[\s=:]+")
_OWN: Final[Mapping[str, str]] = {
    "crop": "crop=1:0.6..0.8", "mask": "mask=1:0 0 1 0.16", "stretch": "stretch=1:0.4..2.5",
}  # fmt: skip
"""Ranges in which a transform that the recipe does not have is seen well."""
STRETCH: Final = "stretch"
_WINDOW: Final = 6
"""Frames of the windows that a stretch is shown on, where the plan has single frames."""


@dataclass(frozen=True)
class Examples:
    """What each augmentation made.

    Attributes:
        sets: Name -> originals with their copies, or the sentence that says why there are none.
        notes: Name -> what it does, and how often the recipe has it.
    """

    sets: Mapping[str, Samples | str]
    notes: Mapping[str, str]

    @property
    def first(self) -> tuple[str, ...]:
        """Augmentations that are seen on the first picture of a window: the last one of a stretch stays."""
        return tuple(name for name in self.sets if name == STRETCH)


def each_alone(made: Made) -> Examples:
    """Apply each transform by itself to a few positives.

    Args:
        made: What was prepared; its recipe says the ranges of those that it has.
    """
    plan, some = made.plan, _few(made.pairs)
    recipe = {part.name: part for part in parse_recipe(plan.recipe)}
    sets: dict[str, Samples | str] = {}
    notes: dict[str, str] = {}
    for row in TRANSFORMS.values():
        name, here = row.name, some
        often = f"in {recipe[name].probability:.0%} of the copies" if name in recipe else "not in this recipe"
        notes[name] = f"{row.summary}; {often}"
        written = alone(recipe[name].text) if name in recipe else _OWN.get(name, f"{name}=1")
        try:
            if name == STRETCH:
                frames = plan.length if plan.length > 1 else _WINDOW
                notes[name] += f"; shown is the first picture of windows of {frames} frames"
                here = _few(press_release(made.sessions, plan.controls, length=frames)[0])
            sets[name] = augment(here, recipe=written, copies=1, seed=plan.seed, splits="all", recordings=made.sessions)
        except BadInputError as error:
            sets[name] = f"Refused: {error.given}"
    return Examples(sets, notes)


def _few(pairs: Samples) -> Samples:
    rows = pairs.rows
    chosen = chosen_rows(rows[rows["kind"] == SampleKind.POSITIVE], _EXAMPLES)
    return replace(pairs, rows=chosen.reset_index(drop=True))


def alone(text: str) -> str:
    """Write a part of a recipe so that every copy gets it.

    Args:
        text: As it stands in the recipe.
    """
    name, _, values = (*_BETWEEN.split(text.strip(), maxsplit=2), "", "")[:3]
    return f"{name}=1{':' * bool(values)}{values}"
