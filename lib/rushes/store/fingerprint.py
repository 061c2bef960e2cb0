"""Content hashes: of files, of folders, of pictures, and of a whole recording wherever it lies.

Example:
    >>> import numpy as np
    >>> of_picture(np.zeros((2, 2, 3), np.uint8)) == of_picture(np.zeros((2, 2, 3), np.uint8))
    True
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rushes.model.recording import Recording


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file as hex; memory stays small."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_tree(folder: Path) -> str:
    """Return one SHA-256 over a folder: relative names and contents of all its files, sorted by name."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0{of_file(path)}\n".encode())
    return total.hexdigest()


def of_picture(pixels: npt.NDArray[np.uint8]) -> str:
    """Return the SHA-256 of a picture's shape and pixels: the same for the same picture in any encoding."""
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def of_recording(recording: Recording) -> str:
    """Return one SHA-256 over what a recording shows: pixels, times, segments and actions, however it is stored."""
    total = hashlib.sha256()
    for segment in recording.segments:
        total.update(f"{segment.start_ns}-{segment.end_ns} {segment.frames} {segment.end_reason}\n".encode())
        for t_ns in recording.index(segment.index)["t_ns"]:
            total.update(int(t_ns).to_bytes(8, "little", signed=True))
        for action, reward in recording.steps(segment.index)[["action", "reward"]].itertuples(index=False):
            total.update(f"{action!r} {reward!r}\n".encode())
        for frame in recording.frames(segment.first_frame, segment.stop_frame):
            total.update(of_picture(frame).encode())
    return total.hexdigest()
