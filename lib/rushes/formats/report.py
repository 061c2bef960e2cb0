"""What a format keeps, and what a conversion did: the words that the report, the card and the README's table share.

Example:
    >>> Keeps("lossy", times=True, audio=False, rewards=False, names=True, events=False).kept
    ('frames (lossy)', 'times', 'names')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rushes.model.ledger import Ledger


@dataclass(frozen=True)
class Keeps:
    """What survives a way through a format.

    Attributes:
        frames: `exact` bit for bit, `lossy`, or `none`.
        times: The time of each frame.
        audio: Sound.
        rewards: What came of each action: rewards, ends, lives.
        names: Names of the actions beside their numbers.
        events: Raw input events.
        telemetry: What the game told of itself.
        human: Which steps of an environment a person chose. Where it is lost the data card still tells them.
    """

    frames: Literal["exact", "lossy", "none"]
    times: bool
    audio: bool
    rewards: bool
    names: bool
    events: bool
    telemetry: bool = False
    human: bool = False

    def _parts(self) -> list[tuple[str, bool]]:
        frames = ("frames" if self.frames == "none" else f"frames ({self.frames})", self.frames != "none")
        rest = ("times", "audio", "rewards", "names", "events", "telemetry")
        return [frames, *((name, getattr(self, name)) for name in rest), ("human steps", self.human)]

    @property
    def kept(self) -> tuple[str, ...]:
        """What survives, as words."""
        return tuple(name for name, there in self._parts() if there)

    @property
    def lost(self) -> tuple[str, ...]:
        """What does not, as words."""
        return tuple(name for name, there in self._parts() if not there)


@dataclass(frozen=True)
class Report:
    """What a conversion did.

    Attributes:
        target: What was written.
        format: Name of its format.
        written: How many `episodes`, `frames` and `samples` stand in it.
        ledger: From what the source's source offered to what stands in the target; it balances.
        kept: What the source has and the format keeps, as words.
        lost: What the source has and the format does not keep.
        absent: What the source did not have.
    """

    target: Path
    format: str
    written: Mapping[str, int]
    ledger: Ledger
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    absent: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the keys that `rushes convert --json` promises."""
        return {
            "target": str(self.target),
            "format": self.format,
            "written": dict(self.written),
            "ledger": self.ledger.to_json(),
            "kept": list(self.kept),
            "lost": list(self.lost),
        }
