"""Parameters of notebooks: how a cell declares them, and which values they take.

A declaration is `name: type = literal  # meaning, unit` with one of four types: `str`, `int`, `float`, `bool`. A list
is written as a string with commas. A whole number is taken for a float; a bool is no number.

Example:
    >>> declared("frames: int = 100  # pictures a game")
    {'frames': Parameter(name='frames', kind='int', default=100, meaning='pictures a game')}
    >>> from_text(declared("frames: int = 100")["frames"], "250")
    250
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, BadInputError, BadNameError, MissingError, near

Value = str | int | float | bool

KINDS: Final[Mapping[str, type]] = {"str": str, "int": int, "float": float, "bool": bool}
"""Types that a parameter may have."""
_ACCEPTS: Final = {"str": "text", "int": "a whole number", "float": "a number", "bool": "True or False"}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook.

    Attributes:
        name: Its name.
        kind: `str`, `int`, `float` or `bool`.
        default: What holds when nothing is given.
        meaning: The comment that stands behind it.
    """

    name: str
    kind: str
    default: Value
    meaning: str = ""


def declared(source: str) -> dict[str, Parameter]:
    """Read the declarations of a cell.

    Args:
        source: The cell's text.

    Raises:
        BadInputError: A declaration that is none: another type, no value, no literal, a value of another type.
        SyntaxError: The text is no Python.
    """
    lines = source.splitlines()
    found = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name, kind = node.target.id, ast.unparse(node.annotation).strip("'\"")
        meaning = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].strip()
        try:
            value = ast.literal_eval(node.value) if node.value is not None else None
        except ValueError:
            value = None
        if kind not in KINDS or value is None:
            raise BadInputError(
                f"the parameter {ast.unparse(node)!r}",
                accepts="name: type = literal, where the type is one of " + ", ".join(KINDS),
                fix="write a list as a string with commas",
            )
        found[name] = Parameter(name, kind, checked(name, kind, value), meaning.removeprefix("#").strip())
    return found


def parameters_of(notebook: str | Path) -> dict[str, Parameter]:
    """List the parameters of a notebook.

    Args:
        notebook: A notebook with one cell that is tagged `parameters`.

    Raises:
        MissingError: No such notebook.
        BadDataError: No notebook, or one without that cell.
        BadInputError: A declaration that is none.
    """
    path = Path(notebook)
    if not path.is_file():
        raise MissingError(f"{path}: no such notebook", accepts="an .ipynb file", fix="check the path")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = next(c["source"] for c in cells if "parameters" in c.get("metadata", {}).get("tags", []))
        return declared(text if isinstance(text, str) else "".join(text))
    except (
        UnicodeDecodeError,
        json.JSONDecodeError,
        KeyError,
        TypeError,
        AttributeError,
        StopIteration,
        SyntaxError,
    ) as error:
        raise BadDataError(
            f"{path}: no notebook with a cell of parameters ({type(error).__name__})",
            accepts="an .ipynb file with one cell that is tagged 'parameters'",
            fix="check what it is, or tag its cell",
        ) from error


def refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], *, where: str) -> None:
    """Refuse names that are not declared.

    Args:
        given: Values by name.
        known: What is declared, by name.
        where: Whose parameters they are, for the message.

    Raises:
        BadNameError: The first unknown name; the message names the nearest.
    """
    for name in given:
        if name not in known:
            raise BadNameError(
                f"parameter {name!r} for {where}",
                accepts="one of " + ", ".join(known),
                fix=near(name, known) or "take a name from the list",
            )


def checked(name: str, kind: str, value: Any) -> Value:
    """Hold a value against its type.

    Args:
        name: For the message.
        kind: `str`, `int`, `float` or `bool`.
        value: What was given.

    Returns:
        The value; a whole number becomes a float where one is declared.

    Raises:
        BadInputError: A value of another type.
    """
    wanted = KINDS[kind]
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        isinstance(value, str | int | float)
        and isinstance(value, wanted)
        and isinstance(value, bool) == (kind == "bool")
    ):
        return value
    fix = f"pass {_ACCEPTS[kind]}"
    if kind == "str" and isinstance(value, int | float | bool):
        fix = f"pass it as text: papermill -r {name} {value}"
    raise BadInputError(f"{name}={value!r} ({type(value).__name__})", accepts=f"{_ACCEPTS[kind]} ({kind})", fix=fix)


def from_text(parameter: Parameter, text: str) -> Value:
    """Read a value as it stands on a command line.

    Args:
        parameter: What it is for.
        text: What was typed.

    Raises:
        BadInputError: Text that is no value of the parameter's type.
    """
    try:
        match parameter.kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool" if text.lower() in (*_TRUE, *_FALSE):
                return text.lower() in _TRUE
            case "str":
                return text
    except ValueError:
        pass
    raise BadInputError(
        f"{parameter.name}={text!r}",
        accepts=f"{_ACCEPTS[parameter.kind]} ({parameter.kind})",
        fix=f"pass {parameter.name}={parameter.default!r}, for example",
    )
