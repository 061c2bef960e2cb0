"""Sealing: the one way from a journal to a chunk, for a clean end and for a recovery alike.

A sealed chunk is complete in itself. Its chunk.json is written last and forced to the disk, so its presence means that
the chunk is whole; only then the journal goes. A seal that is cut half-way is done again from the journal. Packets of
a video are put into frames.mp4 as they are, nothing is encoded twice.

Example (after a crash; `rushes.store.recover` does it for a whole session):
    >>> def finish(chunk):
    ...     return seal(chunk, killed=True)["counts"]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.model.ledger import Tally
from rushes.model.session import Segment, SessionInfo
from rushes.store.atomic import replace_text, storage_errors, sync
from rushes.store.fingerprint import of_file
from rushes.store.journal import Record, read_journal
from rushes.store.layout import (
    AUDIO,
    CHUNK_FILE,
    CHUNK_SCHEMA,
    EVENTS,
    IMAGES,
    INDEX,
    JOURNAL_FILE,
    STEPS,
    TELEMETRY,
    VIDEO,
    is_sealed,
)
from rushes.store.manifest import read_description, read_summary
from rushes.store.tables import EVENT_SCHEMA, IMAGE_SCHEMA, INDEX_SCHEMA, Sheet, step_schema
from rushes.store.video_stream import mux

BEGIN, GAP, FRAME, EVENT, HELD, STEP, TELL, SOUND, LOSS = (bytes([c]) for c in b"BGFEHSTAL")
"""Kinds of journal records. HELD repeats at a chunk's head what is down or away from rest."""
VIDEO_CODECS: Final = ("h264", "h265", "lossless")
"""Codecs whose pictures are packets of one stream."""
KILLED: Final = "killed"
"""end_reason of a segment whose writer died."""


class _Chunk:
    """The tables of one chunk while its journal is read."""

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
        before = folder.with_name(f"{int(folder.name) - 1:04d}")
        self._before = read_summary(before)["segments"][-1:] if is_sealed(before) else []
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
        self._open = {
            **Segment(index, t_ns, t_ns, 0, 0, "", attrs, wall_ns, clock).to_json(),
            "opens": opens,
            "closes": False,
        }
        self._steps_open = 0

    def _frame(self, record: Record) -> None:
        frame_index, t_ns, codec, tick, late, dropped, repeats, *_ = record.text
        segment = self._open
        if segment is None:  # the writer refuses this; a journal of ours cannot hold it
            self.tally.offer("frames")
            self.tally.lose("frames", "outside_segment")
            return
        if codec in VIDEO_CODECS:
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
            self.tally.mark("events", "outside_segment", int(not self._inside(row[0])))
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
        segment = -1 if self._open is None else self._open["index"]
        sheet = self._sheets.get(STEPS) or self._sheet(STEPS, step_schema(discrete=not isinstance(rest[0], list)))
        sheet.add((frame_index, t_ns, segment, *rest))
        self._steps_open += 1
        self.tally.offer("actions")

    def _tell(self, record: Record) -> None:
        t_ns, fields, frame_index = record.text
        segment = None if self._open is None else self._open["index"]
        self._telemetry.append({"t_ns": t_ns, "segment": segment, "frame_index": frame_index, **fields})
        self.tally.offer("telemetry")

    def _gap(self, record: Record) -> None:
        t_ns, reason, attrs = record.text
        if self._open is not None:
            self._open["attrs"] = {**self._open["attrs"], **attrs}
            self._close(t_ns, reason)

    def _close(self, t_ns: int, reason: str) -> None:
        segment, self._open = self._open, None
        if segment is None:
            return
        segment.update(end_ns=max(t_ns, segment["end_ns"]), end_reason=reason, closes=True)
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


def _packets(journal: Path) -> Iterator[tuple[bytes, int, bool]]:
    """Give what `mux` takes: the packets of a chunk with their times; the first is always one that decodes alone."""
    for record in read_journal(journal, FRAME):
        _, t_ns, codec, *_, key = record.text
        if codec:
            yield record.data, t_ns, bool(key)


def _write_video(folder: Path, codec: str) -> None:
    info = SessionInfo.from_json(read_description(folder.parents[1]))
    spec = info.stream("frames")
    assert spec is not None
    (folder / VIDEO).unlink(missing_ok=True)  # a remainder of a seal that was cut
    mux(
        folder / VIDEO,
        _packets(folder / JOURNAL_FILE),
        codec=codec,
        width=spec.width,
        height=spec.height,
        rate_hz=spec.rate_hz,
    )


def seal(folder: Path, *, killed: bool = False) -> dict[str, Any]:
    """Turn a chunk's journal into its tables and remove the journal.

    Args:
        folder: A chunk with a journal.
        killed: Whether its writer died, so that an open segment ends here.

    Returns:
        What chunk.json holds.

    Raises:
        StorageError: The disk is full; the journal stays and nothing is lost.
    """
    journal = folder / JOURNAL_FILE
    with storage_errors(folder):
        with ExitStack() as stack:
            chunk = _Chunk(folder, stack)
            for record in read_journal(journal):
                chunk.take(record)
            chunk.finish(killed=killed)
        if chunk.video_codec:
            _write_video(folder, chunk.video_codec)
        names = [IMAGES, VIDEO, INDEX, EVENTS, STEPS, TELEMETRY]
        files = [path for name in names if (path := folder / name).is_file()]
        files += sorted(p for p in (folder / AUDIO).glob("*") if p.is_file())
        for path in files:
            sync(path)
        summary = {
            "schema": CHUNK_SCHEMA,
            "number": int(folder.name),
            "first_frame": chunk.first_frame or 0,
            "counts": chunk.counts,
            "segments": chunk.segments,
            "held": chunk.held,
            "event_times_ns": chunk.event_times,
            "ledger": chunk.tally.close().to_json(),
            "files": {
                p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": of_file(p)} for p in files
            },
        }
        replace_text(folder / CHUNK_FILE, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
        journal.unlink()
        sync(folder)
    return summary
