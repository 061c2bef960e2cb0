"""The three examples of the notebook: each makes or opens its sessions, trains its nets and holds them against chance.

| example | lesson | net | beside it |
|---|---|---|---|
| `cloning` | `signs`, or sessions of the user's own | `BehaviouralCloning` | shuffled answers |
| `remembering` | `echo` | `SequenceModel` | `BehaviouralCloning`, which sees one picture |
| `hearing` | `tones` | `TwoBranches`, and the Keras model | the same without sound |

Example (cells of a notebook, after `begin`):
    >>> def cells(run):
    ...     choices = choices_of(run)
    ...     return cloning(run, choices), remembering(run, choices), hearing(run, choices)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from rushes.errors import BadInputError
from rushes.notebook.run import Run
from rushes.notebook.train import with_keras
from rushes.notebook.train.data import Sets, sets_of
from rushes.notebook.train.learning import Learnt, learn, new_net
from rushes.notebook.train.lessons import LESSONS
from rushes.notebook.train.nets import SMALLEST_PX, BehaviouralCloning, SequenceModel, TwoBranches
from rushes.notebook.train.sessions import AMOUNTS, MORE, lesson_source
from rushes.preview.html import Html, note, table
from rushes.store.atomic import new_file

LENGTHS: Final[Mapping[str, int]] = {"signs": 1, "echo": 16, "tones": 8}
"""Rows of a window: the guide's."""
LEFT_OUT: Final = "Left out: it needs a planted lesson, and these sessions are your own."
_ROWS: Final = 64
"""Rows of a batch."""
_MOST: Final = 20_000


@dataclass(frozen=True)
class Choices:
    """What the parameters of the notebook ask for.

    Attributes:
        source: Sessions of the user's own, or `""`.
        size: Pixels a side that the nets see.
        epochs: How often each lesson is gone through, by its name.
        layout: Columns of the inputs for sessions of the user's own; None takes what they have.
        action_delay_ms: As the loader takes it.
        seed: Of split, order and weights.
        full: More play, on larger pictures.
    """

    source: str = ""
    size: int = 48
    epochs: Mapping[str, int] = field(default_factory=lambda: {"signs": 4, "echo": 7, "tones": 3})
    layout: str | None = None
    action_delay_ms: float = 0.0
    seed: int = 0
    full: bool = False


@dataclass(frozen=True)
class Example:
    """What came out of an example.

    Attributes:
        name: `cloning`, `remembering` or `hearing`.
        nets: Those that have what it takes; none where the example was left out.
        controls: Those that lack it.
        planted: Whether the sessions are a lesson, in which everything can be known.
    """

    name: str
    nets: tuple[Learnt, ...] = ()
    controls: tuple[Learnt, ...] = ()
    planted: bool = True

    @property
    def every(self) -> tuple[Learnt, ...]:
        """All nets."""
        return (*self.nets, *self.controls)

    def __repr__(self) -> str:
        return scores_table(self).text


def choices_of(run: Run) -> Choices:
    """Read the notebook's parameters; what means nothing is refused before any work begins.

    Args:
        run: Of a notebook with the parameters that `Choices` has, and `epochs_signs`, `epochs_echo`, `epochs_tones`.

    Raises:
        BadInputError: A value that means nothing; the sentence names the parameter.
    """
    p = cast("Mapping[str, Any]", run.parameters)
    epochs = {name: p[f"epochs_{name}"] for name in LESSONS}
    for name, value, least in (*((f"epochs_{k}", n, 1) for k, n in epochs.items()), ("size", p["size"], SMALLEST_PX)):
        if value < least:
            raise BadInputError(f"{name}={value}", accepts=f"{least} or more", fix=f"set {name} = {least}")
    size = max(p["size"], 2 * SMALLEST_PX) if p["full"] else p["size"]
    return Choices(p["source"], size, epochs, p["layout"] or None, p["action_delay_ms"], p["seed"], p["full"])


def cloning(run: Run, choices: Choices) -> Example:
    """Train the guide's first example: one picture, what is pressed on it.

    Args:
        run: The run; sessions of the user's own are entered in it, and the net is written into it.
        choices: See `choices_of`.

    Raises:
        BadInputError: Sessions that cannot be split, or in which nothing is pressed.
        MissingError: Nothing is at `source`.
    """
    source = run.input(choices.source) if choices.source else _lesson(run, choices, "signs")
    most = _MOST if choices.source else None
    layout, delay = (choices.layout, choices.action_delay_ms) if choices.source else (None, 0.0)
    sets = sets_of(
        source, length=LENGTHS["signs"], size=choices.size, layout=layout, action_delay_ms=delay, most=most,
        seed=choices.seed,
    )  # fmt: skip
    net = _train(run, choices, sets, BehaviouralCloning, "signs", "behavioural cloning, CNN")
    _save(net, run.path("cloning.pt"))
    return Example("cloning", (net,), planted=not choices.source)


def remembering(run: Run, choices: Choices) -> Example:
    """Train the guide's second example on what only memory can know, and a net that sees one picture on the same.

    Args:
        run: The run.
        choices: See `choices_of`.
    """
    if choices.source:
        return Example("remembering")
    source, lesson = _lesson(run, choices, "echo"), LESSONS["echo"]
    sets = sets_of(source, length=LENGTHS["echo"], size=choices.size, warm=lesson.back, seed=choices.seed)
    remembers = _train(run, choices, sets, SequenceModel, "echo", "CNN and LSTM")
    sees = _train(run, choices, sets, BehaviouralCloning, "echo", "CNN, one picture")
    return Example("remembering", (remembers,), (sees,))


def hearing(run: Run, choices: Choices) -> Example:
    """Train nets with two branches on what can only be heard, and the same without sound.

    Args:
        run: The run.
        choices: See `choices_of`.
    """
    if choices.source:
        return Example("hearing")
    source = _lesson(run, choices, "tones")
    sets = sets_of(source, length=LENGTHS["tones"], size=choices.size, audio="logmel", seed=choices.seed)
    nets = [_train(run, choices, sets, TwoBranches, "tones", "two branches, PyTorch", share=0.5)]
    controls = [_train(run, choices, sets, BehaviouralCloning, "tones", "without sound, PyTorch", share=0.5)]
    if with_keras.there():
        for hears, name, into in ((True, "two branches, Keras", nets), (False, "without sound, Keras", controls)):
            epochs, bar = choices.epochs["tones"], run.bar(name)
            made = with_keras.learn_keras(
                source, sets, epochs=epochs, hears=hears, seed=choices.seed, name=name, progress=bar
            )
            into.append(made)
    return Example("hearing", tuple(nets), tuple(controls))


def scores_table(example: Example) -> Html:
    """Show how good each net is on unseen play, beside what chance gives."""
    if not example.nets:
        return note(LEFT_OUT)
    rows = []
    for one in example.every:
        found = one.score
        rows.append([
            one.name, f"{one.size:,}", f"{found.rows:,}", f"{found.balanced:.3f}", f"{found.luck:.3f}",
            f"{found.f1:.3f}", f"{found.always_f1:.3f}", f"{found.right:.1%}", f"{found.majority:.1%}",
        ])  # fmt: skip
    heads = ["net", "weights", "unseen rows", "balanced accuracy", "luck reaches", "F1", "F1 of always down",
             "right", "right of the commoner"]  # fmt: skip
    return table(heads, rows)


def data_table(example: Example) -> Html:
    """Show what is learnt from and what is scored, and which frames are in no window, with the reason."""
    rows = []
    for name, part in (("to learn from", example.every[0].sets.learn), ("unseen", example.every[0].sets.unseen)):
        frames = part.ledger["frames"]
        lost = ", ".join(f"{reason} {count:,}" for reason, count in frames.lost.items() if count)
        sessions = ", ".join(entry.id for entry in part.entries)
        rows.append([name, sessions, len(part), frames.kept, lost or "none"])
    return table(["part", "sessions", "windows", "frames in them", "frames left out"], rows)


def _lesson(run: Run, choices: Choices, name: str) -> Path:
    amount = (MORE if choices.full else AMOUNTS)[name]
    return lesson_source(run.name, LESSONS[name], amount=amount, progress=run.bar(f"playing {name}"))


def _train(run: Run, choices: Choices, sets: Sets, kind: Any, lesson: str, name: str, *, share: float = 1.0) -> Learnt:
    """Train a net as long as the lesson takes, or a share of that."""
    return learn(
        new_net(kind, sets, seed=choices.seed),
        sets,
        epochs=max(1, round(share * choices.epochs[lesson])),
        windows=max(1, _ROWS // sets.learn.windows.length),
        name=name,
        progress=run.bar(name),
    )


def _save(learnt: Learnt, path: Path) -> None:
    """Write a net's weights and what it takes to use them; `torch.load(path, weights_only=True)` reads it."""
    import torch

    about = {"keys": list(learnt.sets.names), "size": list(learnt.sets.size)}
    with new_file(path) as partial:
        torch.save({"weights": learnt.net.state_dict(), **about}, partial)
