"""Press and release: one positive sample for each press of a control, with how long it was held.

The sample shows the frame on which the press falls, or a window of `length` frames that ends with it. Pairing follows
each control by itself, on events: other keys in between, taps shorter than a frame and holds that overlap change
nothing. A hold that nothing ends is kept with the phase `open` and without a length; its label is 1 like any other.

Example:
    >>> from rushes.store.reader import open_session
    >>> def jumps(path):
    ...     samples, counts = press_release(open_session(path), "w|space")
    ...     return counts.paired, samples.rows["hold_s"].mean()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.controls import action_buttons
from rushes.model.ledger import Tally
from rushes.model.recording import Recording, by_id
from rushes.model.sample_table import Samples, Source, Step, join
from rushes.model.samples import SampleKind, samples_frame
from rushes.model.targets import Target, parse_targets
from rushes.prepare.edits import edited
from rushes.prepare.presses import OPEN, Pressed, pressed
from rushes.store.pairing import Pair, delay_of
from rushes.store.reader import Session
from rushes.store.validity import MARKED, Valid

PRESS: Final = "press"
OPEN_HOLD: Final = "open"
"""phase of a press whose release was not seen."""


@dataclass(frozen=True)
class PairCounts:
    """What pairing met, by the names that the JumpNet scripts print.

    Attributes:
        total: Events of the controls.
        press_seen: Presses that changed something.
        release_seen: Releases that changed something.
        paired: Presses with their release.
        unmatched_final_press: Holds left open when their segment ended.
        malformed: Presses and releases that changed nothing: a press of what was down, a release of what was up.
    """

    total: int = 0
    press_seen: int = 0
    release_seen: int = 0
    paired: int = 0
    unmatched_final_press: int = 0
    malformed: int = 0

    def __add__(self, other: PairCounts) -> PairCounts:
        mine, theirs = asdict(self), asdict(other)
        return PairCounts(**{name: mine[name] + theirs[name] for name in mine})

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain JSON values."""
        return asdict(self)


def press_release(
    recordings: Recording | Iterable[Recording],
    controls: str | Sequence[str],
    *,
    length: int = 1,
    action_delay_ms: str = "0",
) -> tuple[Samples, PairCounts]:
    """Make a positive sample of each press.

    Args:
        recordings: One or more; pass them through `store.validity.honour` to leave out what is marked invalid.
        controls: Targets as `model.targets.parse_targets` reads them.
        length: Frames a window; the press falls on the last one.
        action_delay_ms: A number of ms by which events are moved later, or `measured`.

    Returns:
        The samples in the order of recordings, targets and times (group: the session; no split); and the counts over
        all targets. What is not kept stands in the step's ledger: `window_crosses_edge` (a press too near to the
        start of its segment), `outside_segment` (moved out of it by the delay), `press_not_seen` (down before the
        segment began), `marked_invalid` (wholly within what is marked; a hold that reaches out of it is
        `press_not_seen`). What was edited by hand (`prepare.edits`) is applied, and counted in a step of its own.

    Raises:
        BadInputError: No recording, a length below 1, targets that do not read, or two recordings with one id.
    """
    several = by_id(recordings).values()
    if length < 1:
        raise BadInputError(f"length={length}", accepts="frames, from 1 on", fix="pass length=1")
    if not several:
        raise BadInputError("no recording", accepts="one or more", fix="name a session")
    targets, tally, counts = parse_targets(controls), Tally(), PairCounts()
    sets = []
    for recording in several:
        rows: list[dict[str, Any]] = []
        space = key_space(recording)
        delay_ms = delay_of(recording, action_delay_ms)
        for target in targets:
            met = list[int]()
            for one in pressed(recording, target, action_delay_ms=delay_ms):
                counts += _counts(one)
                rows += _rows(recording, one, target, space, length, tally)
                met += one.found.down_ns.tolist()
            if isinstance(recording, Valid):
                marked = _marked(recording, target, np.array(met, np.int64))
                tally.offer("presses", marked)
                tally.lose("presses", MARKED, marked)
        sets.append(Samples(samples_frame(rows), space, sources=sources_of(recording)))
    parameters = {"controls": [str(t) for t in targets], "length": length, "action_delay_ms": action_delay_ms}
    found, _ = join(sets)
    made = found.then(found.rows, Step("pairs", parameters | {"counts": counts.to_json()}, tally.close()))
    return edited(made, several), counts


def key_space(recording: Recording) -> ActionSpace:
    """Give the space of a recording's key vectors: its own, or the buttons that its discrete actions press."""
    space = recording.info.action_space
    if space.kind != "discrete":
        return space
    return ActionSpace.from_names(sorted(frozenset[str]().union(*(action_buttons(name) for name in space.names))))


def key_vectors(recording: Recording, pair: Pair, space: ActionSpace) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Read what was done on each row of a segment, in `key_space`: (N, A) float32, 1 for what was down at any time."""
    if space.kind == "box":
        values = [np.asarray(v, np.float32) for v in recording.steps(pair.segment.index)["action"]]
        return np.asarray(values, np.float32).reshape(len(pair), len(space))
    return pair.grid.vector(space)


def sources_of(recording: Recording) -> dict[str, Source]:
    """Say where a session of ours lies; a recording from elsewhere is named by whoever opened it."""
    session = recording.session if isinstance(recording, Valid) else recording
    return {recording.info.id: Source(str(session.path))} if isinstance(session, Session) else {}


def with_sources(samples: Samples, recordings: Iterable[Recording], source: Source) -> Samples:
    """Note where recordings from a foreign file lie."""
    found = {recording.info.id: source for recording in recordings if not sources_of(recording)}
    return replace(samples, sources={**samples.sources, **found})


def _counts(one: Pressed) -> PairCounts:
    found = one.found
    held = int((found.told & (found.up_ns == OPEN)).sum())
    paired = int(found.told.sum()) - held
    return PairCounts(found.events, found.presses, found.releases, paired, held, found.malformed)


def _marked(recording: Valid, target: Target, met: npt.NDArray[np.int64]) -> int:
    """Count the times that a target is down in a session of which nothing is left in the view without marked stretches.

    Args:
        recording: The view.
        target: What is looked for.
        met: When it goes down in what is left; a hold that reaches out of a mark goes down where that ends.
    """
    count, met = 0, np.sort(met)
    for one in pressed(recording.session, target):
        down, up = one.found.down_ns, np.minimum(one.found.up_ns, one.pair.segment.end_ns)
        count += int((np.searchsorted(met, np.maximum(up, down + 1)) == np.searchsorted(met, down)).sum())
    return count


def _rows(
    recording: Recording, one: Pressed, target: Target, space: ActionSpace, length: int, tally: Tally
) -> list[dict[str, Any]]:
    """Make the rows of one target in one segment."""
    pair, found = one.pair, one.found
    row = one.row
    inside = (row >= 0) & (row < len(pair))
    wanted = found.told & inside & (row >= length - 1)
    reasons = Counter(
        press_not_seen=int((~found.told).sum()),
        outside_segment=int((found.told & ~inside).sum()),
        window_crosses_edge=int((found.told & inside & (row < length - 1)).sum()),
    )
    tally.offer("presses", len(found))
    for reason, count in reasons.items():
        tally.lose("presses", reason, count)
    keys = key_vectors(recording, pair, space) if wanted.any() else np.zeros((0, len(space)), np.float32)
    index: pd.DataFrame = pair.index
    frame_index, t_ns = index["frame_index"].to_numpy(np.int64), index["t_ns"].to_numpy(np.int64)
    name, session = str(target), recording.info.id
    return [
        {
            "sample_id": f"{session}:{name}:{down}",
            "session": session,
            "segment": pair.segment.index,
            "frame_index": int(frame_index[at - length + 1]),
            "t_ns": int(t_ns[at - length + 1]),
            "length": length,
            "action_session": session,
            "action_t_ns": int(down),
            "control": name,
            "label": 1.0,
            "keys": keys[at],
            "hold_s": hold,
            "phase": PRESS if np.isfinite(hold) else OPEN_HOLD,
            "kind": SampleKind.POSITIVE.value,
            "group": session,
        }
        for down, hold, at in zip(
            found.down_ns[wanted].tolist(), found.hold_s[wanted].tolist(), row[wanted].tolist(), strict=True
        )
    ]
