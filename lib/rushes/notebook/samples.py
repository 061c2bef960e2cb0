"""Small sample sessions of a notebook's own, for when it is given none.

They are made once under `outputs/samples/<notebook>/` and used again from then on; delete the folder for new ones.

Example:
    >>> def cell(source):
    ...     return source or sample_source("05_video_preview")
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rushes.capture.env.sample import sample
from rushes.capture.env.work import Progress
from rushes.errors import BadInputError
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root

SAMPLES: Final = "samples"
_GAMES: Final = "Breakout,Pong,Seaquest"
_FRAMES: Final = 240


def sample_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the folder with a notebook's own sample sessions; they are made where they are not there.

    Args:
        name: Of the notebook, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while they are made.

    Returns:
        A folder of sessions: three games, 240 frames each, always the same.

    Raises:
        BadInputError: A name that is no file name.
        StorageError: The folder cannot be written.
    """
    if not name or Path(name).name != name:
        raise BadInputError(
            f"the notebook {name!r}", accepts="a name without folders", fix="pass the notebook's file name"
        )
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            sample(
                partial,
                _GAMES,
                frames_per_env=_FRAMES,
                max_episodes=2,
                policy="persistent",
                workers=1,
                progress=progress,
            )
    return folder
