"""Where keyboard and mouse come from on this machine, and the table of ways.

X11 gives raw events, also of games that lock the pointer; everywhere else pynput listens. Under Wayland no program may
see what is typed into another, and that is said before anything is opened.

Example:
    >>> choose_input({"DISPLAY": ":0"}, platform="linux"), choose_input({}, platform="win32")
    ('xinput', 'pynput')
    >>> choose_input({"XDG_SESSION_TYPE": "wayland", "WAYLAND_DISPLAY": "wayland-0"}, platform="linux")
    Traceback (most recent call last):
    ...
    rushes.errors.UnavailableError: a Wayland session, which lets no program see the input of another; ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Final, cast

from rushes.capture.input.gate import Gate
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.source import Source
from rushes.errors import UnavailableError
from rushes.table import Table

INPUTS: Final = Table(
    "input",
    {
        "xinput": (
            "rushes.capture.input.xinput:XInputSource",
            "desktop",
            "raw events of an X11 server; also of games that lock the pointer",
        ),
        "pynput": (
            "rushes.capture.input.pynput_source:PynputSource",
            "desktop",
            "listeners of Windows and macOS; motion in px, none for games that lock the pointer",
        ),
    },
)
"""Ways to hear keyboard and mouse."""


def choose_input(environ: Mapping[str, str] | None = None, *, platform: str = sys.platform) -> str:
    """Name the row of `INPUTS` for this machine.

    Args:
        environ: The environment, else that of this process.
        platform: As `sys.platform`.

    Returns:
        `xinput` or `pynput`.

    Raises:
        UnavailableError: A Wayland session, or no display at all.
    """
    if platform in {"win32", "darwin", "cygwin"}:
        return "pynput"
    found = os.environ if environ is None else environ
    if found.get("XDG_SESSION_TYPE", "").lower() == "wayland" or found.get("WAYLAND_DISPLAY"):
        raise UnavailableError(
            "a Wayland session, which lets no program see the input of another",
            accepts="an X11 (Xorg) session",
            fix="choose an Xorg session at the login screen, or record the browser or env backend",
        )
    if not found.get("DISPLAY"):
        raise UnavailableError(
            "no display: DISPLAY is not set",
            accepts="a running X11 session",
            fix="start it from a desktop session, or record the env or synthetic backend",
        )
    return "xinput"


def input_source(
    gate: Gate,
    hotkeys: Hotkeys,
    *,
    window: int | None = None,
    keys: bool = True,
    focused: Callable[[], bool] | None = None,
    name: str = "",
) -> Source:
    """Make the source of keyboard and mouse for this machine; opens nothing.

    Args:
        gate: Decides what may be kept.
        hotkeys: Finds the recorder's own keys.
        window: X id of the chosen window, where the gate's scope is `window` on X11.
        keys: Whether keys are recorded; hotkeys are heard in any case.
        focused: Tells whether the chosen window has the focus, where the scope is `window` on other systems.
        name: A row of `INPUTS`, else what fits this machine.

    Returns:
        A source with the name `input` and the attribute `motion_unit`.

    Raises:
        UnavailableError: Wayland, no display, or a library that is missing.
        BadInputError: The gate asks for a window and nothing says which.
        BadNameError: No such row.
    """
    chosen = name or choose_input()
    made = INPUTS.load(chosen)
    if chosen == "xinput":
        return cast("Source", made(gate, hotkeys, window=window, keys=keys))
    return cast("Source", made(gate, hotkeys, focused=focused, keys=keys))
