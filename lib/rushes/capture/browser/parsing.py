"""Taking messages of a page apart: each is checked here, before anything of it is used.

Texts are JSON objects with a `type`; unknown keys are passed over. A picture is binary: the length of its header as
uint32 (little endian), the header as JSON, then h * w * 3 bytes of RGB, top row first. What does not fit is a
`BadMessageError`, whose three parts the page is told.

Example:
    >>> parse_text('{"type": "gap", "t": 1500.5, "reason": "hidden"}')
    Break(t_ms=1500.5, reason='hidden')
    >>> parse_text('{"type": "gap", "t": NaN, "reason": "hidden"}')
    Traceback (most recent call last):
    ...
    rushes.capture.browser.messages.BadMessageError: a text that is no JSON; accepted: one JSON object. To mend it: ...
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from rushes.capture.browser.messages import (
    VERSION,
    Answer,
    BadMessageError,
    Break,
    Ending,
    Hello,
    Inputs,
    Message,
    Missing,
    Picture,
    Told,
)
from rushes.capture.input.gate import KEYBOARD, MOUSE
from rushes.model.controls import KEYS, MOUSE_BUTTONS, MOUSE_MOTIONS, POINTER
from rushes.model.readings import Event

MAX_TEXT_BYTES: Final = 256 << 10
"""Of a text: a second of a mouse that reports 1000 times is 60 KB, and a page sends ten texts a second."""
MAX_HEADER_BYTES: Final = 64 << 10
"""Of a picture's header: `MAX_FIELDS` fields with the longest names and texts are 40 KB."""
MAX_ROWS: Final = 4096
"""Inputs a message: half a second of a mouse that reports 8000 times a second."""
MAX_FIELDS: Final = 100
"""Telemetry fields a row; the demo has 40."""
MAX_ATTRS: Final = 32
MAX_NAME: Final = 64
"""Characters of a game's, player's or field's name; longer ones are cut, fields' are refused."""
MAX_VALUE: Final = 256
"""Characters of any other text; longer ones are cut."""
MAX_MS: Final = 1e12
"""Thirty years: no page is open for longer."""
MAX_WHOLE: Final = 1 << 53
"""Beyond this JavaScript's numbers are no whole ones any more."""
RESERVED: Final = frozenset({"t_ns", "segment", "frame_index"})
"""Columns of telemetry that are the recorder's own."""
OWN_REASONS: Final = frozenset(
    {"failed", "killed", "damaged", "drop", "low_disk", "disk_lost", "sealer_died", "tab_closed", "clock_jump"}
)
"""Words by which the recorder itself ends a segment; a page's own get `game_` before them."""
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of a line."""
_KEYS: Final = frozenset(KEYS)
_EDGES: Final = ("press", "release", "state")
_ROW: Final = 9


def parse_text(text: str) -> Message:
    """Take a text apart.

    Args:
        text: One JSON object.

    Raises:
        BadMessageError: It is too long, no JSON, of no known type, or a value is not what it has to be.
    """
    if len(text) > MAX_TEXT_BYTES:  # characters are bytes at the least
        raise BadMessageError(f"a text of {len(text)} characters", accepts=f"{MAX_TEXT_BYTES} bytes at the most")
    value = _json(text)
    kind = value.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise BadMessageError("a message of no known type", accepts=", ".join(_READERS))
    return reader(value)


def parse_picture(data: bytes, size: tuple[int, int]) -> Picture:
    """Take a picture apart.

    Args:
        data: The binary message.
        size: (height, width) in px that was asked for.

    Raises:
        BadMessageError: Header or pixels are not what they have to be.
    """
    length = int.from_bytes(data[:4], "little")
    height, width = size
    if length > MAX_HEADER_BYTES or len(data) != 4 + length + height * width * 3:
        raise BadMessageError(
            f"a picture of {len(data)} bytes with a header of {length}",
            accepts=f"4 bytes, a header of up to {MAX_HEADER_BYTES} bytes, and {width}x{height} pixels of 3 bytes",
        )
    try:
        head = _json(data[4 : 4 + length].decode())
    except UnicodeDecodeError:
        raise BadMessageError("a header that is no UTF-8", accepts="one JSON object") from None
    if (head.get("h"), head.get("w")) != size:
        raise BadMessageError("a picture of another size", accepts=f"w {width} and h {height}, as `welcome` said")
    late = head.get("late", False)
    if not isinstance(late, bool):
        raise BadMessageError("late that is neither true nor false", accepts="true or false")
    fields = head.get("fields")
    pixels = np.frombuffer(data, np.uint8, offset=4 + length).reshape(height, width, 3)
    told = None if fields is None else _fields(fields)
    return Picture(_time(head, "t"), _whole(head, "tick"), late, _whole(head, "dropped"), pixels, told)


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadMessageError("a text that is no JSON", accepts="one JSON object") from None
    if not isinstance(value, dict):
        raise BadMessageError("JSON that is no object", accepts="one JSON object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _hello(value: Mapping[str, Any]) -> Hello:
    if value.get("version") != VERSION:
        raise BadMessageError("another version of the protocol", accepts=f"version {VERSION}")
    canvas, attrs = value.get("canvas"), value.get("attrs", {})
    if not (isinstance(canvas, list) and len(canvas) == 2 and all(_is_whole(n, 1 << 16) and n > 0 for n in canvas)):  # noqa: PLR2004 - height and width
        raise BadMessageError("no size of the canvas", accepts="canvas: [height, width] in px")
    if not isinstance(attrs, dict) or len(attrs) > MAX_ATTRS:
        raise BadMessageError("attrs that are no small object", accepts=f"up to {MAX_ATTRS} names with a value each")
    game = _text(value.get("game", ""), MAX_NAME) or "Game"
    player, page = _text(value.get("player", ""), MAX_NAME), _text(value.get("page", ""), MAX_VALUE)
    return Hello(game, player, page, (canvas[0], canvas[1]), MappingProxyType(_values(attrs)))


def _answer(value: Mapping[str, Any]) -> Answer:
    return Answer(_whole(value, "s"), _time(value, "c"))


def _inputs(value: Mapping[str, Any]) -> Inputs:
    rows = value.get("rows")
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise BadMessageError("rows that are no list of inputs", accepts=f"a list of up to {MAX_ROWS} rows")
    return Inputs(tuple(_row(row) for row in rows))


def _row(row: Any) -> tuple[float, Event]:
    if not isinstance(row, list) or len(row) != _ROW or not all(isinstance(word, str) for word in row[1:4]):
        raise BadMessageError("an input that is no row", accepts="[t, device, control, kind, value, x, y, dx, dy]")
    t_ms = _time({"t": row[0]}, "t")
    device, control, kind = row[1:4]
    value, x, y, dx, dy = (None if number is None else _number(number) for number in row[4:])
    if device == KEYBOARD and kind in _EDGES:
        control = control if control in _KEYS else ""  # a key without a name is counted, like any that is not listed
        fits = True
    elif device == MOUSE and kind in _EDGES:
        fits = control in MOUSE_BUTTONS
    elif device == MOUSE and kind == "move":
        fits = control == POINTER and None not in {dx, dy}
    else:
        fits = device == MOUSE and kind == "scroll" and control in MOUSE_MOTIONS[2:] and value is not None
    if kind in _EDGES and not (0 <= (value or 0.0) <= 1 and (kind != "state" or value is not None)):
        fits = False
    if not fits:
        raise BadMessageError(
            "an input that means nothing",
            accepts="press, release or state (0 to 1) of a key or mouse button, move of Mouse with dx and dy, scroll "
            "of MouseWheel with a value",
        )
    return t_ms, Event(0, device, control, kind, value, x, y, dx, dy)


def _told(value: Mapping[str, Any]) -> Told:
    return Told(_time(value, "t"), _fields(value.get("fields")))


def _missing(value: Mapping[str, Any]) -> Missing:
    stream = value.get("stream")
    if stream not in ("events", "frames"):
        raise BadMessageError("a loss of no known stream", accepts="events, frames")
    return Missing(_time(value, "t"), stream, _word(value, "reason"), _whole(value, "count"))


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Message]]] = MappingProxyType(
    {
        "hello": _hello,
        "sync": _answer,
        "events": _inputs,
        "telemetry": _told,
        "gap": lambda value: Break(_time(value, "t"), _reason(value)),
        "lost": _missing,
        "end": lambda value: Ending(_time(value, "t"), _reason(value)),
    }
)


def _fields(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_FIELDS:
        raise BadMessageError("telemetry that is no row", accepts=f"up to {MAX_FIELDS} names with a value each")
    return MappingProxyType(_values(value))


def _values(value: Mapping[str, Any]) -> dict[str, Any]:
    """Check names, cut texts; what is null is left out."""
    found: dict[str, Any] = {}
    for name, content in value.items():
        if len(name) > MAX_NAME or not _FIELD.fullmatch(name) or name in RESERVED:
            raise BadMessageError(
                "a field whose name cannot be a column",
                accepts=f"letters, digits and _, up to {MAX_NAME}, not {', '.join(sorted(RESERVED))}",
            )
        if isinstance(content, str):
            found[name] = _text(content, MAX_VALUE)
        elif content is not None:
            found[name] = content if isinstance(content, bool) else _number(content)
    return found


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise BadMessageError("a name that is no text", accepts="text")
    whole = value.encode("utf-8", "replace").decode()  # half a character cannot be stored
    return _UNSEEN.sub(" ", whole)[:most].strip()


def _word(value: Mapping[str, Any], name: str) -> str:
    word = value.get(name)
    if not isinstance(word, str) or not _WORD.fullmatch(word):
        raise BadMessageError(f"{name} that is no word", accepts="a small letter, then small letters, digits, _; 32")
    return word


def _reason(value: Mapping[str, Any]) -> str:
    word = _word(value, "reason")
    return f"game_{word}" if word in OWN_REASONS else word


def _number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadMessageError("a value that is no number, text or boolean", accepts="flat values")
    if isinstance(value, int):
        if abs(value) > MAX_WHOLE:
            raise BadMessageError("a whole number beyond 2^53", accepts="numbers that JavaScript has")
    elif not math.isfinite(value):
        raise BadMessageError("a number that is not finite", accepts="finite numbers, or null")
    return value


def _time(value: Mapping[str, Any], name: str) -> float:
    t_ms = _number(value.get(name))
    if not 0 <= t_ms <= MAX_MS:
        raise BadMessageError("a time that no page has", accepts="performance.now() in ms")
    return float(t_ms)


def _whole(value: Mapping[str, Any], name: str) -> int:
    number = value.get(name, 0)
    if not _is_whole(number, 1 << 31):
        raise BadMessageError(f"{name} that is no count", accepts="a whole number from 0 to 2^31")
    return int(number)


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
