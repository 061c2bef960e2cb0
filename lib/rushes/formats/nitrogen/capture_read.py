"""A set of the NitroGen Capture program as a recording.

The program notes inputs when a frame is taken: row k of its arrays holds the motion of (t_{k-1}, t_k]. Rows of a
recording are [t_k, t_{k+1}), so that the motion of each row, that of wheels too, is moved back by one; that of the
first row of a segment has no frame before it and is counted as lost, and that of the last frame is not in the set. Keys
stay: what is down at t_k is down in the row that begins there. A set with times is ours, and nothing is moved.

Times of a foreign set are its frame indices over its rate, and `assumed`. A segment ends where indices leave a number
out, where a row had to be left out, where a chunk is missing and where pictures change their size.

Example:
    >>> back_by_one(np.array([[5.0, 0.0], [7.0, 1.0], [9.0, 2.0]]), linked=np.array([True, False])).tolist()
    [[7.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.imported import Imported, Part
from rushes.formats.nitrogen.capture_names import MOTION, wheel_columns
from rushes.formats.nitrogen.capture_own import flags, read_own
from rushes.formats.nitrogen.capture_pictures import PngFiles
from rushes.formats.nitrogen.capture_rows import RowTable, gather_rows
from rushes.formats.nitrogen.chunks import Chunks
from rushes.formats.nitrogen.chunks_find import open_chunks
from rushes.formats.nitrogen.chunks_meta import OURS
from rushes.formats.nitrogen.chunks_notes import Notes
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS, TimeSource
from rushes.model.ledger import Tally
from rushes.model.rows import events_from_rows
from rushes.model.session import SessionInfo, StreamSpec

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

REFERENCE_INTERVAL: Final = "(t_{k-1}, t_k]"
LEAST_FPS: Final = 1e-6
MOST_FPS: Final = 1e6
_LONGEST_S: Final = 1e9
_PAUSE: Final = 3
"""Median steps from which on a step of times is a pause, where nothing else tells."""


def read_set(root: Path, *, fps: float, trust_numbers: bool) -> Imported:
    """Read one set.

    Args:
        root: Its folder.
        fps: Frames a second where nothing says it.
        trust_numbers: Without meta.json, do not ask whether later chunks are older.

    Raises:
        BadDataError: Nothing sensible can be read, or chunks of an earlier run lie there.
    """
    notes, tally = Notes(), Tally()
    chunks = open_chunks(root, notes, trust_numbers=trust_numbers)
    return _Reader(chunks, gather_rows(chunks, notes, tally), notes, tally).recording(fps)


def back_by_one(motion: Floats, *, linked: Bools) -> Floats:
    """Move the motion of each row to the row before it.

    Args:
        motion: (N, K); a row that is no finite motion counts as nothing.
        linked: (N - 1,) whether row k and row k + 1 stand next to each other.

    Returns:
        (N, K); nothing where no row follows.
    """
    moved = np.zeros_like(motion)
    finite = np.isfinite(motion).all(axis=1, keepdims=True)
    moved[:-1][linked] = np.where(finite, motion, 0)[1:][linked]
    return moved


class _Reader:
    """Makes a recording of the rows of a set."""

    def __init__(self, chunks: Chunks, table: RowTable, notes: Notes, tally: Tally) -> None:
        self._chunks, self._table, self._notes, self._tally = chunks, table, notes, tally
        self._meta: Mapping[str, Any] = chunks.manifest.values if chunks.manifest else {}
        self._own = read_own(self._meta)
        said = self._own.values if self._own is not None else {}
        self._marked = {name: flags(said.get(name, []), table.row) for name in ("duplicate", "late")}

    def recording(self, fps: float) -> Imported:
        """Make it; `fps` counts where nothing says it."""
        self._say_what_is_missing()
        rate = self._rate(fps)
        t_ns = self._table.t_ns if self._table.t_ns is not None else self._assumed(rate)
        own, place = self._own, np.zeros(len(self._table), np.int64)
        if own is not None:
            place = own.segment_of(row=self._table.row, t_ns=self._table.t_ns)
        kept = self._table.kept & (place >= 0)
        outside = int((self._table.kept & (place < 0)).sum())
        if outside:
            self._notes.add("time_not_rising", "meta.json, rushes.segments", outside)
            self._tally.lose("frames", "time_not_rising", outside)
        linked = self._linked(t_ns, place)
        motion, lost = self._table.motion, 0
        if not self._chunks.is_ours:
            before = np.concatenate([[False], linked & kept[:-1]])
            actions, wheels = self._table.actions.copy(), wheel_columns(self._table.columns.space)
            scrolled = actions[:, wheels]
            lost = sum(int((np.nan_to_num(found).any(axis=1) & ~before).sum()) for found in (motion, scrolled))
            motion = back_by_one(motion, linked=linked)
            actions[:, wheels] = back_by_one(scrolled.astype(np.float64), linked=linked)
            self._table = replace(self._table, actions=actions)
        parts = self._parts(np.flatnonzero(kept), linked, t_ns, place, motion, rate)
        count = sum(int((part.events["kind"] != "state").sum()) for part in parts)
        self._tally.offer("events", count + lost + self._table.unknown_edges)
        self._tally.lose("events", "motion_before_first_frame", lost)
        self._tally.lose("events", "unknown_action", self._table.unknown_edges)
        if not self._chunks.is_ours:
            self._tally.mark("frames", "motion_behind_not_recorded", len(parts))
        made = Imported(
            self._info(rate, kept),
            parts,
            _only(self._table.files, np.flatnonzero(kept)),
            ledger=self._tally.close(),
            problems=self._notes.problems(),
        )
        if own is not None:
            known = {s.start_ns: s for s in own.segments} if self._table.t_ns is not None else {}
            made.segments = tuple(
                replace(s, wall_ns=known[s.start_ns].wall_ns, clock=known[s.start_ns].clock)
                if s.start_ns in known
                else s
                for s in made.segments
            )
        return made

    def _say_what_is_missing(self) -> None:
        name = self._chunks.root.resolve().name
        if OURS in self._meta and self._own is None:
            self._notes.add("damaged_description", "meta.json, rushes")
        elif self._chunks.manifest is None:
            self._notes.add("description_lost" if self._chunks.has_times else "missing_meta", name)
        elif not self._chunks.is_ours and "frame_index_units" not in self._meta:
            self._notes.add("drops_not_recorded", name)

    def _rate(self, fps: float) -> float:
        said = self._meta.get("fps")
        if isinstance(said, int | float) and not isinstance(said, bool) and LEAST_FPS <= said <= MOST_FPS:
            return float(said)
        if self._table.t_ns is not None:
            steps = np.diff(self._table.t_ns[self._table.kept])
            found = round(NS / np.median(steps), 6) if len(steps) and np.median(steps) > 0 else 0.0
            if found >= LEAST_FPS:
                return float(found)
        self._notes.add("fps_assumed", f"fps={fps:g}")
        return fps

    def _assumed(self, rate: float) -> Ints:
        """Make times of frame indices."""
        tick = self._table.tick
        known = tick[self._table.kept]
        if not len(known):
            return np.zeros(len(tick), np.int64)
        span = float(known[-1] - known[0]) / rate
        if span > _LONGEST_S:
            raise BadDataError(
                f"{self._chunks.root}: frame_indices that span {span / 86400:,.0f} days",
                accepts="the numbers of frames or of ticks of one run",
                fix="look into frame_indices_chunk_*.npy; without these files rows are numbered as they stand",
            )
        since = np.clip(tick - known[0], 0, known[-1] - known[0])
        if rate.is_integer():
            return np.asarray(since * NS // int(rate), np.int64)
        return np.asarray(np.rint(since * (NS / rate)), np.int64)

    def _linked(self, t_ns: Ints, place: Ints) -> Bools:
        """Say which rows stand next to each other, kept or not."""
        near = np.diff(self._table.chunk) <= 1
        if self._own is not None:
            return np.asarray(near & (np.diff(place) == 0))
        near &= np.diff(self._table.tick) == 1
        if self._table.t_ns is not None:
            steps = np.diff(t_ns)
            near &= (steps > 0) & (steps <= _PAUSE * np.median(steps[near] if near.any() else steps or [0]))
        return np.asarray(near)

    def _parts(self, kept: Ints, linked: Bools, t_ns: Ints, place: Ints, motion: Floats, rate: float) -> list[Part]:
        """Cut the rows that are kept into segments."""
        if not len(kept):
            problem = self._notes.problems()[0]
            raise BadDataError(
                f"{self._chunks.root}: none of {len(self._table)} rows can be kept; "
                f"at {problem.where}: {problem.sentence}",
                accepts="a picture and a row of 0 and 1 a frame",
                fix="restore the files from a copy",
            )
        size = self._table.size[kept]
        resized = (size[1:] != size[:-1]).any(axis=1)
        broken = (np.diff(kept) != 1) | ~linked[kept[:-1]]
        for k in np.flatnonzero(resized & ~broken)[:1]:
            where = self._chunks.relative(self._table.files.path(int(kept[k + 1])))
            count = int((resized & ~broken).sum())
            self._notes.add("mixed_frame_sizes", f"{where}, row {self._table.row[kept[k + 1]]}", count)
        edges = [0, *(np.flatnonzero(broken | resized) + 1).tolist(), len(kept)]
        step = round(NS / rate)
        space = ActionSpace("buttons", (*self._table.columns.space.slots, *MOTION))
        parts = []
        for first, stop in pairwise(edges):
            rows = kept[first:stop]
            end_ns, reason = self._end(rows, kept, linked, t_ns, place, step)
            if stop < len(kept) and not broken[stop - 1]:
                reason = "frame_size"
            values = np.concatenate([self._table.actions[rows], motion[rows]], axis=1)
            events = events_from_rows(values, t_ns[rows], end_ns=end_ns, space=space).events
            parts.append(self._part(rows, t_ns[rows], end_ns, events, reason, int(place[rows[0]])))
        return parts

    def _end(self, rows: Ints, kept: Ints, linked: Bools, t_ns: Ints, place: Ints, step: int) -> tuple[int, str]:
        """Say where the last of these rows ends, and why."""
        last = int(rows[-1])
        now = int(t_ns[last])
        if last + 1 < len(t_ns) and linked[last] and int(t_ns[last + 1]) > now:  # a row that is left out
            return int(t_ns[last + 1]), "gap"
        limit = now + step
        if last != int(kept[-1]):
            limit = min(limit, max(int(t_ns[kept[np.searchsorted(kept, last) + 1]]), now + 1))
        if self._own is not None:
            segment = self._own.segments[int(place[last])]
            whole = int(self._table.row[last]) + 1 >= segment.stop_frame
            if self._table.t_ns is None:
                return limit, segment.end_reason if whole else "gap"
            return (segment.end_ns, segment.end_reason) if whole else (min(limit, segment.end_ns), "gap")
        if last != int(kept[-1]):
            return limit, "gap"
        ended = last == len(t_ns) - 1 and self._chunks.manifest is not None and not self._chunks.left_out
        return limit, "end" if ended else "unknown"

    def _part(self, rows: Ints, t_ns: Ints, end_ns: int, events: Any, reason: str, place: int) -> Part:
        tick, own = self._table.tick[rows], self._own
        if own is None:
            return Part(t_ns, end_ns, tick, events, reason)
        return Part(
            t_ns,
            end_ns,
            tick - own.shifts[place],
            events,
            reason,
            own.segments[place].attrs,
            self._marked["duplicate"][rows],
            self._marked["late"][rows],
        )

    def _info(self, rate: float, kept: Bools) -> SessionInfo:
        height, width = (int(n) for n in self._table.size[np.flatnonzero(kept)[0]])
        said = self._own.values if self._own is not None else {}
        times: TimeSource = said.get("time_source", "assumed") if self._table.t_ns is not None else "assumed"
        delay = {"action_delay_ms": said["action_delay_ms"]} if said.get("action_delay_ms") else {}
        interval = {} if self._chunks.is_ours else {"interval": REFERENCE_INTERVAL}
        return SessionInfo(
            id=str(said.get("session") or self._chunks.root.resolve().name),
            game=str(said.get("game") or self._chunks.root.resolve().name),
            source=dict(said.get("source") or {"kind": "import", "name": "nitrogen_capture"}),
            time_source=times,
            streams=(
                StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=rate),
                StreamSpec("events", "events", unit=str(said.get("motion_unit") or "px")),
            ),
            action_space=ActionSpace("buttons", (*self._table.columns.space.slots, *MOTION)),
            provenance={**interval, **delay},
        )


def _only(files: PngFiles, rows: Ints) -> PngFiles:
    return replace(files, folder_of=files.folder_of[rows], number_of=files.number_of[rows])
