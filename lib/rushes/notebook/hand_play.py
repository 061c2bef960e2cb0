"""One play of an environment, recorded from a notebook: by a person with the panel, by a policy where nobody is there.

Both are sessions of the same kind: the environment's own actions and seeds, `is_human` at every step, and pictures that
the replay check gets back from the seed and the actions, bit for bit.

Example (a cell):
    >>> def cell(run):
    ...     return play_alone(run, hand_settings(run, run.path("session")))
    >>> hand_result({"path": "take", "frames": 60, "reason": "max_seconds"})["notes"]
    []
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from rushes.capture.hand.process import HandProcess
from rushes.capture.hand.settings import HandSettings
from rushes.notebook.run import Run
from rushes.widgets.play import play
from rushes.widgets.play_games import one_game
from rushes.widgets.play_panel import PlayPanel

PLAY: Final = "play"
DEFAULT_POLICY: Final = "persistent"
"""Plays where there is no panel and the notebook names nobody."""
_LOOK_S: Final = 0.25


def hand_settings(run: Run, out: str | Path) -> HandSettings:
    """Turn the parameters of a notebook into what is played.

    Args:
        run: Of a notebook with the parameters env, policy, seconds, fps, live, seed. With the panel there is no
            limit of time; without it the policy plays all of it.
        out: Directory of the session.

    Raises:
        BadNameError: No such environment; the message names the nearest.
        BadInputError: Several environments, or a value out of its range.
    """
    p = cast("Mapping[str, Any]", run.parameters)
    settings = HandSettings(
        one_game(p["env"]),
        out=str(out),
        policy=p["policy"],
        seed=p["seed"],
        fps=p["fps"],
    )
    if p["live"]:
        return settings
    policy = settings.policy or DEFAULT_POLICY
    return replace(settings, policy=policy, control="policy", seconds=p["seconds"], start_immediately=True)


def hand_panel(settings: HandSettings) -> PlayPanel:
    """Make the panel for what the parameters say; another environment can be chosen in it.

    Args:
        settings: What is played.
    """
    return play(settings.env_id, out=settings.out, policy=settings.policy, seed=settings.seed, fps=settings.fps)


def play_alone(run: Run, settings: HandSettings) -> Mapping[str, Any]:
    """Let a policy play for as long as the settings say.

    Args:
        run: The run; a bar shows how far it is.
        settings: What is played, with a policy that has control.

    Returns:
        How it ended, as `hand_result` says it.

    Raises:
        RushesError: It could not begin, or the environment, the policy or the disk failed.
        StoppedError: The process was killed.
    """
    bar, whole = run.bar("playing, seconds"), math.ceil(settings.seconds)
    with HandProcess(settings, lambda *_: None) as game:
        while not game.wait(_LOOK_S):
            played_s = game.state.get("steps", 0) / game.state.get("asked_hz", 1.0)
            bar(min(int(played_s), whole - 1), whole)
        result = game.result()
    bar(whole, whole)
    return hand_result(result)


def hand_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say how a play ended in the words of other recordings: path, reason, sentence, notes, frames.

    Args:
        result: As `HandProcess.result` gives it.
    """
    return {**result, "sentence": "", "notes": []}
