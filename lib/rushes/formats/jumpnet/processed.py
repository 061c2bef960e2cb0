"""`jumpnet`: labelled rows with their pictures, as JumpNet's scripts make them, and their typed twin.

A row is (image, label, keys_raw, hold_duration, phase, frame_index). Reading gives one recording of the rows' pictures
(frame k is row k, its tick the row's frame_index) and the rows as samples; it runs nothing that stands in the file.
With `video=PATH` the pictures are those of the video, and the positives are its events, so that negatives can be taken
from it anew.

Written are, by default, typed columns that `np.load` reads without pickle and that read back as they were;
`strict=true` writes the reference's file: pickled rows of float32 pictures from 0 to 1. It has no place for a hold that
was left open: such rows are left out and counted, or written with the length 0 (`open_holds=keep`). A window of several
frames is shown by its last one, on which the press falls.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("jumpnet").takes
    'samples'
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.jumpnet.look import PROCESSED, is_twin, look, refuse_options, schema_of
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.processed_read import read_processed
from rushes.formats.jumpnet.processed_write import write_processed
from rushes.formats.jumpnet.raw import check_size
from rushes.formats.jumpnet.twin_read import read_twin
from rushes.formats.report import Keeps, Report
from rushes.formats.samples import labelled
from rushes.model.recording import Sessions

OPEN_HOLDS: Final = ("leave_out", "keep")


@dataclass(frozen=True)
class JumpNetOptions:
    """Options of the format.

    Attributes:
        strict: Write the reference's file: pickled rows, nothing beside them.
        size: Write pictures of so many pixels a side.
        open_holds: What a strict file does with holds that nobody ended: `leave_out` or `keep` (as 0).
        video: Read the frames from this video.
        keys: Read the columns by these names, with commas between; the reference's last step drops them.
    """

    strict: bool = False
    size: int = 227
    open_holds: str = "leave_out"
    video: str = ""
    keys: str = ""


class JumpNet(Format):
    """The scripts' files, and their typed twin."""

    name = "jumpnet"
    looks_for = "an .npz with data, whose rows are (image, label, keys, hold, phase, frame_index), or our typed one"
    Options = JumpNetOptions
    keeps = Keeps(frames="lossy", times=True, audio=False, rewards=False, names=True, events=False)
    takes: ClassVar[Takes] = "samples"

    def keeps_with(self, options: JumpNetOptions) -> Keeps:
        """Say what survives; a strict file has numbers of frames and no times. See `Format.keeps_with`."""
        return Keeps("lossy", times=not options.strict, audio=False, rewards=False, names=True, events=False)

    def sniff(self, path: Path) -> bool:
        """Look at the first rows; see `Format.sniff`."""
        return self.name in look(path)

    def read(self, path: Path, options: JumpNetOptions) -> Sessions:
        """Read rows and their pictures; see `Format.read`."""
        members = Members(path)
        if not is_twin(members):
            return read_processed(path, video=options.video, keys=options.keys)
        if schema_of(members) != PROCESSED:
            raise BadDataError(f"{path}, which holds no labelled rows,", accepts=self.looks_for, fix="read it as a log")
        refuse_options(path, video=options.video, keys=options.keys)
        return read_twin(path)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: JumpNetOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write samples with their pictures; see `Format.write`."""
        check_size(options.size)
        if options.open_holds not in OPEN_HOLDS:
            raise BadInputError(
                f"open_holds={options.open_holds!r}", accepts=" or ".join(OPEN_HOLDS), fix="leave open_holds out"
            )
        samples = labelled(source)
        with export(self, source, path, options, folder=False) as job:
            write_processed(
                samples,
                source,
                job.partial,
                job,
                strict=options.strict,
                size=options.size,
                keep_open=options.open_holds == "keep",
                executor=executor,
                progress=progress,
            )
        return job.report
