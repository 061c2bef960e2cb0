"""The policy that looks ahead: it tries actions from saved states and plays the best line of play found so far.

A line of play is a list of actions with what they led to. The policy keeps one, `horizon` emulated frames long, and
spends the budget of each decision on changing it: it restores a state that was saved along the line, holds other
actions from there for random times, and keeps the change where it pays. Then the first action is played and the line
goes on from the second, so nothing that was found out is simulated twice, and every action of the line has survived
dozens of attempts to better it by the time it is played.

Better means: fewer and later lives lost, then more and sooner reward. Where no reward is in reach all lines are equal,
the first one stays, and the player does what it was made of: it moves about, holding each action for a while.

Limits: it knows what the emulator's own random numbers will be, since they are part of a saved state, and beyond its
horizon it knows nothing. It is a source of skilful play and no measure of how well a game can be played.

The player's own world is only read: on the Atari games a second emulator is restored from its states, for the state
is not quite all of an emulator (it lacks the last action, which sticky actions repeat, and in a few games, such as
TicTacToe3D, play goes on differently after a state was put back). The state of any other world is put back when the
decision is made.

Example:
    >>> from rushes.capture.env.policies import make_policy
    >>> from rushes.worlds.catalog import make_world
    >>> world, rng, policy = make_world("ALE/Breakout-v5"), np.random.default_rng(0), make_policy("lookahead")
    >>> lives, score = world.reset(seed=0), 0.0
    >>> for step in range(150):
    ...     score += world.act(policy(Moment(world, step, rng))).reward
    >>> score > 0
    True
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, repeat
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.capture.env.policies import Moment
from rushes.errors import BadInputError
from rushes.worlds.atari import Atari
from rushes.worlds.base import Restorable, World

BUDGET: Final = 300
"""Emulated frames a decision; 14 to 25 ms where this was tuned, by game, nearly all of it the emulator's own time."""
HORIZON: Final = 240
"""Emulated frames that a line of play reaches ahead: four seconds. Tuned, as is the rest, on seeds from 1000."""
_STRIDE: Final = 5
"""Steps from one saved state of a line to the next; saving costs a tenth to a quarter of a step."""
_DISCOUNT: Final = 0.99
"""What a step's delay leaves of a reward or of a loss; orders what comes sooner before what comes later."""
_LONGEST_HOLD: Final = 32
"""Holds last less steps than this, all orders of magnitude alike: taps for precision, long ones for distance."""
_TWEAKS: Final = 0.5
"""Share of attempts that return to the line after one other hold; the rest make a new line to its end."""


@dataclass(frozen=True, slots=True)
class _Ply:
    """One step of a line: the state before it where that was saved, and what the action led to."""

    state: Any
    action: Any
    reward: float
    lives: int
    lost: int


@dataclass(slots=True)
class _Line:
    """A line of play, the state at its end, and whether the episode is over there."""

    plies: list[_Ply]
    end: Any
    over: bool = False

    def value(self, since: int = 0) -> tuple[float, float]:
        """Value the plies from `since` on; the higher tuple is the better one: lives first, then rewards."""
        lost = gain = 0.0
        weight = 1.0
        for ply in self.plies[since:]:
            lost += weight * ply.lost
            gain += weight * ply.reward
            weight *= _DISCOUNT
        return -lost, gain


class Lookahead:
    """Play the best line of play that was found within the budget. One instance plays one episode.

    The same states and the same random numbers give the same actions; no clock is looked at.

    Args:
        budget: Emulated frames that a decision may cost; at least two steps are spent.
        horizon: Emulated frames that a line of play reaches ahead, and never more than four fifths of the budget, so
            that something is left to better it.

    Raises:
        BadInputError: One of them is no whole number from 1; or, at the first decision, the world cannot save and
            restore its state.
    """

    def __init__(self, *, budget: int = BUDGET, horizon: int = HORIZON) -> None:
        for name, value, usual in (("budget", budget, BUDGET), ("horizon", horizon, HORIZON)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInputError(
                    f"{name}={value!r}", accepts="a whole number of emulated frames from 1", fix=f"pass {name}={usual}"
                )
        self._budget, self._horizon = budget, horizon
        self._world: World | None = None

    def __call__(self, moment: Moment) -> Any:
        """Return the first action of the line; the world is left as it was."""
        world = moment.world
        if moment.step == 0 or world is not self._world:
            self._begin(world)
        self._rng = moment.rng
        self._left = max(self._budget // world.frameskip, 2) - 1  # one is kept to see what the action will lead to
        root = self._source.save()
        try:
            self._follow(root, world)
            self._lengthen()
            while self._attempt():
                pass
            return self._advance(root)
        finally:
            if self._stage is world:
                self._stage.restore(root)

    def _begin(self, world: World) -> None:
        if not isinstance(world, Restorable):
            raise BadInputError(
                f"policy 'lookahead' on {world.env_id}, whose state cannot be saved",
                accepts="a world with save() and restore(), as every ALE/*-v5 game is",
                fix="pass policy='persistent' or policy='uniform'",
            )
        self._world, self._source = world, world
        self._stage = _second(world) if isinstance(world, Atari) else world
        self._line = _Line([], None)
        self._lives: int | None = None
        self._expected: npt.NDArray[np.uint8] | None = None
        self._steps = max(min(self._horizon, self._budget * 4 // 5) // world.frameskip, 1)

    def _follow(self, root: Any, world: World) -> None:
        """Go on with the line where the world is where it was expected; else play its actions from here."""
        line = self._line
        if line.plies and self._expected is not None and np.array_equal(self._expected, world.rgb()):
            line.plies[0] = replace(line.plies[0], state=root)
            return
        found = self._run(root, self._lives, [ply.action for ply in line.plies])
        self._line = found or _Line([], root)

    def _lengthen(self) -> None:
        """Add holds at the end of a line that is short by a stride or more."""
        line, plies = self._line, self._line.plies
        missing = self._steps + _STRIDE - 1 - len(plies)
        if missing >= _STRIDE and not line.over:
            lives = plies[-1].lives if plies else self._lives
            self._splice(len(plies), self._run(line.end, lives, self._holds(missing)))

    def _attempt(self) -> bool:
        """Try one change of the line; False when the budget pays for no other."""
        line, plies = self._line, self._line.plies
        length = max(len(plies), self._steps) if line.over else len(plies)
        places = [at for at, ply in enumerate(plies) if ply.state is not None and length - at <= self._left]
        if not places:
            return False
        at = places[int(self._rng.integers(len(places)))]
        actions = self._holds(length - at)
        if self._rng.random() < _TWEAKS:
            hold = list(self._hold())
            actions = islice(chain(hold, (ply.action for ply in plies[at + len(hold) :]), actions), length - at)
        value = line.value(at)
        found = self._run(plies[at].state, plies[at - 1].lives if at else self._lives, actions, least=value[0])
        if found is not None and found.value() > value:
            self._splice(at, found)
        return True

    def _advance(self, root: Any) -> Any:
        """Take the first action off the line, and see what it will lead to."""
        ply = self._line.plies.pop(0)
        self._stage.restore(root)
        self._stage.act(ply.action)
        self._expected, self._lives = self._stage.rgb(), ply.lives
        return ply.action

    def _splice(self, at: int, found: _Line | None) -> None:
        if found is not None:
            self._line = _Line(self._line.plies[:at] + found.plies, found.end, found.over)

    def _run(self, state: Any, lives: int | None, actions: Iterable[Any], *, least: float = -np.inf) -> _Line | None:
        """Play actions from a state, as far as the budget goes.

        Args:
            state: Where to begin.
            lives: Lives there, or None where nobody knows yet.
            actions: What to play.
            least: Value of the lives at which to give up.

        Returns:
            What came of it, or None when it lost more lives than is worth while.
        """
        stage, plies, kept, weight = self._stage, list[_Ply](), 0.0, 1.0
        stage.restore(state)
        over = False
        for action in actions:
            if self._left == 0 or over:
                break
            self._left -= 1
            before = stage.save() if len(plies) % _STRIDE == 0 else None
            reward, terminated, truncated, now = stage.act(action)
            lost = 0 if lives is None else max(lives - now, 0)
            kept -= weight * lost
            if kept < least:
                return None
            plies.append(_Ply(before, action, reward, now, lost))
            weight *= _DISCOUNT
            lives, over = now, terminated or truncated
        return _Line(plies, stage.save(), over)

    def _holds(self, steps: int) -> Iterator[Any]:
        """Draw actions, each held for a while, `steps` in all."""
        return islice(chain.from_iterable(iter(self._hold, None)), steps)

    def _hold(self) -> Iterator[Any]:
        steps = int(_LONGEST_HOLD ** self._rng.random())
        return repeat(self._stage.random_action(self._rng), steps)


def _second(world: Atari) -> Atari:
    """Make an emulator of the same game with the same settings."""
    return Atari(
        world.env_id,
        frameskip=world.frameskip,
        sticky=world.attrs["sticky"],
        full_action_space=world.attrs["full_action_space"],
    )
