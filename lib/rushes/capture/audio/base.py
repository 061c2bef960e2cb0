"""The table of sound sources.

Example:
    >>> audio_source("mic", rate_hz=16_000, channels=1).name
    'mic'
"""

from __future__ import annotations

from typing import Final, cast

from rushes.capture.source import Source
from rushes.table import Table

AUDIO: Final = Table(
    "sound source",
    {
        "system": (
            "rushes.capture.audio.soundcard_source:SoundSource",
            "audio",
            "what the speaker plays (its loopback, never a microphone)",
        ),
        "mic": (
            "rushes.capture.audio.soundcard_source:SoundSource",
            "audio",
            "the microphone in use (never a loopback)",
        ),
    },
)


def audio_source(name: str, *, rate_hz: int = 48_000, channels: int = 2, device: str | None = None) -> Source:
    """Make a sound source; opens nothing.

    Args:
        name: `system` or `mic`.
        rate_hz: Samples a second.
        channels: How many.
        device: A part of the device's name or its id; None takes the one in use.

    Raises:
        BadNameError: No such source.
        BadInputError: A setting out of its range.
        UnavailableError: What it imports is missing.
    """
    return cast("Source", AUDIO.load(name)(name, rate_hz=rate_hz, channels=channels, device=device))
