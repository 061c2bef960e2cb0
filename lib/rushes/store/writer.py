"""Writing a session: readings go in, each is on its way to the disk before the next one is taken.

A new session is a new directory. The open chunk is a journal; when a chunk is full, or with each segment where
`chunk_frames` is 0, it is sealed. Closing the writer seals the last chunk and lists the segments in session.json.
A chunk of video can only begin with a picture that decodes alone, so it grows until such a picture comes; whoever
encodes makes one at every `chunk_frames`.

Example:
    >>> def record(path, info, readings):
    ...     with SessionWriter(path, info) as writer:
    ...         for reading in readings:
    ...             writer.write(reading)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rushes.errors import BadInputError, OccupiedError, RushesError
from rushes.model.readings import (
    OF_FRAME_BEFORE,
    Encoded,
    Event,
    Frame,
    Gap,
    Lost,
    Reading,
    Sound,
    Start,
    Step,
    Telemetry,
)
from rushes.model.session import SessionInfo
from rushes.store import images
from rushes.store.atomic import partial_name, refuse_occupied, storage_errors
from rushes.store.chunk import BEGIN, EVENT, FRAME, GAP, HELD, LOSS, SOUND, STEP, TELL
from rushes.store.journal import SYNC_S, Journal
from rushes.store.layout import (
    JOURNAL_FILE,
    LOCK_FILE,
    SESSION_FILE,
    chunk_folder,
    chunk_folders,
    is_sealed,
    is_session,
)
from rushes.store.lock import hold
from rushes.store.manifest import describe, list_segments, read_description, summaries
from rushes.store.seal import seal
from rushes.store.video_stream import CODECS


class SessionWriter:
    """A session that is open for writing.

    Args:
        path: A new or empty directory; with `resume` a session whose chunks are all sealed.
        info: Its description.
        chunk_frames: Frames a chunk; 0 makes one chunk a segment.
        resume: Go on after the last chunk.
        sync_s: Seconds between two waits for the disk.
        sealer: What turns the journal of a full chunk into tables, called with the chunk's folder: `seal`, or
            something with a `wait` that has it done elsewhere (`rushes.capture.sealer`). Then `write` never waits for
            the disk: a full journal is brought to it on the thread of the next one.

    Raises:
        OccupiedError: The directory holds something, or another session than `info` describes.
        BusyError: Another process is writing it.
        StorageError: The directory cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        info: SessionInfo,
        *,
        chunk_frames: int = 0,
        resume: bool = False,
        sync_s: float = SYNC_S,
        sealer: Callable[[Path], object] = seal,
    ) -> None:
        self.path, self.info = Path(path), info
        self._chunk_frames, self._sync_s, self._sealer = chunk_frames, sync_s, sealer
        self._journal: Journal | None = None
        self._unfinished: Callable[[], None] | None = None
        self._chunk = self._segment = self._frame_index = self._chunk_count = self._first_frame = 0
        self._in_segment = False
        self._start: Start | None = None
        self._held: dict[tuple[str, str], Event] = {}
        self._last_ns = 0
        self._picture: tuple[str, bytes] | None = None
        with storage_errors(self.path):
            if resume:  # what a kill left of the very first write is nothing
                partial_name(self.path / SESSION_FILE).unlink(missing_ok=True)
                with suppress(PermissionError):  # Windows keeps one that is held
                    (self.path / LOCK_FILE).unlink(missing_ok=True)
            resuming = resume and is_session(self.path)
            if not resuming:
                refuse_occupied(self.path)
                self.path.mkdir(parents=True, exist_ok=True)
        self._hold = hold(self.path)
        try:
            if resuming:
                self._continue()
            else:
                describe(self.path, info)
        except BaseException:
            self._hold.release()
            raise
        self._writers: Mapping[type, Callable[[Any], None]] = {
            Start: self._begin,
            Gap: self._end,
            Frame: self._frame,
            Step: self._step,
            Event: self._event,
            Telemetry: self._telemetry,
            Sound: self._sound,
            Lost: self._lose,
        }

    def _continue(self) -> None:
        stored = read_description(self.path)
        if stored["id"] != self.info.id:
            raise OccupiedError(
                f"{self.path}, which holds session {stored['id']}",
                accepts=f"a new path or session {self.info.id}",
                fix="choose another name",
            )
        chunks = chunk_folders(self.path)
        if any(not is_sealed(c) for c in chunks):
            raise OccupiedError(
                f"{self.path}, which has an unfinished chunk",
                accepts="a session at rest",
                fix="run `rushes recover` on it",
            )
        for summary in summaries(self.path):
            self._chunk = summary["number"]
            self._frame_index += summary["counts"]["frames"]
            for segment in summary["segments"]:
                self._segment = segment["index"] + 1
                self._last_ns = max(self._last_ns, segment["end_ns"])

    @property
    def lock_handle(self) -> int:
        """File descriptor of the session's lock, for a process that shares in the writing; -1 where there is none."""
        return self._hold.handle

    @property
    def frame_index(self) -> int:
        """Index that the next frame gets."""
        return self._frame_index

    @property
    def last_ns(self) -> int:
        """Time of the last frame or segment end, ns since session start."""
        return self._last_ns

    def write(self, reading: Reading) -> None:
        """Store a reading; when this returns, a kill of the process cannot lose it.

        Args:
            reading: Any reading; frames and steps stand between a `Start` and a `Gap`. A step with
                `frame_index=-1` belongs to the last frame.

        Raises:
            BadInputError: A frame or step outside a segment, a time that runs backwards, or a kind without a place.
            StorageError: The disk is full; all that was written before is kept.
        """
        try:
            writer = self._writers[type(reading)]
        except KeyError:
            raise BadInputError(
                f"a reading of type {type(reading).__name__}",
                accepts=", ".join(t.__name__ for t in self._writers),
                fix="write one of these",
            ) from None
        writer(reading)

    def _open(self) -> Journal:
        if self._journal is None:
            self._chunk += 1
            folder = chunk_folder(self.path, self._chunk)
            with storage_errors(folder):
                folder.mkdir(parents=True)
            places = (folder, folder.parent, self.path)
            before, self._unfinished = self._unfinished, None
            self._journal = Journal(folder / JOURNAL_FILE, sync_s=self._sync_s, before=before, places=places)
            self._chunk_count = 0
            if self._in_segment and self._start is not None:
                self._append_begin(self._start, opens=False)
            for event in self._held.values():
                self._journal.append(HELD, event._replace(kind="state"))  # since when, too
        return self._journal

    def _append_begin(self, start: Start, *, opens: bool) -> None:
        text = (self._segment, start.t_ns, dict(start.attrs), start.wall_ns, start.clock, opens)
        self._open().append(BEGIN, text)

    def _begin(self, start: Start) -> None:
        if self._in_segment:
            raise BadInputError(
                "a Start inside a segment", accepts="a Gap first", fix="close the segment with Gap(t_ns, reason)"
            )
        if self._chunk_frames and self._chunk_count >= self._chunk_frames:
            self._seal()
        self._append_begin(start, opens=True)
        self._in_segment, self._start, self._first_frame = True, start, self._frame_index

    def _end(self, gap: Gap) -> None:
        if not self._in_segment:
            raise BadInputError("a Gap outside a segment", accepts="a Start first", fix="open one with Start(t_ns)")
        self._open().append(GAP, (gap.t_ns, gap.reason, dict(gap.attrs)))
        self._in_segment, self._start = False, None
        self._segment += self._frame_index > self._first_frame  # one without frames is no segment
        self._last_ns = max(self._last_ns, gap.t_ns)
        if not self._chunk_frames:
            self._seal()

    def _frame(self, frame: Frame) -> None:
        if not self._in_segment:
            raise BadInputError("a Frame outside a segment", accepts="a Start first", fix="open one with Start(t_ns)")
        if frame.t_ns < self._last_ns:
            raise BadInputError(
                f"a Frame at {frame.t_ns} ns after one at {self._last_ns} ns",
                accepts="times that never run back",
                fix="mend the clock",
            )
        pixels = frame.pixels
        delta = isinstance(pixels, Encoded) and not pixels.key
        if self._chunk_frames and self._chunk_count >= self._chunk_frames and not delta:
            self._seal()
        journal = self._open()
        codec, data, repeats = "", b"", frame.duplicate or pixels is None
        if pixels is None:
            if self._picture is None:
                raise BadInputError(
                    "a repeated picture where there is none before",
                    accepts="a picture first",
                    fix="give the pixels of the first frame",
                )
            if not self._chunk_count:  # a chunk is complete in itself: the picture stands again at its start
                codec, data = self._picture
        else:
            codec, data = self._picture = _encoded(frame)
        if codec in CODECS and not self._chunk_count and (delta or pixels is None):
            raise BadInputError(
                f"a {codec} picture that needs those before it at the start of chunk {self._chunk}",
                accepts="a picture that decodes alone",
                fix="have the encoder begin anew with every segment and chunk",
            )
        tick = self._frame_index if frame.tick < 0 else frame.tick
        text: tuple[object, ...] = (
            self._frame_index, frame.t_ns, codec, tick, frame.late, frame.dropped_before, repeats,
        )  # fmt: skip
        if codec in CODECS:
            text = (*text, not delta)
        journal.append(FRAME, text, data)
        self._frame_index += 1
        self._chunk_count += 1
        self._last_ns = frame.t_ns

    def _step(self, step: Step) -> None:
        if not self._in_segment:
            raise BadInputError("a Step outside a segment", accepts="a Start first", fix="open one with Start(t_ns)")
        if step.frame_index < 0:
            step = step._replace(frame_index=self._frame_index - 1)
        self._open().append(STEP, step)

    def _event(self, event: Event) -> None:
        self._open().append(EVENT, event)
        key = (event.device, event.control)
        if event.kind == "release" or (event.kind in ("axis", "state") and event.value == 0):
            self._held.pop(key, None)
        elif event.kind == "press":
            self._held[key] = event._replace(value=1.0)
        elif event.kind in ("axis", "state"):
            self._held[key] = event

    def _telemetry(self, telemetry: Telemetry) -> None:
        frame_index = telemetry.frame_index
        if frame_index == OF_FRAME_BEFORE:
            frame_index = self._frame_index - 1 if self._frame_index > self._first_frame else None
        self._open().append(TELL, (telemetry.t_ns, dict(telemetry.fields), frame_index))

    def _sound(self, sound: Sound) -> None:
        if not self._in_segment:
            raise BadInputError("a Sound outside a segment", accepts="a Start first", fix="open one with Start(t_ns)")
        from rushes.store.sound import to_int16

        samples, _ = to_int16(sound.samples)
        text = (sound.stream, sound.t_ns, sound.rate_hz, samples.shape[1])
        self._open().append(SOUND, text, samples.astype("<i2").tobytes())

    def _lose(self, lost: Lost) -> None:
        self._open().append(LOSS, lost)

    def _seal(self) -> None:
        if self._journal is not None:
            journal, self._journal = self._journal, None

            def finish() -> None:
                journal.close()
                self._sealer(journal.path.parent)

            if hasattr(self._sealer, "wait"):
                self._unfinished = finish
            else:
                finish()

    def close(self, reason: str = "end") -> None:
        """End the session: close an open segment, seal the last chunk, list the segments.

        Args:
            reason: end_reason of a segment that is still open.

        Raises:
            StorageError: The disk is full; call `abandon`, what was written is there for `recover`.
        """
        if self._in_segment:
            self._end(Gap(self._last_ns, reason))
        self._seal()
        finish, self._unfinished = self._unfinished, None
        if finish is not None:
            finish()
        wait = getattr(self._sealer, "wait", None)
        if wait is not None:
            wait()
        list_segments(self.path)
        self._hold.release()

    def abandon(self) -> None:
        """Let go of the files as a kill would, so that `recover` finds what is there; tells no error, as a kill."""
        journal, self._journal = self._journal, None
        finish, self._unfinished = self._unfinished, None
        self._sealer = lambda _: None  # what is not sealed yet stays a journal
        try:
            with suppress(RushesError, OSError):
                if finish is not None:
                    finish()
            with suppress(RushesError, OSError):
                if journal is not None:
                    journal.close()
        finally:
            self._hold.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abandon()  # nothing is left for it where the session came to its end


def _encoded(frame: Frame) -> tuple[str, bytes]:
    """Return codec and bytes of a frame's own picture."""
    pixels = frame.pixels
    if isinstance(pixels, Encoded):
        return pixels.codec, pixels.data
    assert pixels is not None
    if frame.palette is not None:
        return "png-indexed", images.encode_indexed(pixels, frame.palette)
    return "png", images.encode_rgb(images.as_rgb(pixels))
