"""What is checked: a recording, with all that several checks want of it, read once.

Tables are read when they are asked for and then kept; the pictures are decoded once, whatever the number of checks that
want something of them (`rushes.qa.pictures`), and the alignment is measured once. A check changes nothing here but
`figures`, where it notes what it measured.

Example:
    >>> from rushes.store.reader import open_session
    >>> def frames_a_second(path):
    ...     return Subject(open_session(path)).recording.rate_hz
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.findings import CANNOT_TELL, Finding, Severity
from rushes.model.recording import Recording
from rushes.qa.pictures.signs import Signs, read_signs
from rushes.qa.rules import Limits, Rule
from rushes.qa.sound.signs import SoundSigns, read_sound_signs

if TYPE_CHECKING:
    from pathlib import Path

    from rushes.qa.alignment.measured import Measured

Numbered = tuple[npt.NDArray[np.intp], pd.Index]
"""(N,) which of the texts each row has, and the texts."""


@dataclass(frozen=True)
class Expected:
    """What a person knows of a recording beforehand, for rules that cannot tell without it.

    Attributes:
        size: (height, width) in px of its pictures.
        rate_hz: Frames a second.
        picture: A screenshot of the game, the right side up and in its right colours: a PNG or JPEG file.
        reference: A recording of the same play to hold it against: what it was made from.
        game_latency_ms: How long the game itself takes from an input to the picture; taken off a measured offset.
    """

    size: tuple[int, int] | None = None
    rate_hz: float | None = None
    picture: Path | None = None
    reference: Recording | None = None
    game_latency_ms: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no recording can have."""
        if self.size is not None and min(self.size) < 1:
            raise BadInputError(
                f"an expected size of {self.size[1]}x{self.size[0]} px", accepts="1x1 and more", fix="pass 640x360"
            )
        if self.rate_hz is not None and not 0 < self.rate_hz < math.inf:
            raise BadInputError(
                f"an expected rate of {self.rate_hz:g} Hz", accepts="frames a second, more than 0", fix="pass 60"
            )
        if self.game_latency_ms is not None and not 0 <= self.game_latency_ms < math.inf:
            raise BadInputError(
                f"a game latency of {self.game_latency_ms:g} ms", accepts="milliseconds, 0 or more", fix="pass 50"
            )


@dataclass
class Subject:
    """A recording under examination.

    Attributes:
        recording: What is checked.
        limits: What it is held against.
        expected: What is known beforehand.
        quick: Whether only descriptions and tables are read: no picture, no sound, no whole file, no environment.
        figures: What checks measured, by the names of `rushes.model.findings.FIGURES`.
    """

    recording: Recording
    limits: Limits = field(default_factory=Limits)
    expected: Expected = field(default_factory=Expected)
    quick: bool = False
    figures: dict[str, float] = field(default_factory=dict)

    @cached_property
    def index(self) -> pd.DataFrame:
        """One row a frame of the whole recording, columns `INDEX_COLUMNS`."""
        return self.recording.index()

    @cached_property
    def events(self) -> pd.DataFrame:
        """Every event of the recording, columns `EVENT_COLUMNS`, in the order of time."""
        return self.recording.events()

    def numbered(self, name: str) -> Numbered:
        """Number the texts of a column of `events`, which several checks want: (E,) numbers, and the texts."""
        if name not in self._numbered:
            self._numbered[name] = pd.factorize(self.events[name])
        return self._numbered[name]

    @cached_property
    def _numbered(self) -> dict[str, Numbered]:
        return {}

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Every step of an environment, columns `STEP_COLUMNS`; empty for recorded play."""
        return self.recording.steps()

    @cached_property
    def signs(self) -> Signs:
        """What one pass over the pictures gives; the first who asks waits for it."""
        return read_signs(self.recording)

    @cached_property
    def sounds(self) -> dict[str, SoundSigns]:
        """What one pass over each stream of sound gives, by its name."""
        return {s.name: read_sound_signs(self.recording.sound(s.name)) for s in self.recording.sound_streams}

    @cached_property
    def measured(self) -> Measured:
        """The alignment, measured once."""
        from rushes.qa.alignment.measure import measure  # measures by what a subject holds

        return measure(self)

    @property
    def was_measured(self) -> Measured | None:
        """The alignment, where it was measured; None where nobody asked, or it could not be looked at."""
        found: Measured | None = self.__dict__.get("measured")
        return found

    def let_go(self) -> None:
        """Forget tables and signs, so that of many recordings one is held at a time; figures and alignment stay."""
        for name in ("index", "events", "_numbered", "steps", "signs", "sounds"):
            self.__dict__.pop(name, None)

    def limit(self, rule: Rule) -> float:
        """Give what a rule holds its value against."""
        return self.limits.of(rule)

    def finding(
        self,
        rule: Rule,
        sentence: str,
        *,
        value: float | None = None,
        stream: str = "",
        frame_index: int | None = None,
        t_ns: int | None = None,
        t_end_ns: int | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """Make a finding of a rule about this recording.

        Args:
            rule: The rule.
            sentence: What was found, where, and what to do.
            value: What was measured, in the rule's unit.
            stream: `frames`, `actions`, `events`, `sound` ...
            frame_index: Where, or None.
            t_ns: When, ns since session start, or None.
            t_end_ns: End of the stretch that begins at `t_ns`, or None; `rushes qa --fix` may mark it invalid.
            severity: Another one than the rule's own.
        """
        return Finding(
            check=rule.id,
            severity=severity or rule.severity,
            sentence=sentence,
            session=self.recording.info.id,
            stream=stream,
            frame_index=frame_index,
            t_ns=t_ns,
            value=None if value is None else float(value),
            limit=None if rule.limit is None else self.limit(rule),
            t_end_ns=t_end_ns,
        )

    def cannot_tell(self, rule: Rule, why: str) -> Finding:
        """Say that a rule cannot tell, and why: a finding of severity `info`."""
        return self.finding(rule, f"{CANNOT_TELL}: {why}", severity="info")
