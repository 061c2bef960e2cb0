"""What the faults of a pipeline are worth: the score that it prints, beside what its net does on unseen play.

Three faults of the JumpNet scripts can be switched on, by themselves and together:

| fault | what is done | why it flatters |
|---|---|---|
| `leak` | copies are made first, and rows are split at random | copies of one press are trained on and tested on |
| `holds` | 500 of all frames but two around a press are "no jump", those of a hold too | few of them are hard |
| `overlay` | "no jump" comes from the recorder's preview video, presses from the screen | the codec gives it away |

The preview is the picture of 227 px doubled to 454 by repeating pixels, with the key's name in green while it is down,
in an mp4 of 30 frames a second. What is printed is the F1 of rows, on the fifth that was not trained on, at 0.5; what
is true is the F1 of presses within one frame, on every frame of unseen sessions, by the same net, at 0.5 too.

Example (a cell of the recipe):
    >>> def cell(play, choices):
    ...     return faults_table(compare_faults(play.known, play.unseen, choices))
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import StorageError
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.notebook.jump.dataset import PARTS, Choices, prepared
from rushes.notebook.jump.net import look
from rushes.notebook.jump.players import LIMIT, ExpertPlayer, NetPlayer, survive
from rushes.notebook.jump.scores import Score, ask, score, see, small
from rushes.notebook.jump.training import THRESHOLD, Trained, fit
from rushes.prepare.augment import augment
from rushes.prepare.balance import reduce
from rushes.prepare.merge import merge
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.prepare.presses import pressed
from rushes.prepare.reading import load_pictures
from rushes.prepare.split import split
from rushes.preview.html import Html, table
from rushes.store.resized import resized

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Progress = Callable[[int, int, str], None]

SIDE_PX: Final = 227
"""Pixels a side of the recorder's pictures; its preview has twice as many. Source: Data_Proccess_tools of JumpNet."""
RATE_HZ: Final = 30
EXCLUSION: Final = "2"
REDUCED: Final = 500
SEED: Final = 42
COPIES: Final = 2
_TEST_SHARE: Final = 0.2
_TEXT: Final = ((12, 40), 1.0, (0, 255, 0), 2)
"""Place, size, colour and thickness of the key's name in the preview."""


class Faults(NamedTuple):
    """Which faults are switched on.

    Attributes:
        leak: Split at random, after augmentation.
        holds: Frames of a hold are "no jump", drawn like all others.
        overlay: Negatives come from the preview video.
    """

    leak: bool = False
    holds: bool = False
    overlay: bool = False

    def __str__(self) -> str:
        on = [name for name, there in self._asdict().items() if there]
        return "none: this recipe" if not on else "all, as the reference" if len(on) == len(self) else " and ".join(on)


STUDY: Final = (
    Faults(), Faults(leak=True), Faults(holds=True), Faults(overlay=True), Faults(leak=True, holds=True, overlay=True),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a pipeline came to.

    Attributes:
        faults: Those that were switched on.
        rows: Rows that its net learnt from.
        printed: F1 of rows that it prints.
        true: Presses on unseen play.
        survival: Steps of its net as a share of the expert's on unseen courses; None where nobody played.
    """

    faults: Faults
    rows: int
    printed: float
    true: Score
    survival: float | None


def compare_faults(
    known: Iterable[Recording],
    unseen: Iterable[Recording],
    choices: Choices,
    *,
    seeds: Sequence[int] = (),
    study: Sequence[Faults] = STUDY,
    limit: int = LIMIT,
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """Run the pipeline with different faults.

    Args:
        known: What may be learnt from.
        unseen: What the truth is measured on.
        choices: As for the recipe; windows have one frame here, as the reference's.
        seeds: Of courses to be survived; empty plays none.
        study: Which faults.
        limit: Steps of a course at the most.
        progress: Called with (done, total, what).
    """
    learn, test = list(known), list(unseen)
    plain = replace(choices, length=1)
    preview = preview_pictures(learn, plain) if any(one.overlay for one in study) else {}
    shown = list(see(test, plain.target, length=1, size=plain.size, through=SIDE_PX))
    expert = np.mean(survive(ExpertPlayer(), seeds=seeds, limit=limit)) if seeds else 0.0
    found = []
    for number, faults in enumerate(study):
        if progress is not None:
            progress(number, len(study), str(faults))
        trained, printed = _run(learn, plain, faults, preview)
        true = score([ask(trained, one) for one in shown], trained.threshold)
        net = np.mean(survive(NetPlayer(trained), seeds=seeds, limit=limit)) if seeds else 0.0
        found.append(Outcome(faults, trained.rows, printed, true, float(net / expert) if seeds else None))
    if progress is not None:
        progress(len(study), len(study), "")
    return tuple(found)


def _run(
    recordings: Sequence[Recording], choices: Choices, faults: Faults, preview: Mapping[tuple[str, int], Pixels]
) -> tuple[Trained, float]:
    """Make a table, train, and print the score that such a pipeline prints."""
    samples = faulty(recordings, choices, faults)
    pixels = np.stack([[small(p, choices.size) for p in window] for window in _loaded(samples, recordings)])
    label = samples.rows["label"].to_numpy(np.float32)
    if faults.overlay:
        for row in np.flatnonzero(label == 0).tolist():
            place = samples.rows.iloc[row]
            pixels[row, 0] = preview[place["session"], int(place["frame_index"])]
    learn, test = _parts(samples, faults, choices.seed)
    trained = fit(
        pixels, label, samples.rows["hold_s"].to_numpy(np.float64),
        learn=learn, validate=test, epochs=choices.epochs, seed=choices.seed,
    )  # fmt: skip
    said = look(trained.net, pixels[test]).press > THRESHOLD
    return replace(trained, through=SIDE_PX), rows_f1(said, label[test] > 0)


def _loaded(samples: Samples, recordings: Sequence[Recording]) -> Pixels:
    return load_pictures(samples, recordings, size=SIDE_PX)


def faulty(recordings: Sequence[Recording], choices: Choices, faults: Faults) -> Samples:
    """Make the table of a pipeline with faults; without any it is that of the recipe.

    Args:
        recordings: What may be learnt from.
        choices: How the rest is done.
        faults: Which are switched on; `overlay` changes pictures and no rows.
    """
    if not (faults.leak or faults.holds):
        return prepared(recordings, choices)
    presses, _ = press_release(recordings, choices.controls)
    if faults.holds:
        every = negatives(presses, recordings, kinds="uniform=all", exclusion=EXCLUSION, holds="uniform")
        others = reduce(every, rows=REDUCED, seed=SEED)
    else:
        others = negatives(
            presses, recordings, kinds=choices.kinds, exclusion=choices.exclusion, band=choices.band, seed=choices.seed
        )
    both = merge([presses, others])
    if not faults.leak:
        both = split(both, by=choices.by, parts=PARTS, seed=choices.seed)
    copies = COPIES if faults.leak else choices.copies
    return augment(both, recipe=choices.recipe, copies=copies, kinds="positive" if faults.leak else "all", seed=SEED)


def _parts(samples: Samples, faults: Faults, seed: int) -> tuple[Ints, Ints]:
    """Give the rows to learn from and those to print the score of."""
    if faults.leak:
        order = np.random.default_rng([SEED, seed]).permutation(len(samples))
        cut = round(_TEST_SHARE * len(samples))
        return np.sort(order[cut:]), np.sort(order[:cut])
    split_of = samples.rows["split"].to_numpy(object)
    return np.flatnonzero(split_of == "train"), np.flatnonzero(split_of == "val")


def rows_f1(said: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    """Give F1 over rows, as such pipelines print it; NaN where there is nothing to find and nothing was found."""
    both = int((said & true).sum())
    return 2 * both / (int(said.sum()) + int(true.sum())) if said.any() or true.any() else float("nan")


def preview_pictures(recordings: Iterable[Recording], choices: Choices) -> Mapping[tuple[str, int], Pixels]:
    """Film each recording as the recorder's preview does, and read the film back, as small as the net sees it.

    Args:
        recordings: What was played.
        choices: Whose key is named, and how small pictures are in the end.

    Returns:
        (session, frame_index) -> (S, S, 3) uint8 RGB.
    """
    found: dict[tuple[str, int], Pixels] = {}
    with tempfile.TemporaryDirectory() as folder:
        for recording in recordings:
            for one in pressed(recording, choices.target):
                frames = one.pair.index["frame_index"].to_numpy(np.int64)
                pictures = (p for batch in resized(recording, frames, size=SIDE_PX) for p in batch)
                path = Path(folder) / "preview.mp4"
                _film(path, pictures, one.down_in_rows().tolist(), choices.controls.rpartition("/")[2])
                back = [small(picture, choices.size) for picture in _read_back(path, len(frames))]
                found |= {(recording.info.id, int(f)): p for f, p in zip(frames, back, strict=True)}
    return found


def _film(path: Path, pictures: Iterable[Pixels], down: Sequence[bool], key: str) -> None:
    import cv2

    place, size, colour, thickness = _TEXT
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE_HZ, (2 * SIDE_PX, 2 * SIDE_PX))
    for picture, is_down in zip(pictures, down, strict=True):
        shown = cv2.resize(picture[..., ::-1], None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        if is_down:
            cv2.putText(shown, key, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness)
        film.write(shown)
    film.release()


def _read_back(path: Path, count: int) -> Iterable[Pixels]:
    import cv2

    film = cv2.VideoCapture(str(path))
    for number in range(count):
        there, picture = film.read()
        if not there:
            raise StorageError(
                f"a preview of {count} frames of which {number} come back",
                accepts="an OpenCV that writes and reads mp4v",
                fix="install opencv-python-headless anew, or free some room in the folder for temporary files",
            )
        yield np.ascontiguousarray(picture[..., ::-1])
    film.release()


def faults_table(outcomes: Sequence[Outcome]) -> Html:
    """Show what was printed beside what is true.

    Args:
        outcomes: As `compare_faults` gives them.
    """
    rows = [
        [
            str(one.faults), one.rows, f"{one.printed:.3f}", f"{one.true.f1:.3f}", f"{one.true.precision:.3f}",
            f"{one.true.recall:.3f}", f"{one.printed - one.true.f1:+.3f}",
            "" if one.survival is None else f"{one.survival:.0%}",
        ]
        for one in outcomes
    ]  # fmt: skip
    heads = ["faults", "rows", "F1 it prints", "true F1", "precision", "recall", "flattered by", "survival"]
    return table(heads, rows, caption="What a pipeline prints, and what its net does on unseen play")
