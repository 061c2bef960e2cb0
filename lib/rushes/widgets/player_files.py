"""What a player gives away: a clip with what was done beside its pictures, and one picture as a file.

A clip runs at real speed, at the recording's rate up to 60 Hz, with the sound of the stream `system`, or the first;
what lies between two segments is left out.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def first_second(path, target):
    ...     rows = Rows(open_shown(path))
    ...     return write_clip(rows, Pictures(rows.shown), target, start=0, stop=30)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.preview.notes import NO_ACTION, Bar, Note, Widget, episode_number
from rushes.preview.overlay import HEIGHT_PX, fit_scale, overlay
from rushes.store.atomic import new_file
from rushes.store.hearing import choose_stream
from rushes.store.video import write_video
from rushes.store.video_sound import Track
from rushes.widgets.player_hearing import LONGEST_S as PIECE_S
from rushes.widgets.player_hearing import Hearing
from rushes.widgets.player_pictures import Pictures
from rushes.widgets.player_rows import MOST, Rows
from rushes.widgets.player_source import Shown, Stretch

Pixels = npt.NDArray[np.uint8]
Parts = list[tuple[Stretch, int, int]]
"""Stretches, each with the first of its frames that is shown and the one behind the last."""

FASTEST_HZ: Final = 60.0
LONGEST_S: Final = 600.0
_SLOWEST_HZ: Final = 1.0
_ANY_HZ: Final = 30.0
_EARLY: Final = 0.25  # of a picture's time: rounding never shows the picture before
_NAME: Final = re.compile(r"[^\w.-]+")


def write_clip(
    rows: Rows, pictures: Pictures, path: str | Path, *, start: int, stop: int, delay_ms: float = 0.0
) -> Path:
    """Write frames as an H.264 file, each with what was done beside it.

    Args:
        rows: What was done.
        pictures: The pictures.
        path: A new mp4 file.
        start: First frame.
        stop: Frame behind the last one.
        delay_ms: Moves inputs later by ms.

    Raises:
        BadInputError: No such frames, or more than ten minutes.
        OccupiedError: The file exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    shown = rows.shown
    if not 0 <= start < stop <= len(shown):
        raise BadInputError(
            f"a clip of frames {start} to {stop}", accepts=f"0 to {len(shown)}, the second behind the first",
            fix="choose at least one frame",
        )  # fmt: skip
    parts = [
        (stretch, max(start, stretch.start), min(stop, stretch.stop))
        for stretch in shown.stretches
        if max(start, stretch.start) < min(stop, stretch.stop)
    ]
    seconds = sum(int(shown.ends_ns[last - 1] - shown.t_ns[first]) for _, first, last in parts) / NS
    if seconds > LONGEST_S:
        raise BadInputError(
            f"a clip of {seconds:.0f} s", accepts=f"up to {LONGEST_S:.0f} s", fix="choose a shorter stretch"
        )
    rate = min(max(shown.rate_hz or _ANY_HZ, _SLOWEST_HZ), FASTEST_HZ)
    film, sound = _film(rows, pictures, parts, rate, delay_ms), _track(pictures, shown, parts, rate)
    write_video(path, film, rate_hz=rate, sound=sound)
    return Path(path)


def write_still(pictures: Pictures, path: str | Path, *, frame: int) -> Path:
    """Write one picture as a PNG file, as it is.

    Args:
        pictures: The pictures.
        path: A new file.
        frame: Which one.

    Raises:
        BadInputError: No such frame.
        OccupiedError: The file exists.
    """
    data = pictures.picture(frame, exact=True).data
    with new_file(Path(path)) as partial:
        partial.write_bytes(data)
    return Path(path)


def file_name(shown: Shown, what: str, end: str) -> str:
    """Make a name for a file of a source: `Synthetic_0000120-0000180.mp4`."""
    return f"{_NAME.sub('_', shown.recording.info.id).strip('_') or 'frames'}_{what}.{end}"


def _film(rows: Rows, pictures: Pictures, parts: Parts, rate: float, delay_ms: float) -> Iterator[Pixels]:
    field: tuple[int, int] | None = None
    for stretch, first, stop in parts:
        t_ns = rows.shown.t_ns[first:stop]
        count = _count(rows.shown, first, stop, rate)
        wanted = np.searchsorted(t_ns - t_ns[0], (np.arange(count) + _EARLY) / rate * NS, side="right") - 1
        repeats = np.bincount(np.maximum(wanted, 0), minlength=stop - first)
        for block in range(first, stop, MOST):
            some = rows.json(block, min(block + MOST, stop), delay_ms)
            for frame, row in enumerate(some, block):
                if not repeats[frame - first]:
                    continue
                pixels = pictures.pixels(frame)
                field = field or _field(pixels)
                picture = overlay(pixels, note_of(rows, frame, row, stretch), size=field)
                for _ in range(int(repeats[frame - first])):
                    yield picture


def _count(shown: Shown, first: int, stop: int, rate: float) -> int:
    """Count the pictures of a film of frames [first, stop)."""
    return max(1, round((int(shown.ends_ns[stop - 1]) - int(shown.t_ns[first])) / NS * rate))


def _track(pictures: Pictures, shown: Shown, parts: Parts, rate: float) -> Track | None:
    streams = shown.recording.sound_streams if shown.samples is None else ()
    name = choose_stream(stream.name for stream in streams)
    if name is None:
        return None
    hearing = Hearing(shown, lock=pictures.lock)

    def pieces() -> Iterator[npt.NDArray[np.int16]]:
        for _, first, stop in parts:
            start = int(shown.t_ns[first])
            end = start + round(_count(shown, first, stop, rate) / rate * NS)
            for at in range(start, end, PIECE_S * NS):
                yield hearing.piece(name, at, min(at + PIECE_S * NS, end))

    return Track(hearing.rate_hz(name), pieces())


def _field(pixels: Pixels) -> tuple[int, int]:
    """Choose the place for pictures by the first: as large as it is shown."""
    height, width = pixels.shape[:2]
    scale = fit_scale(height, width)
    size = (height * scale, width * scale) if scale > 0 else (height // -scale, width // -scale)
    return max(HEIGHT_PX, size[0]), size[1]


def note_of(rows: Rows, frame: int, row: Mapping[str, Any], stretch: Stretch) -> Note:
    """Say beside a picture what its row says.

    Args:
        rows: The rows.
        frame: Of the player.
        row: Its row.
        stretch: Where it lies.
    """
    info = rows.shown.recording.info
    names = tuple(name.rpartition("/")[2] for name in info.action_space.names)
    widget: Widget = "keys"
    if row["action"] is not None:
        emulator = bool(names) and info.action_space.names[0].startswith("ALE/")
        widget = "pad" if emulator else "choices" if info.action_space.kind == "discrete" else "bars"
    down = frozenset(name.rpartition("/")[2] if widget == "pad" else name for name in row["down"])
    moved = dict(zip(("MouseDX", "MouseDY"), row["mouse"] or (), strict=False))
    numbers = row["axes"] if widget == "bars" else {name: value for name, value in moved.items() if value}
    reach = max([1.0, *(abs(value) for value in numbers.values())])
    action = row["action"] or " + ".join(row["down"]) or ("mouse" if moved else NO_ACTION)
    return Note(
        info.game, episode_number(stretch.segment) if stretch.segment else 0, frame - stretch.start,
        stretch.stop - stretch.start, float(row["t"]) - stretch.start_ns / NS, widget, str(action), down,
        names if widget == "choices" else (),
        tuple(Bar(name, float(value), -reach, reach) for name, value in numbers.items()),
        row["reward"], row["score"], row["lives"], end=str(row["note"]),
    )  # fmt: skip
