"""The notebook's numbers as sliders: what they do to the balance, the grid of kinds and the copies.

What is drawn is what the notebook showed above, by the same functions, for where the sliders stand. The copies of this
drawing have a brightness of their own; the other transforms are those of the recipe.

Example (a cell of the notebook, in a running JupyterLab):
    >>> def cell(made):
    ...     return sliders(made)
    >>> amounts("uniform=1x, near_miss=0.5x, idle=500, hard=all")
    {'uniform': 1.0, 'near_miss': 0.5}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rushes.notebook.negatives.steps import Made, Plan, Say, make_samples
from rushes.prepare.augment.recipe import parse_recipe
from rushes.prepare.negatives.amounts import parse_kinds
from rushes.preview.sample_augment import families
from rushes.preview.sample_grid import sample_grid
from rushes.preview.sample_plots import class_balance
from rushes.preview.sample_sheet import shown
from rushes.widgets.sample_sliders import Knob, SampleSliders, sample_sliders

_BRIGHTNESS: Final = (0.7, 1.3)
_RANGE: Final = re.compile(r"(\d*\.?\d+)\s*\.\.\s*(\d*\.?\d+)")
_MOST: Final = 3.0
_FRAMES: Final = 15


def sliders(made: Made) -> SampleSliders:
    """Show the sliders.

    Args:
        made: What the notebook prepared; the sliders begin where its parameters stand.
    """
    return sample_sliders(knobs(made.plan), lambda values, say: look(made, values, say))


def knobs(plan: Plan) -> list[Knob]:
    """Make a slider of each number of a plan.

    Args:
        plan: What was asked for. Kinds with a fixed amount, and an exclusion in ms, stay as they are.
    """
    found = []
    if plan.exclusion.isdecimal():
        frames = int(plan.exclusion)
        found.append(Knob("exclusion", "exclusion, frames", frames, 0, max(frames, _FRAMES), 1))
    found += [
        Knob(f"kind_{kind}", f"{kind}, a positive", number, 0.0, max(number, _MOST), 0.25)
        for kind, number in amounts(plan.kinds).items()
    ]
    ratio, (low, high) = float(plan.ratio), _brightness(plan)
    found.append(Knob("ratio", "negatives a positive", ratio, 0.0, max(ratio, 5.0), 0.25))
    found.append(Knob("copies", "copies a positive", plan.copies, 0, max(plan.copies, 5), 1))
    found.append(Knob("brightness", "brightness, factor", (low, high), min(low, 0.2), max(high, 2.0), 0.05))
    return found


def amounts(kinds: str) -> dict[str, float]:
    """Read the kinds whose amount is so many a positive.

    Args:
        kinds: As the plan has them.
    """
    return {kind.value: amount.number for kind, amount in parse_kinds(kinds).items() if amount.per_positive}


def planned(plan: Plan, values: Mapping[str, Any]) -> Plan:
    """Give the plan for where sliders stand.

    Args:
        plan: What was asked for at first.
        values: Of the sliders, by name.
    """
    kinds = {kind.value: str(amount) for kind, amount in parse_kinds(plan.kinds).items()}
    kinds |= {name.removeprefix("kind_"): f"{value:g}x" for name, value in values.items() if name.startswith("kind_")}
    written = ", ".join(f"{kind}={amount}" for kind, amount in kinds.items() if amount != "0x")
    low, high = values["brightness"]
    parts = [part.text for part in parse_recipe(plan.recipe) if part.name != "brightness"]
    often = next((part.probability for part in parse_recipe(plan.recipe) if part.name == "brightness"), 1.0)
    return replace(
        plan,
        exclusion=str(values.get("exclusion", plan.exclusion)),
        kinds=written,
        ratio=values["ratio"],
        copies=values["copies"],
        recipe=", ".join([*parts, f"brightness={often:g}:{low:g}..{high:g}"]),
    )


def look(made: Made, values: Mapping[str, Any], say: Say) -> list[Any]:
    """Prepare anew and draw.

    Args:
        made: What was prepared at first.
        values: Of the sliders, by name.
        say: Called with (done, total, what).

    Raises:
        BadInputError: Numbers that mean nothing together; the sentence says which.
    """
    new = make_samples(planned(made.plan, values), made.sessions, say=say)
    drawn: list[Any] = [class_balance(new.stages)]
    drawn.append(shown(sample_grid(new.balanced, new.load), alt="positives beside each kind of negative"))
    if (new.whole.rows["parent"] != "").any():
        drawn.append(shown(families(new.whole, new.load, most=2), alt="positives with their copies"))
    return drawn


def _brightness(plan: Plan) -> tuple[float, float]:
    for part in parse_recipe(plan.recipe):
        found = _RANGE.search(part.text) if part.name == "brightness" else None
        if found:
            return float(found[1]), float(found[2])
    return _BRIGHTNESS
