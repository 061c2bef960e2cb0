"""Replay: from seed and actions alone the environment gives back every stored picture, bit for bit.

The strongest thing that can be said about sampled play: nothing was shifted, dropped, doubled or coloured wrongly
anywhere between the emulator and the file. The environment is loaded anew for each episode, as Gymnasium's own
`reset(seed=seed)` does, and not by the way that sampling takes.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def replays(path):
    ...     return all(f.severity == "info" for f in check_replay(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from rushes.errors import RushesError
from rushes.model.findings import Finding
from rushes.model.games import is_atari
from rushes.model.recording import Episode
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject
from rushes.worlds.atari import Atari
from rushes.worlds.base import World
from rushes.worlds.catalog import make_world

RULES: Final = rules_of(
    Rule(
        "replay.differs",
        "a picture or an outcome that the environment does not give for this seed and these actions",
        severity="error",
        sees="environment",
    ),
    Rule("replay.cannot_tell", "an episode that does not say how it was made", severity="info", sees="environment"),
    Rule("replay.exact", "how many frames came back bit for bit", severity="info", sees="environment"),
)
NEEDED: Final = ("env_id", "seed", "frameskip", "sticky", "full_action_space")
"""What a segment must say of itself to be played again."""


def check_replay(subject: Subject) -> Iterator[Finding]:
    """Play every episode again and compare pictures, rewards, ends and lives.

    Args:
        subject: Any recording of an environment.

    Yields:
        `replay.differs` (error) with the first frame that differs; `replay.cannot_tell` (info) where an episode does
        not say how it was made or its environment is not here; `replay.exact` (info) once for a recording that agrees.
    """
    recording = subject.recording
    if not recording.is_environment or subject.quick:
        return
    session, frames, episodes, world = recording.info.id, 0, 0, None
    stands: tuple[object, ...] = ()  # the episode and the step at which the world stands
    try:
        for episode in recording.episodes():
            missing = [key for key in NEEDED if episode.segment.attrs.get(key) is None]
            which = _which(episode)
            if missing or (which[-1] and which != stands):
                reason = f"does not say its {', '.join(missing)}" if missing else "does not start at a reset"
                yield Finding(
                    check="replay.cannot_tell", severity="info", sentence=f"{episode.name} {reason}", session=session
                )
                continue
            try:
                world = world or _make(episode)
            except RushesError as error:
                yield Finding(check="replay.cannot_tell", severity="info", sentence=str(error), session=session)
                return
            if not which[-1]:
                world.reset(int(episode.segment.attrs["seed"]))
            difference = _compare(episode, world)
            stands = (*which[:-1], which[-1] + len(episode.steps)) if difference is None else ()
            if difference is not None:
                yield difference
            else:
                frames, episodes = frames + episode.observations, episodes + 1
    finally:
        if world is not None:
            world.close()
    if episodes:
        yield Finding(
            check="replay.exact",
            severity="info",
            sentence=f"{recording.info.game}: {frames} frames of {episodes} episodes came back bit for bit "
            "from seed and actions",
            session=session,
            stream="frames",
            value=float(frames),
        )


def _make(episode: Episode) -> World:
    attrs = episode.segment.attrs
    how = {key: attrs[key] for key in ("frameskip", "sticky", "full_action_space")}
    if is_atari(attrs["env_id"]):
        return Atari(attrs["env_id"], **how, plain_reset=True)
    return make_world(attrs["env_id"], **how)


def _which(episode: Episode) -> tuple[Any, ...]:
    """Say which episode this is, and at last how many of its steps lie before this segment."""
    attrs = episode.segment.attrs
    return (*(attrs.get(key) for key in NEEDED), attrs.get("episode"), int(attrs.get("from_step", 0)))


def _compare(episode: Episode, world: World) -> Finding | None:
    """Play on from where the world stands; return the first difference."""
    segment, session = episode.segment, episode.recording.info.id
    steps = episode.steps
    frames = episode.frames()
    t_ns = episode.recording.index(segment.index)["t_ns"].tolist()

    def differs(frame_index: int, what: str) -> Finding:
        return Finding(
            check="replay.differs",
            severity="error",
            sentence=f"{episode.name}: {what} at frame {frame_index} is not what the environment gives for this seed "
            "and these actions",
            session=session,
            stream="frames",
            frame_index=frame_index,
            t_ns=t_ns[frame_index - segment.first_frame],
        )

    if not np.array_equal(next(frames), world.rgb()):
        return differs(segment.first_frame, "the first picture")
    columns = ("frame_index", "action", "reward", "terminated", "truncated", "lives")
    for frame_index, action, *stored in steps[list(columns)].itertuples(index=False):
        came = world.act(action)
        picture = next(frames, None)
        if picture is not None and not np.array_equal(picture, world.rgb()):
            return differs(int(frame_index) + 1, "the picture")
        if tuple(stored) != tuple(came):
            return differs(int(frame_index), f"the outcome {tuple(stored)}")
    return None
