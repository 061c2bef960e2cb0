"""Policies: who chooses the actions when an environment is sampled.

A policy is anything that can be called with a `Moment` and answers with an action: the number of an action, or a list
of numbers where the environment takes a vector. The built-in ones stand in `POLICIES`; `module:function` names one of
your own, and a class or a function without parameters there is called once an episode to make the policy.

| policy | what it does |
|---|---|
| `uniform` | draws every action with the same probability |
| `persistent` | holds an action for a random time, as hands do |
| `lookahead` | tries actions with the emulator's saved states (see `lookahead.py`) |

How often chance overrides a policy (`randomness`) is the sampler's business and not the policy's.

Example:
    >>> from rushes.worlds.catalog import make_world
    >>> world, rng = make_world("ALE/Pong-v5"), np.random.default_rng(0)
    >>> policy = make_policy("uniform")
    >>> [choose(policy, Moment(world, step, rng)) for step in range(5)]
    [5, 3, 3, 1, 1]
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, BadNameError, UnavailableError, near
from rushes.table import Table
from rushes.worlds.base import World

POLICIES: Final = Table(
    "policy",
    {
        "uniform": ("rushes.capture.env.policies:Uniform", "", "draws every action with the same probability"),
        "persistent": ("rushes.capture.env.policies:Persistent", "", "holds an action for a random time, as hands do"),
        "lookahead": ("rushes.capture.env.lookahead:Lookahead", "", "tries actions with the emulator's saved states"),
    },
)
"""The built-in policies."""

_BLOCK: Final = 1024
_SPREAD: Final = 0.7
"""Standard deviation of the logarithm of a hold's length; a choice that gives many short and a few long holds."""


class Moment(NamedTuple):
    """What a policy may look at before it acts.

    Attributes:
        world: The world as it stands; a policy that changes it puts it back.
        step: Steps since the episode began, from 0.
        rng: The policy's own random numbers; the same seed gives the same ones.
    """

    world: World
    step: int
    rng: np.random.Generator

    @property
    def action_count(self) -> int:
        """Number of discrete actions, or of numbers in a vector."""
        return len(self.world.action_space)

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names in the order of their numbers (`ALE/NOOP`, ...)."""
        return self.world.action_space.names

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the present picture: (H, W, 3) uint8 RGB."""
        return self.world.rgb()


Policy = Callable[[Moment], Any]
"""Answers a moment with an action: an int from 0 to n-1, or a vector of finite numbers within the limits."""


class Uniform:
    """Every action with the same probability, whatever is on the screen."""

    def __init__(self) -> None:
        self._drawn: Iterator[int] = iter(())

    def __call__(self, moment: Moment) -> Any:
        """Return the next of a block of actions that was drawn at once."""
        for action in self._drawn:
            return action
        space = moment.world.action_space
        if space.kind != "discrete":
            return moment.world.random_action(moment.rng)
        self._drawn = iter(moment.rng.integers(len(space), size=_BLOCK).tolist())
        return next(self._drawn)


class Persistent:
    """Hold an action for a random number of steps, then change to another one.

    The lengths are log-normal, since that is how long people hold keys: positively skewed, with few very short ones
    (González et al., "On the shape of timings distributions in free-text keystroke dynamics profiles", Heliyon 7,
    2021, doi:10.1016/j.heliyon.2021.e08413). Mean and spread are choices: eight steps are half a second at frameskip 4.

    Args:
        mean_steps: Mean length of a hold in steps, at least 1.

    Raises:
        BadInputError: `mean_steps` is below 1 or no finite number.
    """

    def __init__(self, *, mean_steps: float = 8.0) -> None:
        if isinstance(mean_steps, bool) or not (math.isfinite(mean_steps) and mean_steps >= 1):
            raise BadInputError(f"mean_steps={mean_steps!r}", accepts="a number from 1", fix="pass mean_steps=8.0")
        self._more = mean_steps - 1
        self._left = 0
        self._held: Any = None

    def __call__(self, moment: Moment) -> Any:
        """Return the held action, or another one when its time is over."""
        if self._left == 0:
            self._change(moment)
        self._left -= 1
        return self._held

    def _change(self, moment: Moment) -> None:
        world, rng = moment.world, moment.rng
        # one step and a log-normal rest, whose mean is exp(mu + spread^2 / 2)
        rest = self._more * math.exp(_SPREAD * rng.standard_normal() - _SPREAD**2 / 2)
        self._left = 1 + round(rest)
        space = world.action_space
        if space.kind != "discrete":
            self._held = world.random_action(rng)
        elif self._held is None or len(space) == 1:
            self._held = int(rng.integers(len(space)))
        else:  # another action than the last one, so that a hold is as long as it was drawn
            drawn = int(rng.integers(len(space) - 1))
            self._held = drawn + (drawn >= self._held)


def choose(policy: Policy, moment: Moment) -> Any:
    """Ask a policy and check its answer.

    Args:
        policy: As `make_policy` gives it.
        moment: What it may look at.

    Returns:
        An int from 0 to n-1, or a list of finite floats within the limits.

    Raises:
        BadInputError: The policy answered with something else; the message says what is accepted.
    """
    action = policy(moment)
    space = moment.world.action_space
    if type(action) is int and space.kind == "discrete" and 0 <= action < len(space.slots):
        return action
    return _checked(action, moment)


def _checked(action: Any, moment: Moment) -> int | list[float]:
    """Check what is no plain int in range, at leisure."""
    space = moment.world.action_space
    given = f"action {_short(action)} of type {type(action).__name__} from the policy at step {moment.step}"
    if space.kind == "discrete":
        if isinstance(action, int | np.integer) and not isinstance(action, bool) and 0 <= action < len(space):
            return int(action)
        raise BadInputError(
            given,
            accepts=f"a whole number from 0 to {len(space) - 1} ({space.names[0]} to {space.names[-1]})",
            fix="return the number of an action as int, such as int(moment.rng.integers(moment.action_count))",
        )
    limits = [slot.limits for slot in space.slots]
    try:
        array = np.asarray(action)
        values = array.astype(np.float64).ravel().tolist() if array.dtype.kind in "fiu" else []
    except (TypeError, ValueError):
        values = []
    if len(values) == len(limits) and all(
        a <= v <= b and math.isfinite(v) for v, (a, b) in zip(values, limits, strict=True)
    ):
        return values
    raise BadInputError(
        given,
        accepts=f"{len(limits)} finite numbers within {', '.join(f'{a:g} to {b:g}' for a, b in limits)}",
        fix="return a list of floats within the limits, such as moment.world.random_action(moment.rng)",
    )


def _short(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def make_policy(name: str) -> Policy:
    """Make the policy of one episode.

    Args:
        name: A name of `POLICIES`, or `module:function`: a function that takes a `Moment` is the policy itself; a
            class, or a function without parameters, is called to make it, so that it may remember an episode.

    Returns:
        Something to be called with each moment of one episode.

    Raises:
        BadNameError: No such policy, module or function; the message names the nearest.
        BadInputError: What the name leads to cannot be called.
        UnavailableError: The module fails at import.
    """
    if isinstance(name, str) and name in POLICIES:
        return _built(POLICIES.load(name), name)
    module_name, colon, attribute = str(name).partition(":")
    if not (colon and module_name and attribute):
        raise BadNameError(
            f"policy {name!r}",
            accepts=f"one of {', '.join(POLICIES)}, or module:function",
            fix=near(str(name), POLICIES) or "take a name from the list",
        )
    module = _module(name, module_name)
    if not hasattr(module, attribute):
        own = [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]
        raise BadNameError(
            f"policy {name!r}, but module {module_name!r} has no {attribute!r}",
            accepts="a function or class of the module" + (f" ({', '.join(sorted(own)[:8])})" if own else ""),
            fix=near(attribute, own) or "check the name after the colon",
        )
    return _built(getattr(module, attribute), name)


def _module(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing and (module_name == missing or module_name.startswith(missing + ".")):
            raise BadNameError(
                f"policy {name!r}, but there is no module {missing!r}",
                accepts="module:function of a module that Python finds",
                fix=near(missing, _neighbours(missing))
                or f"put the folder that holds it on PYTHONPATH, or install {missing!r}",
            ) from None
        raise _broken(name, module_name, error) from error
    except Exception as error:
        raise _broken(name, module_name, error) from error


def _broken(name: str, module_name: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"policy {name!r}, whose module fails at import ({type(error).__name__}: {error})",
        accepts="module:function of a module that can be imported",
        fix=f"run python -c 'import {module_name}' and mend what it says",
    )


def _neighbours(module_name: str) -> Iterable[str]:
    """Name the modules that stand where this one was looked for."""
    parent, _, _ = module_name.rpartition(".")
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    if parent and path is None:
        return ()
    return [parent + "." * bool(parent) + found.name for found in pkgutil.iter_modules(path)]


def _built(target: Any, name: str) -> Policy:
    """Call what makes a policy; pass on what is one."""
    policy = target
    if inspect.isclass(target) or (inspect.isroutine(target) and _takes_nothing(target)):
        try:
            policy = target()
        except TypeError as error:
            raise BadInputError(
                f"policy {name!r}, which cannot be made ({error})",
                accepts="a class or factory that needs no arguments",
                fix="give its parameters defaults, or name a function without parameters that makes it",
            ) from error
    if not callable(policy):
        raise BadInputError(
            f"policy {name!r}, which is of type {type(policy).__name__}",
            accepts="something that can be called with a Moment",
            fix="name a function such as `def policy(moment): return 0`",
        )
    made: Policy = policy
    return made


def _takes_nothing(target: Any) -> bool:
    try:
        return not inspect.signature(target).parameters
    except (TypeError, ValueError):
        return False
