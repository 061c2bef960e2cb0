"""What was said about a recording when it was checked, as its side facts have it: the newest verdict and offset.

Exports write this into their cards; nothing is measured here.

Example:
    >>> from rushes.store.reader import open_session
    >>> def last_verdict(path):
    ...     checked = checked_of(open_session(path))
    ...     return checked and checked["verdict"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rushes.model.recording import Recording
from rushes.store.facts import Fact
from rushes.store.reader import Session


def facts_of(recording: Recording) -> tuple[Fact, ...]:
    """Give the side facts of a recording, through the views of it that moved or cut something; none of foreign ones."""
    whole = recording.whole
    return whole.facts if isinstance(whole, Session) else ()


def checked_of(recording: Recording) -> dict[str, Any] | None:
    """Give what is stored about how right a recording is.

    Args:
        recording: Any recording.

    Returns:
        `verdict` (None where there is only an offset), `figures` (offset_ms, offset_low_ms, offset_high_ms, drift_ppm,
        rate_hz; null where not measured) and `by`; None where nothing is stored. A newer offset takes the place of that
        in the verdict's figures.
    """
    said: dict[str, Any] | None = None
    for fact in facts_of(recording):
        if fact.kind == "verdict":
            figures: Mapping[str, Any] = fact.value["figures"]
            said = {"verdict": fact.value["verdict"], "figures": dict(figures), "by": fact.author}
        elif fact.kind == "offset" and fact.t_start_ns is None and fact.t_end_ns is None:
            said = said or {"verdict": None, "figures": {}, "by": fact.author}
            value = fact.value
            measured = {"offset_ms": "ms", "offset_low_ms": "low", "offset_high_ms": "high", "drift_ppm": "drift_ppm"}
            said["figures"] |= {name: value[key] for name, key in measured.items()}
    return said
