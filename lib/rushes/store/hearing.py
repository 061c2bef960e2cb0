"""What is heard in each row: the sound of [t_k, t_{k+1}) as numbers that a network reads.

Sound is found by its time, never by counting samples, and any rows can be asked for in any order: what a row gets
depends on its own interval alone, to the bit. There are two kinds:

- `logmel` (`rushes.model.mel`): how loud each of `bins` bands up to rate_hz / 2 is, from 0 (silence) to 1. The window
  of a row lies within its interval, so nothing of a neighbour shows in it. It is measured at the rate of the
  recording: nothing is resampled.
- `waveform`: the samples at `rate_hz` from t_k on, mean of the channels, -1 to 1: as many as a row of `row_ns` has, of
  a longer row the first, of a shorter one what it has and then zeros. Where the recording has another rate it is
  resampled, without delay, on one grid of samples for the whole session, so rows join without a seam; the filter
  reaches ten samples of the lower rate (0.6 ms at 16 kHz) to either side, and a click that close to the edge of a row
  leaves a trace in the next.

A row is heard when at least half of its interval was recorded; what is missing of it counts as silence. Of any other
row all numbers are 0 and `heard` is False. Streams with several channels are taken together as their mean.

Example:
    >>> as_hearing("logmel").features, Hearing("waveform", rate_hz=16_000, row_ns=33_333_333).features
    (128, 533)
    >>> def sound_of_segment(recording, segment):
    ...     t_ns = recording.index(segment.index)["t_ns"].to_numpy()
    ...     return hear(recording, None, t_ns, np.append(t_ns[1:], segment.end_ns), Hearing())
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, BadNameError
from rushes.model.clock import NS
from rushes.model.mel import log_mel
from rushes.model.recording import Recording
from rushes.model.sounds import BRIDGE_NS, lay
from rushes.store.entry import Entry
from rushes.store.resampling import around, resampled

Heard = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]

KINDS: Final = ("logmel", "waveform")
AUTO: Final = "auto"
"""Sound as `logmel` where a recording has any."""
_SPAN_NS: Final = 8 * NS
"""Rows within this are read at once; it bounds the memory and changes no number."""
_APART_NS: Final = NS // 2
"""Rows that are further apart are read each for itself."""
_MOST_HZ: Final = 655_350


@dataclass(frozen=True)
class Hearing:
    """How sound becomes numbers.

    Attributes:
        kind: `logmel` or `waveform`.
        bins: Bands of `logmel`.
        rate_hz: Samples a second of `waveform`; `logmel` measures up to half of it, whatever the recording has.
        n_fft: Samples, at `rate_hz`, of a spectrum of `logmel`; longer rows are looked at through several windows.
        row_ns: ns of an ordinary row, which says how many samples of `waveform` a row gets; see `for_rows`.

    Raises:
        BadInputError: A value out of its range.
        BadNameError: Another kind.
    """

    kind: Literal["logmel", "waveform"] = "logmel"
    bins: int = 128
    rate_hz: int = 16_000
    n_fft: int = 2048
    row_ns: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadNameError(f"hearing {self.kind!r}", accepts=", ".join(KINDS), fix="pass audio='logmel'")
        for name, most in (("bins", 4096), ("rate_hz", _MOST_HZ), ("n_fft", 1 << 20)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
                raise BadInputError(
                    f"{name}={value!r}", accepts=f"a whole number from 1 to {most}", fix=f"leave {name} out"
                )

    @property
    def features(self) -> int:
        """How many numbers a row gets.

        Raises:
            BadInputError: A waveform that knows no length of a row.
        """
        return self.features_of(self.row_ns)

    def features_of(self, row_ns: int) -> int:
        """Say how many numbers a row of a length gets: the bands, or the samples that it has.

        Args:
            row_ns: ns of an ordinary row.

        Raises:
            BadInputError: A waveform of rows without a sample.
        """
        if self.kind == "logmel":
            return self.bins
        count = round(self.rate_hz * row_ns / NS)
        if count < 1:
            raise BadInputError(
                f"a waveform of rows of {row_ns} ns",
                accepts="rows that hold a sample",
                fix="say how long an ordinary row is: hearing.for_rows(row_ns)",
            )
        return count

    def for_rows(self, row_ns: int) -> Self:
        """Give the same hearing for rows of a length, ns."""
        return replace(self, row_ns=int(row_ns))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def as_hearing(audio: bool | str | Hearing | None) -> Hearing | None:
    """Read what users pass as `audio`.

    Args:
        audio: True or "logmel", "waveform", a `Hearing`; None or False: no sound.

    Raises:
        BadNameError: Another word.
    """
    if audio is None or audio is False:
        return None
    if isinstance(audio, Hearing):
        return audio
    return Hearing() if audio is True else Hearing(audio)  # type: ignore[arg-type]  # it checks the word itself


def hearing_of(audio: bool | str | Hearing | None, entries: Sequence[Entry], *, frame_skip: int = 1) -> Hearing | None:
    """Read what users pass as `audio`, for rows that are as long as they ordinarily are in some recordings.

    Args:
        audio: As `as_hearing` takes it, or `auto`: `logmel` where any of them has sound.
        entries: The recordings.
        frame_skip: Frames from one row to the next.

    Raises:
        BadNameError: Another word.
    """
    if audio == AUTO:
        audio = any(entry.sounds for entry in entries)
    hearing = as_hearing(audio)
    rates = [entry.rate_hz for entry in entries if entry.rate_hz > 0]
    if hearing is None or hearing.row_ns or not rates:
        return hearing
    return hearing.for_rows(round(frame_skip * NS / float(np.median(rates))))


def choose_stream(names: Iterable[str]) -> str | None:
    """Choose the stream that is meant where none is named: `system`, else the first; None where there is none."""
    known = list(names)
    return "system" if "system" in known else next(iter(known), None)


def hear(
    recording: Recording,
    stream: str | Sequence[str] | None,
    starts_ns: npt.ArrayLike,
    ends_ns: npt.ArrayLike,
    hearing: Hearing,
) -> Heard:
    """Hear the sound of intervals.

    Args:
        recording: Any recording.
        stream: Its name; None takes `system`, else the first. Several names give the numbers of each, one behind the
            other, and a row is heard where any of them is. One that the recording lacks is not heard.
        starts_ns: (N,) ns since session start, in any order.
        ends_ns: (N,) ns since session start, behind each interval.
        hearing: How sound becomes numbers.

    Returns:
        (N, F) float32 and (N,) bool whether each interval was heard. F is `hearing.features` for each stream.

    Raises:
        BadInputError: Intervals that end before they begin; a waveform that knows no length of a row; more bands than
            the spectrum can tell apart.
        BadDataError: The sound is damaged.
        UnavailableError: A waveform has to be resampled and SciPy does not load.
    """
    starts, ends = np.asarray(starts_ns, np.int64), np.asarray(ends_ns, np.int64)
    if starts.ndim != 1 or starts.shape != ends.shape or (ends < starts).any():
        raise BadInputError(
            f"intervals with starts of shape {starts.shape} and ends of shape {ends.shape}",
            accepts="(N,) starts and (N,) ends, none before its start",
            fix="pass the times of the rows and those behind them",
        )
    names = [s.name for s in recording.sound_streams]
    if stream is not None and not isinstance(stream, str):
        parts = [hear(recording, name, starts, ends, hearing) for name in stream]
        heard = np.any([part for _, part in parts], axis=0) if parts else np.zeros(len(starts), np.bool_)
        return np.concatenate([np.zeros((len(starts), 0), np.float32), *(f for f, _ in parts)], axis=1), heard
    features, heard = np.zeros((len(starts), hearing.features), np.float32), np.zeros(len(starts), np.bool_)
    name = choose_stream(names) if stream is None else stream
    if name in names:
        for rows in _spans(starts, ends):
            features[rows], heard[rows] = _hear_span(recording, str(name), starts[rows], ends[rows], hearing)
    return features, heard


def _spans(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.intp]]:
    """Give the places of rows that are read at once."""
    order = np.argsort(starts, kind="stable")
    first = 0
    until_ns = since_ns = 0
    for place, (start, end) in enumerate(zip(starts[order].tolist(), ends[order].tolist(), strict=True)):
        if place > first and (start > until_ns + _APART_NS or end > since_ns + _SPAN_NS):
            yield order[first:place]
            first = place
        since_ns, until_ns = (start, end) if place == first else (since_ns, max(until_ns, end))
    if len(order):
        yield order[first:]


def _hear_span(
    recording: Recording, stream: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], hearing: Hearing
) -> Heard:
    rate_hz = round(recording.sound_stream(stream).rate_hz)
    features = np.zeros((len(starts), hearing.features), np.float32)
    own = _numbers(starts, rate_hz), _numbers(ends, rate_hz)
    first, stop = int(own[0].min()), int(own[1].max())
    if hearing.kind == "waveform":
        wanted = _numbers(starts, hearing.rate_hz), _numbers(ends, hearing.rate_hz)
        low, high = int(wanted[0].min()), int(wanted[1].max())
        first, stop = around(low=low, high=high, rate_hz=rate_hz, to_hz=hearing.rate_hz)
    times = first * NS // rate_hz - BRIDGE_NS, -(-stop * NS // rate_hz) + BRIDGE_NS
    line, known = lay(recording.sound_between(stream, *times), first=first, stop=stop, rate_hz=rate_hz)
    sums = np.concatenate([[0], np.cumsum(known)])
    heard = (own[1] > own[0]) & (2 * (sums[own[1] - first] - sums[own[0] - first]) >= own[1] - own[0])
    if not heard.any():
        return features, heard
    if hearing.kind == "waveform":
        grids = {"rate_hz": rate_hz, "to_hz": hearing.rate_hz}
        samples = resampled(line, first=first, low=low, high=high, **grids)
        for row in np.flatnonzero(heard):
            part = samples[wanted[0][row] - low : wanted[1][row] - low][: features.shape[1]]
            features[row, : len(part)] = part
        return features, heard
    size = 1 << (hearing.n_fft * rate_hz // hearing.rate_hz - 1).bit_length()
    lengths = np.where(heard, own[1] - own[0], 0)
    for length in np.unique(lengths[heard]):
        rows = np.flatnonzero(lengths == length)
        stretches = line[own[0][rows, None] - first + np.arange(length)]
        features[rows] = log_mel(stretches, rate_hz=rate_hz, bins=hearing.bins, n_fft=size, high_hz=hearing.rate_hz / 2)
    return features, heard


def _numbers(t_ns: npt.NDArray[np.int64], rate_hz: int) -> npt.NDArray[np.int64]:
    """Give the number of the first sample at or after each time."""
    seconds, rest = np.divmod(t_ns, NS)
    numbers: npt.NDArray[np.int64] = seconds * rate_hz - (-rest * rate_hz // NS)
    return numbers
