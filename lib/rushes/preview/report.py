"""Executing a notebook into a folder: `report.ipynb`, and `report.html` that opens offline.

A notebook that fails leaves both, with the error shown where it happened, and raises one clear error.

Example (a notebook with a parameter `frames`):
    >>> def run():
    ...     return execute("notebooks/05_video_preview.ipynb", "outputs/mine", {"frames": 50})
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.errors import RushesError, UnavailableError
from rushes.preview.page import to_html
from rushes.preview.parameters import checked, parameters_of, refuse_unknown
from rushes.store.atomic import storage_errors

__all__ = ["REPORT_HTML", "REPORT_NOTEBOOK", "Report", "execute", "to_html"]

REPORT_NOTEBOOK: Final = "report.ipynb"
REPORT_HTML: Final = "report.html"
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
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    source, target = Path(notebook), Path(folder).absolute()
    given = dict(parameters or {})
    names = parameters_of(source)
    refuse_unknown({**given, "out_dir": ""}, names, where=source.name)
    for name, value in given.items():
        checked(name, names[name].kind, value)
    with storage_errors(target):
        target.mkdir(parents=True, exist_ok=True)
    executed, page = target / REPORT_NOTEBOOK, target / REPORT_HTML
    try:
        papermill.execute_notebook(
            str(source),
            str(executed),
            parameters={**given, "out_dir": str(target)},
            progress_bar=progress_bar,
            start_timeout=_START_S,
        )
    except papermill.PapermillExecutionError as error:
        to_html(executed, page)
        said = error.evalue or error.ename or "it was stopped"
        stop = "" if said.endswith((".", "?", "!")) else "."
        raise RushesError(f"{source.name}, cell {error.exec_count}: {said}{stop} The report so far is {page}") from None
    except NoSuchKernel as error:
        raise UnavailableError(
            f"{source.name}: the kernel {error.name!r} is not installed", fix="python -m ipykernel install --sys-prefix"
        ) from error
    except DeadKernelError as error:
        if executed.is_file():
            to_html(executed, page)
        raise RushesError(
            f"{source.name}: its process died, for want of memory perhaps",
            fix=f"run it again with less, or go on in {target}: what was whole is kept",
        ) from error
    to_html(executed, page)
    return Report(target, executed, page, _verdict(target))


def _verdict(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["verdict"])
    return ""
