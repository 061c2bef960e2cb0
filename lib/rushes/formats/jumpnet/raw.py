"""`jumpnet_raw`: the file that the JumpNet recorder saves, a row with its picture for each press and release.

`collected/NAME.npz` holds `data`, (N, 6) objects, and `keys`. Reading runs nothing that stands in it (`pickled`). By
default the frames are the pictures of the rows, at frame_idx / 30 s; with `video=PATH` they are those of the recorder's
video, so that its key log imports as a session of whole play. What had to be worked around (repeats, releases of
nothing, lengths that are no numbers, pictures of two sizes) is counted and told.

The recorder notes how many frames were written by then. A press that is noted at f lies between the frames f - 1 and f
of the video; it is taken as at f / 30 s, as the scripts take it.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("jumpnet_raw").keeps.frames
    'lossy'
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.jumpnet.look import RAW, is_twin, look, refuse_options, schema_of
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.raw_read import read_raw, read_raw_twin
from rushes.formats.jumpnet.raw_write import write_raw
from rushes.formats.report import Keeps, Report
from rushes.model.recording import Sessions

LARGEST: int = 4096


@dataclass(frozen=True)
class RawOptions:
    """Options of the format.

    Attributes:
        strict: Write the reference's file: pickled rows, characters as keys, no times.
        size: Write pictures of so many pixels a side.
        video: Read the frames from this video.
        keys: Read the columns by these names, with commas between.
    """

    strict: bool = False
    size: int = 227
    video: str = ""
    keys: str = ""


def check_size(size: int) -> None:
    """Refuse a size that no picture has.

    Raises:
        BadInputError: Below 1, or beyond what is sensible.
    """
    if not 1 <= size <= LARGEST:
        raise BadInputError(f"size={size}", accepts=f"pixels a side, from 1 to {LARGEST}", fix="pass size=227")


class JumpNetRaw(Format):
    """The recorder's file, and its typed twin."""

    name = "jumpnet_raw"
    looks_for = "an .npz with data and keys, whose rows are presses and releases"
    Options = RawOptions
    keeps = Keeps(frames="lossy", times=True, audio=False, rewards=False, names=True, events=True)
    takes: ClassVar[Takes] = "keys"

    def keeps_with(self, options: RawOptions) -> Keeps:
        """Say what survives; a strict file has numbers of frames and no times. See `Format.keeps_with`."""
        return Keeps("lossy", times=not options.strict, audio=False, rewards=False, names=True, events=True)

    def sniff(self, path: Path) -> bool:
        """Look at the first rows; see `Format.sniff`."""
        return look(path)[:1] == (self.name,)

    def read(self, path: Path, options: RawOptions) -> Sessions:
        """Read the log; see `Format.read`."""
        members = Members(path)
        if is_twin(members):
            if schema_of(members) != RAW:
                raise BadDataError(f"{path}, which is no log,", accepts=self.looks_for, fix="read it as jumpnet")
            refuse_options(path, video=options.video, keys=options.keys)
            return Sessions([read_raw_twin(path)], format=self.name)
        return Sessions([read_raw(path, video=options.video, keys=options.keys)], format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: RawOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write one recording; see `Format.write`."""
        check_size(options.size)
        if len(source) != 1:
            raise BadInputError(
                f"{len(source)} recordings for one file",
                accepts="one recording a file",
                fix="convert them one by one",
            )
        with export(self, source, path, options, folder=False) as job:
            write_raw(
                source[0],
                job.partial,
                job,
                strict=options.strict,
                size=options.size,
                executor=executor,
                progress=progress,
            )
        return job.report
