"""Bindings: which key and which button of a pad does what, in any world, by the names of its actions.

| what a world has | keys | pad |
|---|---|---|
| UP, DOWN, LEFT, RIGHT | arrows, or W S A D | d-pad, left stick |
| FIRE, JUMP | Space | SOUTH, EAST |
| other names, in their order | Enter, E, Q, F ... | WEST, NORTH, shoulders |
| numbers that nobody names | the digits | none |
| numbers of a vector: the first two | left and right, down and up; a key gives the bound itself | left stick |
| the next two | J and L, K and I | right stick |

Several at once make the action that has them all. Where a world has no such action, what it knows nothing of is left
out first (UP in Breakout); of the rest the action with the most of them is taken, and of two with as many the one that
has what was pressed last. So while RIGHT is held a tap of FIRE fires even where there is no RIGHTFIRE. Of two opposite
directions the one pressed last counts. Keys have the W3C's names of places on the keyboard, pads NitroGen's.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> pong = Bindings(ActionSpace.discrete(["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"], world="ALE"))
    >>> pong.action(Held(("ArrowRight", "Space"))), pong.action(Held(("KeyA",))), pong.action(Held())
    (4, 3, 0)
    >>> pong.table()[0]
    {'does': 'LEFT', 'keys': ['ArrowLeft', 'KeyA'], 'pad': ['DPAD_LEFT', 'J_LEFT_X-']}
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rushes.capture.hand.words import DIRECTIONS, IN_TURNS, parts_of, words_of, world_of
from rushes.model.actions import ActionSpace

DEAD_ZONE: Final = 0.12
"""How far a stick may stand from its middle without meaning anything; sticks at rest are off by up to a tenth."""

_PLACES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "UP": (("ArrowUp", "KeyW"), ("DPAD_UP", "J_LEFT_Y-")),
        "DOWN": (("ArrowDown", "KeyS"), ("DPAD_DOWN", "J_LEFT_Y+")),
        "LEFT": (("ArrowLeft", "KeyA"), ("DPAD_LEFT", "J_LEFT_X-")),
        "RIGHT": (("ArrowRight", "KeyD"), ("DPAD_RIGHT", "J_LEFT_X+")),
        "FIRE": (("Space",), ("SOUTH", "EAST")),
        "JUMP": (("Space",), ("SOUTH", "EAST")),
    }
)
_OPPOSITE: Final = {"UP": "DOWN", "DOWN": "UP", "LEFT": "RIGHT", "RIGHT": "LEFT"}
_MORE_KEYS: Final = ("Space", "Enter", "KeyE", "KeyQ", "KeyF", "KeyG", "KeyZ", "KeyX", "KeyC", "KeyV", "KeyB")
_MORE_PAD: Final = ("SOUTH", "EAST", "WEST", "NORTH", "RIGHT_SHOULDER", "LEFT_SHOULDER", "RIGHT_TRIGGER+")
_DIGITS: Final = tuple(f"Digit{digit}" for digit in range(10))


class _Side(NamedTuple):
    """One side of a pair: what is pressed for it, and the stick with the sign that its deflection has there."""

    controls: tuple[str, ...]
    stick: str = ""
    sign: int = 1


_PAIRS: Final = (
    (
        _Side(("ArrowLeft", "KeyA", "DPAD_LEFT"), "J_LEFT_X", -1),
        _Side(("ArrowRight", "KeyD", "DPAD_RIGHT"), "J_LEFT_X"),
    ),
    (_Side(("ArrowDown", "KeyS", "DPAD_DOWN"), "J_LEFT_Y"), _Side(("ArrowUp", "KeyW", "DPAD_UP"), "J_LEFT_Y", -1)),
    (_Side(("KeyJ",), "J_RIGHT_X", -1), _Side(("KeyL",), "J_RIGHT_X")),
    (_Side(("KeyK",), "J_RIGHT_Y"), _Side(("KeyI",), "J_RIGHT_Y", -1)),
    *((_Side((f"Digit{one}",)), _Side((f"Digit{one + 1}",))) for one in (1, 3, 5, 7)),
)
"""Numbers of a vector in order: what is held for less, and what for more."""


class Held(NamedTuple):
    """What a person does at one moment.

    Attributes:
        down: What is held, in the order in which it was pressed; a stick or trigger beyond half its way stands among
            them with its side: `J_LEFT_X-`.
        axes: Where sticks (-1 to 1, up is -1) and triggers (0 to 1) stand.
    """

    down: tuple[str, ...] = ()
    axes: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Binding:
    """One line of the table.

    Attributes:
        does: What it does: a direction, a button, `action 3`, `2 down`.
        keys: Keys, any of which does it.
        pad: The same of a pad.
    """

    does: str
    keys: tuple[str, ...]
    pad: tuple[str, ...] = ()

    @property
    def controls(self) -> tuple[str, ...]:
        """Keys and pad together."""
        return (*self.keys, *self.pad)


class Bindings:
    """The bindings of one world.

    Args:
        space: Its actions.

    Attributes:
        space: The same.
        rows: What each control does.
        in_turns: Whether the world waits for a move: a step is taken with each press and not otherwise.
        rest: The action where nothing is held; None where a world has none that does nothing.
    """

    def __init__(self, space: ActionSpace) -> None:
        self.space = space
        self.in_turns = world_of(space) in IN_TURNS
        self.rest: Any = None
        self._actions: dict[frozenset[str], int] = {}
        self._sides: list[tuple[_Side | None, _Side | None]] = []
        if space.kind == "discrete":
            words = words_of(space)
            for number, word in enumerate(words):
                self._actions.setdefault(parts_of(word), number)
            self.rest = self._actions.get(frozenset(), 0 if all(word.isdigit() for word in words) else None)
            self.rows = _named_rows(sorted({part for parts in self._actions for part in parts}, key=self._rank))
        else:
            ranges = [_range(slot.limits) for slot in space.slots]
            self.rest = [middle for _, middle, _ in ranges]
            self._sides = list(_sides(ranges))
            self.rows = tuple(_box_rows(space.names, ranges, self._sides))
        self._does = {control: row.does for row in self.rows for control in row.controls}

    def _rank(self, part: str) -> tuple[int, int]:
        order = (*DIRECTIONS, "FIRE")
        first = min(number for parts, number in self._actions.items() if part in parts)
        return order.index(part) if part in order else len(order), first

    @property
    def controls(self) -> frozenset[str]:
        """All physical controls that do something, sticks and triggers without their sides."""
        return frozenset(control.rstrip("+-") for row in self.rows for control in row.controls)

    def action(self, held: Held) -> Any:
        """Say what a person asks for.

        Args:
            held: What is held.

        Returns:
            The number of an action, or a list of floats; `rest` where nothing is held that means anything.
        """
        if self.space.kind != "discrete":
            return [self._number(place, held) for place in range(len(self.space))]
        wanted: list[str] = []
        for control in held.down:  # the newest last
            part = self._does.get(control)
            if part is not None:
                wanted = [*(w for w in wanted if w not in {part, _OPPOSITE.get(part)}), part]
        age = {part: place for place, part in enumerate(wanted)}
        fitting = [parts for parts in self._actions if parts and parts <= age.keys()]
        if not fitting:
            return self.rest
        return self._actions[max(fitting, key=lambda ps: (len(ps), sorted((age[p] for p in ps), reverse=True)))]

    def together(self, controls: Collection[str]) -> bool:
        """Say whether one action does all that these controls ask for.

        Args:
            controls: What is pressed at once.
        """
        if self.space.kind == "discrete":
            parts = frozenset(self._does[control] for control in controls if control in self._does)
            return len(parts) <= 1 or parts in self._actions
        pressed = {*controls}
        return not any(all(side is not None and pressed & {*side.controls} for side in sides) for sides in self._sides)

    def _number(self, place: int, held: Held) -> float:
        low, middle, high = _range(self.space.slots[place].limits)
        sides = self._sides[place]
        keys = [control for control in held.down if any(side and control in side.controls for side in sides)]
        ways = [0.0, 0.0]  # how far down, how far up
        for way, side in enumerate(sides):
            if side is not None:
                ways[way] = max(0.0, side.sign * past_dead_zone(held.axes.get(side.stick, 0.0)))
                if keys:
                    ways[way] = float(keys[-1] in side.controls)
        return middle - ways[0] * (middle - low) + ways[1] * (high - middle)

    def table(self) -> list[dict[str, Any]]:
        """Say it to the person: one row a thing that can be done, as plain JSON values."""
        return [{"does": row.does, "keys": list(row.keys), "pad": list(row.pad)} for row in self.rows]


def past_dead_zone(value: float) -> float:
    """Give 0 within the dead zone of a stick and the rest of its way from there on, -1 to 1."""
    over = max(0.0, abs(value) - DEAD_ZONE) / (1 - DEAD_ZONE)
    return math.copysign(min(1.0, over), value)


def _named_rows(parts: Iterable[str]) -> tuple[Binding, ...]:
    rows: list[Binding] = []
    used: set[str] = set()
    names = list(parts)
    for part in sorted(names, key=lambda name: name not in _PLACES):  # those with a place of their own first
        keys, pad = _PLACES.get(part, ((), ()))
        if part.isdigit():
            keys = _DIGITS[int(part) : int(part) + 1]
        if not keys or used & {*keys}:
            keys, pad = _first(_MORE_KEYS, used), _first(_MORE_PAD, used)
        used |= {*keys, *pad}
        rows.append(Binding(part, keys, pad))
    return tuple(row for row in sorted(rows, key=lambda row: names.index(row.does)) if row.controls)


def _first(names: tuple[str, ...], used: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in used)[:1]


def _sides(ranges: Iterable[tuple[float, float, float]]) -> Iterator[tuple[_Side | None, _Side | None]]:
    """Give each number a pair of sides; of numbers that go one way only, two share a pair (gas and brake)."""
    free, spare = iter(_PAIRS), list[_Side]()
    for low, middle, high in ranges:
        if low < middle < high:
            yield next(free, (None, None))
            continue
        if low == high:
            yield None, None
            continue
        if not spare:
            pair = next(free, None)
            spare = [pair[1], pair[0]] if pair else []
        side = spare.pop(0) if spare else None
        yield (None, side) if high > middle else (side, None)


def _box_rows(
    names: Iterable[str],
    ranges: Iterable[tuple[float, float, float]],
    sides: Iterable[tuple[_Side | None, _Side | None]],
) -> Iterator[Binding]:
    for name, (low, _, high), pair in zip(names, ranges, sides, strict=True):
        for bound, side in zip((low, high), pair, strict=True):
            if side is not None:
                keys = tuple(control for control in side.controls if not control.startswith("DPAD"))
                pad = tuple(control for control in side.controls if control.startswith("DPAD"))
                stick = (f"{side.stick}{'+' if side.sign > 0 else '-'}",) if side.stick else ()
                yield Binding(f"{name} = {bound:g}", keys, (*pad, *stick))


def _range(limits: tuple[float, float]) -> tuple[float, float, float]:
    """Give lowest, middle and highest value that keys and sticks reach; a number without limits goes from -1 to 1."""
    low, high = limits
    low = low if math.isfinite(low) else min(-1.0, high)
    high = high if math.isfinite(high) else max(1.0, low)
    return low, min(max(0.0, low), high), high
