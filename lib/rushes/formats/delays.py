"""Inputs moved to where they take effect in a conversion to any format, also one that knows of no delay.

Example:
    >>> from rushes.model.recording import Sessions
    >>> len(with_delay(Sessions([], format="none"), None, "measured"))
    0
"""

from __future__ import annotations

from rushes.errors import BadInputError
from rushes.model.recording import Sessions
from rushes.store.delayed import delayed_all


def with_delay(source: Sessions, options: object, asked: str | float) -> Sessions:
    """Move the inputs of every recording.

    Args:
        source: Recordings.
        options: The format's options; some have a delay of their own.
        asked: ms, or `measured`; empty moves nothing.

    Raises:
        BadInputError: The delay is given twice, is no number, or nothing was measured.
    """
    if asked == "":
        return source
    other = str(getattr(options, "action_delay_ms", "0"))
    if other not in ("0", "0.0"):
        raise BadInputError(
            f"action_delay_ms={asked} and the format's own action_delay_ms={other}",
            accepts="one of the two",
            fix="leave out the option of the format",
        )
    return delayed_all(source, asked)
