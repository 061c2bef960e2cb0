"""The backend that plays an environment: observation, action, observation, until the frames are used up.

Observation k is followed by action k; N actions have N+1 observations, and the last one is the true last picture of
the episode. Nothing resets by itself: a lost life is a number in a column, and a new episode is a new segment. A world
that is heard gives the sound of every action, which lies between its two observations and leaves no gap.

Example:
    >>> from rushes.worlds.catalog import make_world
    >>> play = Play("ALE/Pong-v5", frames_per_env=4, max_episodes=1, policy="uniform")
    >>> with EnvBackend(make_world("ALE/Pong-v5"), play).open(Clock()) as readings:
    ...     [type(r).__name__ for r in readings]
    ['Start', 'Frame', 'Step', 'Frame', 'Step', 'Frame', 'Step', 'Frame', 'Gap']
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rushes.capture.env.play import CHANCE, POLICY, Play
from rushes.capture.env.policies import Moment, choose, make_policy
from rushes.model.clock import Clock, emulated_ns
from rushes.model.readings import Frame, Gap, Reading, Sound, Start, Step
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.base import Audible, World

SOUND: Final = "game"
"""Name of the stream of what the game plays."""
_BLOCK = 1024


class EnvBackend:
    """A world played by a policy.

    Args:
        world: What is played; the caller closes it.
        play: How it is played.
        episodes_done: Episodes that are stored already.
        frames_done: Frames that are stored already.
    """

    def __init__(self, world: World, play: Play, *, episodes_done: int = 0, frames_done: int = 0) -> None:
        self._world, self._play = world, play
        self._episodes_done, self._frames_done = episodes_done, frames_done
        self._heard: Audible | None = world if isinstance(world, Audible) and world.sound_hz else None

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams: the screen, the steps, and the sound where there is some."""
        world = self._world
        rate_hz = world.rate_hz / world.frameskip
        codec = "png-indexed" if world.indexed else "png"
        height, width = world.size
        heard = self._heard
        sounds = (StreamSpec(SOUND, "sound", "flac", rate_hz=heard.sound_hz),) if heard is not None else ()
        return (
            StreamSpec("screen", "frames", codec, exact=True, width=width, height=height, rate_hz=rate_hz),
            StreamSpec("steps", "steps", rate_hz=rate_hz),
            *sounds,
        )

    def describe(self) -> SessionInfo:
        """Describe the session; the same parameters give the same bytes."""
        play, world = self._play, self._world
        return SessionInfo(
            id=play.session_id,
            game=world.game,
            source={"kind": "env", "name": play.env_id},
            time_source=world.time_source,
            streams=self.specs(),
            action_space=world.action_space,
            provenance=play.parameters(),
        )

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        """Play; times follow from the step count, so the clock is not asked."""
        del clock
        yield self._readings()

    def _readings(self) -> Iterator[Reading]:
        play, frames = self._play, self._frames_done
        for episode in range(self._episodes_done, play.max_episodes):
            share = play.share(episode, frames)
            count = 0
            for reading in self._episode(episode, frames, share):
                count += type(reading) is Frame
                yield reading
            frames += count

    def _episode(self, episode: int, first_frame: int, share: int) -> Iterator[Reading]:
        play, world, heard = self._play, self._world, self._heard
        frameskip, rate_hz, names = world.frameskip, world.rate_hz, world.action_space.names
        discrete = world.action_space.kind == "discrete"
        policy, rng = make_policy(play.policy), play.stream(POLICY, episode)
        chance, randomness = play.stream(CHANCE, episode), play.randomness
        seed = play.episode_seed(episode)
        world.reset(seed)
        frame, t_ns = first_frame, emulated_ns(first_frame, frameskip=frameskip, rate_hz=rate_hz)
        attrs = {**world.attrs, "episode": episode, "seed": seed, "randomness": randomness, "policy": play.policy}
        yield Start(t_ns, attrs)
        pixels, palette = world.screen()
        yield Frame(t_ns, pixels, palette)
        score, reason = 0.0, "budget"
        draws: list[bool] = []
        replacements: list[Any] = []
        for step in range(share - 1):
            action = choose(policy, Moment(world, step, rng))
            if step % _BLOCK == 0:  # drawn ahead, and drawn whether used or not: the policy changes no chance
                draws = (chance.random(_BLOCK) < randomness).tolist()
                replacements = [world.random_action(chance) for _ in range(_BLOCK)] if any(draws) else []
            if random_action := draws[step % _BLOCK]:
                action = replacements[step % _BLOCK]
            reward, terminated, truncated, lives = world.act(action)
            score += reward
            name = names[action] if discrete else ""
            yield Step(t_ns, frame, action, name, reward, terminated, truncated, lives, random_action)
            if heard is not None:
                yield Sound(t_ns, heard.sound(), heard.sound_hz, SOUND)
            frame += 1
            t_ns = emulated_ns(frame, frameskip=frameskip, rate_hz=rate_hz)
            pixels, palette = world.screen()
            yield Frame(t_ns, pixels, palette)
            if terminated or truncated:
                reason = "terminated" if terminated else "truncated"
                break
        yield Gap(t_ns, reason, {"score": score})
