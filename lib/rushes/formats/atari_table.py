"""What the two Parquet tables of the Atari pipeline share: how they are known, opened and written, episode by episode.

A table says which columns it is known by, what its schemas are, how one episode is written, and how rows are read back.

Example:
    >>> from rushes.formats.base import get_format
    >>> isinstance(get_format("simple"), AtariTable), get_format("interleaved").Options.__name__
    (True, 'ParquetOptions')
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from rushes.formats.atari import KEEPS, METADATA_KEY, STRICT_KEEPS, Take, pictures, sessions_text, takes
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import Job, export
from rushes.formats.found import Found
from rushes.formats.gather import recordings
from rushes.formats.parquet import ParquetOptions, PartReader, PartWriter, columns_of
from rushes.formats.report import Keeps, Report
from rushes.model.recording import Sessions


class AtariTable(Format):
    """A Parquet table of Atari episodes.

    Attributes:
        known_by: Columns that make a file one of these.
        schema: All columns, the reference's own first.
        strict_schema: The reference's columns.
        plain: Columns of pictures, which a dictionary would only make larger.
    """

    known_by: ClassVar[frozenset[str]]
    schema: ClassVar[pa.Schema]
    strict_schema: ClassVar[pa.Schema]
    plain: ClassVar[tuple[str, ...]]
    Options: ClassVar[type[Any]] = ParquetOptions
    keeps: ClassVar[Keeps] = KEEPS
    takes: ClassVar[Takes] = "steps"

    @abstractmethod
    def read_rows(self, reader: PartReader) -> Iterator[Found]:
        """Find the episodes in the rows of a file or of its parts."""

    @abstractmethod
    def write_episode(
        self, take: Take, files: Iterator[bytes], writer: PartWriter, job: Job, *, names: list[str], strict: bool
    ) -> None:
        """Write one episode and account for it.

        Args:
            take: The episode.
            files: Its encoded pictures; all of them are taken.
            writer: Where rows go.
            job: Where what was written and what was lost is said.
            names: The columns, in order.
            strict: Whether only the reference's own are wanted.
        """

    def keeps_with(self, options: ParquetOptions) -> Keeps:
        """Say what survives with these options."""
        return STRICT_KEEPS if options.strict else KEEPS

    def sniff(self, path: Path) -> bool:
        """Say whether a path has the columns."""
        return self.known_by <= columns_of(path)

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a file or a folder of parts; see `Format.read`."""
        del options
        reader = PartReader(path)
        return recordings(self.read_rows(reader), format=self.name, path=path, problems=reader.problems)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: ParquetOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write the table; see `Format.write`."""
        schema = self.strict_schema
        if not options.strict:
            schema = self.schema.with_metadata({METADATA_KEY: sessions_text(source).encode()})
        with export(self, source, path, options, folder=options.shard_mb > 0) as job:
            wanted = takes(source, job)
            total, done = sum(take.frames for take in wanted), 0
            encoded = pictures(wanted, indexed=options.indexed, executor=executor)
            with PartWriter(job.partial, schema, plain=self.plain, shard_mb=options.shard_mb).closing() as writer:
                for take in wanted:
                    files = islice(encoded, take.frames)
                    self.write_episode(take, files, writer, job, names=schema.names, strict=options.strict)
                    writer.may_split()
                    done += take.frames
                    if progress:
                        progress(done, total, "frames written")
        return job.report
