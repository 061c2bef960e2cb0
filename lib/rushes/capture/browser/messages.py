"""What a page may say, and how it is told that it may not go on.

`rushes.capture.browser.parsing` makes these values of what comes over the wire. Times are the page's
`performance.now()` in ms.

Example:
    >>> Break(1500.5, "hidden").reason
    'hidden'
    >>> refusal(BadMessageError("no size", accepts="[height, width]", fix="say it"))["given"]
    'no size'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, RushesError
from rushes.model.readings import Event

VERSION: Final = 1
"""Of the protocol."""


class BadMessageError(BadInputError):
    """A message that is not what a page may say.

    Args:
        given: What was found.
        accepts: What is accepted.
        fix: What to do.
        reason: The session's end_reason: `bad_message`, or the limit that was passed.
    """

    def __init__(self, given: str, *, accepts: str = "", fix: str = "", reason: str = "bad_message") -> None:
        self.reason = reason
        super().__init__(given, accepts=accepts, fix=fix or "include the capture.js that this server serves")


class Hello(NamedTuple):
    """A page begins.

    Attributes:
        game: Its name.
        player: Who plays, `""` where nobody said.
        page: Where the page says it stands.
        canvas: (height, width) in px.
        attrs: What else it says of the play, such as environment and seed: text, numbers, booleans.
    """

    game: str
    player: str
    page: str
    canvas: tuple[int, int]
    attrs: Mapping[str, Any] = MappingProxyType({})


class Answer(NamedTuple):
    """The page's clock: `number` of the question, and `told_ms` on the page."""

    number: int
    told_ms: float


class Picture(NamedTuple):
    """A captured picture: pixels (H, W, 3) uint8 RGB, and the telemetry of its frame or None."""

    t_ms: float
    tick: int
    late: bool
    dropped: int
    pixels: npt.NDArray[np.uint8]
    fields: Mapping[str, Any] | None


class Inputs(NamedTuple):
    """What the hands did: pairs of a time in ms and an event without one."""

    rows: tuple[tuple[float, Event], ...]


class Told(NamedTuple):
    """A row of telemetry that is no frame's."""

    t_ms: float
    fields: Mapping[str, Any]


class Break(NamedTuple):
    """An unbroken stretch ends: `hidden`, `pause` ..."""

    t_ms: float
    reason: str


class Missing(NamedTuple):
    """What the page met and does not tell: counted."""

    t_ms: float
    stream: str
    reason: str
    number: int


class Ending(NamedTuple):
    """The play is over: `stop`, `died` ..."""

    t_ms: float
    reason: str


Message = Hello | Answer | Picture | Inputs | Told | Break | Missing | Ending


def refusal(error: RushesError, code: str = "") -> dict[str, str]:
    """Say an error to a page; `code` is a word that it understands, such as `busy`."""
    return {"type": "refused", "code": code, "given": error.given, "accepts": error.accepts, "fix": error.fix}
