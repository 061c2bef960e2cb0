"""Negatives: rows that are no positives, from the same pixels, each with the reason why it is none.

| kind | frames | action |
| --- | --- | --- |
| `uniform` | any that is no positive | its own |
| `idle` | where no control at all is down and nothing moves | its own |
| `near_miss` | just outside the exclusion, before and after a press | its own |
| `hard` | those that look most like a positive, of any session | its own |
| `shifted` | of a positive, moved by some frames | of that positive |
| `swapped` | where another target is pressed | of a positive of this target |
| `cross_session` | any that is no positive | of a positive of another session |
| `during_hold` | where the target is down already | its own |

No negative lies within the exclusion of a press of its control, whatever became of that press; no kind but
`during_hold` takes a frame of a hold. A frame stands once for each control. Positives that somebody drops stay presses.

Example:
    >>> from rushes.prepare.press_release import press_release
    >>> from rushes.store.reader import open_session
    >>> def jumps_and_others(path):
    ...     session = open_session(path)
    ...     jumps, _ = press_release(session, "Space")
    ...     return negatives(jumps, session, kinds="near_miss=1x,idle=500", exclusion="80ms", seed=7)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np

from rushes.errors import BadInputError
from rushes.model.ledger import Ledger, Tally
from rushes.model.recording import Recording, by_id
from rushes.model.sample_table import Samples, Step, join
from rushes.model.samples import SampleKind, samples_frame
from rushes.model.targets import Target, parse_targets
from rushes.prepare.edits import edited
from rushes.prepare.negatives.album import Album
from rushes.prepare.negatives.amounts import parse_kinds
from rushes.prepare.negatives.drawing import Draw
from rushes.prepare.negatives.kinds import ORDER, Picks
from rushes.prepare.negatives.reach import Reach
from rushes.prepare.negatives.rows import table_of
from rushes.prepare.negatives.scenes import Positives, Scene
from rushes.prepare.negatives.tracks import tracks
from rushes.prepare.press_release import sources_of
from rushes.store.pairing import delay_of

KINDS: Final = "uniform=1x,near_miss=1x,during_hold=1x"
Holds = Literal["apart", "uniform"]


def negatives(
    positives: Samples,
    recordings: Recording | Iterable[Recording],
    *,
    kinds: str = KINDS,
    exclusion: str | float = "2",
    band: str | float = "4x",
    shift: str | int = "8",
    holds: Holds = "apart",
    controls: str | Sequence[str] = (),
    length: int = 0,
    action_delay_ms: str = "",
    pixels: bool = True,
    seed: int = 0,
    executor: Executor | None = None,
) -> Samples:
    """Make negatives for the positives of a table.

    Args:
        positives: Rows with a label above 0; others are ignored.
        recordings: Those that negatives come from; pass them through `store.validity.honour` to leave out what is
            marked invalid. A recording without positives serves too.
        kinds: `KIND=AMOUNT` with commas between; the amount is a number of rows (shared out over the controls), a
            factor of the positives of each control (`1.5x`) or `all`. Sessions give as evenly as they can.
        exclusion: How near to a press of its control no negative lies: frames, or `80ms`. Time is measured from frame
            to frame and from the frame to the press itself; either counts.
        band: How far from a press near misses reach: frames, `300ms`, or a factor of the exclusion (`4x`).
        shift: By how many frames shifted pixels lie apart from their action: `8` (both ways), `-8`, `+8`, or several
            with commas between.
        holds: `apart`, or `uniform` to treat the frames of a hold beyond the exclusion like any other, as the JumpNet
            scripts do.
        controls: Targets; empty takes those of the positives.
        length: Frames a window; 0 takes that of the positives.
        action_delay_ms: As in `press_release`; empty takes what the positives were made with.
        pixels: Look at pictures where a kind needs it. Without it `hard` is refused, and `shifted` and `cross_session`
            leave out only what the recorder noted as one picture.
        seed: Of all draws, from 0 on. The same rows for any order of recordings.
        executor: Where pictures are decoded; None makes a thread a core for as long as it takes.

    Returns:
        The negatives alone, in the order of controls, kinds, sessions and times. What was wanted and found of each
        kind stands in the parameters of the step; its ledger has every frame once a control (`samples`), and what
        became of the candidates of each kind. Edits by hand are applied last.

    Raises:
        BadInputError: Something does not read, `swapped` with one target, `cross_session` with one session, or no
            positive and no control.
        BadDataError: A picture cannot be decoded.
    """
    known = by_id(recordings)
    several = [known[name] for name in sorted(known)]
    if not several:
        raise BadInputError(
            "no recording", accepts="one or more", fix="pass the recordings that the positives come from"
        )
    wanted = parse_kinds(kinds)
    near = Reach.parse(exclusion, name="exclusion")
    far, shifts = near.beyond(band, name="band"), _shifts(shift)
    found = Positives.of(positives)
    targets = _targets(positives, found, controls)
    frames = length or _length(found)
    delay = action_delay_ms or _delay(positives)
    _check(wanted, targets, several, holds=holds, pixels=pixels, seed=seed, length=frames)
    scenes: dict[str, list[Scene]] = {control: [] for control in targets}
    spaces = [positives.space]
    for recording in several:
        name = recording.info.id
        called = {target: found.last[found.of_control(control, [name])] for control, target in targets.items()}
        several_tracks = tracks(
            recording, tuple(targets.values()), action_delay_ms=delay_of(recording, delay), called=called
        )
        spaces.append(several_tracks[0].frames.space)
        for control, track in zip(targets, several_tracks, strict=True):
            scenes[control].append(Scene(control, track, near, far, frames, holds == "apart"))
    album = Album(known, frames, executor) if pixels else None
    draw = Draw(scenes, found, seed, shifts, album)
    draw.look(wanted)
    chosen: dict[SampleKind, list[Picks]] = {kind: draw.draw(kind, wanted[kind]) for kind in ORDER if kind in wanted}
    space = join([Samples(samples_frame(), one) for one in spaces])[0].space
    rows = table_of(chosen, list(targets), found, positives, space)
    parameters = {
        "kinds": draw.report, "exclusion": str(near), "band": str(far), "shift": list(shifts), "holds": holds,
        "controls": list(targets), "length": frames, "action_delay_ms": delay, "pixels": pixels, "seed": seed,
        "positives": len(found),
        "positives_without_recording": int((~np.isin(found.session, list(known))).sum()),
    }  # fmt: skip
    step = Step("negatives", parameters, _ledger(draw, holds_wanted=SampleKind.DURING_HOLD in wanted))
    sources = dict(positives.sources)
    for recording in several:
        sources = {**sources_of(recording), **sources}
    made = replace(positives, rows=rows, space=space, steps=(*positives.steps, step), sources=sources)
    return edited(made, several)


def _shifts(written: str | int) -> tuple[int, ...]:
    found: dict[int, None] = {}
    for part in str(written).split(","):
        text = part.strip()
        if not re.fullmatch(r"[+-]?\d+", text) or not int(text):
            raise BadInputError(f"shift={written!r}", accepts="frames such as 8, -8 or -8,4", fix="write shift=8")
        ways = (int(text),) if text[0] in "+-" else (-int(text), int(text))
        found.update(dict.fromkeys(ways))
    return tuple(sorted(found))


def _targets(samples: Samples, positives: Positives, controls: str | Sequence[str]) -> dict[str, Target]:
    """Give the targets by the names that stand in the column `control`."""
    named = [controls] if isinstance(controls, str) else list(controls)
    if any(text.strip() for text in named):
        return {str(target): target for target in parse_targets(named)}
    names = sorted(set(positives.control))
    if not names:
        names = [str(n) for step in samples.steps if step.name == "pairs" for n in step.parameters["controls"]]
    found = {name: target for name in dict.fromkeys(names) for target in parse_targets(name)[:1]}
    if not found:
        raise BadInputError(
            "no positive and no control", accepts="positives, or targets by name", fix="pass controls=Space"
        )
    return found


def _length(positives: Positives) -> int:
    lengths = sorted(set(positives.rows["length"].tolist()))
    if len(lengths) > 1:
        raise BadInputError(
            f"positives of {', '.join(map(str, lengths))} frames",
            accepts="windows of one length",
            fix="pass length=1, or prepare the positives alike",
        )
    return int(lengths[0]) if lengths else 1


def _delay(samples: Samples) -> str:
    found = sorted({str(s.parameters["action_delay_ms"]) for s in samples.steps if "action_delay_ms" in s.parameters})
    if len(found) > 1:
        raise BadInputError(
            f"positives made with action_delay_ms of {' and '.join(found)}",
            accepts="one delay",
            fix="pass action_delay_ms",
        )
    return found[0] if found else "0"


def _check(
    wanted: Mapping[SampleKind, Any],
    targets: Mapping[str, Target],
    several: Sequence[Recording],
    *,
    holds: str,
    pixels: bool,
    seed: int,
    length: int,
) -> None:
    if holds not in {"apart", "uniform"}:
        raise BadInputError(f"holds={holds!r}", accepts="apart or uniform", fix="write holds=apart")
    if seed < 0 or length < 1:
        raise BadInputError(
            f"seed={seed}, length={length}", accepts="a seed from 0 on and at least one frame", fix="correct them"
        )
    if SampleKind.SWAPPED in wanted and len(targets) == 1:
        raise BadInputError(
            f"swapped negatives for {next(iter(targets))} alone",
            accepts="two targets or more",
            fix="name a second control when the positives are made, or leave swapped out",
        )
    if SampleKind.CROSS_SESSION in wanted and len(several) == 1:
        raise BadInputError(
            "cross_session negatives from one session", accepts="two sessions or more", fix="pass a second session"
        )
    if SampleKind.HARD in wanted and not pixels:
        raise BadInputError(
            "hard negatives without pixels", accepts="pixels=True", fix="let pictures be looked at, or leave hard out"
        )


def _ledger(draw: Draw, *, holds_wanted: bool) -> Ledger:
    tally = Tally()
    for scenes in draw.scenes.values():
        for scene in scenes:
            tally.offer("samples", len(scene.track.frames))
            for reason, count in scene.lost(holds_wanted=holds_wanted).items():
                tally.lose("samples", reason, count)
    for kind, report in draw.report.items():
        tally.offer(kind, report["candidates"])
        for reason, count in draw.lost[kind].items():
            tally.lose(kind, reason, count)
    return tally.close()
