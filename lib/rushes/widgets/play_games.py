"""Which environments can be played here: the Atari games, our own game, and Gymnasium's that this machine can make.

An environment is listed where the library that it draws with is installed; nothing is made to find that out.

Example:
    >>> names = {game["id"]: game["name"] for game in playable_games()}
    >>> names["ALE/BeamRider-v5"], names["CartPole-v1"]
    ('Beam Rider', 'Cart Pole')
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Final

from rushes.errors import BadInputError, UnavailableError
from rushes.model.games import bare_name, title
from rushes.worlds.atari import atari_ids
from rushes.worlds.catalog import resolve_games
from rushes.worlds.jump import ENV_ID

_FAMILIES: Final = {
    "gymnasium.envs.classic_control": ("Classic control", "pygame"),
    "gymnasium.envs.toy_text": ("Toy text", "pygame"),
    "gymnasium.envs.box2d": ("Box2D", "Box2D"),
    "gymnasium.envs.mujoco": ("MuJoCo", "mujoco"),
}
"""Package of an environment -> its heading, and the library without which it cannot be made."""


def one_game(name: str) -> str:
    """Give the id of the one environment that is named.

    Args:
        name: As `rushes.worlds.catalog.resolve_games` takes it: `Breakout`, `ALE/Breakout-v5`, `CartPole-v1`, `Jump`.

    Raises:
        BadNameError: No such environment.
        BadInputError: Several of them, or none.
    """
    found = resolve_games(name)
    if len(found) != 1:
        raise BadInputError(f"environment {name!r}", accepts="one environment", fix="name one; the panel changes it")
    return found[0]


@cache
def playable_games() -> tuple[dict[str, str], ...]:
    """List what can be played: `id`, `name` as people say it, `group`.

    Returns:
        Our own game, then Atari's, then Gymnasium's; of several versions the newest.
    """
    try:
        atari = atari_ids()
    except UnavailableError:
        atari = ()
    found = [(ENV_ID, title(ENV_ID), "Rushes"), *((one, title(one), "Atari") for one in atari), *_gymnasium()]
    return tuple({"id": one, "name": name, "group": group} for one, name, group in found)


def _gymnasium() -> Iterator[tuple[str, str, str]]:
    try:
        import gymnasium
    except ImportError:
        return
    newest: dict[str, tuple[int, str, str]] = {}
    for env_id, spec in gymnasium.registry.items():
        package = str(spec.entry_point).split(":")[0].rpartition(".")[0]
        group, needs = _FAMILIES.get(package, ("", ""))
        if group and _is_here(needs):
            name = bare_name(env_id)
            newest[name] = max(newest.get(name, (-1, "", "")), (spec.version or 0, env_id, group))
    for _, env_id, group in sorted(newest.values(), key=lambda one: (one[2], one[1])):
        yield env_id, title(env_id), group


@cache
def _is_here(library: str) -> bool:
    return find_spec(library) is not None
