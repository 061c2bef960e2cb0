"""Learn mode: which keys a game needs, as names with counts, so that they can be listed in a layout.

Recording keeps only keys that the layout lists. `rushes record --learn-keys` plays without recording: the same sources
run with a gate that lists every control of keyboard, mouse and pads, still only while the chosen window has the focus,
and this counts what is used. Neither times nor the order are kept. Counts of letters still say something of a text, so
nothing should be typed into a chat while it runs.

Example:
    >>> learned = Learned()
    >>> for kind in ("press", "release", "press", "release"):
    ...     learned.take(Event(0, "keyboard", "KeyG", kind))
    >>> learned.counts(), learned.missing(["KeyW"])
    ({'KeyG': 2}, ('KeyG',))
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from rushes.capture.input.gate import Gate, Scope
from rushes.model.controls import CONTROLS, POINTER, STICKS, TRIGGER_THRESHOLD, TRIGGERS
from rushes.model.layouts import slot
from rushes.model.readings import Event, Reading

__all__ = ["Event", "Learned", "learning_gate"]

_STICK_THRESHOLD = 0.5


def learning_gate(scope: Scope) -> Gate:
    """Make a gate that lists every physical control.

    Args:
        scope: `window` or `anywhere`, as for a recording.
    """
    return Gate([name for name in CONTROLS if "/" not in name], scope)


class Learned:
    """Counts what is used; thread-safe, and fit to be the `emit` of a source.

    Presses count once each, a motion of the mouse as `Mouse`, a notch of a wheel, a stick or trigger each time that it
    passes half of its way. Hotkeys of the recorder do not count.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._beyond: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def take(self, reading: Reading) -> None:
        """Count a reading, if it is an event that says that something is used."""
        if not isinstance(reading, Event) or reading.flag:
            return
        with self._lock:
            if reading.kind in {"press", "scroll", "move"} or self._passes(reading):
                self._counts[reading.control] += 1

    def _passes(self, event: Event) -> bool:
        if event.kind != "axis" or event.control not in {*STICKS, *TRIGGERS}:
            return False
        limit = TRIGGER_THRESHOLD if event.control in TRIGGERS else _STICK_THRESHOLD
        where, beyond = (event.device, event.control), abs(event.value or 0.0) >= limit
        new = beyond and where not in self._beyond
        (self._beyond.add if beyond else self._beyond.discard)(where)
        return new

    def counts(self) -> dict[str, int]:
        """Give control -> how often it was used, most used first, then by name."""
        with self._lock:
            return dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))

    def missing(self, controls: Iterable[str]) -> tuple[str, ...]:
        """Name what was used and is not listed.

        Args:
            controls: Names of a layout's slots or physical controls.

        Returns:
            Physical controls, most used first; not the mouse's motion, which needs no listing.
        """
        slots = [slot(name) for name in controls]
        listed = {control for one in slots for control in (*one.plus, *one.minus)}
        return tuple(name for name in self.counts() if name not in listed and name != POINTER)

    def __repr__(self) -> str:
        return f"Learned({len(self._counts)} controls, {sum(self._counts.values())} uses)"
