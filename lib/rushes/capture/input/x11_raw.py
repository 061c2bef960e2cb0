"""Raw events of XInput2 and the server's clock: bytes and milliseconds -> what a source can use.

python-xlib announces XInput 2.0 and parses no raw event; a client that announces 2.0 gets none while a game grabs the
pointer. `connect` negotiates 2.2, and each generic event is kept as bytes until somebody asks for them.

Source: X11 Protocol XInput2 (XI2proto.txt), RawEvent.

Example:
    >>> words = (2, 1000, 0, 4, 1, 0)  # master, ms, detail, device, words of the mask, flags
    >>> data = struct.pack("<HIIHHI4xI", *words, 0b11) + struct.pack("<iIiI", 9, 0, -4, 0) * 2
    >>> parse_raw(MOTION, data).values
    {0: 9.0, 1: -4.0}
    >>> unwrapped_ns(5, low_ns=2**32 * 10**6, high_ns=(2**32 + 20) * 10**6) - 2**32 * 10**6
    5500000
"""

from __future__ import annotations

import os
import struct
import time
from typing import Any, Final, NamedTuple

from rushes.errors import UnavailableError
from rushes.model.clock import NS, Clock

HIERARCHY, KEY_DOWN, KEY_UP, BUTTON_DOWN, BUTTON_UP, MOTION = 11, 13, 14, 15, 16, 17
"""Numbers of XInput2's events."""
RAW: Final = frozenset({KEY_DOWN, KEY_UP, BUTTON_DOWN, BUTTON_UP, MOTION})
GENERIC: Final = 35
"""Type of every event of XInput2."""
_ALL, _ALL_MASTERS = 0, 1
_AGREE_NS: Final = 5_000_000
"""Clocks that differ by less than this beyond a round trip are one clock."""
_HEAD: Final = struct.Struct("<HIIHHI4x")
_FIXED: Final = struct.Struct("<iI")


class Raw(NamedTuple):
    """A raw event.

    Attributes:
        kind: `KEY_DOWN` ... `MOTION`.
        time_ms: The server's time, modulo 2**32.
        detail: Keycode or button.
        source: Id of the device.
        values: Valuator -> value before acceleration.
        repeat: Whether the server says that a held key repeats.
    """

    kind: int
    time_ms: int
    detail: int
    source: int
    values: dict[int, float]
    repeat: bool


def parse_raw(kind: int, data: bytes) -> Raw:
    """Take a raw event apart.

    Args:
        kind: The event's number within XInput2.
        data: The event from its 11th byte on.

    Returns:
        The event; the unaccelerated values stand behind the accelerated ones.
    """
    _, time_ms, detail, source, words, flags = _HEAD.unpack_from(data)
    at = _HEAD.size + 4 * words
    mask = int.from_bytes(data[_HEAD.size : at], "little")
    axes = [axis for axis in range(mask.bit_length()) if mask >> axis & 1]
    at += _FIXED.size * len(axes)
    values = {}
    for k, axis in enumerate(axes):
        whole, part = _FIXED.unpack_from(data, at + _FIXED.size * k)
        values[axis] = whole + part / 2**32
    return Raw(kind, time_ms, detail, source, values, bool(flags >> 16 & 1))


class Generic:
    """A generic event as python-xlib keeps it for us.

    Attributes:
        type: 35.
        evtype: Number within XInput2.
        sequence_number: Of the last request that the server had handled.
        looked: Whether the pointer's place was asked for since it came; for motions.
    """

    looked = False

    def __init__(self, display: Any = None, binarydata: bytes = b"", **_: Any) -> None:
        del display
        self.type = GENERIC
        self._data = bytes(binarydata)
        self.sequence_number, self.evtype = struct.unpack_from("<H4xH", self._data, 2)
        self._raw: Raw | None = None

    @property
    def raw(self) -> Raw | None:
        """The raw event, or None where it is another."""
        if self._raw is None and self.evtype in RAW:
            self._raw = parse_raw(self.evtype, self._data[10:])
        return self._raw


def connect(name: str | None) -> Any:
    """Open a connection that gets raw events.

    Args:
        name: Name of the server, else what DISPLAY says.

    Returns:
        A display of python-xlib whose generic events are `Generic`.

    Raises:
        UnavailableError: python-xlib is missing, no server answers, or it has no XInput 2.2.
    """
    try:
        from Xlib import display as xdisplay
        from Xlib.ext import xinput

        display = xdisplay.Display(name)
    except ImportError as missing:
        raise UnavailableError(
            f"keyboard and mouse of X11 without python-xlib ({missing})",
            accepts="an environment with it",
            fix='pip install "rushes[desktop]"',
        ) from missing
    except Exception as failed:  # python-xlib raises many kinds, down to AssertionError
        raise UnavailableError(
            f"no X server answers at {name or os.environ.get('DISPLAY') or 'DISPLAY, which is not set'} ({failed})",
            accepts="a running X11 session",
            fix="log in to an X11 (Xorg) session, or record the browser or env backend",
        ) from failed
    display.set_error_handler(lambda *_: None)  # the default prints
    version = (0, 0)
    if display.query_extension(xinput.extname):
        opcode = display.display.get_extension_major(xinput.extname)
        found = xinput.XIQueryVersion(display=display.display, opcode=opcode, major_version=2, minor_version=2)
        version = (found.major_version, found.minor_version)
    if version < (2, 2):
        display.close()
        raise UnavailableError(
            f"an X server with XInput {version[0]}.{version[1]}", accepts="2.2 or later", fix="update the X server"
        )
    # python-xlib keeps one table for all connections, and every new one puts its own class back: take a copy
    display.display.event_classes = {**display.display.event_classes, GENERIC: Generic}
    return display


def select_raw(display: Any) -> None:
    """Ask for raw events of all master devices, and for devices that come and go."""
    mask = sum(1 << kind for kind in RAW)
    display.screen().root.xinput_select_events([(_ALL_MASTERS, mask), (_ALL, 1 << HIERARCHY)])


def sequence_of(reply: Any) -> int:
    """Give the number of the request that a reply answers."""
    return int(reply._data["sequence_number"])  # noqa: SLF001 - python-xlib has no other way to say it


class ServerClock:
    """Stamps events with the server's own time, where its clock is ours.

    On Linux both count CLOCK_MONOTONIC, the server in whole ms. Three round trips show whether that is so; a server on
    another machine or system gives times of arrival instead.

    Args:
        display: A connection that nobody else reads; events that it has waiting are lost.
        clock: The session's.

    Attributes:
        agrees: Whether the server's time is used.
    """

    def __init__(self, display: Any, clock: Clock) -> None:
        from Xlib import X

        self._clock = clock
        root = display.screen().root
        window = root.create_window(-1, -1, 1, 1, 0, X.CopyFromParent, event_mask=X.PropertyChangeMask)
        atom, text = display.get_atom("RUSHES_TIME"), display.get_atom("STRING")
        agrees = True
        for _ in range(3):
            before = time.perf_counter_ns()
            window.change_property(atom, text, 8, b"")
            display.sync()
            after = time.perf_counter_ns()
            found = None
            while display.pending_events():
                event = display.next_event()
                found = event.time if event.type == X.PropertyNotify else found
            low_ns, high_ns = before - _AGREE_NS, after + _AGREE_NS
            agrees &= found is not None and unwrapped_ns(found, low_ns=low_ns, high_ns=high_ns) is not None
        window.destroy()
        self.agrees: Final = agrees

    def stamp_ns(self, time_ms: int) -> int:
        """Translate a server's time.

        Args:
            time_ms: Of an event that was just read.

        Returns:
            ns since session start: the middle of that ms, never later than now; now where it cannot be true.
        """
        now = time.perf_counter_ns()
        found = unwrapped_ns(time_ms, low_ns=now - 10 * NS, high_ns=now) if self.agrees else None
        return self._clock.at(now if found is None else min(now, found))


def unwrapped_ns(time_ms: int, *, low_ns: int, high_ns: int) -> int | None:
    """Give the middle of a ms that is told modulo 2**32.

    Args:
        time_ms: The server's time.
        low_ns: The earliest time that it may be.
        high_ns: The latest ms that it may be begins at or before this.

    Returns:
        ns, or None where no such ms lies between the limits.
    """
    high_ms = high_ns // 1_000_000
    full_ms = high_ms - (high_ms - time_ms) % 2**32
    t_ns = full_ms * 1_000_000 + 500_000
    return t_ns if low_ns <= t_ns else None
