"""From recordings to a table of samples, with every step between, for the notebook that looks at them.

The steps are those of `rushes prepare`: positives from presses, negatives of the kinds asked for, balance, split,
copies. `make_samples` keeps what each step gave, so that it can be shown before and after; the sliders call the same
function with other numbers.

Example (cells of the notebook):
    >>> def cells(namespace):
    ...     run = begin("03_augment_and_negatives", namespace)
    ...     plan = plan_of(run)
    ...     return make_samples(plan, play_of(run, plan), say=run.bar("preparing"))
    >>> listed("uniform 1x, near_miss 0.5x")
    'uniform=1x, near_miss=0.5x'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.model.findings import Finding
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples, Source
from rushes.model.samples import SampleKind
from rushes.model.targets import parse_targets
from rushes.notebook.compare import as_findings
from rushes.notebook.negatives.play import play_source
from rushes.notebook.run import Run
from rushes.prepare.augment import augment
from rushes.prepare.augment.recipe import parse_recipe
from rushes.prepare.balance import balance
from rushes.prepare.final import final
from rushes.prepare.merge import merge
from rushes.prepare.negatives import negatives
from rushes.prepare.negatives.amounts import parse_kinds
from rushes.prepare.press_release import PairCounts, press_release, with_sources
from rushes.prepare.reading import SIZE, load_pictures
from rushes.prepare.split import parts_of, split
from rushes.preview.html import Html, table
from rushes.qa.base import run_checks
from rushes.store.samples import write_samples
from rushes.store.validity import honour_all

Say = Callable[[int, int, str], None]

TABLE: Final = "samples.parquet"
_PAIR: Final = re.compile(r"(\w+)\s+([^\s=,]+)")
_STEPS: Final = ("presses", "negatives", "joining", "balance", "split", "copies")


@dataclass(frozen=True)
class Plan:
    """What shall be prepared.

    Attributes:
        source: What to read; `""` for the notebook's own sessions.
        controls: What samples are labelled for, as `model.targets` reads it.
        length: Frames a window.
        exclusion: How near to a press no negative may lie: frames, or `80ms`.
        kinds: Kinds of negatives with their amounts.
        ratio: Negatives a positive after the balance.
        recipe: Of the augmentation.
        copies: A positive.
        parts: Of the split, with their shares.
        split_by: `session`, `segment`, `group` or `time`.
        seed: Of every draw.
        edit: An edit by hand, see `rushes.notebook.negatives.edit`; `""` for none.
    """

    source: str = ""
    controls: str = "space, a, d"
    length: int = 1
    exclusion: str = "2"
    kinds: str = "uniform=1x"
    ratio: float = 1.0
    recipe: str = "jumpnet"
    copies: int = 2
    parts: str = "train=0.5, val=0.25, test=0.25"
    split_by: str = "session"
    seed: int = 0
    edit: str = ""


@dataclass(frozen=True)
class Made:
    """What each step gave.

    Attributes:
        plan: What was asked for.
        sessions: The recordings, without what was marked invalid.
        pairs: Positives.
        counts: What pairing met.
        found: Positives and negatives.
        balanced: Those that the balance kept.
        parts: The same with their split.
        whole: With copies, shuffled: the table for training.
    """

    plan: Plan
    sessions: Sessions
    pairs: Samples
    counts: PairCounts
    found: Samples
    balanced: Samples
    parts: Samples
    whole: Samples

    def load(self, samples: Samples) -> npt.NDArray[np.uint8]:
        """Read the pictures of samples: (N, T, 227, 227, 3) uint8 RGB."""
        return load_pictures(samples, self.sessions, size=SIZE)

    @property
    def stages(self) -> dict[str, Samples]:
        """The sets whose classes are counted."""
        return {"found": self.found, "balanced": self.balanced, "with copies": self.whole}


def plan_of(run: Run) -> Plan:
    """Turn the parameters of the notebook into a plan; what means nothing is refused before any work begins.

    Args:
        run: Of a notebook with the parameters that `Plan` has.

    Raises:
        BadInputError: A value that means nothing; the sentence names it.
        BadNameError: A control, kind, or transform that does not exist; the message names the nearest.
    """
    given = cast("Mapping[str, Any]", run.parameters)
    plan = Plan(**{name: given[name] for name in Plan.__dataclass_fields__})
    return checked(replace(plan, kinds=listed(plan.kinds), parts=listed(plan.parts)))


def checked(plan: Plan) -> Plan:
    """Hold a plan against what the steps accept.

    Raises:
        BadInputError: A value that means nothing; the sentence names it.
        BadNameError: A control, kind, or transform that does not exist; the message names the nearest.
    """
    targets = parse_targets(plan.controls)
    if SampleKind.SWAPPED in parse_kinds(plan.kinds) and len(targets) == 1:
        raise BadInputError(
            f"controls={plan.controls!r}, and swapped among kinds",
            accepts="swapped negatives of two controls or more",
            fix="leave swapped out of kinds, or name a second control",
        )
    parse_recipe(plan.recipe)
    parts_of(plan.parts)
    for name, low in (("length", 1), ("copies", 0), ("ratio", 0)):
        if not getattr(plan, name) >= low:
            raise BadInputError(
                f"{name}={getattr(plan, name)!r}", accepts=f"a number from {low}", fix=f"leave {name} out"
            )
    return plan


def listed(text: str) -> str:
    """Write `NAME VALUE, NAME VALUE` as the steps read it; a notebook's parameter holds no `=`."""
    return ", ".join(_PAIR.sub(r"\1=\2", part.strip()) for part in text.split(",") if part.strip())


def play_of(run: Run, plan: Plan) -> Sessions:
    """Open what the notebook works on: what was named, or its own planted sessions.

    Args:
        run: The run; what is read is entered in it.
        plan: See `plan_of`.

    Raises:
        MissingError: Nothing is at `source`.
        BadInputError: One session, where negatives from another are asked for.
        BadDataError: `source` is of no format.
    """
    path = plan.source or play_source(run.name, progress=run.bar("making sessions"))
    sessions = open_any(run.input(path))
    if len(sessions) == 1 and SampleKind.CROSS_SESSION in parse_kinds(plan.kinds):
        raise BadInputError(
            "one session, and cross_session among kinds",
            accepts="cross_session negatives of two sessions or more",
            fix='leave cross_session out of kinds and set split_by = "time", or name a folder of sessions',
        )
    return sessions


def make_samples(plan: Plan, sessions: Sessions, *, say: Say | None = None) -> Made:
    """Prepare samples, keeping what each step gives.

    Args:
        plan: What is asked for.
        sessions: Where from; what is marked invalid in them is left out.
        say: Called with (done, total, what) before each step, and at the end.

    Raises:
        BadInputError: Options that mean nothing, no press at all, or fewer groups than parts of the split.
    """

    def now(step: int) -> None:
        if say is not None:
            say(step, len(_STEPS), _STEPS[step] if step < len(_STEPS) else "")

    valid = honour_all(sessions)
    now(0)
    pairs, counts = press_release(valid, plan.controls, length=plan.length)
    if plan.source:
        pairs = with_sources(pairs, valid, Source(plan.source))
    if not len(pairs):
        raise BadInputError(
            f"controls={plan.controls!r}, which nobody pressed",
            accepts="controls that are pressed in the recordings",
            fix="look at `rushes info` for what they hold",
        )
    now(1)
    others = negatives(pairs, valid, kinds=plan.kinds, exclusion=plan.exclusion, seed=plan.seed)
    now(2)
    found = merge([pairs, others], valid)
    now(3)
    balanced = balance(found, ratio=plan.ratio, seed=plan.seed)
    now(4)
    parts = split(balanced, by=cast("Any", plan.split_by), parts=plan.parts, seed=plan.seed)
    now(5)
    copied = augment(parts, recipe=plan.recipe, copies=plan.copies, seed=plan.seed, recordings=valid, refuse="skip")
    whole = final([copied], seed=plan.seed)
    now(6)
    return Made(plan, valid, pairs, counts, found, balanced, parts, whole)


def steps_table(made: Made) -> Html:
    """Show what each step was offered, kept and left out, a row a step."""
    rows = []
    for step in made.whole.steps:
        for stream, a in step.ledger.items():
            lost = ", ".join(f"{reason} {n:,}" for reason, n in a.lost.items())
            rows.append([step.name, stream, a.offered, a.kept, lost or "nothing", "yes" if a.balances else "NO"])
    return table(["step", "of", "offered", "kept", "left out", "balances"], rows)


def counts_table(made: Made) -> Html:
    """Show what pairing met, by the names that the JumpNet scripts print."""
    return table([*made.counts.to_json()], [[*made.counts.to_json().values()]])


def check(made: Made) -> list[Finding]:
    """Look for leaks and contradictions in the table, and say what reading had to work around.

    Args:
        made: See `make_samples`.
    """
    whole = Sessions(made.sessions, format="samples", samples=made.whole)
    return [*as_findings(made.sessions.problems), *run_checks(whole, ["leakage"])]


def write_table(run: Run, made: Made) -> Html:
    """Write the table into the run folder.

    Args:
        run: The run.
        made: See `make_samples`.

    Raises:
        BadDataError: Rows say what cannot be.
        StorageError: The disk is full or the folder cannot be written.
    """
    path = run.path(TABLE)
    write_samples(made.whole, path)
    rows = [[path.name, len(made.whole), len(made.whole.space), round(path.stat().st_size / 1e3, 1)]]
    return table(["file", "rows", "controls", "kB"], rows)


def figures_of(made: Made, *, nearest: float, equal: int) -> dict[str, Any]:
    """Sum up what a program may want to know.

    Args:
        made: See `make_samples`.
        nearest: Distance of the nearest positive and negative, grey levels.
        equal: Negatives whose picture is a positive's.
    """
    rows, whole = made.found.rows, made.whole.rows
    holds = made.pairs.rows["hold_s"]
    kinds = {f"found_{kind}": n for kind, n in made.found.count().items() if kind != "positive"}
    return {
        **made.counts.to_json(),
        "median_hold_s": float(holds.median()),
        "left_open": int(holds.isna().sum()),
        "positives": int((rows["label"] > 0).sum()),
        **kinds,
        "rows": len(whole),
        "rows_of_splits": ", ".join(f"{name} {n}" for name, n in made.whole.count("split").items()),
        "copies": int((whole["parent"] != "").sum()),
        "nearest_grey_levels": nearest,
        "equal_pictures": equal,
    }
