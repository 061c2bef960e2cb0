"""The player for a page that does not move: the same pictures, lanes and clips as files and figures, for reports.

What the player's page would be told is drawn by `rushes.preview` instead, so both say the same: findings, marks, what
was held, the offset that is tried. Nothing here needs a browser.

Example (cells of a notebook; `picture` and `video` are of `rushes.preview.html`):
    >>> def cells(session, run):
    ...     twin = player_twin(session, offset="measured")
    ...     picture(twin.sheet(run.path("player.png")))
    ...     return twin.timeline(), video(twin.clip(run.path("moment.mp4")))
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.preview.choose import evenly
from rushes.preview.figure import HouseFigure
from rushes.preview.player_sheet import Tile, player_sheet
from rushes.preview.timeline import timeline_plot
from rushes.store.pairing import asked_delay
from rushes.widgets.player_about import about_words
from rushes.widgets.player_files import note_of, write_clip
from rushes.widgets.player_lines import Lines
from rushes.widgets.player_link import read_link
from rushes.widgets.player_marks import Marks
from rushes.widgets.player_pictures import Pictures
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_source import Given, Shown, open_shown

Pixels = npt.NDArray[np.uint8]

PICTURES: Final = 6
CLIP_S: Final = 8.0
_COLUMNS_PX: Final = 1_500
_WORST: Final = ("error", "warning", "info")


def player_twin(
    source: Given,
    *,
    offset: float | str | None = None,
    session: int | str = "",
    findings: Iterable[Finding] | None = None,
) -> PlayerTwin:
    """Make the static twin of `rushes.widgets.player.player`.

    Args:
        source: A path that `open_any` reads, a link that a player made, a recording, an episode, sessions or samples.
        offset: ms by which inputs are moved later, or `measured` for the offset that is stored.
        session: Number or id of one of several sessions; `""` for the first.
        findings: What checks said; None for what is stored.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is of no format, or damaged.
        BadInputError: Nothing in it can be shown, or an option that cannot be.
    """
    link = read_link(source) if isinstance(source, str) else None
    if link is not None:
        source, session = link.path, session or link.session
    return PlayerTwin(open_shown(source, session), offset=offset, findings=findings)


class PlayerTwin:
    """What the player shows, without one.

    Args:
        shown: The source.
        offset: ms by which inputs are moved later, or `measured`.
        findings: In place of those that are stored.

    Attributes:
        shown: The source.
        delay_ms: By how much inputs are moved later.
    """

    def __init__(
        self, shown: Shown, *, offset: float | str | None = None, findings: Iterable[Finding] | None = None
    ) -> None:
        self.shown = shown
        self.delay_ms: float = asked_delay(shown.recording, str(offset)) if offset is not None else 0.0
        self._rows = Rows(shown)
        self._lines = Lines(self._rows)
        self._findings = None if findings is None else list(findings)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the page of a player would be told; see `player_about`."""
        return about_words([], self._rows, self._lines.lanes, self._findings)

    def sheet(self, path: str | Path | None = None, *, pictures: int = PICTURES) -> Pixels:
        """Lay out evenly spaced pictures, under each what was done.

        Args:
            path: Where to write it as a PNG file, new; None for nowhere.
            pictures: How many.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            BadInputError: A number below 1.
            OccupiedError: `path` exists.
        """
        if pictures < 1:
            raise BadInputError(f"pictures={pictures}", accepts="a whole number from 1", fix="leave pictures out")
        with Pictures(self.shown) as film:
            tiles = [self._tile(film, frame) for frame in evenly(len(self.shown), pictures)]
        return player_sheet(tiles, path, title=str(self.about["title"]), rest=self._offset_words())

    def timeline(self) -> HouseFigure:
        """Draw the whole timeline: segments, marks, findings, facts, and the lanes of the player."""
        from_ns, to_ns = int(self.shown.t_ns[0]), int(self.shown.ends_ns[-1])
        while self._lines.fill(from_ns, to_ns, _COLUMNS_PX):
            pass
        about = self.about
        return timeline_plot(
            self._lines.summary(from_ns, to_ns, _COLUMNS_PX, self.delay_ms),
            from_ns=from_ns,
            to_ns=to_ns,
            segments=about["segments"],
            marks=Marks(self.shown).json(),
            findings=about["findings"],
            facts=about["facts"],
            title=str(about["title"]),
            rest=self._offset_words(),
        )

    def clip(self, path: str | Path, start: int | None = None, stop: int | None = None) -> Path:
        """Write a short H.264 film with what was done beside its pictures.

        Args:
            path: A new mp4 file.
            start: First frame; None begins a second before the worst finding, without one in the middle.
            stop: Frame behind the last one; None for eight seconds.

        Raises:
            BadInputError: No such frames.
            OccupiedError: The file exists.
        """
        start = self._moment() if start is None else start
        if stop is None:
            start = min(max(start, 0), len(self.shown) - 1)
            stop = int(np.searchsorted(self.shown.t_ns, self.shown.t_ns[start] + CLIP_S * NS))
        with Pictures(self.shown) as film:
            return write_clip(self._rows, film, path, start=start, stop=stop, delay_ms=self.delay_ms)

    def _moment(self) -> int:
        """Choose where a clip begins: so that it has its whole length, where there is as much."""
        there = [one for one in self.about["findings"] if one["frame"] is not None]
        if there:
            worst = min(there, key=lambda one: _WORST.index(one["severity"]))
            begin = int(self.shown.t_ns[int(worst["frame"])]) - NS
        else:
            begin = int(self.shown.t_ns[len(self.shown) // 2] - CLIP_S * NS / 2)
        return self.shown.at(min(begin, int(self.shown.ends_ns[-1] - CLIP_S * NS)))

    def _tile(self, film: Pictures, frame: int) -> Tile:
        (row,) = self._rows.json(frame, frame + 1, self.delay_ms)
        stretch = self.shown.stretches[int(row["seg"])]
        note = note_of(self._rows, frame, row, stretch)
        return Tile(film.pixels(frame), note, frame, float(row["t"]), self._rows.controls, row["axes"])

    def _offset_words(self) -> str:
        stored = self.about["offset"]
        said = [f"inputs moved {float(self.delay_ms):+.1f} ms"] if self.delay_ms else []
        return ", ".join([*said, *([f"stored offset {stored['ms']:+.1f} ms"] if stored else [])])

    def __repr__(self) -> str:
        return f"<PlayerTwin of {self.shown.name}: {len(self.shown)} frames>"
