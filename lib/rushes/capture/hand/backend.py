"""The backend that lets a person play an environment: its own actions, in measured time, as a session like any other.

Observation k is followed by action k, as in sampled play, and an episode is repeated from its seed and its actions.
A pause ends the segment; the next one goes on where the game stands, says so (`from_step`, the steps of the episode
that lie before it) and begins with the picture that the last one ended with. A restart is a new episode with the next
seed. Beside the steps stand the edges of keys and pad as events, and a row of telemetry for each edge that a person's
step used: `control`, `down`, `edge_t_ns`, `received_t_ns`, `step_t_ns`.

Sound is placed by the beat of the steps (`pace`), which is exact where the frames' own stamps are a little early or
late; the sound of action k begins with observation k, as in sampled play.

Example (a tenth of a second of Breakout, in which nobody touches anything):
    >>> backend = HandBackend(HandSettings("Breakout", seconds=0.1, sound=False, start_immediately=True))
    >>> with backend.open(Clock()) as readings:
    ...     kinds = [type(reading).__name__ for reading in readings]
    >>> kinds[:3], kinds[-1], kinds.count("Frame") - kinds.count("Step")
    (['Start', 'Frame', 'Step'], 'Gap', 1)
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rushes.capture.env.backend import SOUND
from rushes.capture.env.policies import make_policy
from rushes.capture.hand.bindings import Bindings
from rushes.capture.hand.hands import Edge, Grip, Hands
from rushes.capture.hand.orders import Orders
from rushes.capture.hand.pace import Pace, Tick
from rushes.capture.hand.page_clock import PageClock
from rushes.capture.hand.seat import Choice, Seat
from rushes.capture.hand.settings import HandSettings
from rushes.capture.hand.tally import Tally
from rushes.model.clock import NS, Clock
from rushes.model.readings import Event, Frame, Gap, Lost, Reading, Sound, Start, Step, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.base import Audible, Screen, World

_LOOK_S: Final = 0.05
"""How long a world that waits for a move goes without looking for orders."""


class HandBackend:
    """A world that a person plays.

    Args:
        settings: What is played, and how.
        world: The world, where it is made already; the caller closes it.

    Attributes:
        world: What is played.
        bindings: Which control does what.
        hands: Takes edges, from any thread.
        page: The clock of the page that they come from.
        orders: Takes orders, from any thread.
        pace: The beat of the steps.
        tally: Counters.
        rate_hz: Steps a second.
    """

    def __init__(self, settings: HandSettings, *, world: World | None = None) -> None:
        self.settings, self._play = settings, settings.play()
        self.world = world or self._play.world()
        self.bindings = Bindings(self.world.action_space)
        self.hands = Hands(self.bindings.controls, together=self.bindings.together)
        self.page, self.tally = PageClock(), Tally()
        own_hz = self.world.rate_hz / self.world.frameskip
        self.rate_hz = settings.fps or own_hz * settings.speed
        heard = self.world if isinstance(self.world, Audible) and self.world.sound_hz else None
        self._heard: Audible | None = heard
        self.sound_hz = round(heard.sound_hz * self.rate_hz / own_hz) if heard is not None else 0
        has_policy = bool(self._play.policy)
        self.orders = Orders(has_policy=has_policy, who=settings.who)
        if has_policy:
            make_policy(self._play.policy)  # what is wrong with it is said before anything begins
        self._seat = Seat(self.world, self._play, self.bindings, give_back_ns=round(settings.give_back_s * NS))
        self._id = f"{self._play.name}-hand-{uuid.uuid4().hex}"
        self._told: dict[tuple[str, str], float] = {}
        self._unseen = ""
        self._step = self._begun_ns = self._last_ns = 0
        self._clock = Clock()
        self.pace = Pace(self.rate_hz, self._clock.now_ns)

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams: the screen, the steps, the edges, how they became steps, and the sound if there is one."""
        height, width = self.world.size
        codec = "png-indexed" if self.world.indexed else "png"
        sound = (StreamSpec(SOUND, "sound", "flac", rate_hz=self.sound_hz),) if self.sound_hz else ()
        rate_hz = 0.0 if self.bindings.in_turns else self.rate_hz  # a person's moves have none
        return (
            StreamSpec("screen", "frames", codec, exact=True, width=width, height=height, rate_hz=rate_hz),
            StreamSpec("steps", "steps", rate_hz=rate_hz),
            StreamSpec("events", "events"),
            StreamSpec("telemetry", "telemetry"),
            *sound,
        )

    def describe(self) -> SessionInfo:
        """Describe the session: the environment it is of, that it was played by hand, and what each control did."""
        provenance = {name: value for name, value in self.settings.to_json().items() if name != "out"}
        provenance |= {"env_id": self._play.env_id, "played": "by hand", "bindings": self.bindings.table()}
        return SessionInfo(
            id=self._id,
            game=self.world.game,
            source={"kind": "env", "name": self._play.env_id},
            time_source="measured",
            streams=self.specs(),
            action_space=self.world.action_space,
            provenance=provenance,
        )

    def preview(self) -> Screen:
        """Return the first picture of the first episode, before it begins."""
        self.tally.lives = self.world.reset(self._play.episode_seed(0))
        return self.world.screen()

    @contextmanager
    def open(self, clock: Clock) -> Iterator[Iterator[Reading]]:
        """Begin; the readings wait for their times."""
        self._clock = clock
        self.pace = Pace(self.rate_hz, clock.now_ns)
        yield self._readings()

    def _readings(self) -> Iterator[Reading]:
        if not self.settings.start_immediately:
            self.orders.wait("start", "resume")
            self._unseen = "paused"
        episode = 0
        while not self.orders.over:
            yield from self._episode(episode)
            episode += 1
        yield from self._unused(self._clock.now_ns())
        self.tally.state = "ended"

    def _ordered(self) -> str:
        """Look for an order or a limit that ends the segment; `""` where there is none."""
        limit_ns = round(self.settings.seconds * NS)
        if limit_ns and self.tally.recorded_ns + self._clock.now_ns() - self._begun_ns >= limit_ns:
            self.orders.over = self.orders.over or "max_seconds"
            return "stop"
        return self.orders.next()

    def _episode(self, episode: int) -> Iterator[Reading]:
        seed, tally = self._play.episode_seed(episode), self.tally
        tally.lives, tally.score, tally.reward, tally.episode = self.world.reset(seed), 0.0, 0.0, episode
        self._seat.begin(episode)
        attrs = {**self.world.attrs, "episode": episode, "seed": seed, "policy": self._play.policy}
        self._step = 0
        while not self.orders.over:
            tally.state = "playing"
            ended = yield from self._segment(attrs | ({"from_step": self._step} if self._step else {}))
            if ended == "reset":
                return
            if ended == "pause":
                if self._rest("paused", None) == "restart":
                    return
            elif ended in {"terminated", "truncated"}:
                wait_s = self.settings.next_episode_s
                if self._rest("between_segments", wait_s if wait_s >= 0 else None) == "pause":
                    self._rest("paused", None)
                return

    def _rest(self, unseen: str, seconds: float | None) -> str:
        """Wait between two segments; what hands do meanwhile is counted under a reason."""
        self._unseen = unseen
        if seconds is None:
            self.tally.state = "paused"
        return self.orders.wait("resume", "restart", "start", *["pause"] * (seconds is not None), seconds=seconds)

    def _segment(self, attrs: dict[str, Any]) -> Generator[Reading, None, str]:
        """Play on until something ends the segment; returns why."""
        begun_ns = self._begun_ns = self._clock.now_ns()
        yield Start(begun_ns, attrs | self.page.attrs(), self._clock.wall_ns(begun_ns))
        yield from self._tell_state(begun_ns)
        screen = self.world.screen()
        yield self._frame(begun_ns, screen)
        score, reason = self.tally.score, ""
        self.pace.begin(begun_ns)
        while not reason:
            ordered = self._ordered()
            if ordered:
                reason = {"stop": self.orders.over, "restart": "reset"}.get(ordered, ordered)
                break
            if self._seat.waits(self.orders.who, self.hands, self._clock.now_ns()):
                if not self.hands.wait(_LOOK_S):
                    self.pace.begin()
                    continue
                self.pace.begin(self._clock.now_ns() - self.pace.period_ns)
            tick = self.pace.tick()
            if tick.stalled_ns:
                self.tally.stalls += 1
                reason = "stall"
                break
            grip = self.hands.take()
            yield from self._edges(grip, tick.at_ns)
            choice = self._seat.choose(self.orders.who, grip, step=self._step, t_ns=tick.at_ns)
            if choice is not None:
                reason = yield from self._act(choice, grip, tick)
        if reason == "pause":
            yield from self._let_go()
        elif self.orders.over:  # what came since the last step is stored, though no step uses it
            yield from self._edges(self.hands.take(), self._clock.now_ns())
        end_ns = self._clock.now_ns()
        if reason == "stall":  # the segment lasts as long as its last picture should have
            end_ns = min(end_ns, self._last_ns + self.pace.period_ns)
        yield Gap(max(end_ns, self._last_ns + 1), reason, {"score": self.tally.score - score})
        self.tally.recorded_ns += end_ns - begun_ns
        return reason

    def _act(self, choice: Choice, grip: Grip, tick: Tick) -> Generator[Reading, None, str]:
        """Take one step; returns why the episode is over, `""` where it is not."""
        tally, action, frame = self.tally, choice.action, self.tally.frames - 1
        seen_ns, step_ns = self._last_ns, self._clock.now_ns()
        reward, terminated, truncated, lives = self.world.act(action)
        name = self.world.action_space.names[action] if isinstance(action, int) else ""
        human = choice.is_human
        yield Step(
            seen_ns, frame, action, name, reward, terminated, truncated, lives, random_action=False, is_human=human
        )
        for edge in grip.used if human else ():
            tally.took(step_ns - edge.edge_ns)
            yield Telemetry(step_ns, _latency(edge, step_ns), frame)
        if self._heard is not None:
            yield Sound(tick.due_ns - self.pace.period_ns, self._heard.sound(), self.sound_hz, SOUND)
        self._step += 1
        tally.steps += 1
        tally.human_steps += human
        tally.score += reward
        tally.reward, tally.lives, tally.human = reward, lives, human
        screen = self.world.screen()
        yield self._frame(self._clock.now_ns(), screen)
        return "terminated" if terminated else "truncated" if truncated else ""

    def _frame(self, t_ns: int, screen: Screen) -> Frame:
        self._last_ns = t_ns
        self.tally.frames += 1
        return Frame(t_ns, screen.pixels, screen.palette)

    def _edges(self, grip: Grip, t_ns: int) -> Iterator[Reading]:
        """Store edges; those of controls that mean nothing here are counted."""
        for edge in grip.fresh:
            self._told[edge.device, edge.control] = edge.value
            self.tally.events += 1
            if edge.motion:
                yield Event(edge.edge_ns, edge.device, edge.control, "axis", edge.value)
            else:
                yield Event(edge.edge_ns, edge.device, edge.control, "press" if edge.value else "release")
        if grip.ignored:
            self.tally.ignored += grip.ignored
            yield Lost(t_ns, "events", "not_in_layout", grip.ignored)

    def _let_go(self) -> Iterator[Reading]:
        """Release all at a pause: what is held then may be let go of unseen."""
        t_ns = self._clock.now_ns()
        yield from self._edges(self.hands.take(), t_ns)
        self.hands.release(t_ns)
        yield from self._edges(self.hands.take(), t_ns)

    def _unused(self, t_ns: int) -> Iterator[Reading]:
        """Count what hands did unseen."""
        if self._unseen and (count := self.hands.settle()):
            yield Lost(t_ns, "events", self._unseen, count)
        self._unseen = ""

    def _tell_state(self, t_ns: int) -> Iterator[Reading]:
        """Begin with where everything stands that changed unseen."""
        yield from self._unused(t_ns)
        now = self.hands.state()
        for key in {**self._told, **now}:
            value = now.get(key, 0.0)
            if value != self._told.get(key, 0.0):
                self._told[key] = value
                yield Event(t_ns, *key, "state", value)


def _latency(edge: Edge, step_ns: int) -> dict[str, Any]:
    return {
        "control": edge.control,
        "down": edge.value,
        "edge_t_ns": edge.edge_ns,
        "received_t_ns": edge.received_ns,
        "step_t_ns": step_ns,
    }
