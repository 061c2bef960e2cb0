"""What the panel of playing by hand says: the state in words, the subject, the sentence below.

Example:
    >>> look_of("off", env_id="ALE/Breakout-v5")["subject"]
    'Breakout'
    >>> look_of("playing", env_id="Taxi-v3", status={"in_turns": True, "asked_hz": 4.0})["subject"]
    'Taxi, a step with each move'
    >>> end_sentence({"frames": 0, "reason": "stop", "path": "play"})
    'Nothing was recorded (stop), so there is no session.'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from rushes.errors import RushesError
from rushes.model.games import title

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
SAYS: Final = {
    "off": "Choose an environment and press Start. What you play is recorded as a session.",
    "starting": "The environment is being made.",
    "ready": "Everything is there. Start begins.",
    "playing": "Recording. Keys go to the game while the picture has the focus.",
    "paused": "What you do now is not kept. Go on begins a new segment of the same episode.",
    "ending": "The last chunk is being written.",
}
_ENDS: Final = {
    "stop": "stop", "max_seconds": "the time limit", "low_disk": "the full disk",
    "front_gone": "the notebook, which went away", "failed": "a failure",
}  # fmt: skip
_SHOWN: Final = ("frames", "steps", "rate_hz", "late", "stalls", "events")


def look_of(
    state: str,
    *,
    env_id: str,
    status: Mapping[str, Any] = _NOTHING,
    result: Mapping[str, Any] = _NOTHING,
    error: RushesError | None = None,
    note: str = "",
    policy: str = "",
    who: str = "human",
) -> dict[str, Any]:
    """Put together what the page shows while nothing moves.

    Args:
        state: Of the panel.
        env_id: What is played.
        status: Last status of the playing process.
        result: How it ended.
        error: Why it failed.
        note: Stands in place of the state's sentence.
        policy: The policy's name, `""` for none.
        who: `human`, `policy` or `shared`.

    Returns:
        JSON for `esm/play.js`.
    """
    said, tone = SAYS.get(state, ""), ""
    if error is not None:
        said, tone = str(error), "bad"
    elif state == "ended":
        said, tone = end_sentence(result), "ok" if result.get("frames") else "warn"
    elif note:
        said, tone = note, "warn"
    elif state == "playing" and status.get("in_turns"):
        said = "Recording. The game waits for each of your moves."
    shown: dict[str, Any] = {name: status[name] for name in _SHOWN if status.get(name) is not None}
    if (latency := status.get("latency_ms")) is not None:
        shown["latency_ms"] = [latency["p50"], latency["p95"]]
    asked_hz = float(status.get("asked_hz", 0.0))
    return {
        "state": state,
        "env_id": env_id,
        "subject": title(env_id) + _beat(status),
        "said": said,
        "tone": tone,
        "seconds": status.get("steps", 0) / asked_hz if asked_hz else 0.0,
        "status": shown,
        "bindings": list(status.get("bindings", ())),
        "can_hear": bool(status.get("sound_hz")),
        "policy": policy,
        "who": who,
    }


def _beat(status: Mapping[str, Any]) -> str:
    """Say how fast it goes, where it goes by itself."""
    if status.get("in_turns"):
        return ", a step with each move"
    asked_hz = float(status.get("asked_hz", 0.0))
    return f", {asked_hz:g} steps a second" if asked_hz else ""


def end_sentence(result: Mapping[str, Any]) -> str:
    """Say how a play ended.

    Args:
        result: path, frames, reason, as the playing process gives them.
    """
    reason = str(result.get("reason", ""))
    why = _ENDS.get(reason, reason)
    if not result.get("frames"):
        return f"Nothing was recorded ({why}), so there is no session."
    return f"{result['frames']:,} frames, ended by {why}. The session is {result['path']}"
