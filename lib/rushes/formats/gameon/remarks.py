r"""What has to be said of a session that GameOn recorded: what was assumed, what is missing, what cannot be known.

Example:
    >>> rate_of(60), rate_of("fast"), short(r"data\sessions\Doom_1\video.avi")
    (60.0, None, 'Doom_1/video.avi')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from rushes.formats.gameon.rows_read import FoundEvents
from rushes.formats.gameon.schema import Row
from rushes.model.findings import Problem

FPS: Final = 60.0
"""What the original takes where it says nothing."""
MOST_EVENTS: Final = 10_000
"""What the recorder keeps of a session; the oldest go first."""
BATCH: Final = 1000
"""Inputs that the recorder stores at once when it stops. A key without a name fails its batch and all behind it."""
NEAR: Final = 0.02
"""Part by which two rates may differ and be the same."""
_FASTEST_HZ: Final = 1000.0


def remarks(
    row: Row,
    stored: FoundEvents,
    lost: Mapping[str, int],
    *,
    where: str,
    count: int,
    fps: float,
    measured: bool,
) -> list[Problem]:
    """Say what had to be assumed, and what could not be read.

    Args:
        row: The row of `sessions`.
        stored: Its events.
        lost: Reason -> rows that are no events.
        where: What to call the session.
        count: Frames of its video.
        fps: Frames a second.
        measured: Whether the times of frames are.
    """
    said = [
        *_times(row, count=count, fps=fps, measured=measured),
        *_state(row, stored),
        (
            "key_without_name",
            lost["key_without_name"],
            "presses and releases of keys without a character, stored as NULL: which key is not known",
        ),
        (
            "sparse_motion",
            int((stored.events["kind"] == "move").sum()),
            "moves: the recorder keeps one only while it holds a multiple of ten inputs; the others stand in the next",
        ),
        (
            "unknown_inputs",
            sum(number for reason, number in lost.items() if reason.startswith(("unknown_", "value_", "time_"))),
            "rows of input_events that mean nothing; the ledger has the reasons",
        ),
        (
            "start_and_select_swapped",
            stored.swapped,
            "BTN_SELECT and BTN_START are read as START and BACK: the recorder's library takes them for each other",
        ),
        (
            "sticks_of_eight_bits",
            int(stored.byte_wide),
            "sticks from 0 to 255: taken as eight bits wide with their rest at 128",
        ),
    ]
    return [Problem(kind, where, number, sentence) for kind, number, sentence in said if number]


Said = Iterator[tuple[str, int, str]]


def _times(row: Row, *, count: int, fps: float, measured: bool) -> Said:
    offset = row["latency_offset_ms"]
    if isinstance(offset, int | float) and offset:
        yield "latency_offset", 1, f"{offset:g} ms were added to inputs as the recorder's owner guessed; they stay so"
    if measured:
        return
    text = (
        f"frame k is taken to stand at k / {fps:g} s: the recorder notes no times of frames, and starts video and "
        "inputs one after the other"
    )
    yield "assumed_times", count, text
    lasted = _lasted_s(row)
    if lasted is not None and abs(count / (lasted * fps) - 1) > NEAR:
        fast = "fast" if count < lasted * fps else "slow"
        text = (
            f"{count} frames of {lasted:.1f} s at {fps:g} a second: the video runs {fast}, by "
            f"{abs(lasted - count / fps):.1f} s at its end, and inputs drift away from it"
        )
        yield "video_and_clock_differ", 1, text


def _state(row: Row, stored: FoundEvents) -> Said:
    if row["status"] != "completed":
        yield "unfinished", 1, f"status {row['status']!r}: the recorder did not end this session"
    if not stored.offered:
        text = (
            "no input at all; the recorder writes inputs when it stops, and one that was killed or met a key without a "
            "name leaves none, so these frames are not idle: what was done on them is not known"
        )
        yield "without_events", 1, text


def rate_of(value: Any) -> float | None:
    """Read frames a second; None where it is no rate."""
    good = isinstance(value, int | float) and 0 < value <= _FASTEST_HZ
    return float(value) if good else None


def short(given: Any) -> str:
    """Name a file by the last two parts of its path."""
    return "/".join(str(given).replace("\\", "/").split("/")[-2:])


def _lasted_s(row: Row) -> float | None:
    """Give the seconds that a session lasted by its start and end, else by its duration."""
    try:
        lasted = (datetime.fromisoformat(row["end_time"]) - datetime.fromisoformat(row["start_time"])).total_seconds()
    except (TypeError, ValueError):
        lasted = row["duration_seconds"]
    return float(lasted) if isinstance(lasted, int | float) and lasted > 0 else None
