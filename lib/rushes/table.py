"""One class for every table of the house: backends, formats, checks, policies, commands.

A row is a string, so a table costs nothing to import and a library that is missing hurts only the row
that needs it.

Example:
    >>> shapes = Table("shape", {"ordered": ("collections:OrderedDict", "", "keeps its order")})
    >>> shapes.load("ordered").__name__
    'OrderedDict'
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.errors import BadNameError, UnavailableError, near


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: What users type.
        target: `"package.module:attribute"`.
        extra: The extra of `pip install "rushes[EXTRA]"` that it needs, or `""`.
        summary: One line for README and `rushes doctor`.
    """

    name: str
    target: str
    extra: str
    summary: str


class Table(Mapping[str, Row]):
    """Names to lazily imported things.

    Args:
        kind: What a row is, in the singular ("format"); stands in messages.
        rows: name -> (target, extra, summary).
    """

    def __init__(self, kind: str, rows: Mapping[str, tuple[str, str, str]]) -> None:
        self.kind = kind
        self._rows = {name: Row(name, *row) for name, row in rows.items()}

    def __getitem__(self, name: str) -> Row:
        try:
            return self._rows[name]
        except KeyError:
            raise BadNameError(
                f"{self.kind} {name!r}",
                accepts="one of " + ", ".join(self._rows),
                fix=near(name, self._rows) or "take a name from the list",
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def get(self, name: str, default: Any = None) -> Any:
        """Return a row, or `default` where there is none."""
        return self._rows.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, name: str) -> Any:
        """Import the target of a row.

        Args:
            name: A name of the table.

        Returns:
            The attribute that the row names.

        Raises:
            BadNameError: No such row; the message names the nearest ones.
            UnavailableError: The row's library is missing or fails at import; the message says what to install.
        """
        row = self[name]
        module, _, attribute = row.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:  # some libraries raise OSError or AssertionError without a device
            install = f'pip install "rushes[{row.extra}]"' if row.extra else "reinstall rushes"
            raise UnavailableError(
                f"{self.kind} {name!r} cannot be loaded here ({type(error).__name__}: {error})",
                accepts="an environment with all that it imports",
                fix=install,
            ) from error

    def markdown(self) -> str:
        """Draw the table for README and notebooks.

        Returns:
            A Markdown table with one line a row.
        """
        extras = any(row.extra for row in self._rows.values())
        lines = [f"| {self.kind} | what it is |{' needs |' * extras}", f"| --- | --- |{' --- |' * extras}"]
        for row in self._rows.values():
            needs = f" `[{row.extra}]` |" if row.extra else "  |"
            lines.append(f"| `{row.name}` | {row.summary} |{needs * extras}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Table({self.kind!r}: {', '.join(self._rows)})"
