"""`rushes run`: a recipe or notebook, executed into its own folder, with a report that opens anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from rushes.cli import show
from rushes.errors import BadNameError, near

_PAIRED: Final = ("-p", "--parameter")


def join_pairs(arguments: list[str]) -> list[str]:
    """Write `-p NAME VALUE`, as papermill takes it, as the one word that the parser of options takes: `-p NAME=VALUE`.

    Args:
        arguments: What stands behind `rushes`.
    """
    joined, rest = [], iter(arguments)
    for word in rest:
        joined.append(word)
        if word in _PAIRED and (name := next(rest, None)) is not None:
            value = None if "=" in name else next(rest, None)
            joined.append(name if value is None else f"{name}={value}")
    return joined


def run(
    recipe: Annotated[Path, typer.Argument(help="a notebook, as recipes/atari_sample.ipynb")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME VALUE", help="as often as needed")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="run folder [default: outputs/<name>/<utc>-<hash>]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Execute a recipe or notebook and write its report."""
    from rushes.preview.parameters import from_text, parameters_of
    from rushes.preview.report import execute
    from rushes.store.runs import new_run_folder

    known = parameters_of(recipe)
    values = {}
    for name, equals, text in (pair.partition("=") for pair in parameter or []):
        if not equals:
            raise typer.BadParameter(f"{name!r} has no value; write -p {name} VALUE", param_hint="'-p'")
        if name not in known:
            raise BadNameError(
                f"parameter {name!r} of {recipe.name}",
                accepts="one of " + ", ".join(known),
                fix=near(name, known) or "take a name from the list",
            )
        values[name] = from_text(known[name], text)
    given = str(values.pop("out_dir", ""))
    out = out or (Path(given) if given else None)
    folder = out or new_run_folder(recipe.stem, {n: values.get(n, p.default) for n, p in known.items()})
    show.note(f"{recipe} into {folder}")
    report = execute(recipe, folder, values, progress_bar=True)
    verdict = report.verdict
    reasons = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["reasons"] if verdict else []
    if as_json:
        paths = {"folder": str(folder), "report": str(report.page), "notebook": str(report.notebook)}
        show.emit({"verdict": verdict, "reasons": reasons, **paths})
    else:
        show.say(f"{verdict or 'done'}: {report.page}")
        for reason in reasons:
            show.say(f"  {reason}")
    if verdict == "FAIL":
        raise typer.Exit(1)
