"""Every offset that was measured, a row each: the whole recording, its segments, its streams of sound.

Example:
    >>> whole = Offset("input_picture", ms=52.0, low_ms=48.0, high_ms=57.0, confidence=0.99, frames=1.6)
    >>> print(offsets_table(Measured(whole)).text.splitlines()[2].split()[:5])
    ['inputs,', 'pictures', 'all', '+52.0', '+48.0']
"""

from __future__ import annotations

from typing import Any, Final

from rushes.model.clock import NS
from rushes.preview.html import Html, table
from rushes.qa.alignment.measured import Measured, Offset

_BETWEEN: Final = {
    "input_picture": "inputs, pictures",
    "sound_picture": "sound, pictures",
    "input_sound": "inputs, sound",
}
_COLUMNS: Final = (
    "between", "of", "ms", "90 % interval", "frames", "drift, ppm", "90 % interval", "sure", "rests on, or why not",
)  # fmt: skip


def offsets_table(measured: Measured) -> Html:
    """Show what was measured, with intervals, confidence and what it rests on.

    Args:
        measured: The alignment of a recording.
    """
    rows = [_row("all", measured.offset)]
    if len(measured.segments) > 1:
        rows += [_row(f"{part.start_ns / NS:.0f} to {part.end_ns / NS:.0f} s", part) for part in measured.segments]
    rows += [_row(stream, offset) for stream, offset in measured.sounds]
    return table(_COLUMNS, rows, caption="Offsets: how much later than the first the second comes")


def _row(of: str, offset: Offset) -> list[Any]:
    between = _BETWEEN[offset.between]
    if offset.ms is None:
        return [between, of, "cannot tell", None, None, None, None, None, offset.reason]
    return [
        between,
        of,
        f"{offset.ms:+.1f}",
        _interval(offset.low_ms, offset.high_ms),
        None if offset.frames is None else f"{offset.frames:+.2f}",
        None if offset.drift_ppm is None else f"{offset.drift_ppm:+.1f}",
        _interval(offset.drift_low_ppm, offset.drift_high_ppm),
        f"{offset.confidence:.2f}",
        offset.rests_on,
    ]


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:+.1f} to {high:+.1f}"
