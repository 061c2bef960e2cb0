"""The training files of a run: which are asked for, written from the sessions, with their sizes.

Example (cells of a recipe):
    >>> def cells(namespace):
    ...     run = begin("training_exports", namespace)
    ...     plan = Plan.of(run)
    ...     sessions = sessions_of(run, plan)
    ...     return write_files(run, sessions, plan)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from rushes.errors import BadInputError, near
from rushes.formats.base import convert, get_format, open_any
from rushes.formats.games import of_games
from rushes.formats.options import parse_options
from rushes.formats.report import Report
from rushes.formats.training.options import TrainingOptions, target_size
from rushes.model.actions import ActionSpace
from rushes.model.recording import Sessions
from rushes.notebook.portable.readers import has_tensorflow
from rushes.notebook.portable.sample import portable_source
from rushes.notebook.provenance import size_bytes
from rushes.notebook.run import Run
from rushes.preview.html import Html, table
from rushes.store.aligned import common_space
from rushes.store.entry import describe
from rushes.store.validity import honour_all

TARGETS: Final[Mapping[str, tuple[str, str]]] = {
    "hdf5": ("hdf5", "dataset.h5"),
    "npz": ("npz", "dataset.npz"),
    "torch": ("torch", "dataset.pt"),
    "safetensors": ("torch", "dataset.safetensors"),
    "tfrecord": ("tfrecord", "dataset_tfrecord"),
}
"""What a run may write -> the format, and what its output is called."""


@dataclass(frozen=True)
class Plan:
    """What a run shall write.

    Attributes:
        source: What to read; empty for the recipe's own sessions.
        games: Names; none takes all.
        forms: Keys of `TARGETS`.
        options: Of every file: `key=value`.
        sequence_length: Frames a window of record files.
    """

    source: str
    games: tuple[str, ...]
    forms: tuple[str, ...]
    options: tuple[str, ...]
    sequence_length: int

    @classmethod
    def of(cls, run: Run) -> Self:
        """Read it from the parameters of a run.

        Raises:
            BadInputError: A form that there is not, or an option that makes no sense.
        """
        given = run.parameters
        forms = tuple(name.strip() for name in given["formats"].split(",") if name.strip())
        for name in forms:
            if name not in TARGETS or forms.count(name) > 1:
                raise BadInputError(
                    f"formats={given['formats']!r}, {name} among them",
                    accepts=f"each of {', '.join(TARGETS)} once",
                    fix=near(name, TARGETS) or "leave it out",
                )
        options = tuple(f"{name}={given[name]}" for name in ("size", "layout", "encoding", "audio"))
        games = tuple(name.strip() for name in given["games"].split(",") if name.strip())
        plan = cls(given["source"], games, forms, options, given["sequence_length"])
        for name in forms:
            parse_options(get_format(TARGETS[name][0]).Options, plan.options_of(name))
        return plan

    def options_of(self, form: str) -> list[str]:
        """Give the options of one form."""
        return [*self.options, *([f"sequence_length={self.sequence_length}"] if form == "tfrecord" else [])]


def sessions_of(run: Run, plan: Plan) -> Sessions:
    """Open what is to be written, stretches marked invalid left out.

    Raises:
        BadNameError: A game of which there is no recording.
    """
    source = plan.source or portable_source(run.name, progress=run.bar("making the sample"))
    return honour_all(of_games(open_any(run.input(source)), plan.games))


@dataclass(frozen=True)
class Files:
    """What was written.

    Attributes:
        reports: Of each file, by the form's name.
        raw_bytes: What the pictures take unpacked.
    """

    reports: Mapping[str, Report]
    raw_bytes: int

    @property
    def paths(self) -> dict[str, Path]:
        """Form -> its file or folder."""
        return {name: report.target for name, report in self.reports.items()}

    def show(self) -> Html:
        """Show what each file holds, keeps and takes."""
        rows = [
            [
                report.target.name,
                name,
                report.written["frames"],
                f"{size_bytes(report.target) / 1e6:.1f}",
                f"{size_bytes(report.target) / max(self.raw_bytes, 1):.0%}",
                ", ".join(report.kept),
                ", ".join(report.lost) or "nothing",
            ]
            for name, report in self.reports.items()
        ]
        return table(["output", "form", "frames", "MB", "of raw pictures", "keeps", "loses"], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def write_files(run: Run, sessions: Sessions, plan: Plan) -> Files:
    """Write each form that is asked for.

    Raises:
        BadInputError: Recordings that do not fit into one file; the message says what to pass.
        StorageError: The disk is full.
    """
    reports = {}
    for name in plan.forms:
        form, target = TARGETS[name]
        path, bar = run.path(target), run.bar(f"writing {target}")
        reports[name] = convert(sessions, path, format=form, options=plan.options_of(name), progress=bar)
    frames = max((report.written["frames"] for report in reports.values()), default=0)
    return Files(reports, frames * _picture_bytes(sessions, plan))


def space_of(sessions: Sessions, plan: Plan) -> ActionSpace:
    """Say what the columns of the files are."""
    layout = next(text.partition("=")[2] for text in plan.options if text.startswith("layout="))
    return common_space([one.info.action_space for one in sessions], layout or None)


def _picture_bytes(sessions: Sessions, plan: Plan) -> int:
    options = parse_options(TrainingOptions, [text for text in plan.options if text.startswith("size=")])
    height, width = target_size([describe(one) for one in sessions], options)
    return height * width * 3


def readable(files: Files) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Say which files can be read back here, and why not the others."""
    paths, remarks = files.paths, []
    if "tfrecord" in paths and not has_tensorflow():
        remarks.append(f"{paths.pop('tfrecord').name} was not read back: TensorFlow is not installed")
    return paths, tuple(remarks)
