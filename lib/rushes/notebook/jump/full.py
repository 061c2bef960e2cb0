"""What the jump recipe adds with `full`: an Atari game, and the same pipeline with the reference's faults.

Example (a cell of the recipe):
    >>> def cell(run, play, choices):
    ...     return full_study(run, play, choices)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.model.findings import Finding
from rushes.model.recording import Recording
from rushes.model.targets import parse_targets
from rushes.notebook.jump.atari import GAME, LENGTH, POLICY, TARGET
from rushes.notebook.jump.dataset import Choices, prepared
from rushes.notebook.jump.faults import Outcome, compare_faults, faults_table
from rushes.notebook.jump.scores import Score, Stretch, best_threshold, presses_per_frame, score, score_table, watch
from rushes.notebook.jump.sessions import Play, expert_sessions, samples_root, seeds_of, trial_seeds
from rushes.notebook.jump.training import train
from rushes.notebook.run import Run
from rushes.preview.html import Html, note
from rushes.qa.leakage.check import check_leakage
from rushes.store.looks import look_at

Progress = Callable[[int, int, str], None]

SESSIONS: Final = 6
"""Sessions that the study of faults learns from: some 180 presses, as the reference's example has."""
COURSES: Final = 20
ATARI_ID: Final = f"ALE/{GAME}-v5"
ATARI_SESSIONS: Final = 12
ATARI_FRAMES: Final = 1600
ATARI_SIZE: Final = 96


@dataclass(frozen=True)
class Study:
    """What came of it.

    Attributes:
        shown: Tables for the page.
        figures: For the verdict.
        findings: Likewise.
    """

    shown: Html
    figures: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def _repr_html_(self) -> str:
        return self.shown.html

    def __repr__(self) -> str:
        return repr(self.shown)


def full_study(run: Run, play: Play, choices: Choices) -> Study:
    """Do the long part where `full` asks for it.

    Args:
        run: Of a notebook with the parameter full.
        play: What was recorded.
        choices: How the table was made.
    """
    if not run.parameters["full"]:
        return Study(note("Left out: full = False."))
    known, unseen = list(play.known)[:SESSIONS], list(play.unseen)
    seeds = trial_seeds(choices.seed, COURSES) if play.is_jump else ()
    outcomes = compare_faults(known, unseen, choices, seeds=seeds, progress=run.bar("with faults"))
    atari = study_atari(choices, progress=run.bar("Atari"))
    shown = (atari.show(), faults_table(outcomes))
    figures: dict[str, Any] = {
        "atari_f1": atari.score.f1,
        "atari_hold_error_median": atari.score.hold_median,
        "atari_familiar_share": atari.familiar,
    }
    for one in outcomes:
        name = "_".join(name for name, there in one.faults._asdict().items() if there) or "none"
        figures |= {f"faults_{name}_printed_f1": one.printed, f"faults_{name}_true_f1": one.true.f1}
        figures |= {f"faults_{name}_survival_share": one.survival}
    html = Html("<div style='height:24px'></div>".join(part.html for part in shown), "\n\n".join(map(repr, shown)))
    return Study(html, figures, tuple(_said(outcomes[-1])))


def _said(worst: Outcome) -> Iterator[Finding]:
    """Say in a sentence what the faults were worth."""
    sentence = (
        f"with {worst.faults}, the pipeline prints an F1 of {worst.printed:.3f} "
        f"where its net comes to {worst.true.f1:.3f} on unseen play"
    )
    yield Finding(check="jump.faults", severity="info", sentence=sentence, value=worst.printed - worst.true.f1)


@dataclass(frozen=True)
class Atari:
    """What came of the Atari game.

    Attributes:
        score: Presses on unseen play.
        frequency: Presses a frame there.
        rows: Rows that the net learnt from.
        leaks: Errors and warnings of the leakage check, as sentences.
        familiar: Share of the unseen presses whose picture, at 64 x 64, stands in the known sessions too: an emulator
            repeats itself, and what is measured there was seen before.
    """

    score: Score
    frequency: float
    rows: int
    leaks: tuple[str, ...]
    familiar: float

    def show(self) -> Html:
        """Show it as a table."""
        caption = f"{GAME}, {TARGET}, windows of {LENGTH} pictures, {self.rows:,} rows to learn from"
        shown = score_table(self.score, self.frequency, caption=caption)
        said = "; ".join(self.leaks) or "nothing"
        leaks = note(
            f"{self.familiar:.0%} of the unseen presses show a picture that a known session shows too, "
            f"which makes them easier than they should be. The leakage check says: {said}."
        )
        return Html(shown.html + leaks.html, f"{shown!r}\n{leaks!r}")


def study_atari(
    choices: Choices,
    *,
    root: Path | None = None,
    sessions: int = ATARI_SESSIONS,
    frames: int = ATARI_FRAMES,
    progress: Progress | None = None,
) -> Atari:
    """Train on FIRE of an Atari game, and measure on unseen games of it.

    Args:
        choices: As for the recipe; target, length and size are the game's own.
        root: Folder of its sessions; by default the recipe's own.
        sessions: To learn from.
        frames: Of each.
        progress: Called with (done, total, what).
    """
    own = replace(choices, target=parse_targets(TARGET)[0], length=LENGTH, size=ATARI_SIZE)
    learn, test = seeds_of(choices.seed, sessions)
    folder = root or samples_root()
    known = expert_sessions(folder, learn, frames=frames, env_id=ATARI_ID, policy=POLICY, progress=progress)
    unseen = expert_sessions(folder, test, frames=frames, env_id=ATARI_ID, policy=POLICY)
    samples = prepared(known, own)
    leaks = tuple(f.sentence for f in check_leakage(samples, list(known)) if f.severity != "info")
    trained = train(samples, known, size=own.size, epochs=own.epochs, seed=own.seed, progress=progress)
    trained = trained.at(best_threshold(watch(trained, known, own.target, segments=samples)))
    seen = watch(trained, unseen, own.target)
    familiar = familiar_share(seen, known, unseen)
    return Atari(score(seen, trained.threshold), presses_per_frame(seen), trained.rows, leaks, familiar)


def familiar_share(stretches: Iterable[Stretch], known: Iterable[Recording], unseen: Iterable[Recording]) -> float:
    """Give the share of unseen presses whose picture, at 64 x 64, stands in known sessions too; NaN without a press.

    Args:
        stretches: Unseen play.
        known: What was learnt from.
        unseen: The sessions of the stretches.
    """
    before = set(np.concatenate([look_at(one, np.arange(one.frame_count)).content for one in known]).tolist())
    by_id = {recording.info.id: recording for recording in unseen}
    looks = [look_at(by_id[one.session], one.frame_index[np.unique(one.true_row)]).content for one in stretches]
    pressed = np.concatenate([np.zeros(0, np.uint64), *looks]).tolist()
    return sum(picture in before for picture in pressed) / len(pressed) if pressed else float("nan")
