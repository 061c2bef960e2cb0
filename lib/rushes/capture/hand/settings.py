"""What is to be played by hand, checked once and sent to the process that plays it.

Example:
    >>> settings = HandSettings("Pong", policy="persistent", out="data/pong")
    >>> settings.who, settings.path().name
    ('shared', 'pong')
    >>> HandSettings.from_json(settings.to_json()) == settings
    True
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rushes.capture.env.play import Play
from rushes.errors import BadInputError, BadNameError, near
from rushes.model.games import is_atari, session_name
from rushes.worlds.catalog import resolve_games

WHO: Final = ("human", "policy", "shared")
"""Who plays: a person, a policy, or the policy until a person touches a key and again when they have let go."""


@dataclass(frozen=True)
class HandSettings:
    """The settings of one session of play.

    Attributes:
        env_id: A name as `rushes sample` takes it: `Breakout`, `ALE/Breakout-v5`, `CartPole-v1`, `Jump`.
        out: The session directory; `""` makes data/sessions/GAME_YYYYmmdd_HHMMSS by local time.
        policy: Who plays when no person does: a name of `POLICIES` or `module:function`; `""` for nobody.
        control: One of `WHO`; `""` is `shared` with a policy and `human` without.
        give_back_s: Seconds without a touch after which a shared game goes back to the policy.
        seed: Seed of everything.
        sticky: Probability that the emulator repeats its last action (Atari). 0 does what the hand does; 0.25 is what
            `ALE/...-v5` has where nothing is said, and what agents are measured with.
        frameskip: Emulated frames a step (Atari); 1 is the console itself.
        full_action_space: All 18 actions (Atari).
        sound: Whether the game is heard and its sound is stored (Atari; others are silent).
        speed: 1 is the world's own speed.
        fps: Steps a second in its place; 0 leaves it to `speed`.
        seconds: Ends after so many seconds of play; 0 for no limit.
        next_episode_s: Seconds between the end of an episode and the next one; less than 0 waits for a restart.
        start_immediately: Whether it begins without being told.

    Raises:
        BadInputError: A value out of its range.
        BadNameError: No such control.
    """

    env_id: str = "ALE/Breakout-v5"
    out: str = ""
    policy: str = ""
    control: str = ""
    give_back_s: float = 1.0
    seed: int = 0
    sticky: float = 0.0
    frameskip: int = 1
    full_action_space: bool = False
    sound: bool = True
    speed: float = 1.0
    fps: float = 0.0
    seconds: float = 0.0
    next_episode_s: float = 1.0
    start_immediately: bool = False

    def __post_init__(self) -> None:
        if self.control and self.control not in WHO:
            raise BadNameError(
                f"control={self.control!r}", accepts=", ".join(WHO), fix=near(self.control, WHO) or "pass 'human'"
            )
        if self.control in {"policy", "shared"} and not self.policy:
            raise BadInputError(
                f"control={self.control!r} without a policy",
                accepts="a policy to share with",
                fix="pass policy='persistent'",
            )
        limits = {"give_back_s": 0.0, "fps": 0.0, "seconds": 0.0, "next_episode_s": -math.inf, "speed": 0.01}
        for name, low in limits.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < low:
                raise BadInputError(
                    f"{name}={value!r}",
                    accepts=f"a number from {low:g}" if math.isfinite(low) else "a number",
                    fix=f"pass {name}={getattr(HandSettings, name)}",
                )

    @property
    def who(self) -> str:
        """Who plays at first, one of `WHO`."""
        return self.control or ("shared" if self.policy else "human")

    def play(self) -> Play:
        """Give what makes the world and its random numbers, those of a sampled game with the same seed.

        Raises:
            BadNameError: No such environment.
            BadInputError: Several of them, or a value out of its range.
        """
        found = resolve_games(self.env_id)
        if len(found) != 1:
            raise BadInputError(
                f"env_id={self.env_id!r}, which is {len(found)} games", accepts="one game", fix="name one of them"
            )
        return Play(
            found[0],
            policy=self.policy,
            seed=self.seed,
            sticky=self.sticky,
            frameskip=self.frameskip,
            full_action_space=self.full_action_space,
            sound=self.sound and is_atari(found[0]),
            randomness=0.0,
        )

    def path(self) -> Path:
        """Return the session directory; without `out` another one each second."""
        stamp = f"{datetime.now().astimezone():%Y%m%d_%H%M%S}"
        return Path(self.out) if self.out else Path("data") / "sessions" / f"{session_name(self.env_id)}_{stamp}"

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> HandSettings:
        """Rebuild settings from `to_json()`; what stands beside them is left alone."""
        return cls(**{field.name: value[field.name] for field in fields(cls) if field.name in value})
