"""From recorded play to the table that the jump recipe trains on, as its parameters say.

Example (cells of a recipe, after `begin`):
    >>> def cells(run, play):
    ...     choices = choices_of(run)
    ...     return choices, steps_table(prepared(play.known, choices))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.model.targets import Target, parse_targets
from rushes.notebook.jump.players import COURSES
from rushes.notebook.run import Run
from rushes.prepare.augment import augment
from rushes.prepare.balance import balance
from rushes.prepare.final import final
from rushes.prepare.merge import merge
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.prepare.split import split
from rushes.preview.html import Html, table

PARTS: Final = "train=0.8,val=0.2"
_KINDS: Final = ("uniform", "near_miss", "hard", "during_hold")
By = Literal["session", "segment"]


@dataclass(frozen=True)
class Choices:
    """What the parameters of the recipe ask for.

    Attributes:
        target: Whose presses are learnt.
        length: Pictures a window.
        exclusion: Frames around a press where no negative lies, or `80ms`.
        band: Frames from a press within which near misses lie.
        kinds: Amounts of negatives, as `prepare.negatives` takes them.
        ratio: Negatives for each positive, at the most.
        by: What is split: sessions or segments.
        recipe: How copies are changed.
        copies: Copies of each row to train on.
        size: Pixels a side that the net sees.
        epochs: How often it sees each row.
        seed: Of everything.
    """

    target: Target
    length: int = 1
    exclusion: str = "0"
    band: str = "4"
    kinds: str = "uniform=2x,near_miss=2x,hard=1x,during_hold=1x"
    ratio: float = 6.0
    by: By = "session"
    recipe: str = "jumpnet_no_flip"
    copies: int = 1
    size: int = 64
    epochs: int = 8
    seed: int = 0

    @property
    def controls(self) -> str:
        """The target as it is written."""
        return str(self.target)


def choices_of(run: Run) -> Choices:
    """Read the recipe's parameters; what means nothing is refused before any work begins.

    Args:
        run: Of a notebook with the parameters controls, length, exclusion, band, uniform, near_miss, hard,
            during_hold, ratio, split_by, recipe, copies, size, epochs, seed, courses.

    Raises:
        BadInputError: A value that means nothing; the sentence names the parameter.
        BadNameError: A control that does not exist.
    """
    p = cast("Mapping[str, Any]", run.parameters)
    targets = parse_targets(p["controls"])
    if len(targets) > 1:
        raise BadInputError(
            f"controls={p['controls']!r}",
            accepts="one target; several controls that mean one action with | between them",
            fix="train a net for each target",
        )
    if p["split_by"] not in {"session", "segment"}:
        raise BadInputError(
            f"split_by={p['split_by']!r}", accepts="session or segment", fix='write split_by = "session"'
        )
    for name, low in {"epochs": 1, "copies": 0, "length": 1, "courses": COURSES}.items():
        if p[name] < low:
            raise BadInputError(f"{name}={p[name]}", accepts=f"{low} or more", fix=f"set {name} = {low}")
    kinds = ",".join(f"{kind}={p[kind]:g}x" for kind in _KINDS if p[kind])
    if not kinds or any(p[kind] < 0 for kind in _KINDS):
        raise BadInputError(
            ", ".join(f"{kind}={p[kind]:g}" for kind in _KINDS),
            accepts="rows a positive from 0 on, not all of them 0",
            fix="leave them at their defaults",
        )
    return Choices(
        target=targets[0], kinds=kinds, by=p["split_by"],
        **{k: p[k] for k in ("length", "exclusion", "band", "ratio", "recipe", "copies", "size", "epochs", "seed")},
    )  # fmt: skip


def prepared(recordings: Iterable[Recording], choices: Choices) -> Samples:
    """Take all steps at once: pairs, negatives, balance, split, augmentation of the training part, final.

    Args:
        recordings: What may be learnt from.
        choices: How.
    """
    several, seed = list(recordings), choices.seed
    presses, _ = press_release(several, choices.controls, length=choices.length)
    others = negatives(presses, several, kinds=choices.kinds, exclusion=choices.exclusion, band=choices.band, seed=seed)
    both = balance(merge([presses, others]), ratio=choices.ratio, seed=seed)
    parts = split(both, by=choices.by, parts=PARTS, seed=seed)
    copied = augment(parts, recipe=choices.recipe, copies=choices.copies, kinds="all", seed=seed)
    return final([copied], seed=seed)


def steps_table(samples: Samples) -> Html:
    """Show how a table was made, a row a step, and what each step left out."""
    rows = []
    for step in samples.steps:
        for stream, account in step.ledger.items():
            lost = ", ".join(f"{reason} {count:,}" for reason, count in account.lost.items() if count)
            rows.append([step.name, stream, account.offered, account.kept, lost or "nothing"])
    return table(["step", "of", "offered", "kept", "left out"], rows)
