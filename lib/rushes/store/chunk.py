"""A chunk while its journal is read: each record goes to its table, and each loss to the ledger.

Where a stretch of the journal is damaged, the open segment ends there by `damaged`, and the next one begins with the
first picture that needs none before it. What is lost stands in the ledger: `damaged` frames, actions and samples, and
`journal_bytes`; frames behind the last one of a chunk are not counted, since nobody knows of them. What was held down
counts as held still.

Example (`rushes.store.seal` does it):
    >>> from rushes.store.journal import read_journal
    >>> def count(folder, journal):
    ...     with ExitStack() as stack:
    ...         chunk = Chunk(folder, stack)
    ...         for record in read_journal(journal):
    ...             chunk.take(record)
    ...         chunk.finish(killed=True)
    ...     return chunk.counts
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.model.ledger import Tally
from rushes.model.session import Segment
from rushes.store.journal import HOLE, Record
from rushes.store.layout import EVENTS, IMAGES, INDEX, STEPS, TELEMETRY, is_sealed
from rushes.store.manifest import read_summary
from rushes.store.tables import EVENT_SCHEMA, IMAGE_SCHEMA, INDEX_SCHEMA, Sheet, step_schema
from rushes.store.video_stream import CODECS

BEGIN, GAP, FRAME, EVENT, HELD, STEP, TELL, SOUND, LOSS = (bytes([c]) for c in b"BGFEHSTAL")
"""Kinds of journal records. HELD repeats at a chunk's head what is down or away from rest."""
KILLED: Final = "killed"
"""end_reason of a segment whose writer died."""
DAMAGED: Final = "damaged"
"""end_reason of a segment behind which the journal could not be read, and why something is lost."""


class Chunk:
    """The tables of one chunk while its journal is read.

    Args:
        folder: The chunk; its tables are made there.
        stack: Closes them.

    Attributes:
        tally: What came in and what is lost.
        segments: Its parts of segments, as chunk.json holds them.
        frames: How many frames so far.
        pictures: How many pictures so far.
        first_frame: frame_index of the first one, None before it.
        held: Rows at the head of the events that repeat what is held.
        event_times: ns since session start of the first and the last event; empty without one.
        video_codec: Codec of its video, `""` without one.
        damaged_bytes: Bytes that could not be read.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._sheets: dict[str, Sheet] = {}
        self._telemetry: list[dict[str, Any]] = []
        self.tally = Tally()
        self.segments: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._steps_open = 0
        self.frames = self.pictures = self._last_ns = 0
        self.first_frame: int | None = None
        self.held = 0
        self._since_frame: list[int] = []
        before = folder.with_name(f"{int(folder.name) - 1:04d}")
        summary = read_summary(before) if is_sealed(before) else None
        self._before = summary["segments"][-1:] if summary else []
        self.damaged_bytes = self._missing = 0
        self._torn = False  # behind a hole, until a picture that needs none before it
        self._anew: dict[str, Any] | None = None  # the segment that a hole ended
        self._next_frame = 0 if int(folder.name) == 1 else _frames_until(summary)
        self.event_times: list[int] = []
        self.video_codec = ""
        self._sounds: dict[str, Any] = {}
        self._takers: Mapping[bytes, Callable[[Record], None]] = {
            BEGIN: self._begin,
            GAP: self._gap,
            FRAME: self._frame,
            EVENT: self._event,
            HELD: self._held,
            SOUND: self._sound,
            LOSS: self._loss,
            STEP: self._step,
            TELL: self._tell,
            HOLE: self._hole,
        }

    def _sheet(self, name: str, schema: pa.Schema, *, images: bool = False) -> Sheet:
        if name not in self._sheets:
            self._sheets[name] = self._stack.enter_context(Sheet(self._folder / name, schema, images=images))
        return self._sheets[name]

    def take(self, record: Record) -> None:
        """Put a record where it belongs."""
        self._takers[record.kind](record)

    def _begin(self, record: Record) -> None:
        index, t_ns, attrs, wall_ns, clock, opens = record.text
        if self.damaged_bytes:
            index = self._next_segment()
        elif not opens and self._before and self._before[-1]["closes"]:
            opens = True  # a hole ended what it goes on with
        self._anew = None
        self._open = {
            **Segment(index, t_ns, t_ns, 0, 0, "", attrs, wall_ns, clock).to_json(),
            "opens": opens,
            "closes": False,
        }
        self._steps_open = 0

    def _hole(self, record: Record) -> None:
        if not (self.damaged_bytes or self._open or self.segments) and self._before and not self._before[-1]["closes"]:
            part = {"first_frame": 0, "frames": 0, "attrs": {}, "opens": False}
            self._open = {**self._before[-1], **part}  # its head, which says that the segment before goes on, is lost
        self.damaged_bytes += record.text
        self.tally.offer("journal_bytes", record.text)
        self.tally.lose("journal_bytes", DAMAGED, record.text)
        self._torn = True
        segment = self._open
        if segment is not None and (segment["frames"] or not segment["opens"]):
            self._anew = dict(segment)
            before_ns = self._before[-1]["end_ns"] if self._before else 0
            self._close(max(self._last_ns, before_ns), DAMAGED)

    def _next_segment(self) -> int:
        last = (*self._before, *self.segments)[-1:]
        return last[0]["index"] + 1 if last else 0

    def _mends(self, frame: Record) -> bool:
        """Count what a hole took before a frame; begin a segment with it where its picture needs none before it."""
        frame_index, t_ns, *_ = frame.text
        self._torn = needs_others(frame)
        self._lose_frames(self._torn + (0 if self._next_frame is None else frame_index - self._next_frame))
        self._next_frame = frame_index + 1
        if not self._torn and self._open is None:
            self._begin_anew(t_ns)
        return not self._torn

    def _begin_anew(self, t_ns: int) -> None:
        known = self._anew or {"attrs": {}, "wall_ns": None, "clock": "", "start_ns": t_ns}
        wall_ns = None if known["wall_ns"] is None else known["wall_ns"] + t_ns - known["start_ns"]
        segment = Segment(self._next_segment(), t_ns, t_ns, 0, 0, "", known["attrs"], wall_ns, known["clock"])
        self._open, self._steps_open = {**segment.to_json(), "opens": True, "closes": False}, 0

    def _lose_frames(self, count: int) -> None:
        if count > 0:
            self._missing += count
            self.tally.offer("frames", count)
            self.tally.lose("frames", DAMAGED, count)

    def _frame(self, record: Record) -> None:
        frame_index, t_ns, codec, tick, late, dropped, repeats, *_ = record.text
        if self._torn and not self._mends(record):
            return
        self._next_frame = frame_index + 1
        frame_index -= self._missing
        segment = self._open
        if segment is None:  # the writer refuses this; a journal of ours cannot hold it
            self.tally.offer("frames")
            self.tally.lose("frames", "outside_segment")
            return
        if codec in CODECS:
            self.video_codec = codec
            self.pictures += 1
        elif codec:
            self._sheet(IMAGES, IMAGE_SCHEMA, images=True).add((self.pictures, codec, record.data))
            self.pictures += 1
        if self.first_frame is None:
            self.first_frame = frame_index
        if not segment["frames"]:
            segment["first_frame"] = frame_index
            if segment["opens"]:
                segment["start_ns"] = t_ns
        segment["frames"] += 1
        segment["end_ns"] = self._last_ns = t_ns
        self._since_frame.clear()
        self.frames += 1
        row = (frame_index, tick, self.pictures - 1, t_ns, segment["index"], repeats, late, dropped)
        self._sheet(INDEX, INDEX_SCHEMA).add(row)
        self.tally.offer("frames", 1 + dropped)
        if dropped or repeats or late:
            self.tally.lose("frames", "dropped_tick", dropped)
            self.tally.mark("frames", "duplicate", int(repeats))
            self.tally.mark("frames", "late", int(late))

    def _event(self, record: Record) -> None:
        row = record.text
        self._sheet(EVENTS, EVENT_SCHEMA).add(row)
        self._last_ns = max(self._last_ns, row[0])
        low, high = self.event_times or (row[0], row[0])
        self.event_times = [min(low, row[0]), max(high, row[0])]
        if row[3] != "state":  # a statement of what is so, not an event
            self.tally.offer("events")
            inside = self._inside(row[0])
            self.tally.mark("events", "outside_segment", int(not inside))
            if inside and self._open is not None:
                self._since_frame.append(row[0])
            self.tally.mark("events", "hotkey", int(row[-1] == "hotkey"))

    def _inside(self, t_ns: int) -> bool:
        """Say whether a time lies in a segment; one that came late may lie in one that is closed."""
        here = self._open
        if here is not None and (here["frames"] or not here["opens"]) and t_ns >= here["start_ns"]:
            return True
        return any(s["start_ns"] <= t_ns < s["end_ns"] for s in (*self._before, *self.segments[-1:]))

    def _held(self, record: Record) -> None:
        self._sheet(EVENTS, EVENT_SCHEMA).add(record.text)
        self.held += 1

    def _sound(self, record: Record) -> None:
        stream, t_ns, rate_hz, channels = record.text
        samples = np.frombuffer(record.data, "<i2").reshape(-1, channels)
        if self._torn and self._open is None:
            self.tally.offer(stream, len(samples))
            self.tally.lose(stream, DAMAGED, len(samples))
            return
        if stream not in self._sounds:
            from rushes.store.sound import SoundFile

            sound = SoundFile(self._folder, stream, rate_hz=rate_hz, channels=channels)
            self._sounds[stream] = self._stack.enter_context(sound)
        self._sounds[stream].add(t_ns, samples)
        self.tally.offer(stream, len(samples))

    def _loss(self, record: Record) -> None:
        _, stream, reason, count = record.text
        self.tally.offer(stream, count)
        if count:
            self.tally.lose(stream, reason, count)
        else:  # something that happened to the stream itself
            self.tally.mark(stream, reason)

    def _step(self, record: Record) -> None:
        t_ns, frame_index, *rest = record.text
        frame_index -= self._missing
        if self._torn or (self.damaged_bytes and self._open and frame_index < self._open["first_frame"]):
            self.tally.offer("actions")
            self.tally.lose("actions", DAMAGED)
            return
        segment = -1 if self._open is None else self._open["index"]
        sheet = self._sheets.get(STEPS) or self._sheet(STEPS, step_schema(discrete=not isinstance(rest[0], list)))
        sheet.add((frame_index, t_ns, segment, *rest))
        self._steps_open += 1
        self.tally.offer("actions")

    def _tell(self, record: Record) -> None:
        t_ns, fields, frame_index = record.text
        segment = None if self._open is None else self._open["index"]
        if frame_index is not None:
            frame_index = None if self._torn else frame_index - self._missing
        self._telemetry.append({"t_ns": t_ns, "segment": segment, "frame_index": frame_index, **fields})
        self.tally.offer("telemetry")

    def _gap(self, record: Record) -> None:
        t_ns, reason, attrs = record.text
        self._anew = None
        if self._open is not None:
            self._open["attrs"] = {**self._open["attrs"], **attrs}
            self._close(t_ns, reason)

    def _close(self, t_ns: int, reason: str) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        segment.update(end_ns=max(t_ns, segment["end_ns"]), end_reason=reason, closes=True)
        behind = sum(event_ns >= segment["end_ns"] for event_ns in self._since_frame)  # the end of a stall comes late
        self.tally.mark("events", "outside_segment", behind)
        self._since_frame.clear()
        self._keep(segment)
        if self._steps_open and self._steps_open >= segment["frames"]:
            self.tally.mark("actions", "action_without_outcome", 1)

    def _keep(self, segment: dict[str, Any]) -> None:
        if segment["frames"] or not segment["opens"]:
            self.segments.append(segment)
        else:
            self.tally.offer("segments")
            self.tally.lose("segments", "without_frames")

    def finish(self, *, killed: bool) -> None:
        """Close what is open: for good after a kill, else until the next chunk."""
        if killed:
            self._close(self._last_ns, KILLED)
        elif self._open is not None:
            self._keep(self._open)
        if self._telemetry:
            names = dict.fromkeys(name for row in self._telemetry for name in row)
            columns = {name: [row.get(name) for row in self._telemetry] for name in names}
            pq.write_table(pa.table(columns), self._folder / TELEMETRY, compression="zstd")

    @property
    def counts(self) -> dict[str, int]:
        """Rows a table."""
        rows = {name.removesuffix(".parquet"): sheet.count for name, sheet in self._sheets.items()}
        return {"frames": self.frames, "pictures": self.pictures, "telemetry": len(self._telemetry)} | {
            name: rows.get(name, 0) for name in ("events", "steps")
        }


def needs_others(frame: Record) -> bool:
    """Say whether a picture cannot be shown without those before it."""
    codec, key = frame.text[2], frame.text[-1]
    return not codec or (codec in CODECS and not key)


def _frames_until(summary: dict[str, Any] | None) -> int | None:
    """Give how many frames the writer had counted at the end of a chunk; None where that is not known."""
    if summary is None or not summary["counts"]["frames"] or summary.get("damaged_bytes"):
        return None
    return int(summary["first_frame"] + summary["counts"]["frames"])
