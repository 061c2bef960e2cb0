"""Strict parameters of a notebook that is running.

Papermill writes given values into a cell of its own after the one that declares them, and only warns about a name
that nobody declared. `check` makes that an error, with the nearest name, and holds every value against its type, so
that a typing error costs a second and not a night.

Example (the namespace of a notebook, with what it ran so far):
    >>> cells = ["frames: int = 100  # pictures a game", "# Parameters" + chr(10) + "frmes = 50"]
    >>> check({"__annotations__": {"frames": int}, "frames": 100, "In": cells})
    Traceback (most recent call last):
    ...
    rushes.errors.BadNameError: parameter 'frmes' for this notebook; accepted: one of frames. \
To mend it: did you mean 'frames'?
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, Final

from rushes.errors import BadInputError
from rushes.preview.parameters import KINDS, Value, checked, refuse_unknown

INJECTED: Final = "# Parameters"
"""How papermill begins the cell that it writes (papermill.translators)."""


def check(namespace: MutableMapping[str, Any]) -> dict[str, Value]:
    """Check the parameters of a notebook.

    Args:
        namespace: `globals()` of the notebook: declared names and types stand in its `__annotations__`, what was run
            in its `In`. A whole number where a float is declared becomes a float there.

    Returns:
        All parameters by name, in the order of their declaration.

    Raises:
        BadNameError: A value was given for a name that is not declared; the message names the nearest.
        BadInputError: A value of another type than declared, or a declaration with a type that no parameter has.
    """
    kinds = dict(_declared(namespace))
    given = _injected(namespace.get("In", ()), kinds)
    refuse_unknown(dict.fromkeys(given), kinds, where="this notebook")
    found: dict[str, Value] = {}
    for name, kind in kinds.items():
        found[name] = namespace[name] = checked(name, kind, namespace[name])
    return found


def _declared(namespace: MutableMapping[str, Any]) -> Iterator[tuple[str, str]]:
    annotations = namespace.get("__annotations__") or dict(_from_history(namespace.get("In", ())))
    for name, kind in annotations.items():
        text = kind if isinstance(kind, str) else getattr(kind, "__name__", repr(kind))
        if name not in namespace:
            continue
        if text.strip("'\"") not in KINDS:
            raise BadInputError(
                f"the parameter {name} of type {text}",
                accepts="one of " + ", ".join(KINDS),
                fix="write a list as a string with commas",
            )
        yield name, text.strip("'\"")


def _nodes(cell: str) -> Sequence[ast.stmt]:
    try:
        return ast.parse(cell).body
    except SyntaxError:  # a magic, or a cell that failed
        return ()


def _from_history(cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Declarations as they were typed: from Python 3.14 on, cells leave no `__annotations__`."""
    for node in (node for cell in cells for node in _nodes(cell)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, ast.unparse(node.annotation)


def _injected(cells: Sequence[str], kinds: dict[str, str]) -> list[str]:
    """Names that the last injected cell gives; one from before the declarations were run again counts no more."""
    for cell in reversed(cells):
        nodes = _nodes(cell)
        if cell.lstrip().startswith(INJECTED):
            return [
                t.id for node in nodes if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)
            ]
        if any(isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name) and n.target.id in kinds for n in nodes):
            return []
    return []
