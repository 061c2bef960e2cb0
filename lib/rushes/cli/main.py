"""The command `rushes`: the table of commands, and the one place where an error becomes an exit status.

Exit status: 0 done, 1 the verdict is FAIL or the input is bad, 2 the command line is wrong. A traceback is shown only
with `--debug`.

Example:
    $ rushes sample Breakout --frames-per-env 60 --max-episodes 3 --output-dir data/breakout
    $ rushes qa data/breakout
    $ rushes convert data/breakout data/breakout.parquet --format interleaved
"""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from rushes import __version__
from rushes.cli.run import join_pairs
from rushes.cli.show import complain
from rushes.errors import RushesError
from rushes.table import Table

COMMANDS: Final = Table(
    "command",
    {
        "sample": ("rushes.cli.sample:sample", "", "sample Atari or any Gymnasium environment into sessions"),
        "record": (
            "rushes.cli.record:record",
            "",
            "record a desktop game (or a world without hardware) into a session",
        ),
        "windows": ("rushes.cli.windows:windows", "", "list the windows that can be recorded"),
        "info": ("rushes.cli.info:info", "", "say what any path is"),
        "qa": ("rushes.cli.qa:qa", "", "check a session or any file that can be read; exit 1 on FAIL"),
        "convert": ("rushes.cli.convert:convert", "", "convert anything that can be read to a format"),
        "prepare": (
            "rushes.cli.prepare.steps:prepare",
            "",
            "make labelled samples of recordings: pairs, negatives, split ...",
        ),
        "library": (
            "rushes.cli.library.steps:library",
            "",
            "keep a folder of sessions: add, list, find, verify, tag, rebuild",
        ),
        "pack": ("rushes.cli.pack:pack", "", "make a training cache: every frame at the size that a model reads"),
        "merge": ("rushes.cli.merge:merge", "", "make the merged files of a NitroGen Capture folder anew"),
        "preview": ("rushes.cli.preview:preview", "", "make a contact sheet and a video with the actions beside it"),
        "recover": ("rushes.cli.recover:recover", "", "bring back what a killed recording left"),
        "run": ("rushes.cli.run:run", "", "execute a recipe or notebook and write its report"),
        "doctor": ("rushes.cli.doctor:doctor", "", "say what works on this machine and what a missing part needs"),
    },
)
"""Every row is held to tests/contracts/test_commands.py."""


def build() -> typer.Typer:
    """Make the command line from the table."""
    app = typer.Typer(
        name="rushes",
        help="Gameplay in, training data out, and proof that it is right.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for row in COMMANDS.values():
        found = COMMANDS.load(row.name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=row.name, help=row.summary)
        else:
            app.command(row.name, help=row.summary)(found)

    @app.callback()
    def _root(
        debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an error")] = False,
        version: Annotated[bool, typer.Option("--version", help="print the version and leave")] = False,
    ) -> None:
        del debug
        if version:
            typer.echo(__version__)
            raise typer.Exit

    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit status.

    Args:
        arguments: What stands behind `rushes`; None takes the process's own.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    given = [a for a in given if a != "--debug"]
    if given[:1] == ["run"]:
        given = join_pairs(given)
    try:
        build()(args=given, standalone_mode=True)
    except RushesError as error:
        if debug:
            raise
        complain(str(error))
        sys.exit(1)
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        complain("stopped; what was stored is kept, and the same command with --resume goes on where there is one")
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        complain(f"{type(error).__name__}: {error} (run it again with --debug to see where)")
        sys.exit(1)
