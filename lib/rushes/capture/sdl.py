"""SDL, the one place that loads it: for pads, and for the window in which a region is chosen.

SDL is told to leave the signals of the process alone (it would take SIGTERM for itself) and to give pads whatever has
the focus. Only what is asked for is started; pads need no display.

Example:
    >>> def count_pads():
    ...     with sdl_with("SDL_INIT_GAMECONTROLLER") as sdl:
    ...         return sdl.SDL_NumJoysticks()
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rushes.errors import UnavailableError

HINTS: Final = {
    "SDL_NO_SIGNAL_HANDLERS": b"1",
    "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": b"1",
    "SDL_JOYSTICK_THREAD": b"1",  # Windows: pads without a window of ours
    "SDL_GAMECONTROLLER_USE_BUTTON_LABELS": b"0",  # places, not letters: SOUTH is the lower one on every pad
    "SDL_WINDOWS_DPI_AWARENESS": b"permonitorv2",
    "SDL_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR": b"0",
}
"""Set before anything is started. Source: SDL_hints.h of SDL 2.32."""


@contextmanager
def sdl_with(*systems: str) -> Iterator[Any]:
    """Lend the module `sdl2` with some of its subsystems started.

    Args:
        systems: Names as `SDL_INIT_GAMECONTROLLER`.

    Raises:
        UnavailableError: SDL is missing or refuses.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that it uses the SDL of its own wheel
            import sdl2
    except Exception as error:  # a library that is not found raises RuntimeError
        raise UnavailableError(
            f"SDL cannot be loaded ({type(error).__name__}: {error})",
            accepts="PySDL2 with SDL 2",
            fix='pip install "rushes[desktop]"',
        ) from error
    for name, value in HINTS.items():
        sdl2.SDL_SetHint(name.encode(), value)
    flags = 0
    for system in systems:
        flags |= getattr(sdl2, system)
    if sdl2.SDL_InitSubSystem(flags) != 0:
        raise UnavailableError(
            f"SDL does not start: {sdl2.SDL_GetError().decode(errors='replace')}",
            accepts=f"a machine where {' and '.join(systems)} works",
            fix="check DISPLAY if it is about video; else record without pads",
        )
    try:
        yield sdl2
    finally:
        sdl2.SDL_QuitSubSystem(flags)
