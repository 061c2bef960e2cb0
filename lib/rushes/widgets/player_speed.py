"""How fast a player begins to play: a rate in frames a second, as a multiple of the recording's own.

Example:
    >>> asked_speed(60.0, 30.0), asked_speed(None, 30.0)
    (2.0, 1.0)
"""

from __future__ import annotations

from typing import Final

from rushes.errors import BadInputError

SLOWEST: Final = 0.01
FASTEST: Final = 64.0


def asked_speed(rate: float | None, own_hz: float) -> float:
    """Read at how many times its own rate a recording shall be played.

    Args:
        rate: Frames a second; None for the recording's own times.
        own_hz: Of the recording; 0 where nothing tells, and there it is played at its own times.

    Raises:
        BadInputError: A rate that cannot be played.
    """
    if rate is None:
        return 1.0
    low, high = SLOWEST * own_hz, FASTEST * own_hz
    if not (low <= rate <= high if own_hz else rate > 0):
        raise BadInputError(
            f"rate={rate!r}",
            accepts=f"frames a second, {low:g} to {high:g} here" if own_hz else "frames a second, above 0",
            fix="leave rate out for the recording's own times",
        )
    return rate / own_hz if own_hz else 1.0
