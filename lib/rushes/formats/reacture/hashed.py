"""Files that are hashed as they are written, so that nothing is read again for its sha256.

Example:
    >>> import pathlib, tempfile
    >>> with Hashed(pathlib.Path(tempfile.mkdtemp()) / "a") as file:
    ...     _ = file.write(b"abc")
    >>> file.about()["bytes"], file.about()["sha256"][:8]
    (3, 'ba7816bf')
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Any, Self


class Hashed:
    """A file that is hashed as it is written.

    Args:
        path: A new file.
    """

    def __init__(self, path: Path) -> None:
        self.name, self.bytes = path.name, 0
        self._file: IO[bytes] = path.open("xb")
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write on."""
        self._hash.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    def about(self) -> dict[str, Any]:
        """Say how long it is and what its sha256 is."""
        return {"bytes": self.bytes, "sha256": self._hash.hexdigest()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
