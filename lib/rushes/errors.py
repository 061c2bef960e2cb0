"""Errors with three parts: what was given, what is accepted, what to do.

Every class also inherits the built-in that fits, so `except ValueError` keeps working for a caller
who knows nothing of this package.

Example:
    >>> raise BadInputError("randomness=1.5", accepts="a number from 0 to 1", fix="pass 0.2")
    Traceback (most recent call last):
    ...
    rushes.errors.BadInputError: randomness=1.5; accepted: a number from 0 to 1. To mend it: pass 0.2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RushesError(Exception):
    """Base of all errors that this package raises on purpose.

    Args:
        given: What was given or found, as a phrase or a clause without a full stop.
        accepts: What is accepted, as a phrase.
        fix: What to do, as an imperative without a full stop.
    """

    def __init__(self, given: str, *, accepts: str = "", fix: str = "") -> None:
        self.given, self.accepts, self.fix = given, accepts, fix
        text = given.rstrip(", ")
        if accepts:
            text += f"; accepted: {accepts}"
        text += "" if text.endswith((".", "?", "!")) else "."
        if fix:
            text += f" To mend it: {fix}" + ("" if fix.endswith((".", "?")) else ".")
        super().__init__(text)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the three parts when the error crosses a process border."""
        return (_rebuild, (type(self), self.given, self.accepts, self.fix))


def _rebuild(kind: type[RushesError], given: str, accepts: str, fix: str) -> RushesError:
    return kind(given, accepts=accepts, fix=fix)


class BadInputError(RushesError, ValueError):
    """A value, option or parameter that is not accepted."""


class BadNameError(RushesError, LookupError):
    """A name that stands in no table."""


class BadDataError(RushesError, ValueError):
    """A file whose content is not what its name or place says."""


class OccupiedError(RushesError, FileExistsError):
    """An output that already holds something; nothing is ever overwritten."""


class MissingError(RushesError, FileNotFoundError):
    """A path where nothing is."""


class BusyError(RushesError, RuntimeError):
    """A session that another process is still writing."""


class StoppedError(RushesError, RuntimeError):
    """Work that somebody stopped; what was done stays."""


class UnavailableError(RushesError, ImportError):
    """A library, device or display that this machine lacks."""


class StorageError(RushesError, OSError):
    """A disk that is full or a folder that cannot be written."""


def near(name: str, names: Iterable[str], *, most: int = 3) -> str:
    """Name what stands closest to `name`, for the last part of a message.

    Args:
        name: What was given.
        names: What exists.
        most: How many to name at the most.

    Returns:
        `"did you mean 'Breakout'?"`, or an empty string when nothing is close.
    """
    lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(lower), n=most, cutoff=0.6)
    return f"did you mean {' or '.join(repr(str(lower[c])) for c in close)}?" if close else ""
