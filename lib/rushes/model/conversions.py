"""Conversions: action values of one space as values of another, by control and never by place in a list.

What a target slot needs is looked up among the source's slots by the physical controls behind them. Nothing
is lost silently: `dropped` names the source's slots that went nowhere, `missing` the target's that stay
zero, and `assumed` what the names alone do not settle (a `shift` that means either shift becomes the left
one).

Example:
    >>> keys = ActionSpace.from_names(["w", "a", "s", "d", "p"])
    >>> found = conversion(keys, ActionSpace.from_layout("capture20"))
    >>> found.vectors([[1, 0, 0, 1, 1]])[0, :4].tolist(), found.dropped  # w and d: right and up
    ([1.0, 1.0, 0.0, 0.0], ('p',))
    >>> pong = ActionSpace.discrete(["NOOP", "FIRE", "RIGHT", "LEFT"], world="ALE")
    >>> conversion(pong, ActionSpace.from_layout("ale18")).indices([2]).tolist()
    [3]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.controls import CONTROLS, TRIGGER_THRESHOLD, action_buttons
from rushes.model.layouts import Slot

Floats = npt.NDArray[np.float32]


class _Term(NamedTuple):
    """One source column as it counts for one side of a target slot."""

    column: int
    source: Slot
    sign: int
    half: bool  # the source has a minus side too, so only its positive part speaks for this one


@dataclass(frozen=True)
class Conversion:
    """How values of `source` become values of `target`.

    Attributes:
        source: The space that values come from.
        target: The space that they go to.
        dropped: Names in the source that have no place in the target.
        missing: Names in the target that nothing in the source speaks for; they are 0.
        assumed: What was taken for granted, as `"from -> to"` or `"to without control"`.
    """

    source: ActionSpace
    target: ActionSpace
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    assumed: tuple[str, ...]
    _terms: tuple[tuple[tuple[_Term, ...], tuple[_Term, ...]], ...] = ()
    _table: tuple[tuple[int, ...], ...] = ()

    def vectors(self, values: npt.ArrayLike) -> Floats:
        """Convert action vectors.

        Args:
            values: (..., A) numbers in the source's order; where the source is discrete, (...) action
            numbers.

        Returns:
            (..., B) float32 in the target's order, within its limits.

        Raises:
            BadInputError: The target is discrete, the width is another, or a number is no action.
        """
        if self.target.kind == "discrete":
            raise BadInputError(f"vectors of {self.target!r}", accepts="a space of vectors", fix="use indices")
        if self.source.kind == "discrete":
            return np.array(self._table, np.float32).reshape(len(self.source), -1)[self._checked(values)]
        given = np.asarray(values, np.float32)
        if given.shape[-1:] != (len(self.source),):
            raise BadInputError(
                f"an array of shape {given.shape}",
                accepts=f"(..., {len(self.source)}), the width of {self.source!r}",
                fix="convert from the space that the values were written in",
            )
        out = np.zeros((*given.shape[:-1], len(self.target)), np.float32)
        for column, (slot, (plus, minus)) in enumerate(zip(self.target.slots, self._terms, strict=True)):
            value = (_side(given, plus, slot) - _side(given, minus, slot)) * slot.scale
            out[..., column] = np.clip(value, *slot.limits) if plus or minus else 0
        return out

    def indices(self, actions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Convert numbers of a discrete space into numbers of another.

        Args:
            actions: (...) integers.

        Returns:
            (...) int64.

        Raises:
            BadInputError: A space is not discrete, or an action has no counterpart; the message names the
            row.
        """
        if self.source.kind != "discrete" or self.target.kind != "discrete":
            raise BadInputError(
                f"indices from {self.source!r} to {self.target!r}",
                accepts="two discrete spaces",
                fix="use vectors",
            )
        given = self._checked(actions)
        found = np.array(self._table, np.int64)[:, 0][given]
        if (found < 0).any():
            row = int(np.flatnonzero(found.ravel() < 0)[0])
            raise BadInputError(
                f"row {row}, action {self.source.names[given.ravel()[row]]}",
                accepts="an action of " + repr(self.target),
                fix="leave those rows out, or convert to a space that has " + ", ".join(self.dropped),
            )
        return found

    def _checked(self, actions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        given = np.asarray(actions)
        wrong = (given < 0) | (given >= len(self.source))
        if not np.issubdtype(given.dtype, np.integer) or wrong.any():
            row = int(np.flatnonzero(wrong.ravel())[0]) if wrong.any() else 0
            raise BadInputError(
                f"row {row}, action {given.ravel()[row]}",
                accepts=f"an integer from 0 to {len(self.source) - 1}",
                fix="check the action space that the rows were written with",
            )
        return given.astype(np.int64)

    def __repr__(self) -> str:
        lost = f"{len(self.dropped)} dropped, {len(self.missing)} missing, {len(self.assumed)} assumed"
        return f"Conversion({len(self.source)} to {len(self.target)}: {lost})"


def conversion(source: ActionSpace, target: ActionSpace) -> Conversion:
    """Find how values of one space become values of another.

    Args:
        source: The space that values come from.
        target: The space wanted. Discrete becomes discrete or vectors, vectors become vectors.

    Returns:
        The conversion with the list of what it loses.

    Raises:
        BadInputError: Vectors are asked to become one of n.
    """
    if source.kind == "discrete":
        return _from_discrete(source, target)
    if target.kind == "discrete":
        raise BadInputError(
            f"a conversion of {source!r} to one of {len(target)} actions",
            accepts="discrete to anything, vectors to vectors",
            fix="choose a space of buttons, or keep the steps of the environment",
        )
    terms, assumed, missing, used = [], [], [], set[int]()
    for slot in target.slots:
        sides = _terms_for(source, slot)
        found = [term for side in sides for term in side]
        used |= {term.column for term in found}
        terms.append(sides)
        covered = {c for t in found for c in (*t.source.plus, *t.source.minus)}
        wanted = (*slot.plus, *slot.minus)
        if slot.role != "unused" and not found:
            missing.append(slot.name)
            continue
        assumed += [f"{slot.name} without {c}" for c in wanted if c not in covered]
        assumed += [
            f"{t.source.name} -> {slot.name}" for t in found if not {*t.source.plus, *t.source.minus} <= {*wanted}
        ]
    dropped = tuple(s.name for k, s in enumerate(source.slots) if k not in used and s.role != "unused")
    return Conversion(source, target, dropped, tuple(missing), tuple(assumed), tuple(terms))


def _terms_for(source: ActionSpace, slot: Slot) -> tuple[tuple[_Term, ...], tuple[_Term, ...]]:
    """Find the columns that speak for a slot: one with the same expression, else one for each control."""
    wanted = (set(slot.plus), set(slot.minus))
    for column, s in enumerate(source.slots):
        found = (set(s.plus), set(s.minus))
        reverse = found == wanted[::-1] and s.role != "button"
        if any(wanted) and _speaks(s, slot) and (found == wanted or reverse):
            return (_Term(column, s, 1 if found == wanted else -1, half=False),), ()
    return _side_terms(source, slot, slot.plus), _side_terms(source, slot, slot.minus)


def _speaks(source: Slot, slot: Slot) -> bool:
    """Tell whether a source slot can say anything about another: a button knows nothing of a distance."""
    return "unused" not in {source.role, slot.role} and not (source.role == "button" and slot.role == "motion")


def _side_terms(source: ActionSpace, slot: Slot, controls: Iterable[str]) -> tuple[_Term, ...]:
    wanted = set(controls)
    exact: list[tuple[tuple[str, ...], _Term]] = []
    wider: list[tuple[tuple[str, ...], _Term]] = []
    for column, s in enumerate(source.slots):
        for side, other, sign in ((s.plus, s.minus, 1), (s.minus, s.plus, -1)):
            # Where any of several will do, the first stands for them. One way of a wheel is no other's.
            impulse = s.role == "button" and CONTROLS.get(side[0] if side else "") == "motion"
            if side and side[0] in wanted and _speaks(s, slot) and not impulse:
                row = (side, _Term(column, s, sign, half=bool(other)))
                (exact if wanted.issuperset(side) else wider).append(row)
    covered = {control for side, _ in exact for control in side}
    found = [term for _, term in exact] + [term for side, term in wider if side[0] not in covered]
    whole = [term for term in found if not term.half]
    return tuple(whole or found)


def _side(values: Floats, terms: tuple[_Term, ...], slot: Slot) -> Floats:
    """Evaluate one side of a slot in the unit of its controls: any of several buttons, the sum of motions."""
    found = [np.zeros(values.shape[:-1], np.float32)] if not terms else []
    for column, source, sign, half in terms:
        value = values[..., column] / np.float32(source.scale) * np.float32(sign)
        if half:
            value = np.maximum(value, 0)
        if slot.role == "button" and source.role != "button":
            value = (value >= TRIGGER_THRESHOLD if source.role == "axis" else value > 0).astype(np.float32)
        found.append(value)
    stacked = np.stack(found)
    side: Floats = stacked.sum(0) if slot.role == "motion" else stacked.max(0)
    return side


def _from_discrete(source: ActionSpace, target: ActionSpace) -> Conversion:
    if target.kind == "discrete":
        places = {name: k for k, name in enumerate(target.names)}
        numbers = tuple((places.get(name, -1),) for name in source.names)
        dropped = tuple(name for name in source.names if name not in places)
        missing = tuple(name for name in target.names if name not in source.names)
        return Conversion(source, target, dropped, missing, (), _table=numbers)
    held = [action_buttons(name) if "/" in name else frozenset({name}) for name in source.names]
    table = tuple(tuple(int(not buttons.isdisjoint(s.plus)) for s in target.slots) for buttons in held)
    known = {control for s in target.slots for control in s.plus}
    dropped = tuple(name for name, buttons in zip(source.names, held, strict=True) if buttons - known)
    every = frozenset[str]().union(*held)
    missing = tuple(s.name for s in target.slots if s.role != "unused" and every.isdisjoint(s.plus))
    return Conversion(source, target, dropped, missing, (), _table=table)
