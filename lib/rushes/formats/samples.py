"""A table of samples as a format: labelled rows, with the recordings that hold their pixels.

Reading opens what the table names as sources; what is not there any more is a problem and not an error, since rows can
be looked at, balanced and split without pixels.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("samples").looks_for
    'a Parquet file that `rushes prepare` wrote'
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from rushes.errors import BadInputError, RushesError
from rushes.formats import base
from rushes.formats.base import Format, Progress
from rushes.formats.card import export
from rushes.formats.report import Keeps, Report
from rushes.model.findings import Problem
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples, Source
from rushes.store.samples import holds_samples, read_samples, write_samples


@dataclass(frozen=True)
class SamplesOptions:
    """Options of the format.

    Attributes:
        pixels: Open the sources too; without it the rows alone are read.
    """

    pixels: bool = True


class SamplesFormat(Format):
    """The Parquet file of `rushes.store.samples`."""

    name = "samples"
    looks_for = "a Parquet file that `rushes prepare` wrote"
    Options = SamplesOptions
    keeps = Keeps(frames="none", times=True, audio=False, rewards=False, names=True, events=False)
    takes = "samples"

    def sniff(self, path: Path) -> bool:
        """Look for the key in a Parquet footer; see `Format.sniff`."""
        return holds_samples(path)

    def read(self, path: Path, options: SamplesOptions) -> Sessions:
        """Read rows, and open their sources; see `Format.read`."""
        samples = read_samples(path)
        recordings, problems = open_sources(samples) if options.pixels else ([], [])
        return Sessions(recordings, format=self.name, problems=problems, samples=samples)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: SamplesOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write the rows of a source that has some; see `Format.write`."""
        del executor, progress
        samples = labelled(source)
        with export(self, source, path, options, folder=False) as job:
            write_samples(samples, job.partial, beside=path)
            job.wrote(samples=len(samples))
        return job.report


def labelled(source: Sessions) -> Samples:
    """Give the samples of a source.

    Raises:
        BadInputError: It has none.
    """
    if source.samples is None:
        raise BadInputError(
            f"recordings ({source.format}) without labelled samples",
            accepts="a table that `rushes prepare` wrote, or a JumpNet file",
            fix="make samples first: rushes prepare pairs SESSION pairs.parquet --control Space",
        )
    return source.samples


def open_sources(samples: Samples) -> tuple[list[Recording], list[Problem]]:
    """Open the recordings that a set of samples takes its pixels from, marked stretches left in.

    Returns:
        The recordings that are there, and a problem for each that is not.
    """
    recordings: list[Recording] = []
    problems: list[Problem] = []
    wanted = sorted({*samples.rows["session"], *samples.rows["action_session"]})
    places: dict[Source, list[str]] = {}
    for name in wanted:
        if name in samples.sources:
            places.setdefault(samples.sources[name], []).append(name)
    for source, names in places.items():
        try:
            found = {r.info.id: r for r in base.open_any(source.path, options=list(source.options) or None)}
        except (RushesError, OSError) as error:
            problems.append(Problem("missing_source", source.path, len(names), str(error)))
            continue
        recordings += [found[name] for name in names if name in found]
        gone = [name for name in names if name not in found]
        if gone:
            sentence = f"it holds {', '.join(sorted(found))} and not {', '.join(gone)}"
            problems.append(Problem("missing_source", source.path, len(gone), sentence))
    unnamed = [name for name in wanted if name not in samples.sources]
    if unnamed:
        problems.append(Problem("unknown_source", ", ".join(unnamed), len(unnamed), "the table does not say where"))
    return recordings, problems
