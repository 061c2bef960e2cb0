"""Play that is heard and seen, with known distances between inputs, sound and pictures; nothing of it is on a disk.

An input stamped t sounds from t + `input_ms` + drift on, and the picture shows it from `picture_ms` after the sound on.
Presses come in bursts as hands give them; some make no sound, some sounds come from elsewhere. Behind it music plays
(notes and drums in a tempo), or wind blows; the camera pans, somebody walks, lights flicker. The idle kinds have all of
that and no tie:

- `music`: music and presses, no effects; `silence`: presses, nothing to hear;
- `unrelated`: effects, flashes and presses, each for itself; `reaction`: presses follow effects as a person's do;
- `rhythm`: presses on the beat of the music, as well as hands keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event, Sound
from rushes.model.recording import Picture, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.qa.pictures.signs import BLOCKS, SIGN, Signs

Floats = npt.NDArray[np.float64]

IDLE: Final = ("music", "silence", "unrelated", "reaction", "rhythm")
TIED: Final = ("shots", "jumps", "mixed")
HEIGHT, WIDTH = 90, 160
SOUND_HZ: Final = 24_000
_BLOCK: Final = 480  # 20 ms
_LONE: Final = "KeyW", "KeyA", "KeyD"


class Sounding(Recording):
    """A recording of such play.

    Args:
        kind: One of `TIED` or `IDLE`.
        seed: Of all that is drawn by chance.
        seconds: How long.
        rate_hz: Frames a second.
        input_ms: From an input to its sound.
        picture_ms: From a sound to the picture of it.
        input_ppm: By how much `input_ms` grows: us each second.
        picture_ppm: The same for `picture_ms`.
        tick_hz: How often the game looks at its inputs; 0 at once. What waits for a tick sounds later by chance.

    Attributes:
        true_ms: From an input to its sound in the mean, the waiting included, in the middle of the play.
        effects: When something sounds, s.
        flashes: When something shows, s.
    """

    def __init__(
        self,
        kind: str,
        *,
        seed: int,
        seconds: float = 60.0,
        rate_hz: float = 30.0,
        input_ms: float = 40.0,
        picture_ms: float = 20.0,
        input_ppm: float = 0.0,
        picture_ppm: float = 0.0,
        tick_hz: float = 0.0,
    ) -> None:
        self._rng = rng = np.random.default_rng([seed, 71])
        self.kind, self.seconds, self.seed = kind, seconds, seed
        self.beat_s = 60 / rng.uniform(85, 150)
        self.presses = self._hands()
        middle = seconds / 2
        heard = [t for t, name in self.presses if name not in _LONE and rng.random() < rng.uniform(0.7, 1.0)]
        waits_s = 1 / tick_hz if tick_hz else 0.0
        self.true_ms = input_ms + 500 * waits_s
        late = np.array([t + rng.uniform(0, waits_s) + input_ms / 1e3 + input_ppm * 1e-6 * (t - middle) for t in heard])
        elsewhere = np.sort(rng.uniform(1, seconds - 1, int(seconds * rng.uniform(0.1, 0.5))))
        if kind in ("unrelated", "reaction"):
            late = np.sort(rng.uniform(1, seconds - 1, int(seconds * rng.uniform(0.8, 2))))
        elif kind in IDLE:
            late = elsewhere = np.zeros(0)
        if kind == "reaction":
            reacts = late[rng.random(len(late)) < 0.7]
            self.presses = [(float(t), "MouseLeft") for t in reacts + 0.12 + rng.gamma(6, 0.022, len(reacts))]
        self.effects = np.concatenate([late, elsewhere])
        shown = self.effects[rng.random(len(self.effects)) < rng.uniform(0.75, 1.0)]
        shown = shown + picture_ms / 1e3 + picture_ppm * 1e-6 * (shown - middle)
        if kind in IDLE:
            shown = np.sort(rng.uniform(1, seconds - 1, int(seconds * rng.uniform(0.3, 1.5))))
        other = rng.uniform(1, seconds - 1, int(seconds * rng.uniform(0.05, 0.3)))
        self.flashes = np.sort(np.concatenate([shown, other]))
        grid = np.arange(0, seconds, 1 / rate_hz) + rng.normal(0, 0.08 / rate_hz, round(seconds * rate_hz))
        self._t_s = np.maximum.accumulate(np.abs(grid[rng.random(len(grid)) > rng.choice([0, 0.005, 0.03])]))
        self._t_s += np.arange(len(self._t_s)) * 1e-7
        streams = (
            StreamSpec("screen", "frames", "png", width=WIDTH, height=HEIGHT, rate_hz=rate_hz),
            StreamSpec("events", "events"),
            StreamSpec("system", "sound", "flac", rate_hz=SOUND_HZ),
        )
        source = {"kind": "synthetic", "name": f"sounding/{kind}"}
        space = ActionSpace.from_names((*_LONE, "Space", "MouseLeft"))
        self.info = SessionInfo(f"sounding-{kind}-{seed}", "Sounding", source, "measured", streams, space)
        self.segments = (Segment(0, int(self._t_s[0] * NS), round(seconds * NS), 0, len(self._t_s), "end"),)
        self.ledger, self.problems = Ledger(), ()

    def _hands(self) -> list[tuple[float, str]]:
        """Press as hands do: bursts of shots, jumps now and then, running; at the least 60 that sound a minute."""
        rng, found = self._rng, list[tuple[float, str]]()
        names = {"shots": ["MouseLeft"], "jumps": ["Space"]}.get(self.kind, ["MouseLeft", "Space"])
        t = 1.0
        while t < self.seconds - 1.5:
            for _ in range(rng.geometric(0.4)):
                found.append((t, str(rng.choice(names))))
                t += rng.gamma(5, 0.06) + 0.08
            t += rng.exponential(0.7)
        if self.kind == "rhythm":
            beats = np.arange(1, self.seconds - 1, self.beat_s)
            on = beats[rng.random(len(beats)) < 0.8]
            found = [(float(b), "Space") for b in on + rng.normal(-0.02, 0.025, len(on))]
        for name in _LONE:
            found += [(float(x), name) for x in rng.uniform(0.5, self.seconds - 0.5, int(self.seconds * 0.3))]
        return sorted(x for x in found if 0 < x[0] < self.seconds)

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return presses and releases."""
        del segment
        rng = np.random.default_rng([self.seed, 72])
        rows = []
        for t, name in self.presses:
            device = "mouse" if name.startswith("Mouse") else "keyboard"
            rows.append(Event(round(t * NS), device, name, "press"))
            rows.append(Event(round((t + rng.uniform(0.03, 0.09)) * NS), device, name, "release"))
        return events_frame(sorted(rows, key=lambda row: row.t_ns))

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return none: it is free-running play."""
        del segment
        return pd.DataFrame()

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame."""
        del segment
        numbers = np.arange(len(self._t_s))
        plain = {"frame_index": numbers, "tick": numbers, "picture": numbers, "t_ns": np.round(self._t_s * NS)}
        rest = {"segment": 0, "duplicate": False, "late": False, "dropped_before": 0}
        return pd.DataFrame({**plain, **rest}).astype({"t_ns": np.int64})

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give none: pictures are drawn."""
        return iter([None] * (stop - start))

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Draw pictures in order."""
        rng = np.random.default_rng([self.seed, 73])
        scenery = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, 900, 3)).astype(np.uint8), (0, 0), rng.uniform(2, 5))
        scenery = cv2.convertScaleAbs(scenery, alpha=3.0, beta=-250.0)
        speed, sway, noise = rng.uniform(0, 40), rng.uniform(0.1, 0.5), rng.choice([0, 2, 5])
        place, size = (int(rng.integers(20, 140)), int(rng.integers(15, 75))), int(rng.integers(6, 40))
        lasts, bright = rng.uniform(0.04, 0.25), rng.uniform(60, 200)
        flicker = rng.uniform(0.3, 2.0)
        grain = rng.integers(-noise, noise + 1, (8, HEIGHT, WIDTH, 3), np.int16)
        for number in range(start, stop):
            t = self._t_s[number]
            x = round(350 + speed * 8 * np.sin(sway * t))
            picture = scenery[:, x % 700 : x % 700 + WIDTH].astype(np.int16)
            walker = int(80 + 60 * np.sin(0.9 * t))
            picture[50:70, walker - 4 : walker + 4] = 20
            picture[:8, 140:] = 200 if int(t / flicker) % 2 else 40
            since = t - self.flashes[: np.searchsorted(self.flashes, t, side="right")][-1:]
            if len(since) and since[0] < lasts:
                mask = np.zeros((HEIGHT, WIDTH), np.uint8)
                cv2.circle(mask, place, size, 1, -1)
                picture += (mask[..., None] * (bright * (1 - since[0] / lasts * 0.7))).astype(np.int16)
            yield np.clip(picture + grain[number % 8], 0, 255).astype(np.uint8)

    def sound(self, stream: str) -> Iterator[Sound]:
        """Play everything, and give it in blocks of 20 ms."""
        whole = self._play()
        for first in range(0, len(whole), _BLOCK):
            yield Sound(first * NS // SOUND_HZ, whole[first : first + _BLOCK, None], SOUND_HZ, stream)

    def signs(self) -> Signs:
        """Give the signs that measuring looks at, change by change, as `read_signs` notes them; the rest is 0."""
        rows = np.zeros(self.frame_count, SIGN)
        rows["frame_index"], rows["t_ns"] = np.arange(len(rows)), np.round(self._t_s * NS)
        before = np.zeros((HEIGHT, WIDTH), np.uint8)
        for row, picture in zip(rows, self.frames(0, len(rows)), strict=True):
            grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
            differs = cv2.absdiff(grey, before)
            row["change"] = differs.mean()
            row["luma"] = cv2.resize(grey.astype(np.float32), BLOCKS[::-1], interpolation=cv2.INTER_AREA)
            row["blocks"] = cv2.resize(differs.astype(np.float32), BLOCKS[::-1], interpolation=cv2.INTER_AREA)
            before = grey
        rows["change"][:1] = rows["blocks"][:1] = np.nan
        return Signs(rows)

    def _play(self) -> npt.NDArray[np.int16]:
        rng = np.random.default_rng([self.seed, 74])
        count = round(self.seconds * SOUND_HZ)
        if self.kind == "silence":
            return np.zeros(count, np.int16)
        line = np.zeros(count + SOUND_HZ * 2, np.float32)
        loud = rng.uniform(0.15, 0.5)
        own = {"shots": [_shot], "jumps": [_jump]}.get(self.kind, [_shot, _jump])
        for t in self.effects:
            make: Any = own[int(rng.integers(len(own)))]
            _add(line, t, loud * rng.uniform(0.7, 1.0) * make(rng))
        behind = rng.choice(["music", "wind", "both", "nothing"], p=[0.4, 0.2, 0.3, 0.1])
        if self.kind in ("music", "rhythm") or behind in ("music", "both"):
            _music(line, rng, self.beat_s, self.seconds, loud * rng.uniform(0.1, 0.6))
        if behind in ("wind", "both"):
            line += (loud * rng.uniform(0.01, 0.08) * rng.standard_normal(len(line))).astype(np.float32)
        line += (1e-4 * rng.standard_normal(len(line))).astype(np.float32)
        return np.asarray(np.clip(line[:count], -1, 1) * 32_767, np.int16)


def _add(line: npt.NDArray[np.float32], t: float, wave: Floats) -> None:
    first = round(t * SOUND_HZ)
    if 0 <= first < len(line) - len(wave):
        line[first : first + len(wave)] += wave.astype(np.float32)


def _swell(count: int, attack_s: float, fall_s: float) -> Floats:
    t = np.arange(count) / SOUND_HZ
    return np.asarray(np.minimum(t / attack_s, 1) * np.exp(-t / fall_s))


def _shot(rng: np.random.Generator) -> Floats:
    count = round(SOUND_HZ * 0.25)
    return np.asarray(np.clip(rng.standard_normal(count), -2, 2) / 2 * _swell(count, rng.uniform(5e-4, 3e-3), 0.05))


def _jump(rng: np.random.Generator) -> Floats:
    count = round(SOUND_HZ * 0.2)
    hz = rng.uniform(250, 500) * (1 + 4 * np.arange(count) / SOUND_HZ)
    return np.asarray(np.sin(2 * np.pi * np.cumsum(hz) / SOUND_HZ) * _swell(count, rng.uniform(2e-3, 8e-3), 0.08))


def _music(line: npt.NDArray[np.float32], rng: np.random.Generator, beat_s: float, seconds: float, loud: float) -> None:
    scale = 220 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12]) / 12)
    for number, t in enumerate(np.arange(0, seconds, beat_s / 2)):
        if rng.random() < 0.7:
            count = round(SOUND_HZ * beat_s)
            hz = float(rng.choice(scale))
            tone = sum(np.sin(2 * np.pi * hz * k * np.arange(count) / SOUND_HZ) / k for k in (1, 2, 3))
            _add(line, t, loud * 0.5 * tone * _swell(count, rng.uniform(4e-3, 0.03), 0.25))
        if number % 2 == 0 or rng.random() < 0.3:
            count = round(SOUND_HZ * 0.08)
            _add(line, t, loud * rng.standard_normal(count) * 0.4 * _swell(count, 1e-3, 0.02))
