"""A recording at a glance, before any check: what it is, how long, how fast, what the hands did, what is known of it.

Example (any recording):
    >>> def look(recording):
    ...     return glance(recording, format="session")
    >>> minutes(75.25)
    '1 min 15.2 s'
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from rushes.model.recording import Recording
from rushes.preview.contact_sheet import contact_sheet
from rushes.preview.html import Html, Shown, note, picture, table
from rushes.preview.play_sheet import play_sheet
from rushes.preview.qa_damage import or_why
from rushes.store.reader import Session

_MINUTE: Final = 60
_PICTURES: Final = 8
_NAMED: Final = 6
_TIMES: Final = {
    "measured": "measured when it was recorded",
    "emulated": "counted by the emulator",
    "nominal": "numbers of frames over a rate",
    "assumed": "assumed, nobody measured them",
}


@or_why
def glance(recording: Recording, *, format: str = "") -> Html:  # noqa: A002 - the word that users know
    """Show what a recording is, as a table.

    Args:
        recording: Any.
        format: The name of what it was read as.
    """
    info = recording.info
    rows: list[list[Any]] = [
        ["session", info.id],
        ["game", info.game],
        ["read as", format or "session"],
        ["length", f"{minutes(recording.duration_s)}, {recording.frame_count:,} frames"],
        ["segments", _segments(recording)],
        ["pictures", _pictures(recording)],
        ["inputs", _inputs(recording)],
        ["sound", ", ".join(f"{s.name}, {s.rate_hz / 1000:g} kHz" for s in recording.sound_streams) or "none"],
        ["times are", _TIMES.get(info.time_source, info.time_source)],
        ["stored offset", _offset(recording)],
    ]
    return table(["", ""], rows)


@or_why
def glance_sheet(recording: Recording, *, pictures: int = _PICTURES) -> Shown | Html:
    """Show evenly spaced pictures with what was done on each.

    Args:
        recording: With frames.
        pictures: How many of recorded play; of an environment as many as fit a line of each episode.
    """
    if not recording.frame_count:
        return note("There is no frame to show; `rushes info PATH` says what is there.")
    if recording.is_environment:
        return picture(contact_sheet(recording), width_px=980, alt="evenly spaced pictures with their actions")
    alt = "evenly spaced pictures of the session, each with the controls that were down and the motion of the mouse"
    return picture(play_sheet(recording, pictures=pictures, begin_ns=0), width_px=980, alt=alt)


def minutes(seconds: float) -> str:
    """Say a length as people do.

    Args:
        seconds: Any length, s.
    """
    whole, rest = divmod(seconds, _MINUTE)
    return f"{whole:.0f} min {rest:.1f} s" if whole else f"{rest:.1f} s"


def _segments(recording: Recording) -> str:
    ends = [segment.end_reason or "unknown" for segment in recording.segments]
    counts = {end: ends.count(end) for end in dict.fromkeys(ends)}
    return f"{len(ends)}, ended by " + ", ".join(f"{end} ({n})" if n > 1 else end for end, n in counts.items())


def _pictures(recording: Recording) -> str:
    stream = recording.info.stream("frames")
    said = [] if stream is None else [f"{stream.width} x {stream.height} px"] * bool(stream.width)
    said += [] if stream is None or not stream.codec else [f"{stream.codec}{', exact' if stream.exact else ''}"]
    return ", ".join([*said, f"{recording.rate_hz:.4g} frames a second"])


def _inputs(recording: Recording) -> str:
    if recording.is_environment:
        return f"{len(recording.steps()):,} actions of an environment"
    events = recording.events()
    events = events[events["kind"] != "state"]
    if not len(events):
        return "none"
    presses: pd.Series = events.loc[events["kind"] == "press", "control"].value_counts()
    named = ", ".join(f"{control} {count:,}" for control, count in presses.head(_NAMED).items())
    more = f" and {len(presses) - _NAMED} more controls" if len(presses) > _NAMED else ""
    moves = int(events["kind"].isin(["move", "axis", "scroll"]).sum())
    said = [f"{int(presses.sum()):,} presses ({named}{more})"] if len(presses) else []
    return ", ".join([*said, *([f"{moves:,} motions"] if moves else [])])


def _offset(recording: Recording) -> str:
    facts = [fact for fact in recording.facts if fact.kind == "offset"] if isinstance(recording, Session) else []
    if not facts:
        return "none: nobody measured it"
    value = facts[-1].value
    return f"{value['ms']:+.1f} ms, by {facts[-1].author}"
