"""Layouts: the ordered control lists of known programs, as data with their sources.

A slot says what one column of an action vector holds as an expression over physical controls: `plus` minus
`minus`, times `scale`, clipped to `low` and `high`. So `lx` of the NitroGen Capture program is `KeyD -
KeyA`, `ry` is `-MouseDY / 300`, and `shift` is either shift. Values are converted from slot to slot by these
controls, never by the place in the list (see `rushes.model.actions`).

Example:
    >>> [s.name for s in layout("capture20").slots[:5]]
    ['lx', 'ly', 'rx', 'ry', 'space']
    >>> slot("lmb").plus, slot("lx").plus, slot("lx").minus
    (('MouseLeft',), ('KeyD',), ('KeyA',))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from rushes.errors import BadDataError, BadNameError, near
from rushes.model.controls import ALE_ACTIONS, STICKS, TRIGGERS, kind_of, resolve

Role = Literal["button", "axis", "motion", "unused"]
ROLES: Final[tuple[Role, ...]] = ("button", "axis", "motion", "unused")


@dataclass(frozen=True)
class Slot:
    """One column of an action vector.

    Attributes:
        name: As the layout prints it (`w`, `lmb`, `lx`, `J_LEFT_X`).
        role: `button` (0 or 1), `axis` (a position), `motion` (a sum over the step) or `unused` (always 0).
        plus: Physical controls that count for it; of several buttons any one will do.
        minus: Physical controls that count against it.
        low: Lower limit, None where there is none.
        high: Upper limit, None where there is none.
        scale: Factor from the unit of the controls to the unit of the column.
    """

    name: str
    role: Role
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    low: float | None = 0.0
    high: float | None = 1.0
    scale: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit, infinite where there is none."""
        return -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high

    def to_json(self) -> dict[str, Any]:
        """Return the slot as plain JSON values."""
        return {**asdict(self), "plus": list(self.plus), "minus": list(self.minus)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Slot:
        """Rebuild a slot from `to_json()`.

        Raises:
            BadDataError: A key is missing or unknown, or the role is none of `ROLES`.
        """
        try:
            found = cls(**{**value, "plus": tuple(value["plus"]), "minus": tuple(value["minus"])})
        except (KeyError, TypeError) as error:
            raise BadDataError(
                f"a slot of an action space that does not read ({error})",
                accepts="name, role, plus, minus, low, high, scale",
                fix="write it with ActionSpace.to_json",
            ) from error
        if found.role not in ROLES:
            raise BadDataError(
                f"role {found.role!r} of slot {found.name!r}",
                accepts="one of " + ", ".join(ROLES),
                fix="write it with ActionSpace.to_json",
            )
        return found

    def __repr__(self) -> str:
        return f"Slot({self.name!r}, {self.role})"


@dataclass(frozen=True)
class Layout:
    """An ordered list of slots that a known program writes.

    Attributes:
        name: What users type.
        kind: `buttons` (a vector) or `discrete` (one of the named actions).
        slots: Its columns, or its actions, in order.
        source: Where the order was read.
    """

    name: str
    kind: Literal["buttons", "discrete"]
    slots: tuple[Slot, ...]
    source: str

    def __repr__(self) -> str:
        return f"Layout({self.name!r}: {len(self.slots)} slots, {self.kind})"


CAPTURE_MOUSE_SCALE: Final = 300.0
"""Pixels a step at which the stick made of the mouse is full. Source: `--mouse-scale` of frame-capture."""

_SPECIAL: Final = {
    s.name: s
    for s in (
        Slot("lx", "axis", ("KeyD",), ("KeyA",), low=-1.0),
        Slot("ly", "axis", ("KeyW",), ("KeyS",), low=-1.0),
        Slot("rx", "motion", ("MouseDX",), (), low=-1.0, scale=1 / CAPTURE_MOUSE_SCALE),
        Slot("ry", "motion", (), ("MouseDY",), low=-1.0, scale=1 / CAPTURE_MOUSE_SCALE),
        Slot("scroll_up", "button", ("MouseWheel",), ()),
        Slot("scroll_down", "button", (), ("MouseWheel",)),
        Slot("inspect", "button", ("ReActure/inspect",), ()),
        Slot("destroy", "button", ("ReActure/destroy",), ()),
    )
}


def slot(name: str) -> Slot:
    """Make the slot that a name means.

    Args:
        name: A physical control, an alias, `unused_<n>`, a column of the NitroGen Capture program (`lx ly rx
        ry`, up
            is +1; `scroll_up`, `scroll_down`, 1 where the wheel moved that way) or of ReActure (`inspect`,
            `destroy`).

    Returns:
        A slot with that name. Buttons and triggers run from 0 to 1, sticks from -1 to 1, motion has no
        limits.

    Raises:
        BadNameError: Nothing goes by this name.
    """
    if name.lower() in _SPECIAL:
        return replace(_SPECIAL[name.lower()], name=name)
    if name.startswith("unused_"):
        return Slot(name, "unused", low=0.0, high=0.0)
    controls = resolve(name)
    role = kind_of(controls[0])
    if role == "motion":
        return Slot(name, role, controls, low=None, high=None)
    return Slot(name, role, controls, low=-1.0 if controls[0] in STICKS else 0.0)


def _words(text: str) -> list[str]:
    return text.split()


def _pad(names: Iterable[str]) -> tuple[Slot, ...]:
    """Make pad slots; the release stores triggers as buttons."""
    return tuple(replace(s, role="button") if s.name in TRIGGERS else s for s in map(slot, names))


def _buttons(names: Iterable[str]) -> tuple[Slot, ...]:
    return tuple(slot(name) for name in names)


_CAPTURE28: Final = _words("w a s d space shift ctrl e q r f g c v x z t p i backspace esc 1 2 3 4 enter lmb rmb")
_CAPTURE20: Final = _words("lx ly rx ry space ctrl shift e lmb rmb q r f g c v 1 2 3 4")
_CAPTURE85: Final = _words(
    r"""
    a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10
    f11 f12 space shift ctrl alt tab caps_lock enter backspace esc delete ` - = [ ] \ ; ' , . / arrow_up
    arrow_down arrow_left arrow_right insert home end page_up page_down left_click right_click middle_click
    mouse_x1 mouse_x2 scroll_up scroll_down
    """
)
_CAPTURE25_KEYS: Final = _words("w a s d space ctrl shift e left_click right_click q r f g c v 1 2 3 4 x z enter esc i")
_NITROGEN_TOKENS: Final = _words(
    """
    BACK DPAD_DOWN DPAD_LEFT DPAD_RIGHT DPAD_UP EAST GUIDE LEFT_SHOULDER LEFT_THUMB LEFT_TRIGGER NORTH
    RIGHT_BOTTOM RIGHT_LEFT RIGHT_RIGHT RIGHT_SHOULDER RIGHT_THUMB RIGHT_TRIGGER RIGHT_UP SOUTH START WEST
    """
)
_NOT_RECORDED: Final = {"RIGHT_BOTTOM", "RIGHT_LEFT", "RIGHT_RIGHT", "RIGHT_UP"}
_GAMEON20: Final = [
    *_words("w a s d space unused_5 unused_6 unused_7 unused_8 unused_9 Button.left Button.right"),
    *_words("dx dy wheel unused_15 unused_16 unused_17 unused_18 unused_19"),
]

LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        row.name: row
        for row in (
            Layout(
                "capture28",
                "buttons",
                _buttons(_CAPTURE28),
                "taisrisk/frame-capture README at 4ff5523, table of the action vector",
            ),
            Layout(
                "capture20",
                "buttons",
                _buttons(_CAPTURE20),
                "taisrisk/frame-capture convert_to_nitrogen.py at 4ff5523",
            ),
            Layout(
                "capture25",
                "buttons",
                _buttons([*_CAPTURE20, *_words("x z enter esc i")]),
                "taisrisk/frame-capture convert_to_nitrogen.py from ad2df1f on",
            ),
            Layout(
                "capture25_keys",
                "buttons",
                _buttons(_CAPTURE25_KEYS),
                "taisrisk/frame-capture capture.py at HEAD, recorded without a key profile",
            ),
            Layout(
                "capture85",
                "buttons",
                _buttons(_CAPTURE85),
                "taisrisk/frame-capture keybinds/default.json at 913c97d: 48 + 30 keys, 7 of the mouse",
            ),
            Layout(
                "nitrogen21",
                "buttons",
                _pad([*(t for t in _NITROGEN_TOKENS if t not in _NOT_RECORDED), *STICKS]),
                "dataset card of the NitroGen release: 17 button columns and two sticks",
            ),
            Layout(
                "nitrogen25",
                "buttons",
                _pad([*_NITROGEN_TOKENS, *STICKS]),
                "MineDojo/NitroGen at 3260844: token list, then left and right stick "
                "(issue #43 there quotes another order of the buttons)",
            ),
            Layout(
                "gameon20",
                "buttons",
                _buttons(_GAMEON20),
                "Luminare7/GameOn src/export/pytorch_export.py at 907d615, which leaves "
                "5 to 9 and 12 to 19 zero; 12 to 14 hold the motion that its guide promises",
            ),
            Layout(
                "reacture6",
                "buttons",
                _buttons(_words("W A S D inspect destroy")),
                "gudlaa/ReActure at d04b59d; inspect and destroy are modes of the game, not keys",
            ),
            Layout(
                "ale18",
                "discrete",
                _buttons(ALE_ACTIONS),
                "the full action set of the Arcade Learning Environment",
            ),
        )
    }
)
"""The known layouts by name."""


def layout(name: str) -> Layout:
    """Find a layout.

    Args:
        name: A name in `LAYOUTS`.

    Raises:
        BadNameError: No such layout; the message names the nearest.
    """
    try:
        return LAYOUTS[name]
    except KeyError:
        raise BadNameError(
            f"layout {name!r}",
            accepts="one of " + ", ".join(LAYOUTS),
            fix=near(name, LAYOUTS) or "take a name from the list",
        ) from None
