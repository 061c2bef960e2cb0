"""The recipe's own session: a planted rescue at 10 Hz, made once for each seed, length and offset.

Example (in a project):
    >>> def cell(run):
    ...     return rescue_source(run.name, seconds=48.0, seed=7, offset_ms=40.0, progress=run.bar("making a session"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rushes.capture.recorder import record
from rushes.capture.rescue import RescueBackend
from rushes.model.clock import Clock
from rushes.model.readings import Frame, Reading
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.worlds.rescue.world import Rescue

Progress = Callable[[int, int, str], None]

PAUSE_FROM_S: Final = 40.0
"""A session as long as this is paused once, so that both of its stretches are long enough to be measured."""


def rescue_source(
    name: str,
    *,
    seconds: float,
    seed: int,
    offset_ms: float,
    root: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Give the recipe's own session; it is made where it is not there.

    Args:
        name: Of the notebook, without its ending.
        seconds: How long is played.
        seed: Decides everything else.
        offset_ms: How much later than its stamp each input takes effect.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while it is made.

    Returns:
        A session, always the same for the same numbers.

    Raises:
        BadInputError: A number out of its range.
        StorageError: The folder cannot be written.
    """
    world = Rescue(seconds=seconds, seed=seed, offset_ms=offset_ms, pauses=int(seconds >= PAUSE_FROM_S))
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name / world.describe().id
    if not folder.is_dir():
        with new_folder(folder) as partial:
            record(_Told(world, progress), partial)
    return folder


class _Told(RescueBackend):
    """A rescue that says how far it is."""

    def __init__(self, world: Rescue, progress: Progress | None) -> None:
        super().__init__(world)
        self._progress = progress

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        with super().open(clock) as readings:
            yield self._counted(readings)

    def _counted(self, readings: Iterator[Reading]) -> Iterator[Reading]:
        done, total = 0, len(self.world.captured.t_s)
        for reading in readings:
            done += isinstance(reading, Frame)
            if self._progress is not None and isinstance(reading, Frame):
                self._progress(done, total, "frames made")
            yield reading
