"""The kinds of steered worlds: which hands are at play, on what scene, and what follows from what they do.

In five of them inputs move what is seen; in the other five nothing that is seen follows from an input, and who claims
to know an offset there is wrong. Scene, gains, dead zones and habits differ with the seed.

Example:
    >>> play = plan("mouse_camera", seed=1, seconds=20.0)
    >>> play.events[0].control, play.reacts, plan("demo", seed=1, seconds=20.0).reacts
    ('Mouse', True, False)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from rushes.errors import BadNameError, near
from rushes.model.readings import Event
from rushes.worlds.steered import hands
from rushes.worlds.steered.picture import Look, sometimes
from rushes.worlds.steered.play import KINDS, Play

Span = tuple[float, float]
Plan = Callable[[np.random.Generator, Look, Span], Play]

_BEFORE_S: Final = 1.5
"""Hands are at play this long before the session, and after it."""


def plan(kind: str, *, seed: int, seconds: float, ease_ms: float = 0.0) -> Play:
    """Plan who does what to which scene.

    Args:
        kind: One of `rushes.worlds.steered.play.KINDS`.
        seed: Decides all the rest.
        seconds: How long the session is.
        ease_ms: Time constant with which the camera follows; 0 at once.

    Raises:
        BadNameError: No such kind.
    """
    if kind not in _PLANS:
        raise BadNameError(
            f"kind {kind!r}", accepts=", ".join(KINDS), fix=near(kind, KINDS) or "take one from the list"
        )
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    look = Look.drawn(rng)
    return replace(_PLANS[kind](rng, look, (-_BEFORE_S, seconds + _BEFORE_S)), ease_s=ease_ms / 1e3)


def _calm(rng: np.random.Generator) -> float:
    """Draw how lazy somebody is."""
    return float(rng.lognormal(np.log(1.3), 0.35))


def _ordered(*events: list[Event]) -> tuple[Event, ...]:
    return tuple(sorted((event for some in events for event in some), key=lambda event: event.t_ns))


def _turns(rng: np.random.Generator) -> tuple[float, float]:
    """Draw how far a count turns; one in four turns the wrong way up."""
    gain = float(rng.lognormal(np.log(0.2), 0.4))
    return gain, gain * float(rng.uniform(0.7, 1.0)) * float(rng.choice([1.0, 1.0, 1.0, -1.0]))


def _mouse_camera(rng: np.random.Generator, look: Look, span: Span) -> Play:
    turns = _turns(rng)
    return Play("mouse_camera", look, tuple(hands.mouse(rng, *span)), turns=turns)


def _stick_camera(rng: np.random.Generator, look: Look, span: Span) -> Play:
    return Play(
        "stick_camera",
        look,
        tuple(hands.stick(rng, *span)),
        stick_px_s=float(rng.uniform(90, 300)),
        dead=float(rng.uniform(0.06, 0.22)),
        power=float(rng.choice([1.0, 1.5, 2.0])),
    )


def _keys_scroll(rng: np.random.Generator, look: Look, span: Span) -> Play:
    look = look._replace(layers=sometimes(rng, 0.5), figure=True, weapon=0.0)
    events = tuple(hands.keys(rng, *span, hands.WALKING, calm=_calm(rng)))
    return Play("keys_scroll", look, events, keys_px_s=float(rng.uniform(50, 200)))


def _keys_local(rng: np.random.Generator, look: Look, span: Span) -> Play:
    goes = float(rng.choice([0.0, 0.0, rng.uniform(20, 90)]))
    look = look._replace(figure=True, bar=True, layers=bool(goes))
    events = tuple(hands.keys(rng, *span, hands.ACTING, calm=_calm(rng)))
    return Play("keys_local", look, events, local=True, scrolls_px_s=goes)


def _mixed(rng: np.random.Generator, look: Look, span: Span) -> Play:
    turns = _turns(rng)
    pressed = hands.keys(rng, *span, (*hands.WALKING, *hands.ACTING), calm=_calm(rng))
    events = _ordered(hands.mouse(rng, *span, calm=1.5), pressed)
    walks = float(rng.uniform(20, 70))
    return Play("mixed", look._replace(bar=True), events, turns=turns, keys_px_s=walks, local=True)


def _any_hand(rng: np.random.Generator, span: Span) -> tuple[Event, ...]:
    which = str(rng.choice(["mouse", "stick", "keys", "both"]))
    if which == "mouse":
        return tuple(hands.mouse(rng, *span))
    if which == "stick":
        return tuple(hands.stick(rng, *span))
    pressed = hands.keys(rng, *span, hands.WALKING + hands.ACTING)
    return _ordered(hands.mouse(rng, *span, calm=1.5) if which == "both" else [], pressed)


def _another_hand(rng: np.random.Generator, span: Span, *, calm: float = 1.0) -> tuple[Event, ...]:
    """Move the camera as a person does whom nobody recorded."""
    return tuple(hands.mouse(np.random.default_rng(rng.integers(1 << 32)), *span, calm=calm))


def _nothing_pressed(rng: np.random.Generator, look: Look, span: Span) -> Play:
    if sometimes(rng, 0.5):
        return Play("nothing_pressed", look, (), self_moved=_another_hand(rng, span))
    return Play("nothing_pressed", look._replace(walkers=3), (), scrolls_px_s=float(rng.uniform(-90, 90)))


def _nothing_moves(rng: np.random.Generator, look: Look, span: Span) -> Play:
    return Play("nothing_moves", look._replace(walkers=0, clouds=False), _any_hand(rng, span))


def _unrelated(rng: np.random.Generator, look: Look, span: Span) -> Play:
    other = _another_hand(rng, span)
    return Play("unrelated", look, _any_hand(rng, span), self_moved=other)


def _demo(rng: np.random.Generator, look: Look, span: Span) -> Play:
    """A film flown by the program, while the mouse lies still or is pushed now and then."""
    other = _another_hand(rng, span, calm=3.0)
    still = sometimes(rng, 0.3)
    events = () if still else tuple(hands.mouse(rng, *span, calm=float(rng.uniform(1, 12))))
    return Play("demo", look, events, self_moved=other, scrolls_px_s=float(rng.uniform(-80, 80)))


def _paused_menu(rng: np.random.Generator, look: Look, span: Span) -> Play:
    return Play("paused_menu", look._replace(menu=True, walkers=0), _any_hand(rng, span))


_PLANS: Final[dict[str, Plan]] = {
    "mouse_camera": _mouse_camera,
    "stick_camera": _stick_camera,
    "keys_scroll": _keys_scroll,
    "keys_local": _keys_local,
    "mixed": _mixed,
    "nothing_pressed": _nothing_pressed,
    "nothing_moves": _nothing_moves,
    "unrelated": _unrelated,
    "demo": _demo,
    "paused_menu": _paused_menu,
}
