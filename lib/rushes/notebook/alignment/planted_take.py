"""Writing a planted session: a steered world as a recorder would have written it, with what is wrong with it noted.

The pictures are H.264, the inputs raw events; what was planted stands in the session's provenance. So it can be told
from the session alone what the checks should find.

Example (a new directory):
    >>> def make(path):
    ...     late = Steered(seconds=20.0, offset_ms=200.0)
    ...     write_take(path, name="late", stretches=[late], planted={"alignment.offset": 200.0})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rushes.capture.encoding import Encoding, encoded
from rushes.model.clock import NS
from rushes.model.readings import Event, Frame, Gap, Reading
from rushes.store.writer import SessionWriter
from rushes.worlds.steered.world import Steered

Progress = Callable[[int, int, str], None]
Spoil = Callable[[Iterable[Reading]], Iterator[Reading]]

PLANTED: Final = "planted"
"""Key of the provenance under which stands what was planted: rule -> value, or the name of a rule."""
PAUSE_NS: Final = 3 * NS
"""Between two stretches."""


def write_take(
    path: Path,
    *,
    name: str,
    stretches: Sequence[Steered],
    planted: Any,
    spoil: Spoil | None = None,
    progress: Progress | None = None,
) -> None:
    """Write one session.

    Args:
        path: A new directory.
        name: Its id.
        stretches: A world for each segment, of one size and rate; a pause lies between them.
        planted: What is wrong with it.
        spoil: Changes the readings of each stretch before they are written; None leaves them.
        progress: Called with (done, total, what).
    """
    first = stretches[0]
    height, width = first.size
    worlds = [world.parameters() for world in stretches]
    info = replace(first.describe("h264"), id=name, provenance={"worlds": worlds, PLANTED: planted})
    total, done = sum(round(world.seconds * world.rate_hz) for world in stretches), 0
    with (
        SessionWriter(path, info) as writer,
        Encoding("h264", width=width, height=height, rate_hz=first.rate_hz) as encoding,
    ):
        for reading in encoded(_joined(stretches, spoil), encoding):
            writer.write(reading)
            if isinstance(reading, Frame) and progress is not None:
                done = min(done + 1, total)
                progress(done, total, "frames made")


def _joined(stretches: Sequence[Steered], spoil: Spoil | None) -> Iterator[Reading]:
    """Put stretches one behind the other, each with its own time and ticks moved."""
    later_ns = ticks = 0
    for number, world in enumerate(stretches):
        readings = world.readings() if spoil is None else spoil(world.readings())
        last = number == len(stretches) - 1
        end_ns, down = 0, dict[str, Event]()
        for reading in readings:
            end_ns = max(end_ns, reading.t_ns)
            if isinstance(reading, Event) and reading.kind in ("press", "release"):
                down = {c: e for c, e in down.items() if c != reading.control}
                down |= {reading.control: reading} if reading.kind == "press" else {}
            if isinstance(reading, Gap) and not last:  # hands let go in the pause
                yield from (e._replace(t_ns=end_ns + later_ns - 1, kind="release", value=0.0) for e in down.values())
            moved = reading._replace(t_ns=reading.t_ns + later_ns)
            if isinstance(moved, Frame) and moved.tick is not None:
                moved = moved._replace(tick=moved.tick + ticks)
            if isinstance(moved, Gap):
                moved = moved._replace(reason="end" if last else "pause")
            yield moved
        later_ns += end_ns + PAUSE_NS
        ticks += round((end_ns + PAUSE_NS) * world.rate_hz / NS)
