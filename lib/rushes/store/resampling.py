"""Sound at another rate: without delay, and the same samples whatever part of a stream is asked for.

Both rates count their samples from the start of the session, so sample m of the new rate stands at m / to_hz seconds.
The filter is the one that SciPy's `resample_poly` makes (a Kaiser window with beta 5): it is symmetric, hence no
delay, and reaches ten samples of the lower rate to either side.

Example:
    >>> first, stop = around(low=1000, high=1010, rate_hz=48_000, to_hz=16_000)
    >>> first, stop, first % 3
    (2967, 3061, 0)
    >>> resampled(np.ones(stop - first), first=first, low=1000, high=1010, rate_hz=48_000, to_hz=16_000).round(3)[:3]
    array([1., 1., 1.], dtype=float32)
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import UnavailableError

_REACH: Final = 10
"""Half of the filter, in samples of the lower rate."""


def _ratio(rate_hz: int, to_hz: int) -> tuple[int, int]:
    common = gcd(rate_hz, to_hz)
    return to_hz // common, rate_hz // common


def around(*, low: int, high: int, rate_hz: int, to_hz: int) -> tuple[int, int]:
    """Say which samples of a stream are needed for samples of another rate.

    Args:
        low: First sample wanted, at `to_hz`.
        high: Behind the last.
        rate_hz: Samples a second that there are.
        to_hz: Samples a second wanted.

    Returns:
        The first sample, which stands at the time of one of the other rate, so that both grids meet whatever is
        asked for; and the one behind the last.
    """
    up, down = _ratio(rate_hz, to_hz)
    reach = -(-_REACH * max(up, down) // up) + 1
    first = low * down // up - reach
    return first // down * down, -(-high * down // up) + reach


def resampled(
    samples: npt.NDArray[Any], *, first: int, low: int, high: int, rate_hz: int, to_hz: int
) -> npt.NDArray[np.float32]:
    """Resample a part of a stream.

    Args:
        samples: (N,) those that `around` names, or more before and behind.
        first: Number of the first; a multiple as `around` gives it.
        low: First sample wanted, at `to_hz`.
        high: Behind the last.
        rate_hz: Samples a second of `samples`.
        to_hz: Samples a second wanted.

    Returns:
        (high - low,) float32.

    Raises:
        UnavailableError: SciPy does not load.
    """
    up, down = _ratio(rate_hz, to_hz)
    begins = first // down * up
    if up == down:
        return np.asarray(samples[low - begins : high - begins], np.float32)
    found = _signal().resample_poly(np.asarray(samples, np.float64), up, down, window=_filter(max(up, down)))
    return np.asarray(found[low - begins : high - begins], np.float32)


@lru_cache(8)
def _filter(most: int) -> npt.NDArray[np.float64]:
    """Make the low pass that `resample_poly` would make anew for every call."""
    coefficients: npt.NDArray[np.float64] = _signal().firwin(2 * _REACH * most + 1, 1 / most, window=("kaiser", 5.0))
    return coefficients


def _signal() -> Any:
    try:
        from scipy import signal
    except Exception as error:
        raise UnavailableError(
            f"SciPy does not load here ({type(error).__name__}: {error})",
            accepts="an environment with SciPy, which resamples sound",
            fix="pip install scipy, or ask for the rate of the recording",
        ) from error
    return signal
