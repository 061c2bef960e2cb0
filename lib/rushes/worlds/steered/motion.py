"""What inputs do in a steered world: they turn a camera, scroll a landscape, or change a small thing.

Every function takes inputs at the times at which they take effect and says what is true at given times; an input whose
time is exactly such a time is in. Positions are exact between the times: nothing is simulated in steps.

Example:
    >>> turned([0.1, 0.3], np.array([[4.0], [2.0]]), np.array([0.0, 0.1, 0.2, 0.3])).ravel().tolist()
    [0.0, 4.0, 4.0, 6.0]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def turned(
    times: Sequence[float] | Floats, steps: Floats, at: Floats, *, ease_s: float = 0.0, bound: float = np.inf
) -> Floats:
    """Sum what each input adds.

    Args:
        times: (N,) s, rising.
        steps: (N, D) what each adds.
        at: (T,) s, rising.
        ease_s: The sum is approached with this time constant; 0 jumps.
        bound: The last of the D sums never leaves -bound to bound, as a camera does not turn over.

    Returns:
        (T, D) float64.
    """
    sums = np.cumsum(steps, axis=0)
    if np.isfinite(bound):
        now = 0.0
        for k, step in enumerate(steps[:, -1].tolist()):
            now = min(max(now + step, -bound), bound)
            sums[k, -1] = now
    return _eased(times, sums, at, ease_s)


def driven(times: Sequence[float] | Floats, speeds: Floats, at: Floats, *, ease_s: float = 0.0) -> Floats:
    """Go on with the speed that the last input set.

    Args:
        times: (N,) s, rising.
        speeds: (N, D) px a second from then on; before the first it stands still.
        at: (T,) s, rising.
        ease_s: The speed is approached with this time constant; 0 jumps.

    Returns:
        (T, D) float64 px: how far it went.
    """
    when = np.asarray(times, np.float64)
    if not len(when):
        return np.zeros((len(at), speeds.shape[1]))
    gone = np.concatenate([np.zeros((1, speeds.shape[1])), np.cumsum(speeds[:-1] * np.diff(when)[:, None], axis=0)])
    last = np.searchsorted(when, at, "right") - 1
    found = np.where((last >= 0)[:, None], gone[last] + speeds[last] * (at - when[last])[:, None], 0.0)
    if ease_s:  # of a linear filter: the way lags behind by the speed it has times the constant
        found -= ease_s * _eased(times, speeds, at, ease_s)
    return found


def _eased(times: Sequence[float] | Floats, values: Floats, at: Floats, ease_s: float) -> Floats:
    """Follow a value that jumps at each time, from 0 on."""
    when = np.asarray(times, np.float64)
    goals = np.concatenate([np.zeros((1, values.shape[1])), values])
    last = np.searchsorted(when, at, "right")
    if not ease_s:
        return goals[last]
    behind, now = np.zeros_like(goals), np.zeros(values.shape[1])
    left = np.exp(-np.diff(when, prepend=when[:1]) / ease_s)
    for k in range(len(when)):  # how far behind its goal it is right after each jump
        now = now * left[k] + goals[k + 1] - goals[k]
        behind[k + 1] = now
    since = at - np.concatenate([when[:1] - 1, when])[last] if len(when) else np.zeros(len(at))
    return np.asarray(goals[last] - behind[last] * np.exp(-since / ease_s)[:, None], np.float64)


def held(times: Sequence[float], downs: Sequence[bool], at: Floats) -> Bools:
    """Say whether a key is down.

    Args:
        times: (N,) s of its edges, rising.
        downs: Whether each is a press.
        at: (T,) s.
    """
    state = np.array([False, *downs])
    return np.asarray(state[np.searchsorted(np.asarray(times, np.float64), at, "right")])


def since(starts: Sequence[float], at: Floats) -> Floats:
    """Say how long ago the last of some things began: (T,) s, infinite before the first."""
    when = np.array([-np.inf, *starts])
    return np.asarray(at - when[np.searchsorted(when, at, "right") - 1])


def apart(starts: Sequence[float], least_s: float) -> list[float]:
    """Leave out what begins too soon after the one before, as a hop does in the air."""
    found: list[float] = []
    for start in starts:
        if not found or start - found[-1] >= least_s:
            found.append(start)
    return found


def bent(value: Floats, *, dead: float, power: float) -> Floats:
    """Bend a stick as games do: nothing within the dead zone, then a curve to 1.

    Args:
        value: (N, 2) -1 to 1.
        dead: Radius of the dead zone.
        power: Of the curve; 1 is straight.
    """
    far = np.hypot(value[:, 0], value[:, 1])[:, None]
    strength = np.clip((far - dead) / (1 - dead), 0.0, 1.0) ** power
    return np.asarray(value / np.maximum(far, 1e-9) * strength, np.float64)
