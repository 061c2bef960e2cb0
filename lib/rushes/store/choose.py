"""Choosing among recordings: by game, tag, verdict, length, or a word.

Names of games are taken exactly but for case; one that nobody recorded is an error that lists those that are there, so
that a slip of the pen gives no empty data set.

Example:
    >>> sorted(games_named(["doom", "Pong"], ["Doom", "Doom II", "Pong"]))
    ['Doom', 'Pong']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from rushes.errors import BadNameError, near
from rushes.model.findings import VerdictName

_MOST: int = 30


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Take one name or several: `"Doom"`, `["Doom", "Pong"]`, nothing."""
    return (names,) if isinstance(names, str) else tuple(names or ())


def games_named(wanted: str | Sequence[str] | None, there: Iterable[str]) -> frozenset[str]:
    """Find games by their names.

    Args:
        wanted: One name or several, in any case; none means all.
        there: The games that there are.

    Returns:
        Those of `there` that are meant; all where nothing is wanted.

    Raises:
        BadNameError: A game that is not there; the message lists those that are.
    """
    return _named("game", wanted, there)


def tags_named(wanted: str | Sequence[str] | None, there: Iterable[str]) -> frozenset[str]:
    """Find tags by their names, as `games_named` does games; none for none."""
    return _named("tag", wanted, there) if listed(wanted) else frozenset()


def verdicts_named(wanted: str | Sequence[str], there: Iterable[str]) -> frozenset[str]:
    """Find verdicts by their names, as `games_named` does games; `""` means none."""
    names = [name for name in listed(wanted) if name]
    found = _named("verdict", names, {*there, *get_args(VerdictName)} - {""}) if names else frozenset()
    return found | ({""} & {*listed(wanted)})


def _named(kind: str, wanted: str | Sequence[str] | None, there: Iterable[str]) -> frozenset[str]:
    known = sorted(frozenset(there))
    if not (names := listed(wanted)):
        return frozenset(known)
    found: set[str] = set()
    for name in names:
        same = {one for one in known if one.casefold() == name.strip().casefold()}
        if not same:
            more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
            raise BadNameError(
                f"{kind} {name!r}",
                accepts=", ".join(known[:_MOST]) + more or f"none: no recording has a {kind}",
                fix=near(name, known) or "take a name from the list",
            )
        found |= same
    return frozenset(found)
