"""What a grabber is, the table of them, and whether this machine has a screen that can be grabbed.

A grabber takes pictures of one box of the screen: `mss` on X11, Windows and macOS, `dxcam` on Windows, where it is
installed, because the Desktop Duplication API knows when nothing has changed. Wayland lets no program see the screen
of others without a dialog for each recording, and is refused with what works instead.

Boxes are in screen pixels, with right and bottom outside, on the one plane that all monitors share: left and top may be
negative where a monitor stands left of or above the main one. A box may stick out of the screen; what lies outside is
black in the picture, so that its size never changes.

Example:
    >>> Box(0, 0, 1280, 720) & Box(1200, -10, 1300, 90)
    Box(left=1200, top=0, right=1280, bottom=90)
    >>> sorted(GRABBERS)
    ['dxcam', 'mss']
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from rushes.errors import UnavailableError
from rushes.table import Table

Picture = npt.NDArray[np.uint8]
"""(H, W, 4) uint8 BGRA, contiguous; the fourth channel has no meaning."""

INSTEAD: Final = (
    "record what needs no screen: `--backend env` (environments) or `--backend synthetic` (a planted world), or a game "
    "in the browser"
)


class Box(NamedTuple):
    """A rectangle of the screen in px; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def __and__(self, other: tuple[int, ...]) -> Box:
        """Give what two boxes share; a box without area where they share nothing."""
        left, top = max(self.left, other[0]), max(self.top, other[1])
        return Box(left, top, max(left, min(self.right, other[2])), max(top, min(self.bottom, other[3])))


@runtime_checkable
class Grabber(Protocol):
    """Takes pictures of one box; opened, used and closed on one thread."""

    def open(self, box: Box) -> AbstractContextManager[Self]:
        """Open the device for pictures of a box.

        Raises:
            UnavailableError: There is no screen here, or the library fails.
        """

    def aim(self, box: Box) -> None:
        """Take the next pictures from another box."""

    def grab(self) -> Picture | None:
        """Take a picture, the receiver's to keep; None says that nothing has changed since the last one.

        Raises:
            SourceEnd: The display is gone (`display_lost`).
        """


GRABBERS: Final = Table(
    "grabber",
    {
        "mss": ("rushes.capture.screen.mss_grabber:MssGrabber", "desktop", "screenshots on X11, Windows and macOS"),
        "dxcam": (
            "rushes.capture.screen.dxcam_grabber:DxcamGrabber",
            "desktop",
            "the Desktop Duplication API of Windows, which knows when nothing has changed",
        ),
    },
)
"""Ways to take pictures of the screen."""


def choose_grabber(*, platform: str = sys.platform) -> Grabber:
    """Make the grabber that fits this machine; opens nothing.

    Args:
        platform: As `sys.platform`.

    Raises:
        UnavailableError: There is no screen that can be grabbed here.
    """
    require_screen(platform=platform)
    name = "dxcam" if platform == "win32" and importlib.util.find_spec("dxcam") else "mss"
    grabber: Grabber = GRABBERS.load(name)()
    return grabber


def require_screen(*, platform: str = sys.platform, environ: Mapping[str, str] | None = None) -> None:
    """Refuse a machine whose screen cannot be seen by programs; touches no device.

    Args:
        platform: As `sys.platform`.
        environ: The environment; None takes the process's own.

    Raises:
        UnavailableError: Wayland, or no display at all; says what works.
    """
    environ = os.environ if environ is None else environ
    if platform in {"win32", "darwin", "cygwin"}:
        return
    if environ.get("XDG_SESSION_TYPE", "").lower() == "wayland" or environ.get("WAYLAND_DISPLAY"):
        raise UnavailableError(
            "a Wayland session, where no program may see the screen, the windows or the keys of others",
            accepts="an X11 session, Windows or macOS",
            fix=f"log out and choose 'Xorg' or 'X11' on the login screen (the gear), or {INSTEAD}",
        )
    if not environ.get("DISPLAY"):
        raise UnavailableError(
            "no display: DISPLAY is not set",
            accepts="an X11 session, Windows or macOS",
            fix=f"start it in a terminal of the desktop, or {INSTEAD}",
        )
