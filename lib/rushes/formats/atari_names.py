"""Names in Atari files, as the reference writes them and as people have written them since.

Example:
    >>> game_title("atari_kongfumaster"), episode_name(0, 0.2)
    ('Kung Fu Master', 'episode_000_rand0.2')
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, Literal

from rushes.errors import RushesError, UnavailableError
from rushes.model.actions import ActionSpace
from rushes.model.controls import ALE_ACTIONS
from rushes.model.games import EXCEPTIONS, bare_name, title
from rushes.model.layouts import Slot

EPISODE: Final = re.compile(r"episode_(\d+)(?:_rand(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?")
"""`episode_000_rand0.2`; later sets write a training seed after `rand`, which is above 1."""
FRAME: Final = re.compile(r"frame_(\d+)\.png")
ACTION: Final = re.compile(r"action_(\d+)\.txt")
IRREGULAR: Final = {"privateye": "PrivateEye", **{short: name for name, short in EXCEPTIONS.items()}}
"""The reference's own spellings (its environment list) that the CamelCase rule does not give."""
Trust = Literal["numbers", "names", "conflict"]
_MOST: Final = 1023
"""Largest number of an action that is believed."""


def episode_name(number: int, randomness: float | None) -> str:
    """Name an episode: its number, and the randomness as `%g` where it is known."""
    return f"episode_{number:03d}" + ("" if randomness is None else f"_rand{randomness:g}")


def episode_order(name: str) -> tuple[int, str]:
    """Key for sorting: by number, not by letter, then by name; names without a number last."""
    match = re.match(r"episode_(\d+)", name)
    return (int(match[1]) if match else 2**62, name)


@cache
def _ids() -> dict[str, str]:
    """CamelCase name -> id, for every game of the emulator; empty without it."""
    try:
        from rushes.worlds.atari import atari_ids

        return {bare_name(env_id): env_id for env_id in atari_ids()}
    except UnavailableError:
        return {}


@cache
def _games() -> dict[str, str]:
    """Letters alone -> CamelCase name, for every game of the emulator; without it only the irregular ones."""
    return {name.lower(): name for name in _ids() or EXCEPTIONS} | IRREGULAR


def _game(environment: str) -> str | None:
    letters = re.sub(r"[^a-z0-9]", "", bare_name(environment).lower()).removeprefix("atari")
    return _games().get(letters)


@cache
def own_actions(environment: str) -> ActionSpace | None:
    """Give the actions that a game takes by default (its minimal set).

    Args:
        environment: As for `game_title`.

    Returns:
        None where it is no game of the emulator, or the emulator cannot be loaded here.
    """
    env_id = _ids().get(_game(environment) or "")
    if env_id is None:
        return None
    from rushes.worlds.atari import Atari

    try:
        return Atari(env_id).action_space
    except (RushesError, OSError, RuntimeError):  # a game whose ROM is not here
        return None


def game_title(environment: str) -> str:
    """Say the name of a game as people do.

    Args:
        environment: `atari_kongfumaster`, `atari_beam_rider`, `BeamRider`, `ALE/BeamRider-v5`,
            `BeamRiderNoFrameskip-v4`; anything else is only tidied.
    """
    bare = bare_name(environment)
    name = _game(environment)
    if name:
        return title(name)
    words = re.sub(r"^atari[_ ]", "", bare, flags=re.IGNORECASE).replace("_", " ").strip()
    return words.title() if words.islower() else words or environment


def action_space(actions: Iterable[tuple[int | None, str]], *, world: str) -> tuple[ActionSpace, Trust]:
    """Find the action space of a set from the actions that were seen in it.

    The emulator's 18 where the numbers agree with them; otherwise what was seen, with `unused_k` for numbers that
    nobody used: a number means another action in each game. Where numbers are not told they are assumed: the game's
    own set where all names are in it, or the emulator's 18.

    Args:
        actions: (number or None, name as written).
        world: The environment; it also stands before names that are not the emulator's.

    Returns:
        The space, and what to go by: `numbers`, or `names` where not every action has a number, or `conflict`
        where numbers and names contradict each other and names decide.
    """
    seen = sorted({(-1 if n is None else n, name.upper()) for n, name in actions})
    written = {name.upper(): name for _, name in actions}
    prefix = re.sub(r"[^\w.-]+", "_", world) or "world"
    full = {name: f"ALE/{name}" for name in written}
    is_atari = all(f in ALE_ACTIONS for f in full.values())
    if not is_atari:
        full = {name: f"{prefix}/{text}" for name, text in written.items()}
    numbers, names = [n for n, _ in seen], [name for _, name in seen]
    trust: Trust = "numbers"
    if not seen or min(numbers) < 0:
        trust = "names"
    elif len(set(numbers)) < len(seen) or len(set(names)) < len(seen) or max(numbers) > _MOST:
        trust = "conflict"
    if is_atari and seen and trust != "numbers":
        own = own_actions(world)
        if own is not None and set(own.names) >= set(full.values()):
            return own, trust
    if is_atari and (trust != "numbers" or all(ALE_ACTIONS.index(full[name]) == n for n, name in seen)):
        return ActionSpace.from_layout("ale18"), trust
    if trust != "numbers":
        return ActionSpace.discrete([full[name] for name in sorted(written)]), trust
    found = dict(seen)
    slots = [
        Slot(full[found[k]], "button", (full[found[k]],)) if k in found else Slot(f"unused_{k}", "unused")
        for k in range(max(found) + 1)
    ]
    return ActionSpace("discrete", tuple(slots)), trust
