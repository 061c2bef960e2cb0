"""Inputs beside the pictures that answer them: from the stamp to the frame in which the measured offset says it shows.

So an offset can be seen and not only read. Of all inputs those are taken that stand alone and that the picture answers
most clearly: little changes before the answering frame, and much in it. The strips show the part that changes most.

Example (a recording with frames and events, and its measured offset):
    >>> def look(recording, offset):
    ...     return answers(recording, clearest(recording, offset))
    >>> rows, columns = part((180, 320), (0.0, 1.0))
    >>> (rows.start, rows.stop), (columns.start, columns.stop)
    ((90, 180), (0, 160))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.preview.choose import evenly
from rushes.preview.html import Html, Shown, note
from rushes.preview.qa_damage import or_why
from rushes.preview.qa_stretch import Stretch, pixels_of
from rushes.preview.sample_sheet import Cell, Line, Row, paint, shown
from rushes.preview.style import GREEN, INK, MUTED, ORANGE
from rushes.qa.alignment.measured import Offset

CANDIDATES: Final = 16
"""Inputs that are looked at, evenly spread."""
SHOWN: Final = 2
_PICTURES: Final = 5
_REST_NS: Final = 250_000_000
_SMALL: Final = (90, 160)
_BLOCKS: Final = (9, 16)
_FARTHEST: Final = 40
_BEFORE: Final = 2
_MS: Final = 1e6


@dataclass(frozen=True)
class Answered:
    """An input with the frame that answers it.

    Attributes:
        control: What was pressed, or `Mouse`.
        t_ns: Its stamp, ns since session start.
        stamped: The first frame at or after the stamp.
        answered: The first frame at or after stamp and offset.
        clear: How much more changes in that frame than in those before, levels of 255.
        at: (right, down), 0 to 1, where it changes most.
    """

    control: str
    t_ns: int
    stamped: int
    answered: int
    clear: float
    at: tuple[float, float]


def clearest(recording: Recording, offset: Offset, *, most: int = SHOWN) -> tuple[Answered, ...]:
    """Choose inputs that the picture answers clearly.

    Args:
        recording: With frames and events.
        offset: Inputs against pictures, measured.
        most: How many at the most.

    Returns:
        The clearest first; none where the offset is not known, and none of an environment, whose actions have no stamp.
    """
    if offset.ms is None or recording.is_environment:
        return ()
    try:
        takes_ns = round((offset.ms + offset.game_latency_ms) * _MS)
        return tuple(sorted(_found(recording, takes_ns), key=lambda one: -one.clear)[:most])
    except (RushesError, OSError):  # damaged: `answers` says that there is none, the checks say why
        return ()


def _found(recording: Recording, shift_ns: int) -> Iterator[Answered]:
    """Yield inputs that stand alone, with the frames that answer them."""
    events, index = recording.events(), recording.index()
    t_ns, numbers = index["t_ns"].to_numpy(np.int64), index["frame_index"].to_numpy(np.int64)
    segments = index["segment"].to_numpy()
    kinds, controls = events["kind"].to_numpy(), events["control"].to_numpy()
    for stamp, control in _alone(events["t_ns"].to_numpy(np.int64), kinds, controls):
        stamped, answered = np.searchsorted(t_ns, [stamp, stamp + shift_ns]).tolist()
        low, high = min(stamped, answered) - _BEFORE, max(stamped, answered) + 1
        if low < 0 or high >= len(t_ns) or high - low > _FARTHEST or segments[low] != segments[high]:
            continue
        changes = _changes(recording, int(numbers[low]), int(numbers[answered]) + 1)
        levels = changes.reshape(len(changes), -1).max(axis=1)
        clear = float(levels[-1] - (levels[:-1].max() if len(levels) > 1 else 0.0))
        down, right = np.unravel_index(int(changes[-1].argmax()), _BLOCKS)
        at = ((float(right) + 0.5) / _BLOCKS[1], (float(down) + 0.5) / _BLOCKS[0])
        yield Answered(control, stamp, int(numbers[stamped]), int(numbers[answered]), clear, at)


@or_why
def answers(
    recording: Recording, inputs: Sequence[Answered], *, at_ms: float | None = None, latency_ms: float = 0.0
) -> Shown | Html:
    """Show inputs from the frame of their stamp to the frame that answers them.

    Args:
        recording: What they are of.
        inputs: What `clearest` chose.
        at_ms: Mark the frame that would answer at this offset; None takes the measured one.
        latency_ms: What the game itself takes, which such an offset leaves out.
    """
    if recording.is_environment:
        return note("Actions of an environment have no stamp of their own: each is done on its frame.")
    if not inputs:
        return note("No input can be shown beside its picture: no offset, or no input that stands alone.")
    says = "answers" if at_ms is None else f"at {at_ms:+.0f} ms"
    rows = []
    for one in inputs:
        stretch = Stretch.around(recording, one.stamped)
        answered = one.answered if at_ms is None else stretch.first_from(one.t_ns + round((at_ms + latency_ms) * _MS))
        wanted, cells = _wanted(one.stamped, answered, stretch), []
        for k, pixels in zip(wanted, pixels_of(recording, wanted), strict=True):
            after_ms = (stretch.time_ns(k) - one.t_ns) / _MS
            lines = [Line(f"frame {k:,}", INK), Line(f"{after_ms:+.0f} ms", MUTED)]
            lines += [Line("stamped before this", ORANGE, bold=True)] if k == one.stamped else []
            lines += [Line(says, GREEN, bold=True)] if k == answered else []
            frame = GREEN if k == answered else ORANGE if k == one.stamped else ""
            cells.append(Cell(np.ascontiguousarray(pixels[part(pixels.shape[:2], one.at)]), tuple(lines), frame=frame))
        said = (f"stamped at {one.t_ns / NS:.3f} s", "times are since the stamp")
        rows.append(Row(one.control, said, tuple(cells)))
    alt = f"{len(rows)} inputs, each from the frame of its stamp to the frame that answers"
    rest = "the quarter of the picture that changes most; frames between may be left out"
    return shown(paint("Inputs and the pictures that answer", rest, rows), alt=alt)


def part(size: tuple[int, ...], at: tuple[float, float]) -> tuple[slice, slice]:
    """Choose half of the height and of the width around a place, inside the picture.

    Args:
        size: (height, width) px.
        at: (right, down), 0 to 1.
    """
    found = []
    for whole, middle in zip(size, reversed(at), strict=True):
        half = whole // 2
        start = int(np.clip(round(middle * whole - half / 2), 0, whole - half))
        found.append(slice(start, start + half))
    return found[0], found[1]


def _wanted(stamped: int, answered: int, stretch: Stretch) -> list[int]:
    """Choose the frames of a strip: one before the stamp, stamp, answer, those beside it, evenly what fits between."""
    must = {stamped, answered, answered - 1, answered + 1, stamped - 1}
    inside = sorted(k for k in must if stretch.first <= k < stretch.stop)
    between = [k for k in range(inside[0], inside[-1] + 1) if k not in must]
    room = max(0, _PICTURES - len(inside))
    return sorted([*inside, *(between[i] for i in evenly(len(between), room))] if room and between else inside)


def _alone(t_ns: npt.NDArray[np.int64], kinds: npt.NDArray[Any], controls: npt.NDArray[Any]) -> list[tuple[int, str]]:
    """Choose presses before which hands rest, else movements, else any press: (stamp, control), evenly spread."""
    edge = np.isin(kinds, ["press", "release"])
    rested = np.zeros(len(t_ns), bool)
    rested[edge] = np.diff(t_ns[edge], prepend=t_ns[:1] - 2 * _REST_NS) > _REST_NS
    moved = (kinds == "move") & (np.diff(t_ns, prepend=t_ns[:1] - 2 * _REST_NS) > _REST_NS)
    pressed = kinds == "press"
    chosen = next((np.flatnonzero(some) for some in (pressed & rested, moved, pressed) if some.any()), np.zeros(0, int))
    return [(int(t_ns[chosen[i]]), str(controls[chosen[i]])) for i in evenly(len(chosen), CANDIDATES)]


def _changes(recording: Recording, start: int, stop: int) -> npt.NDArray[np.float32]:
    """Tell how much each block differs from the frame before: (stop - start - 1, 9, 16) levels of 255."""
    before, found = None, []
    for pixels in pixels_of(recording, list(range(start, stop))):
        small = cv2.resize(pixels, _SMALL[::-1], interpolation=cv2.INTER_AREA)
        if before is not None:
            differs = cv2.absdiff(small, before).max(axis=2).astype(np.float32)
            found.append(cv2.resize(differs, _BLOCKS[::-1], interpolation=cv2.INTER_AREA))
        before = small
    return np.asarray(found, np.float32)
