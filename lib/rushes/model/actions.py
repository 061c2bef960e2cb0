"""Action spaces: what can be done in a session, as an ordered list of named slots.

Three kinds: `buttons` (a vector of named buttons, axes and motions), `discrete` (one of n named actions, as
in ALE) and `box` (a vector of numbers that an environment does not name). A space survives JSON, has a
stable digest and knows its left-right mirror image; `rushes.model.conversions` carries values to another
space.

Example:
    >>> pong = ActionSpace.discrete(["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"], world="ALE")
    >>> pong.mirror().indices([2, 5]).tolist(), pong
    ([3, 4], ActionSpace(discrete, 6: ALE/NOOP, ALE/FIRE ... ALE/LEFTFIRE))
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, BadNameError, near
from rushes.model.controls import CONTROLS, mirror_control
from rushes.model.layouts import Slot, layout, slot

SpaceKind = Literal["buttons", "discrete", "box"]
SPACE_KINDS: Final[tuple[SpaceKind, ...]] = ("buttons", "discrete", "box")


@dataclass(frozen=True)
class ActionSpace:
    """What can be done: an ordered list of named slots.

    Attributes:
        kind: `buttons`, `discrete` or `box`.
        slots: Columns of the vector; for `discrete` the actions in the order of their numbers.

    Raises:
        BadInputError: An unknown kind, a name that stands twice, or a discrete space without actions.
    """

    kind: SpaceKind
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        if self.kind not in SPACE_KINDS:
            raise BadInputError(
                f"kind {self.kind!r} of an action space",
                accepts="one of " + ", ".join(SPACE_KINDS),
                fix="name the kind",
            )
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice or (self.kind == "discrete" and not self.slots):
            raise BadInputError(
                f"an action space with {', '.join(twice) + ' twice' if twice else 'no action'}",
                accepts="names that stand once",
                fix="rename or remove the others" if twice else "name at least one action",
            )

    @classmethod
    def from_layout(cls, name: str) -> ActionSpace:
        """Make the space of a known layout (`capture28`, `nitrogen25`, `ale18` ...)."""
        found = layout(name)
        return cls(found.kind, found.slots)

    @classmethod
    def from_names(cls, names: Iterable[str]) -> ActionSpace:
        """Make a space of buttons, axes and motions from names that `layouts.slot` understands."""
        return cls("buttons", tuple(slot(name) for name in names))

    @classmethod
    def discrete(cls, names: Iterable[str], *, world: str = "") -> ActionSpace:
        """Make a one-of-n space.

        Args:
            names: Actions in the order of their numbers, `WORLD/NAME` or, with `world`, the bare name.
            world: What to put before a bare name (`ALE`, `CartPole`).
        """
        full = (name if "/" in name or not world else f"{world}/{name}" for name in names)
        return cls("discrete", tuple(Slot(name, "button", (name,)) for name in full))

    @classmethod
    def box(cls, low: Sequence[float], high: Sequence[float], names: Sequence[str] = ()) -> ActionSpace:
        """Make a continuous space.

        Args:
            low: Lower limits; an infinite one counts as none.
            high: Upper limits.
            names: Names of the numbers; `0`, `1` ... where not given.
        """
        names = names or [str(number) for number in range(len(low))]
        rows = zip(names, low, high, strict=True)
        return cls("box", tuple(Slot(n, "axis", (n,), (), _limit(a), _limit(b)) for n, a, b in rows))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the slots in order."""
        return tuple(s.name for s in self.slots)

    def __len__(self) -> int:
        return len(self.slots)

    def index(self, name: str) -> int:
        """Find the place of a slot.

        Raises:
            BadNameError: No slot has this name; the message names the nearest.
        """
        if name in self.names:
            return self.names.index(name)
        raise BadNameError(
            f"slot {name!r}",
            accepts="a name of " + repr(self),
            fix=near(name, self.names) or "take a name from ActionSpace.names",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the space as plain JSON values."""
        return {"kind": self.kind, "slots": [s.to_json() for s in self.slots]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ActionSpace:
        """Rebuild a space from `to_json()`.

        Raises:
            BadDataError: A key is missing or a value is none that a space can have.
        """
        try:
            return cls(value["kind"], tuple(Slot.from_json(s) for s in value["slots"]))
        except (KeyError, TypeError, BadInputError) as error:
            raise BadDataError(
                f"an action space that does not read ({error})",
                accepts="kind and slots",
                fix="write it with ActionSpace.to_json",
            ) from error

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the canonical JSON (sorted keys, no blanks); the same on every machine."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def mirror(self, pairs: Mapping[str, str] | None = None) -> Mirror:
        """Give the left-right mirror image of actions, to go with a flipped picture.

        Args:
            pairs: Controls and their images where this game differs from common use (see
                `controls.mirror_control`): `{"KeyQ": "KeyE"}` holds both ways, `{"0": "-0"}` changes the
                sign.

        Raises:
            BadInputError: Nothing says what the image of a control is (numbers of a box, actions of an own
                world), or it is not in the space: then a flipped picture has no correct action.
        """
        given = dict(pairs or {})
        given |= {b: a for a, b in given.items() if not b.startswith("-")}
        places = {(s.role, frozenset(s.plus), frozenset(s.minus)): k for k, s in enumerate(self.slots)}
        order, sign = [], []
        for k, s in enumerate(self.slots):
            plus, minus = self._image(s.plus, given), self._image(s.minus, given)
            signed = [*plus, *((control, -way) for control, way in minus)]
            sides = [frozenset(control for control, way in signed if way == side) for side in (1, -1)]
            if s.role == "unused" or sides == [frozenset(s.plus), frozenset(s.minus)]:
                place, way = k, 1
            elif (s.role, sides[0], sides[1]) in places:
                place, way = places[s.role, sides[0], sides[1]], 1
            elif s.role != "button" and (s.role, sides[1], sides[0]) in places:
                place, way = places[s.role, sides[1], sides[0]], -1
            else:
                raise BadInputError(
                    f"a mirror image of {self!r}, where {s.name} has no partner",
                    accepts="a space that holds both sides",
                    fix="leave out the flip, or name the partner with pairs",
                )
            order.append(place)
            sign.append(way)
        if any(order[place] != k for k, place in enumerate(order)):
            raise BadInputError(f"pairs={given!r}", accepts="pairs that undo each other", fix="name each control once")
        return Mirror(np.array(order, np.int64), np.array(sign, np.int64))

    def _image(self, controls: Iterable[str], given: Mapping[str, str]) -> list[tuple[str, int]]:
        found = []
        for control in controls:
            if control in given:
                name = given[control]
                found.append((name.removeprefix("-"), -1 if name.startswith("-") else 1))
            elif control in CONTROLS or control.endswith("/NOOP"):
                found.append(mirror_control(control))
            else:
                raise BadInputError(
                    f"a mirror image of {self!r}, where nothing says what {control} becomes",
                    accepts="controls with a known left and right",
                    fix=f"pass pairs={{{control!r}: ...}}, or leave out the flip",
                )
        return found

    def __repr__(self) -> str:
        shown = list(self.names) if len(self) <= 3 else [*self.names[:2], "...", self.names[-1]]  # noqa: PLR2004
        return f"ActionSpace({self.kind}, {len(self)}: {', '.join(shown).replace(', ..., ', ' ... ')})"


def _limit(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class Mirror:
    """A permutation with signs; applied twice it gives back what it took.

    Attributes:
        order: (A,) int64; column k of the image is column order[k] of the original.
        sign: (A,) int64, 1 or -1.
    """

    order: npt.NDArray[np.int64]
    sign: npt.NDArray[np.int64]

    def vectors(self, values: npt.ArrayLike) -> npt.NDArray[Any]:
        """Mirror action vectors: (..., A) in, a copy of the same shape and dtype out."""
        found = np.take(np.asarray(values), self.order, axis=-1)
        found[..., self.sign < 0] = 0 - found[..., self.sign < 0]
        return found

    def indices(self, actions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Mirror numbers of a discrete space: (...) integers in, (...) int64 out."""
        return np.asarray(self.order[np.asarray(actions)], np.int64)

    def __repr__(self) -> str:
        return f"Mirror({len(self.order)}: {int((self.order != np.arange(len(self.order))).sum())} moved)"
