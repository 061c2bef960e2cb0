"""Recipes: which transforms, how often, and how far; written in one line.

| written | means |
| --- | --- |
| `flip=0.5` | half of all copies are flipped |
| `brightness=0.5:0.7..1.3` | half of them get a factor between 0.7 and 1.3 |
| `brightness 0.5 0.7..1.3` | the same, for notebooks, whose parameters hold no `=` |
| `shift=0.3:5`, `shift=0.3:5 2` | moved by up to 5 px sideways, and by up to 2 px up or down |
| `crop=0.3:0.8..1`, `noise=0.3:0.02`, `contrast=0.2`, `stretch=0.5:0.8..1.25` | what stands behind may be left out |
| `mask=1:0 0 1 0.1; 0.9 0 1 1` | the upper tenth and the right tenth are black in every copy |
| `mask=all:0 0 1 0.1` | in every row of the table |
| `jumpnet, crop=0.3` | a preset with more, or with another number for what it has |

Transforms are applied in the order written, except that a mask comes before all others.

Presets: `jumpnet` is what the JumpNet scripts do. Their game scrolls to one side, and a flip makes pictures in which it
scrolls to the other: `jumpnet_no_flip` is the same without. `none` makes no copies.

Example:
    >>> [(part.name, part.probability) for part in parse_recipe("jumpnet_no_flip, shift=1:9")]
    [('brightness', 0.5), ('noise', 0.3), ('shift', 1.0)]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rushes.errors import BadInputError, BadNameError, near
from rushes.prepare.augment.base import TRANSFORMS, Transform, family

PRESETS: Final = {
    "jumpnet": "flip=0.5, brightness=0.5:0.7..1.3, noise=0.3:0.02, shift=0.3:5",
    "jumpnet_no_flip": "brightness=0.5:0.7..1.3, noise=0.3:0.02, shift=0.3:5",
    "none": "",
}
"""Recipes by name. Source of the numbers: Data_argumentation.py of Ertugrulmutlu/JumpNet."""

_PART: Final = re.compile(r"(?P<name>\w+)(?:\s*[=\s]\s*(?P<often>[^\s:=]+)(?:\s*[:\s]\s*(?P<values>[^:=]+))?)?")
_ACCEPTS: Final = "NAME=PROBABILITY or NAME=PROBABILITY:RANGE, with commas between, or a preset: " + ", ".join(PRESETS)


@dataclass(frozen=True)
class Part:
    """One transform of a recipe.

    Attributes:
        name: A row of `TRANSFORMS`.
        probability: How often a copy gets it, from 0 to 1.
        transform: The family with its range.
        everywhere: Whether every row of the table gets it (`mask=all:...`).
        text: As it was written.
    """

    name: str
    probability: float
    transform: Transform
    everywhere: bool
    text: str


def parse_recipe(text: str) -> tuple[Part, ...]:
    """Read a recipe.

    Args:
        text: As the table above shows.

    Returns:
        Its parts in order; what a preset has and the recipe names again takes the later numbers and the place that it
        had.

    Raises:
        BadInputError: A part that does not read, a probability outside of 0 to 1, or a transform that stands twice.
        BadNameError: No such transform or preset; the message names the nearest.
    """
    found: dict[str, Part] = {}
    own: set[str] = set()
    for one in filter(None, (part.strip() for part in text.split(","))):
        if one in PRESETS:
            found |= {part.name: part for part in parse_recipe(PRESETS[one]) if part.name not in found}
            continue
        part = _part(one)
        if part.name in own:
            raise BadInputError(f"{part.name} twice in recipe {text!r}", accepts="each once", fix="leave one out")
        own.add(part.name)
        found[part.name] = part
    return tuple(part for part in found.values() if part.probability > 0)


def _part(text: str) -> Part:
    parts = _PART.fullmatch(text)
    name = parts["name"] if parts else ""
    if name and name not in TRANSFORMS:
        raise BadNameError(
            f"{text!r} in a recipe",
            accepts="one of " + ", ".join([*TRANSFORMS, *PRESETS]),
            fix=near(name, [*TRANSFORMS, *PRESETS]) or "take a name from the list",
        )
    often = (parts["often"] or "") if parts else ""
    everywhere = often == "all" and name == "mask"
    try:
        probability = 1.0 if everywhere else float(often)
    except ValueError:
        probability = -1.0
    if parts is None or not 0 <= probability <= 1:
        example = "mask=1:0 0 1 0.1" if name == "mask" else f"{name or 'flip'}=0.5"
        raise BadInputError(f"{text!r} in a recipe", accepts=_ACCEPTS, fix=f"write {example}")
    transform = family(name).parse((parts["values"] or "").strip())
    return Part(name, probability, transform, everywhere, text)
