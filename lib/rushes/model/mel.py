"""Log-mel: how loud each band of pitch is in a stretch of sound, on a scale from 0 to 1.

Pitch is measured in mel by the formula of the HTK Book (section 5.4, "Filterbank Analysis"; the constants go back to
O'Shaughnessy, Speech Communication, 1987): mel = 1127 ln(1 + f / 700 Hz). The bands are triangles of height 1, evenly
spaced and straight in mel, each from the middle of its neighbour below to that of its neighbour above. So they are
HTK's and TensorFlow's (`tf.signal.linear_to_mel_weight_matrix`); Slaney's, librosa's default, are others.

A stretch is looked at through one window that lies in it and nowhere else: flat, with a cosine rise over an eighth at
each end (a Tukey window; Harris, Proceedings of the IEEE 66, 1978) that begins at a tenth, as Hamming's begins near
there. So a click nearly anywhere in it counts as much as one in its middle, and at its very edge 20 dB less, and none
is seen in the stretch beside it. It is padded with zeros to `n_fft` samples. A stretch that is longer than
`n_fft` gets several windows of that length, half over each other, and the mean of their powers. The mean of the
samples is taken off first: a constant is no sound.

A band's value is 1 + log10(power) / 10, at the least 0: 1 is a power of 1 (a sine of full scale has half of that, and
0.97), each 0.1 less is 10 dB less, and 0 is silence, or 100 dB down, where 16 bit end. The power is a mean over the
stretch: neither its length nor the rate of samples changes it.

Example:
    >>> time_s = np.arange(1600) / 16_000
    >>> loud = log_mel(np.sin(2 * np.pi * 1000 * time_s)[None], rate_hz=16_000, bins=40, n_fft=2048)
    >>> int(loud[0].argmax()), round(float(band_hz(40, high_hz=8000)[loud[0].argmax()]))
    (13, 986)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Floats = npt.NDArray[np.float64]

LOW_HZ: Final = 20.0
"""Where the lowest band begins: what is lower is not heard."""
FLOOR: Final = 1e-10
"""Power that counts as silence: -100 dB; the rounding of 16 bit alone makes -101 dB."""
_TAPER: Final = 8  # each end of a window is an eighth of it
_EDGE: Final = 0.1  # where it begins: -20 dB


def hz_to_mel(hz: npt.ArrayLike) -> Floats:
    """Turn frequencies into mel."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0))


def mel_to_hz(mel: npt.ArrayLike) -> Floats:
    """Turn mel into frequencies."""
    return np.asarray(700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0))


def band_hz(bins: int, *, high_hz: float, low_hz: float = LOW_HZ) -> Floats:
    """Give the middle of each band in Hz: (bins,)."""
    return mel_to_hz(_edges(bins, low_hz, high_hz)[1:-1])


def _edges(bins: int, low_hz: float, high_hz: float) -> Floats:
    """Give the ends and middles of the bands in mel: (bins + 2,), each a middle and the end of its neighbours."""
    return np.linspace(float(hz_to_mel(low_hz)), float(hz_to_mel(high_hz)), bins + 2)


def mel_weights(bins: int, spectrum_hz: Floats, *, high_hz: float, low_hz: float = LOW_HZ) -> Floats:
    """Give how much of each line of a spectrum each band takes.

    Args:
        bins: How many bands.
        spectrum_hz: (K,) frequencies of the lines.
        high_hz: Where the highest band ends.
        low_hz: Where the lowest begins.

    Returns:
        (bins, K) from 0 to 1.
    """
    edges = _edges(bins, low_hz, high_hz)
    apart = np.abs(hz_to_mel(spectrum_hz) - edges[1:-1, None])
    return np.asarray(np.maximum(0.0, 1.0 - apart / (edges[1] - edges[0])))


@lru_cache(8)
def _bank(bins: int, rate_hz: int, size: int, high_hz: float) -> Floats:
    """Give the weights up to the highest line that a band takes: (bins, K)."""
    lines = np.arange(size // 2 + 1) * rate_hz / size
    bank = mel_weights(bins, lines[lines < high_hz], high_hz=high_hz)
    reach = band_hz(bins, high_hz=high_hz) < rate_hz / 2  # a recording of a low rate has no sound in the others
    if not bank[reach].any(axis=1).all():
        raise BadInputError(
            f"{bins} bands up to {high_hz:g} Hz from {size} samples at {rate_hz} Hz: some hold no line of the spectrum",
            accepts="fewer bands, or more samples",
            fix="pass fewer bins or a longer n_fft",
        )
    return bank


@lru_cache(64)
def window(count: int) -> Floats:
    """Give a flat window with a rise and a fall: (count,) from 0.1 to 1."""
    edge = count // _TAPER
    rise = _EDGE + (1 - _EDGE) * np.sin(np.pi / 2 * (np.arange(edge) + 0.5) / max(edge, 1)) ** 2
    return np.concatenate([rise, np.ones(count - 2 * edge), rise[::-1]])


def log_mel(
    samples: npt.NDArray[Any], *, rate_hz: int, bins: int = 128, n_fft: int = 2048, high_hz: float = 8000.0
) -> npt.NDArray[np.float32]:
    """Measure stretches of sound.

    Args:
        samples: (N, L) stretches of the same length, from -1 to 1; one at the least.
        rate_hz: Samples a second.
        bins: Bands.
        n_fft: Samples of a spectrum: its lines stand rate_hz / n_fft apart.
        high_hz: Where the highest band ends.

    Returns:
        (N, bins) float32 from 0 to 1; each row depends on its stretch alone, to the bit.

    Raises:
        BadInputError: Some band would hold no line of the spectrum.
    """
    bank = _bank(bins, rate_hz, n_fft, high_hz)
    whole = np.asarray(samples, np.float64)
    whole = whole - whole.mean(axis=1, keepdims=True)
    length = whole.shape[1]
    size = min(length, n_fft)
    count = max(1, -(-2 * (length - size) // size) + 1)
    taper, power = window(size), np.zeros((len(whole), bank.shape[1]))
    for begin in np.linspace(0, length - size, count).round().astype(int):
        lines = np.fft.rfft(whole[:, begin : begin + size] * taper, n_fft)[:, : bank.shape[1]]
        power += lines.real**2 + lines.imag**2
    power *= 2 / (count * n_fft * (taper**2).sum())
    bands = np.einsum("nk,bk->nb", power, bank)  # not a matrix product, whose rounding depends on the other rows
    return np.asarray(1 + np.log10(np.maximum(bands, FLOOR)) / 10, np.float32)
