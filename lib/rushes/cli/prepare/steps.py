"""`rushes prepare`: the table of its steps, and the group that holds them.

Example:
    $ rushes prepare pairs data/sessions/Doom_20261121_180000 pairs.parquet --control w
    $ rushes prepare negatives pairs.parquet negatives.parquet
    $ rushes prepare merge pairs.parquet negatives.parquet all.parquet
    $ rushes prepare split all.parquet split.parquet --by time
    $ rushes prepare augment split.parquet train.parquet
"""

from __future__ import annotations

from typing import Final

from rushes.cli.group import group_of
from rushes.table import Table

STEPS: Final = Table(
    "step",
    {
        "pairs": ("rushes.cli.prepare.pairs:pairs", "", "a positive sample of each press of a control, with its hold"),
        "negatives": ("rushes.cli.prepare.negatives:negatives", "", "draw negatives from the pixels of the positives"),
        "merge": ("rushes.cli.prepare.merge:merge", "", "put tables together, each sample once by its content"),
        "balance": ("rushes.cli.prepare.balance:balance", "", "thin the classes to a ratio or a count, evenly in time"),
        "reduce": ("rushes.cli.prepare.reduce:reduce", "", "keep so many rows at random, as JumpNet does"),
        "split": ("rushes.cli.prepare.split:split", "", "decide what is for training, validation and test, by groups"),
        "augment": ("rushes.cli.prepare.augment:augment", "", "add transformed copies, with actions that follow"),
        "final": ("rushes.cli.prepare.final:final", "", "join any number of tables, weighted and shuffled"),
        "edit": ("rushes.cli.prepare.edit:edit", "", "relabel, drop or note one sample; it survives a rebuild"),
    },
)
"""Every row is held to tests/contracts/test_commands.py, as the commands themselves."""

prepare: Final = group_of(
    STEPS, "Each step reads one table (or recordings), writes a new one, and prints one JSON object with --json."
)
"""What the table of commands names."""
