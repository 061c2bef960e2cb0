"""Cases of known alignment for `benchmarks/alignment.py`: which worlds, and what a measurement of one said.

Everything about a case follows from its number, so that one can be looked at again by itself:

    python -c "from measured.steered_cases import steered; print(steered(10_017))"
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rushes.capture.recorder import record
from rushes.capture.steered import SteeredBackend
from rushes.model.clock import NS
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.subject import Subject
from rushes.worlds.steered.play import IDLE, STEERED
from rushes.worlds.steered.world import Steered

EDGES, MOTION_S = 50, 20.0
"""A case has at least so many edges, or so many seconds of motion."""
LONGEST_S = 240.0
FILM_EVERY = 4
"""Every fourth case is written as an H.264 session and read from the disk."""
IDLE_S = (20.0, 60.0)
DRIFT_S = 600.0
DRIFT_SIZE = (144, 256)


@dataclass(frozen=True)
class Case:
    """One world to measure.

    Attributes:
        number: Its seed.
        world: The world.
        film: Whether it goes through H.264 and the disk.
    """

    number: int
    world: Steered
    film: bool = False


@dataclass(frozen=True)
class Said:
    """What was measured on a case, beside the truth.

    Attributes:
        number: The case.
        kind: What hands do, or why nothing is to be told.
        rate_hz: Frames a second.
        true_ms: The offset at the time for which one was given, else in the middle.
        drift_ppm: The drift.
        ms: What was measured, None where it could not tell; `low_ms` and `high_ms` are its interval.
        said_ppm: The drift that was measured; `low_ppm` and `high_ppm` are its interval.
        reason: Why it could not tell.
        segments: Errors in frames of its segments, where there are several; None where one could not tell.
        took_s: Seconds of measuring, drawing or decoding the pictures included.
        world: Parameters of the world.
    """

    number: int
    kind: str
    rate_hz: float
    true_ms: float
    drift_ppm: float
    ms: float | None
    low_ms: float | None
    high_ms: float | None
    said_ppm: float | None
    low_ppm: float | None
    high_ppm: float | None
    confidence: float
    reason: str
    segments: tuple[float | None, ...]
    took_s: float
    film: bool
    world: dict[str, Any] = field(default_factory=dict)

    @property
    def error_ms(self) -> float:
        """Measured less true; NaN where it could not tell."""
        return float("nan") if self.ms is None else self.ms - self.true_ms

    @property
    def error_frames(self) -> float:
        """The same in frames of the recording."""
        return self.error_ms * self.rate_hz / 1e3

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low_ms is not None and self.high_ms is not None and self.low_ms <= self.true_ms <= self.high_ms

    @property
    def drift_error_ppm(self) -> float:
        """Measured less true; NaN where it could not tell."""
        return float("nan") if self.said_ppm is None else self.said_ppm - self.drift_ppm

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def steered(number: int, kinds: Sequence[str] = STEERED, *, seconds: float = 60.0) -> Case:
    """Plan a case with something to be told.

    Args:
        number: Decides everything; its kind goes round.
        kinds: Of which kinds.
        seconds: How long at least; longer until there are enough edges or motion.
    """
    rng = np.random.default_rng([number, 0xA11])
    kind = kinds[number % len(kinds)]
    rate_hz = float(rng.choice([20.0, 30.0, 30.0, 60.0]))
    own = float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0.55, 0.9) * rate_hz, rng.uniform(1.1, 4.0) * rate_hz]))
    camera = kind in ("mouse_camera", "stick_camera", "keys_scroll", "mixed")
    world = {
        "kind": kind,
        "rate_hz": rate_hz,
        "seed": number,
        "offset_ms": round(float(rng.uniform(-200, 200)), 2),
        "drift_ppm": round(float(rng.choice([0.0, rng.uniform(-200, 200)])), 1),
        "jitter_ms": float(rng.choice([0.0, 0.5, 2.0, 4.0])),
        "stamp_jitter_ms": float(rng.choice([0.0, 0.0, 0.5, 2.0])),
        "drop_share": float(rng.choice([0.0, 0.0, 0.01, 0.05])),
        "screen_hz": round(own, 2),
        "ease_ms": float(rng.choice([0.0, 0.0, 0.0, rng.uniform(8, 30)])) if camera else 0.0,
        "pauses": int(rng.choice([0, 0, 0, 0, 1])),
    }
    made = Steered(seconds=seconds, **world)
    while seconds >= 60 and made.edges < EDGES and made.motion_s < MOTION_S and made.seconds < LONGEST_S:
        made = Steered(seconds=made.seconds + 20, **world)
    return Case(number, made, film=number // len(kinds) % FILM_EVERY == 0)


def idle(number: int, kinds: Sequence[str] = IDLE) -> Case:
    """Plan a case with nothing to be told."""
    rng = np.random.default_rng([number, 0x1D1])
    world = Steered(
        kind=kinds[number % len(kinds)],
        rate_hz=float(rng.choice([20.0, 30.0, 30.0, 60.0])),
        seed=number,
        seconds=round(float(rng.uniform(*IDLE_S))),
        jitter_ms=float(rng.choice([0.0, 2.0])),
        drop_share=float(rng.choice([0.0, 0.02])),
        screen_hz=float(rng.choice([0.0, 0.0, 21.3])),
    )
    return Case(number, world, film=number // len(kinds) % FILM_EVERY == 0)


def drifting(number: int, kinds: Sequence[str] = STEERED) -> Case:
    """Plan a case of ten minutes with a drift."""
    rng = np.random.default_rng([number, 0xD81])
    world = Steered(
        kind=kinds[number % len(kinds)],
        rate_hz=float(rng.choice([20.0, 30.0])),
        seed=number,
        seconds=DRIFT_S,
        offset_ms=round(float(rng.uniform(-200, 200)), 2),
        drift_ppm=round(float(rng.uniform(-200, 200)), 1),
        jitter_ms=float(rng.choice([0.0, 2.0])),
        drop_share=float(rng.choice([0.0, 0.01])),
        size=DRIFT_SIZE,
    )
    return Case(number, world)


def measure(case: Case) -> Said:
    """Measure a case as anybody would: make it a recording, and ask the subject."""
    world = case.world
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        recording = record(SteeredBackend(world), Path(folder) / "take") if case.film else world.recording()
        started = time.perf_counter()
        measured = Subject(recording).measured
        return said(case, measured, took_s=time.perf_counter() - started)


def failed(case: Case, error: BaseException) -> Said:
    """Note that measuring a case failed, which is no answer."""
    return said(case, Measured(Offset("input_picture", reason=f"it failed: {error!r}")), took_s=0.0)


def said(case: Case, measured: Measured, *, took_s: float) -> Said:
    """Put what was measured beside the truth."""
    world, offset = case.world, measured.offset
    return Said(
        number=case.number,
        kind=world.kind,
        rate_hz=world.rate_hz,
        true_ms=world.true_ms_at(offset.at_ns if offset.known else world.seconds * NS / 2),
        drift_ppm=world.drift_ppm,
        ms=offset.ms,
        low_ms=offset.low_ms,
        high_ms=offset.high_ms,
        said_ppm=offset.drift_ppm,
        low_ppm=offset.drift_low_ppm,
        high_ppm=offset.drift_high_ppm,
        confidence=offset.confidence,
        reason=offset.reason,
        segments=tuple(
            None if one.ms is None else (one.ms - world.true_ms_at(one.at_ns)) * world.rate_hz / 1e3
            for one in measured.segments
            if world.pauses
        ),
        took_s=took_s,
        film=case.film,
        world=world.parameters(),
    )
