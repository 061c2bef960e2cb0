"""Several exports of one run: their names are checked before the work begins, their files get fixed names.

Example (cells of a recipe):
    >>> exports = Exports("simple,folders")
    >>> exports
    <Exports: atari_simple -> atari_simple.parquet, atari_folders -> frames>
    >>> def cell(run, sessions):
    ...     return exports.write(run, sessions)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rushes.errors import BadInputError
from rushes.formats.base import ALIASES, FORMATS, convert, get_format
from rushes.formats.report import Report
from rushes.model.recording import Sessions
from rushes.notebook.provenance import size_bytes
from rushes.notebook.run import Run
from rushes.preview.html import Html, table

TARGETS: Final[Mapping[str, str]] = {
    "atari_interleaved": "atari_interleaved.parquet",
    "atari_simple": "atari_simple.parquet",
    "atari_folders": "frames",
}
"""Name of a format -> what its export is called in a run folder; others are called as they are."""


class Exports:
    """What a run shall export.

    Args:
        formats: Names or aliases with commas between them; each once; may be empty.

    Raises:
        BadNameError: An unknown format; the message names the nearest.
        BadInputError: A format that stands twice.
        UnavailableError: A format whose library is missing.
    """

    def __init__(self, formats: str) -> None:
        given = [ALIASES.get(name.strip(), name.strip()) for name in formats.split(",") if name.strip()]
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise BadInputError(
                f"formats={formats!r}, with {twice[0]} twice", accepts="each format once", fix="leave one out"
            )
        self.targets = {FORMATS[name].name: TARGETS.get(name, name) for name in given}
        for name in given:
            get_format(name)
        self.reports: tuple[Report, ...] = ()

    def write(self, run: Run, sessions: Sessions) -> Html:
        """Write all of them into a run folder.

        Args:
            run: The run.
            sessions: What to write.

        Returns:
            A table of what was written, kept and lost, to be put last in a cell; `reports` holds the same as objects.

        Raises:
            BadInputError: A format has no place for such recordings.
            StorageError: The disk is full or the folder cannot be written.
        """
        self.reports = tuple(
            convert(sessions, run.path(target), format=name, progress=run.bar(f"writing {target}"))
            for name, target in self.targets.items()
        )
        promises = [(", ".join(r.kept), ", ".join(r.lost) or "nothing") for r in self.reports]
        alike = len(set(promises)) == 1
        rows = [
            [
                r.target.name,
                r.format,
                r.written.get("episodes"),
                r.written.get("frames"),
                f"{size_bytes(r.target) / 1e6:.2f}",
                *(() if alike else promised),
            ]
            for r, promised in zip(self.reports, promises, strict=True)
        ]
        if not rows:
            return Html("<p>No export was asked for.</p>", "no export was asked for")
        caption = f"Each keeps {promises[0][0]}; loses {promises[0][1]}" if alike else ""
        columns = ["output", "format", "episodes", "frames", "MB", *([] if alike else ["keeps", "loses"])]
        return table(columns, rows, caption=caption)

    def __repr__(self) -> str:
        return f"<Exports: {', '.join(f'{name} -> {target}' for name, target in self.targets.items()) or 'none'}>"
