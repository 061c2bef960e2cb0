"""Faults of sampled play: pictures, actions and outcomes that the environment did not give."""

from __future__ import annotations

import numpy as np

from injected.held import Held, Pixels
from injected.plan import NOT_INJECTED, Rng, fault

NOT_INJECTED["replay.exact"] = "says how many frames came back; it is no fault (info)"
NOT_INJECTED["replay.cannot_tell"] = "says that an episode does not tell how it was made; it is no fault (info)"


@fault("replay.differs", base="env", strengths=(1, 4, 32), stated=1, unit="pixels changed in one picture")
def changed_pixels(held: Held, strength: float, rng: Rng) -> None:
    """Pixels of a picture have another colour than the game drew."""
    where = int(rng.integers(held.frame_count))
    height, width = next(held.frames(0, 1)).shape[:2]
    rows, columns = rng.integers(0, height, int(strength)), rng.integers(0, width, int(strength))

    def paint(k: int, pixels: Pixels) -> Pixels:
        if k != where:
            return pixels
        changed = pixels.copy()
        changed[rows, columns] ^= 0x40
        return changed

    held.paint(paint)


@fault("replay.differs", base="env", strengths=(1, 2, 5), stated=1, unit="pictures left out and the last doubled")
def shifted_pictures(held: Held, strength: float, rng: Rng) -> None:
    """From somewhere on every picture is a later one."""
    segment = held.segments[int(rng.integers(len(held.segments)))]
    frames = np.arange(segment.first_frame, segment.stop_frame)
    shown = [next(held.source.frames(k, k + 1)) for k in frames]
    differ = [k for k in range(len(frames) - int(strength)) if (shown[k] != shown[k + int(strength)]).any()]
    first = int(rng.choice(differ))
    later = np.minimum(frames[first:] + int(strength), frames[-1])
    held.shows[frames[first:]] = later


@fault("replay.differs", base="env", strengths=(1, 2, 5), stated=1, unit="rewards changed")
def changed_rewards(held: Held, strength: float, rng: Rng) -> None:
    """Rewards are not those that the game gave."""
    reward = held.steps_table["reward"].to_numpy().copy()
    reward[rng.choice(len(reward), int(strength), replace=False)] += 1.0
    held.steps_table = held.steps_table.assign(reward=reward)
