"""How well a net presses: on whole recordings, every frame of them, at the frequency at which presses really come.

The net is asked about each frame in turn. Where it says more than its threshold, it presses, and does not press again
before the hold that it chose is over: the rule by which it would play, without a look ahead. A press is right where it
falls within one frame of a true one; each true press is matched once, the nearest first.

Example:
    >>> found = match(np.array([10, 40, 41]), np.array([11, 40, 70]))
    >>> found.tolist()
    [[1, 1], [0, 0]]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.model.targets import Target
from rushes.notebook.jump.net import look
from rushes.notebook.jump.training import Trained
from rushes.prepare.presses import pressed
from rushes.preview.html import Html, table
from rushes.store.resized import resized

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

TOLERANCE: Final = 1
"""Frames by which a press may be early or late."""
THRESHOLDS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Stretch(NamedTuple):
    """One segment as the net saw it, with what was really done.

    Attributes:
        session: Id of the recording.
        segment: Number of the segment.
        frame_index: (N,) frames that were judged: all that have a whole window and an action.
        press: (N,) probability of a press.
        hold_s: (N,) hold that would follow.
        true_row: (P,) rows of the true presses among those frames.
        true_hold_s: (P,) their holds, NaN where left open.
        step_s: Seconds from frame to frame.
    """

    session: str
    segment: int
    frame_index: Ints
    press: Floats
    hold_s: Floats
    true_row: Ints
    true_hold_s: Floats
    step_s: float

    def fired(self, threshold: float) -> Ints:
        """Give the rows on which a player with this net presses."""
        return fired(self.press, np.maximum(1, np.rint(self.hold_s / self.step_s)).astype(np.int64), threshold)


@dataclass(frozen=True)
class Score:
    """Presses, counted.

    Attributes:
        true: How many there were.
        said: How many the net made.
        right: How many of these fall within a frame of a true one.
        frames: Frames looked at.
        hold_errors: (K,) |said - true| / true of the right ones whose hold is known.
        offset: (right,) frames by which the right ones came late.
        tolerance: Frames that were allowed.
    """

    true: int
    said: int
    right: int
    frames: int
    hold_errors: Floats
    offset: Ints
    tolerance: int = TOLERANCE

    @property
    def precision(self) -> float:
        """Share of the net's presses that are right; NaN where it made none."""
        return self.right / self.said if self.said else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true presses that the net made; NaN where there were none."""
        return self.right / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of both; NaN where there is nothing to press and nothing was pressed."""
        return 2 * self.right / (self.said + self.true) if self.said + self.true else float("nan")

    @property
    def hold_median(self) -> float:
        """Median of the hold's relative error, NaN where none was matched."""
        return float(np.median(self.hold_errors)) if len(self.hold_errors) else float("nan")

    @property
    def hold_mean(self) -> float:
        """Mean of the hold's relative error, NaN where none was matched."""
        return float(np.mean(self.hold_errors)) if len(self.hold_errors) else float("nan")

    def __repr__(self) -> str:
        return (
            f"<F1 {self.f1:.3f} within {self.tolerance} frame: {self.true} presses in {self.frames:,} frames, "
            f"{self.said} made, {self.right} right; hold off by {self.hold_median:.0%} (median)>"
        )


class Seen(NamedTuple):
    """One segment as it is shown to a net.

    Attributes:
        session: Id of the recording.
        segment: Number of the segment.
        frame_index: (N,) frames that are judged: all that have a whole window and an action.
        pixels: (N + length - 1, S, S, 3) uint8 RGB, the frames before the first window's last one included.
        true_row: (P,) rows of the true presses among those frames.
        true_hold_s: (P,) their holds, NaN where left open.
        step_s: Seconds from frame to frame.
    """

    session: str
    segment: int
    frame_index: Ints
    pixels: Pixels
    true_row: Ints
    true_hold_s: Floats
    step_s: float


def see(
    recordings: Iterable[Recording],
    target: Target,
    *,
    length: int,
    size: int,
    through: int = 0,
    segments: Samples | None = None,
) -> Iterator[Seen]:
    """Make the pictures of recordings what a net sees.

    Args:
        recordings: What is looked at.
        target: Whose presses are meant.
        length: Pictures a window.
        size: Pixels a side.
        through: As `Trained.through`.
        segments: Only segments of which all rows of this table are of the split `val`; None gives all.

    Yields:
        One a segment that has a frame to judge.
    """
    wanted = None if segments is None else _of_val(segments)
    for recording in recordings:
        if wanted is not None and recording.info.id not in {session for session, _ in wanted}:
            continue
        for one in pressed(recording, target):
            number, frames = one.pair.segment.index, one.pair.index["frame_index"].to_numpy(np.int64)
            first = length - 1
            if len(frames) <= first or (wanted is not None and (recording.info.id, number) not in wanted):
                continue
            inside = (one.row >= first) & (one.row < len(frames)) & one.found.told
            step_s = float(np.median(np.diff(one.pair.grid.t_ns))) / NS if len(frames) > 1 else 1.0
            yield Seen(
                recording.info.id, number, frames[first:], _pictures(recording, frames, size, through),
                one.row[inside] - first, one.found.hold_s[inside], step_s,
            )  # fmt: skip


def watch(
    trained: Trained, recordings: Iterable[Recording], target: Target, *, segments: Samples | None = None
) -> tuple[Stretch, ...]:
    """Ask a net about every frame of recordings.

    Args:
        trained: The net.
        recordings: What is looked at.
        target: Whose presses are meant.
        segments: As `see` takes it.

    Returns:
        One a segment that has a frame to judge.
    """
    shown = see(
        recordings, target, length=trained.length, size=trained.size, through=trained.through, segments=segments
    )
    return tuple(ask(trained, one) for one in shown)


def ask(trained: Trained, one: Seen) -> Stretch:
    """Ask a net about a segment.

    Args:
        trained: The net; it sees pictures as `one` was made.
        one: The segment.
    """
    said = look(trained.net, windows_of(one.pixels, trained.length))
    return Stretch(
        one.session, one.segment, one.frame_index, said.press, said.hold_s, one.true_row, one.true_hold_s, one.step_s
    )


def _of_val(samples: Samples) -> set[tuple[str, int]]:
    rows = samples.rows
    pairs = list(zip(rows["session"].tolist(), rows["segment"].tolist(), strict=True))
    val = (rows["split"] == "val").tolist()
    return {pair for pair, is_val in zip(pairs, val, strict=True) if is_val} - {
        pair for pair, is_val in zip(pairs, val, strict=True) if not is_val
    }


def _pictures(recording: Recording, frames: Ints, size: int, through: int) -> Pixels:
    batches = resized(recording, frames, size=through or size)
    if not through:
        return np.concatenate(list(batches))
    return np.concatenate([[small(picture, size) for picture in batch] for batch in batches])


def small(picture: Pixels, size: int) -> Pixels:
    """Squash a picture to a square as `store.resized` does, by OpenCV's INTER_AREA: (size, size, 3) uint8."""
    import cv2

    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def windows_of(pixels: Pixels, length: int) -> Pixels:
    """Cut (N, S, S, 3) pictures into all windows of `length`: (N - length + 1, length, S, S, 3), a view."""
    view = np.lib.stride_tricks.sliding_window_view(pixels, length, axis=0)
    return np.moveaxis(view, -1, 1)


def fired(press: Floats, hold: Ints, threshold: float) -> Ints:
    """Play by probabilities: press where one is above the threshold, then hold, let go for a frame, and look again.

    Args:
        press: (N,) probabilities.
        hold: (N,) frames for which a press there would be held.
        threshold: From which on it presses.

    Returns:
        Rows of the presses.
    """
    found, free = [], 0
    for row in np.flatnonzero(press > threshold).tolist():
        if row >= free:
            found.append(row)
            free = row + int(hold[row]) + 1
    return np.array(found, np.int64)


def match(said: Ints, true: Ints, *, tolerance: int = TOLERANCE) -> Ints:
    """Match presses one to one, the nearest first, the earlier of two that are as near.

    Args:
        said: (S,) rows.
        true: (P,) rows.
        tolerance: Frames between two that match, at the most.

    Returns:
        (K, 2) int64: positions in `said` and in `true`.
    """
    apart = np.abs(said[:, None] - true[None, :])
    first, second = np.nonzero(apart <= tolerance)
    pairs: list[tuple[int, int]] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for k in np.lexsort((true[second], said[first], apart[first, second])).tolist():
        a, b = int(first[k]), int(second[k])
        if a not in used[0] and b not in used[1]:
            pairs.append((a, b))
            used[0].add(a)
            used[1].add(b)
    return np.array(pairs, np.int64).reshape(-1, 2)


def score(stretches: Sequence[Stretch], threshold: float, *, tolerance: int = TOLERANCE) -> Score:
    """Count presses over stretches.

    Args:
        stretches: As `watch` gives them.
        threshold: From which on the net presses.
        tolerance: Frames by which a press may be early or late.
    """
    true = said = right = frames = 0
    errors, offsets = [np.zeros(0)], [np.zeros(0, np.int64)]
    for one in stretches:
        made = one.fired(threshold)
        found = match(made, one.true_row, tolerance=tolerance)
        true, said, right = true + len(one.true_row), said + len(made), right + len(found)
        frames += len(one.frame_index)
        held = one.true_hold_s[found[:, 1]]
        errors.append(np.abs(one.hold_s[made[found[:, 0]]] - held)[held > 0] / held[held > 0])
        offsets.append(made[found[:, 0]] - one.true_row[found[:, 1]])
    return Score(true, said, right, frames, np.concatenate(errors), np.concatenate(offsets), tolerance)


def best_threshold(stretches: Sequence[Stretch]) -> float:
    """Choose the threshold with the best F1; the middle one of several as good, 0.5 where nothing tells.

    Args:
        stretches: Of play that the net did not learn from, and that is not what it is measured on.
    """
    found = [(score(stretches, threshold).f1, threshold) for threshold in THRESHOLDS] if stretches else []
    known = [(f1, threshold) for f1, threshold in found if np.isfinite(f1)]
    if not known or not max(known)[0]:
        return 0.5
    best = [threshold for f1, threshold in known if f1 == max(known)[0]]
    return best[len(best) // 2]


def presses_per_frame(stretches: Sequence[Stretch]) -> float:
    """Give the natural frequency of presses: of all frames, the share on which one falls."""
    frames = sum(len(one.frame_index) for one in stretches)
    return sum(len(one.true_row) for one in stretches) / frames if frames else float("nan")


def score_table(result: Score, frequency: float, *, caption: str = "") -> Html:
    """Show a score.

    Args:
        result: What was counted.
        frequency: Presses a frame, as they really come.
        caption: Stands above.
    """
    rows = [
        ["F1", f"{result.f1:.3f}", f"presses within {result.tolerance} frame"],
        ["precision", f"{result.precision:.3f}", f"{result.right} of {result.said} presses that it made are right"],
        ["recall", f"{result.recall:.3f}", f"{result.right} of {result.true} true presses were made"],
        ["hold error, median", f"{result.hold_median:.1%}", "of the true hold, where the press is right"],
        ["hold error, mean", f"{result.hold_mean:.1%}", f"over {len(result.hold_errors)} holds with a known end"],
        ["natural frequency", f"{frequency:.2%}", f"of {result.frames:,} frames are a press"],
    ]
    return table(["on unseen play", "value", "of what"], rows, caption=caption)
