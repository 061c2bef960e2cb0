"""Options of a format: a frozen dataclass, read strictly from `key=value` texts or from a mapping.

Example:
    >>> @dataclass(frozen=True)
    ... class Cups:
    ...     strict: bool = False
    ...     shard_mb: int = 0
    >>> parse_options(Cups, ["strict=true", "shard_mb=64"])
    Cups(strict=True, shard_mb=64)
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from rushes.errors import BadInputError, near

T = TypeVar("T")
Given = Iterable[str] | Mapping[str, Any] | object | None
"""How options may be given: `["key=value"]`, a mapping, the dataclass itself, or None for the defaults."""

PATHS: Final = ("video",)
"""Reading options that name a file or a folder, in whatever format."""
_BOOLS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ACCEPTS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class NoOptions:
    """A format that takes no options."""


def parse_options(kind: type[T], given: Given = None) -> T:
    """Make the options of a format.

    Args:
        kind: Its `Options`: a dataclass whose fields are bool, int, float or str.
        given: See `Given`.

    Returns:
        An instance of `kind`.

    Raises:
        BadInputError: An unknown name (the message names the near one), a name that stands twice, or a value
            that is none of its type.
    """
    if given is None:
        return kind()
    if isinstance(given, kind):
        return given
    hints = get_type_hints(kind)
    fields = {f.name: hints[f.name] for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in _pairs(given):
        if name not in fields:
            raise BadInputError(
                f"option {name!r}",
                accepts=("one of " + ", ".join(fields)) if fields else "no option",
                fix=near(name, fields) or "leave it out",
            )
        if name in values:
            raise BadInputError(f"option {name!r} twice", accepts="each option once", fix="remove one of them")
        values[name] = _typed(name, value, fields[name])
    return kind(**values)


def absolute(given: Iterable[str] | None) -> tuple[str, ...]:
    """Make options hold from any folder, to be noted beside what they read.

    Args:
        given: `["key=value"]`.

    Returns:
        The same, with the absolute path where an option names something that is there.
    """
    noted = []
    for text in given or ():
        name, _, value = (part.strip() for part in str(text).partition("="))
        known = name in PATHS and value and Path(value).exists()
        place = os.path.abspath(value)  # noqa: PTH100 - without following links, and without `..`
        noted.append(f"{name}={place}" if known else str(text))
    return tuple(noted)


def _pairs(given: Given) -> list[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadInputError(
            f"options={given!r}",
            accepts='a list of "key=value", a mapping, or the Options of the format',
            fix='pass options=["strict=true"]',
        )
    pairs = []
    for text in given:
        name, equals, value = str(text).partition("=")
        if not equals:
            raise BadInputError(
                f"option {text!r}", accepts="key=value", fix=f"write {str(text).strip() or 'key'}=VALUE"
            )
        pairs.append((name.strip(), value.strip()))
    return pairs


def _typed(name: str, value: Any, kind: type) -> Any:
    """Convert a text to its type; values of a mapping must have it already (an int passes for a float)."""
    error = BadInputError(
        f"{name}={value!r}", accepts=_ACCEPTS[kind], fix=f"write {name}={'true' if kind is bool else '...'}"
    )
    if not isinstance(value, str):
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise error
        return value
    if kind is bool:
        if value.lower() not in _BOOLS:
            raise error
        return _BOOLS[value.lower()]
    try:
        return kind(value)
    except ValueError:
        raise error from None
