"""A command that is a group of steps, from a table of them.

Example:
    >>> from rushes.cli.prepare.steps import STEPS
    >>> [one.name for one in group_of(STEPS, "What they have in common.").registered_commands][:2]
    ['pairs', 'negatives']
"""

from __future__ import annotations

import typer

from rushes.table import Table


def group_of(steps: Table, about: str) -> typer.Typer:
    """Make a group.

    Args:
        steps: A row a step; its summary is the step's help.
        about: What holds for all of them.
    """
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
    for row in steps.values():
        app.command(row.name, help=row.summary)(steps.load(row.name))

    def said() -> None:
        pass

    said.__doc__ = about
    app.callback()(said)
    return app
