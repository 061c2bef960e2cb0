"""`rushes doctor`: what works on this machine, and what each missing part needs."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from importlib import metadata
from typing import Annotated, Any, Final

import typer

from rushes import __version__
from rushes.capture.base import BACKENDS
from rushes.capture.env.policies import POLICIES
from rushes.cli import show
from rushes.errors import RushesError
from rushes.formats.base import FORMATS
from rushes.qa.base import CHECKS
from rushes.table import Table

TABLES: Final[tuple[Table, ...]] = (BACKENDS, POLICIES, FORMATS, CHECKS)
LIBRARIES: Final = {
    "ale_py": "Atari",
    "av": "video",
    "cv2": "pictures",
    "pyarrow": "Parquet",
    "torch": "tensors",
    "papermill": "headless notebooks",
    "nbconvert": "report.html",
    "jupyterlab": "the workbench",
}
"""Libraries of the base installation -> what stops without them."""


def doctor(
    games: Annotated[bool, typer.Option(help="list the ids of all Atari games instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Say what works on this machine and what a missing part needs."""
    if games:
        from rushes.worlds.atari import atari_ids

        if as_json:
            show.emit({"games": list(atari_ids())})
        else:
            show.say("\n".join(atari_ids()))
        return
    rows = examine()
    free_gb = shutil.disk_usage(".").free / 1e9
    if as_json:
        show.emit(
            {"version": __version__, "python": platform.python_version(), "free_gb": round(free_gb, 1), "parts": rows}
        )
        return
    show.say(
        f"rushes {__version__}, Python {platform.python_version()}, {platform.system()}, {free_gb:.0f} GB free here"
    )
    for row in rows:
        state = "works" if row["works"] else "missing"
        show.say(f"  {state:8s}{row['kind']:9s}{row['name']:20s}{row['summary'] if row['works'] else row['needs']}")


def examine() -> list[dict[str, Any]]:
    """Try to load every row of every table and every base library; returns one dict a part."""
    rows: list[dict[str, Any]] = []
    for table in TABLES:
        for row in table.values():
            needs = ""
            try:
                table.load(row.name)
            except RushesError as error:
                needs = str(error)
            rows.append(
                {"kind": table.kind, "name": row.name, "works": not needs, "summary": row.summary, "needs": needs}
            )
    rows += _extras()
    for name, use in LIBRARIES.items():
        needs = ""
        try:
            __import__(name)
        except Exception as error:  # noqa: BLE001 - a library without its display or sound raises what it likes
            needs = f'{type(error).__name__}: {error}; pip install -c constraints.txt -e "."'
        rows.append({"kind": "library", "name": name, "works": not needs, "summary": use, "needs": needs})
    return rows


def _extras() -> list[dict[str, Any]]:
    """Say of every extra of the installation which of its libraries are missing."""
    described = metadata.metadata("rushes")
    rows = []
    for extra in described.get_all("Provides-Extra") or []:
        names = [
            re.split(r"[^\w.-]", text, maxsplit=1)[0]
            for text in described.get_all("Requires-Dist") or []
            if re.search(rf"extra == .{re.escape(extra)}.", text) and _for_this_system(text)
        ]
        missing = [name for name in names if not _installed(name)]
        needs = f'without {", ".join(missing)}: pip install -c constraints.txt -e ".[{extra}]"' if missing else ""
        rows.append({"kind": "extra", "name": extra, "works": not missing, "summary": ", ".join(names), "needs": needs})
    return rows


def _for_this_system(requirement: str) -> bool:
    """Say whether a requirement's marker means this system; ours ask for `sys_platform` alone."""
    marks = re.findall(r"sys_platform (==|!=) .(\w+).", requirement)
    return all((sys.platform == system) == (sign == "==") for sign, system in marks)


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
