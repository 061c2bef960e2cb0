"""The live recorder: sources, director, encoder and writer on their threads, for as long as the play lasts.

```
sources -> merge -> director -> outbox -> writer -> journal -> (sealer process) -> chunk
                       |          ^
                       +-> encoding (threads)
```

Stamps are taken by the sources. The director works in the order of those times on this thread. What it lets through
stands in the outbox in that order; a frame waits there for its encoder, and the writer takes one after the other.

Example (`rushes.capture.process` runs it in a process of its own):
    >>> def record_ten_seconds(backend, path):
    ...     return LiveRecorder(backend, path, rate_hz=30, paused=False, max_seconds=10).run().reason
"""

from __future__ import annotations

import queue
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rushes.capture.director import Director
from rushes.capture.encoding import Encoding
from rushes.capture.merge import HOLD_NS, Command, End, Merge
from rushes.capture.sealer import Sealer
from rushes.capture.source import LiveBackend, SourceEnd
from rushes.errors import RushesError, UnavailableError
from rushes.model.clock import NS, Clock
from rushes.model.readings import Encoded, Frame, Gap, Lost, Reading, Start
from rushes.store.layout import JOURNAL_FILE, chunk_folders, is_session
from rushes.store.writer import SessionWriter

LOW_DISK_BYTES: Final = 512 << 20
"""Below this much free space a recording ends, while there is still room to seal what it has."""
CLOCK_JUMP_NS: Final = 2 * NS
"""Wall and session time that go apart by more than this between two looks: the machine slept, or its clock was set."""
_LOOK_S: Final = 0.5
_STATUS_S: Final = 0.25
_RATE_OVER: Final = 8
_SWITCH_S: Final = 0.0005
"""How long a thread may keep the interpreter while another one waits; Python's own 5 ms would show in the stamps."""

Pictures = Any
_Item = Reading | tuple[Frame, "Future[Encoded]"] | None


@dataclass(frozen=True)
class Result:
    """How a recording ended.

    Attributes:
        path: The session.
        reason: `stop`, `max_frames`, `max_seconds`, `idle`, `low_disk`, or what a source gave.
        sentence: The same for a person, `""` where there is nothing to add.
        notes: What went on without: `system: the device is gone`.
        error: What failed, None where nothing did; what was written is there for `recover`.
        frames: How many there are; a new session without one is removed.
    """

    path: Path
    reason: str
    frames: int
    sentence: str = ""
    notes: tuple[str, ...] = ()
    error: Exception | None = None


class LiveRecorder:
    """One recording.

    Args:
        backend: Where readings come from.
        path: A new or empty directory; with `resume` a session at rest.
        rate_hz: Ticks a second.
        codec: One of `rushes.capture.encoding.CODECS`.
        chunk_frames: Frames a chunk.
        clock: Session time; one that goes on for a session that is resumed.
        resume: Go on after the last chunk, in a new segment, where there is one.
        report: Called with the status, about four times a second.
        low_disk_bytes: Ends below this much free space.
        on_its_way_ns: How long a reading may take from its time until it is here: so much later a screen counts as
            one that gives nothing any more.
        **limits: `paused`, `max_frames`, `max_seconds`, `idle_stop_s`, `attrs` and `attrs_at` of the
            `Director`.

    Raises:
        OccupiedError: The directory holds something.
        BusyError: Another process is writing the session.
    """

    def __init__(
        self,
        backend: LiveBackend,
        path: str | Path,
        *,
        rate_hz: float,
        codec: str = "h264",
        chunk_frames: int = 500,
        clock: Clock | None = None,
        resume: bool = False,
        report: Callable[[Mapping[str, Any]], None] | None = None,
        low_disk_bytes: int = LOW_DISK_BYTES,
        on_its_way_ns: int = HOLD_NS,
        **limits: Any,
    ) -> None:
        self._backend, self.path, self._rate_hz = backend, Path(path), rate_hz
        self._codec, self._chunk_frames = codec, chunk_frames
        self._clock, self._resume = clock or Clock(), resume
        self._report, self._low_disk_bytes = report, low_disk_bytes
        self._on_its_way_ns = on_its_way_ns
        rejoined = resume and is_session(self.path)
        self._director = Director(rate_hz=rate_hz, wall_ns=self._clock.wall_ns, rejoined=rejoined, **limits)
        self._notes: list[str] = []
        self._sources = backend.sources(self._notes.append)
        self._asked = {spec.name for spec in backend.specs() if spec.kind == "sound"}
        self._merge = Merge(self._sources, self._clock)
        self._outbox: queue.Queue[_Item] = queue.Queue()
        self._sealer = Sealer()
        self._unwritten, self._lock = 0, threading.Lock()
        self._failure: Exception | None = None
        self._sentence = ""
        self._pixels: Pictures = None
        self._left_out = False
        self._in_chunk, self._force_key = 0, True
        self._wall_offset_ns = 0
        self._recent: deque[int] = deque(maxlen=_RATE_OVER * round(rate_hz) if rate_hz >= 1 else _RATE_OVER)
        self._free_bytes = 0
        self._looked_s = self._told_s = 0.0
        self._alone = False

    def note(self, sentence: str) -> None:
        """Keep a sentence for the person who records; it stands in the status and the result."""
        self._notes.append(sentence)

    def command(self, name: str) -> None:
        """Give a command from any thread: `resume`, `pause`, `toggle` or `stop`; it counts from now on."""
        self._merge.put(Command(self._clock.now_ns(), name))

    def run(self) -> Result:
        """Record until a limit, a command or a source ends it.

        Returns:
            How it ended. A failure of the disk or a device is no exception here: what was written is kept.
        """
        info = self._backend.describe()
        screen = info.stream("frames")
        assert screen is not None
        going_on = self._resume and is_session(self.path)
        writer = SessionWriter(
            self.path, info, chunk_frames=self._chunk_frames, resume=self._resume, sealer=self._sealer
        )
        interval_s = sys.getswitchinterval()
        try:
            sys.setswitchinterval(_SWITCH_S)
            self._sealer.start(writer.lock_handle)
            with Encoding(self._codec, width=screen.width, height=screen.height, rate_hz=self._rate_hz) as encoding:
                self._record(writer, encoding)
                self._end(writer)
                self._tell(encoding)
        finally:
            sys.setswitchinterval(interval_s)
            self._sealer.let_go()
            writer.abandon()
        frames = self._director.counters.frames
        if not frames and not going_on:
            shutil.rmtree(self.path, ignore_errors=True)
        reason = self._director.ended or "failed"
        return Result(self.path, reason, frames, self._sentence, tuple(self._notes), self._failure)

    def _record(self, writer: SessionWriter, encoding: Encoding) -> None:
        """Run the threads until the director has ended or something failed; all of them are over afterwards."""
        self._wall_offset_ns = time.time_ns() - self._clock.now_ns()
        thread = threading.Thread(target=self._write, args=(writer,), name="rushes-write", daemon=True)
        thread.start()
        self._merge.start()
        try:
            while not self._director.ended and self._failure is None:
                for reading in self._merge.take(_STATUS_S / 2):
                    self._direct(reading, encoding)
                self._watch(encoding)
        finally:
            for reading in self._merge.stop():
                self._direct(reading, encoding)
            self._outbox.put(None)
            thread.join()

    def _end(self, writer: SessionWriter) -> None:
        if self._failure is not None:
            return
        try:
            writer.close(self._director.ended)
        except Exception as error:  # noqa: BLE001 - told by the result
            self._failure = error

    def _direct(self, reading: Reading | Command, encoding: Encoding) -> None:
        if isinstance(reading, Command):
            known = reading.name in {"resume", "pause", "toggle", "stop"}
            act = self._director.command if known else lambda name, t_ns: self._director.finish(t_ns, name)
            found = act(reading.name, reading.t_ns)
        elif isinstance(reading, Frame):
            found = self._frame(reading, encoding)
        else:
            found = self._director.take(reading)
        for item in found:
            if isinstance(item, Frame):
                with self._lock:
                    self._unwritten += 1
            self._outbox.put(self._encoded(item, encoding) if isinstance(item, Frame) else item)
            if isinstance(item, Start):
                self._force_key = True
                self._refresh()

    def _refresh(self) -> None:
        """Ask for the picture and its place anew, so that the segment holds where its pictures were taken."""
        for source in self._sources:
            refresh = getattr(source, "refresh", None)
            if refresh is not None:
                refresh()

    def _frame(self, frame: Frame, encoding: Encoding) -> Iterator[Reading]:
        """Let the director see a frame; one that repeats a picture that was left out gets that picture."""
        if frame.pixels is not None:
            self._pixels = frame.pixels
        elif self._left_out:
            frame = frame._replace(pixels=self._pixels)
        self._left_out = frame.pixels is not None
        full = not encoding.has_room or self._unwritten >= encoding.room  # the encoder or the disk is behind
        if full and not self._director.paused:
            self._director.drop(frame)
            return
        for item in self._director.take(frame):
            if isinstance(item, Frame):
                self._left_out = False
            yield item

    def _encoded(self, frame: Frame, encoding: Encoding) -> _Item:
        """Hand a frame to the encoder; the first of a segment or chunk decodes alone."""
        self._recent.append(frame.t_ns)
        if self._chunk_frames and self._in_chunk >= self._chunk_frames:
            self._in_chunk, self._force_key = 0, True
        self._in_chunk += 1
        pixels = self._pixels if frame.pixels is None and self._force_key else frame.pixels
        if pixels is None or isinstance(pixels, Encoded):
            return frame
        key, self._force_key = self._force_key, False
        duplicate = frame.duplicate or frame.pixels is None
        return frame._replace(pixels=None, duplicate=duplicate), encoding.submit(pixels, key=key)

    def _write(self, writer: SessionWriter) -> None:
        try:
            while (item := self._outbox.get()) is not None:
                reading: Any = item
                if isinstance(item, tuple) and isinstance(item[1], Future):
                    frame, encoded = item
                    reading = frame._replace(pixels=encoded.result())
                writer.write(reading)
                if isinstance(reading, Frame):
                    with self._lock:
                        self._unwritten -= 1
        except Exception as error:  # noqa: BLE001 - told by the result
            self._failure = error

    def _watch(self, encoding: Encoding) -> None:
        """Look after the sources, the disk, the clock and the sealer now and then."""
        now_s = time.perf_counter()
        for item in self._director.tick(self._clock.now_ns() - self._on_its_way_ns):
            if isinstance(item, Gap) and item.reason == "drop":
                self.note(f"no picture for a second at {item.t_ns / NS:.1f} s: the segment ended there")
            self._outbox.put(item)
        for end in self._merge.ends():
            reason = end.error.reason if isinstance(end.error, SourceEnd) else "failed" if end.error else "end"
            sentence = _sentence(end)
            unopened = isinstance(end.error, UnavailableError) and end.source.name in self._asked
            if end.source.essential or unopened:
                self._sentence = sentence
                if reason == "failed" and not self._director.counters.frames:
                    self._failure = end.error
                self._merge.put(Command(self._clock.now_ns(), reason))
            else:
                self.note(f"{end.source.name}: {sentence}; the recording went on without it")
                self._merge.put(Lost(self._clock.now_ns(), end.source.name, reason, 0))
        if self._sealer.died and not self._alone:  # asked each time round: it takes a microsecond
            self._alone = True
            self._end_unsealed("the process that seals chunks died")
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._look()
        if now_s - self._told_s >= _STATUS_S:
            self._told_s = now_s
            self._tell(encoding)

    def _look(self) -> None:
        t_ns = self._clock.now_ns()
        try:
            self._free_bytes = shutil.disk_usage(self.path).free
            floor = self._low_disk_bytes and self._low_disk_bytes + self._unsealed_bytes()
        except OSError as error:
            self._sentence = f"{self.path} is gone ({error.strerror})"
            self._merge.put(Command(t_ns, "disk_lost"))
            return
        if self._free_bytes < floor:
            self._sentence = f"the disk has only {self._free_bytes >> 20} MB left"
            self._merge.put(Command(t_ns, "low_disk"))
        if self._sealer.failed:
            self._end_unsealed(self._sealer.failed)
        offset_ns = time.time_ns() - t_ns
        if abs(offset_ns - self._wall_offset_ns) > CLOCK_JUMP_NS:
            self._wall_offset_ns = offset_ns
            self._merge.put(Gap(t_ns, "clock_jump"))

    def _end_unsealed(self, sentence: str) -> None:
        self._sentence = sentence
        self._merge.put(Command(self._clock.now_ns(), "sealer_died"))

    def _unsealed_bytes(self) -> int:
        """What the journals hold that are still to be sealed, which takes as much room once more."""
        journals = {folder / JOURNAL_FILE for folder in (*self._sealer.pending, *chunk_folders(self.path)[-1:])}
        return sum(journal.stat().st_size for journal in journals if journal.exists())

    def _tell(self, encoding: Encoding) -> None:
        if self._report is None:
            return
        director = self._director
        state = "ended" if director.ended else "paused" if director.paused else "recording"
        rate_hz = 0.0
        now_ns = self._clock.now_ns()
        recent = [t for t in self._recent if now_ns - t < 2 * NS]
        if len(recent) > 1 and state == "recording":
            rate_hz = (len(recent) - 1) * NS / (recent[-1] - recent[0])
        self._report(
            {
                "state": state,
                "reason": director.ended,
                "rate_hz": round(rate_hz, 2),
                "seconds": round(director.recorded_ns / NS, 2),
                **{k: v for k, v in asdict(director.counters).items() if k != "recorded_ns"},
                "backlog": encoding.backlog,
                "free_bytes": self._free_bytes,
                "notes": list(self._notes),
            }
        )

    @property
    def picture(self) -> Pictures:
        """The last picture that was grabbed, (H, W, 3) RGB or (H, W, 4) BGRA uint8, or None."""
        return self._pixels


def _sentence(end: End) -> str:
    """Say why a source ended."""
    if end.error is None:
        return f"{end.source.name} has ended"
    if isinstance(end.error, RushesError | SourceEnd):
        return str(end.error)
    return f"{end.source.name} broke off with {type(end.error).__name__}: {end.error}"
