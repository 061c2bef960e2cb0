"""The session that was checked, in the player: its findings in the timeline, its inputs moved by what was measured.

Where the notebook repaired a copy of its own session, that one is shown, so that marks do not reach the planted one.

Example (cells of the notebook; the second one in a running JupyterLab):
    >>> def cells(run, checked, mended):
    ...     twin = twin_of(run, checked, mended)
    ...     return player_of(run, checked, mended)
"""

from __future__ import annotations

from typing import Any

from rushes.model.recording import Recording
from rushes.notebook.alignment.examined import Checked
from rushes.notebook.alignment.repair import COPY, Mended
from rushes.notebook.run import Run
from rushes.store.reader import Session, open_session
from rushes.widgets.player import Player, player
from rushes.widgets.player_twin import PlayerTwin, player_twin


def twin_of(run: Run, checked: Checked, mended: Mended) -> PlayerTwin:
    """Give the static twin of the player.

    Args:
        run: The run.
        checked: What the checks said.
        mended: What was repaired.
    """
    recording, more = _given(run, checked, mended)
    return player_twin(recording, **more)


def player_of(run: Run, checked: Checked, mended: Mended) -> Player:
    """Give the player; see `twin_of`."""
    recording, more = _given(run, checked, mended)
    return player(recording, **more)


def _given(run: Run, checked: Checked, mended: Mended) -> tuple[Recording, dict[str, Any]]:
    recording: Recording = checked.take.recording
    offset: float | str | None = checked.measured.offset.ms
    if isinstance(recording, Session):
        # opened anew: side facts may have been stored since
        recording = open_session(run.folder / COPY if mended.place == COPY else recording.path)
        if any(fact.kind == "offset" for fact in recording.facts):
            offset = "measured"
    return recording, {"offset": offset, "findings": checked.findings}
