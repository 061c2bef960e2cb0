"""What the recorder's panel says: the state, the subject, the counters and the sentence below, as JSON for the page.

Example:
    >>> headline("paused", 0), headline("paused", 3)
    ('ready', 'paused')
    >>> end_words({"reason": "max_seconds", "sentence": ""})
    'the time limit'
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rushes.capture.settings import Settings
from rushes.errors import RushesError

STARTS: Final = {"paused": "Go on", "ended": "New recording", "failed": "Try again"}
"""What stands on the first button; Start in all other states."""
SAYS: Final = {
    "off": "Press Start.",
    "starting": "The recorder is starting.",
    "ready": "Nothing is recorded yet. Start or F8 begins, also from inside the game.",
    "recording": "Pause or F7 ends the segment; Stop ends the session.",
    "paused": "What you do now is not kept. Go on or F8 begins a new segment.",
    "ending": "The last chunk is being written.",
}
_ENDS: Final = {
    "stop": "stop", "max_seconds": "the time limit", "max_frames": "the frame limit", "idle": "a time without input",
    "low_disk": "the full disk", "window_closed": "the window, which was closed", "display_lost": "the lost display",
}  # fmt: skip
_NONE: Final = "\N{EN DASH}"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def free_place(first: Path) -> Path:
    """Give a place for a session where nothing is: the one that was asked for, or one beside it (`take_2` ...).

    Args:
        first: What was asked for.
    """
    place, number = first, 2
    while place.is_file() or (place.is_dir() and any(place.iterdir())):
        place, number = first.with_name(f"{first.name}_{number}"), number + 1
    return place


def end_words(result: Mapping[str, Any]) -> str:
    """Say by what a recording was ended.

    Args:
        result: As `Recorder.result` gives it.
    """
    return str(result["sentence"] or _ENDS.get(result["reason"], result["reason"]))


def headline(state: str, frames: int) -> str:
    """Name the state for a person: a recorder that is paused before its first frame is `ready`.

    Args:
        state: Of the recorder's status.
        frames: Recorded until now.
    """
    if state == "ended":
        return "ending"
    return "ready" if state == "paused" and not frames else state


def look_of(
    state: str,
    *,
    settings: Settings,
    status: Mapping[str, Any] = _NOTHING,
    result: Mapping[str, Any] = _NOTHING,
    error: RushesError | None = None,
) -> dict[str, Any]:
    """Put together what the page shows.

    Args:
        state: Of the panel.
        settings: What is recorded.
        status: Last status of the recorder.
        result: How it ended.
        error: Why it failed.

    Returns:
        JSON for `esm/record_panel.js`.
    """
    said, tone = _sentence(state, status, result, error)
    return {
        "state": state,
        "seconds": float(status.get("seconds", 0.0)),
        "subject": subject(settings),
        "rows": counters(status),
        "said": said,
        "tone": tone,
        "start": STARTS.get(state, "Start"),
        "can": [
            *(["start"] if state not in {"starting", "recording", "ending"} else []),
            *(["pause"] if state == "recording" else []),
            *(["stop"] if state in {"ready", "recording", "paused"} else []),
        ],
    }


def _sentence(
    state: str, status: Mapping[str, Any], result: Mapping[str, Any], error: RushesError | None
) -> tuple[str, str]:
    """Give the sentence below and its tone: ok, warn, bad or none."""
    notes = [f"Note: {note}." for note in (result or status).get("notes", ())]
    if error is not None:
        return str(error), "bad"
    if state != "ended":
        return " ".join([SAYS.get(state, ""), *notes]), "warn" if notes else ""
    why = end_words(result)
    if not result["frames"]:
        return f"Nothing was recorded ({why}), so there is no session.", "warn"
    said = f"{result['frames']:,} frames, ended by {why}. The session is {result['path']}"
    return " ".join([said, *notes]), "warn" if notes else "ok"


def subject(settings: Settings) -> str:
    """Say what is recorded in one line.

    Args:
        settings: Of the recording.
    """
    what = settings.window or settings.process_name or settings.backend
    keys = "no keys" if settings.no_keys else "keys anywhere" if settings.keys_anywhere else ""
    called = [settings.game] if what.casefold() == settings.game.casefold() else [settings.game, what]
    return ", ".join(part for part in (*called, f"{settings.fps:g} fps", settings.codec, keys) if part)


def counters(status: Mapping[str, Any]) -> list[list[str]]:
    """Give the counters: rows of a name, a value and a tone (`bad`, `warn` or none).

    Args:
        status: Of the recorder; dashes stand where it has said nothing yet.
    """
    known = "frames" in status

    def said(name: str, pattern: str = "{:,}") -> str:
        return pattern.format(status[name]) if known else _NONE

    def tone(name: str, of_any: str) -> str:
        return of_any if known and status[name] else ""

    free = f"{status['free_bytes'] / 1e9:.1f} GB" if known and status["free_bytes"] else _NONE
    return [
        ["rate", said("rate_hz", "{:.1f} fps") if status.get("rate_hz") else _NONE, ""],
        ["frames", said("frames"), ""],
        ["dropped", said("dropped"), tone("dropped", "bad")],
        ["late", said("late"), tone("late", "warn")],
        ["repeated pictures", said("duplicates"), ""],
        ["inputs kept", said("events"), ""],
        ["inputs not kept", said("discarded"), ""],
        ["segments", said("segments"), ""],
        ["waiting for the encoder", said("backlog"), ""],
        ["free on the disk", free, ""],
    ]
