"""Pad map files: TOML that says which keys stand for which control of a pad; the default stands beside this file.

Example:
    >>> default = read_pad_map()
    >>> default.name, read_pad_map(game="Doom").name
    ('wasd_mouse', 'wasd_mouse (Doom)')
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from rushes.errors import BadDataError, BadNameError, MissingError
from rushes.model.pad_map import PadMap

DEFAULT: Final = Path(__file__).with_name("wasd_mouse.toml")


def read_pad_map(path: str | Path = "", *, game: str = "") -> PadMap:
    """Read a map of keys to pad controls.

    Args:
        path: A TOML file; empty takes the default, WASD and mouse.
        game: Whose own lines to take, where the file has some.

    Returns:
        The map.

    Raises:
        MissingError: No such file.
        BadDataError: It is no TOML (the message has the line), or says what a map cannot say.
    """
    file = Path(path) if str(path) else DEFAULT
    if not file.is_file():
        raise MissingError(f"{file}: no such file", accepts="a TOML file", fix=f"copy {DEFAULT} and change it")
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        return PadMap.from_values(values, game=game, where=file.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDataError(f"{file}: no TOML ({error})", accepts="a TOML file", fix="mend the line") from error
    except BadNameError as error:
        raise BadDataError(f"{file}: {error.given}", accepts=error.accepts, fix=error.fix) from error
