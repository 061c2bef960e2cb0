"""What the actions of a world are called, as words that name directions and buttons.

ALE and many other worlds name their actions themselves (`ALE/UPFIRE`). Gymnasium's own environments number them; what
their numbers do stands in `KNOWN`, by the page of each environment. Any other number stays a number.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> words_of(ActionSpace.discrete(["0", "1", "2"], world="MountainCar"))
    ('LEFT', 'NOOP', 'RIGHT')
    >>> sorted(parts_of("UPRIGHTFIRE")), parts_of("NOOP"), sorted(parts_of("JUMP"))
    (['FIRE', 'RIGHT', 'UP'], frozenset(), ['JUMP'])
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rushes.model.actions import ActionSpace

NOTHING: Final = "NOOP"
"""The word of an action that does nothing."""
DIRECTIONS: Final = ("UP", "DOWN", "LEFT", "RIGHT")

KNOWN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CartPole": ("LEFT", "RIGHT"),
        "MountainCar": ("LEFT", NOTHING, "RIGHT"),
        "Acrobot": ("LEFT", NOTHING, "RIGHT"),
        "LunarLander": (NOTHING, "LEFT", "UP", "RIGHT"),
        "CarRacing": (NOTHING, "RIGHT", "LEFT", "UP", "DOWN"),
        "FrozenLake": ("LEFT", "DOWN", "RIGHT", "UP"),
        "FrozenLake8x8": ("LEFT", "DOWN", "RIGHT", "UP"),
        "CliffWalking": ("UP", "RIGHT", "DOWN", "LEFT"),
        "CliffWalkingSlippery": ("UP", "RIGHT", "DOWN", "LEFT"),
        "Taxi": ("DOWN", "UP", "RIGHT", "LEFT", "PICKUP", "DROPOFF"),
        "Blackjack": ("STICK", "HIT"),
    }
)
"""Actions in the order of their numbers. Source: the section "Action Space" of each environment in Gymnasium 1.4."""

IN_TURNS: Final = frozenset(
    {"FrozenLake", "FrozenLake8x8", "CliffWalking", "CliffWalkingSlippery", "Taxi", "Blackjack"}
)
"""Worlds that wait for a move; time does not pass in them."""

_EMPTY: Final = frozenset({NOTHING, "NOTHING", "NO_OP", "NONE", "IDLE", "STAY", "WAIT"})
_STICK: Final = re.compile(r"(?:(UP|DOWN))?(?:(LEFT|RIGHT))?(FIRE)?")


def words_of(space: ActionSpace) -> tuple[str, ...]:
    """Name the actions of a discrete space.

    Args:
        space: A discrete space, its names `WORLD/NAME`.

    Returns:
        A word an action, upper case without the world; a number where nobody says what it does.
    """
    names = [name.rpartition("/")[2].upper() for name in space.names]
    known = KNOWN.get(world_of(space), ())
    return known if len(known) == len(names) and all(name.isdigit() for name in names) else tuple(names)


def world_of(space: ActionSpace) -> str:
    """Return the world before the names of a discrete space (`ALE`, `Taxi`), `""` where there is none."""
    return space.names[0].rpartition("/")[0] if space.kind == "discrete" else ""


def parts_of(word: str) -> frozenset[str]:
    """Take a word apart into what has to be held for it.

    Args:
        word: As `words_of` gives it.

    Returns:
        Directions and FIRE of a joystick's word, nothing for one that does nothing, else the word itself.
    """
    if word in _EMPTY:
        return frozenset()
    found = _STICK.fullmatch(word)
    return frozenset(part for part in found.groups() if part) if found and word else frozenset({word})
