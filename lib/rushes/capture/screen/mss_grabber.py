"""Pictures through mss: X11 (shared memory), Windows and macOS.

A grab of 1280x720 takes 0.2 ms on X11, one of 1920x1080 0.5 to 0.7 ms, so a picture is stamped just before the call.
Every picture is a buffer of its own. X11 refuses boxes that stick out of the screen; they are cut here, and what lies
outside is black. A screen that changes its size (a game that switches the resolution) is opened again: at the first
grab that fails, and within a second where a box sticks out of what was the screen.

On macOS a picture may have more pixels than the box has points (Retina); the source scales it to the session's size.

Example:
    >>> def show_first_pixel():
    ...     with MssGrabber().open(Box(0, 0, 640, 480)) as grabber:
    ...         return grabber.grab()[0, 0]
    >>> import numpy as np
    >>> place(np.full((1, 2, 4), 9, np.uint8), Box(0, 0, 2, 1), Box(-1, 0, 2, 1))[0, :, 0].tolist()
    [0, 9, 9]
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import numpy as np

from rushes.capture.screen.base import Box, Picture, require_screen
from rushes.capture.source import SourceEnd
from rushes.errors import UnavailableError
from rushes.model.clock import NS


class MssGrabber:
    """Grabs with mss; see the module."""

    def __init__(self) -> None:
        self._shots: Any = None
        self._screen = Box(0, 0, 0, 0)
        self._box = self._cut = self._screen
        self._looked_ns = 0

    @contextmanager
    def open(self, box: Box) -> Iterator[Self]:
        """Open a connection of its own to the screen.

        Raises:
            UnavailableError: mss is missing, or there is no screen.
        """
        self._shots = _connect()
        try:
            self._screen = _boxes(self._shots)[0]
            self.aim(box)
            yield self
        finally:
            self._shots, shots = None, self._shots
            _close(shots)

    def aim(self, box: Box) -> None:
        """Take the next pictures from another box."""
        self._box, self._cut = box, box & self._screen

    def grab(self) -> Picture:
        """Take a picture of the box.

        Returns:
            (H, W, 4) uint8 BGRA, a buffer of its own.

        Raises:
            SourceEnd: `display_lost`.
        """
        if self._cut != self._box:
            self._look()
        try:
            return self._grab()
        except Exception:  # noqa: BLE001 - mss raises what the system's calls give; one more try tells
            self._reopen()
        try:
            return self._grab()
        except Exception as error:
            raise _lost(error) from error

    def _grab(self) -> Picture:
        box, cut = self._box, self._cut
        if cut.width == 0 or cut.height == 0:
            return np.zeros((box.height, box.width, 4), np.uint8)
        shot = self._shots.grab(tuple(cut))
        picture = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        return picture if cut == box else place(picture, cut, box)

    def _look(self) -> None:
        """See whether the screen has grown, once a second."""
        now_ns = time.monotonic_ns()
        if now_ns - self._looked_ns < NS:
            return
        self._looked_ns = now_ns
        with suppress(UnavailableError):  # the grab will tell
            if monitor_boxes()[0] != self._screen:
                self._reopen()

    def _reopen(self) -> None:
        """Connect once more: the screen may have another size now."""
        self._shots, shots = None, self._shots  # never closed twice: xcb frees the connection even where it complains
        _close(shots)
        try:
            self._shots = _connect()
            self._screen = _boxes(self._shots)[0]
        except Exception as error:
            raise _lost(error) from error
        self.aim(self._box)


def place(picture: Picture, cut: Box, box: Box) -> Picture:
    """Put a picture of the visible part of a box into a picture of the whole box, black elsewhere.

    Args:
        picture: (h, w, 4) uint8 of `cut`.
        cut: What of the box is on the screen.
        box: The box.

    Returns:
        (H, W, 4) uint8 of `box`.
    """
    scale = picture.shape[1] // cut.width  # 2 on a Retina screen
    whole = np.zeros((box.height * scale, box.width * scale, 4), np.uint8)
    top, left = (cut.top - box.top) * scale, (cut.left - box.left) * scale
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def monitor_boxes() -> tuple[Box, ...]:
    """List the monitors: 0 is the whole plane of all of them, from 1 on they stand in the system's order.

    Raises:
        UnavailableError: mss is missing, or there is no screen.
    """
    shots = _connect()
    try:
        return _boxes(shots)
    finally:
        _close(shots)


def _boxes(shots: Any) -> tuple[Box, ...]:
    found = ((m["left"], m["top"], m["width"], m["height"]) for m in shots.monitors)
    return tuple(Box(left, top, left + width, top + height) for left, top, width, height in found)


def _connect() -> Any:
    require_screen()
    try:
        import mss

        return mss.MSS() if hasattr(mss, "MSS") else mss.mss()
    except Exception as error:  # a missing library or display raises what it likes
        missing = isinstance(error, ImportError)
        raise UnavailableError(
            f"the screen cannot be opened ({type(error).__name__}: {error})",
            accepts="a desktop that programs may take screenshots of",
            fix='pip install "rushes[desktop]"' if missing else "check DISPLAY and that its server runs",
        ) from error


def _close(shots: Any) -> None:
    if shots is not None:
        with suppress(Exception):  # it may be gone with its display
            shots.close()


def _lost(error: Exception) -> SourceEnd:
    return SourceEnd("display_lost", f"the display is gone ({type(error).__name__}: {error})")
