"""What a live backend is made of: sources, each on a thread of its own, that stamp what they emit.

A screen, an input device and a microphone are sources. `rushes.capture.merge` runs them side by side and puts what
they emit into the order of time; `rushes.capture.director` decides what of it belongs to a segment.

Example:
    >>> class Metronome:
    ...     name, essential = "metronome", True
    ...     def run(self, clock, emit, stop):
    ...         while not stop.wait(0.5):
    ...             emit(Telemetry(clock.now_ns(), {"tick": True}))
    >>> isinstance(Metronome(), Source)
    True
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from rushes.model.clock import Clock
from rushes.model.readings import Reading, Telemetry
from rushes.model.session import SessionInfo, StreamSpec

__all__ = ["Emit", "LiveBackend", "Say", "Source", "SourceEnd", "Telemetry", "ignore"]

Say = Callable[[str], object]
"""Takes a sentence for the person who records."""
Emit = Callable[[Reading], None]
"""Takes a reading from any thread, at once; what it is given is not changed afterwards."""


def ignore(sentence: str) -> None:
    """Take a sentence that nobody wants to hear."""
    del sentence


class SourceEnd(Exception):  # noqa: N818 - an end is no error
    """A source is at its end; a source raises it from `run`, or returns where there is nothing to say.

    Args:
        reason: The segment's end_reason in one word: `window_closed`, `display_lost`, `device_lost`, `end`.
        sentence: What happened, for the person who records.
    """

    def __init__(self, reason: str, sentence: str = "") -> None:
        self.reason, self.sentence = reason, sentence or reason
        super().__init__(self.sentence)


@runtime_checkable
class Source(Protocol):
    """One device.

    Attributes:
        name: What the status line and messages call it: `screen`, `input`, `pads`, `system`, `mic`.
        essential: Whether the recording ends with it. When one that is not essential ends, the recording goes on
            without it and says so.
    """

    name: str
    essential: bool

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit readings stamped on `clock` until `stop` is set, and return within 0.2 s of it.

        The times of one source never run back. Devices are opened here and closed before returning.

        Raises:
            SourceEnd: The device is at its end (unplugged, closed).
            UnavailableError: The device cannot be opened here.
        """


@runtime_checkable
class LiveBackend(Protocol):
    """A backend whose readings happen in real time.

    Segments are not its business: it emits no `Start`; a `Gap` from a source says that what comes after it is a new
    stretch (a window that changed its size), and the recorder opens the next segment by itself.
    """

    def describe(self) -> SessionInfo:
        """Describe the session that it would record; touches no device."""

    def specs(self) -> tuple[StreamSpec, ...]:
        """List its streams; touches no device."""

    def sources(self, say: Say = ignore) -> Sequence[Source]:
        """Make its sources, the screen first; opens no device.

        Args:
            say: Takes sentences for the person who records, from any thread.
        """
