"""Sound: is something to be heard, is it whole, and does it keep time?

All rules rest on one pass over each stream (`rushes.qa.sound.signs`). Where a recorder paused, nothing has to be heard:
gaps and what is missing count inside of segments.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_sound(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from rushes.model.clock import NS
from rushes.model.findings import Finding, Severity
from rushes.qa.rules import Rule, rules_of
from rushes.qa.sound.signs import HOP_NS, SoundSigns
from rushes.qa.sound.time import clock_of, holes, overlaps
from rushes.qa.subject import Subject

SILENCE: Final = Rule("sound.silence", "a stream in which nothing is heard", limit=99.5, unit="%", sees="sound")
QUIET: Final = Rule("sound.quiet", "sound that is too quiet, at its loudest", limit=-50.0, unit="dBFS", sees="sound")
CLIPPING: Final = Rule("sound.clipping", "samples cut off at full scale", limit=0.1, unit="%", sees="sound")
DC: Final = Rule("sound.dc", "a constant that is no sound", limit=5.0, unit="% of full scale", sees="sound")
DEAD: Final = Rule("sound.dead_channel", "a channel quieter than the loudest", limit=50.0, unit="dB", sees="sound")
INVERTED: Final = Rule("sound.inverted", "channels that are each other upside down", limit=90.0, unit="%", sees="sound")
DROPOUT: Final = Rule(
    "sound.dropout", "samples of zero in the midst of loud sound", limit=3.0, unit="a minute", sees="sound"
)
GAP: Final = Rule("sound.gap", "time without sound inside a segment", limit=200.0, unit="ms", sees="sound")
MISSING: Final = Rule(
    "sound.missing", "share of the segments that lies in holes of the sound", limit=5.0, unit="%", sees="sound"
)
OVERLAP: Final = Rule(
    "sound.overlap", "blocks that begin before the one before ends", limit=60.0, unit="ms", sees="sound"
)
RATE: Final = Rule(
    "sound.rate", "a sound card's clock that differs from the session's", limit=500.0, unit="ppm", sees="sound"
)
START: Final = Rule("sound.start", "sound that begins after the pictures", limit=3000.0, unit="ms", sees="sound")
END: Final = Rule("sound.end", "sound that ends before the pictures", limit=1000.0, unit="ms", sees="sound")
RULES: Final = rules_of(SILENCE, QUIET, CLIPPING, DC, DEAD, INVERTED, DROPOUT, GAP, MISSING, OVERLAP, RATE, START, END)

SILENT: Final = 10 ** (-70 / 20)
"""RMS below which a hop is silent: -70 dBFS, ten steps of 16 bit."""
_LONG_NS: Final = 5 * NS  # a game may well be silent for less
_DROPOUTS: Final = 3  # fewer are no rate
_LOUDEST: Final = 0.99  # quantile of the hops that counts as the loudest
_MS: Final = 1e-6


def check_sound(subject: Subject) -> Iterator[Finding]:
    """Check the sound of a recording.

    Args:
        subject: Any recording; one without a stream of sound gets no finding.

    Yields:
        `sound.*` findings.
    """
    if subject.quick:
        return
    for name, heard in subject.sounds.items():
        yield from _times(subject, name, heard)
        if heard.count:
            yield from _loudness(subject, name, heard)
            yield from _channels(subject, name, heard)


def _loudness(subject: Subject, name: str, heard: SoundSigns) -> Iterator[Finding]:
    level = heard["level"]
    if not len(level):
        return
    silent = 100 * float((level < SILENT).mean())
    at_most: Severity | None = "info" if subject.recording.is_environment else None  # there is no wrong device
    loudest = 20 * np.log10(max(float(np.quantile(level, _LOUDEST)), 1e-6))
    long = len(level) * HOP_NS >= _LONG_NS
    if silent >= subject.limit(SILENCE) and long:
        sentence = (
            f"{name}: nothing is heard in {silent:.1f} % of {len(level) * HOP_NS / NS:.1f} s (below -70 dBFS); see "
            f"that the game's sound goes to the device that was recorded, or leave the stream out"
        )
        yield subject.finding(SILENCE, sentence, value=silent, stream=name, severity=at_most)
    elif loudest < subject.limit(QUIET) and long:
        sentence = (
            f"{name}: at its loudest {loudest:.0f} dBFS, under {subject.limit(QUIET):g}; turn the game's volume or the "
            f"device's gain up, 16 bit leave little of it"
        )
        yield subject.finding(QUIET, sentence, value=loudest, stream=name, severity=at_most)
    clipped = heard.blocks["clipped"]
    share = 100 * int(clipped.sum()) / heard.count
    if share > subject.limit(CLIPPING):
        worst = int(heard.blocks["t_ns"][int((clipped / heard.blocks["count"]).argmax())])
        sentence = (
            f"{name}: {share:.2f} % of the samples are cut off at full scale (limit {subject.limit(CLIPPING):g} %), "
            f"worst at {worst / NS:.2f} s; turn the volume down and record again, it cannot be mended"
        )
        yield subject.finding(CLIPPING, sentence, value=share, stream=name, t_ns=worst)
    dropped = np.flatnonzero(heard["dropped"])
    rate = len(dropped) * 60 * NS / (len(level) * HOP_NS)
    if (
        len(dropped) >= _DROPOUTS and rate > subject.limit(DROPOUT) and not subject.recording.is_environment
    ):  # a sound chip stops anywhere
        at = int(heard["hop"][dropped[0]]) * HOP_NS
        sentence = (
            f"{name}: {len(dropped)} times loud sound breaks off to zeros and goes on, first at {at / NS:.2f} s: "
            f"{rate:.1f} a minute (limit {subject.limit(DROPOUT):g}); close what keeps the machine busy, record with "
            f"larger blocks"
        )
        yield subject.finding(DROPOUT, sentence, value=rate, stream=name, t_ns=at)


def _channels(subject: Subject, name: str, heard: SoundSigns) -> Iterator[Finding]:
    constant = 100 * np.abs(heard.mean)
    if constant.max() > subject.limit(DC) and not subject.recording.is_environment:  # a sound chip has one sign
        sentence = (
            f"{name}: channel {int(constant.argmax())} stands {constant.max():.1f} % of full scale off zero (limit "
            f"{subject.limit(DC):g} %); take the mean off before use, and look at the device"
        )
        yield subject.finding(DC, sentence, value=constant.max(), stream=name)
    power = np.maximum(np.diag(heard.together), 1e-12)
    if len(power) < 2 or power.max() < SILENT**2:  # noqa: PLR2004 - two channels to compare
        return
    below = 10 * np.log10(power.max() / power.min())
    if below > subject.limit(DEAD):
        sentence = (
            f"{name}: channel {int(power.argmin())} is {below:.0f} dB quieter than channel {int(power.argmax())} "
            f"(limit {subject.limit(DEAD):g} dB); use the other one alone, and look at the cable or the mixer"
        )
        yield subject.finding(DEAD, sentence, value=below, stream=name)
    alive = np.flatnonzero(power > power.max() * 10 ** (-subject.limit(DEAD) / 10))
    likeness = (heard.together / np.sqrt(np.outer(power, power)))[np.ix_(alive, alive)]
    opposite = -100 * float(likeness.min())
    if opposite > subject.limit(INVERTED):
        first, second = alive[np.array(np.unravel_index(int(likeness.argmin()), likeness.shape))].tolist()
        sentence = (
            f"{name}: channels {first} and {second} are {opposite:.0f} % each other upside down (limit "
            f"{subject.limit(INVERTED):g} %): their mean is silence; turn the sign of one before they are mixed"
        )
        yield subject.finding(INVERTED, sentence, value=opposite, stream=name)


def _times(subject: Subject, name: str, heard: SoundSigns) -> Iterator[Finding]:
    segments = [s for s in subject.recording.segments if s.end_ns > s.start_ns]
    if not segments:
        return
    inside = holes(heard, segments)
    whole_ns = sum(s.end_ns - s.start_ns for s in segments)
    missing = 100 * int((inside[:, 1] - inside[:, 0]).sum()) / whole_ns if len(heard.blocks) else 100.0
    if missing > subject.limit(MISSING):
        sentence = (
            f"{name}: {missing:.1f} % of {whole_ns / NS:.1f} s have no sound (limit {subject.limit(MISSING):g} %); "
            f"use rows that were heard only, or leave the stream out"
        )
        yield subject.finding(MISSING, sentence, value=missing, stream=name)
    if not len(heard.blocks):
        return
    yield from _edges(subject, name, heard, segments[0].start_ns, segments[-1].end_ns)
    if len(inside) and (inside[:, 1] - inside[:, 0]).max() * _MS > subject.limit(GAP):
        length = (inside[:, 1] - inside[:, 0]) * _MS
        at, count = int(inside[int(length.argmax()), 0]), int((length > subject.limit(GAP)).sum())
        sentence = (
            f"{name}: {length.max():.0f} ms without sound at {at / NS:.2f} s, {count} such of more than "
            f"{subject.limit(GAP):g} ms; those rows count as not heard, close what keeps the machine busy"
        )
        yield subject.finding(GAP, sentence, value=length.max(), stream=name, t_ns=at)
    over = overlaps(heard) * _MS
    if over.max(initial=0) > subject.limit(OVERLAP):
        at, count = int(heard.blocks["t_ns"][int(over.argmax())]), int((over > subject.limit(OVERLAP)).sum())
        sentence = (
            f"{name}: the block at {at / NS:.2f} s begins {over.max():.0f} ms before the one before it ends, {count} "
            f"such of more than {subject.limit(OVERLAP):g} ms; the later one is kept where they meet, see whether two "
            f"devices write to one stream"
        )
        yield subject.finding(OVERLAP, sentence, value=over.max(), stream=name, t_ns=at)
    clock = clock_of(heard)
    if clock is not None and min(abs(clock.low_ppm), abs(clock.high_ppm)) > subject.limit(RATE) and clock.one_sided:
        sentence = (
            f"{name}: its clock runs {clock.ppm:+.0f} ppm off the session's (90 % within {clock.low_ppm:+.0f} to "
            f"{clock.high_ppm:+.0f}, limit {subject.limit(RATE):g}), {abs(clock.ppm) * 0.6:.0f} ms in ten minutes; "
            f"place sound by the times of its blocks and never by counting samples from {heard.rate_hz} Hz"
        )
        yield subject.finding(RATE, sentence, value=clock.ppm, stream=name)


def _edges(subject: Subject, name: str, heard: SoundSigns, start_ns: int, end_ns: int) -> Iterator[Finding]:
    late = (int(heard.blocks["t_ns"].min()) - start_ns) * _MS
    if late > subject.limit(START):
        sentence = (
            f"{name}: begins {late:.0f} ms after the pictures (limit {subject.limit(START):g} ms); rows before it "
            f"count as not heard, wait until something sounds before the take"
        )
        yield subject.finding(START, sentence, value=late, stream=name, t_ns=start_ns)
    early = (end_ns - int(heard.ends_ns.max())) * _MS
    if early > subject.limit(END):
        sentence = (
            f"{name}: ends {early:.0f} ms before the pictures (limit {subject.limit(END):g} ms); rows after it count "
            f"as not heard, see whether the device was lost"
        )
        yield subject.finding(END, sentence, value=early, stream=name, t_ns=int(heard.ends_ns.max()))
