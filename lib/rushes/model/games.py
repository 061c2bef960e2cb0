"""Names of environments: what people type, what Gymnasium registers, and what folders are called.

The reference guide calls its folders `atari_alien`, `atari_beamrider`: the game's CamelCase id in lower case after
`atari_`, with a handful of exceptions (`atari_montezuma`, `atari_kongfumaster`, `atari_asteroid`).

Example:
    >>> session_name("ALE/MontezumaRevenge-v5"), title("ALE/MontezumaRevenge-v5")
    ('atari_montezuma', 'Montezuma Revenge')
"""

from __future__ import annotations

import re
from typing import Final

EXCEPTIONS: Final = {
    "Asteroids": "asteroid",
    "KungFuMaster": "kongfumaster",
    "MontezumaRevenge": "montezuma",
    "PrivateEye": "privateye",
}
"""CamelCase name -> the reference's folder name, where the rule does not give it (its environment list)."""

_ID: Final = re.compile(r"(?:(?P<space>[\w:.-]+)/)?(?P<name>[\w:.-]+?)(?:-v(?P<version>\d+))?$")


def bare_name(env_id: str) -> str:
    """Give `MontezumaRevenge` for `ALE/MontezumaRevenge-v5` or `MontezumaRevengeNoFrameskip-v4`."""
    match = _ID.match(env_id)
    name = match["name"] if match else env_id
    return re.sub(r"(NoFrameskip|Deterministic)$", "", name)


def is_atari(env_id: str) -> bool:
    """Say whether an id is one of the emulator's."""
    return env_id.startswith("ALE/")


def session_name(env_id: str) -> str:
    """Give the folder name of an environment's session.

    Args:
        env_id: Full id, `ALE/Alien-v5` or `CartPole-v1`.

    Returns:
        `atari_alien`; for others the id in lower case with `_` for what a folder name should not hold.
    """
    if is_atari(env_id):
        name = bare_name(env_id)
        return "atari_" + EXCEPTIONS.get(name, name.lower())
    return re.sub(r"[^a-z0-9.]+", "_", env_id.lower()).strip("_")


def title(env_id: str) -> str:
    """Give the name that people say: CamelCase apart, `ALE/BeamRider-v5` -> `Beam Rider`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", bare_name(env_id)).replace("_", " ")
