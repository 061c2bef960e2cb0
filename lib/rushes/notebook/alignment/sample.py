"""The notebook's own session: two stretches of steered play whose inputs are stamped 250 ms too early.

Example (in a project):
    >>> def cell(run):
    ...     return alignment_source("02_alignment_qa", progress=run.bar("making a session"))
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rushes.notebook.alignment.planted_take import Progress, write_take
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.worlds.steered.world import Steered

OFFSET_MS: Final = 250.0
"""How much later than its stamp each input takes effect: the planted fault."""
STRETCHES_S: Final = (32.0, 20.0)
RATE_HZ: Final = 30.0
SIZE: Final = (180, 320)
_SEED: Final = 7


def alignment_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the notebook's own session; it is made where it is not there.

    Args:
        name: Of the notebook, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while it is made.

    Returns:
        A folder with one session of two segments, always the same.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            make_take(partial / "early_inputs", progress=progress)
    return folder


def make_take(path: Path, *, seconds: tuple[float, ...] = STRETCHES_S, progress: Progress | None = None) -> None:
    """Write the session.

    Args:
        path: A new directory.
        seconds: Length of each stretch, s.
        progress: Called with (done, total, what).
    """
    stretches = [
        Steered(
            kind="mixed", seconds=length, rate_hz=RATE_HZ, seed=_SEED + k, offset_ms=OFFSET_MS, jitter_ms=1.2, size=SIZE
        )
        for k, length in enumerate(seconds)
    ]
    write_take(
        path, name="early_inputs", stretches=stretches, planted={"alignment.offset": OFFSET_MS}, progress=progress
    )
