"""The proof that a recording of the synthetic world is what was planted in it: its frames, its inputs, their sums.

Every picture of that world carries the number of its tick, and the k-th input follows from the seed alone
(`rushes.capture.live_synthetic`). So whether something is missing, doubled or altered can be told from the session,
without having been there. Inputs that were made while the recording paused are skipped, and must be as many as the
ledger says.

Example (a session that the synthetic backend recorded in real time):
    >>> def cell(session):
    ...     return prove(session)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rushes.capture.live_synthetic import planted_event
from rushes.model.findings import Finding
from rushes.model.grid import to_grid
from rushes.model.readings import Event
from rushes.model.recording import Recording
from rushes.preview.html import Html, note, table
from rushes.worlds.synthetic import read_counter

_ALIKE: Final = 16
"""Inputs in a row that must fit before the sequence is taken up again behind a pause."""
_FARTHEST: Final = 40_000
"""How many inputs a pause may have taken away at least: 160 s of them."""
_COLUMNS: Final = ("device", "control", "kind", "value", "x", "y", "dx", "dy", "flag")
_Content = tuple[Any, ...]


@dataclass(frozen=True)
class Proof:
    """What was held against each other.

    Attributes:
        rows: One a statement: what, planted, found, whether they are equal.
        findings: An error for each statement that does not hold; one remark where all do.
    """

    rows: tuple[tuple[str, str, str, bool], ...]
    findings: tuple[Finding, ...]

    def show(self) -> Html:
        """Show the statements as a table, or say why there are none."""
        if not self.rows:
            return note("Nothing is known beforehand about play on a desktop; the limits below still hold.")
        rows = [[what, planted, found, "yes" if equal else "NO"] for what, planted, found, equal in self.rows]
        return table(["what", "planted", "in the session", "equal"], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def prove(recording: Recording) -> Proof:
    """Hold a recording against what was planted.

    Args:
        recording: Of any backend; only of the synthetic one in real time is anything known.
    """
    if dict(recording.info.source) != {"kind": "synthetic", "name": "live"}:
        return Proof((), ())
    seed = int(recording.info.provenance["seed"])
    rows = (*_frames(recording), *_inputs(recording, seed))
    wrong = [row for row in rows if not row[3]]
    session = recording.info.id
    findings = [
        Finding("planted.differs", "error", f"{what}: planted {planted}, in the session {found}", session)
        for what, planted, found, _ in wrong
    ]
    if not wrong:
        sentence = f"All {recording.frame_count:,} frames and all inputs are those that were planted"
        findings.append(Finding("planted.equal", "info", sentence, session))
    return Proof(rows, tuple(findings))


def _frames(recording: Recording) -> list[tuple[str, str, str, bool]]:
    index = recording.index()
    ticks = index["tick"].to_numpy(np.int64)
    numbers = np.array([read_counter(picture) for picture in recording.frames(0, recording.frame_count)], np.int64)
    right = int((numbers == ticks).sum()) if len(numbers) == len(ticks) else 0
    missing = sum(int((np.diff(part) - 1).sum()) for _, part in pd.Series(numbers).groupby(index["segment"].to_numpy()))
    said = int(index["dropped_before"].sum())
    return [
        ("frames whose picture carries the number of their tick", f"{len(ticks):,}", f"{right:,}", right == len(ticks)),
        (
            "numbers that are missing, and ticks that are said to be dropped",
            f"{missing:,}",
            f"{said:,}",
            missing == said,
        ),
    ]


def _inputs(recording: Recording, seed: int) -> list[tuple[str, str, str, bool]]:
    events = recording.events()
    events = events[(events["kind"] != "state") & (events["flag"] != "hotkey")]
    stored = [_content(row) for row in events[list(_COLUMNS)].itertuples(index=False, name=None)]
    places = match(stored, seed)
    right = sum(k >= 0 for k in places)
    found = [k for k in places if k >= 0]
    skipped = (found[-1] + 1 - len(found)) if found else 0
    account = recording.ledger.get("events")
    lost = sum(account.lost.values()) if account else 0
    planted = _planted_motion(recording, events["t_ns"].to_numpy(np.int64), places, seed)
    summed = _summed_motion(recording)
    return [
        (
            "inputs that are, one after the other, those of the seed",
            f"{len(stored):,}",
            f"{right:,}",
            right == len(stored),
        ),
        (
            "inputs between them that are not there, and that the ledger counts",
            f"{skipped:,}",
            f"{lost:,}",
            skipped <= lost,
        ),
        ("mouse motion, summed over the steps of all frames", _pair(planted), _pair(summed), planted == summed),
    ]


def match(stored: Sequence[_Content], seed: int) -> list[int]:
    """Find for each stored input which of the planted ones it is.

    Args:
        stored: What each holds beside its time: device, control, kind, value, x, y, dx, dy, flag.
        seed: Of the hand.

    Returns:
        Numbers of the planted inputs, rising; -1 for an input that fits nowhere.
    """
    places: list[int] = []
    following = 0
    for number, content in enumerate(stored):
        place = following
        if content != _content(planted_event(seed, following)[1:]):
            ahead = stored[number : number + _ALIKE]
            reach = range(following + 1, following + 1 + max(_FARTHEST, len(stored)))
            place = next((k for k in reach if _fits(ahead, seed, k)), -1)
        places.append(place)
        if place >= 0:
            following = place + 1
    return places


def _fits(ahead: Sequence[_Content], seed: int, j: int) -> bool:
    return all(content == _content(planted_event(seed, j + i)[1:]) for i, content in enumerate(ahead))


def _content(values: Sequence[Any]) -> _Content:
    return tuple(None if v is None or v != v else v for v in values)  # noqa: PLR0124 - NaN stands for none


def _planted_motion(recording: Recording, t_ns: Any, places: Sequence[int], seed: int) -> tuple[float, float]:
    inside = np.zeros(len(t_ns), bool)
    for segment in recording.segments:
        inside |= (t_ns >= segment.start_ns) & (t_ns < segment.end_ns)
    moves: list[Event] = [planted_event(seed, k) for k, here in zip(places, inside, strict=True) if here and k >= 0]
    return sum(e.dx or 0.0 for e in moves), sum(e.dy or 0.0 for e in moves)


def _summed_motion(recording: Recording) -> tuple[float, float]:
    total = {"MouseDX": 0.0, "MouseDY": 0.0}
    for segment in recording.segments:
        times = recording.index(segment.index)["t_ns"].to_numpy(np.int64)
        grid = to_grid(recording.events(segment.index), times, end_ns=segment.end_ns)
        for name in total:
            total[name] += float(np.sum(grid.motion.get(name, 0.0)))
    return total["MouseDX"], total["MouseDY"]


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:+,.0f}, {pair[1]:+,.0f}"
