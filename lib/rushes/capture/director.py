"""The director: decides what of a live backend's readings belongs to the session, and where segments begin and end.

It is pure logic on readings in the order of time and touches no device, clock or disk. Hotkeys, pauses, limits and
long gaps are all settled here, at the times of the readings themselves, so that nothing depends on when they arrive.

While it is paused no frame, sound or input is kept: inputs are counted, unnamed, under `paused`. It still follows what
is down, so a segment begins with the true state of every control that changed meanwhile (`kind=state`). A row of
telemetry between two segments that no pause lies between is counted under `between_segments`.

Example:
    >>> import numpy as np
    >>> director = Director(rate_hz=10, paused=False)
    >>> picture = np.zeros((2, 2, 3), np.uint8)
    >>> readings = [*director.take(Frame(0, picture)), *director.take(Frame(100_000_000, picture)),
    ...             *director.finish(200_000_000, "stop")]
    >>> [type(r).__name__ for r in readings]
    ['Start', 'Frame', 'Frame', 'Gap']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rushes.capture.input.hotkeys import command_of
from rushes.model.clock import NS
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Lost, Reading, Start, Telemetry

STALL_NS: Final = NS
"""A stretch without a frame that is longer than this, and than three ticks, ends the segment: `drop`."""
BETWEEN: Final = "between_segments"
"""Why a frame or a row of telemetry is lost that comes when its segment is over and the next has not begun."""
_TICKS: Final = 3
_TELL_NS: Final = NS
"""How often what was discarded in a pause is counted: too seldom to tell when a key was struck."""


@dataclass
class Counters:
    """What the live view shows.

    Attributes:
        frames: Frames in segments.
        dropped: Ticks without a picture, in segments.
        late: Frames later than their limit.
        duplicates: Frames that repeat the picture before.
        events: Inputs kept.
        discarded: Inputs not kept, for whatever reason.
        segments: Segments begun.
        recorded_ns: ns in segments that are closed.
    """

    frames: int = 0
    dropped: int = 0
    late: int = 0
    duplicates: int = 0
    events: int = 0
    discarded: int = 0
    segments: int = 0
    recorded_ns: int = 0


@dataclass
class Director:
    """Decides what belongs to the session.

    Attributes:
        rate_hz: Ticks a second.
        paused: Whether nothing is recorded until a hotkey or a command says so.
        max_frames: Ends after so many frames; 0 for no limit.
        max_seconds: Ends after so many recorded seconds; 0 for no limit.
        idle_stop_s: Ends after so many seconds without an input; 0 for no limit.
        wall_ns: Gives the Unix time in ns of a session time, for the segments' anchors.
        rejoined: Whether the first segment goes on after a restart.
        attrs: What holds for every segment.
        attrs_at: Gives what holds for a segment that begins at a session time, beside that.
        ended: Why the session is over, `""` before.
        counters: What was met.
    """

    rate_hz: float
    paused: bool = True
    max_frames: int = 0
    max_seconds: float = 0.0
    idle_stop_s: float = 0.0
    wall_ns: Callable[[int], int | None] = lambda _: None
    rejoined: bool = False
    attrs: Mapping[str, Any] = field(default_factory=dict)
    attrs_at: Callable[[int], Mapping[str, Any]] = lambda _: {}
    ended: str = ""
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        self._period_ns = round(NS / self.rate_hz)
        self._stall_ns = max(STALL_NS, _TICKS * self._period_ns)
        self._in_segment = False
        self._start_ns = self._last_frame_ns = self._last_input_ns = 0
        self._end_at_ns: int | None = None
        self._end_reason = ""
        self._closed_ns = self._missed = 0
        self._now: dict[tuple[str, str], Event] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._paused_events = 0
        self._told_ns = 0

    @property
    def recorded_ns(self) -> int:
        """Recorded time until now, ns."""
        here = self._last_frame_ns + self._period_ns - self._start_ns if self._in_segment else 0
        return self.counters.recorded_ns + here

    def take(self, reading: Reading) -> Iterator[Reading]:
        """Take the next reading in the order of time.

        Args:
            reading: What a source emitted; a `Gap` says that a new stretch begins, or with the reason `clock_jump`
                that wall and session time went apart.

        Yields:
            What is to be written, `Start` and `Gap` included; nothing any more once `ended` says why.
        """
        t_ns = reading.t_ns
        if self.ended:
            if isinstance(reading, Lost):  # what a source counted up to its end
                yield reading
            return
        if self._is_over(reading):
            yield from self.finish(min(t_ns, self._end_at_ns or t_ns), self._end_reason)
            return
        if self._paused_events and t_ns - self._told_ns >= _TELL_NS:
            yield self._tell_paused(t_ns)
        if isinstance(reading, Frame):
            yield from self._frame(reading)
        elif isinstance(reading, Event):
            yield from self._event(reading)
        elif isinstance(reading, Gap):
            yield from self._close(t_ns, reading.reason)
        elif isinstance(reading, Lost):
            self._note_lost(reading)
            yield reading
        else:
            yield from self._other(reading)

    def _other(self, reading: Reading) -> Iterator[Reading]:
        """Pass on what a segment holds beside frames and events; count telemetry behind the end of one."""
        if self._in_segment:
            yield self._of_frame(reading) if isinstance(reading, Telemetry) else reading
        elif isinstance(reading, Telemetry) and self.counters.segments and not self.paused:
            yield Lost(max(reading.t_ns, self._closed_ns), "telemetry", BETWEEN, 1)

    def _of_frame(self, row: Telemetry) -> Telemetry:
        """Give a row its frame; where that frame was left out, it has none."""
        left_out = row.frame_index == OF_FRAME_BEFORE and row.t_ns != self._last_frame_ns
        return row._replace(frame_index=None) if left_out else row

    def _is_over(self, reading: Reading) -> bool:
        """Say whether a limit was reached before this reading; of frames the last may come a little before its tick."""
        if self._end_at_ns is None:
            return False
        return reading.t_ns >= self._end_at_ns or (isinstance(reading, Frame) and self._end_reason == "max_frames")

    def command(self, name: str, t_ns: int) -> Iterator[Reading]:
        """Follow a command.

        Args:
            name: `resume`, `pause`, `toggle` or `stop`.
            t_ns: When it was given, ns since session start.
        """
        if name == "toggle":
            name = "resume" if self.paused else "pause"
        if self.ended:
            return
        if name == "stop":
            yield from self.finish(t_ns, "stop")
        elif name == "pause" and not self.paused:
            self.paused = True
            yield from self._close(t_ns, "pause")
            self._told_ns = t_ns
        elif name == "resume" and self.paused:
            self.paused = False
            self._last_input_ns = t_ns
            if self._paused_events:
                yield self._tell_paused(t_ns)
            yield from self._tell_state(t_ns)

    def tick(self, t_ns: int) -> Iterator[Reading]:
        """Let time pass without a reading: a screen that gives nothing any more ends its segment, idleness counts.

        Args:
            t_ns: All readings before it have been taken, ns since session start.
        """
        if self.ended or self.paused:
            return
        if self._in_segment and t_ns - self._last_frame_ns > self._stall_ns:
            yield from self._close(self._last_frame_ns + self._period_ns, "drop")
            self._closed_ns = t_ns  # a picture that was on its way when the screen stood still begins nothing
        if self.idle_stop_s and self.counters.frames and t_ns - self._last_input_ns > self.idle_stop_s * NS:
            yield from self.finish(t_ns, "idle")

    def drop(self, frame: Frame) -> None:
        """Leave out a frame that there was no room for; the next one says so."""
        self._missed += 1 + frame.dropped_before

    def finish(self, t_ns: int, reason: str) -> Iterator[Reading]:
        """End the session.

        Args:
            t_ns: When, ns since session start.
            reason: end_reason of an open segment, and what `ended` says.
        """
        if self.ended:
            return
        if self._paused_events:
            yield self._tell_paused(t_ns)
        yield from self._close(t_ns, reason)
        self.ended = reason

    def _frame(self, frame: Frame) -> Iterator[Reading]:
        if self.paused:
            self._missed = 0
            return
        if frame.t_ns < self._closed_ns:  # grabbed before the segment ended, and here only now
            self.counters.dropped += 1
            yield Lost(self._closed_ns, "frames", BETWEEN, 1)
            return
        t_ns, missed, self._missed = frame.t_ns, frame.dropped_before + self._missed, 0
        if not self._in_segment:
            missed = 0  # what was missed between segments belongs to none
        elif t_ns - self._last_frame_ns > self._stall_ns:
            yield from self._close(self._last_frame_ns + self._period_ns, "drop")
        if not self._in_segment:
            attrs = {**self.attrs, **self.attrs_at(t_ns)}
            yield Start(t_ns, attrs, self.wall_ns(t_ns), "rejoined" if self.rejoined else "")
            self.rejoined = False
            self._in_segment, self._start_ns = True, t_ns
            self._last_input_ns = max(self._last_input_ns, t_ns)
            self.counters.segments += 1
        self._last_frame_ns = t_ns
        count = self.counters
        count.frames += 1
        count.dropped += missed
        count.late += frame.late
        count.duplicates += frame.duplicate or frame.pixels is None
        yield frame._replace(dropped_before=missed)
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if self.max_frames and self.counters.frames >= self.max_frames:
            self._end_at_ns, self._end_reason = self._last_frame_ns + self._period_ns, "max_frames"
        elif self.max_seconds and self.recorded_ns >= self.max_seconds * NS:
            over_ns = self.recorded_ns - round(self.max_seconds * NS)
            self._end_at_ns = self._last_frame_ns + max(1, self._period_ns - over_ns)
            self._end_reason = "max_seconds"

    def _event(self, event: Event) -> Iterator[Reading]:
        command = command_of(event)
        if event.flag != "hotkey" and event.kind in ("press", "release", "axis", "state"):
            self._now[event.device, event.control] = event
        if event.flag == "hotkey" or not self.paused:
            self.counters.events += 1
            self._last_input_ns = event.t_ns
            self._note_told(event)
            yield event
        elif event.kind != "state":
            self.counters.discarded += 1
            self._paused_events += 1
        if command is not None:
            yield from self.command(command, event.t_ns)

    def _note_lost(self, lost: Lost) -> None:
        if lost.stream == "events":
            self.counters.discarded += lost.count
            if lost.reason != "other_window":  # somebody plays, with controls that are not kept
                self._last_input_ns = max(self._last_input_ns, lost.t_ns)

    def _note_told(self, event: Event) -> None:
        if event.flag != "hotkey" and event.kind in ("press", "release", "axis", "state"):
            self._told[event.device, event.control] = _value(event)

    def _tell_state(self, t_ns: int) -> Iterator[Reading]:
        """Say where everything stands that changed since the session last heard of it."""
        for key, event in self._now.items():
            value = _value(event)
            if value != self._told.get(key, 0.0):
                self._told[key] = value
                yield Event(t_ns, event.device, event.control, "state", value)

    def _tell_paused(self, t_ns: int) -> Lost:
        count, self._paused_events, self._told_ns = self._paused_events, 0, t_ns
        return Lost(t_ns, "events", "paused", count)

    def _close(self, t_ns: int, reason: str) -> Iterator[Reading]:
        if self._in_segment:
            end_ns = max(t_ns, self._last_frame_ns + 1)
            self.counters.recorded_ns += end_ns - self._start_ns
            self._in_segment, self._closed_ns = False, end_ns
            if self._missed:  # no frame came after them to say so
                self.counters.dropped += self._missed
                yield Lost(end_ns, "frames", "dropped_tick", self._missed)
                self._missed = 0
            yield Gap(end_ns, reason)


def _value(event: Event) -> float:
    """Return where a control stands after an event: 1 down, 0 up, or the axis's position."""
    if event.kind in ("press", "release"):
        return float(event.kind == "press")
    return float(event.value or 0.0)
