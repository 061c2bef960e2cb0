"""Windows of Windows and macOS, by pywinctl.

Boxes are client frames. On Windows the id is the HWND. macOS gives no number but an application and a title, so the id
is a checksum of the two, and a window that changes its title is taken for closed; the terminal needs the permissions
"Accessibility" and "Screen Recording", and each question takes some 100 ms there.

Unverified: neither system could be had; tested with a stand-in for pywinctl 0.4.

Example:
    >>> number_of(1312), number_of(("Safari", "Pong")) == number_of(("Safari", "Pong"))
    (1312, True)
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rushes.capture.screen.base import Box
from rushes.capture.screen.windows import Place, Window
from rushes.capture.source import SourceEnd
from rushes.errors import UnavailableError


class OtherDesktop:
    """Windows of a system other than X11."""

    @staticmethod
    def list() -> tuple[Window, ...]:
        """List the windows that are visible and have a title.

        Raises:
            UnavailableError: pywinctl is missing or fails.
        """
        pywinctl = _pywinctl()
        active = pywinctl.getActiveWindow()
        focused = number_of(active.getHandle()) if active is not None else None
        found = []
        for window in pywinctl.getAllWindows():
            title = window.title
            if not title or not window.visible:
                continue
            number = number_of(window.getHandle())
            name = window.getAppName()
            found.append(
                Window(number, title, window.getPID() or None, (name,) if name else (), _box(window), number == focused)
            )
        return tuple(found)

    @staticmethod
    def focused() -> int | None:
        """Tell the id of the window that keys go to.

        Raises:
            UnavailableError: pywinctl is missing or fails.
        """
        active = _pywinctl().getActiveWindow()
        return None if active is None else number_of(active.getHandle())

    @staticmethod
    @contextmanager
    def watch(window: int) -> Iterator[OtherWatch]:
        """Open an eye on one window, by its id.

        Raises:
            SourceEnd: There is no such window.
            UnavailableError: pywinctl is missing or fails.
        """
        for one in _pywinctl().getAllWindows():
            if number_of(one.getHandle()) == window:
                yield OtherWatch(one)
                return
        raise SourceEnd("window_closed", f"there is no window {window:#x}")


class OtherWatch:
    """An eye on one window.

    Args:
        window: A window of pywinctl.
    """

    def __init__(self, window: Any) -> None:
        self._window = window

    def wait(self, timeout_s: float) -> None:
        """Sleep: pywinctl tells of no moves."""
        time.sleep(timeout_s)

    def place(self) -> Place:
        """Say where it is.

        Raises:
            SourceEnd: `window_closed`.
        """
        try:
            if self._window.isAlive:
                return Place(_box(self._window), bool(self._window.visible) and not self._window.isMinimized)
        except Exception as error:
            raise SourceEnd("window_closed", f"the window cannot be asked ({type(error).__name__}: {error})") from error
        raise SourceEnd("window_closed", "the window was closed")


def number_of(handle: int | tuple[str, str]) -> int:
    """Turn what pywinctl calls a handle into a number.

    Args:
        handle: HWND, or application and title.
    """
    return handle if isinstance(handle, int) else zlib.crc32("\0".join(handle).encode())


def _box(window: Any) -> Box:
    frame = window.getClientFrame()
    return Box(int(frame.left), int(frame.top), int(frame.right), int(frame.bottom))


def _pywinctl() -> Any:
    try:
        import pywinctl
    except Exception as error:  # without a display it raises an error of its own
        raise UnavailableError(
            f"windows cannot be listed ({type(error).__name__}: {error})",
            accepts="pywinctl",
            fix='pip install "rushes[desktop]"',
        ) from error
    return pywinctl
