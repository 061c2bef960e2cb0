"""What stands beside each picture of a player: controls, motion, action, reward, as rows of plain JSON values.

Row k says what happened from frame k to the next, as the grid has it, with the inputs moved by a correction where one
is tried. For an environment the action stands where the inputs stand for recorded play; of labelled samples the row's
own keys and its label.

Example:
    >>> from rushes.widgets.player_source import open_shown
    >>> def held_at_first(path):
    ...     return Rows(open_shown(path)).json(0, 1)[0]["down"]
"""

from __future__ import annotations

import math
import threading
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.controls import MOUSE_MOTIONS
from rushes.preview.action_columns import HELD, columns_of
from rushes.preview.notes import LAST_PICTURE, NO_ACTION, end_sentence
from rushes.preview.sample_words import action_of, hold_words, transform_words
from rushes.widgets.player_inputs import Done, Inputs, inputs_of
from rushes.widgets.player_source import Shown, Stretch
from rushes.widgets.player_steps import Steps, steps_of

MOST: Final = 512
"""Rows at a time."""
_NOTHING: Final = Done((), (), None, None, {}, 0.0)


class Rows:
    """The rows of a source.

    Args:
        shown: The source.

    Attributes:
        shown: The same.
        lock: Held while tables are read; several threads may ask.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self._moved: tuple[float, Inputs] | None = None
        self.lock = threading.RLock()

    @cached_property
    def steps(self) -> Steps:
        """The steps of an environment; without any where it is none."""
        return steps_of(self.shown)

    @cached_property
    def has_events(self) -> bool:
        """Whether what was done is known as events, and not by steps or rows alone."""
        return self.shown.samples is None and self.shown.recording.has_events

    @cached_property
    def inputs(self) -> Inputs:
        """What was done, as it was stamped."""
        return inputs_of(self.shown.recording) if self.has_events else Inputs()

    def inputs_at(self, delay_ms: float) -> Inputs:
        """Give what was done, moved later by ms; the last one that was asked for is kept."""
        if not delay_ms:
            return self.inputs
        known = self._moved
        if known is None or known[0] != delay_ms or type(known[0]) is not type(delay_ms):  # a Delay may drift
            known = self._moved = (delay_ms, self.inputs.later(delay_ms))
        return known[1]

    def steps_moved(self, delay_ms: float) -> int:
        """Give the whole steps that a delay moves actions by."""
        return round(float(delay_ms) / 1000 * self.shown.rate_hz)

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """Buttons that are drawn: those that were used, in the order of the action space."""
        if self.shown.samples is not None:
            return tuple(columns_of(self.shown.samples.space.names).buttons)
        used = {*self.inputs.controls, *(() if self.has_events and self.inputs.controls else self.steps.controls)}
        known = [name for name in self.shown.recording.info.action_space.names if name in used]
        return (*known, *sorted(used - set(known)))

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """Axes that are drawn: sticks, triggers and the numbers of actions."""
        return (*self.inputs.axes, *(self.steps.slots if len(self.steps.vectors) else ()))

    @cached_property
    def reach(self) -> dict[str, float]:
        """How far the numbers of actions go, where that is more than 1: name -> largest, whatever its sign."""
        most = np.abs(np.nan_to_num(self.steps.vectors)).max(axis=0, initial=1.0)
        return {name: float(value) for name, value in zip(self.steps.slots, most, strict=False) if value > 1}

    def json(self, start: int, stop: int, delay_ms: float = 0.0) -> list[dict[str, Any]]:
        """Give rows.

        Args:
            start: First frame.
            stop: Frame behind the last one; at most `MOST` rows.
            delay_ms: Moves inputs later by ms.

        Returns:
            One a frame: t (s), frame_index, seg, down, pressed, mouse, pointer, axes, wheel, action, reward, lives,
            score, human, flags, note.

        Raises:
            BadInputError: Rows that are not there, or too many.
        """
        if not 0 <= start <= stop <= len(self.shown) or stop - start > MOST:
            raise BadInputError(
                f"rows {start} to {stop}",
                accepts=f"up to {MOST} rows, from 0 to {len(self.shown)}",
                fix="ask for fewer at a time",
            )
        if self.shown.samples is not None:
            return [self._sample(frame) for frame in range(start, stop)]
        with self.lock:
            return self._json(start, stop, delay_ms)

    def _json(self, start: int, stop: int, delay_ms: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        moved = self.steps.moved(self.steps_moved(delay_ms)) if self.shown.recording.is_environment else None
        for number, stretch in enumerate(self.shown.stretches):
            first, last = max(start, stretch.start), min(stop, stretch.stop)
            if first >= last:
                continue
            t_ns, ends = self.shown.t_ns[first:last], self.shown.ends_ns[first:last]
            did = self.inputs_at(delay_ms).rows(t_ns, ends) if self.has_events else [_NOTHING] * (last - first)
            for frame, done in zip(range(first, last), did, strict=True):
                row = self._common(frame, number, done)
                if moved is not None:
                    self._add_step(row, frame, moved, stretch)
                elif frame == stretch.stop - 1:
                    row["note"] = end_sentence(stretch.segment.end_reason if stretch.segment else "")
                found.append(row)
        return found

    def _common(self, frame: int, number: int, done: Done) -> dict[str, Any]:
        shown = self.shown
        flags = [name for name, marks in (("late", shown.late), ("duplicate", shown.duplicate)) if marks[frame]]
        return {
            "t": int(shown.t_ns[frame]) / NS,
            "frame_index": int(shown.frame_index[frame]),
            "seg": number,
            "down": list(done.down),
            "pressed": list(done.pressed),
            "mouse": None if done.mouse is None else list(done.mouse),
            "pointer": None if done.pointer is None else list(done.pointer),
            "axes": dict(done.axes),
            "wheel": done.wheel,
            "action": None,
            "reward": None,
            "lives": None,
            "score": None,
            "human": None,
            "flags": [*flags, *(["dropped"] if shown.dropped[frame] else [])],
            "note": "",
        }

    def _add_step(self, row: dict[str, Any], frame: int, moved: npt.NDArray[np.int64], stretch: Stretch) -> None:
        """Add what the environment's step says; rewards stay with the picture that they belong to."""
        steps, own, step = self.steps, int(self.steps.row[frame]), int(moved[frame])
        last = frame == stretch.stop - 1
        row["score"] = float(steps.score[frame])
        row["lives"] = int(steps.lives[frame]) if steps.lives[frame] >= 0 else None
        row["action"] = steps.name(step) if step >= 0 else LAST_PICTURE if last else NO_ACTION
        if own >= 0:
            row["reward"] = float(steps.reward[own])
        if step >= 0:
            row["human"] = bool(steps.human[step])
            row["axes"] |= steps.axes(step)
            if not row["down"] and not (self.has_events and self.inputs.controls):
                before = int(moved[frame - 1]) if frame > stretch.start else -1
                row["down"] = list(steps.down(step))
                row["pressed"] = [name for name in row["down"] if before < 0 or name not in steps.down(before)]
            if steps.random[step]:
                row["note"] = "replaced by chance"
        if last:
            row["note"] = end_sentence(stretch.segment.end_reason if stretch.segment else "")

    def _sample(self, frame: int) -> dict[str, Any]:
        samples = self.shown.samples
        assert samples is not None
        one = {str(name): value for name, value in samples.rows.iloc[frame].to_dict().items()}
        keys = np.asarray(one["keys"], float)
        row = self._common(frame, 0, _NOTHING)
        done = action_of(keys, samples.space)
        value = dict(zip(samples.space.names, keys.tolist(), strict=True))
        row["down"] = [name for name in self.controls if value[name] >= HELD]
        moved = [value.get(name, 0.0) for name in MOUSE_MOTIONS[:2]]
        row["mouse"] = moved if any(moved) else None
        hold = hold_words(one) if one["label"] and not math.isnan(float(one["label"])) else ""
        said = [
            f"label {one['label']:g}", str(one["kind"]), str(one["control"]), str(one["phase"]), hold, done.motion,
            *transform_words(str(one["transform"])), str(one["split"]), str(one["reason"]), f"session {one['session']}",
        ]  # fmt: skip
        row["note"] = " \N{MIDDLE DOT} ".join(text for text in said if text)
        return row
