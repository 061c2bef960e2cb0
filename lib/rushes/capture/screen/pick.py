"""Choosing a region by dragging on a screenshot.

A window without a frame covers the monitor and shows what was on it; dragging with the left button draws a rectangle,
whose numbers stand beside it and in the window's title. A new drag begins anew, the arrow keys move the rectangle by
one px (with Shift they move its lower right corner). Enter or Space accepts, Escape cancels. It is an SDL window, so it
works on every system, and the screenshot is frozen, so it works over a running game.

The numbers that come back are those of `--region LEFT TOP RIGHT BOTTOM`.

Example:
    >>> def choose():
    ...     box = pick_region()
    ...     return "cancelled" if box is None else "--region " + " ".join(map(str, box))
    >>> Drag((100, 80)).to((20, 200)).box
    Box(left=20, top=80, right=101, bottom=201)
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from rushes.capture.screen.base import Box, Picture, require_screen
from rushes.capture.screen.mss_grabber import MssGrabber, monitor_boxes
from rushes.capture.screen.target import SMALLEST_PX
from rushes.capture.sdl import sdl_with
from rushes.errors import BadInputError, UnavailableError

HOW: Final = "Drag a rectangle; Enter accepts, Escape cancels"
_DIM: Final = 0.45
_LINE: Final = (80, 200, 255)
"""Blue, green, red of the rectangle's edge and of the text."""
_WAIT_MS: Final = 10
"""Between two looks at what came. `SDL_WaitEventTimeout` would wake up sooner, but on X11 it sends itself messages on
a connection of its own: one that arrives when the window is gone ends the whole process, numbers, kernel and all."""


@dataclass(frozen=True)
class Drag:
    """A rectangle between two pixels, both inside it.

    Attributes:
        start: (x, y) where the button went down.
        end: (x, y) where it is now; None is the start.
    """

    start: tuple[int, int]
    end: tuple[int, int] | None = None

    def to(self, end: tuple[int, int]) -> Drag:
        """Drag on."""
        return replace(self, end=end)

    @property
    def box(self) -> Box:
        """The rectangle, in whatever direction it was drawn."""
        x, y = self.end or self.start
        left, top = min(self.start[0], x), min(self.start[1], y)
        return Box(left, top, max(self.start[0], x) + 1, max(self.start[1], y) + 1)


def pick_region(*, monitor: int = 0, smallest_px: int = SMALLEST_PX) -> tuple[int, int, int, int] | None:
    """Let a person choose a region; blocks until they do.

    Args:
        monitor: On which one: 0 for all together, 1 for the first ...
        smallest_px: A rectangle less wide or high is not accepted.

    Returns:
        left, top, right, bottom in px of the screen, or None where it was cancelled.

    Raises:
        BadInputError: No such monitor.
        UnavailableError: There is no screen here.
    """
    require_screen()
    monitors = monitor_boxes()
    if not 0 <= monitor < len(monitors):
        raise BadInputError(
            f"monitor {monitor}", accepts=f"0 (all) to {len(monitors) - 1}", fix="pass 0 to choose on all of them"
        )
    screen = monitors[monitor]
    with MssGrabber().open(screen) as grabber:
        shot = grabber.grab()
    with sdl_with("SDL_INIT_VIDEO") as sdl, _Window(sdl, screen, shot, smallest_px) as window:
        found = window.ask()
    if found is None:
        return None
    left, top = screen.left + found.left, screen.top + found.top
    return left, top, left + found.width, top + found.height


class _Window:
    """The window over a monitor.

    Args:
        sdl: The module, with video.
        screen: The monitor's box.
        shot: (H, W, 4) uint8 BGRA, what was on it.
        smallest_px: Of an accepted rectangle.
    """

    def __init__(self, sdl: Any, screen: Box, shot: Picture, smallest_px: int) -> None:
        self._sdl, self._screen, self._smallest_px = sdl, screen, smallest_px
        self._bright = shot
        self._dim = (shot * _DIM).astype(np.uint8)
        self._scale = shot.shape[1] / screen.width  # 2 on a Retina screen
        self._drag: Drag | None = None
        self._window: Any = None
        self._renderer: Any = None
        self._texture: Any = None

    def __enter__(self) -> Self:
        sdl, screen = self._sdl, self._screen
        flags = sdl.SDL_WINDOW_BORDERLESS | sdl.SDL_WINDOW_SHOWN | sdl.SDL_WINDOW_ALWAYS_ON_TOP
        flags |= sdl.SDL_WINDOW_INPUT_FOCUS | sdl.SDL_WINDOW_SKIP_TASKBAR
        place = (screen.left, screen.top, screen.width, screen.height)
        self._window = sdl.SDL_CreateWindow(_titled("").encode(), *place, flags)
        self._renderer = self._window and sdl.SDL_CreateRenderer(self._window, -1, sdl.SDL_RENDERER_SOFTWARE)
        height, width = self._bright.shape[:2]
        kind = sdl.SDL_PIXELFORMAT_RGB888, sdl.SDL_TEXTUREACCESS_STREAMING  # bytes B, G, R, and one without meaning
        self._texture = self._renderer and sdl.SDL_CreateTexture(self._renderer, *kind, width, height)
        if not self._texture:
            raise UnavailableError(
                f"no window can be opened: {sdl.SDL_GetError().decode(errors='replace')}",
                accepts="a desktop that shows windows",
                fix="pass the numbers: --region LEFT TOP RIGHT BOTTOM",
            )
        sdl.SDL_RaiseWindow(self._window)
        sdl.SDL_SetWindowInputFocus(self._window)
        return self

    def __exit__(self, *_: object) -> None:
        sdl = self._sdl
        if self._texture:
            sdl.SDL_DestroyTexture(self._texture)
        if self._renderer:
            sdl.SDL_DestroyRenderer(self._renderer)
        if self._window:
            sdl.SDL_DestroyWindow(self._window)
        sdl.SDL_PumpEvents()

    def ask(self) -> Box | None:
        """Run until the person accepts or cancels."""
        sdl, event = self._sdl, self._sdl.SDL_Event()
        self._draw()
        while True:
            if not sdl.SDL_PollEvent(ctypes.byref(event)):
                sdl.SDL_Delay(_WAIT_MS)
                continue
            changed = False
            while True:  # all that waits before one drawing
                if event.type == sdl.SDL_QUIT:
                    return None
                if event.type == sdl.SDL_KEYDOWN:
                    key = event.key.keysym
                    if key.sym == sdl.SDLK_ESCAPE:
                        return None
                    if key.sym in {sdl.SDLK_RETURN, sdl.SDLK_KP_ENTER, sdl.SDLK_SPACE} and self._good():
                        assert self._drag is not None
                        return self._drag.box
                    changed |= self._nudge(key)
                changed |= self._mouse(event) or event.type == sdl.SDL_WINDOWEVENT
                if not sdl.SDL_PollEvent(ctypes.byref(event)):
                    break
            if changed:
                self._draw()

    def _good(self) -> bool:
        if self._drag is None:
            return False
        return min(self._drag.box.width, self._drag.box.height) >= self._smallest_px

    def _mouse(self, event: Any) -> bool:
        """Follow the left button; say whether the rectangle has changed."""
        sdl = self._sdl
        if event.type == sdl.SDL_MOUSEBUTTONDOWN and event.button.button == sdl.SDL_BUTTON_LEFT:
            self._drag = Drag(self._inside(event.button.x, event.button.y))
            sdl.SDL_CaptureMouse(sdl.SDL_TRUE)
        elif event.type == sdl.SDL_MOUSEBUTTONUP and event.button.button == sdl.SDL_BUTTON_LEFT and self._drag:
            self._drag = self._drag.to(self._inside(event.button.x, event.button.y))
            sdl.SDL_CaptureMouse(sdl.SDL_FALSE)
        elif event.type == sdl.SDL_MOUSEMOTION and event.motion.state & sdl.SDL_BUTTON_LMASK and self._drag:
            self._drag = self._drag.to(self._inside(event.motion.x, event.motion.y))
        else:
            return False
        return True

    def _nudge(self, key: Any) -> bool:
        sdl = self._sdl
        steps = {sdl.SDLK_LEFT: (-1, 0), sdl.SDLK_RIGHT: (1, 0), sdl.SDLK_UP: (0, -1), sdl.SDLK_DOWN: (0, 1)}
        if key.sym not in steps or self._drag is None:
            return False
        dx, dy = steps[key.sym]
        box = self._drag.box
        start = (box.left, box.top)
        if not key.mod & sdl.KMOD_SHIFT:
            dx = max(-box.left, min(dx, self._screen.width - box.right))
            dy = max(-box.top, min(dy, self._screen.height - box.bottom))
            start = (box.left + dx, box.top + dy)
        end = self._inside(box.right - 1 + dx, box.bottom - 1 + dy)
        self._drag = Drag(start, (max(start[0], end[0]), max(start[1], end[1])))
        return True

    def _inside(self, x: int, y: int) -> tuple[int, int]:
        return max(0, min(x, self._screen.width - 1)), max(0, min(y, self._screen.height - 1))

    def _draw(self) -> None:
        sdl = self._sdl
        text = self._label()
        picture = draw(self._dim, self._bright, self._scaled(), text)
        pitch = picture.strides[0]
        sdl.SDL_UpdateTexture(self._texture, None, picture.ctypes.data_as(ctypes.c_void_p), pitch)
        sdl.SDL_RenderCopy(self._renderer, self._texture, None, None)
        sdl.SDL_RenderPresent(self._renderer)
        sdl.SDL_SetWindowTitle(self._window, _titled(text).encode())

    def _scaled(self) -> Box | None:
        return None if self._drag is None else Box(*(round(n * self._scale) for n in self._drag.box))

    def _label(self) -> str:
        if self._drag is None:
            return ""
        box, screen = self._drag.box, self._screen
        edges = (screen.left + box.left, screen.top + box.top, screen.left + box.right, screen.top + box.bottom)
        small = "" if self._good() else f"  (at least {self._smallest_px}x{self._smallest_px})"
        return "L {} T {} R {} B {}".format(*edges) + f"  {box.width}x{box.height}{small}"


def _titled(text: str) -> str:
    return f"rushes: {text or HOW}"


def draw(dim: Picture, bright: Picture, box: Box | None, label: str) -> Picture:
    """Draw the screenshot with a rectangle on it.

    Args:
        dim: (H, W, 4) uint8 BGRA, the screenshot darkened.
        bright: (H, W, 4) uint8 BGRA, the screenshot.
        box: What is chosen, in px of the picture; None where nothing is yet.
        label: Its numbers.

    Returns:
        (H, W, 4) uint8 BGRA.
    """
    import cv2

    picture = dim.copy()
    height, width = picture.shape[:2]
    text, x, y = label, 24, 40
    if box is None:
        text = HOW
    else:
        inner = (slice(box.top, box.bottom), slice(box.left, box.right))
        picture[inner] = bright[inner]
        cv2.rectangle(picture, (box.left - 1, box.top - 1), (box.right, box.bottom), _LINE, 1)
        x, y = box.left, box.top - 10
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
    x = max(6, min(x, width - wide - 6))
    if y < high + 6:  # no room above: inside the rectangle, or below the edge
        y = min(height - below - 6, (box.top if box else 0) + high + 12)
    cv2.rectangle(picture, (x - 6, y - high - 6), (x + wide + 6, y + below + 4), (0, 0, 0), cv2.FILLED)
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _LINE, 1, cv2.LINE_AA)
    return picture
