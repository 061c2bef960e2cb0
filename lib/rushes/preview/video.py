"""A short film of what was recorded: real speed, each action beside its picture, a title before each episode.

Times are the recording's own, so an emulator sampled at every fourth frame plays at 15 pictures a second. Where there
is more than fits in the limit, every game is shown before any game is shown twice, and long episodes are cut; the
title says so, and what came back says how much was left out.

Example (any recordings):
    >>> def film(sessions):
    ...     return preview_video(sessions, "preview.mp4", seconds=30)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rushes.errors import BadInputError
from rushes.model.clock import NS
from rushes.model.recording import Episode, Recording
from rushes.preview.choose import episodes_of, spread
from rushes.preview.notes import end_sentence, episode_number, notes
from rushes.preview.overlay import BACK, HEIGHT_PX, PANEL_PX, fit_scale, fitted, largest_font, overlay
from rushes.preview.style import font
from rushes.store.video import write_video

Pixels = npt.NDArray[np.uint8]

TITLE_S: Final = 1.2
"""How long a title stands."""
LEAST_S: Final = 4.0
"""An episode is not cut below this; rather fewer are shown."""
_FASTEST_HZ: Final = 60.0
_DIMMED: Final = 0.28
_EARLY: Final = 0.25  # of a picture's time: rounding of times never shows the picture before


@dataclass(frozen=True)
class PreviewVideo:
    """What was filmed.

    Attributes:
        path: The file.
        seconds: Its length.
        rate_hz: Pictures a second.
        episodes: Episodes shown.
        episodes_left_out: Episodes for which there was no room.
        cut: Episodes of which only the beginning is shown.
    """

    path: Path
    seconds: float
    rate_hz: float
    episodes: int
    episodes_left_out: int
    cut: int

    def __repr__(self) -> str:
        left = f", {self.episodes_left_out} left out" if self.episodes_left_out else ""
        cut = f", {self.cut} cut" if self.cut else ""
        shown = f"{self.seconds:.1f} s at {self.rate_hz:g} Hz, {self.episodes} episodes"
        return f"<PreviewVideo {self.path.name}: {shown}{left}{cut}>"


@dataclass(frozen=True)
class _Clip:
    episode: Episode
    seconds: float
    whole_s: float


def preview_video(
    source: Recording | Episode | Iterable[Recording | Episode],
    path: str | Path,
    *,
    seconds: float = 60.0,
    rate_hz: float | None = None,
    speed: float = 1.0,
    titles: bool = True,
    crf: int = 20,
) -> PreviewVideo:
    """Film recordings with their actions beside them.

    Args:
        source: A recording, an episode, `Sessions`, or any number of either.
        path: The mp4 to write, new.
        seconds: Longest length, titles included.
        rate_hz: Pictures a second; by default the fastest recording's own, at most 60.
        speed: 0.5 for slow motion.
        titles: Whether a title stands before each episode.
        crf: Quality of H.264, smaller is better.

    Returns:
        What was filmed and what was left out.

    Raises:
        BadInputError: Nothing to show, or a number out of its range.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
    """
    for name, value in (("seconds", seconds), ("speed", speed), ("rate_hz", 1.0 if rate_hz is None else rate_hz)):
        if not value > 0:
            raise BadInputError(f"{name}={value!r}", accepts="a number above 0", fix=f"leave {name} out")
    episodes = episodes_of(source)
    if not episodes:
        raise BadInputError(
            "a preview of recordings without pictures", accepts="at least one picture", fix="record or sample first"
        )
    own_hz = max(_rate_hz(e) for e in episodes)
    rate = rate_hz if rate_hz is not None else min(own_hz * speed, _FASTEST_HZ)
    title_s = TITLE_S if titles else 0.0
    clips = _plan(episodes, seconds, title_s, speed)
    size = _field(clips)
    counts = _counts(episodes)
    info = write_video(path, _film(clips, rate, speed, title_s, size, counts), rate_hz=rate, crf=crf)
    return PreviewVideo(
        path=Path(path),
        seconds=info.duration_s,
        rate_hz=rate,
        episodes=len(clips),
        episodes_left_out=len(episodes) - len(clips),
        cut=sum(c.seconds < c.whole_s for c in clips),
    )


def _rate_hz(episode: Episode) -> float:
    gaps = (
        episode.segment.frames - episode.recording.is_environment
    )  # recorded play ends a picture's time after its last one
    return gaps / episode.segment.duration_s if gaps and episode.segment.duration_s else 1.0


def _length_s(episode: Episode) -> float:
    """Seconds for which an episode's pictures stand; the last one for as long as the others."""
    return episode.segment.frames / _rate_hz(episode)


def _plan(episodes: list[Episode], seconds: float, title_s: float, speed: float) -> list[_Clip]:
    chosen = _that_fit(episodes, seconds, title_s, speed)
    lengths = [_length_s(e) / speed for e in chosen]
    left = max(seconds - title_s * len(chosen), min(seconds, LEAST_S) / 2)
    given: dict[int, float] = {}
    for place, k in enumerate(
        sorted(range(len(chosen)), key=lambda k: lengths[k])
    ):  # what a short one leaves, others get
        given[k] = min(lengths[k], left / (len(chosen) - place))
        left -= given[k]
    return [_Clip(e, given[k], lengths[k]) for k, e in enumerate(chosen)]


def _that_fit(episodes: list[Episode], seconds: float, title_s: float, speed: float) -> list[Episode]:
    few, many = 1, len(episodes)
    while few < many:
        middle = (few + many + 1) // 2
        need = sum(title_s + min(_length_s(e) / speed, LEAST_S) for e in spread(episodes, middle))
        few, many = (middle, many) if need <= seconds else (few, middle - 1)
    return spread(episodes, few)


def _field(clips: list[_Clip]) -> tuple[int, int]:
    shapes = [next(c.episode.frames()).shape[:2] for c in clips]
    pictures = [
        (h * k if k > 0 else h // -k, w * k if k > 0 else w // -k) for h, w in shapes for k in [fit_scale(h, w)]
    ]
    return max(HEIGHT_PX, *(h for h, _ in pictures)), max(w for _, w in pictures)


def _counts(episodes: list[Episode]) -> Mapping[str, int]:
    games = [e.recording.info.game for e in episodes]
    return {game: games.count(game) for game in games}


def _film(
    clips: list[_Clip],
    rate: float,
    speed: float,
    title_s: float,
    size: tuple[int, int],
    counts: Mapping[str, int],
) -> Iterator[Pixels]:
    for clip in clips:
        for k, picture in enumerate(_play(clip, rate, speed, size)):
            if k == 0 and title_s:
                card = title_card(
                    clip.episode,
                    size,
                    shown_s=clip.seconds,
                    whole_s=clip.whole_s,
                    of=counts[clip.episode.recording.info.game],
                )
                for _ in range(round(title_s * rate)):
                    yield card
            yield picture


def _play(clip: _Clip, rate: float, speed: float, size: tuple[int, int]) -> Iterator[Pixels]:
    segment = clip.episode.segment
    times = clip.episode.recording.index(segment.index)["t_ns"].to_numpy() - segment.start_ns
    ticks = (np.arange(max(1, round(clip.seconds * rate))) + _EARLY) / rate * speed * NS
    wanted = np.clip(np.searchsorted(times, ticks, side="right") - 1, 0, None)
    repeats = np.bincount(wanted, minlength=segment.frames)
    last = int(wanted[-1])
    frames = clip.episode.recording.frames(segment.first_frame, segment.first_frame + last + 1)
    for pixels, note, times_shown in zip(frames, notes(clip.episode), repeats[: last + 1], strict=False):
        if times_shown:
            picture = overlay(pixels, note, size=size)
            for _ in range(times_shown):
                yield picture


def title_card(
    episode: Episode, size: tuple[int, int], *, shown_s: float = 0.0, whole_s: float = 0.0, of: int = 1
) -> Pixels:
    """Draw the title of an episode over its darkened first picture.

    Args:
        episode: What follows.
        size: (height, width) of the field of the pictures; the panel's width comes on top.
        shown_s: Seconds that are shown.
        whole_s: Seconds that there are.
        of: Episodes of this game.

    Returns:
        (max(height, 420), width + 240, 3) uint8 RGB.
    """
    segment, info = episode.segment, episode.recording.info
    image = Image.new("RGB", (size[1] + PANEL_PX, max(size[0], HEIGHT_PX)), BACK)
    first = next(episode.frames())
    dim = (fitted(first, (image.height, size[1])) * _DIMMED).astype(np.uint8)
    image.paste(Image.fromarray(dim), ((size[1] - dim.shape[1]) // 2, (image.height - dim.shape[0]) // 2))
    draw = ImageDraw.Draw(image)
    left, middle = 40, image.height // 2
    size_px = largest_font(info.game, image.width - 2 * left, sizes=range(38, 14, -2))
    draw.text((left, middle - 38), info.game, "#ffffff", font(size_px, bold=True), anchor="ls")
    lines = [
        f"episode {episode_number(segment)}" + (f", one of {of}" if of > 1 else ""),
        f"{segment.frames} frames, {segment.duration_s:.1f} s"
        + (f", the first {shown_s:.1f} s are shown" if shown_s < whole_s - 0.5 / _rate_hz(episode) else ""),
        _how(segment.attrs),
        _outcome(episode),
    ]
    for k, line in enumerate(line for line in lines if line):
        draw.text((left, middle - 20 + 27 * k), line, "#d7dee6", font(17))
    return np.asarray(image, np.uint8)


def _how(attrs: Mapping[str, object]) -> str:
    randomness = attrs.get("randomness")
    parts = [
        f"played by {attrs['policy']}" if attrs.get("policy") else "",
        f"{100 * randomness:g} % of the actions by chance"
        if isinstance(randomness, int | float) and randomness
        else "",
    ]
    return ", ".join(part for part in parts if part)


def _outcome(episode: Episode) -> str:
    end = end_sentence(episode.segment.end_reason)
    return f"score {episode.score:g} · {end}" if episode.recording.is_environment else end
