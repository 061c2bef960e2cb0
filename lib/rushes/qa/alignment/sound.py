"""Sound against inputs and against pictures: onsets that follow presses, pictures that change where something sounds.

`input_sound`: a press stamped t is heard from t + d on. `sound_picture`: what sounds at t is seen first in the first
frame with t_k >= t + d; so d > 0 says that the picture comes after its sound. Music, silence and what has nothing to do
with each other give "cannot tell".

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def sentences(path):
    ...     return [f"{name}: {offset}" for name, offset in measure_sounds(Subject(open_session(path)))]
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from rushes.qa.alignment.measured import Between, Curve, Offset
from rushes.qa.alignment.sound_brackets import FEWEST, Brackets, Stimuli, Told, Way, tell
from rushes.qa.alignment.sound_onsets import onsets, picture_changes

if TYPE_CHECKING:
    from rushes.qa.sound.signs import SoundSigns
    from rushes.qa.subject import Subject

_MS: Final = 1e-6  # ns to ms
_QUICKEST_MS: Final = 15.0  # presses of one control that follow each other quicker are one


def measure_sounds(subject: Subject) -> tuple[tuple[str, Offset], ...]:
    """Measure how far each stream of sound is from the inputs and from the pictures.

    Args:
        subject: A recording; its sound, events and pictures are read where they were not yet.

    Returns:
        (stream, offset) twice a stream: `input_sound`, `sound_picture`; one that cannot be told says why.
    """
    found: list[tuple[str, Offset]] = []
    for name, heard in subject.sounds.items():
        found += [(name, input_sound(subject, heard)), (name, sound_picture(subject, heard))]
    return tuple(found)


def input_sound(subject: Subject, heard: SoundSigns) -> Offset:
    """Measure by how much sound follows presses.

    Args:
        subject: A recording with events.
        heard: One of its streams.
    """
    pressed = presses(subject)
    ways: list[Way] = [(pressed, brackets) for brackets in onsets(heard)]
    told = tell(ways, names=("presses", "onsets of sound"))
    return _offset(subject, "input_sound", told, presses=len(pressed.ms))


def sound_picture(subject: Subject, heard: SoundSigns) -> Offset:
    """Measure by how much pictures follow sound.

    Args:
        subject: A recording with its signs.
        heard: One of its streams.
    """
    sounding = [Stimuli((o.low + o.high) / 2, np.zeros(len(o.low), np.int64)) for o in onsets(heard)]
    if max([0, *(len(one.ms) for one in sounding)]) < FEWEST:
        return _offset(subject, "sound_picture", tell([(one, Brackets(one.ms, one.ms)) for one in sounding],
                       names=("onsets of sound", "changes of the picture")))  # fmt: skip
    ways: list[Way] = list(product(sounding, picture_changes(subject.signs)))
    told = tell(ways, names=("onsets of sound", "changes of the picture"))
    return _offset(subject, "sound_picture", told, onsets=max(len(one.ms) for one in sounding))


def presses(subject: Subject) -> Stimuli:
    """Give when keys and buttons went down, each control a group of its own."""
    events = subject.events
    down = events[(events["kind"] == "press") & (events["flag"] != "hotkey")]
    parts, groups = [np.zeros(0)], [np.zeros(0, np.int64)]
    for number, (_, rows) in enumerate(down.groupby("control", sort=True)):
        ms = np.sort(rows["t_ns"].to_numpy(np.int64) * _MS)
        ms = ms[np.diff(ms, prepend=-np.inf) > _QUICKEST_MS]
        parts.append(ms)
        groups.append(np.full(len(ms), number))
    ms, group = np.concatenate(parts), np.concatenate(groups)
    order = np.argsort(ms, kind="stable")
    return Stimuli(ms[order], group[order])


def _offset(subject: Subject, between: Between, told: Told, **evidence: float) -> Offset:
    """Say it as all offsets are said."""
    segments = subject.recording.segments
    start_ns, end_ns = (segments[0].start_ns, segments[-1].end_ns) if segments else (0, 0)
    curve = None
    if told.lag_ms is not None and told.score is not None:
        curve = Curve(told.lag_ms, told.score / max(float(told.score.max()), 1e-9))
    rate_hz = subject.recording.rate_hz if told.known else 0.0
    return Offset(
        between,
        ms=told.ms,
        low_ms=told.low_ms,
        high_ms=told.high_ms,
        drift_ppm=told.drift_ppm,
        drift_low_ppm=told.drift_low_ppm,
        drift_high_ppm=told.drift_high_ppm,
        at_ns=round(told.middle_ms / _MS),
        start_ns=start_ns,
        end_ns=end_ns,
        confidence=told.confidence,
        frames=told.ms * rate_hz / 1000 if told.ms is not None and rate_hz else None,
        reason=told.reason,
        evidence={**evidence, "share": told.share, "jitter_ms": told.jitter_ms},
        curve=curve,
    )
