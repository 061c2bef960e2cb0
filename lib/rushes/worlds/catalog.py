"""From what people type to a world: `Breakout`, `ALE/Breakout-v5`, `all`, `Jump`, `CartPole-v1`.

Example:
    >>> resolve_games("Breakout, pong")
    ('ALE/Breakout-v5', 'ALE/Pong-v5')
"""

from __future__ import annotations

from collections.abc import Iterable

from rushes.errors import BadInputError, BadNameError, near
from rushes.model.games import bare_name, is_atari, session_name
from rushes.worlds.atari import Atari, atari_ids
from rushes.worlds.base import World
from rushes.worlds.gymnasium import GymnasiumWorld


def resolve_games(games: str | Iterable[str]) -> tuple[str, ...]:
    """Turn names of games into environment ids.

    Args:
        games: Names with commas between them, or several names. A bare name in any case means the Atari game
            (`Breakout` is `ALE/Breakout-v5`), as does the reference's folder name (`atari_breakout`); `Jump` is our own
            game; a full id means itself; `all` means all Atari games.

    Returns:
        Ids in the order given, each once.

    Raises:
        BadNameError: A name that no environment has; the message names the nearest.
        BadInputError: No name at all.
    """
    names = games.split(",") if isinstance(games, str) else list(games)
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise BadInputError(
            f"games={games!r}", accepts='names such as "Alien,Breakout", ids, or "all"', fix="name a game"
        )
    short = {bare_name(i).lower(): i for i in atari_ids()} | {session_name(i): i for i in atari_ids()}
    short |= {bare_name(own).lower(): own for own in _own_games()}
    found: dict[str, None] = {}
    for name in names:
        if name == "all":
            found.update(dict.fromkeys(atari_ids()))
        else:
            found[short.get(name.lower()) or _registered(name, short)] = None
    return tuple(found)


def _own_games() -> tuple[str, ...]:
    """Give the ids of the games that come with rushes; importing them registers them with Gymnasium."""
    from rushes.worlds.jump import ENV_ID

    return (ENV_ID,)


def _registered(name: str, short: dict[str, str]) -> str:
    import gymnasium

    if name in gymnasium.registry or ":" in name:
        return name
    raise BadNameError(
        f"game {name!r}",
        accepts=f"one of {len(atari_ids())} Atari games, Jump, a registered Gymnasium id, or 'all'",
        fix=near(name, map(bare_name, set(short.values())))
        or near(name, gymnasium.registry)
        or "list the games with `rushes doctor --games`",
    )


def make_world(
    env_id: str, *, frameskip: int = 4, sticky: float = 0.0, full_action_space: bool = False, sound: bool = False
) -> World:
    """Make a world.

    Args:
        env_id: An id as `resolve_games` gives it.
        frameskip: Emulated frames a step; Atari only, others have their own.
        sticky: Probability of repeating the last action for a frame; Atari only.
        full_action_space: All 18 actions; Atari only.
        sound: Whether it is heard; Atari only, others are silent.

    Raises:
        BadNameError: No such environment.
        UnavailableError: It cannot be made here.
    """
    if is_atari(env_id):
        return Atari(env_id, frameskip=frameskip, sticky=sticky, full_action_space=full_action_space, sound=sound)
    _own_games()
    return GymnasiumWorld(env_id)
