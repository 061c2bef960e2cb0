"""Executing a notebook into a folder: `report.ipynb`, and `report.html` that opens offline.

A notebook that fails leaves both, with the error shown where it happened, and raises one clear error. A folder that
holds anything else than an unfinished run of the same parameters is refused before anything is written.

Both can be sent: paths in them are named from the project, never from the root of the disk (`rushes.preview.places`).

Example (a notebook with a parameter `frames`):
    >>> def run():
    ...     return execute("notebooks/05_video_preview.ipynb", "outputs/mine", {"frames": 50})
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.errors import RushesError, UnavailableError
from rushes.preview.page import to_html
from rushes.preview.parameters import checked, parameters_of, refuse_unknown
from rushes.preview.places import Places
from rushes.store.atomic import storage_errors
from rushes.store.lock import hold
from rushes.store.runs import OUTPUTS, REPORTS, name_latest, refuse_busy, tidy, unfinished_run

__all__ = ["REPORT_HTML", "REPORT_NOTEBOOK", "Report", "execute", "to_html"]

REPORT_NOTEBOOK: Final = REPORTS[0]
REPORT_HTML: Final = REPORTS[1]
_BEGINS: Final = re.compile(r"""\bbegin\(\s*\\?["']([\w.-]+)\\?["']""")
_HAS_FIX: Final = "To mend it: "
_START_S: Final = 120  # for a kernel to start, on a busy machine


@dataclass(frozen=True)
class Report:
    """What executing a notebook left.

    Attributes:
        folder: The run folder.
        notebook: The executed notebook.
        page: The same as a page.
        verdict: `PASS`, `WARN` or `FAIL`, or `""` where the notebook gave none.
    """

    folder: Path
    notebook: Path
    page: Path
    verdict: str


def execute(
    notebook: str | Path,
    folder: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    progress_bar: bool = False,
) -> Report:
    """Execute a notebook with papermill into a folder.

    Args:
        notebook: The notebook; it stays as it is.
        folder: Where everything goes; passed to the notebook as its parameter `out_dir`.
        parameters: Values by name.
        progress_bar: Draw a bar over the cells on standard error.

    Returns:
        Where the report lies.

    Raises:
        MissingError: No such notebook.
        BadNameError: The notebook has no such parameter; the message names the nearest.
        BadInputError: A value of another type than the parameter's.
        BadDataError: No notebook, or one without a cell of parameters.
        RushesError: A cell failed; the message says which and why, and the report shows it.
        UnavailableError: The notebook's kernel is not installed.
        StorageError: The folder cannot be written.
        OccupiedError: The folder holds anything else than an unfinished run of the same parameters.
        BusyError: A run is going on in it.
    """
    source, target = Path(notebook), Path(folder).absolute()
    given = dict(parameters or {})
    names = parameters_of(source)
    refuse_unknown({**given, "out_dir": ""}, names, where=source.name)
    for name, value in given.items():
        checked(name, names[name].kind, value)
    every = Places(target).value({name: given.get(name, parameter.default) for name, parameter in names.items()})
    called = _name_of(source)
    refuse_busy(target)
    unfinished_run(target, every, name=called)
    with storage_errors(target):
        target.mkdir(parents=True, exist_ok=True)
    try:
        with hold(target):  # two that begin at once: the second one finds it held
            refuse_busy(target)
            unfinished_run(target, every, name=called)
            report = _execute(source, target, given, progress_bar=progress_bar)
    finally:
        tidy(target)
    if target.parent.name == source.stem and target.parent.parent.name == OUTPUTS:
        name_latest(target)  # notebooks that begin no run are named too
    return report


def _execute(source: Path, target: Path, given: Mapping[str, Any], *, progress_bar: bool) -> Report:
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    executed, page = target / REPORT_NOTEBOOK, target / REPORT_HTML
    places = Places(target)
    try:
        with _tidied(executed, source, places):
            papermill.execute_notebook(
                str(source),
                str(executed),
                parameters={**given, "out_dir": str(target)},
                progress_bar=progress_bar,
                start_timeout=_START_S,
            )
    except papermill.PapermillExecutionError as error:
        to_html(executed, page)
        where = f"{source.name}, cell {error.exec_count}"
        said = error.evalue or error.ename or "it was stopped"
        if _HAS_FIX in said:
            raise RushesError(f"{where}: {said} The report so far is {page}") from None
        raise RushesError(
            f"{where}: {said.rstrip('.')}",
            accepts="a notebook whose cells all run",
            fix=f"look at the report so far, which is {page}",
        ) from None
    except NoSuchKernel as error:
        raise UnavailableError(
            f"{source.name}: the kernel {error.name!r} is not installed",
            accepts="a kernel that `jupyter kernelspec list` names",
            fix="python -m ipykernel install --sys-prefix",
        ) from error
    except DeadKernelError as error:
        if executed.is_file():
            to_html(executed, page)
        raise RushesError(
            f"{source.name}: its process died, for want of memory perhaps",
            accepts="a notebook that fits into the memory",
            fix=f"run it again with less, or go on in {target}: what was whole is kept",
        ) from error
    to_html(executed, page)
    return Report(target, executed, page, _verdict(target))


def _name_of(source: Path) -> str:
    """Give the name under which a notebook begins its run, which a copy under another file name keeps."""
    found = _BEGINS.search(source.read_text(encoding="utf-8"))
    return found[1] if found else source.stem


@contextmanager
def _tidied(executed: Path, source: Path, places: Places) -> Iterator[None]:
    """Leave no absolute path in the executed notebook, however its execution ends."""
    try:
        yield
    finally:
        if executed.is_file():
            places.tidy(executed, source)


def _verdict(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["verdict"])
    return ""
