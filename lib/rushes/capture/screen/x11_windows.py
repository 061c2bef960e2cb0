r"""Windows of an X11 session, by python-xlib.

The list is the window manager's own (`_NET_CLIENT_LIST`); without one it is what the root window shows. A title is
`_NET_WM_NAME`, else `WM_NAME`; the process is `_NET_WM_PID`, and its names are the program that was started (first word
of /proc/PID/cmdline) and the kernel's short name (/proc/PID/comm). A box is the client's own area, translated to the
root, so it holds neither title bar nor frame.

An eye on a window has a connection of its own and selects the window's ConfigureNotify (window managers send one after
every move, ICCCM 4.1.5), so a move is known within a millisecond; who asks without an event gets the place by a
question to the server all the same.

Example:
    >>> def print_titles():
    ...     for window in X11Desktop.list():
    ...         print(window.id_text, window.process_name, window.title)
    >>> names_of_process(b"/usr/games/crispy-doom\0-iwad\0x.wad\0", "crispy-doom")
    ('crispy-doom',)
    >>> names_of_process(b"Z:\\games\\Very Long Game Name.exe\0", "Very Long Game ")
    ('Very Long Game Name.exe', 'Very Long Game ')
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from rushes.capture.screen.base import Box
from rushes.capture.screen.windows import Place, Window
from rushes.capture.source import SourceEnd
from rushes.errors import UnavailableError

_SMALLEST_PX: Final = 2
"""Without a window manager the root also shows windows of one pixel that programs talk through."""
_DEEPEST: Final = 3
"""Frames that an old window manager puts around a client."""


class X11Desktop:
    """Windows of the display that DISPLAY names."""

    @staticmethod
    def list() -> tuple[Window, ...]:
        """List the windows.

        Raises:
            UnavailableError: python-xlib is missing, or no server answers.
        """
        with _connection() as eye:
            focus = eye.focus()
            found = (eye.describe(window, focus) for window in eye.clients())
            return tuple(window for window in found if window is not None)

    @staticmethod
    @contextmanager
    def watch(window: int) -> Iterator[X11Watch]:
        """Open an eye on one window, by its id.

        Raises:
            UnavailableError: python-xlib is missing, or no server answers.
        """
        with _connection() as eye:
            yield X11Watch(eye, window)


@contextmanager
def _connection() -> Iterator[_Eye]:
    try:
        from Xlib.display import Display
    except ImportError as error:
        raise UnavailableError(
            f"windows cannot be listed ({error})", accepts="python-xlib", fix='pip install "rushes[desktop]"'
        ) from error
    try:
        display = Display()
    except Exception as error:  # python-xlib lets through what sockets raise
        raise UnavailableError(
            f"no X server answers ({error})",
            accepts="a running X11 session",
            fix="check DISPLAY and that its server runs",
        ) from error
    display.set_error_handler(lambda *_: None)  # python-xlib prints what belongs to no reply
    try:
        yield _Eye(display)
    finally:
        with suppress(Exception):  # the server may be gone
            display.close()


class _Eye:
    """Questions to one X server."""

    def __init__(self, display: Any) -> None:
        from Xlib import error

        self.display, self.root = display, display.screen().root
        self._atoms: dict[str, int] = {}
        self.vanished = (error.BadWindow, error.BadDrawable)

    def property(self, window: Any, name: str) -> Any:
        """Read a property: its value, or None."""
        from Xlib import X

        if name not in self._atoms:
            self._atoms[name] = self.display.intern_atom(name)
        found = window.get_full_property(self._atoms[name], X.AnyPropertyType)
        return found.value if found is not None else None

    def clients(self) -> list[Any]:
        """List client windows: the window manager's list, else what the root shows."""
        ids = self.property(self.root, "_NET_CLIENT_LIST")
        if ids is not None:
            return [self.display.create_resource_object("window", number) for number in ids]
        return [client for child in self.root.query_tree().children if (client := self._client(child)) is not None]

    def _client(self, child: Any) -> Any | None:
        """Find the client in a child of the root, which may be a frame; None where a person sees no window."""
        from Xlib import X

        try:
            seen = child.get_attributes()
            size = child.get_geometry()
            small = min(size.width, size.height) < _SMALLEST_PX
            if seen.map_state != X.IsViewable or seen.win_class != X.InputOutput or seen.override_redirect or small:
                return None
            return self._marked(child, _DEEPEST) or child
        except self.vanished:
            return None

    def _marked(self, window: Any, depth: int) -> Any | None:
        """Find the window with WM_STATE, which window managers put on clients (ICCCM 4.1.3.1)."""
        if self.property(window, "WM_STATE") is not None:
            return window
        children = window.query_tree().children if depth else []
        return next((found for child in children if (found := self._marked(child, depth - 1)) is not None), None)

    def focus(self) -> set[int]:
        """Give the ids of the windows that keys go to: the active window, or the focus and those around it."""
        active = self.property(self.root, "_NET_ACTIVE_WINDOW")
        if active is not None and len(active) and active[0]:
            return {int(active[0])}
        window, ids = self.display.get_input_focus().focus, set()
        try:
            while hasattr(window, "query_tree") and window.id != self.root.id:
                ids.add(window.id)
                window = window.query_tree().parent
        except self.vanished:
            pass
        return ids

    def box(self, window: Any) -> Box:
        """Say where the client area of a window is."""
        size = window.get_geometry()
        corner = self.root.translate_coords(window, 0, 0)
        return Box(corner.x, corner.y, corner.x + size.width, corner.y + size.height)

    def describe(self, window: Any, focus: set[int]) -> Window | None:
        """Read all about a window; None where it has gone meanwhile."""
        try:
            pid = self.property(window, "_NET_WM_PID")
            number = int(pid[0]) if pid is not None and len(pid) else None
            names = _names(number) if number else ()
            return Window(window.id, self.title(window), number, names, self.box(window), window.id in focus)
        except self.vanished:
            return None

    def title(self, window: Any) -> str:
        """Read a title; empty where there is none."""
        for name, encoding in (("_NET_WM_NAME", "utf-8"), ("WM_NAME", "latin-1")):
            text = self.property(window, name)
            if text is not None and len(text):
                return text.decode(encoding, "replace") if isinstance(text, bytes) else str(text)
        return ""


class X11Watch:
    """An eye on one window.

    Args:
        eye: A connection of its own.
        window: Its id.
    """

    def __init__(self, eye: _Eye, window: int) -> None:
        from Xlib import X

        self._eye, self._id = eye, window
        self._window = eye.display.create_resource_object("window", window)
        self._window.change_attributes(event_mask=X.StructureNotifyMask)

    def wait(self, timeout_s: float) -> None:
        """Return at the next event of the window, at the latest after the time.

        Raises:
            SourceEnd: `display_lost`.
        """
        display = self._eye.display
        try:
            if not display.pending_events():
                select.select([display.fileno()], [], [], timeout_s)
            for _ in range(display.pending_events()):
                display.next_event()
        except Exception as error:
            raise SourceEnd("display_lost", f"the display is gone ({error})") from error

    def place(self) -> Place:
        """Say where it is.

        Raises:
            SourceEnd: `window_closed` or `display_lost`.
        """
        from Xlib import X

        try:
            box = self._eye.box(self._window)
            return Place(box, self._window.get_attributes().map_state == X.IsViewable)
        except self._eye.vanished:
            raise SourceEnd("window_closed", f"window {self._id:#x} was closed") from None
        except Exception as error:
            raise SourceEnd("display_lost", f"the display is gone ({error})") from error


def _names(pid: int) -> tuple[str, ...]:
    folder = Path("/proc") / str(pid)
    try:
        return names_of_process((folder / "cmdline").read_bytes(), (folder / "comm").read_text("utf-8", "replace")[:-1])
    except OSError:  # another machine's window, or a process that has ended
        return ()


def names_of_process(cmdline: bytes, comm: str) -> tuple[str, ...]:
    """Give the names that a process goes by.

    Args:
        cmdline: /proc/PID/cmdline; the first word may be a path of Windows (Wine, Proton).
        comm: /proc/PID/comm, 15 characters at the most.

    Returns:
        The program's file name, then the kernel's name for it where that differs.
    """
    program = re.split(r"[/\\]", cmdline.split(b"\0")[0].decode("utf-8", "replace"))[-1]
    return tuple(dict.fromkeys(name for name in (program, comm) if name))
