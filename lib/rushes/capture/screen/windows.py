"""Windows of the desktop: what there is, and where one of them is now.

Each platform is one file with a class of two functions: `list` gives every window that a person would call one, and
`watch` opens what tells where one window is. Boxes are client areas: without title bar and frame.

The titles of windows are for the screen of the person who asks; nothing of this package writes any but the chosen
window's own.

Example:
    >>> window = Window(0x3A00007, "Freedoom", 41, ("crispy-doom",), Box(10, 30, 650, 510), True)
    >>> window.id_text, window.process_name, window.box.width
    ('0x3a00007', 'crispy-doom', 640)
    >>> sorted(PLATFORMS)
    ['other', 'x11']
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from rushes.capture.screen.base import Box, require_screen
from rushes.table import Table


@dataclass(frozen=True)
class Window:
    """One window.

    Attributes:
        id: The system's number of it: X window, HWND, CGWindowID.
        title: As its title bar shows it. Not part of the repr: a title may hold what is nobody's business.
        pid: Process that owns it, or None where it does not say.
        process_names: The names that its process goes by, the best one first; empty where unknown.
        box: Client area.
        focused: Whether keys go to it.
    """

    id: int
    title: str = field(repr=False)
    pid: int | None
    process_names: tuple[str, ...]
    box: Box
    focused: bool

    @property
    def id_text(self) -> str:
        """The id as `--window` takes it."""
        return hex(self.id)

    @property
    def process_name(self) -> str:
        """The name that its process goes by, empty where unknown."""
        return self.process_names[0] if self.process_names else ""


class Place(NamedTuple):
    """Where a window is.

    Attributes:
        box: Client area; may stick out of the screen.
        visible: False while it is minimised or on another desktop.
    """

    box: Box
    visible: bool


class Watch(Protocol):
    """An eye on one window, used on one thread."""

    def wait(self, timeout_s: float) -> None:
        """Return when the window may have moved, at the latest after the time."""

    def place(self) -> Place:
        """Say where it is.

        Raises:
            SourceEnd: `window_closed` or `display_lost`.
        """


PLATFORMS: Final = Table(
    "windows",
    {
        "x11": ("rushes.capture.screen.x11_windows:X11Desktop", "desktop", "windows of an X11 session, by python-xlib"),
        "other": (
            "rushes.capture.screen.other_windows:OtherDesktop",
            "desktop",
            "windows of Windows and macOS, by pywinctl",
        ),
    },
)
"""Ways to know windows; each row is a `Desktop`."""


def list_windows(*, platform: str = sys.platform) -> tuple[Window, ...]:
    """List the windows of the desktop, those of the window manager's own order.

    Args:
        platform: As `sys.platform`.

    Raises:
        UnavailableError: No display, Wayland, or a library is missing.
    """
    found: tuple[Window, ...] = _of(platform).list()
    return found


def watch(window: int, *, platform: str = sys.platform) -> AbstractContextManager[Watch]:
    """Open an eye on one window.

    Args:
        window: Its id.
        platform: As `sys.platform`.

    Raises:
        UnavailableError: No display, Wayland, or a library is missing.
    """
    opened: AbstractContextManager[Watch] = _of(platform).watch(window)
    return opened


def _of(platform: str) -> type[Desktop]:
    require_screen(platform=platform)
    found: type[Desktop] = PLATFORMS.load("other" if platform in {"win32", "darwin"} else "x11")
    return found


class Desktop(Protocol):
    """What a row of `PLATFORMS` is."""

    @staticmethod
    def list() -> tuple[Window, ...]:
        """List the windows."""

    @staticmethod
    def watch(window: int) -> AbstractContextManager[Watch]:
        """Open an eye on one."""
