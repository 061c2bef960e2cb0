"""The source of a browser recording: what a page sends becomes readings on the session's clock.

The page stamps everything with its own clock. One offset a stretch brings it to the session's, so intervals are what
the page measured; the quickest answer of its clock decides. What runs back or lies in no segment is counted.

Example:
    >>> joins = Joins()
    >>> joins.hold(-1, {"round_trip_ms": 0.5})
    >>> joins.hold(2_000, {"round_trip_ms": 0.4})
    >>> joins.at(1_999)["round_trip_ms"], joins.at(2_000)["round_trip_ms"]
    (0.5, 0.4)
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from rushes.capture.browser.clock_join import Join, Sample, join
from rushes.capture.browser.messages import (
    BadMessageError,
    Break,
    Ending,
    Inputs,
    Message,
    Missing,
    Picture,
    Told,
)
from rushes.capture.input.gate import Gate
from rushes.capture.source import Emit, SourceEnd
from rushes.model.clock import NS, Clock
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Lost, Reading, Telemetry

AHEAD_NS: Final = NS
"""A stamp that lies further in the future than this is none of a clock that was joined."""
MAX_COLUMNS: Final = 256
"""Telemetry fields of one session."""
SAMPLES: Final = 30
"""Answers of the page's clock that are kept: a minute of one every 2 s."""
_LOOK_S: Final = 0.05
_SETTLE_S: Final = 0.001
_DRAIN_NS: Final = NS
_BURST: Final = 4
"""Pictures that arrive at once are passed on at so many times the rate, so that the encoder keeps up."""


class Closed(NamedTuple):
    """The connection is over; what it sent stands before this.

    Attributes:
        reason: The session's end_reason.
        sentence: What happened, for a person.
    """

    reason: str = "tab_closed"
    sentence: str = "the page was closed"


class Link(Protocol):
    """A connection to a page, as a source needs it.

    Attributes:
        inbox: What it sent, in that order; answers of its clock come first.
    """

    inbox: queue.SimpleQueue[Message | Sample | Closed]

    def go(self) -> None:
        """Tell the page that frames are wanted; from any thread."""

    def refuse(self, error: BadMessageError) -> None:
        """Tell the page why it is over and close; from any thread."""


class Joins:
    """The clock joins of a play, as attributes of the segments that begin under them."""

    def __init__(self) -> None:
        self._known: list[tuple[int, Mapping[str, Any]]] = []

    def hold(self, from_ns: int, attrs: Mapping[str, Any]) -> None:
        """Take attributes that hold from a time on, ns since session start; later than those before."""
        self._known.append((from_ns, attrs))

    def at(self, t_ns: int) -> Mapping[str, Any]:
        """Return what holds at a time, ns since session start."""
        return next((attrs for from_ns, attrs in reversed(self._known) if from_ns <= t_ns), {})


class PageSource:
    """Turns messages into readings on the session's clock.

    Args:
        link: Where they come from.
        gate: Decides on the hands.
        rate_hz: Pictures a second.
        joins: Told about each clock join.
    """

    name, essential = "screen", True

    def __init__(self, link: Link, gate: Gate, rate_hz: float, joins: Joins) -> None:
        self._link, self._gate, self._joins = link, gate, joins
        self._pace_s = 1 / rate_hz / _BURST
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._join: Join | None = None
        self._before: Join | None = None  # of the last stretch
        self._in_stretch = False
        self._unread = 0  # pictures of the stretch that the page could not read; the next one says so
        self._last_ns = -1  # of the last frame; the next comes later
        self._begin_ns = 0  # of the stretch
        self._latest_ns = -1  # of anything
        self._emitted_ns = self._drained_ns = 0
        self._kinds: dict[str, type] = {}

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit what the page sends until `stop`, or until it is over.

        Raises:
            SourceEnd: The page said so, closed, or said what no page may say.
        """
        self._link.go()
        try:
            while not stop.is_set():
                message = self._next()
                if message is not None:
                    for reading in self._take(message, clock, stop):
                        emit(reading)
                self._drain(clock, emit, _DRAIN_NS)
        except BadMessageError as error:
            self._link.refuse(error)
            self._settle(clock, stop)
            raise SourceEnd(error.reason, str(error)) from error
        finally:
            for lost in self._rest():
                emit(lost)
            self._drain(clock, emit, 0)

    def _next(self) -> Message | Sample | Closed | None:
        try:
            return self._link.inbox.get(timeout=_LOOK_S)
        except queue.Empty:
            return None

    def _drain(self, clock: Clock, emit: Emit, every_ns: int) -> None:
        now_ns = clock.now_ns()
        if now_ns - self._drained_ns >= every_ns:
            self._drained_ns = now_ns
            for lost in self._gate.drain(now_ns):
                emit(lost)

    def _at(self, t_ms: float, clock: Clock) -> int:
        if self._join is None:
            self._join = self._joined(t_ms, clock)
            self._joins.hold(self._last_ns, self._join.attrs())
        t_ns = clock.at(self._join.at(t_ms))
        if t_ns > clock.now_ns() + AHEAD_NS:
            raise BadMessageError("a time that is still to come", accepts="times of what has happened")
        self._latest_ns = max(self._latest_ns, t_ns)
        return t_ns

    def _joined(self, t_ms: float, clock: Clock) -> Join:
        """Join the clocks for a new stretch; as before, where a new join would put its begin into the last one."""
        found, before = join(self._samples), self._before
        if before is not None and clock.at(found.at(t_ms)) <= self._last_ns < clock.at(before.at(t_ms)):
            return before
        return found

    def _take(self, message: Message | Sample | Closed, clock: Clock, stop: threading.Event) -> Iterator[Reading]:
        if isinstance(message, Sample):
            self._samples.append(message)
        elif isinstance(message, Closed):
            self._settle(clock, stop)
            raise SourceEnd(message.reason, message.sentence)
        elif isinstance(message, Picture):
            yield from self._picture(message, clock, stop)
        elif isinstance(message, Inputs):
            for t_ms, event in message.rows:
                yield from self._input(event._replace(t_ns=self._at(t_ms, clock)))
        else:
            yield from self._other(message, clock, stop)

    def _other(self, message: Message, clock: Clock, stop: threading.Event) -> Iterator[Reading]:
        if isinstance(message, Told):
            yield self._told(message, clock)
        elif isinstance(message, Missing):
            t_ns = max(0, self._at(message.t_ms, clock))
            if message.stream == "frames" and self._in_stretch:
                self._unread += message.number
            else:
                yield Lost(t_ns, message.stream, message.reason, message.number)
        elif isinstance(message, Break | Ending):
            yield from self._rest()
            yield self._gap(message.t_ms, message.reason, clock)
        if isinstance(message, Ending):
            self._settle(clock, stop)
            raise SourceEnd(message.reason)

    def _settle(self, clock: Clock, stop: threading.Event) -> None:
        """Wait until all that was stamped is past: the recorder ends the session at the time of the end."""
        while clock.now_ns() <= self._latest_ns and not stop.wait(_SETTLE_S):
            pass

    def _picture(self, picture: Picture, clock: Clock, stop: threading.Event) -> Iterator[Reading]:
        t_ns = self._at(picture.t_ms, clock)
        if t_ns <= self._last_ns:
            yield Lost(self._last_ns, "frames", "out_of_order", 1 + picture.dropped)
            return
        self._check(picture.fields or {})
        stop.wait(max(0.0, self._pace_s - (clock.now_ns() - self._emitted_ns) / NS))
        self._emitted_ns = clock.now_ns()
        self._begin_ns = self._begin_ns if self._in_stretch else t_ns
        self._last_ns, self._in_stretch = t_ns, True
        dropped, self._unread = picture.dropped + self._unread, 0
        yield Frame(t_ns, picture.pixels, None, picture.tick, picture.late, dropped)
        if picture.fields:
            yield Telemetry(t_ns, picture.fields, OF_FRAME_BEFORE)

    def _rest(self) -> Iterator[Lost]:
        """Count pictures that could not be read where none follows in their stretch."""
        if self._unread:
            yield Lost(self._last_ns, "frames", "not_read", self._unread)
            self._unread = 0

    def _input(self, event: Event) -> Iterator[Reading]:
        if event.t_ns < 0:
            yield Lost(0, "events", "before_start", 1)
        else:
            yield from self._gate.take(event)

    def _told(self, row: Told, clock: Clock) -> Reading:
        t_ns = self._at(row.t_ms, clock)
        self._check(row.fields)
        if not self._in_stretch or t_ns < self._begin_ns:
            return Lost(max(t_ns, 0), "telemetry", "between_segments", 1)
        return Telemetry(t_ns, row.fields)

    def _gap(self, t_ms: float, reason: str, clock: Clock) -> Gap:
        t_ns = max(self._at(t_ms, clock), self._last_ns + 1)
        self._before, self._join, self._in_stretch = self._join, None, False
        self._last_ns = t_ns - 1  # a picture of that very moment begins the next stretch, as after a new size
        return Gap(t_ns, reason)

    def _check(self, fields: Mapping[str, Any]) -> None:
        """Hold each field to one type, as a column has; numbers may be whole in one row and not in the next."""
        for name, value in fields.items():
            kind = float if isinstance(value, int) and not isinstance(value, bool) else type(value)
            known = self._kinds.setdefault(name, kind)
            if kind is not known:
                raise BadMessageError(
                    f"field {name} that was {known.__name__} and is {kind.__name__}", accepts="one type a field"
                )
        if len(self._kinds) > MAX_COLUMNS:
            raise BadMessageError(
                f"telemetry of more than {MAX_COLUMNS} different fields", accepts="the same names in every row"
            )
