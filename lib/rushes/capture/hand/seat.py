"""The seat: who chooses the next action, a person or a policy, and how they take turns.

In `shared` the policy plays until a person touches something; it gets the game back when nothing has been held or
touched for a while. A policy is asked as often as when a game is sampled at frameskip 4, and its answer holds until it
is asked again, so that `persistent` holds its actions for as long as there.

Example (a person who holds nothing; Breakout's action 0 does nothing):
    >>> from rushes.capture.hand.settings import HandSettings
    >>> play = HandSettings("Breakout").play()
    >>> world = play.world()
    >>> seat = Seat(world, play, Bindings(world.action_space), give_back_ns=0)
    >>> seat.begin(0)
    >>> hands = Hands(seat.bindings.controls)
    >>> seat.choose("human", hands.take(), step=0, t_ns=0)
    Choice(action=0, is_human=True)
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from rushes.capture.env.play import POLICY, Play
from rushes.capture.env.policies import Moment, Policy, choose, make_policy
from rushes.capture.hand.bindings import Bindings, Held
from rushes.capture.hand.hands import Grip, Hands
from rushes.model.games import is_atari
from rushes.worlds.base import World

_EVERY: Final = 4
"""Emulated frames between two questions to a policy, as `rushes sample` has by default."""


class Choice(NamedTuple):
    """What is done next.

    Attributes:
        action: The number of an action, or a list of floats.
        is_human: Whether a person chose it; doing nothing is a choice, too.
    """

    action: Any
    is_human: bool


class Seat:
    """Decides who plays each step.

    Args:
        world: What is played.
        play: Names the policy and its random numbers.
        bindings: What keys mean.
        give_back_ns: How long nothing is touched before the policy plays on.

    Attributes:
        bindings: The same.
    """

    def __init__(self, world: World, play: Play, bindings: Bindings, *, give_back_ns: int) -> None:
        self.bindings = bindings
        self._world, self._play, self._give_back_ns = world, play, give_back_ns
        self._every = max(1, _EVERY // play.frameskip) if is_atari(play.env_id) else 1
        self._policy: Policy | None = None
        self._rng = np.random.default_rng(0)
        self._last: Any = None
        self._answer: Any = None
        self._ask_at = 0

    @property
    def has_policy(self) -> bool:
        """Whether there is a policy to share with."""
        return bool(self._play.policy)

    def begin(self, episode: int) -> None:
        """Begin an episode: a policy made anew, with random numbers of its own."""
        self._policy = make_policy(self._play.policy) if self.has_policy else None
        self._rng = self._play.stream(POLICY, episode)
        self._last, self._ask_at = None, 0

    def is_human(self, who: str, hands: Hands | Grip, t_ns: int) -> bool:
        """Say whether the next step is a person's.

        Args:
            who: `human`, `policy` or `shared`.
            hands: Theirs, or what the step got of them.
            t_ns: ns since session start.
        """
        if who != "shared" or not self.has_policy:
            return who != "policy" or not self.has_policy
        return hands.busy(t_ns, quiet_ns=self._give_back_ns)

    def waits(self, who: str, hands: Hands, t_ns: int) -> bool:
        """Say whether the world stands still until a person makes a move."""
        return self.bindings.in_turns and self.is_human(who, hands, t_ns)

    def choose(self, who: str, grip: Grip, *, step: int, t_ns: int) -> Choice | None:
        """Choose, from what this step got and nothing that came later.

        Args:
            who: `human`, `policy` or `shared`.
            grip: What this step got of the person's hands.
            step: Steps since the episode began.
            t_ns: ns since session start.

        Returns:
            The choice; None where the world waits for a move and there is none.

        Raises:
            BadInputError: The policy answered with something that is no action.
        """
        if not self.is_human(who, grip, t_ns):
            if step >= self._ask_at or self._answer is None:
                assert self._policy is not None
                self._answer = choose(self._policy, Moment(self._world, step, self._rng))
                self._ask_at = step + self._every
            self._last = self._answer
            return Choice(self._last, is_human=False)
        self._ask_at, held = 0, grip.held
        if self.bindings.in_turns:
            held = Held(tuple(control for control in held.down if control in grip.pressed))
        action = self.bindings.action(held)
        if action is None:
            if self.bindings.in_turns:
                return None
            action = 0 if self._last is None else self._last  # a world that never rests: what was done goes on
        self._last = action
        return Choice(action, is_human=True)
