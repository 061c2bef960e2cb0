"""What an NPZ file is: the recorder's log, labelled rows, one of our own twins of either, or nothing of JumpNet's.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "jumps.npz"
    >>> row = [np.zeros((4, 4, 3), np.float32), 1.0, np.ones(1), np.array([0.3]), "press", 7]
    >>> np.savez(path, data=np.array([row, row], dtype=object), keys=np.array(["w"]))
    >>> look(path)
    ('jumpnet',)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from rushes.errors import BadDataError, BadInputError
from rushes.formats.jumpnet.arrays import header_of, read_array
from rushes.formats.jumpnet.members import MAGIC, Members
from rushes.formats.jumpnet.rows import DATA, KEYS, PROCESSED_FORMAT, RAW_FORMAT, refuse_missing, tell

SCHEMA: Final = "schema"
PROCESSED: Final = "rushes/jumpnet/1"
RAW: Final = "rushes/jumpnet_raw/1"
_NAMES: Final = {PROCESSED: PROCESSED_FORMAT, RAW: RAW_FORMAT}
_SUFFIX: Final = ".npz"
_UNNAMED: Final = re.compile(r"arr_\d+")
"""Names that np.savez gives to arrays that were passed without one."""


def look(path: Path) -> tuple[str, ...]:
    """Say what a file is.

    Returns:
        `jumpnet`, `jumpnet_raw`, both where either can be meant (the likelier first), or none.

    Raises:
        BadDataError: An NPZ file that is cut, hostile, of a newer schema, or without the rows that it was meant to
            have; the message says which.
    """
    named = path.suffix.lower() == _SUFFIX
    if not path.is_file() or not (_is_zip(path) or named):
        return ()
    try:
        members = Members(path)
    except BadDataError:
        if named:
            raise
        return ()
    if SCHEMA in members:
        return (_NAMES[schema_of(members)],)
    if DATA not in members and named and _nearly(members):
        raise refuse_missing(members)
    if not members.arrays_only or DATA not in members or not header_of(members, DATA).dtype.hasobject:
        return ()
    return tell(members)


def _nearly(members: Members) -> bool:
    """Say whether a file without rows was meant to have some: it has their keys, or arrays that nobody named."""
    return KEYS in members or all(_UNNAMED.fullmatch(name) for name in members)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_twin(members: Members) -> bool:
    """Say whether a file is one that we wrote, with typed columns."""
    return SCHEMA in members


def schema_of(members: Members) -> str:
    """Read the schema of a twin.

    Raises:
        BadDataError: One that this version does not read.
    """
    found = read_array(members, SCHEMA)
    said = str(found.reshape(-1)[0]) if isinstance(found, np.ndarray) and found.size == 1 else ""
    if said not in _NAMES:
        raise BadDataError(
            f"{members.path}: schema {said!r}",
            accepts=" or ".join(_NAMES),
            fix="read it with the version of rushes that wrote it",
        )
    return said


def refuse_options(path: Path, *, video: str, keys: str) -> None:
    """Refuse what only the reference's files need: a twin has its frames and names.

    Raises:
        BadInputError: Either is given.
    """
    if video or keys:
        raise BadInputError(
            f"video={video} keys={keys} for {path}, a typed file that needs neither",
            accepts="no option",
            fix="leave video and keys out",
        )
