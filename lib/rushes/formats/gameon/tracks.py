"""Sound of a segment as WAV files: laid on the segment's time, for a WAV has no other clock.

The first stream of the game becomes `system_audio.wav`, that of the microphone `microphone_audio.wav`; the original has
no place for a third. Sample n stands at n / rate seconds since the segment's first frame: where nothing was heard there
is silence, counted as `silence`; blocks that stand within 2 ms of where the last one ended follow on it.

Example:
    >>> chosen(["game", "mic", "voice"])
    {'system': 'game', 'mic': 'mic'}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from rushes.formats.card import Job
from rushes.formats.gameon.wav import WavWriter
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.model.sounds import cut
from rushes.store.sound import to_int16

FILES: Final[Mapping[str, str]] = {"system": "system_audio.wav", "mic": "microphone_audio.wav"}
_MICROPHONES: Final = ("mic", "microphone")
_TOGETHER: Final = 500
"""Part of a second: blocks that are nearer than this to each other are one sound."""


def chosen(streams: Iterable[str]) -> dict[str, str]:
    """Say which stream becomes which file: key of `FILES` -> name of the stream.

    Args:
        streams: Names of a recording's streams, in order.
    """
    found: dict[str, str] = {}
    for name in streams:
        found.setdefault("mic" if name in _MICROPHONES else "system", name)
    return found


@dataclass(frozen=True)
class Written:
    """A file of sound.

    Attributes:
        samples: How many samples of the stream went into it, a channel; 0 where there is no file.
        silences: [first sample, count] of each silence that was put in.
    """

    samples: int = 0
    silences: list[list[int]] = field(default_factory=list)


def write_track(recording: Recording, stream: str, path: Path, *, start_ns: int, stop_ns: int, job: Job) -> Written:
    """Write what a stream holds of a segment.

    Args:
        recording: Any recording.
        stream: Name of the stream.
        path: A new file; there is none where nothing was heard.
        start_ns: ns since session start.
        stop_ns: ns since session start, behind the segment.
        job: Where to count samples.

    Returns:
        What was written.
    """
    blocks = (cut(block, start_ns, stop_ns) for block in recording.sound_between(stream, start_ns, stop_ns))
    there = (block for block in blocks if block is not None)
    first = next(there, None)
    if first is None:
        return Written()
    rate, silences, count = first.rate_hz, [], 0
    with WavWriter(path, rate_hz=rate, channels=first.samples.reshape(len(first.samples), -1).shape[1]) as wav:
        for block in chain([first], there):
            samples, _ = to_int16(block.samples)
            place = ((block.t_ns - start_ns) * rate + NS // 2) // NS
            if place > wav.count + rate // _TOGETHER:
                silences.append([wav.count, place - wav.count])
                wav.silence(place - wav.count)
                job.tally.mark(stream, "silence", silences[-1][1])
            over = wav.count - place if wav.count > place + rate // _TOGETHER else 0
            count += len(samples)
            job.tally.offer(stream, len(samples))
            job.tally.lose(stream, "overlapping", min(over, len(samples)))
            wav.write(samples[over:])
    return Written(count, silences)
