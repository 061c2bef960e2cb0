"""Whether what is typed goes to one window of an X server: exact, in the server's own order.

The focus events of the window and of all that it stands in arrive on the same connection as the keys, so a key that
was typed after the focus went is read after the event that says so. How they are taken:

| what the server says | what it means |
| --- | --- |
| FocusIn, FocusOut of the window, no pointer's detail | the focus came into it or a child of it, or left it |
| FocusOut with detail Inferior | it went to a child: still inside |
| mode Grab | another program takes all keys (a screen locker): outside, unless the window grabs |
| mode Ungrab | the keys go where the focus is again |
| mode WhileGrabbed | the focus moved during a grab, and keys do not follow it: nothing changes |

Where the focus is on the window's frame, keys are taken for the window's. Where it is on the root window or follows
the pointer (no window manager), they are the window's while the pointer is in it. These two can not be read from an
event alone: the window counts as left at once, the server is asked, and the answer holds from its own place in the
stream on (`Answer.mark`). A grab that began before this connection can not be seen until it ends.

Source: X Window System Protocol, X Version 11, chapter 10 (FocusIn, FocusOut); the server's dix/enterleave.c.

Example:
    >>> def watch(display, window_id):
    ...     focus = X11Focus(display, window_id)
    ...     event = display.next_event()
    ...     return focus.take(event)  # whether keys go to the window
    >>> passed(sequence=3, mark=65533), passed(sequence=65533, mark=3)
    (True, False)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rushes.capture.input.x11_raw import sequence_of
from rushes.capture.source import SourceEnd

_FOCUS_IN, _FOCUS_OUT, _ENTER, _LEAVE, _DESTROY, _REPARENT = 9, 10, 7, 8, 17, 21
_MASK_FOCUS, _MASK_STRUCTURE, _MASK_CROSSING = 1 << 21, 1 << 17, 1 << 4 | 1 << 5
_GRAB, _UNGRAB, _WHILE_GRABBED = 1, 2, 3
_INFERIOR, _POINTER = 2, 5  # details 0 to 4 are of the focus itself, from 5 on of the pointer or of no window
_POINTER_ROOT = 1


def passed(sequence: int, mark: int) -> bool:
    """Tell whether an event stands behind a reply.

    Args:
        sequence: Number of the last request that the server had handled when it sent the event, modulo 2**16.
        mark: Number of the request that was answered.
    """
    return (sequence - mark) % 65536 < 32768  # noqa: PLR2004 - half of the 16 bits of X11


@dataclass(frozen=True)
class Answer:
    """Where the keys went at one place of the stream.

    Attributes:
        via: `window`, `frame`, `pointer`, or empty where they do not go to the window.
        mark: Number of the request that was answered.
    """

    via: str
    mark: int


class X11Focus:
    """Follows the focus of one window on a connection of python-xlib.

    Args:
        display: A connection that nobody else reads.
        window: Id of the chosen window, which may stand in the frame of a window manager.

    Attributes:
        doubtful: Whether only `ask` can tell; true in the beginning.

    Raises:
        SourceEnd: `window_closed`, where there is no such window.
    """

    def __init__(self, display: Any, window: int) -> None:
        self._display = display
        self._window: Final = window
        self._root = display.screen().root.id
        self._frames: list[int] = []
        self._grabbed = False
        self._via = ""
        self.doubtful = True
        self._select(window, _MASK_FOCUS | _MASK_STRUCTURE | _MASK_CROSSING)
        self._select(self._root, _MASK_FOCUS)
        self._adopt()

    def take(self, event: Any) -> bool:
        """Read one core event.

        Args:
            event: Any event of the connection.

        Returns:
            Whether keys go to the window from here on, as far as events can tell: False where it is `doubtful`.

        Raises:
            SourceEnd: The window is gone.
        """
        kind = event.type & 0x7F
        if kind == _DESTROY and event.window.id == self._window:
            raise SourceEnd("window_closed", "the recorded window was closed")
        if kind == _REPARENT and event.window.id == self._window:
            self._adopt()
            self.doubtful |= self._via != "window"
        elif kind in {_ENTER, _LEAVE} and event.detail != _INFERIOR:
            self._crossed(left=kind == _LEAVE)
        elif kind in {_FOCUS_IN, _FOCUS_OUT} and event.mode != _WHILE_GRABBED:
            self._moved(event, came=kind == _FOCUS_IN)
        return bool(self._via)

    def _crossed(self, *, left: bool) -> None:
        """The pointer matters only where the focus follows it, which the server has to say."""
        if self._via == "pointer" and left:
            self._via = ""
        self.doubtful |= not self._via and not self._grabbed

    def _moved(self, event: Any, *, came: bool) -> None:
        self._grabbed = event.mode == _GRAB
        if event.window.id == self._window and event.detail < _POINTER:
            self._via = "window" if came or event.detail == _INFERIOR else ""
        elif self._via != "window":
            self._via = ""  # the frame, the root window, or a focus that follows the pointer
        self.doubtful = not self._via and not self._grabbed

    def ask(self) -> Answer:
        """Ask the server where keys go.

        Returns:
            What to `settle` as soon as an event behind its mark, or no event, is there to be read.
        """
        self.doubtful = False
        reply = self._display.get_input_focus()
        mark = sequence_of(reply)
        focus = getattr(reply.focus, "id", reply.focus)
        if focus in {_POINTER_ROOT, self._root}:
            return self._under_pointer(mark)
        if focus in self._frames:
            return Answer("frame", mark)
        return Answer("window" if self._window in self._line(focus) else "", mark)

    def settle(self, answer: Answer) -> bool:
        """Take the server's answer at its place in the stream.

        Returns:
            Whether keys go to the window from here on.
        """
        if not self._grabbed and not self.doubtful:
            self._via = answer.via
        return bool(self._via)

    def _under_pointer(self, mark: int) -> Answer:
        """Walk down from the root window to the pointer."""
        from Xlib import error

        window = self._root
        try:
            while window:
                reply = self._display.create_resource_object("window", window).query_pointer()
                mark = sequence_of(reply)
                if window == self._window:
                    return Answer("pointer", mark)
                window = getattr(reply.child, "id", reply.child)
        except error.XError:
            pass  # it vanished on the way
        return Answer("", mark)

    def _line(self, window: int) -> list[int]:
        """List a window and all that it stands in, up to the root window."""
        from Xlib import error

        line = []
        while window and window != self._root:
            line.append(window)
            try:
                parent = self._display.create_resource_object("window", window).query_tree().parent
            except error.XError:
                break  # it vanished; so did its focus
            window = getattr(parent, "id", parent) or 0
        return line

    def _adopt(self) -> None:
        """Follow the frames that a window manager puts around the window."""
        for frame in self._frames:
            self._select(frame, 0)
        self._frames = self._line(self._window)[1:]
        for frame in self._frames:
            self._select(frame, _MASK_FOCUS)

    def _select(self, window: int, mask: int) -> None:
        from Xlib import error

        trap = error.CatchError(error.BadWindow, error.BadMatch)
        self._display.create_resource_object("window", window).change_attributes(onerror=trap, event_mask=mask)
        self._display.sync()
        if trap.get_error() and window == self._window:
            raise SourceEnd("window_closed", f"there is no window {window:#x}")
