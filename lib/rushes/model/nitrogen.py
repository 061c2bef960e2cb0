"""The official NitroGen model's numbers: 21 buttons and two sticks as a vector of 25, and all that is a choice in it.

What the sources leave open is declared in `Settings`, by name and version, and travels with whatever is exported:

- `order`: `repository-3260844` is the token list of the code, and the default, because the code that plays with the
  published checkpoint uses it; `issue-43` is the list that a maintainer quotes there, which begins with DPAD_DOWN and
  ends with GUIDE. Which of them the published weights were trained with is not said. Another one is given as `tokens`,
  under a name of its own.
- `vertical`: the card of the data set says that up is -1; the repository's own drawing has it the other way (#36).
- `stick_range`: the model's tensor has sticks from 0 to 1, (v + 1) / 2; the data set from -1 to 1.
- `layout`: buttons stand first as the tokenizer packs them; its `old_layout` reads sticks first.
- `action_shift`: the first action of frame i is the release's row i + shift, at least 1. Its row i is what is seen on
  frame i; our row k is what happens in [t_k, t_{k+1}), seen on frame k + 1. So these are our rows i + shift - 1, ...
- `horizon`: 16 in the code, 18 in the published checkpoint.

Columns and tokens are matched by name, never by place: the release has 17 buttons, the model 21. Sticks are given and
taken from -1 to 1, right and down +1, as everywhere in this package.

Source: MineDojo/NitroGen at 3260844 (`nitrogen/shared.py`, `mm_tokenizers.py`, `cfg.py`), issue #43 there, card of
the data set nvidia/NitroGen.

Example:
    >>> import numpy as np
    >>> pressed = by_name([[1, 1]], ("south", "guide"))
    >>> vector = pack(pressed, [[0.0, -1.0]], [[1.0, 0.5]])
    >>> vector.shape, [Settings().tokens[k] for k in np.flatnonzero(vector[0, :21])], vector[0, 21:].tolist()
    ((1, 25), ['GUIDE', 'SOUTH'], [0.5, 0.0, 1.0, 0.75])
    >>> [part.tolist() for part in unpack(vector)[1:]]
    [[[0.0, -1.0]], [[1.0, 0.5]]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, near
from rushes.model.controls import STICKS
from rushes.model.layouts import layout as known_layout

Floats = npt.NDArray[np.float32]

TOKENS: Final = tuple(slot.name for slot in known_layout("nitrogen25").slots if slot.name not in STICKS)
"""The 21 buttons of the model, in the repository's order."""
COLUMNS: Final = tuple(slot.name.lower() for slot in known_layout("nitrogen21").slots if slot.name not in STICKS)
"""The 17 buttons of the release, as its tables name them."""
_QUOTED: Final = """
    DPAD_DOWN DPAD_LEFT DPAD_RIGHT DPAD_UP LEFT_SHOULDER LEFT_THUMB LEFT_TRIGGER RIGHT_SHOULDER RIGHT_THUMB
    RIGHT_TRIGGER SOUTH WEST EAST NORTH BACK START RIGHT_BOTTOM RIGHT_LEFT RIGHT_RIGHT RIGHT_UP GUIDE
"""  # MineDojo/NitroGen, issue #43, answer of 2026-02-09
ORDERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"repository-3260844": TOKENS, "issue-43": tuple(_QUOTED.split())}
)
"""The known orders of buttons by name and version."""

_VERTICAL: Final = {"up=-1": 1.0, "up=+1": -1.0}
_RANGES: Final = ("0..1", "-1..1")
_LAYOUTS: Final = ("buttons_first", "sticks_first")
_STICKS: Final = 2
_ROUNDING: Final = 1e-6
"""How far a stick may lie beyond 1: float32 of 1 that was computed."""


@dataclass(frozen=True)
class Settings:
    """What the model's numbers mean. See the module for why each one is a setting.

    Attributes:
        order: A name of `ORDERS`; any other name with `tokens`.
        tokens: The 21 buttons in order; filled in for an order of `ORDERS`.
        vertical: `up=-1` or `up=+1`.
        stick_range: `0..1` or `-1..1`, of the packed vector.
        layout: `buttons_first` (buttons, left, right) or `sticks_first` (left, right, buttons).
        action_shift: Frames between a frame and the first action that it is to predict, in the release's rows.
        horizon: T, actions a sample.
        frame_per_sample: F, frames a sample; the last is the one that the actions follow.
        frame_spacing: Frames between two of them; filled in with `action_per_chunk`.
        action_per_chunk: Actions between two frames where `frame_spacing` is not given.

    Raises:
        BadInputError: A value that is none of those.
    """

    order: str = "repository-3260844"
    tokens: tuple[str, ...] = ()
    vertical: str = "up=-1"
    stick_range: str = "0..1"
    layout: str = "buttons_first"
    action_shift: int = 1
    horizon: int = 16
    frame_per_sample: int = 1
    frame_spacing: int | None = None
    action_per_chunk: int = 8

    def __post_init__(self) -> None:
        known = ORDERS.get(self.order, ())
        tokens = tuple(name.upper() for name in self.tokens) or known
        if not tokens or (known and tokens != known):
            raise BadInputError(
                f"order={self.order!r}" + (" with other tokens" if tokens else ""),
                accepts=", ".join(ORDERS) + ", or a name of your own with its 21 tokens",
                fix=near(self.order, ORDERS) or "pass tokens=(...), or another name for them",
            )
        if sorted(tokens) != sorted(TOKENS):
            wrong = sorted(set(tokens) - set(TOKENS))
            lacks = sorted(set(TOKENS) - set(tokens))
            raise BadInputError(
                f"tokens of the order {self.order!r} ({len(tokens)}; unknown: {wrong}; lacking: {lacks})",
                accepts=f"each of the {len(TOKENS)} tokens once: {', '.join(TOKENS)}",
                fix=near(wrong[0], TOKENS) if wrong and near(wrong[0], TOKENS) else "name each token once",
            )
        object.__setattr__(self, "tokens", tokens)
        for name, accepted in (("vertical", _VERTICAL), ("stick_range", _RANGES), ("layout", _LAYOUTS)):
            value = getattr(self, name)
            if value not in accepted:
                raise BadInputError(
                    f"{name}={value!r}", accepts=" or ".join(accepted), fix=f"pass one of them as {name}"
                )
        if self.frame_spacing is None:
            object.__setattr__(self, "frame_spacing", self.action_per_chunk)
        for name in ("action_shift", "horizon", "frame_per_sample", "frame_spacing", "action_per_chunk"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInputError(
                    f"{name}={value!r}", accepts="a whole number from 1 on", fix=f"pass {name}=1 or more"
                )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, all of them."""
        return {**asdict(self), "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Settings:
        """Rebuild settings from `to_json()`.

        Raises:
            BadDataError: An unknown name, or a value that no setting has.
        """
        try:
            return cls(**{**value, "tokens": tuple(value.get("tokens", ()))})
        except (BadInputError, TypeError, AttributeError) as error:
            raise BadDataError(
                f"settings that do not read ({error})",
                accepts="what Settings.to_json gives",
                fix="write them with Settings.to_json",
            ) from error


PUBLISHED: Final = Settings(action_shift=3, horizon=18, frame_spacing=18)
"""As users report the published checkpoint (18 actions: issue #11). Read off no checkpoint here: compare with yours."""


class Actions(NamedTuple):
    """Buttons and sticks apart.

    Attributes:
        buttons: (..., 21) float32, 0 or 1, in the order of the settings.
        j_left: (..., 2) float32, -1 to 1, x and y, right and down +1.
        j_right: (..., 2) float32, likewise.
    """

    buttons: Floats
    j_left: Floats
    j_right: Floats


def by_name(values: npt.ArrayLike, names: Sequence[str], settings: Settings | None = None) -> Floats:
    """Put columns of buttons into the model's order, by name.

    Args:
        values: (..., B) numbers.
        names: B names of buttons in either case, such as `COLUMNS`; each once.
        settings: Whose order to use; the default's.

    Returns:
        (..., 21) float32; 0 for tokens that have no column.

    Raises:
        BadInputError: Another width than names, an unknown name, or one that stands twice.
    """
    tokens = (settings or Settings()).tokens
    given, upper = np.asarray(values, np.float32), [name.upper() for name in names]
    _names(upper, given.shape)
    out = np.zeros((*given.shape[:-1], len(tokens)), np.float32)
    for column, name in enumerate(upper):
        out[..., tokens.index(name)] = given[..., column]
    return out


def named(buttons: npt.ArrayLike, names: Sequence[str], settings: Settings | None = None) -> Floats:
    """Take columns out of the model's order, by name: the way back of `by_name`.

    Args:
        buttons: (..., 21) numbers.
        names: B names of buttons in either case; each once.
        settings: Whose order they are in; the default's.

    Returns:
        (..., B) float32.

    Raises:
        BadInputError: Another width than 21, an unknown name, or one that stands twice.
    """
    tokens = (settings or Settings()).tokens
    given, upper = _wide(buttons, "buttons", len(tokens)), [name.upper() for name in names]
    _names(upper, (len(upper),))
    return given[..., [tokens.index(name) for name in upper]]


def _names(names: Sequence[str], shape: tuple[int, ...]) -> None:
    wrong = [name for k, name in enumerate(names) if name not in TOKENS or name in names[:k]]
    if wrong:
        raise BadInputError(
            f"button {wrong[0]!r}" + (" twice" if wrong[0] in TOKENS else ""),
            accepts=f"each at most once of {', '.join(TOKENS)}",
            fix=near(wrong[0], TOKENS) or "take a name of the list",
        )
    if shape[-1:] != (len(names),):
        raise BadInputError(
            f"an array of shape {shape} with {len(names)} names", accepts="a column a name", fix="name every column"
        )


def pack(
    buttons: npt.ArrayLike, j_left: npt.ArrayLike, j_right: npt.ArrayLike, settings: Settings | None = None
) -> Floats:
    """Make the 25-D vector.

    Args:
        buttons: (..., 21) numbers in the order of the settings; see `by_name`.
        j_left: (..., 2) from -1 to 1, x and y, right and down +1.
        j_right: (..., 2), likewise.
        settings: Order, sign, range and layout; the default's.

    Returns:
        (..., 25) float32.

    Raises:
        BadInputError: Shapes that do not fit together.
        BadDataError: A number that is not finite, or a stick beyond -1 to 1; the message names its place.
    """
    used = settings or Settings()
    parts = Actions(
        _wide(buttons, "buttons", len(used.tokens)),
        _wide(j_left, "j_left", _STICKS),
        _wide(j_right, "j_right", _STICKS),
    )
    if len({part.shape[:-1] for part in parts}) > 1:
        raise BadInputError(
            ", ".join(f"{name} of shape {part.shape}" for name, part in parts._asdict().items()),
            accepts="one shape but for the last axis",
            fix="give each row its buttons and both sticks",
        )
    for name, part, most in zip(parts._fields, parts, (np.inf, 1 + _ROUNDING, 1 + _ROUNDING), strict=True):
        wrong = np.argwhere(~(np.abs(part) <= most) | ~np.isfinite(part))
        if len(wrong):
            place = tuple(wrong[0].tolist())
            raise BadDataError(
                f"{name}{list(place)}: {part[place]}",
                accepts="a finite number" + (" from -1 to 1" if most < np.inf else ""),
                fix="leave the row out, or clip it where it is made and count it",
            )
    sticks = [_range(signed(stick, used), used) for stick in parts[1:]]
    ordered = [parts.buttons, *sticks] if used.layout == "buttons_first" else [*sticks, parts.buttons]
    return np.concatenate(ordered, axis=-1, dtype=np.float32)


def unpack(vectors: npt.ArrayLike, settings: Settings | None = None) -> Actions:
    """Take the 25-D vector apart, as a model's output is read: sticks are clipped, a button is down above 0.5.

    Args:
        vectors: (..., 25) numbers.
        settings: Order, sign, range and layout that they were made with; the default's.

    Returns:
        Buttons in the order of the settings, and the sticks.

    Raises:
        BadInputError: Another width than 25.
    """
    used = settings or Settings()
    count = len(used.tokens)
    given = _wide(vectors, "vectors", count + 2 * _STICKS)
    first = 0 if used.layout == "buttons_first" else 2 * _STICKS
    rest = np.delete(given, np.s_[first : first + count], axis=-1)
    if used.stick_range == "0..1":
        rest = rest * np.float32(2) - np.float32(1)
    rest = np.clip(rest, -1, 1)
    buttons = (given[..., first : first + count] > np.float32(0.5)).astype(np.float32)
    return Actions(buttons, signed(rest[..., :_STICKS], used), signed(rest[..., _STICKS:], used))


def signed(stick: Floats, settings: Settings) -> Floats:
    """Turn a stick from our vertical sign to that of the settings, or back: (..., 2), a copy."""
    out = np.array(stick, np.float32)
    if _VERTICAL[settings.vertical] < 0:
        out[..., 1] = 0 - out[..., 1]
    return out


def _range(stick: Floats, settings: Settings) -> Floats:
    return (stick + np.float32(1)) / np.float32(2) if settings.stick_range == "0..1" else stick


def _wide(values: npt.ArrayLike, name: str, width: int) -> Floats:
    given = np.asarray(values, np.float32)
    if given.shape[-1:] != (width,):
        raise BadInputError(
            f"{name} of shape {given.shape}", accepts=f"(..., {width})", fix="order the columns with by_name"
        )
    return given
