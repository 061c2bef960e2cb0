"""Figures of measured cases beside their bars, as `benchmarks/alignment.py` prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from measured.steered_cases import Said

BARS = {
    "answered share": (0.90, "at least"),
    "median |error| frames": (0.25, "at most"),
    "within one frame": (0.95, "at least"),
    "median half-width frames": (1.0, "at most"),
    "interval holds the truth": (0.85, "at least"),
    "drift |error| p95 ppm": (10.0, "at most"),
    "idle claims share": (0.01, "at most"),
}


def verdict(name: str, value: float) -> str:
    """Say whether a figure keeps its bar; empty for one without."""
    if name not in BARS:
        return ""
    bar, way = BARS[name]
    good = value >= bar if way == "at least" else value <= bar
    return f"{way} {bar:g}: {'PASS' if good else 'short'}"


def figures(said: Sequence[Said]) -> dict[str, float]:
    """Sum up cases with something to be told; what was not answered counts for the share alone."""
    told = [one for one in said if one.ms is not None]
    error = np.abs([one.error_frames for one in told])
    half = np.array(
        [(one.high_ms - one.low_ms) / 2 for one in told if one.low_ms is not None and one.high_ms is not None]
    )
    rate = np.array([one.rate_hz for one in told if one.low_ms is not None and one.high_ms is not None])
    return {
        "cases": len(said),
        "answered share": len(told) / max(len(said), 1),
        "median |error| frames": _at(error, 50),
        "p95 |error| frames": _at(error, 95),
        "within one frame": float(np.mean(error <= 1)) if told else float("nan"),
        "median |error| ms": _at(np.abs([one.error_ms for one in told]), 50),
        "p95 |error| ms": _at(np.abs([one.error_ms for one in told]), 95),
        "bias (mean) ms": float(np.mean([one.error_ms for one in told])) if told else float("nan"),
        "bias (median) ms": float(np.median([one.error_ms for one in told])) if told else float("nan"),
        "median half-width frames": _at(half * rate / 1e3, 50),
        "median half-width ms": _at(half, 50),
        "interval holds the truth": float(np.mean([one.holds for one in told])) if told else float("nan"),
        **_segments(said),
        "seconds a case": float(np.mean([one.took_s for one in said])) if said else float("nan"),
    }


def _segments(said: Sequence[Said]) -> dict[str, float]:
    """Sum up the segments of cases that have several."""
    every = [error for one in said for error in one.segments]
    told = np.abs([error for error in every if error is not None])
    if not every:
        return {}
    return {
        "segments": len(every),
        "segments answered share": len(told) / len(every),
        "segments median |error| frames": _at(told, 50),
        "segments within one frame": float(np.mean(told <= 1)) if len(told) else float("nan"),
    }


def drift_figures(said: Sequence[Said]) -> dict[str, float]:
    """Sum up how well drifts were told."""
    told = [one for one in said if one.said_ppm is not None]
    error = np.abs([one.drift_error_ppm for one in told])
    kept = [
        one.low_ppm <= one.drift_ppm <= one.high_ppm
        for one in told
        if one.low_ppm is not None and one.high_ppm is not None
    ]
    return {
        "drift cases": len(said),
        "drift answered share": len(told) / max(len(said), 1),
        "drift |error| median ppm": _at(error, 50),
        "drift |error| p95 ppm": _at(error, 95),
        "drift |error| max ppm": _at(error, 100),
        "drift interval holds the truth": float(np.mean(kept)) if kept else float("nan"),
    }


def idle_figures(said: Sequence[Said]) -> dict[str, float]:
    """Count claims where there is nothing to be told."""
    return {"idle clips": len(said), "idle claims share": float(np.mean([s.ms is not None for s in said]))}


def by(said: Sequence[Said], what: Callable[[Said], str]) -> Iterable[str]:
    """Give a line for each group, the name of the group first."""
    yield f"  {'':18s} cases answered  med|e|fr p95|e|fr  in 1 fr  bias ms   half fr   holds"
    for name in sorted({what(one) for one in said}):
        found = figures([one for one in said if what(one) == name])
        yield (
            f"  {name:18s} {found['cases']:5.0f} {found['answered share']:8.2f} {found['median |error| frames']:10.3f}"
            f" {found['p95 |error| frames']:8.2f} {found['within one frame']:8.2f} {found['bias (mean) ms']:+8.1f}"
            f" {found['median half-width frames']:9.2f} {found['interval holds the truth']:7.2f}"
        )


def _at(values: Iterable[float], percent: float) -> float:
    found = np.asarray(list(values), np.float64)
    return float(np.percentile(found, percent)) if len(found) else float("nan")
