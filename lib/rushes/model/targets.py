r"""Targets: what a sample is labelled for, written as people say it.

| written | means |
| --- | --- |
| `KeyW`, `w`, `lmb`, `ALE/FIRE` | a button, by its name or alias |
| `shift` | either side: one action |
| `Space\|KeyW\|SOUTH` | any of them: one action, from the first that goes down to the last that goes up |
| `J_LEFT_X>0.5`, `J_LEFT_Y<-0.5` | a stick beyond a threshold |
| `RIGHT_TRIGGER`, `RIGHT_TRIGGER>0.2` | a trigger, at half its way or at a threshold |
| `w, space` | two targets, each labelled by itself |

Example:
    >>> [str(target) for target in parse_targets("w|space, J_LEFT_X>0.5")]
    ['KeyW|Space', 'J_LEFT_X>0.5']
    >>> str(parse_targets("J_LEFT_X>0.5|a")[0].mirror())
    'J_LEFT_X<-0.5|KeyD'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from rushes.errors import BadInputError, BadNameError
from rushes.model.controls import TRIGGERS, kind_of, mirror_control, resolve

_BEYOND: Final = re.compile(r"\s*(?P<name>[^<>]+?)\s*(?P<way>[<>])\s*(?P<number>[^<>]+?)\s*")
_ACCEPTS: Final = "names with | for any of them, NAME>NUMBER or NAME<NUMBER for an axis, commas between targets"


@dataclass(frozen=True)
class Part:
    """One control of a target.

    Attributes:
        control: A physical name, or the number of a slot of a box (`0`).
        way: `""` for a button, `>` or `<` for an axis beyond a threshold.
        threshold: Position beyond which it counts as down; 0 where it is a button.
    """

    control: str
    way: Literal["", ">", "<"] = ""
    threshold: float = 0.0

    def __str__(self) -> str:
        return f"{self.control}{self.way}{self.threshold:g}" if self.way else self.control

    def mirror(self, partner: str, sign: int) -> Part:
        """Give the part that does the same in the mirrored picture.

        Args:
            partner: The control that does the same there.
            sign: -1 where its positions change their sign.
        """
        if not self.way or sign > 0:
            return Part(partner, self.way, self.threshold)
        return Part(partner, "<" if self.way == ">" else ">", -self.threshold)


@dataclass(frozen=True)
class Target:
    """Controls that count as one action: it is down while any of them is.

    Attributes:
        parts: At least one.
    """

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "|".join(str(part) for part in self.parts)

    def mirror(self) -> Target:
        """Give the target that means the same in the mirrored picture, by common use (`controls.mirror_control`)."""
        return Target(tuple(part.mirror(*mirror_control(part.control)) for part in self.parts))


def parse_targets(text: str | Iterable[str]) -> tuple[Target, ...]:
    """Read targets.

    Args:
        text: As the table above shows; or several such texts.

    Returns:
        One or more targets, each once, in the order given.

    Raises:
        BadInputError: No target, a threshold that is no number, or an axis without one.
        BadNameError: A control that does not exist; the message names the nearest.
    """
    texts = text.split(",") if isinstance(text, str) else [one for given in text for one in given.split(",")]
    found = dict.fromkeys(_target(one) for one in texts if one.strip())
    if not found:
        raise BadInputError(f"controls={text!r}", accepts=_ACCEPTS, fix="name a control, such as Space or KeyW")
    return tuple(found)


def _target(text: str) -> Target:
    parts = [part for one in text.split("|") for part in _parts(one)]
    return Target(tuple(dict.fromkeys(parts)))


def _parts(text: str) -> list[Part]:
    beyond = _BEYOND.fullmatch(text)
    if beyond is None:
        controls = resolve(text.strip())
        for control in controls:
            if kind_of(control) != "button" and control not in TRIGGERS:
                raise BadInputError(
                    f"control {control!r}, which is no button",
                    accepts=_ACCEPTS,
                    fix=f"write {control}>0.5 or {control}<-0.5"
                    if kind_of(control) == "axis"
                    else "name a button, or an axis with its threshold",
                )
        return [Part(control) for control in controls]
    try:
        threshold = float(beyond["number"])
    except ValueError:
        threshold = math.nan
    if not math.isfinite(threshold):
        raise BadInputError(f"control {text.strip()!r}", accepts=_ACCEPTS, fix="write a number behind the sign")
    way: Literal[">", "<"] = ">" if beyond["way"] == ">" else "<"
    return [Part(control, way, threshold) for control in _axes(beyond["name"])]


def _axes(name: str) -> tuple[str, ...]:
    if name.isdecimal():
        return (name,)  # a number of a box has no other name than its place
    controls = resolve(name)
    for control in controls:
        if kind_of(control) != "axis" and control not in TRIGGERS:
            raise BadNameError(
                f"threshold of {control!r}, which is {kind_of(control)}",
                accepts="sticks, triggers, and numbers of a box",
                fix="leave the threshold out for a button",
            )
    return controls
