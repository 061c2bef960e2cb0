"""Events of a segment as rows of `input_events`, in the original's words.

Times are whole ms since the segment's start. An event is never moved over the edge of its row: one at 40.1 ms, before a
frame at 40.3 ms, stands at 39, or the two would share a ms and it would count for the frame.

The original keeps places of the pointer and no motion. Where the places are not known (devices that tell counts), they
are the sum of what moved, from 0 on. A row in front of the first move says where the pointer began, so that differences
give all motion back. What is down when a segment begins is pressed at 0.

Example:
    >>> from rushes.model.readings import Event
    >>> tap = [Event(1_500_000, "keyboard", "KeyW", "press"), Event(2_500_000, "mouse", "Mouse", "move", dx=3, dy=-1)]
    >>> for row in rows_of_segment(tap, np.array([0, 40_000_000])):
    ...     print(row.values)
    (0, 'mouse', 'move', 'move', None, 0.0, 0.0)
    (1, 'keyboard', 'w', 'press', 1.0, None, None)
    (2, 'mouse', 'move', 'move', None, 3.0, -1.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.formats.gameon import pads
from rushes.formats.gameon.names import KEYBOARD, MOUSE, MOVE, SCROLL, WORDS, word_of
from rushes.model.controls import KEYS, MOUSE_MOTIONS, POINTER
from rushes.model.readings import Event

_MS: Final = 1_000_000
_PAD: Final = pads.DEVICES[0]
_WHEELS: Final = MOUSE_MOTIONS[2:]


class Written(NamedTuple):
    """A row.

    Attributes:
        values: timestamp_ms, input_device, button_key, action, value, x_position, y_position.
        event: What it stands for; None for the place at which the pointer began.
    """

    values: tuple[int, str, str, str, float | None, float | None, float | None]
    event: Event | None


def places(*, strict: bool) -> frozenset[str]:
    """Name the controls that have a word.

    Args:
        strict: The original's words alone; else keys without one stand under their W3C codes.
    """
    found = {*WORDS, *pads.CONTROLS, *MOUSE_MOTIONS[:3]}
    return frozenset(found if strict else {*found, *KEYS, *_WHEELS})


def rows_of_segment(events: Iterable[Event], t_ns: npt.NDArray[np.int64]) -> Iterator[Written]:
    """Write the events of a segment; those of controls without a place have to be left out already.

    Args:
        events: By time, from the segment's start on.
        t_ns: (N,) int64 ns since session start of its frames, rising.

    Yields:
        Rows by time.
    """
    found = list(events)
    frame_ms = (t_ns - t_ns[0]) // _MS
    at = _begin(found)
    if at is not None:
        yield Written((0, MOUSE, MOVE, MOVE, None, *at), None)
    standing: dict[str, float] = {}
    for event in found:
        if event.control != POINTER and _repeats(event, standing):
            continue
        row = max(int(np.searchsorted(t_ns, event.t_ns, side="right")) - 1, 0)
        ms = (event.t_ns - int(t_ns[0])) // _MS
        if row + 1 < len(t_ns):
            ms = min(ms, int(frame_ms[row + 1]) - 1)
        ms = max(ms, int(frame_ms[row]))
        if event.control == POINTER:
            at = _moved(at, event)
        yield Written((ms, *_words(event, at)), event)


def _repeats(event: Event, standing: dict[str, float]) -> bool:
    """Say whether a state tells what is known already, and note how the control stands now.

    A state within a segment may tell something new: what was held is up since the window lost the focus.
    """
    now = _known(event.value) or 0.0
    if event.kind in ("press", "release"):
        now = float(event.kind == "press")
    before = standing.get(event.control, 0.0)
    standing[event.control] = now
    return event.kind == "state" and now == before


def _begin(events: list[Event]) -> tuple[float, float] | None:
    """Say where the pointer stands before its first move; None where it never moves, or a state says it itself."""
    first = next((event for event in events if event.control == POINTER), None)
    if first is None or (first.kind == "state" and _known(first.x) is not None):
        return None
    if _known(first.x) is None or _known(first.y) is None:
        return 0.0, 0.0
    return float(first.x or 0) - (_known(first.dx) or 0.0), float(first.y or 0) - (_known(first.dy) or 0.0)


def _moved(at: tuple[float, float] | None, event: Event) -> tuple[float, float]:
    x, y = _known(event.x), _known(event.y)
    if x is not None and y is not None and (event.kind == "state" or _agrees(at, event, x, y)):
        return x, y
    here = at or (0.0, 0.0)
    return here[0] + (_known(event.dx) or 0.0), here[1] + (_known(event.dy) or 0.0)


def _agrees(at: tuple[float, float] | None, event: Event, x: float, y: float) -> bool:
    """Say whether places tell the same motion as the device does; a game that holds the pointer makes them differ."""
    dx, dy = _known(event.dx), _known(event.dy)
    return at is None or dx is None or dy is None or (x - at[0] == dx and y - at[1] == dy)


def _words(event: Event, at: tuple[float, float] | None) -> tuple[str, str, str, float | None, Any, Any]:
    x, y = at if at is not None else (_known(event.x), _known(event.y))
    control, kind, value = event.control, event.kind, _known(event.value)
    if control == POINTER:
        return MOUSE, MOVE, MOVE, None, x, y
    if control in _WHEELS:
        return MOUSE, SCROLL if control == _WHEELS[0] else control, SCROLL, value, x, y
    if control in pads.CONTROLS:
        return (_PAD, *pads.code_of(control, kind, value), None, None)
    device, word = word_of(control)
    down = kind == "press" or (kind == "state" and bool(value))
    place = (x, y) if device == MOUSE else (None, None)
    return device or KEYBOARD, word or control, "press" if down else "release", float(down), *place


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
