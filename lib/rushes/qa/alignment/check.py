"""Alignment: how far the inputs are from the pictures, held against what is allowed.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_alignment(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

OFFSET: Final = Rule(
    "alignment.offset",
    "inputs that take effect too late or too early",
    limit=150.0,
    unit="ms",
    sees="pictures",
    repair="offset",
)
DRIFT: Final = Rule(
    "alignment.drift",
    "a distance between inputs and pictures that grows",
    limit=50.0,
    unit="ppm",
    sees="pictures",
    repair="offset",
)
SEGMENTS: Final = Rule(
    "alignment.segments", "segments whose inputs lie differently", limit=20.0, unit="ms", sees="pictures"
)
UNSURE: Final = Rule("alignment.unsure", "an offset known only roughly", limit=50.0, unit="ms", sees="pictures")
CLOCK: Final = Rule("alignment.clock", "times that nobody measured, so that no offset says anything", sees="metadata")
SOUND: Final = Rule(
    "alignment.sound_offset", "sound that lies beside pictures or inputs", limit=150.0, unit="ms", sees="sound"
)
RULES: Final = rules_of(OFFSET, DRIFT, SEGMENTS, UNSURE, CLOCK, SOUND)

_UNMEASURED: Final = ("nominal", "assumed")


def check_alignment(subject: Subject) -> Iterator[Finding]:
    """Hold the measured alignment of a recording against the limits.

    Args:
        subject: Any recording.

    Yields:
        `alignment.*` findings.
    """
    source = subject.recording.info.time_source
    if source in _UNMEASURED and not subject.recording.is_environment:
        sentence = (
            f"its times are {source}, not measured: whatever is measured against them is not certified; take them from "
            "where it was recorded"
        )
        yield subject.finding(CLOCK, sentence, stream="frames", severity="info")
    if subject.quick:
        return
    measured = subject.measured
    offset = measured.offset
    if offset.known:
        yield from _offset(subject, offset)
    else:
        yield subject.cannot_tell(OFFSET, offset.reason)
    yield from _segments(subject, measured)
    yield from _sounds(subject, measured)


def _offset(subject: Subject, offset: Offset) -> Iterator[Finding]:
    """Hold the offset of the whole recording, its interval and its drift against the limits."""
    ms, low, high = offset.ms or 0.0, offset.low_ms or 0.0, offset.high_ms or 0.0
    subject.figures.update(offset_ms=ms, offset_low_ms=low, offset_high_ms=high)
    if low * high > 0 and min(abs(low), abs(high)) > subject.limit(OFFSET):
        frames = "" if offset.frames is None else f", {offset.frames:+.1f} frames"
        when = "after" if ms > 0 else "before"
        sentence = (
            f"inputs take effect {abs(ms):.0f} ms {when} they are stamped (90 % within {low:+.1f} to {high:+.1f} ms"
            f"{frames}), more than {subject.limit(OFFSET):g} ms; store it with `rushes qa PATH --fix`, and every "
            "export can apply it"
        )
        yield subject.finding(OFFSET, sentence, value=ms, stream="events", t_ns=offset.at_ns)
    half = offset.half_width_ms or 0.0
    if half > subject.limit(UNSURE):
        sentence = (
            f"the offset of {ms:+.0f} ms is known to +-{half:.0f} ms only (limit {subject.limit(UNSURE):g} ms); record "
            "more play, with more camera motion or key presses"
        )
        yield subject.finding(UNSURE, sentence, value=half, stream="events", severity="info")
    if offset.drift_ppm is None or offset.drift_low_ppm is None or offset.drift_high_ppm is None:
        return
    subject.figures["drift_ppm"] = offset.drift_ppm
    low, high = offset.drift_low_ppm, offset.drift_high_ppm
    if low * high > 0 and min(abs(low), abs(high)) > subject.limit(DRIFT):
        grows = offset.drift_ppm * 3.6
        sentence = (
            f"inputs and pictures run apart by {offset.drift_ppm:+.0f} ppm, {grows:+.0f} ms an hour (90 % within "
            f"{low:+.0f} to {high:+.0f} ppm), more than {subject.limit(DRIFT):g} ppm; store it with "
            "`rushes qa PATH --fix`, and stamp both by one clock"
        )
        yield subject.finding(DRIFT, sentence, value=offset.drift_ppm, stream="events", t_ns=offset.at_ns)


def _segments(subject: Subject, measured: Measured) -> Iterator[Finding]:
    """Say where segments have offsets of their own."""
    known = [part for part in measured.segments if part.ms is not None]
    if len(known) < 2 or not measured.segments_differ:  # noqa: PLR2004 - two to compare
        return
    least = min(known, key=lambda part: part.ms or 0.0)
    most = max(known, key=lambda part: part.ms or 0.0)
    apart = (most.ms or 0.0) - (least.ms or 0.0)
    if apart > subject.limit(SEGMENTS):
        sentence = (
            f"segment {least.segment} has {least.ms:+.0f} ms, segment {most.segment} {most.ms:+.0f} ms: {apart:.0f} ms "
            f"apart (limit {subject.limit(SEGMENTS):g} ms), so one offset for all is wrong; treat them as sessions of "
            "their own"
        )
        yield subject.finding(SEGMENTS, sentence, value=apart, stream="events", t_ns=most.start_ns)


def _sounds(subject: Subject, measured: Measured) -> Iterator[Finding]:
    """Hold the sound's offsets against the limit; a stream of which nothing can be told is named once."""
    limit = subject.limit(SOUND)
    for name in dict.fromkeys(stream for stream, _ in measured.sounds):
        offsets = [offset for stream, offset in measured.sounds if stream == name]
        if not any(offset.known for offset in offsets):
            yield subject.cannot_tell(SOUND, f"{name}: {offsets[0].reason}")
        for offset in offsets:
            low, high = offset.low_ms, offset.high_ms
            if offset.ms is None or low is None or high is None or low * high <= 0:
                continue
            if min(abs(low), abs(high)) > limit:
                follows = offset.between == "input_sound"
                when = "after" if follows == (offset.ms > 0) else "before"
                sentence = (
                    f"{name} is heard {abs(offset.ms):.0f} ms {when} {'the input' if follows else 'its picture'} "
                    f"(offset 90 % within {low:+.1f} to {high:+.1f} ms; limit {limit:g} ms); look for the latency of "
                    "the sound device, and shift the sound by it"
                )
                yield subject.finding(SOUND, sentence, value=offset.ms, stream=name, t_ns=offset.at_ns)
