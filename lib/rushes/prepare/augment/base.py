"""What a transform is, the table of them, and how those of a row are written down and applied.

A row keeps what was done to it as JSON: a list of transforms with the numbers that were drawn. Pixels stay where they
are; the list is applied when they are read, alike to every frame of a window. What a transform means for the action
(left becomes right, a hold gets shorter) was put into the row when it was made.

Example:
    >>> import numpy as np
    >>> text = written([Drawn("brightness", {"factor": 0.5}), Drawn("flip", {})])
    >>> window = np.array([10, 200], np.uint8).reshape(1, 1, 2, 1).repeat(3, axis=-1)
    >>> apply(window, read(text))[0, 0, :, 0].tolist()
    [100, 5]
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, RushesError
from rushes.model.actions import ActionSpace
from rushes.table import Table

Pixels = npt.NDArray[np.uint8]
"""(T, S, S, 3) uint8 RGB, the frames of one window."""
REFERENCE_PX: Final = 227
"""Side of the picture that lengths in px are meant for; at another size they scale with it."""


@dataclass(frozen=True)
class Action:
    """What a row says was done.

    Attributes:
        keys: (A,) float32, one number a slot of the space.
        control: The target that the row is labelled for.
        hold_s: How long it was held; NaN where that is not known.
    """

    keys: npt.NDArray[np.float32]
    control: str
    hold_s: float


@dataclass(frozen=True)
class World:
    """What transforms of actions have to know.

    Attributes:
        space: What the numbers of `keys` are.
        pairs: Controls and their mirror images where this game differs from common use.
    """

    space: ActionSpace
    pairs: Mapping[str, str] = field(default_factory=dict)


class Transform(ABC):
    """A family of transforms with the range that its numbers are drawn from."""

    writes: ClassVar[str]
    """How the range is written in a recipe; empty where there is none."""
    example: ClassVar[str]
    """A range."""

    @classmethod
    @abstractmethod
    def parse(cls, values: str) -> Self:
        """Read a range as a recipe writes it; an empty text gives the family's own.

        Raises:
            BadInputError: It does not read, or lies outside of what makes sense.
        """

    @abstractmethod
    def draw(self, rng: np.random.Generator, length: int) -> dict[str, Any] | None:
        """Draw the numbers of one copy: plain JSON values.

        Args:
            rng: Source of randomness.
            length: Frames of the window.

        Returns:
            What `pixels` and `action` take; None where this draw would change nothing.
        """

    @staticmethod
    @abstractmethod
    def check(parameters: Mapping[str, Any]) -> bool:
        """Say whether these are numbers that `pixels` can take: they may come from a file."""

    @staticmethod
    def pixels(window: Pixels, parameters: Mapping[str, Any]) -> Pixels:
        """Transform the frames of a window, all alike; the window itself may be changed."""
        del parameters
        return window

    @staticmethod
    def keys(keys: npt.NDArray[np.float32], parameters: Mapping[str, Any], world: World) -> npt.NDArray[np.float32]:
        """Give the numbers of the actions that belong to the transformed pixels: (..., A) in, the same shape out.

        Raises:
            BadInputError: There are none.
        """
        del parameters, world
        return keys

    @staticmethod
    def action(action: Action, parameters: Mapping[str, Any], world: World) -> Action:
        """Give the action that belongs to the transformed pixels.

        Raises:
            BadInputError: There is none.
        """
        del parameters, world
        return action

    @staticmethod
    def speed(parameters: Mapping[str, Any]) -> float:
        """Say how many frames of the recording pass from one frame of the window to the next."""
        del parameters
        return 1.0


TRANSFORMS: Final = Table(
    "transform",
    {
        "flip": ("rushes.prepare.augment.flip:Flip", "", "left and right swapped, in the picture and in the action"),
        "brightness": ("rushes.prepare.augment.light:Brightness", "", "every value times a factor"),
        "contrast": ("rushes.prepare.augment.light:Contrast", "", "distance from mid-grey (127.5) times a factor"),
        "noise": ("rushes.prepare.augment.noise:Noise", "", "Gaussian noise, the same on each frame of a window"),
        "shift": ("rushes.prepare.augment.place:Shift", "", "moved by whole pixels, black where nothing comes in"),
        "crop": (
            "rushes.prepare.augment.place:Crop",
            "",
            "a part made as large as the whole; mouse motion grows alike",
        ),
        "stretch": ("rushes.prepare.augment.stretch:Stretch", "", "a window of faster or slower play"),
        "mask": ("rushes.prepare.augment.mask:Mask", "", "rectangles painted black, such as a score"),
    },
)
"""Transforms by the name that recipes and rows use."""


@dataclass(frozen=True)
class Drawn:
    """One transform of a row.

    Attributes:
        name: A row of `TRANSFORMS`.
        parameters: The numbers that were drawn.
    """

    name: str
    parameters: Mapping[str, Any]


def family(name: str) -> type[Transform]:
    """Give a family by its name.

    Raises:
        BadNameError: There is none; the message names the nearest.
    """
    found: type[Transform] = TRANSFORMS.load(name)
    return found


def written(transforms: Iterable[Drawn]) -> str:
    """Write transforms as a row keeps them: JSON, or nothing where there are none."""
    found = [{"name": one.name, **one.parameters} for one in transforms]
    return json.dumps(found, sort_keys=False, separators=(",", ":")) if found else ""


def read(text: str) -> tuple[Drawn, ...]:
    """Read the transforms of a row.

    Raises:
        BadDataError: The text is no list of known transforms with their numbers.
    """
    if not text:
        return ()
    try:
        found = tuple(Drawn(one["name"], {k: v for k, v in one.items() if k != "name"}) for one in _listed(text))
        wrong = [one for one in found if not family(one.name).check(one.parameters)]
    except (KeyError, TypeError, ValueError, AttributeError, RushesError) as error:
        raise _unreadable(text, str(error)) from error
    if wrong:
        raise _unreadable(text, f"{wrong[0].name} with {dict(wrong[0].parameters)}")
    return found


def _listed(text: str) -> list[Any]:
    several = json.loads(text)
    if not isinstance(several, list):
        raise TypeError("no list")
    return several


def _unreadable(text: str, why: str) -> BadDataError:
    return BadDataError(
        f"transform {text!r} ({why})",
        accepts='a list such as [{"name":"brightness","factor":0.9}] with the names ' + ", ".join(TRANSFORMS),
        fix="make the rows anew with `rushes prepare augment`",
    )


def apply(window: Pixels, transforms: Sequence[Drawn]) -> Pixels:
    """Apply transforms to the frames of a window, in their order.

    Args:
        window: (T, S, S, 3) uint8 RGB; it may be changed.
        transforms: As `read` gives them.

    Returns:
        (T, S, S, 3) uint8 RGB.
    """
    for one in transforms:
        window = family(one.name).pixels(window, one.parameters)
    return window


def steps_back(length: int, transforms: Sequence[Drawn]) -> npt.NDArray[np.int64]:
    """Say which frames a window shows.

    Args:
        length: Frames of the window.
        transforms: As `read` gives them.

    Returns:
        (T,) int64, how many frames each lies before the last one; `length` - 1 ... 0 at the speed of the recording.
    """
    speed = float(np.prod([family(one.name).speed(one.parameters) for one in transforms]))
    plain = np.arange(length - 1, -1, -1)
    nearest: npt.NDArray[np.int64] = np.floor(plain * speed + 0.5).astype(np.int64)  # of two alike the earlier
    return nearest


def one_range(
    text: str, name: str, *, default: tuple[float, float], limits: tuple[float, float]
) -> tuple[float, float]:
    """Read `NUMBER` or `LOW..HIGH`.

    Args:
        text: As it stands in a recipe.
        name: The transform, for the message.
        default: Where the text is empty.
        limits: Least and greatest number that make sense.

    Raises:
        BadInputError: It does not read, or lies outside of the limits.
    """
    if not text:
        return default
    low, dots, high = text.partition("..")
    try:
        found = float(low), float(high if dots else low)
    except ValueError:
        found = (np.nan, np.nan)
    if not limits[0] <= found[0] <= found[1] <= limits[1]:  # false for NaN too
        raise BadInputError(
            f"{name} of {text!r}",
            accepts=f"a number, or LOW..HIGH, from {limits[0]:g} to {limits[1]:g}",
            fix=f"write {name}=0.5:{default[0]:g}..{default[1]:g}",
        )
    return found


def is_number(value: Any, low: float, high: float) -> bool:
    """Say whether a value of a file is a number within limits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
