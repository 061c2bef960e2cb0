"""Recordings as chunks of the official NitroGen data set: rows moved to the frames that show them, cut into 20 s.

Row i of a segment is our row i - 1, [t_{i-1}, t_i), since the controller of the release is what is seen on frame i; the
first row is the state in which the segment begins. What is done on the last frame has no row: by default it stands in
`rushes` of the last chunk's metadata, strict counts it as `after_last_frame`.

Example:
    >>> pieces_of(65, 30, strict=False), pieces_of(65, 30, strict=True)
    ([(0, 30), (30, 60), (60, 65)], [(0, 30), (30, 60)])
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.errors import BadInputError
from rushes.formats.card import Job
from rushes.formats.imported import ASSUMED_HZ
from rushes.formats.inputs import Account, Rows
from rushes.formats.nitrogen.gather import SCHEMA, SPACE
from rushes.formats.nitrogen.release import OWN, PIECE_S
from rushes.formats.nitrogen.shards import ACTIONS, FILMS, METADATA
from rushes.model.clock import NS
from rushes.model.controls import POINTER
from rushes.model.delay import moved
from rushes.model.grid import Grid, to_grid
from rushes.model.nitrogen import COLUMNS
from rushes.model.recording import Recording
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import Pair, delay_of, pairs
from rushes.store.video_stream import VideoEncoder, mux

Floats = npt.NDArray[np.float32]

_STICKS: Final = {"j_left": len(COLUMNS), "j_right": len(COLUMNS) + 2}
_STICK_TYPE: Final = pa.list_(pa.float64())
_SHARD: Final = "SHARD_0000"
PAIRING: Final = "row i = [t_{i-1}, t_i), the first row of a segment = the state at its beginning; vertical up=-1"
_EVERY: Final = 256
"""Frames between two calls of `progress`."""


class Asked(Protocol):
    """What the options of writing say; see `nitrogen_dataset.NitrogenOptions`."""

    strict: bool
    pad_map: str
    action_delay_ms: str
    video: str


def pieces_of(rows: int, size: int, *, strict: bool) -> list[tuple[int, int]]:
    """Cut the rows of a segment: (first, stop) of each piece.

    Args:
        rows: Rows of the segment.
        size: Rows of a whole piece.
        strict: Leave the remainder out.
    """
    edges = list(range(0, rows - rows % size + 1, size))
    edges += [rows] if rows % size and not strict else []
    return list(pairwise(edges))


class Plan:
    """What is needed to write one recording, found out before anything is written."""

    def __init__(self, recording: Recording, options: Asked, name: str) -> None:
        self.recording, self.options, self.name = recording, options, name
        self.pad_map = read_pad_map(options.pad_map, game=recording.info.game)
        self.rows = Rows(SPACE, self.pad_map)
        self.delay_ms = delay_of(recording, options.action_delay_ms)
        self.screen = recording.info.stream("frames")
        self.rate = Fraction(recording.rate_hz or ASSUMED_HZ).limit_denominator(1001)
        self.size = max(1, round(PIECE_S * self.rate))
        self.films = not options.strict and options.video != "none" and self.screen is not None
        if not self._has_place():
            raise BadInputError(
                f"{recording.info.id}, none of whose controls ({_some(recording)}) has a place on a pad",
                accepts="keys, mouse or pad that the pad map or the release has a place for",
                fix="pass pad_map=FILE with a line for each control, such as SOUTH = ['ALE/FIRE']",
            )

    def _has_place(self) -> bool:
        slots = self.recording.info.action_space.slots
        if self.rows.controls & {c for slot in slots for c in (*slot.plus, *slot.minus)}:
            return True
        for segment in self.recording.segments:
            used = set(self.recording.events(segment.index)["control"])
            used |= {"MouseDX", "MouseDY"} if POINTER in used else set()
            if used & self.rows.controls:
                return True
        return False

    @property
    def has_piece(self) -> bool:
        """Whether a segment is long enough for a whole piece."""
        return any(segment.frames >= self.size for segment in self.recording.segments)

    @cached_property
    def resolution(self) -> list[int]:
        """[height, width] of the pictures; of labels alone what they say, zeros where they do not."""
        if self.films:
            return list(self.recording.frame(self.recording.segments[0].first_frame).shape[:2])
        if self.screen is not None:
            return [self.screen.height, self.screen.width]
        said = self.recording.info.provenance.get("resolution")
        return said if isinstance(said, list) else [0, 0]


def _some(recording: Recording) -> str:
    names = recording.info.action_space.names
    return ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")  # noqa: PLR2004 - enough to know it by


def write_one(plan: Plan, shelf: Shelf, job: Job, progress: Any, done: int) -> int:
    """Write the pieces of one recording, then its film; return how many frames are done."""
    job.delays_ms.append(plan.delay_ms)
    job.pairing = PAIRING
    account = Account(job.tally, plan.rows.controls)
    kept: list[tuple[int, int]] = []
    number = place = seen = 0
    for pair in pairs(plan.recording, action_delay_ms=plan.delay_ms):
        account.take(pair)
        rows = _rows(plan, pair)
        pieces = pieces_of(len(rows.table), plan.size, strict=plan.options.strict)
        count = pieces[-1][1] if pieces else 0
        start = _strict_start(plan, pair, place) if plan.options.strict else place
        for first, stop in pieces:
            shelf.add(plan.name, number, _files(plan, pair, rows, first, stop, number=number, start=start + first))
            number += 1
        place = start + count
        kept.append((pair.segment.first_frame, pair.segment.first_frame + count))
        seen += pair.segment.frames
        _count(plan, pair, rows, count, job, account)
    account.close(plan.recording)
    without = len(plan.recording.segments) - len(kept)
    job.lose("episodes", "without_action", without)
    job.lose("frames", "without_action", plan.recording.frame_count - seen)
    if plan.films and any(stop > first for first, stop in kept):
        film = job.partial / FILMS / f"{plan.name}.mp4"
        _write_film(plan, film, kept, lambda frames: progress(done + frames))
    progress(done + plan.recording.frame_count)
    return done + plan.recording.frame_count


@dataclass(frozen=True)
class _SegmentRows:
    """The release's rows of one segment.

    Attributes:
        table: (R, 21) float32.
        after: The row behind the last frame, where something was done on it.
        index: The index of the R frames.
    """

    table: Floats
    after: Floats | None
    index: pd.DataFrame


def _rows(plan: Plan, pair: Pair) -> _SegmentRows:
    ours = plan.rows.vectors(pair.grid)
    first = plan.rows.vectors(_beginning(pair))
    count = min(pair.segment.frames, len(ours) + 1)
    values = np.concatenate([first, ours[: count - 1]])
    after = ours[count - 1] if len(ours) >= count else None
    return _SegmentRows(values, after, plan.recording.index(pair.segment.index).iloc[:count])


def _beginning(pair: Pair) -> Grid:
    """Give the state in which a segment begins as a grid of one step: what came before it, nothing of its first row."""
    events, start = pair.events, int(pair.grid.t_ns[0])
    times = events["t_ns"].to_numpy(np.int64)
    later = moved(times, pair.grid.action_delay_ms)
    early = (later < start) | ((events["kind"] == "state").to_numpy() & (times <= start))
    return to_grid(events[early].assign(t_ns=np.minimum(later[early], start)), [start], end_ns=start + 1)


def _strict_start(plan: Plan, pair: Pair, place: int) -> int:
    """Number a segment's first frame in a video that runs through pauses; at least one number is missing before it."""
    origin = plan.recording.segments[0].start_ns
    passed = round((int(pair.grid.t_ns[0]) - origin) * plan.rate / NS)
    return max(passed, place + 1) if place else passed


def _files(
    plan: Plan, pair: Pair, rows: _SegmentRows, first: int, stop: int, *, number: int, start: int
) -> Mapping[str, bytes]:
    meta: dict[str, Any] = {
        "uuid": f"{plan.name}_chunk_{number:04d}_actions",
        "chunk_id": f"{number:04d}",
        "chunk_size": stop - first,
        "original_video": {
            "resolution": plan.resolution,
            "video_id": plan.name,
            "source": "local",
            "url": "",
            "start_time": float(start / plan.rate),
            "end_time": float((start + stop - first) / plan.rate),
            "duration": float((stop - first) / plan.rate),
            "start_frame": start,
            "end_frame": start + stop - first,
        },
        "game": plan.recording.info.game,
        "controller_type": "gamepad",
        "bbox_controller_overlay": [0, 0, 0, 0],
        "bbox_game_area": {"xtl": 0.0, "ytl": 0.0, "xbr": 1.0, "ybr": 1.0},
        "bbox_others": [],
    }
    if not plan.options.strict:
        meta["rushes"] = _own(plan, pair, rows, last=stop == len(rows.table))
    text = json.dumps(meta, indent=1, ensure_ascii=False) + "\n"
    table = _table(rows, first, stop, strict=plan.options.strict)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return {ACTIONS["raw"]: sink.getvalue(), METADATA: text.encode()}


def _own(plan: Plan, pair: Pair, rows: _SegmentRows, *, last: bool) -> dict[str, Any]:
    info = plan.recording.info
    after = None if rows.after is None or not last else {"row": [float(v) for v in rows.after]}
    return {
        "schema": SCHEMA,
        "session": {
            "id": info.id,
            "game": info.game,
            "time_source": info.time_source,
            "provenance": dict(info.provenance),
        },
        "segment": {**pair.segment.to_json(), "frames": len(rows.table), "actions": len(pair)},
        "after": after,
        "pairing": PAIRING,
        "pad_map": plan.pad_map.name,
        "action_delay_ms": plan.delay_ms,
    }


def _table(rows: _SegmentRows, first: int, stop: int, *, strict: bool) -> pa.Table:
    values = rows.table[first:stop]
    columns = {name: pa.array(values[:, k] > 0.5) for k, name in enumerate(COLUMNS)}  # noqa: PLR2004 - down from here
    for name, k in _STICKS.items():
        columns[name] = pa.array(values[:, k : k + 2].astype(np.float64).tolist(), _STICK_TYPE)
    if not strict:
        index = rows.index.iloc[first:stop]
        columns |= {name: pa.array(index[name].to_numpy()) for name in OWN}
    return pa.table(columns)


def _count(plan: Plan, pair: Pair, rows: _SegmentRows, count: int, job: Job, account: Account) -> None:
    """Write what becomes of a segment into the ledger."""
    actions = min(len(pair), max(count - 1, 0))
    if rows.after is not None and not plan.options.strict:
        actions += 1
    job.wrote(episodes=int(count > 0), frames=count, actions=actions)
    job.lose("episodes", "remainder", int(count == 0))
    whole = count == len(rows.table)
    job.lose("frames", "remainder", len(rows.table) - count)
    job.lose("frames", "without_action", pair.segment.frames - len(rows.table))
    reason = "after_last_frame" if whole else "remainder"
    job.lose("actions", reason, len(pair) - actions)
    if actions < len(pair):
        account.lose(reason, _placed_from(plan, pair, int(pair.grid.t_ns[actions])))
    job.tally.mark("actions", "clipped_motion", plan.pad_map.clipped(pair.grid))


def _placed_from(plan: Plan, pair: Pair, start_ns: int) -> int:
    """Count the events from a time on that have a place, and are lost with the rows there."""
    times = moved(pair.events["t_ns"].to_numpy(np.int64), pair.grid.action_delay_ms)
    inside = (times >= start_ns) & (times < pair.grid.ends_ns[-1])
    events = pair.events[inside & (pair.events["kind"] != "state") & (pair.events["flag"] != "hotkey")]
    placed = set(plan.rows.controls) | ({POINTER} if {"MouseDX", "MouseDY"} & plan.rows.controls else set())
    return int(events["control"].isin(placed).sum())


def _write_film(plan: Plan, path: Path, kept: list[tuple[int, int]], progress: Any) -> None:
    """Write the frames as H.264 of one rate, one picture a row."""
    height, width = plan.resolution
    encoder = VideoEncoder("h264", width=width, height=height, rate_hz=float(plan.rate))

    def packets() -> Iterator[tuple[bytes, int, bool]]:
        number = 0
        for start, stop in kept:
            for pixels in plan.recording.frames(start, stop):
                data = encoder.encode(np.ascontiguousarray(pixels))
                yield data, round(number * NS / plan.rate), encoder.last_was_key
                number += 1
                if number % _EVERY == 0:
                    progress(number)

    mux(path, packets(), codec="h264", width=width, height=height, rate_hz=float(plan.rate))


class Shelf:
    """Where chunks go: folders, or one archive whose bytes follow from theirs alone."""

    def __init__(self, folder: Path, shard: str) -> None:
        self._folder, self._packed = folder, shard == "tar.gz"
        self._stack = ExitStack()
        self._archive: tarfile.TarFile | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        if self._packed:
            file = self._stack.enter_context((self._folder / f"{_SHARD}.tar.gz").open("wb"))
            packer = self._stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
            self._archive = self._stack.enter_context(
                tarfile.open(fileobj=packer, mode="w|", format=tarfile.GNU_FORMAT)
            )
        return self

    def add(self, video: str, number: int, files: Mapping[str, bytes]) -> None:
        """Put a chunk where it belongs."""
        chunk = Path(video) / f"{video}_chunk_{number:04d}"
        if self._archive is None:
            place = self._folder / _SHARD / chunk
            place.mkdir(parents=True)
            for name, data in files.items():
                (place / name).write_bytes(data)
            return
        for name, data in files.items():
            member = tarfile.TarInfo((chunk / name).as_posix())
            member.size = len(data)
            self._archive.addfile(member, io.BytesIO(data))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
