"""The player: a recording frame by frame in JupyterLab, with what was done on each, a timeline, marks and files.

It shows anything that can be opened: sessions, foreign files, episodes, labelled samples; two of them side by side.
Space plays, the arrow keys step, ? shows all shortcuts. At rest the picture is the source's own pixels. The slider
tries a correction before it is stored; marks become side facts that loaders and exports honour. `player_talk` says
what the page and the kernel tell each other; pictures are decoded and tables read beside the kernel, on threads that
go away.

Example (a cell of a notebook):
    >>> def cell(session, export):
    ...     return player(session, beside=export, frame=300)
    >>> from rushes.model.recording import Sessions
    >>> player(Sessions([], format="session"))
    Traceback (most recent call last):
    ...
    rushes.errors.BadInputError: session without a recording; accepted: at least one session. To mend it: open another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from rushes.errors import BadInputError
from rushes.model.findings import Finding
from rushes.store.facts import Fact
from rushes.store.pairing import MEASURED, MOST_MS, asked_delay
from rushes.widgets.esm import join, styles
from rushes.widgets.page_hearing import hear_page
from rushes.widgets.player_about import about_words, source_words, stored_words
from rushes.widgets.player_files import write_clip, write_still
from rushes.widgets.player_lines import Lines
from rushes.widgets.player_link import read_link
from rushes.widgets.player_marks import Marks
from rushes.widgets.player_pictures import Pictures
from rushes.widgets.player_places import check_beside
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_source import Given, Shown, open_shown
from rushes.widgets.player_speed import asked_speed
from rushes.widgets.player_talk import Talk

SAME_MS = 1e-6
"""So near, an offset that is tried is the one that is stored, with its drift."""


def player(
    source: Given,
    *,
    beside: Given | None = None,
    frame: int = 0,
    rate: float | None = None,
    offset: float | str | None = None,
    session: int | str = "",
    findings: Iterable[Finding] | None = None,
) -> Player:
    """Make a player; put it last in a cell.

    Args:
        source: A path that `open_any` reads, a link that a player made, a recording, an episode, sessions or samples.
        beside: A second one of these, which follows the first.
        frame: Where to begin.
        rate: Frames a second to play at, 1/100 to 64 times the recording's own; None for its own times.
        offset: ms by which inputs are moved later at first, or `measured` for the offset that is stored.
        session: Number or id of one of several sessions; `""` for the first.
        findings: What checks said (`rushes.qa.base.examine(...).findings`); None for what is stored.

    Returns:
        The player.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is of no format, or damaged.
        BadInputError: Nothing in it can be shown, or an option that cannot be.
    """
    link = read_link(source) if isinstance(source, str) else None
    if link is not None:
        source, frame, session = link.path, frame or link.frame, session or link.session
    shown = [open_shown(source, session)]
    if beside is not None:
        shown.append(open_shown(beside))
        check_beside(*shown)
    return Player(shown, frame=frame, rate=rate, offset=offset, findings=findings)


class Player(anywidget.AnyWidget):
    """A player.

    Attributes:
        frame: The frame that is looked at, from 0.
        playing: Whether it plays.
        speed: 1.0 is real time.
        offset_ms: By how much inputs are moved later, to try a correction.
        about: What the page was told at first, with what is stored now; see `player_about`.
        marks: The marks that hold.
        selection: [start, stop) of the frames that are selected, or None.

    Args:
        shown: One or two sources.
        frame: Where to begin.
        rate: Frames a second to play at.
        offset: ms, or `measured`.
        findings: In place of those that are stored.
    """

    _esm = join("player.js")
    _css = styles("player.css")
    frame = traitlets.Int(0).tag(sync=True)
    playing = traitlets.Bool(default_value=False).tag(sync=True)
    speed = traitlets.Float(1.0).tag(sync=True)
    offset_ms = traitlets.Float(0.0).tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    marks: Any = traitlets.List().tag(sync=True)
    selection = traitlets.List(traitlets.Int(), allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self,
        shown: list[Shown],
        *,
        frame: int = 0,
        rate: float | None = None,
        offset: float | str | None = None,
        findings: Iterable[Finding] | None = None,
    ) -> None:
        self._shown = shown
        speed = asked_speed(rate, shown[0].rate_hz)
        if not 0 <= frame < len(shown[0]):
            raise BadInputError(f"frame={frame}", accepts=f"0 to {len(shown[0]) - 1}", fix="leave frame out")
        offset_ms = float(asked_delay(shown[0].recording, str(offset))) if offset is not None else 0.0
        self._locks = [threading.RLock() for _ in shown]
        self._rows = [Rows(one) for one in shown]
        self._lines = Lines(self._rows[0], lock=self._locks[0])
        self._own_marks = Marks(shown[0])
        sources = []
        for one, lock in zip(shown, self._locks, strict=True):
            pictures = Pictures(one, lock=lock)
            sources.append(source_words(one, pictures))
            pictures.close()
        super().__init__(
            frame=frame,
            speed=speed,
            offset_ms=offset_ms,
            about=about_words(sources, self._rows[0], self._lines.lanes, findings),
            marks=self._own_marks.json(),
        )
        self._talk = Talk(self, rows=self._rows, lines=self._lines, locks=self._locks)
        hear_page(self, self._on_msg)

    @traitlets.validate("frame")
    def _inside(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), len(self._shown[0]) - 1)

    @traitlets.validate("offset_ms")
    def _possible(self, proposal: Any) -> float:
        value = float(proposal["value"])
        return min(max(value, -MOST_MS), MOST_MS) if value == value else 0.0  # noqa: PLR0124 - NaN

    @traitlets.validate("selection")
    def _ordered(self, proposal: Any) -> list[int] | None:
        """Keep a selection within the frames; one that is none is dropped."""
        value = proposal["value"]
        if value is None or len(value) != 2:  # noqa: PLR2004 - start and stop
            return None
        start, stop = max(value[0], 0), min(value[1], len(self._shown[0]))
        return [start, stop] if start < stop else None

    @property
    def delay_ms(self) -> float:
        """By how much inputs are moved: `offset_ms`, with the drift of the stored offset where it is that one."""
        stored = self._stored
        return stored if stored is not None and abs(float(stored) - self.offset_ms) < SAME_MS else self.offset_ms

    @cached_property
    def _stored(self) -> float | None:
        try:
            return asked_delay(self._shown[0].recording, MEASURED)
        except BadInputError:
            return None

    def go(self, frame: int) -> None:
        """Look at a frame.

        Args:
            frame: From 0.

        Raises:
            BadInputError: No such frame.
        """
        self._shown[0].place(frame)
        with self.hold_sync():  # as one: a page that stops must not tell the place that it played
            self.playing, self.frame = False, frame

    def mark(self, start: int, stop: int, *, valid: bool | None = None, label: Mapping[str, Any] | None = None) -> Fact:
        """Mark frames [start, stop) valid, invalid or with a label; see `rushes.widgets.player_marks`.

        Args:
            start: First frame.
            stop: Frame behind the last one.
            valid: Whether they can be used.
            label: `{"column": ..., "value": ...}` in place of `valid`.

        Raises:
            BadInputError: It cannot be marked, or not so.
        """
        fact = self._own_marks.mark(start, stop, valid=valid, label=label)
        self.marks = self._own_marks.json()
        return fact

    def unmark(self, mark: str) -> None:
        """Take a mark back.

        Args:
            mark: Its id.

        Raises:
            BadInputError: No such mark.
        """
        self._own_marks.unmark(mark)
        self.marks = self._own_marks.json()

    def save_offset(self, ms: float | None = None) -> Fact:
        """Store an offset for the whole session; `action_delay_ms="measured"` takes it from there.

        The page shows what is stored, and inputs as they were recorded again (`offset_ms` is 0).

        Args:
            ms: By how much inputs are moved later; None for what is tried now.

        Raises:
            BadInputError: It is no session of ours.
        """
        fact = self._own_marks.save_offset(self.offset_ms if ms is None else ms)
        self.__dict__.pop("_stored", None)
        self.about = {**self.about, **stored_words(self._shown[0])}
        self.offset_ms = 0.0
        return fact

    def clip(self, path: str | Path, start: int, stop: int) -> Path:
        """Write frames [start, stop) as an H.264 file with what was done beside them.

        Args:
            path: A new mp4 file.
            start: First frame.
            stop: Frame behind the last one.

        Raises:
            BadInputError: No such frames, or more than ten minutes.
            OccupiedError: The file exists.
        """
        with self._own_pictures() as pictures:
            return write_clip(self._rows[0], pictures, path, start=start, stop=stop, delay_ms=self.delay_ms)

    def still(self, path: str | Path, frame: int | None = None) -> Path:
        """Write one picture as a PNG file, as it is.

        Args:
            path: A new file.
            frame: Which one; None for the one that is looked at.

        Raises:
            BadInputError: No such frame.
            OccupiedError: The file exists.
        """
        with self._own_pictures() as pictures:
            return write_still(pictures, path, frame=self.frame if frame is None else frame)

    def link(self, frame: int | None = None) -> str:
        """Write a link to a frame, which `player` opens again.

        Args:
            frame: Which one; None for the one that is looked at.

        Raises:
            BadInputError: It was not opened from a path, or has no such frame.
        """
        number = self.frame if frame is None else frame
        self._shown[0].place(number)
        return self._shown[0].link(number)

    def _own_pictures(self) -> Pictures:
        return Pictures(self._shown[0], lock=self._locks[0])

    def _on_msg(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Hear what the page says; nothing that it says raises here."""
        self._talk.hear(content)

    def close(self) -> None:
        """Close it: no thread and no file stays."""
        talk = self.__dict__.get("_talk")
        if talk is not None:
            talk.close()
        super().close()

    def __repr__(self) -> str:
        names = " beside ".join(one.name for one in self._shown)
        return f"<Player of {names}: frame {self.frame} of {len(self._shown[0])}>"
