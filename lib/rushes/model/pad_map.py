"""Pad maps: keyboard and mouse as the controls of a pad, and back where that is total.

A map gives each pad control the keys, mouse buttons or motion that stand for it; what a real pad reports counts as
well, so one map serves every session. Back, a pad's values become keys by the same lines, unless a control moved that
the map gives no key.

A line is `SOUTH = ["Space"]` for a button; for a stick's axis `{ minus = ["KeyA"], plus = ["KeyD"] }`, or `{ motion =
"MouseDX", full = 300 }`, where `full` is the motion in one step at which the stick is full. Signs are the release's:
right and down are +1, as for the pointer. `store.pad_maps` reads the files.

Example:
    >>> found = PadMap.from_values({"name": "two keys", "buttons": {"SOUTH": ["space"]},
    ...                             "sticks": {"J_LEFT_X": {"minus": ["a"], "plus": ["d"]}}})
    >>> [(s.name, s.plus, s.minus) for s in found.space.slots if s.name in ("SOUTH", "J_LEFT_X")]
    [('SOUTH', ('Space',), ()), ('J_LEFT_X', ('KeyD',), ('KeyA',))]
    >>> found.controls
    ('Space', 'KeyD', 'KeyA')
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, near
from rushes.model.actions import ActionSpace
from rushes.model.controls import STICKS, kind_of, resolve
from rushes.model.conversions import conversion
from rushes.model.grid import Grid
from rushes.model.layouts import Slot

Floats = npt.NDArray[np.float32]

_LEAST_FULL: Final = 1e-6
_KEYS: Final = frozenset({"name", "buttons", "sticks", "games"})
_OWN: Final = frozenset({"buttons", "sticks"})
_PAD: Final = ActionSpace.from_layout("nitrogen25")
_BUTTONS: Final = tuple(name for name in _PAD.names if name not in STICKS)


@dataclass(frozen=True)
class PadMap:
    """What stands for each control of a pad.

    Attributes:
        name: What the file calls it, with the game where one of its tables was used.
        space: 21 buttons and 4 axes in the order of `nitrogen25`, each with the keys, mouse buttons or motion that
            stand for it; `unused` where nothing does.
    """

    name: str
    space: ActionSpace

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, game: str = "", where: str = "a pad map") -> PadMap:
        """Make a map of what its file says.

        Args:
            values: `name`, `buttons`, `sticks`, and `games`: name of a game -> its own `buttons` and `sticks`, whose
                lines take the place of the common ones. An empty list takes a control out.
            game: Whose lines to take; case does not matter; the common ones alone where it has none.
            where: What to name in an error.

        Raises:
            BadDataError: An unknown table, pad control or key, a line of another form, or a key that stands twice.
        """
        _known(values, _KEYS, f"{where}: table", "name, buttons, sticks, games")
        games = _table(values, "games", where)
        title = next((title for title in games if title.lower() == game.lower()), "")
        lines = _lines(values, where)
        for name in games:
            own = _table(games, name, f"{where}: games")
            _known(own, _OWN, f"{where}: games.{name}: table", "buttons, sticks")
            lines |= _lines(own, f"{where}: games.{name}") if name == title else {}
        slots = []
        for slot in _PAD.slots:
            make = _stick if slot.name in STICKS else _button
            slots.append(make(slot, lines[slot.name], where) if lines.get(slot.name) else _nothing(slot))
        name = str(values.get("name", "")) + (f" ({title})" if title else "")
        found = cls(name, ActionSpace("buttons", tuple(slots)))
        twice = [c for c in found.controls if sum((c in s.plus) + (c in s.minus) for s in slots) > 1]
        if twice:
            raise BadDataError(
                f"{where}: {', '.join(twice)} for several pad controls, or for both sides of one",
                accepts="a key for one pad control, so that there is a way back",
                fix="choose one of them",
            )
        return found

    @property
    def controls(self) -> tuple[str, ...]:
        """Keys, mouse buttons and motions that it has a place for."""
        return tuple(dict.fromkeys(c for s in self.space.slots for c in (*s.plus, *s.minus)))

    def pad(self, grid: Grid) -> Floats:
        """Read steps as a pad's controls.

        Args:
            grid: N steps of anything: keyboard, mouse, pad or all.

        Returns:
            (N, 25) float32: 21 buttons, 0 or 1; 4 axes, -1 to 1, right and down +1; in the order of `nitrogen25`.
        """
        found = grid.vector(self.space) + grid.vector(_PAD)
        limits = np.array([slot.limits for slot in _PAD.slots], np.float32)
        return np.asarray(np.clip(found, limits[:, 0], limits[:, 1]), np.float32)

    def clipped(self, grid: Grid) -> int:
        """Count the steps whose motion is more than a full stick can say."""
        over = np.zeros(len(grid), bool)
        for slot in self.space.slots:
            for control in (*slot.plus, *slot.minus):
                if control in grid.motion:
                    over |= np.abs(grid.motion[control] * slot.scale) > 1
        return int(over.sum())

    def ways_back(self, target: ActionSpace) -> tuple[str, ...]:
        """Name the pad controls whose values become something in `target`."""
        dropped = conversion(self.space, target).dropped
        return tuple(s.name for s in self.space.slots if s.role != "unused" and s.name not in dropped)

    def keys(self, values: npt.ArrayLike, target: ActionSpace, *, partial: bool = False) -> Floats:
        """Read a pad's values as keys, mouse buttons and motion.

        Args:
            values: (N, 25) in the order of `nitrogen25`.
            target: What is wanted: physical keys, or a layout such as `capture20`.
            partial: Leave out what has no way back instead of refusing it; the caller counts it.

        Returns:
            (N, len(target)) float32. Of several keys that stand for one control the first is pressed; a stick that
            stands for keys is down from 0.5 on.

        Raises:
            BadInputError: A control moved that the map, or the target, has no key for: there is no way back; the
                message names it.
        """
        given = np.asarray(values, np.float32)
        moved = np.abs(given).reshape(-1, len(self.space)).max(0, initial=0) > 0
        back = self.ways_back(target)
        lost = [name for name, m in zip(self.space.names, moved, strict=True) if m and name not in back]
        if lost and not partial:
            raise BadInputError(
                f"a way back from {', '.join(lost)}, which the map {self.name!r} gives nothing in {target!r}",
                accepts="rows in which only mapped controls move",
                fix="give the control a key in the map, or stay with the pad's own layout",
            )
        return conversion(self.space, target).vectors(given)

    def __repr__(self) -> str:
        return f"PadMap({self.name!r}: {len(self.controls)} controls)"


def _table(values: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = values.get(name, {})
    if not isinstance(found, Mapping):
        raise BadDataError(f"{where}: {name} = {found!r}", accepts="a table", fix=f"write it below [{name}]")
    return found


def _known(given: Mapping[str, Any], accepted: Collection[str], what: str, accepts: str) -> None:
    for name in given:
        if name not in accepted:
            raise BadDataError(
                f"{what} {name!r}", accepts=accepts, fix=near(name, accepted) or "take a name of the list"
            )


def _lines(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    buttons, sticks = _table(values, "buttons", where), _table(values, "sticks", where)
    _known(buttons, _BUTTONS, f"{where}: button", "the buttons of nitrogen25")
    _known(sticks, STICKS, f"{where}: stick", ", ".join(STICKS))
    return {**buttons, **sticks}


def _resolved(names: Any, where: str, *, motion: bool = False) -> tuple[str, ...]:
    """Resolve a list of keys; pads and motions are no keys."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadDataError(f"{where}: {names!r}", accepts='a list of names such as ["Space"]', fix="put it in brackets")
    found = tuple(control for name in names for control in resolve(name))
    wrong = [c for c in found if (kind_of(c) == "motion") != motion or kind_of(c) == "axis" or c in _BUTTONS]
    if wrong:
        raise BadDataError(
            f"{where}: {', '.join(wrong)}",
            accepts="one motion of the mouse" if motion else "keys and mouse buttons",
            fix='motion is written as { motion = "MouseDX", full = 300 }',
        )
    return found


def _button(slot: Slot, names: Any, where: str) -> Slot:
    return replace(slot, plus=_resolved(names, f"{where}: {slot.name}"))


def _nothing(slot: Slot) -> Slot:
    return replace(slot, role="unused", plus=(), minus=())


def _stick(slot: Slot, line: Any, where: str) -> Slot:
    place = f"{where}: {slot.name}"
    if not isinstance(line, Mapping):
        raise BadDataError(f"{place} = {line!r}", accepts="a table", fix='write { minus = ["KeyA"], plus = ["KeyD"] }')
    if "motion" in line:
        _known(line, ("motion", "full"), f"{place}: entry", "motion, full")
        (motion,) = _resolved([line["motion"]], place, motion=True)
        full = line.get("full", 0)
        if isinstance(full, bool) or not isinstance(full, int | float) or not _LEAST_FULL <= full < math.inf:
            raise BadDataError(
                f"{place}: full = {full!r}", accepts=f"a number from {_LEAST_FULL:g} on", fix="write full = 300"
            )
        return replace(slot, role="motion", plus=(motion,), scale=1 / full)
    _known(line, ("minus", "plus"), f"{place}: entry", "minus and plus, or motion and full")
    plus, minus = (_resolved(line.get(side, []), place) for side in ("plus", "minus"))
    return replace(slot, plus=plus, minus=minus)
