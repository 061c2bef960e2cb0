"""What the first notebook records, from its parameters; each that means nothing is refused by its name.

Example:
    >>> region_of("100, 50, 740, 530")
    (100, 50, 740, 530)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from rushes.capture.hand.settings import HandSettings
from rushes.capture.settings import BROWSER_FPS, DEFAULT_FPS, DEFAULT_GAME, LIVE, Settings
from rushes.errors import BadInputError, near
from rushes.notebook.hand_play import PLAY, hand_settings
from rushes.notebook.run import Run

SESSION: Final = "session"
"""Name of the session in the run folder."""
KEYS: Final = ("window", "anywhere", "none")
BROWSER: Final = "browser"
BACKENDS: Final = (*LIVE, BROWSER, PLAY)
UNNAMED: Final = "Synthetic"
"""The parameter's own value: a page is then called what it calls itself."""
_EDGES: Final = 4


def settings_of(run: Run) -> Settings | HandSettings:
    """Turn the parameters of a notebook into the settings of a recording.

    Args:
        run: Of a notebook with the parameters backend, game, seconds, fps, window, region, codec, layout, audio, keys,
            live, seed, out, and for `play` env and policy. Without `out` the session goes into the run folder;
            `fps=0` takes the backend's own. A recording with the panel, and a play in a browser, has no limit of time.

    Raises:
        BadInputError: A value that means nothing; the sentence names the parameter.
        BadNameError: No such environment, or no such policy.
    """
    p = cast("Mapping[str, Any]", run.parameters)
    if p["backend"] not in BACKENDS:
        raise BadInputError(
            f"backend={p['backend']!r}",
            accepts=", ".join(BACKENDS),
            fix=near(p["backend"], BACKENDS) or "set one of them; recipes/atari_sample.ipynb samples environments",
        )
    if p["keys"] not in KEYS:
        raise BadInputError(
            f"keys={p['keys']!r}", accepts=", ".join(KEYS), fix=near(p["keys"], KEYS) or "set one of them"
        )
    in_browser = p["backend"] == BROWSER
    if in_browser and p["live"]:
        raise BadInputError(
            "live=True with backend='browser'", accepts="the page, which has its own buttons", fix="leave live out"
        )
    if not p["live"] and p["seconds"] <= 0:
        raise BadInputError(f"seconds={p['seconds']!r}", accepts="more than 0", fix="set seconds=5")
    if p["backend"] == PLAY:
        return hand_settings(run, p["out"] or run.path(SESSION))
    if p["backend"] == "desktop" and p["keys"] == "window" and not p["window"]:
        raise BadInputError(
            "keys='window' without a window",
            accepts="a window, whose keys are kept only while it has the focus; or keys anywhere; or none",
            fix="set window to a part of its title (`rushes windows` lists them), or keys to 'anywhere' or 'none'",
        )
    return Settings(
        backend=p["backend"],
        out=p["out"] or str(run.path(SESSION)),
        game=DEFAULT_GAME if in_browser and p["game"] == UNNAMED else p["game"],
        fps=p["fps"] or (BROWSER_FPS if in_browser else DEFAULT_FPS),
        max_seconds=0.0 if p["live"] or in_browser else p["seconds"],
        region=region_of(p["region"]),
        window=p["window"],
        codec=p["codec"],
        layout=p["layout"],
        audio=tuple(name.strip() for name in p["audio"].split(",") if name.strip()),
        keys_anywhere=p["keys"] == "anywhere",
        no_keys=p["keys"] == "none",
        start_immediately=not p["live"] and not in_browser,
        seed=p["seed"],
    )


def region_of(text: str) -> tuple[int, int, int, int] | None:
    """Read a region.

    Args:
        text: Left, top, right, bottom in px of the screen with commas between them; empty for none.

    Raises:
        BadInputError: Something else.
    """
    if not text.strip():
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise BadInputError(
            f"region={text!r}",
            accepts=f"{_EDGES} whole numbers with commas: left,top,right,bottom in px of the screen",
            fix="choose one with live=True and paste what the picker says",
        ) from None
    return left, top, right, bottom
