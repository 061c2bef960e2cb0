"""The Atari emulator, straight: the same play as `gymnasium.make("ALE/...-v5")`, without its wrappers.

The environment is made by Gymnasium, so that ids, action sets, modes and seeds are Gymnasium's own; its emulator is
then driven directly, because the picture is wanted as palette indices and not twice. A stranger repeats an episode
with plain Gymnasium: `env.reset(seed=seed)`, then `env.step(action)` for each stored action.

Example:
    >>> world = Atari("ALE/Breakout-v5")
    >>> world.reset(seed=0), world.act(1).lives, world.screen().pixels.shape
    (5, 5, (210, 160))

With `sound=True` it is heard, too: 512 samples an emulated frame, as Gymnasium's `sound_obs=True` gives them for the
last frame of a step. The emulator's 8 bit, in which 128 is silence, become 16 bit without loss:
`(sample - 128) * 256`. 512 samples in a sixtieth of a second are 30,720 Hz, the rate that ALE itself writes into a WAV
file, and 2 % less than the 31,400 Hz of the console, for which the samples are computed: time fits the pictures
exactly, and pitch is 0.4 of a semitone low (ALE, src/ale/common/SoundExporter.cpp and emucore/Settings.cxx).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadNameError, UnavailableError, near
from rushes.model.actions import ActionSpace
from rushes.model.clock import ALE_RATE_HZ, TimeSource
from rushes.model.games import title
from rushes.worlds.base import Outcome, Screen
from rushes.worlds.palettes import NTSC, PAL


@cache
def _library() -> Any:
    """Import the emulator once, quietly."""
    try:
        import ale_py
        import gymnasium
    except Exception as error:
        raise UnavailableError(
            f"the Atari emulator cannot be loaded ({error})",
            accepts="an environment with ale-py and gymnasium",
            fix='pip install "ale-py" "gymnasium"',
        ) from error
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)
    return gymnasium


@cache
def atari_ids() -> tuple[str, ...]:
    """List the ids of all `ALE/*-v5` environments, sorted."""
    registry = _library().registry
    return tuple(sorted(i for i in registry if i.startswith("ALE/") and i.endswith("-v5")))


_TRIAL_STEPS: Final = 30
"""Steps that a game must repeat exactly from its saved first state before that state is trusted."""


_PALETTE_FRAMES: Final = 120
"""Pictures that are looked at to tell the two tables apart; games differ from the first one on, as a rule."""


_SAMPLES: Final = 512
"""Samples an emulated frame: `SoundExporter::SamplesPerFrame` of ALE."""
_SILENCE: Final = 128
"""Value of silence: `myVolumeClip` in ALE's src/ale/emucore/TIASnd.cxx."""


class _Saved(NamedTuple):
    """An emulator's state and the picture that belongs to it."""

    state: Any
    still: npt.NDArray[np.uint8]


class Atari:
    """One emulator with one game.

    Args:
        env_id: `ALE/<Game>-v5`.
        frameskip: Emulated frames a step.
        sticky: Probability that the emulator repeats its last action for a frame instead of the new one.
        full_action_space: All 18 actions rather than the game's own.
        plain_reset: Load the game anew for every episode, as Gymnasium does. Otherwise, where `sticky` is 0 and the
            seed therefore changes nothing, later episodes begin from the saved first state, twenty times as fast;
            a game that does not come back exactly from its saved state is recognised and loaded anew all the same.
        sound: Whether it is heard; play is the same. Every episode is then loaded anew, for a saved state holds only
            half of the sound chip.

    Attributes:
        sound_hz: Samples of sound a second of emulated time, 0 without.

    Raises:
        BadNameError: No such environment; the message names the nearest.
    """

    rate_hz: float = ALE_RATE_HZ
    time_source: TimeSource = "emulated"

    def __init__(
        self,
        env_id: str,
        *,
        frameskip: int = 4,
        sticky: float = 0.0,
        full_action_space: bool = False,
        plain_reset: bool = False,
        sound: bool = False,
    ) -> None:
        if env_id not in atari_ids():
            raise BadNameError(
                f"environment {env_id!r}",
                accepts="an id such as 'ALE/Breakout-v5'",
                fix=near(env_id, atari_ids()) or "list them with `rushes doctor --games`",
            )
        made = _library().make(
            env_id,
            frameskip=frameskip,
            repeat_action_probability=sticky,
            full_action_space=full_action_space,
            disable_env_checker=True,
            **({"sound_obs": True} if sound else {}),
        )
        self._env = made.unwrapped
        self._ale = self._env.ale
        self._set = list(self._env._action_set)  # noqa: SLF001 - the order behind get_action_meanings()
        self._palette = self._find_palette()
        self._origin: _Saved | None = None
        self._quick = not (plain_reset or sound) and sticky == 0 and self._palette is not None
        self._still: npt.NDArray[np.uint8] | None = None
        self.env_id, self.game, self.frameskip = env_id, title(env_id), frameskip
        self.action_space = ActionSpace.discrete(self._env.get_action_meanings(), world="ALE")
        self.sound_hz = int(_SAMPLES * self.rate_hz) if sound else 0
        self._sound = np.zeros((frameskip * _SAMPLES if sound else 0, 1), np.int16)
        self.size: tuple[int, int] = tuple(self._ale.getScreenDims())
        self.indexed = self._palette is not None
        self.attrs: Mapping[str, Any] = {
            "env_id": env_id,
            "frameskip": frameskip,
            "sticky": sticky,
            "full_action_space": full_action_space,
        }

    def reset(self, seed: int) -> int:
        """Begin the episode that Gymnasium's `reset(seed=seed)` begins.

        Args:
            seed: Any integer >= 0.

        Returns:
            Lives.
        """
        if self._origin is not None:
            self._ale.reset_game()
            self.restore(self._origin)
        else:
            self._env.reset(seed=seed)
            self._still = None
            if self._quick:
                self._quick = self._comes_back(saved := self.save())
                if self._quick:
                    self._origin = saved
                    self.restore(saved)
                else:
                    self._env.reset(seed=seed)
                    self._still = None
        return int(self._ale.lives())

    def _comes_back(self, saved: _Saved) -> bool:
        """Say whether play from a saved state is, picture by picture, the play that it was saved from."""
        looks = []
        for _ in range(2):
            looks.append([self._ale.getScreen().tobytes()])
            for index in range(_TRIAL_STEPS):
                self.act(index % len(self._set))
                looks[-1].append(self._ale.getScreen().tobytes() + self._ale.getRAM().tobytes())
            self._ale.reset_game()
            self._ale.restoreSystemState(saved.state)
        return looks[0] == looks[1]

    def _find_palette(self) -> npt.NDArray[np.uint8] | None:
        """Compare pictures with both tables until one is left; None stores RGB, should an emulator bring a third."""
        tables = [NTSC, PAL]
        self._ale.reset_game()
        for frame in range(_PALETTE_FRAMES):
            indices, colours = self._ale.getScreen(), self._ale.getScreenRGB()
            tables = [table for table in tables if np.array_equal(table[indices], colours)]
            if len(tables) <= 1:
                break
            self._ale.act(self._set[frame % len(self._set)])
        return tables[0] if tables else None

    def random_action(self, rng: np.random.Generator) -> int:
        """Draw an action uniformly."""
        return int(rng.integers(len(self._set)))

    def act(self, action: int) -> Outcome:
        """Repeat an action for `frameskip` emulated frames, as Gymnasium's environment does.

        Args:
            action: Index into the action space.

        Returns:
            What came of it; the episode's last picture stays on the screen.
        """
        ale, code, reward = self._ale, self._set[action], 0.0
        self._still = None
        for frame in range(self.frameskip):
            reward += ale.act(code)
            if self.sound_hz:
                heard = ale.getAudio().astype(np.int16) - _SILENCE
                self._sound[frame * _SAMPLES : (frame + 1) * _SAMPLES, 0] = heard << 8
        return Outcome(reward, ale.game_over(with_truncation=False), ale.game_truncated(), ale.lives())

    def sound(self) -> npt.NDArray[np.int16]:
        """Return the sound of the last action: (frameskip * 512, 1) int16; no sample where it is not heard."""
        return self._sound.copy()

    def screen(self) -> Screen:
        """Return the picture as (H, W) uint8 indices with their (256, 3) palette."""
        if self._palette is None:
            return Screen(self._ale.getScreenRGB(), None)
        return Screen(self._ale.getScreen() if self._still is None else self._still.copy(), self._palette)

    def rgb(self) -> npt.NDArray[np.uint8]:
        """Return the picture as the emulator's own (H, W, 3) uint8 RGB."""
        if self._still is not None and self._palette is not None:
            return self._palette[self._still]
        return np.asarray(self._ale.getScreenRGB(), np.uint8)

    def save(self) -> _Saved:
        """Return the emulator's whole state, its random numbers and its picture included."""
        still = self._ale.getScreen() if self._still is None else self._still
        return _Saved(self._ale.cloneSystemState(), still)

    def restore(self, state: _Saved) -> None:
        """Put a saved state back; the emulator redraws its screen only with the next step, so the picture is kept."""
        self._ale.restoreSystemState(state.state)
        self._still = state.still

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
