"""Pictures of recordings that may be damaged: where one cannot be drawn, a sentence says why, and the rest goes on.

A report about a recording is wanted most where something is wrong with it.

Example:
    >>> from rushes.errors import MissingError
    >>> @or_why
    ... def draw(path):
    ...     raise MissingError(f"{path}: no such file", accepts="a whole session", fix="restore it from a copy")
    >>> draw("frames.mp4")
    Cannot be shown: frames.mp4: no such file; accepted: a whole session. To mend it: restore it from a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from rushes.errors import RushesError
from rushes.preview.html import Html, note
from rushes.preview.style import RED

P = ParamSpec("P")
R = TypeVar("R")


def or_why(draw: Callable[P, R]) -> Callable[P, R | Html]:
    """Make a function that draws, or says why it cannot.

    Args:
        draw: Draws something of a recording.
    """

    @wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> R | Html:
        try:
            return draw(*args, **options)
        except (RushesError, OSError) as error:
            return note(f"Cannot be shown: {error}", colour=RED)

    return drawn
