"""The screen as a source: pictures of a target at a steady rate, each one stamped, numbered and accounted for.

- A picture is stamped just before the call that takes it (X11: 0.2 to 0.7 ms; `grab_ns` is the last one's time).
- Ticks stand on an absolute grid (`rushes.capture.screen.ticks`). A frame more than half an interval after its tick is
  `late`; ticks without a picture are counted in the next frame's `dropped_before`, so that over a recording
  `frames + sum(dropped_before)` is the number of ticks.
- A picture equal to the one before, or a grabber's "unchanged", is a frame without pixels. The first frame has pixels,
  and so has the next one after `refresh()`, which whoever opens a segment calls.
- A window is followed: `Telemetry(t_ns, {"left": ..., "top": ...})` says where the picture stands on the screen, right
  after each frame that `refresh` asked for (with its t_ns) and at every move.
- When the target's size changes, a `Gap` with reason `resize` is emitted. Ticks are dropped, and counted, until the
  size has stayed for 0.3 s, so that dragging an edge makes one gap and not a hundred. The next frame has pixels, and
  from then on pictures are scaled (INTER_AREA) to the session's size, which never changes. Retina pictures are scaled
  likewise.
- What of the target lies outside the screen is black, and so is a window that is minimised or on another desktop:
  what stands behind it is nobody's business.
- `SourceEnd`: `window_closed` or `display_lost`.

Example:
    >>> import threading
    >>> from rushes.capture.screen.base import Box
    >>> from rushes.capture.screen.target import Target
    >>> source = ScreenSource(Target(Box(0, 0, 640, 480)), 60)
    >>> source.name, source.essential, source.size
    ('screen', True, (480, 640))
    >>> def record_a_while(seen):
    ...     source.run(Clock(), seen.append, threading.Event())
"""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Final

import numpy as np

from rushes.capture.screen.base import Box, Grabber, Picture, choose_grabber
from rushes.capture.screen.follow import Follower, follow
from rushes.capture.screen.target import Target
from rushes.capture.screen.ticks import Ticks, sleep_until
from rushes.capture.screen.windows import Place
from rushes.capture.source import Emit
from rushes.errors import UnavailableError
from rushes.model.clock import NS, Clock
from rushes.model.readings import Frame, Gap, Telemetry

_FIRST_S: Final = 5.0
"""How long the first picture may take: a grabber that knows only changes gives none of a still screen."""
_RETRY_NS: Final = 5_000_000
_SETTLE_NS: Final = 300_000_000
"""How long a new size must stay before pictures of it are taken."""


class ScreenSource:
    """Takes pictures of a target; see the module.

    Args:
        target: What is recorded.
        rate_hz: Pictures a second.
        grabber: Takes them; None chooses the one that fits this machine.
        follow: Whether a window is followed where it moves; without, its first place counts.
        skip_late: Whether missed ticks are skipped rather than caught up with.
        size: (height, width) of every picture; None takes the target's.

    Attributes:
        size: (height, width) of every picture.
        grab_ns: How long the last picture took, in ns.

    Raises:
        BadInputError: The rate is no rate.
    """

    name = "screen"
    essential = True

    def __init__(
        self,
        target: Target,
        rate_hz: float,
        *,
        grabber: Grabber | None = None,
        follow: bool = True,
        skip_late: bool = False,
        size: tuple[int, int] | None = None,
    ) -> None:
        Ticks(0, rate_hz)  # a bad rate is refused before anything is opened
        self._target, self._rate_hz, self._grabber = target, rate_hz, grabber
        self._window = target.window if follow else None
        self._skip_late = skip_late
        self.size = size or (target.height, target.width)
        self.grab_ns = 0
        self._wanted = threading.Event()

    def refresh(self) -> None:
        """Ask for pixels in the next frame and for the place after it; from any thread."""
        self._wanted.set()

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit frames until `stop` is set.

        Raises:
            SourceEnd: `window_closed` or `display_lost`.
            UnavailableError: There is no screen here, or it gives no picture.
        """
        grabber = self._grabber or choose_grabber()
        with follow(self._window, self._target.box) as follower, grabber.open(follower.place.box):
            run = _Run(self, grabber, follower, emit=emit, clock=clock, wanted=self._wanted)
            run.go(self._rate_hz, stop, skip_late=self._skip_late)


class _Run:
    """One run of the source, on its thread."""

    def __init__(
        self,
        source: ScreenSource,
        grabber: Grabber,
        follower: Follower,
        *,
        emit: Emit,
        clock: Clock,
        wanted: threading.Event,
    ) -> None:
        self._source, self._grabber, self._follower = source, grabber, follower
        self._now, self._emit, self._wanted = clock.now_ns, emit, wanted
        self._place = follower.place
        self._hidden = np.zeros((*source.size, 4), np.uint8)
        self._settled_ns = 0  # when a new size will have stayed long enough
        self._skipped = 0  # ticks dropped while waiting for that
        self._last: Picture | None = None if self._place.visible else self._hidden  # as it was grabbed

    def go(self, rate_hz: float, stop: threading.Event, *, skip_late: bool) -> None:
        self._wanted.set()
        ready = self._now()
        while self._last is None:  # the grid begins with the first picture
            if self._grab() is None:
                if self._now() - ready > _FIRST_S * NS:
                    raise UnavailableError(
                        f"the screen gave no picture within {_FIRST_S:.0f} s",
                        accepts="a screen that is on",
                        fix="move the mouse on it or choose another monitor; on Windows try again without dxcam",
                    )
                if not sleep_until(self._now() + _RETRY_NS, stop, now=self._now):
                    return
        ticks = Ticks(self._now(), rate_hz, skip_late=skip_late)
        while sleep_until(ticks.next_ns, stop, now=self._now):
            self._move(self._follower.check())
            t_ns = self._now()
            tick = ticks.take(t_ns)
            if t_ns < self._settled_ns:
                self._skipped += 1 + tick.dropped
                continue
            picture = self._grab() if self._place.visible else self._black()
            if wanted := self._wanted.is_set():
                self._wanted.clear()
                picture = self._last
            pixels = None if picture is None else self._fit(picture)
            late = ticks.is_late(tick, self._now())  # the grab counts: its picture may be as new as its end
            dropped, self._skipped = tick.dropped + self._skipped, 0
            self._emit(Frame(t_ns, pixels, tick=tick.number, late=late, dropped_before=dropped))
            if wanted:
                self._tell(t_ns)

    def _grab(self) -> Picture | None:
        """Take a picture; None where it is the one before."""
        began = self._now()
        picture = self._grabber.grab()
        self._source.grab_ns = self._now() - began
        if picture is None or (self._last is not None and same(picture, self._last)):
            return None
        self._last = picture
        return picture

    def _black(self) -> Picture | None:
        fresh = self._last is not self._hidden
        self._last = self._hidden
        return self._hidden if fresh else None

    def _move(self, place: Place) -> None:
        """Aim at where the target is now."""
        if place == self._place:
            return
        before, self._place = self._place, place
        if place.box == before.box:
            return
        self._grabber.aim(place.box)
        if (place.box.width, place.box.height) != (before.box.width, before.box.height):
            now_ns = self._now()
            if now_ns >= self._settled_ns:
                self._emit(Gap(now_ns, "resize"))
            self._settled_ns = now_ns + _SETTLE_NS
            self._wanted.set()
        else:
            self._tell(self._now())

    def _tell(self, t_ns: int) -> None:
        box: Box = self._place.box
        self._emit(Telemetry(t_ns, {"left": box.left, "top": box.top}))

    def _fit(self, picture: Picture) -> Picture:
        height, width = self._source.size
        if picture.shape[:2] == (height, width):
            return picture
        import cv2

        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def same(a: Picture, b: Picture) -> bool:
    """Compare two pictures byte by byte, up to the first difference, while other threads run.

    Args:
        a: (H, W, 4) uint8, contiguous.
        b: Another one.
    """
    return a.shape == b.shape and _memcmp(a.ctypes.data, b.ctypes.data, a.nbytes) == 0


_memcmp = (ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)).memcmp
_memcmp.argtypes, _memcmp.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t), ctypes.c_int
