"""Chunks of the NitroGen release as recordings: one a video, its rows moved to where they belong.

The release's row i is what is seen on frame i, so what was done in [t_{i-1}, t_i). Our row k is what is done in
[t_k, t_{k+1}): the release's row k + 1. Its first row is the state in which a segment begins. What is done on a
segment's last frame it does not say: that row holds what was down before, the segment's attribute `last_row` is
`assumed`, and the ledger marks it.

A row that says nothing sensible is left out, counted under its reason, and ends a segment; so does a frame number that
is missing. Sets that we wrote bring their times and segments back.

Example:
    >>> from fractions import Fraction
    >>> times_ns(np.array([0, 1, 60]), Fraction(60)).tolist()
    [0, 16666667, 1000000000]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.imported import Frames, Imported, NoFrames, Part
from rushes.formats.nitrogen.release import Piece, read_piece
from rushes.formats.nitrogen.shards import Chunk
from rushes.formats.nitrogen.video import Asked, Film, Found, join_frames, open_film
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS, TIME_SOURCES
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import Recording
from rushes.model.rows import events_from_rows
from rushes.model.session import Segment, SessionInfo, StreamSpec

Ints = npt.NDArray[np.int64]

SCHEMA: Final = "rushes/nitrogen_dataset/1"
SPACE: Final = ActionSpace.from_layout("nitrogen21")
ASSUMED: Final = {"last_row": "assumed"}
"""What a segment's attributes say where nobody knows what was done on its last frame."""
_RATES_DIFFER: Final = 0.01
_LATEST_NS: Final = 1 << 62


def times_ns(numbers: Ints, rate_hz: Fraction) -> Ints:
    """Give the times of frames by their numbers: (N,) int64 ns since the video's start."""
    seconds, rest = np.divmod(numbers * rate_hz.denominator, rate_hz.numerator)
    return np.asarray(seconds * NS + (2 * rest * NS + rate_hz.numerator) // (2 * rate_hz.numerator), np.int64)


class Videos(Sequence[Recording]):
    """The recordings of a path, read when they are asked for; the one asked for last stays at hand.

    Args:
        path: What was opened.
        chunks: Video id -> its chunks.
        asked: Options.
    """

    def __init__(self, path: Path, chunks: Mapping[str, Sequence[Chunk]], asked: Asked) -> None:
        self._path, self._chunks, self._asked = path, list(chunks.items()), asked
        self._last: tuple[int, Recording] | None = None

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if self._last is None or self._last[0] != number:
            video, chunks = self._chunks[number]
            try:
                self._last = number, read_video_labels(self._path, video, chunks, self._asked)
            except BadDataError as error:
                if len(self) == 1:
                    raise
                self._last = number, _nothing(video, chunks, error)
        return self._last[1]

    def __repr__(self) -> str:
        return f"Videos({len(self)} in {self._path.name})"


def _nothing(video: str, chunks: Sequence[Chunk], error: BadDataError) -> Recording:
    """Give a video of which nothing can be read, beside others, as a recording without a segment that says why."""
    tally = Tally()
    tally.offer("chunks", len(chunks))
    tally.lose("chunks", "unreadable_chunk", len(chunks))
    source = {"kind": "import", "name": "nitrogen_dataset"}
    info = SessionInfo(video, "unknown", source, "assumed", (StreamSpec("events", "events"),), SPACE)
    told = Problem("unreadable_video_labels", chunks[0].where, len(chunks), f"nothing of it is read: {error.given}")
    return Imported(info, [], NoFrames(video, "fetch its chunks again"), ledger=tally.close(), problems=[told])


@dataclass
class _Rows:
    """All rows of a video in the order of its chunks."""

    numbers: Ints
    table: npt.NDArray[np.float64]
    reason: npt.NDArray[np.object_]
    piece: Ints

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> _Rows:
        sizes = [len(piece) for piece in pieces]
        return cls(
            np.concatenate([np.arange(p.start_frame, p.start_frame + len(p)) for p in pieces]),
            np.concatenate([p.table for p in pieces]),
            np.concatenate([p.reason for p in pieces]),
            np.repeat(np.arange(len(pieces)), sizes),
        )

    def blame(self, wrong: npt.NDArray[np.bool_], why: str) -> None:
        self.reason[wrong & (self.reason == "")] = why


def read_video_labels(path: Path, video: str, chunks: Sequence[Chunk], asked: Asked) -> Recording:
    """Read the chunks of one video.

    Args:
        path: What was opened; the video is looked for beside it.
        video: Id.
        chunks: In the order of their numbers.
        asked: Options.

    Raises:
        BadDataError: None of its chunks can be used; the message is that of the first.
    """
    problems: list[Problem] = []
    pieces, unread = _pieces(chunks, asked, problems)
    rate = max(Counter(p.rate_hz for p in pieces).items(), key=lambda item: (item[1], item[0]))[0]
    rows = _Rows.of(pieces)
    behind = np.maximum.accumulate(rows.numbers)
    rows.blame(np.append(False, rows.numbers[1:] <= behind[:-1]), "overlap")
    own = all(p.own and is_ours(p.meta) for p in pieces) and _rises(pieces)
    film = open_film(path, video, asked, problems)
    if film is not None:
        rows.blame(rows.numbers >= film.count, "without_frame")
        if film.rate_hz and abs(film.rate_hz / float(rate) - 1) > _RATES_DIFFER and not own:
            text = (
                f"the video has {film.rate_hz:.2f} frames a second, its labels say {float(rate):.2f}; they are joined "
                "by number, and are wrong if the labels were made of another copy of the video"
            )
            problems.append(Problem("rate_differs", str(film.path), 1, text))
    _tell(rows, pieces, problems)
    good = np.flatnonzero(rows.reason == "")
    if not len(good):
        worst = Counter(rows.reason.tolist()).most_common(1)[0][0]
        raise BadDataError(
            f"{pieces[0].where}: {len(rows.reason)} rows, none of which can be used ({worst})",
            accepts="17 buttons of 0 or 1, two sticks of two numbers from -1 to 1, and a video that is long enough",
            fix="fetch the chunk or the video again, or leave it out",
        )
    made = _Parts(pieces, rows, rate, own=own)
    frames: Frames = NoFrames(video, f"put the video at videos/{video}.mp4 beside the labels, or pass video=PATH")
    if film is not None:
        frames = join_frames(film, rows.numbers[good], rows.piece[good], pieces, asked, problems, own=own)
    tally = Tally()
    tally.offer("frames", len(rows.reason))
    if own and (gone := _gone(pieces)):
        tally.offer("frames", gone)
        tally.lose("frames", "missing_chunk", gone)
        text = "rows of its segments whose chunks are not there: a segment ends before them"
        problems.append(Problem("missing_chunk", pieces[0].where, gone, text))
    for reason, count in Counter(rows.reason[rows.reason != ""].tolist()).items():
        tally.lose("frames", reason, count)
    if unread:  # how many rows they had is not known
        tally.offer("chunks", len(chunks))
        tally.lose("chunks", "unreadable_chunk", unread)
    tally.offer("episodes", len(made.parts))
    tally.offer("events", sum(int((part.events["kind"] != "state").sum()) for part in made.parts))
    tally.mark("frames", "action_assumed", made.assumed)
    info = _info(video, pieces[0], rate, asked, own=own, film=film, frames=frames)
    found = Imported(info, made.parts, frames, ledger=tally.close(), problems=problems)
    if made.segments:
        found.segments = tuple(
            Segment.from_json({**said, "index": s.index, "first_frame": s.first_frame})
            for said, s in zip(made.segments, found.segments, strict=True)
        )
    return found


def _pieces(chunks: Sequence[Chunk], asked: Asked, problems: list[Problem]) -> tuple[list[Piece], int]:
    """Read what can be read, and count the rest."""
    found: dict[int, Piece] = {}
    unread, why = 0, None
    for chunk in sorted(chunks, key=lambda chunk: chunk.place):  # an archive is read once, whatever its order
        try:
            piece = read_piece(chunk, asked.actions, problems)
        except BadDataError as error:
            why = why or error
            unread += 1
            problems.append(Problem("unreadable_chunk", chunk.where, 1, f"left out: {error.given}"))
            continue
        if len(piece):
            found[chunk.number] = piece
    if not found:
        raise why or BadDataError(
            f"{chunks[0].where}: a table without rows", accepts="one row a frame", fix="leave the video out"
        )
    return [found[number] for number in sorted(found)], unread


def is_ours(meta: Mapping[str, Any]) -> bool:
    """Say whether metadata carries what we add, whole; anything else is read as the release's own."""
    said = meta.get("rushes")
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        return False
    session, segment, after = said.get("session"), said.get("segment"), said.get("after")
    try:
        assert isinstance(session, dict)
        assert isinstance(segment, dict)
        Segment.from_json({k: v for k, v in segment.items() if k != "actions"})
        assert all(isinstance(segment[k], int) for k in ("start_ns", "end_ns", "frames", "actions"))
        assert max(abs(segment["start_ns"]), abs(segment["end_ns"]), abs(segment["frames"])) < _LATEST_NS
        assert isinstance(segment["attrs"], dict)
        assert isinstance(segment["end_reason"], str)
        assert session["time_source"] in TIME_SOURCES
        assert isinstance(session["provenance"], dict)
        assert all(isinstance(session[k], str) for k in ("id", "game"))
        if after is not None:
            row = np.array(after["row"], np.float64)
            assert row.shape == (len(SPACE),)
            assert (np.abs(row) <= 1).all()
    except (AssertionError, KeyError, TypeError, ValueError):
        return False
    return True


def _rises(pieces: Sequence[Piece]) -> bool:
    """Say whether our columns make sense: one segment a piece, times that rise within a segment up to its end."""
    for before, piece in zip([None, *pieces], pieces, strict=False):
        t_ns, segment = piece.own["t_ns"], piece.own["segment"]
        end_ns = piece.meta["rushes"]["segment"]["end_ns"]
        joins = before is not None and before.own["segment"][-1] == segment[0]
        earlier = before.own["t_ns"][-1] if before is not None and joins else t_ns[0] - 1
        if (segment != segment[0]).any() or (np.diff(t_ns, prepend=earlier) <= 0).any() or t_ns[-1] >= end_ns:
            return False
    return True


def _gone(pieces: Sequence[Piece]) -> int:
    """Count the rows that our segments say to have and that no chunk has."""
    said = {int(piece.own["segment"][0]): piece.meta["rushes"]["segment"]["frames"] for piece in pieces}
    have = Counter(np.concatenate([piece.own["segment"] for piece in pieces]).tolist())
    return sum(max(0, frames - have[number]) for number, frames in said.items())


def _tell(rows: _Rows, pieces: Sequence[Piece], problems: list[Problem]) -> None:
    for why, count in Counter(rows.reason[rows.reason != ""].tolist()).items():
        first = int(np.flatnonzero(rows.reason == why)[0])
        piece = int(rows.piece[first])
        row = first - int(np.searchsorted(rows.piece, piece))
        text = f"rows that are left out ({why}); a segment ends before them"
        problems.append(Problem(why, f"{pieces[piece].where}, row {row}", count, text))


class _Parts:
    """The segments of a video, cut where rows are missing."""

    def __init__(self, pieces: Sequence[Piece], rows: _Rows, rate: Fraction, *, own: bool) -> None:
        self.parts: list[Part] = []
        self.segments: list[Mapping[str, Any]] = []
        self.assumed = 0
        self._rows, self._rate, self._own = rows, rate, own
        self._t_ns = self._column(pieces, "t_ns") if own else times_ns(rows.numbers, rate)
        self._tick = self._column(pieces, "tick") if own else rows.numbers
        self._segment = self._column(pieces, "segment") if own else np.zeros(len(rows.numbers), np.int64)
        self._last = {int(p.own["segment"][-1]): dict(p.meta["rushes"]) for p in pieces} if own else {}
        self._flags = {n: self._column(pieces, n).astype(bool) for n in ("duplicate", "late")} if own else {}
        good = np.flatnonzero(rows.reason == "")
        step = np.diff(good) > 1
        step |= np.diff(rows.numbers[good]) != 1
        step |= np.diff(self._segment[good]) != 0
        for run in np.split(good, np.flatnonzero(step) + 1):
            self._add(run, last=bool(run[-1] == good[-1]))
        if own and len(self.segments) != len(self.parts):
            self.segments = []

    @staticmethod
    def _column(pieces: Sequence[Piece], name: str) -> npt.NDArray[Any]:
        return np.concatenate([p.own[name] for p in pieces])

    def _add(self, run: Ints, *, last: bool) -> None:
        number = int(self._segment[run[0]])
        said = self._last.get(number, {})
        segment = said.get("segment", {})
        whole = self._own and len(run) == segment.get("frames")
        after = said.get("after") if whole else None
        t_ns = self._t_ns[run]
        values = self._rows.table[run]
        times = np.concatenate([t_ns[:1] - 1, t_ns[:-1]])
        if after is not None:
            values, times = np.concatenate([values, [after["row"]]]), np.append(times, t_ns[-1])
        end_ns = int(segment["end_ns"]) if whole else self._end(run)
        known = after is not None or (whole and segment.get("actions", 0) < len(run))
        self.assumed += not known
        found = events_from_rows(values, times, end_ns=max(end_ns, int(t_ns[-1]) + 1), space=SPACE, device="pad")
        attrs = dict(segment.get("attrs", {})) if whole else {}
        self.parts.append(
            Part(
                t_ns,
                end_ns,
                self._tick[run],
                _begun(found.events, int(t_ns[0])),
                segment["end_reason"] if whole else "end" if last and not self._own else "gap",
                attrs if known else {**attrs, **ASSUMED},
                **{name: flags[run] for name, flags in self._flags.items()},
            )
        )
        if whole:
            kept = {k: v for k, v in segment.items() if k != "actions"}
            self.segments.append({**kept, "attrs": self.parts[-1].attrs})

    def _end(self, run: Ints) -> int:
        """End where the next row begins, if its time is known to be later; else one step behind the last frame."""
        behind = int(self._t_ns[run[-1]]) + round(NS / self._rate)
        following = run[-1] + 1
        if following < len(self._t_ns) and self._t_ns[following] > self._t_ns[run[-1]]:
            return min(behind, int(self._t_ns[following]))
        return behind


def _begun(events: pd.DataFrame, start_ns: int) -> pd.DataFrame:
    """Turn what stands before a segment's first frame into the state in which it begins."""
    early = (events["t_ns"] < start_ns).to_numpy()
    kind = np.where(early, "state", events["kind"].to_numpy(object))
    t_ns = np.maximum(events["t_ns"].to_numpy(np.int64), start_ns)
    return events.assign(t_ns=t_ns, kind=kind).astype(events.dtypes.to_dict())


def _info(
    video: str,
    piece: Piece,
    rate: Fraction,
    asked: Asked,
    *,
    own: bool,
    film: Found | None,
    frames: Frames,
) -> SessionInfo:
    streams = [StreamSpec("events", "events")]
    if film is not None and isinstance(frames, Film):
        box = frames.crop
        height, width = (box.bottom - box.top, box.right - box.left) if box else frames.size or (0, 0)
        screen = StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=float(rate))
        streams.insert(0, screen)
    source = {"kind": "import", "name": "nitrogen_dataset"}
    if own:
        said = piece.meta["rushes"]["session"]
        provenance, name, game = dict(said["provenance"]), said["id"], said["game"]
        return SessionInfo(name, game, source, said["time_source"], tuple(streams), SPACE, provenance)
    told = piece.meta.get("original_video")
    told = told if isinstance(told, dict) else {}
    provenance = {
        "format": "nitrogen_dataset",
        "actions": asked.actions,
        **{name: told[name] for name in ("video_id", "source", "url", "resolution") if name in told},
        **{name: piece.meta[name] for name in ("controller_type",) if name in piece.meta},
    }
    game = piece.meta.get("game")
    game = game if isinstance(game, str) and game else "unknown"
    return SessionInfo(video, game, source, "assumed", tuple(streams), SPACE, provenance)
