"""What the play becomes: a `reacture` set, an NPZ file, a plain film at the play's own rate and one with keys beside.

The plain film shows row k at k / rate, as a program does that knows nothing of times; a pause is not in it.

Example (a cell of the recipe):
    >>> def cell(run, take):
    ...     return write_exports(run, take.recording)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rushes.formats.base import convert
from rushes.formats.report import Report
from rushes.model.recording import Recording, Sessions
from rushes.notebook.provenance import size_bytes
from rushes.notebook.run import Run
from rushes.preview.html import Html, table
from rushes.preview.video import PreviewVideo, preview_video
from rushes.store.video import VideoInfo, write_video

SET: Final = "reacture"
ARRAYS: Final = "gameplay.npz"
FILM: Final = "gameplay.mp4"
PREVIEW: Final = "preview.mp4"
PREVIEW_S: Final = 20.0


@dataclass(frozen=True)
class Exports:
    """What was written.

    Attributes:
        reports: Output -> what the format says of it.
        film: The plain film.
        preview: The film with keys.
    """

    reports: Mapping[str, Report]
    film: VideoInfo
    preview: PreviewVideo

    @property
    def paths(self) -> dict[str, Path]:
        """Output -> where it is."""
        return {**{name: report.target for name, report in self.reports.items()}, FILM: self.film.path}

    def show(self) -> Html:
        """Show what each holds, keeps and loses, and how large it is."""
        rows = [
            [name, report.written["frames"], f"{size_bytes(report.target) / 1e6:.2f}", ", ".join(report.kept),
             ", ".join(report.lost) or "nothing"]
            for name, report in self.reports.items()
        ]  # fmt: skip
        film = f"{self.film.frames / max(self.film.duration_s, 1e-9):.4g} pictures a second"
        rows.append([FILM, self.film.frames, f"{self.film.size_bytes / 1e6:.2f}", f"frames (lossy), {film}",
                     "times, inputs, telemetry"])  # fmt: skip
        return table(["output", "frames", "MB", "keeps", "loses"], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def write_exports(run: Run, recording: Recording) -> Exports:
    """Write all of them.

    Args:
        run: With `size`, pixels a side.
        recording: The play.

    Raises:
        BadInputError: Play of which no control has a name in ReActure, or a size out of its range.
        StorageError: The disk is full.
    """
    size = int(run.parameters["size"])
    play = Sessions([recording], format="session")
    options = {SET: [f"size={size}"], ARRAYS: [f"size={size}"] if size else []}
    reports = {
        name: convert(play, run.path(name), format=form, options=options[name], progress=run.bar(f"writing {name}"))
        for name, form in ((SET, "reacture"), (ARRAYS, "npz"))
    }
    rate_hz = recording.rate_hz
    film = write_video(run.path(FILM), recording.frames(0, recording.frame_count), rate_hz=rate_hz)
    preview = preview_video(recording, run.path(PREVIEW), seconds=PREVIEW_S, rate_hz=rate_hz)
    return Exports(reports, film, preview)
