"""What the recipe looks at: a recorded play, the planted one, or one that a script has just played; and how it ran.

Example (cells of the recipe):
    >>> def cells(run):
    ...     take = open_play(run)
    ...     return rates_table(take.recording)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.notebook.alignment.examined import Take, take_of
from rushes.notebook.browser_10hz.demo import play_demo
from rushes.notebook.browser_10hz.sample import rescue_source
from rushes.notebook.run import Run
from rushes.preview.html import Html, table
from rushes.preview.timing import lateness_ms

RULE: Final = "alignment.offset"
_MS: Final = 1e6


def open_play(run: Run) -> Take:
    """Open what the parameters name: `source`, else a scripted play where one is asked for, else the planted session.

    Args:
        run: With `source`, `scripted`, `seconds`, `seed`, `planted_ms`.

    Raises:
        BadInputError: A source and a scripted play at once, or a path without a frame.
        UnavailableError: A scripted play where there is no browser.
    """
    given = run.parameters
    source, scripted = str(given["source"]), bool(given["scripted"])
    if source and scripted:
        raise BadInputError(
            "source and scripted = True together", accepts="one of the two", fix="leave source empty to play the demo"
        )
    path = Path(source) if source else _made(run)
    sessions = open_any(run.input(path))
    recordings = [recording for recording in sessions if recording.frame_count]
    if not recordings:
        raise BadInputError(
            f"{path} without a frame", accepts="a play with pictures", fix="`rushes info PATH` says what is there"
        )
    return take_of(sessions, recordings[0], {} if source or scripted else {RULE: float(given["planted_ms"])})


def _made(run: Run) -> Path:
    given = run.parameters
    seconds, seed = float(given["seconds"]), int(given["seed"])
    if given["scripted"]:
        return play_demo(run.path("session"), seconds=seconds, seed=seed)
    return rescue_source(
        run.name, seconds=seconds, seed=seed, offset_ms=float(given["planted_ms"]), progress=run.bar("making a session")
    )


def rates_table(recording: Recording) -> Html:
    """Show how each stretch ran: rate, jitter, gaps, what was dropped, why it ended."""
    rows: list[list[Any]] = []
    for segment in recording.segments:
        index = recording.index(segment.index)
        times = index["t_ns"].to_numpy(np.int64)
        between = np.diff(times) / _MS
        late = lateness_ms(times, index["tick"], rate_hz=recording.rate_hz)
        dropped = int(index["dropped_before"].sum())
        rows.append(
            [
                segment.index, f"{(segment.start_ns - recording.segments[0].start_ns) / NS:.2f}",
                f"{segment.duration_s:.2f}", segment.frames, f"{segment.frames / max(segment.duration_s, 1e-9):.2f}",
                _said(between, np.median), _said(between, np.std), _said(late, lambda v: np.percentile(v, 99)),
                _said(between, np.max), dropped, segment.end_reason or "unknown",
            ]
        )  # fmt: skip
    columns = ["segment", "begins, s", "length, s", "frames", "Hz", "interval, ms", "jitter, ms", "99 % late by, ms",
               "longest, ms", "dropped", "ended by"]  # fmt: skip
    caption = "interval: the median time from frame to frame; jitter: its standard deviation; late: behind its tick"
    return table(columns, rows, caption=caption)


def _said(values: Any, of: Any) -> str | None:
    return f"{float(of(values)):.1f}" if len(values) else None
