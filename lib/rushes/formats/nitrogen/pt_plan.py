"""What goes into a training file before any picture is decoded: its windows, its action rows, its account.

A window of T rows begins at every frame of a segment that has T rows from it on: N rows give N - T + 1 windows. None
crosses the edge of a segment.

Example:
    >>> from rushes.formats.nitrogen.pt_columns import target_of
    >>> def how_many_windows(recording):
    ...     return Plan(Sessions([recording], format="session"), target_of("capture20"), seq_len=16).windows
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.card import Job
from rushes.formats.inputs import Account, Rows
from rushes.formats.nitrogen.noted import as_noted, lose_unseen
from rushes.model.actions import ActionSpace
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.grid import Grid
from rushes.model.recording import Recording, Sessions
from rushes.model.windows import windows
from rushes.store.facts import read_facts
from rushes.store.layout import CHUNK_FILE, SESSION_FILE
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import Pair, delay_of, pairs
from rushes.store.reader import Session
from rushes.store.validity import Valid

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_BLOCK: Final = 1024
"""Windows that are made at a time."""
_SAMPLES: Final = 8
"""Pictures by which a recording that has no digest is known again."""


@dataclass(frozen=True)
class Stretch:
    """The windows of one segment.

    Attributes:
        source: Number of its recording.
        segment: Number of its segment there.
        starts: (m,) int64, the rows that windows begin with.
        frames: (m,) int64, `frame_index` of the frames of these rows.
        rows: N, how many rows the segment has.
        start_ns: Time of the first window's frame.
        end_reason: Why the segment ended.
    """

    source: int
    segment: int
    starts: Ints
    frames: Ints
    rows: int
    start_ns: int
    end_reason: str


class Plan:
    """What will stand in a file.

    Args:
        source: Recordings, in their order.
        target: What the columns are; see `target_of`.
        seq_len: T, rows a window.
        stride: Rows from one window to the next.
        pad_map: Path of a pad map; empty takes the default.
        action_delay_ms: A number or `measured`; see `store.pairing.delay_of`.
        strict: Rows as the reference program notes them; see `noted`.

    Attributes:
        stretches: Those segments that have a window.
        windows: M, how many there are.
        delays_ms: By how much the events of each recording are moved.
        maps: Name of each recording's pad map.

    Raises:
        BadInputError: No window at all, or a recording without any control that has a place.
        BadDataError: Inputs that are no numbers.
    """

    def __init__(
        self,
        source: Sessions,
        target: ActionSpace,
        *,
        seq_len: int,
        stride: int = 1,
        pad_map: str = "",
        action_delay_ms: str = "0",
        strict: bool = False,
    ) -> None:
        self._source, self._target, self._length, self._stride = source, target, seq_len, stride
        self._strict = strict
        found = [read_pad_map(pad_map, game=r.info.game) for r in source]
        self._rows = [Rows(target, one) for one in found]
        self.maps = [one.name for one in found]
        self.delays_ms = [delay_of(recording, action_delay_ms) for recording in source]
        self.stretches: list[Stretch] = []
        self._job = Job(Path())  # counts until there is an export
        self._digests = [self._take(number, recording) for number, recording in enumerate(source)]
        self.windows = sum(len(one.starts) for one in self.stretches)
        if not self.windows:
            longest = max((one.frames for r in source for one in r.segments), default=0)
            raise BadInputError(
                f"segments that are shorter than a window of {seq_len} rows (the longest has {longest} frames)",
                accepts=f"at least one segment with {seq_len} actions",
                fix="record longer, or pass a smaller seq_len",
            )
        if strict:
            self._job.tally.mark("episodes", "border_not_written", len(self.stretches) - 1)

    def _take(self, number: int, recording: Recording) -> str:
        """Plan one recording; return what its inputs are known by."""
        rows, account = self._rows[number], Account(self._job.tally, self._rows[number].controls)
        digest, controls, seen, parts = hashlib.sha256(), set[str](), 0, 0
        for pair in self._pairs(number):
            parts += 1
            vectors = self._vectors(number, pair)
            digest.update(vectors.tobytes())
            controls |= set(pair.events["control"].unique().tolist())
            account.take(pair)
            count = len(pair)
            seen += count + pair.unpaired
            found = windows(np.zeros(count, np.int64), length=self._length, stride=self._stride)
            m = len(found)
            self._job.wrote(episodes=int(m > 0), frames=m, actions=found.ledger["covered"], samples=m)
            self._job.lose("frames", "without_action", pair.unpaired)
            self._job.lose("frames", "no_window" if m else "too_short", count - m)
            self._job.lose("actions", "no_window" if m else "too_short", count - found.ledger["covered"])
            self._job.lose("episodes", "too_short", int(not m))
            if not m:
                kept = pair.grid.ledger["used"] + pair.grid.ledger["repeat"]
                account.lose("too_short", kept - sum(pair.without_place(rows.controls).values()))
                continue
            self._job.tally.mark("actions", "clipped", self._clipped(pair.before if self._strict else pair.grid))
            if self._strict:
                lose_unseen(account, rows, pair)
            over = np.zeros(count + 1, np.int64)  # windows over each row
            over[found.starts] += 1
            over[found.starts + self._length] -= 1
            happened = pair.rows_with_place(rows.controls)
            account.lose("no_window", int((np.cumsum(over)[happened] == 0).sum()))
            frames = pair.index["frame_index"].to_numpy(np.int64)[found.starts]
            about = pair.segment.index, found.starts, frames, count, int(pair.grid.t_ns[0]), pair.segment.end_reason
            self.stretches.append(Stretch(number, *about))
        self._job.lose("frames", "without_action", recording.frame_count - seen)
        self._job.lose("episodes", "without_action", len(recording.segments) - parts)
        account.close(recording)
        self._refuse_without_place(recording, controls, rows)
        return digest.hexdigest()

    def _refuse_without_place(self, recording: Recording, controls: set[str], rows: Rows) -> None:
        own = {c for slot in recording.info.action_space.slots for c in (*slot.plus, *slot.minus)}
        known = {*controls, *own, *(MOUSE_MOTIONS[:2] if POINTER in controls else ())}
        if not known & rows.controls:
            some = ", ".join(sorted(known)[:4]) or "none"
            raise BadInputError(
                f"{recording.info.id}, none of whose controls ({some}) has a place among the columns",
                accepts="a recording of keyboard and mouse, or of a pad through the pad map",
                fix="write it in a format for its own actions (`rushes doctor` lists them), or name a pad_map",
            )

    def _pairs(self, number: int) -> Iterator[Pair]:
        return pairs(self._source[number], action_delay_ms=self.delays_ms[number])

    def _vectors(self, number: int, pair: Pair) -> Floats:
        rows = self._rows[number]
        found = as_noted(rows, pair) if self._strict else rows.vectors(pair.grid)
        wrong = np.argwhere(~np.isfinite(found))
        if len(wrong):
            row, column = wrong[0]
            raise BadDataError(
                f"{self._source[number].info.id}, frame {pair.index['frame_index'].iloc[row]}: "
                f"{self._target.names[column]} is {found[row, column]}",
                accepts="inputs that are numbers",
                fix="mark the stretch invalid and convert again",
            )
        return found

    def _clipped(self, grid: Grid) -> int:
        """Count the rows whose motion is more than its column can say."""
        over = np.zeros(len(grid), bool)
        for slot in self._target.slots:
            for control in (*slot.plus, *slot.minus):
                if slot.role == "motion" and control in grid.motion:
                    over |= np.abs(grid.motion[control] * slot.scale) > slot.limits[1]
        return int(over.sum())

    def count(self, job: Job) -> None:
        """Write the account into an export."""
        job.tally, job.counts, job.delays_ms = self._job.tally, self._job.counts, self.delays_ms

    def actions(self, first: int = 0) -> Iterator[Floats]:
        """Make the windows' action rows.

        Args:
            first: Number of the window to begin with.

        Yields:
            (n, T, A) float32; together the windows from `first` on, in order.
        """
        at = 0
        planned = iter(self.stretches)
        one = next(planned, None)
        for number in range(len(self._source)):
            if one is None or one.source != number:
                continue
            for pair in self._pairs(number):
                if one is None or (one.source, one.segment) != (number, pair.segment.index):
                    continue
                views = np.lib.stride_tricks.sliding_window_view(self._vectors(number, pair), self._length, axis=0)
                for start in range(max(first - at, 0), len(one.starts), _BLOCK):
                    yield views[one.starts[start : start + _BLOCK]].transpose(0, 2, 1)
                at += len(one.starts)
                one = next(planned, None)

    def frames(self, first: int = 0) -> Iterator[tuple[Recording, Ints]]:
        """Say which frames the windows begin with.

        Args:
            first: Number of the window to begin with.

        Yields:
            A recording and its frames' numbers, rising; together the windows from `first` on, in order.
        """
        at = 0
        for number, recording in enumerate(self._source):
            mine = [one.frames for one in self.stretches if one.source == number]
            wanted = np.concatenate(mine) if mine else np.zeros(0, np.int64)
            if max(first - at, 0) < len(wanted):
                yield recording, wanted[max(first - at, 0) :]
            at += len(wanted)

    def about(self) -> dict[str, Any]:
        """Say what the windows are, as plain values for `meta`."""
        sources, segments, at = [], [], 0
        for number, recording in enumerate(self._source):
            info, stream = recording.info, recording.info.stream("events")
            sources.append(
                {
                    "id": info.id,
                    "game": info.game,
                    "time_source": info.time_source,
                    "fps": recording.rate_hz,
                    "motion_unit": stream.unit if stream is not None else "",
                    "action_delay_ms": float(self.delays_ms[number]),
                    "pad_map": self.maps[number],
                }
            )
        for one in self.stretches:
            about = {"source": one.source, "segment": one.segment, "first_window": at, "windows": len(one.starts)}
            segments.append({**about, "rows": one.rows, "start_ns": one.start_ns, "end_reason": one.end_reason})
            at += len(one.starts)
        return {"sources": sources, "segments": segments}

    def digest(self, options: dict[str, Any]) -> str:
        """Say by what this conversion is known again: what is read, and everything that decides what is written."""
        import cv2

        said = {
            "options": options,
            "about": self.about(),
            "inputs": self._digests,
            "pictures": [content_of(recording) for recording in self._source],
            "decoder": cv2.__version__,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def content_of(recording: Recording) -> str:
    """Say what pictures a recording has: by its manifests, which hold digests, or by a few of the pictures."""
    digest = hashlib.sha256(json.dumps(recording.info.to_json(), sort_keys=True, default=str).encode())
    session = recording.session if isinstance(recording, Valid) else recording
    if isinstance(session, Session):
        for path in sorted([session.path / SESSION_FILE, *session.path.rglob(CHUNK_FILE)]):
            digest.update(path.read_bytes())
        digest.update(repr(read_facts(session.path)).encode())
        return digest.hexdigest()
    digest.update(recording.index().to_csv(index=False).encode())
    for number in sorted({k * (recording.frame_count - 1) // _SAMPLES for k in range(_SAMPLES + 1)} - {-1}):
        digest.update(recording.frame(number).tobytes())
    return digest.hexdigest()
