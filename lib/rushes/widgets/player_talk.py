"""What the page of a player and the kernel tell each other. A bad message is refused in words and never raises.

The page asks: `frames` (a ticket and up to 32 numbers in the order in which they will be shown), `rows`, `lines`,
`sound`, `next`, `match`, `clip`, `still`, `link`; and says `mark`, `unmark`, `offset`, `save_offset`. The kernel
answers with the same names under `is`; pictures, sound and files are buffers. An answer may come in parts: pictures as
they are decoded, lines again as more of the sound is known. A newer ticket drops what an older one asked for. What a
page sets (a state) waits while the kernel is busy and what it says does not: what belongs together is said.

Each source's pictures, the tables, the sound and the files have a thread of their own, so that none waits.

Example (of a player's `_on_msg`):
    >>> def hear(talk, content):
    ...     talk.hear(content)  # {"do": "rows", "source": 0, "start": 0, "stop": 256}
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, Final, Protocol

from rushes.errors import BadInputError, RushesError
from rushes.store.facts import Fact
from rushes.widgets.player_asked import frames_asked, mark_asked, offset_asked, whole
from rushes.widgets.player_files import file_name, write_clip
from rushes.widgets.player_hearing import Hearing
from rushes.widgets.player_lines import Lines
from rushes.widgets.player_pictures import Pictures
from rushes.widgets.player_places import is_by_number, match, next_place
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_work import Worker
from rushes.widgets.reel import Encoded

TOGETHER: Final = 4
"""Pictures a message; the first one goes alone."""
FILL_S: Final = 0.2
"""How long sound is summed up before the lines are sent again."""


class Widget(Protocol):
    """What is talked for; `rushes.widgets.player.Player` is one."""

    about: Any
    marks: Any
    offset_ms: Any

    @property
    def delay_ms(self) -> float:
        """By how much inputs are moved."""

    def send(self, content: Any, buffers: Any = None) -> None:
        """Tell the page."""

    def mark(self, start: int, stop: int, *, valid: bool | None = None, label: Mapping[str, Any] | None = None) -> Fact:
        """Mark frames."""

    def unmark(self, mark: str) -> None:
        """Take a mark back."""

    def save_offset(self, ms: float | None = None) -> Fact:
        """Store an offset."""

    def link(self, frame: int | None = None) -> str:
        """Write a link."""


class Talk:
    """The kernel's side.

    Args:
        widget: The player.
        rows: Of its one or two sources.
        lines: Of the first.
        locks: Held while a source's recording is read.
    """

    def __init__(self, widget: Widget, *, rows: Sequence[Rows], lines: Lines, locks: Sequence[RLock]) -> None:
        self._widget, self._rows, self._lines = widget, rows, lines
        self._pictures = [Pictures(one.shown, lock=lock) for one, lock in zip(rows, locks, strict=True)]
        self._others = Pictures(rows[0].shown, lock=locks[0])
        self._hearing = Hearing(rows[0].shown, lock=locks[0])
        self._ticket = self._asked = 0
        self._decoding = [Worker("player-pictures", rest=one.close) for one in self._pictures]
        self._reading = Worker("player-tables", rest=lambda: None)
        self._listening = Worker("player-sound", rest=self._hearing.rest)
        self._making = Worker("player-files", rest=self._others.close)
        self._hears: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "frames": self._frames,
            "rows": self._rows_of,
            "lines": self._lines_of,
            "sound": self._sound,
            "next": self._next,
            "match": self._match,
            "mark": self._mark,
            "unmark": self._unmark,
            "offset": self._offset,
            "save_offset": self._offset,
            "clip": self._clip,
            "still": self._still,
            "link": self._link,
        }

    def hear(self, content: Any) -> None:
        """Do what the page asks."""

        def do() -> None:
            asked = content.get("do") if isinstance(content, Mapping) else None
            if not isinstance(asked, str) or asked not in self._hears:
                raise BadInputError(f"message {asked!r}", accepts=", ".join(self._hears), fix="reload the page")
            self._hears[asked](content)

        self._try(do, content)

    def _try(self, job: Callable[[], None], content: Any) -> None:
        """Do something; what goes wrong is said to the page."""
        try:
            job()
        except Exception as error:  # noqa: BLE001 - a page must not end the kernel's thread, and a person has to see it
            self._excuse(content, error)

    def _excuse(self, content: Any, error: Exception, **where: int) -> None:
        asked = content.get("do") if isinstance(content, Mapping) else None
        said = {"given": f"{type(error).__name__}: {error}", "accepts": "what was opened", "fix": "open it again"}
        if isinstance(error, RushesError):
            said = {"given": error.given, "accepts": error.accepts, "fix": error.fix}
        self._widget.send({"is": "refused", "to": str(asked), **said, **where})

    def _later(self, worker: Worker, content: Any, job: Callable[[], None]) -> None:
        worker.put(lambda: self._try(job, content))

    # Pictures, rows, lines

    def _frames(self, content: Mapping[str, Any]) -> None:
        ticket, source = whole(content, "ticket", 0), self._source(content)
        wanted, exact = frames_asked(content), bool(content.get("exact"))
        self._ticket = max(self._ticket, ticket)
        self._later(self._decoding[source], content, lambda: self._decode(source, wanted, ticket=ticket, exact=exact))

    def _decode(self, source: int, numbers: list[int], *, ticket: int, exact: bool) -> None:
        ready: list[int] = []
        made: list[Encoded] = []

        def give() -> None:
            types = [one.type for one in made]
            about = {"is": "frames", "ticket": ticket, "source": source, "numbers": list(ready), "types": types}
            self._widget.send(about, [one.data for one in made])
            ready.clear()
            made.clear()

        for place, number in enumerate(numbers):
            if ticket < self._ticket:
                self._widget.send({"is": "dropped", "ticket": self._ticket})
                break
            try:
                made.append(self._pictures[source].picture(number, exact=exact))
            except (RushesError, OSError) as error:
                self._excuse({"do": "frames"}, error, source=source, number=number)
                continue
            ready.append(number)
            if len(ready) == TOGETHER or not place:
                give()
        if ready:
            give()

    def _rows_of(self, content: Mapping[str, Any]) -> None:
        source, start, stop = self._source(content), whole(content, "start"), whole(content, "stop")

        def read() -> None:
            given = self._rows[source].json(start, stop, 0.0 if source else self._widget.delay_ms)
            self._widget.send({"is": "rows", "source": source, "start": start, "stop": stop, "rows": given})

        self._later(self._reading, content, read)

    def _lines_of(self, content: Mapping[str, Any]) -> None:
        ticket, px = whole(content, "ticket", 0), whole(content, "px")
        from_ns, to_ns = whole(content, "from_ns"), whole(content, "to_ns")
        self._asked += 1
        number = self._asked

        def read() -> None:
            if number != self._asked:
                return
            lanes = self._lines.summary(from_ns, to_ns, px, self._widget.delay_ms)
            about = {"is": "lines", "ticket": ticket, "from_ns": from_ns, "to_ns": to_ns, "px": px, "lanes": lanes}
            self._widget.send(about)
            self._later(self._reading, content, fill)

        def fill() -> None:
            until, is_more = time.monotonic() + FILL_S, False
            while number == self._asked and self._lines.fill(from_ns, to_ns, px):
                is_more = True
                if time.monotonic() > until or self._reading.waiting:
                    break
            if is_more:
                self._later(self._reading, content, read)

        self._later(self._reading, content, read)

    def _sound(self, content: Mapping[str, Any]) -> None:
        self._later(self._listening, content, lambda: self._widget.send(*self._hearing.answer(content)))

    # Places

    def _next(self, content: Mapping[str, Any]) -> None:
        kind, frame, direction = str(content.get("kind")), whole(content, "frame"), whole(content, "direction", 1)

        def find() -> None:
            given = {"about": self._widget.about, "marks": self._widget.marks, "delay_ms": self._widget.delay_ms}
            found = next_place(kind, frame, direction, rows=self._rows[0], **given)
            if found.frame is None:
                self._say(found.why)
            else:
                self._widget.send({"is": "frame", "frame": found.frame, "why": found.why})

        self._later(self._reading, content, find)

    def _match(self, content: Mapping[str, Any]) -> None:
        frame = whole(content, "frame")
        if len(self._rows) == 1:
            raise BadInputError("a match in a second source", accepts="two sources", fix="pass beside= to player()")

        def find() -> None:
            first, second = self._rows[0].shown, self._rows[1].shown
            found, by = match(first, frame, second), "number" if is_by_number(first, second) else "time"
            self._widget.send({"is": "frame", "source": 1, "frame": found, "of": frame, "by": by, "why": "match"})

        self._later(self._reading, content, find)

    # Marks

    def _mark(self, content: Mapping[str, Any]) -> None:
        self._widget.mark(whole(content, "start"), whole(content, "stop"), **mark_asked(content))

    def _unmark(self, content: Mapping[str, Any]) -> None:
        self._widget.unmark(str(content.get("id")))

    def _offset(self, content: Mapping[str, Any]) -> None:
        ms = offset_asked(content)
        if content["do"] == "save_offset":
            self._widget.save_offset(ms)
            moved = f"inputs {abs(ms):g} ms {'later' if ms >= 0 else 'earlier'}"
            self._say(f"stored: {moved}; action_delay_ms=measured takes it")
        else:
            self._widget.offset_ms = ms
        self._widget.send({"is": "offset", "ticket": whole(content, "ticket", 0), "ms": self._widget.offset_ms})

    # Files

    def _clip(self, content: Mapping[str, Any]) -> None:
        start, stop = whole(content, "start"), whole(content, "stop")
        rows, delay_ms = self._rows[0], self._widget.delay_ms

        def make() -> None:
            with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
                path = Path(folder) / "clip.mp4"
                write_clip(rows, self._others, path, start=start, stop=stop, delay_ms=delay_ms)
                self._give(file_name(rows.shown, f"{start}-{stop}", "mp4"), "video/mp4", path.read_bytes())

        self._later(self._making, content, make)

    def _still(self, content: Mapping[str, Any]) -> None:
        frame = whole(content, "frame")

        def make() -> None:
            data = self._others.picture(frame, exact=True).data
            self._give(file_name(self._rows[0].shown, str(frame), "png"), "image/png", data)

        self._later(self._making, content, make)

    def _link(self, content: Mapping[str, Any]) -> None:
        link = self._widget.link(whole(content, "frame"))
        self._widget.send({"is": "said", "text": link, "tone": "ok", "link": link})

    def _give(self, name: str, kind: str, data: bytes) -> None:
        self._widget.send({"is": "file", "name": name, "type": kind}, [data])

    def _say(self, text: str) -> None:
        self._widget.send({"is": "said", "text": text, "tone": "ok"})

    def _source(self, content: Mapping[str, Any]) -> int:
        source = whole(content, "source", 0)
        if not 0 <= source < len(self._rows):
            raise BadInputError(f"source {source}", accepts=f"0 to {len(self._rows) - 1}", fix="reload the page")
        return source

    @property
    def _workers(self) -> list[Worker]:
        return [*self._decoding, self._reading, self._listening, self._making]

    def close(self) -> None:
        """End the threads and close what is open."""
        for worker in self._workers:
            worker.close()

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; for tests."""
        return all(worker.idle(timeout_s) for worker in self._workers)
