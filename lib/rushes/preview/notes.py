"""What there is to say beside each picture of an episode: action, reward, score, lives, number and time.

A note goes with the picture that was acted on: `action` is what was done on it and `reward` what came of that.
`score` is the sum of rewards so far and `lives` those that are left, so they count what came before; the counter on the
screen may lag behind them.

Tables are joined by frame_index, so an import with missing actions says "no action" where there is none.

Example (any recording):
    >>> def actions(recording):
    ...     return [note.action for episode in recording.episodes() for note in notes(episode)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from rushes.errors import BadNameError
from rushes.model.clock import NS
from rushes.model.controls import action_buttons
from rushes.model.grid import to_grid
from rushes.model.recording import Episode
from rushes.model.session import Segment

Widget = Literal["pad", "choices", "bars", "keys"]
"""How an action is drawn: a joystick with its button, a list of names, bars for numbers, the keys that are down."""

NO_ACTION: Final = "no action"
LAST_PICTURE: Final = "last picture"
_REASONS: Final = {
    "terminated": "ended by the game",
    "truncated": "ended by a time limit",
    "budget": "ended by the frame budget",
    "killed": "broken off: the program was killed",
    "unknown": "its end is not known",
}


_WORDS: Final = {
    "terminated": "the game",
    "killed": "a crash (killed)",
    "truncated": "time limit",
    "budget": "frame budget",
    "unknown": "not known",
}


@dataclass(frozen=True)
class Bar:
    """One number of an action.

    Attributes:
        name: Its name.
        value: What was done.
        low: Lower limit, for drawing.
        high: Upper limit, for drawing.
    """

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Note:
    """What stands beside one picture.

    Attributes:
        game: Name of the game.
        episode: Number of the episode.
        frame: 0-based in the episode.
        frames: Pictures of the episode.
        t_s: Seconds since the episode's start.
        widget: How to draw the action.
        action: Its name in words, `no action` where there is none.
        down: Buttons that are down, for `pad` and `keys`.
        choices: All names, for `choices`.
        bars: The numbers, for `bars`.
        reward: What came of the action; None where nothing is known.
        score: Sum of rewards before this picture; None for play without rewards.
        lives: Those left; None where nothing is known, or the game has none at any step.
        random: Whether chance replaced the policy's action.
        end: On the last picture, why the episode ended; else `""`.
    """

    game: str
    episode: int
    frame: int
    frames: int
    t_s: float
    widget: Widget
    action: str
    down: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    reward: float | None = None
    score: float | None = None
    lives: int | None = None
    random: bool = False
    end: str = ""


def episode_number(segment: Segment) -> int:
    """Give the number that an episode carries, or that of its segment."""
    return int(segment.attrs.get("episode", segment.index))


def end_sentence(end_reason: str) -> str:
    """Say in words why an episode ended."""
    return _REASONS.get(end_reason, f"end: {end_reason}" if end_reason else "still open")


def end_word(end_reason: str) -> str:
    """Say in a word or two, for a table, by what an episode was ended."""
    return _WORDS.get(end_reason, end_reason or "still open")


def notes(episode: Episode) -> Iterator[Note]:
    """Say what stands beside each picture of an episode.

    Args:
        episode: Of any recording, with steps or with events.

    Yields:
        One note a picture, in order.
    """
    return _from_steps(episode) if episode.recording.is_environment else _from_events(episode)


def _common(episode: Episode) -> Iterator[dict[str, Any]]:
    segment = episode.segment
    times = episode.recording.index(segment.index)["t_ns"].to_numpy()
    last = segment.frames - 1
    for k, t_ns in enumerate(times):
        yield {
            "game": episode.recording.info.game,
            "episode": episode_number(segment),
            "frame": k,
            "frames": segment.frames,
            "t_s": (int(t_ns) - segment.start_ns) / NS,
            "end": end_sentence(segment.end_reason) if k == last else "",
        }


def _from_steps(episode: Episode) -> Iterator[Note]:
    space = episode.recording.info.action_space
    names = tuple(name.rpartition("/")[2] for name in space.names)
    emulator = space.names[:1] and space.names[0].startswith("ALE/")
    widget: Widget = "pad" if emulator else "choices" if space.kind == "discrete" else "bars"
    steps = {row["frame_index"]: row for row in episode.steps.to_dict("records")}
    first, score, lives = episode.segment.first_frame, 0.0, None
    with_lives = _has_lives(episode)
    for common in _common(episode):
        step = steps.get(first + common["frame"])
        if step is None:
            action = LAST_PICTURE if common["end"] else NO_ACTION
            yield Note(**common, widget=widget, action=action, choices=names, score=score, lives=lives)
            continue
        name = step["action_name"].rpartition("/")[2] or _name_of(step["action"], names)
        yield Note(
            **common,
            widget=widget,
            action=name,
            down=_pad(name) if widget == "pad" else frozenset(),
            choices=names,
            bars=_bars(step["action"], space.slots) if widget == "bars" else (),
            reward=float(step["reward"]),
            score=score,
            lives=lives,
            random=bool(step["random_action"]),
        )
        score += float(step["reward"])
        lives = int(step["lives"]) if with_lives and step["lives"] >= 0 else None


def _has_lives(episode: Episode) -> bool:
    """Whether the game ever said that there is a life: those without any report 0 throughout."""
    return bool((episode.steps["lives"] > 0).any() or (episode.recording.steps()["lives"] > 0).any())


def _name_of(action: Any, names: tuple[str, ...]) -> str:
    if np.ndim(action) == 0:
        return names[int(action)] if 0 <= int(action) < len(names) else str(int(action))
    return ", ".join(f"{float(value):+.2f}" for value in action)


def _pad(name: str) -> frozenset[str]:
    try:
        return frozenset(button.rpartition("/")[2] for button in action_buttons(f"ALE/{name}"))
    except BadNameError:  # an import with a name of its own: the name is shown, the joystick rests
        return frozenset()


def _bars(action: Any, slots: Any) -> tuple[Bar, ...]:
    values = [float(v) for v in np.atleast_1d(action)]
    found = []
    for k, value in enumerate(values):
        slot = slots[k] if k < len(slots) else None
        low = getattr(slot, "low", None)
        high = getattr(slot, "high", None)
        reach = max(1.0, abs(value))
        found.append(
            Bar(
                slot.name.rpartition("/")[2] if slot else str(k),
                value,
                -reach if low is None else low,
                reach if high is None else high,
            )
        )
    return tuple(found)


def _from_events(episode: Episode) -> Iterator[Note]:
    segment = episode.segment
    times = episode.recording.index(segment.index)["t_ns"].to_numpy()
    grid = to_grid(episode.recording.events(segment.index), times, end_ns=segment.end_ns)
    for common in _common(episode):
        k = common["frame"]
        down = [control for control, held in grid.held.items() if held[k]]
        moved = {control: float(sums[k]) for control, sums in grid.motion.items() if sums[k]}
        reach = max(1.0, *(abs(value) for value in moved.values())) if moved else 1.0
        yield Note(
            **common,
            widget="keys",
            action=" + ".join(down) or ("mouse" if moved else NO_ACTION),
            down=frozenset(down),
            bars=tuple(Bar(control, value, -reach, reach) for control, value in moved.items()),
        )
