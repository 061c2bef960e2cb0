"""Counters of a game that is played by hand, and how long its edges took to become steps.

Example (99 edges that took 1 to 99 ms):
    >>> tally = Tally()
    >>> for ms in range(1, 100):
    ...     tally.took(ms * 1_000_000)
    >>> tally.latency_ms()
    {'p50': 50.0, 'p95': 94.1}
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

_RECENT: Final = 500
_MS: Final = 1_000_000


@dataclass
class Tally:
    """What is counted while it is played.

    Attributes:
        state: `ready`, `playing`, `paused` or `ended`.
        frames: Pictures stored.
        steps: Steps taken.
        human_steps: Those of them that a person chose.
        events: Edges stored.
        ignored: Edges of controls that mean nothing.
        stalls: Segments that ended because the machine held the game up.
        episode: 0-based.
        score: Sum of the rewards of this episode.
        reward: Of the last step.
        lives: After the last step, -1 where there are none.
        human: Whether the last step was a person's.
        recorded_ns: ns in segments that are closed.
    """

    state: str = "ready"
    frames: int = 0
    steps: int = 0
    human_steps: int = 0
    events: int = 0
    ignored: int = 0
    stalls: int = 0
    episode: int = 0
    score: float = 0.0
    reward: float = 0.0
    lives: int = -1
    human: bool = False
    recorded_ns: int = 0
    _latency_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT), repr=False)

    def took(self, latency_ns: int) -> None:
        """Count an edge that was used so long after it happened, ns."""
        self._latency_ns.append(latency_ns)

    def latency_ms(self) -> dict[str, float] | None:
        """Give the median and the 95th percentile of the last 500 used edges, ms; None before the first one."""
        if not self._latency_ns:
            return None
        p50, p95 = np.percentile(np.array(self._latency_ns, np.int64), (50, 95)) / _MS
        return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}

    def face(self) -> dict[str, Any]:
        """Give what stands beside every picture."""
        return {
            "score": self.score,
            "reward": self.reward,
            "lives": self.lives,
            "human": self.human,
            "episode": self.episode,
        }
