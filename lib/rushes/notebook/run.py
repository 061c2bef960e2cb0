"""A run: its folder, what it was made from, and what became of it.

`begin` stands in the cell after the parameters. It checks them, makes or resumes the folder, and writes run.json;
`run.finish` stands in the last cell. Between the two, `run.path(name)` gives each output its place.

Without `out_dir` every run has a folder of its own, so nothing is in the way of running again. With one, the folder
must be new or empty, or hold an unfinished run of the same parameters, which is then resumed: whole sessions stay,
other outputs that it had begun are made anew. `latest` names the run that finished last.

What is written and shown names places from the project or from `~` (`rushes.preview.places`), so that it can be sent.

Example (a cell of a notebook):
    >>> def cell(namespace):
    ...     run = begin("05_video_preview", namespace)
    ...     return run.path("preview.mp4")
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, BadInputError
from rushes.model.findings import Finding
from rushes.notebook.bar import Bar
from rushes.notebook.params import check
from rushes.notebook.provenance import digest, revision, versions
from rushes.notebook.verdict import Verdict, write_verdict
from rushes.notebook.workplace import claim, release
from rushes.preview.html import Html, table
from rushes.preview.places import Places
from rushes.store.atomic import replace_text
from rushes.store.runs import OUTPUTS, REPORTS, RUN_FILE, name_latest, new_run_folder, project_root

_SCRATCH: Final = ".scratch"
_NOT_OUTPUTS: Final = (RUN_FILE, "verdict.json", *REPORTS)


def begin(name: str, namespace: MutableMapping[str, Any]) -> Run:
    """Begin the run of a notebook.

    Args:
        name: Of the notebook or recipe, without its ending.
        namespace: `globals()` of the notebook; it declares `out_dir: str` among its parameters.

    Returns:
        The run; put it last in the cell and it shows where it goes and what it was made with.

    Raises:
        BadNameError: A parameter that is not declared; the message names the nearest.
        BadInputError: A parameter of another type, or no `out_dir`.
        OccupiedError: `out_dir` holds something else than an unfinished run of the same parameters.
        BusyError: Another process is running in it.
        StorageError: It cannot be written.
    """
    parameters = check(namespace)
    given = parameters.get("out_dir")
    if not isinstance(given, str):
        raise BadInputError(
            "a notebook without out_dir",
            accepts='out_dir: str = "" among the parameters',
            fix="declare it in the first cell",
        )
    root = project_root()
    folder = Path(given).absolute() if given else new_run_folder(name, parameters, root=root)
    former = claim(folder, name, Places(folder, root=root).value(parameters))
    return Run(name, folder, parameters, root=root, former=former)


class Run:
    """A run that has begun.

    Attributes:
        name: Of the notebook.
        folder: Where everything goes.
        parameters: All of them by name.
        resumed: Whether an unfinished run is gone on with.

    Args:
        name: Of the notebook.
        folder: Claimed for this run.
        parameters: All of them by name.
        root: Folder that shown paths are relative to.
        former: run.json of the unfinished run that is resumed, or None.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        parameters: Mapping[str, Any],
        *,
        root: Path,
        former: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.folder, self.parameters = name, folder, dict(parameters)
        self.resumed = former is not None
        self._root = root
        self._places = Places(folder, root=root)
        self._clock = time.monotonic()
        self._left_over = set((former or {}).get("outputs", {}))
        self._record: dict[str, Any] = {
            "name": name,
            "parameters": self.parameters,
            "seed": self.parameters.get("seed"),
            "revision": revision(root),
            "versions": versions(),
            "notes": {},
            "inputs": {},
            "outputs": dict.fromkeys(sorted(self._left_over)),
            "started": _now(),
            "resumed_from": former.get("started") if former else None,
            "ended": None,
        }
        self._write()

    def path(self, name: str, *, keep: bool = False) -> Path:
        """Give an output its place, and enter it in run.json.

        Args:
            name: File or folder, relative to the run folder.
            keep: In a resumed run, leave what is there: the caller goes on with it. Otherwise what the unfinished run
                had left of this output, and its cards beside it, is removed, so that it is made anew.

        Raises:
            BadInputError: A name that leads out of the folder.
        """
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()) or path == self.folder:
            raise BadInputError(
                f"the output {name!r}", accepts="a name inside the run folder", fix="leave out '..' and '/'"
            )
        if name in self._left_over and not keep:
            for old in (path, *path.parent.glob(f"{path.name}.card.*")):
                shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        self._left_over.discard(name)
        if name not in self._record["outputs"]:
            self._record["outputs"][name] = None
            self._write()
        return path

    def scratch(self, name: str) -> Path:
        """Give a place for something that is not wanted afterwards; `finish` removes it.

        Args:
            name: File or folder; nothing is there.
        """
        path = self.folder / _SCRATCH / name
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(exist_ok=True)
        return path

    def input(self, path: str | Path) -> Path:
        """Enter something that the run reads in run.json, with its digest.

        Args:
            path: File or folder.

        Raises:
            MissingError: Nothing is there.
        """
        source = Path(path)
        self._record["inputs"][self._shown(source)] = digest(source)
        self._write()
        return source

    def note(self, key: str, value: Any) -> None:
        """Enter what else somebody needs to do it again: versions of an emulator, hashes of its files.

        Args:
            key: What it is.
            value: JSON values.
        """
        self._record["notes"][key] = value
        self._write()

    def bar(self, label: str) -> Bar:
        """Give a progress bar: a callback with (done, total, what).

        Args:
            label: What is going on.
        """
        return Bar(label)

    def finish(
        self,
        findings: Iterable[Finding] = (),
        *,
        figures: Mapping[str, Any] | None = None,
        next_notebook: str = "",
    ) -> Verdict:
        """End the run: write verdict.json, and the outputs with their digests into run.json.

        Args:
            findings: All that checks had to say; the worst one makes the verdict.
            figures: Measured values by name; null where it cannot tell.
            next_notebook: What to open next.

        Returns:
            The verdict; put it last in the cell.

        Raises:
            BadDataError: An output that was announced with `path` is not there.
            StorageError: The disk is full.
        """
        shutil.rmtree(self.folder / _SCRATCH, ignore_errors=True)
        missing = [name for name in self._record["outputs"] if not (self.folder / name).exists()]
        if missing:
            raise BadDataError(
                f"a run without {', '.join(missing)}, which it announced",
                accepts="every output that run.path() was asked for",
                fix="run the cells that write it, then this one",
            )
        outputs = {p.name: digest(p) for p in self._outputs()}
        verdict = write_verdict(
            self.folder,
            [
                replace(f, sentence=self._places.text(f.sentence), session=self._places.text(f.session))
                for f in findings
            ],
            figures=self._places.value(figures or {}),
            next_notebook=next_notebook,
            shown=self._shown(self.folder),
            files={name: int(told["bytes"]) for name, told in outputs.items() if ".card." not in name},
        )
        self._record["outputs"] = outputs
        self._record["ended"] = _now()
        self._record["seconds"] = round(time.monotonic() - self._clock, 3)
        self._write()
        if self.folder.parent == self._root / OUTPUTS / self.name:
            name_latest(self.folder)
        release(self.folder)
        return verdict

    def _outputs(self) -> list[Path]:
        every = sorted(self.folder.iterdir())
        return [p for p in every if not p.name.startswith(".") and p.name not in _NOT_OUTPUTS and p.suffix != ".ipynb"]

    def _write(self) -> None:
        record = self._places.value(self._record)
        replace_text(self.folder / RUN_FILE, json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n")

    def _shown(self, path: Path) -> str:
        return self._places.path(path)

    def show(self) -> Html:
        """Show where the run goes and what it is made with, as `_repr_html_` does."""
        record = self._record
        rows = [
            ["run", f"{self.name}{', resumed' if self.resumed else ''}"],
            ["folder", self._shown(self.folder)],
            ["started", record["started"]],
            [
                "parameters",
                ", ".join(f"{k}={v!r}" for k, v in self._places.value(self.parameters).items() if k != "out_dir"),
            ],
            ["revision", record["revision"] or "not under version control"],
            ["versions", ", ".join(f"{k} {v}" for k, v in record["versions"].items())],
        ]
        return table(["", ""], rows)

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return f"<Run {self.name}{', resumed' if self.resumed else ''}: {self._shown(self.folder)}>"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
