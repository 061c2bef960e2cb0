"""What to show where not everything fits: every game once before any game twice, evenly over all of them.

Example:
    >>> evenly(100, 4)
    [0, 33, 66, 99]
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rushes.model.recording import Episode, Recording


def evenly(count: int, most: int) -> list[int]:
    """Choose numbers below `count`, first and last among them, evenly spaced.

    Args:
        count: How many there are.
        most: How many to choose at the most; at least 1.
    """
    if count <= most:
        return list(range(count))
    if most == 1:
        return [count // 2]
    return [int(k) for k in np.linspace(0, count - 1, most)]


def episodes_of(source: Recording | Episode | Iterable[Recording | Episode]) -> list[Episode]:
    """List the episodes of a recording, of several, or those that are given, without the empty ones."""
    given = [source] if isinstance(source, Recording | Episode) else list(source)
    found = [e for item in given for e in ([item] if isinstance(item, Episode) else item.episodes())]
    return [e for e in found if e.segment.frames]


def recordings_of(source: Recording | Iterable[Recording]) -> list[Recording]:
    """List recordings, one or several."""
    return [source] if isinstance(source, Recording) else list(source)


def spread(episodes: list[Episode], most: int) -> list[Episode]:
    """Choose episodes: round after round one of each game, in their order; too many games are thinned evenly.

    Args:
        episodes: All of them.
        most: How many to choose at the most.
    """
    by_game: dict[str, list[int]] = {}
    for k, episode in enumerate(episodes):
        by_game.setdefault(episode.recording.info.game, []).append(k)
    queues = list(by_game.values())
    if len(queues) > most:
        return [episodes[queues[q][0]] for q in evenly(len(queues), most)]
    chosen: list[int] = []
    for turn in range(max((len(q) for q in queues), default=0)):
        chosen += [q[turn] for q in queues if turn < len(q)][: most - len(chosen)]
    return [episodes[k] for k in sorted(chosen)]
