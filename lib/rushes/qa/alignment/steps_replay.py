"""Telling by replay: the shift of the actions that gives the stored pictures back, bit for bit.

An episode that says its environment and its seed is played again from its first picture. Stored actions that are s
steps late or early give the pictures back only when they are moved by s; what was done in the first s steps then stands
nowhere, and is whatever gives those pictures. On the way, other actions are tried from saved states: that tells whether
actions move anything, and how many steps the game itself takes to show it.

Example:
    >>> from rushes.store.reader import open_session
    >>> def steps_off(path):
    ...     recording = open_session(path)
    ...     return replayed(recording, recording.segments[0])
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rushes.errors import RushesError
from rushes.model.games import is_atari
from rushes.model.recording import Recording
from rushes.model.session import Segment
from rushes.worlds.atari import Atari
from rushes.worlds.base import Outcome, Restorable, World
from rushes.worlds.catalog import make_world

Picture = npt.NDArray[np.uint8]

NEEDED: Final = ("env_id", "seed", "frameskip", "sticky", "full_action_space")
"""What a segment must say of itself to be played again."""
MOST: Final = 300
"""Steps that are played; the starts of games, in which nothing can be done yet, are shorter."""
_FARTHEST: Final = 8
"""Steps, either way."""
_BRANCHES: Final = 24
"""Ways to a picture that are followed where the stored actions do not say which one it was."""
_TRIED: Final = 40
"""Steps at which other actions are tried."""
_LATEST: Final = 6
"""Steps after which an action that has shown nothing counts as one that moves nothing."""
_ENOUGH: Final = 4
"""Steps at which the action of the step before would have given other pictures: fewer do not tell a shift."""
FIRST_SHARE: Final = 0.1
"""Share of the actions that move anything of which the first picture to show it decides on the game's own latency."""


class Saved(Protocol):
    """What is asked of a world that is played from a state more than once."""

    def act(self, action: Any) -> Outcome:
        """Take one step."""

    def rgb(self) -> Picture:
        """Return the present picture."""

    def save(self) -> Any:
        """Return the state."""

    def restore(self, state: Any) -> None:
        """Put a state back."""


class Repeated:
    """A world whose state cannot be saved: its episode is played again up to there.

    Args:
        world: The world.
        seed: Of the episode.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed
        self._done: tuple[Any, ...] = ()

    def act(self, action: Any) -> Outcome:
        """Take one step."""
        self._done = (*self._done, action)
        return self._world.act(action)

    def rgb(self) -> Picture:
        """Return the present picture."""
        return self._world.rgb()

    def save(self) -> tuple[Any, ...]:
        """Return what was done so far."""
        return self._done

    def restore(self, state: tuple[Any, ...]) -> None:
        """Do it again."""
        self._world.reset(self._seed)
        for action in state:
            self._world.act(action)
        self._done = state


class Replayed(NamedTuple):
    """What playing an episode again said.

    Attributes:
        steps: By how many actions are shifted against the pictures, the game's own latency included; None where the
            pictures come back and the actions move too little of them to tell.
        played: Steps that were played.
    """

    steps: int | None
    played: int


def replayed(recording: Recording, segment: Segment) -> Replayed | None:
    """Play an episode again with its actions shifted.

    Args:
        recording: The recording.
        segment: The episode.

    Returns:
        What it said; None where the episode does not say how it was made, its environment is not here, or no shift
        gives its pictures back.
    """
    attrs = segment.attrs
    if any(attrs.get(key) is None for key in NEEDED) or attrs.get("from_step", 0) or segment.frames < _LATEST:
        return None
    steps = recording.steps(segment.index)
    if not np.array_equal(
        steps["frame_index"].to_numpy()[:MOST], segment.first_frame + np.arange(min(len(steps), MOST))
    ):
        return None
    try:
        world = _make(segment)
        try:
            stop = min(segment.stop_frame, segment.first_frame + MOST + 1)
            pictures = list(recording.frames(segment.first_frame, stop))
            return _find(world, int(attrs["seed"]), pictures, steps["action"].tolist()[: len(pictures) - 1])
        finally:
            world.close()
    except RushesError:
        return None


def _make(segment: Segment) -> World:
    how = {key: segment.attrs[key] for key in ("frameskip", "sticky", "full_action_space")}
    if is_atari(segment.attrs["env_id"]):
        return Atari(segment.attrs["env_id"], **how, plain_reset=True)
    return make_world(segment.attrs["env_id"], **how)


def _find(made: World, seed: int, pictures: Sequence[Picture], actions: Sequence[Any]) -> Replayed | None:
    made.reset(seed)
    if not np.array_equal(made.rgb(), pictures[0]):
        return None
    world: Saved = made if isinstance(made, Restorable) else Repeated(made, seed)
    every = range(len(made.action_space)) if made.action_space.kind == "discrete" else range(0)
    starts = [[world.save()]]  # the ways to the first pictures, whatever was done
    for shift in sorted(range(-_FARTHEST, _FARTHEST + 1), key=lambda s: (abs(s), s)):
        while len(starts) <= shift and starts[-1] and len(starts) < len(pictures):
            starts.append(_onward(world, starts[-1], every, pictures[len(starts)]))
        before = max(shift, 0)
        taken = actions[max(-shift, 0) : len(actions) - before]
        for state in starts[before] if before < len(starts) else ():
            world.restore(state)
            if _gives(world, taken, pictures[before + 1 :]):
                world.restore(state)
                first = _shown_after(world, taken, pictures[before + 1 :])
                return None if first is None else Replayed(_latency(shift, first), len(taken))
    return None


def _onward(world: Saved, states: Sequence[Any], actions: Sequence[Any], picture: Picture) -> list[Any]:
    """Give the states behind one more action that show a picture, each once."""
    found: dict[bytes, Any] = {}
    for state in states:
        for action in actions:
            world.restore(state)
            world.act(action)
            if np.array_equal(world.rgb(), picture):
                saved = world.save()
                found.setdefault(pickle.dumps(saved), saved)
            if len(found) >= _BRANCHES:
                return list(found.values())
    return list(found.values())


def _gives(world: Saved, actions: Sequence[Any], pictures: Sequence[Picture]) -> bool:
    """Say whether actions give pictures, from where the world stands."""
    if len(actions) < _LATEST:
        return False
    for action, picture in zip(actions, pictures, strict=False):
        world.act(action)
        if not np.array_equal(world.rgb(), picture):
            return False
    return True


def _shown_after(world: Saved, actions: Sequence[Any], pictures: Sequence[Picture]) -> list[int] | None:
    """Play on, try the action before in place of each that is another one, and see when pictures first differ.

    Returns:
        Steps, one for each action that moves anything; None where a state that was put back does not play on as it
        did: there are games of which a saved state is not all.
    """
    changes = [k for k in range(1, len(actions) - _LATEST) if actions[k] != actions[k - 1]]
    tried = set(changes[:: max(len(changes) // _TRIED, 1)])
    first: list[int] = []
    for step, action in enumerate(actions):
        if step in tried:
            state = world.save()
            looks = []
            for instead in (action, actions[step - 1]):
                world.restore(state)
                looks.append(list(_looks(world, [instead, *islice(actions, step + 1, step + _LATEST)])))
            world.restore(state)
            stored = [picture.tobytes() for picture in pictures[step : step + len(looks[0])]]
            if looks[0] != stored:
                return None
            first += [n for n, (one, other) in enumerate(zip_longest(*looks)) if one != other][:1]
        world.act(action)
    return first


def _latency(shift: int, first: Sequence[int]) -> int | None:
    """Add the game's own latency to a shift; None where too few actions move anything."""
    counts = np.bincount(first, minlength=1)
    if counts.sum() < _ENOUGH:
        return None
    return shift + int(np.flatnonzero(counts >= FIRST_SHARE * counts.sum())[0])


def _looks(world: Saved, actions: Sequence[Any]) -> Iterator[bytes]:
    for action in actions:
        came = world.act(action)
        yield world.rgb().tobytes()
        if came.terminated or came.truncated:
            return
