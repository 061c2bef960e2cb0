"""The matrix: planted worlds by name, each with one kind of trouble between a device and a recorder.

Every world is planted (`rushes.worlds.planted`): its frames, events and counts are known apart from how they are
delivered, and are the same each time. `tests/worlds/test_matrix.py` records each one in chunks of several sizes and
compares what is read back with what is known. A new world is a function in `screens` or `hands` and a line in the table
at the end of that file.

Example:
    >>> world = WORLDS["reordered"]
    >>> got = [reading.t_ns for reading in world.readings()]
    >>> got == sorted(got), len(WORLDS) >= 30
    (False, True)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from zlib import crc32

import numpy as np

from rushes.errors import BadNameError, near
from rushes.worlds.devices import Build
from rushes.worlds.hands import HANDS
from rushes.worlds.planted import PlantedWorld
from rushes.worlds.screens import SCREENS

_BUILDS: Final[Mapping[str, Build]] = {build.__name__: build for build in (*SCREENS, *HANDS)}
_PURPOSE: Final = 0


def plant(name: str, seed: int = 0) -> PlantedWorld:
    """Make a world of the matrix from a seed of your own.

    Args:
        name: A name in `WORLDS`.
        seed: 0 gives the one in `WORLDS`; worlds without chance are the same from every seed.

    Raises:
        BadNameError: No such world; the message names the nearest.
    """
    if name not in _BUILDS:
        raise BadNameError(
            f"world {name!r}",
            accepts="one of " + ", ".join(_BUILDS),
            fix=near(name, _BUILDS) or "take a name from rushes.worlds.matrix.WORLDS",
        )
    build = _BUILDS[name]
    what = (build.__doc__ or "").partition("\n")[0]
    return replace(build(np.random.default_rng([seed, crc32(name.encode()), _PURPOSE])), name=name, what=what)


class _Worlds(Mapping[str, PlantedWorld]):
    """The worlds from seed 0, each made when it is asked for."""

    def __getitem__(self, name: str) -> PlantedWorld:
        if name not in _BUILDS:
            raise KeyError(name)
        return plant(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_BUILDS)

    def __len__(self) -> int:
        return len(_BUILDS)


WORLDS: Final[Mapping[str, PlantedWorld]] = _Worlds()
"""Every world by name, from seed 0."""
