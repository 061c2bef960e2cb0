"""The game's names of what a player does, as inputs and back.

`move_forward_start` is W going down. Rows of frames say which of W, A, S, D are down; what they cannot say stands in
the actions alone: a `jump` is a tap of Space, `inspect_start` and `inspect_end` begin and end the mode `inspect`. An
action `_start` of what has started already is the keyboard's auto-repeat.

Source: gudlaa/ReActure game.js at d04b59d, calls of logPlayerAction.

Example:
    >>> name_of("KeyW", "press"), name_of("Space", "press"), name_of("MouseLeft", "release")
    ('move_forward_start', 'jump', 'MouseLeft_release')
    >>> kept, repeats = without_repeats(["move_left_start", "move_left_start", "jump", "move_left_stop"])
    >>> kept, repeats
    ([0, 2, 3], 1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rushes.model.readings import Event

MOVES: Final[Mapping[str, str]] = {
    "KeyW": "move_forward",
    "KeyA": "move_left",
    "KeyS": "move_backward",
    "KeyD": "move_right",
}
JUMP: Final = "jump"
INSPECT: Final = "ReActure/inspect"
_START: Final = "_start"
_ENDS: Final = ("_stop", "_end")
_INSPECT: Final[Mapping[str, str]] = {"inspect_start": "press", "inspect_end": "release"}
PAUSED: Final = "game_paused"


def name_of(control: str, kind: str) -> str:
    """Name an input event as the game does, else by its control and kind.

    Args:
        control: A physical control.
        kind: `press`, `release`, `move` ...
    """
    if control in MOVES and kind in ("press", "release"):
        return f"{MOVES[control]}_{'start' if kind == 'press' else 'stop'}"
    return JUMP if (control, kind) == ("Space", "press") else f"{control}_{kind}"


def is_games(name: str) -> bool:
    """Say whether an action's name is one of the game's, as `name_of` gives it."""
    return name == JUMP or any(name.startswith(move) for move in MOVES.values())


def without_repeats(actions: Sequence[str]) -> tuple[list[int], int]:
    """Leave out starts of what has started already.

    Args:
        actions: Names in the order of time.

    Returns:
        Places of those that stay, and how many were left out.
    """
    started: set[str] = set()
    kept = []
    for place, action in enumerate(actions):
        if action.endswith(_START):
            what = action.removesuffix(_START)
            if what in started:
                continue
            started.add(what)
        for end in _ENDS:
            started.discard(action.removesuffix(end))
        kept.append(place)
    return kept, len(actions) - len(kept)


def inputs_of(action: str, t_ns: int, *, jumps: bool, inspects: bool) -> list[Event]:
    """Give the inputs that an action stands for.

    Args:
        action: Its name.
        t_ns: When.
        jumps: Whether rows of frames cannot say that Space is down.
        inspects: Whether they cannot say that `inspect` is on.
    """
    if action == JUMP and jumps:
        return [Event(t_ns, "actions", "Space", kind) for kind in ("press", "release")]
    if action in _INSPECT and inspects:
        return [Event(t_ns, "actions", INSPECT, _INSPECT[action])]
    return []
