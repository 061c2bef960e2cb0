"""`rushes library`: the table of its steps, and the group that holds them.

Example:
    $ rushes library add data elsewhere/Doom_20261121_180000
    $ rushes library list data
    $ rushes library tag data Doom_20261121_180000 --add boss
    $ rushes library find data --game doom --tag boss --min-duration 60
    $ rushes library verify data
"""

from __future__ import annotations

from typing import Final

from rushes.cli.group import group_of
from rushes.table import Table

STEPS: Final = Table(
    "step",
    {
        "add": ("rushes.cli.library.add:add", "", "copy or link sessions into a library; nothing is overwritten"),
        "list": ("rushes.cli.library.find:list_all", "", "list all sessions with what is to be known of them"),
        "find": ("rushes.cli.library.find:find", "", "find sessions by a word, game, tag, verdict or length"),
        "verify": ("rushes.cli.library.verify:verify", "", "hold every file against its hash; exit 1 on damage"),
        "tag": ("rushes.cli.library.tag:tag", "", "put tags on sessions and take them off; a rebuild keeps them"),
        "rebuild": ("rushes.cli.library.rebuild:rebuild", "", "write the table anew from the folders alone"),
    },
)
"""Every row is held to tests/contracts/test_commands.py, as the commands themselves."""

library: Final = group_of(
    STEPS, "Each step takes the folder of a library first, and prints one JSON object with --json."
)
"""What the table of commands names."""
