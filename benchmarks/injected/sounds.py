"""Faults of sound: silence, clipping, lost blocks, channels that are dead or inverted, a clock that runs away."""

from __future__ import annotations

from typing import Any

import numpy as np

from injected.held import Held
from injected.plan import Rng, fault

STREAM = "system"


def each_block(held: Held, change: Any) -> None:
    """Change the samples of every block: from (N, C) float in units of full scale to the same."""
    for k, block in enumerate(held.blocks[STREAM]):
        samples = change(block.samples.astype(np.float64) / 32_768, k)
        held.blocks[STREAM][k] = block._replace(samples=np.clip(samples * 32_768, -32_768, 32_767).astype(np.int16))


def inside(held: Held, count: int, rng: Rng, *, edge: int = 50) -> int:
    """Draw the first of so many blocks that follow on each other inside of a segment."""
    segment = held.segments[int(rng.integers(len(held.segments)))]
    mine = [k for k, b in enumerate(held.blocks[STREAM]) if segment.start_ns <= b.t_ns < segment.end_ns]
    return int(rng.integers(mine[0] + edge, mine[-1] - edge - count))


@fault("sound.silence", base="sounding", strengths=(50, 90, 99, 100), stated=100, unit="% of the stream")
def silence(held: Held, strength: float, rng: Rng) -> None:
    """Nothing is heard: the wrong device, or a muted one."""
    hiss = rng.choice([0.0, 1.2]) / 32_768
    count = len(held.blocks[STREAM])
    quiet = range(count) if strength == 100 else range(round(count * strength / 100))
    each_block(held, lambda s, k: rng.normal(0, hiss, s.shape) if k in quiet else s)


@fault("sound.quiet", base="sounding", strengths=(-20, -40, -56, -62), stated=-56, unit="dBFS at the loudest")
def quiet(held: Held, strength: float, rng: Rng) -> None:
    """All of it is far too quiet."""
    del rng
    blocks = [b.samples.astype(np.float64) / 32_768 for b in held.blocks[STREAM]]
    rms = np.sqrt(np.mean(np.concatenate(blocks).reshape(-1, 240, 2) ** 2, axis=1)).max(axis=1)
    gain = 10 ** (strength / 20) / np.quantile(rms, 0.99)
    each_block(held, lambda s, _: s * min(1.0, gain))


@fault("sound.clipping", base="sounding", strengths=(0.03, 0.07, 0.5, 3), stated=0.5, unit="% of the samples")
def clipping(held: Held, strength: float, rng: Rng) -> None:
    """The sound is cut off at full scale: too loud."""
    del rng
    every = np.abs(np.concatenate([b.samples.astype(np.float64) for b in held.blocks[STREAM]]))
    gain = 32_768 / np.quantile(every, 1 - strength / 100)
    each_block(held, lambda s, _: s * gain)


@fault("sound.dc", base="sounding", strengths=(2, 4, 8, 15), stated=8, unit="% of full scale")
def dc(held: Held, strength: float, rng: Rng) -> None:
    """A constant is added: a fault of the sound card."""
    sign = rng.choice([-1, 1])
    each_block(held, lambda s, _: s + sign * strength / 100)


@fault("sound.dead_channel", base="sounding", strengths=(-20, -40, -60, -120), stated=-60, unit="dB")
def dead_channel(held: Held, strength: float, rng: Rng) -> None:
    """One of two channels is dead."""
    gain = np.array([1.0, 10 ** (strength / 20)])[rng.permutation(2)]
    each_block(held, lambda s, _: s * gain)


@fault(
    "sound.inverted", base="sounding", strengths=(50, 80, 97, 100), stated=97, unit="% of it is the other upside down"
)
def inverted(held: Held, strength: float, rng: Rng) -> None:
    """One channel is the other upside down: together they are silent."""

    def change(samples: Any, _: int) -> Any:
        first = samples[:, :1]
        other = np.roll(samples, 4001 % len(samples), axis=0)[:, 1:]
        return np.concatenate([first, -first * strength / 100 + other * (1 - strength / 100)], axis=1)

    del rng
    each_block(held, change)


@fault("sound.dropout", base="sounding", strengths=(1, 2, 20, 60), stated=20, unit="a minute")
def dropout(held: Held, strength: float, rng: Rng) -> None:
    """Short holes of zeros stand in the midst of sound."""
    blocks = held.blocks[STREAM]
    loud = [
        k for k, b in enumerate(blocks) if np.abs(b.samples[:96]).mean() > 700 and np.abs(b.samples[-96:]).mean() > 700
    ]
    minutes = sum(s.duration_s for s in held.segments) / 60
    count = max(1 if strength < 20 else 3, round(strength * minutes))
    chosen = set(rng.choice(loud, min(len(loud), count), replace=False).tolist())

    def change(samples: Any, k: int) -> Any:
        if k in chosen:
            length = int(rng.integers(96, len(samples) - 240))
            first = int(rng.integers(100, len(samples) - length - 100))
            samples = samples.copy()
            samples[first : first + length] = 0
        return samples

    each_block(held, change)


@fault("sound.gap", base="sounding", strengths=(60, 160, 300, 1000), stated=300, unit="ms")
def gap(held: Held, strength: float, rng: Rng) -> None:
    """Sound was lost for a while."""
    count = round(strength / 20)
    first = inside(held, count, rng)
    del held.blocks[STREAM][first : first + count]


@fault("sound.missing", base="sounding", strengths=(1, 4, 8, 30), stated=8, unit="% of the blocks")
def missing(held: Held, strength: float, rng: Rng) -> None:
    """Blocks of sound are missing here and there."""
    blocks = held.blocks[STREAM]
    free = np.arange(10, len(blocks) - 10)
    gone = set(rng.choice(free, round(strength / 100 * len(blocks)), replace=False).tolist())
    held.blocks[STREAM] = [b for k, b in enumerate(blocks) if k not in gone]


@fault("sound.overlap", base="sounding", strengths=(15, 40, 100, 500), stated=100, unit="ms")
def overlap(held: Held, strength: float, rng: Rng) -> None:
    """A block begins before the one in front of it ends."""
    blocks = held.blocks[STREAM]
    first = inside(held, 30, rng)
    segment = next(s for s in held.segments if s.start_ns <= blocks[first].t_ns < s.end_ns)
    for k in range(first, len(blocks)):
        if blocks[k].t_ns < segment.end_ns:
            blocks[k] = blocks[k]._replace(t_ns=blocks[k].t_ns - round(strength * 1e6))


@fault("sound.rate", base="sounding", strengths=(100, 400, 1000, 5000), stated=1000, unit="ppm")
def rate(held: Held, strength: float, rng: Rng) -> None:
    """The sound card's clock runs faster or slower than that of the pictures."""
    blocks, factor = held.blocks[STREAM], 1 + rng.choice([-1, 1]) * strength / 1e6
    for segment in held.segments:
        for k, block in enumerate(blocks):
            if segment.start_ns <= block.t_ns < segment.end_ns:
                t_ns = segment.start_ns + (block.t_ns - segment.start_ns) * factor + rng.normal(0, 3e5)
                blocks[k] = block._replace(t_ns=round(t_ns))


@fault("sound.start", base="sounding", strengths=(1000, 2500, 3500, 6000), stated=3500, unit="ms")
def start(held: Held, strength: float, rng: Rng) -> None:
    """Sound begins long after the pictures."""
    del rng
    first = held.segments[0].start_ns + strength * 1e6
    held.blocks[STREAM] = [b for b in held.blocks[STREAM] if b.t_ns >= first]


@fault("sound.end", base="sounding", strengths=(300, 800, 1500, 4000), stated=1500, unit="ms")
def end(held: Held, strength: float, rng: Rng) -> None:
    """Sound ends before the pictures do."""
    del rng
    last = held.segments[-1].end_ns - strength * 1e6
    held.blocks[STREAM] = [b for b in held.blocks[STREAM] if b.t_ns < last]
