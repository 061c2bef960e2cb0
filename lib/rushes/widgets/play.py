"""Playing an environment by hand in JupyterLab: what you play is recorded as a session like any other.

Choose an environment in the panel, press Start, play with the keyboard or a gamepad, press Stop. The panel says which
key does what, who plays, and how long a key takes to become a step.

A kernel has one panel at a time: a new one ends the one before it. What goes wrong is said in the panel.

Example (a cell of a notebook; after Stop, `panel.session()` is what was played):
    >>> def cell():
    ...     return play("Breakout")
    >>> panel = play("CartPole-v1", seconds=60)
    >>> panel.state, panel.settings.env_id
    ('off', 'CartPole-v1')
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rushes.capture.hand.settings import HandSettings
from rushes.widgets.play_games import one_game
from rushes.widgets.play_panel import PlayPanel

_open: Final[list[PlayPanel]] = []


def play(
    env_id: str = "ALE/Breakout-v5",
    *,
    out: str | Path | None = None,
    policy: str = "",
    seed: int = 0,
    fps: float = 0.0,
    sound: bool = True,
    sticky: float = 0.0,
    seconds: float = 0.0,
) -> PlayPanel:
    """Make a panel to play by hand; put it last in a cell.

    Args:
        env_id: An environment, as `rushes.worlds.catalog.resolve_games` takes it; another one can be chosen in the
            panel.
        out: Directory of the session; later ones stand beside it (`out_2` ...). By default data/sessions/GAME_TIME.
        policy: Plays along: a name of `rushes.capture.env.policies.POLICIES` or `module:function`; a key takes over.
        seed: Of the first episode; the next ones follow from it.
        fps: Steps a second; 0 is the environment's own speed.
        sound: Whether it is heard and recorded, where the environment gives sound.
        sticky: Probability that the Atari emulator repeats its last action for a frame; Gymnasium's default is 0.25.
        seconds: Ends the session after so many recorded seconds; 0 for no limit.

    Returns:
        The panel.

    Raises:
        BadNameError: No such environment.
        BadInputError: Several environments.
    """
    settings = HandSettings(
        env_id=one_game(env_id),
        out=str(out or ""),
        policy=policy,
        seed=seed,
        fps=fps,
        sound=sound,
        sticky=sticky,
        seconds=seconds,
    )
    while _open:
        _open.pop().close()
    panel = PlayPanel(settings)
    _open.append(panel)
    return panel
