"""Pictures of the steered worlds: a wide textured scenery under a camera, and what stands, walks and blinks before it.

All that stays is drawn once; a picture is a slice of it, moved by the rest of a pixel, with some small things on top,
well under a millisecond at 320x180. The same scene and state give the same picture.

Example:
    >>> painter = Painter(Look.drawn(np.random.default_rng(0)), (180, 320), seed=0)
    >>> painter.picture(0, State(t_s=0.0, camera=(3.5, 0.0))).shape
    (180, 320, 3)
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

WIDE: Final = 4
"""How many pictures wide the scenery is, and twice as high."""
SLOTS: Final = 5
"""Places of the bar at the bottom."""
_GRAIN: Final = 6
"""Different grains of noise."""
_MORE: Final = 64
_MIDDLE: Final = np.array((8.0, 8.0, 8.0, 0.0))
"""What is added to a grain of noise, so that it is never below 0."""


def sometimes(rng: np.random.Generator, share: float) -> bool:
    """Say yes in a share of the cases."""
    return bool(rng.random() < share)


class State(NamedTuple):
    """What a picture shows.

    Attributes:
        t_s: When it is drawn; walkers, clouds and clocks go by it.
        camera: (x, y) px of the upper left corner in the scenery.
        hop: How high the figure is, in its own heights.
        low: Whether the figure ducks.
        flash: How bright the flash is, 0 to 1.
        slot: Which place of the bar is chosen.
        lit: Whether the lamp beside the bar is on.
        pose: Whether the figure shows its other side.
    """

    t_s: float
    camera: tuple[float, float] = (0.0, 0.0)
    hop: float = 0.0
    low: bool = False
    flash: float = 0.0
    slot: int = 0
    lit: bool = False
    pose: bool = False


class Look(NamedTuple):
    """How a scene looks, and what goes on in it whatever anybody does.

    Attributes:
        style: `grain`, `tiles`, `hills` or `sparse`.
        contrast: Of its texture.
        layers: Whether it is seen from the side, the far half scrolling slower.
        figure: Whether a figure stands in the middle.
        bar: Whether a bar of places is there.
        weapon: Share of the width that something held takes, which never moves.
        walkers: How many walk about.
        clouds: Whether shadows drift over it.
        blink_s: How long a lamp is on and off; 0 for none.
        clock: Whether a bar fills up by itself.
        noise: Standard deviation of a pixel, in levels.
        flicker: By which share the brightness wobbles.
        menu: Whether a menu lies over it.
    """

    style: str = "grain"
    contrast: float = 1.0
    layers: bool = False
    figure: bool = False
    bar: bool = True
    weapon: float = 0.0
    walkers: int = 0
    clouds: bool = False
    blink_s: float = 0.0
    clock: bool = False
    noise: float = 0.0
    flicker: float = 0.0
    menu: bool = False

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Look:
        """Draw one, as games differ."""
        return cls(
            style=str(rng.choice(["grain", "tiles", "hills", "sparse"])),
            contrast=float(rng.uniform(0.5, 1.3)),
            bar=sometimes(rng, 0.7),
            weapon=float(rng.choice([0.0, 0.0, 0.2, 0.35])),
            walkers=int(rng.integers(0, 5)),
            clouds=sometimes(rng, 0.3),
            blink_s=float(rng.choice([0.0, rng.uniform(0.2, 0.8)])),
            clock=sometimes(rng, 0.4),
            noise=float(rng.choice([0.0, 1.0, 3.0])),
            flicker=float(rng.choice([0.0, 0.0, 0.01, 0.03])),
        )


class Painter:
    """Draws the pictures of one scene.

    Args:
        look: How it looks.
        size: (height, width) in px.
        seed: Of what stands in it.
    """

    def __init__(self, look: Look, size: tuple[int, int], *, seed: int) -> None:
        self.look, self.size = look, size
        height, width = size
        rng = np.random.default_rng([seed, 0x5CE])
        self._scenery = _scenery(rng, look, 2 * height, WIDE * width)
        self._colours = rng.integers(30, 256, (_MORE, 3)).tolist()
        self._walks = rng.uniform((0, 0.25, -60, 0.04), (WIDE * width, 0.8, 60, 0.12), (max(look.walkers, 1), 4))
        self._seed = seed
        grains = rng.normal(0, 1, (_GRAIN, height + _MORE, width + _MORE, 1)) * look.noise
        self._grains = np.clip(np.rint(grains + 8), 0, 16).astype(np.uint8).repeat(3, axis=3) if look.noise else None
        self._shadow = _shadow(rng, height, 2 * width) if look.clouds else None

    def picture(self, number: int, state: State) -> Pixels:
        """Draw.

        Args:
            number: Of the drawing; noise and flicker go by it.
            state: What it shows.

        Returns:
            (H, W, 3) uint8 RGB, a new array.
        """
        look = self.look
        picture = self._view(state)
        self._walkers(picture, state)
        if self._shadow is not None:
            self._clouds(picture, state.t_s)
        if look.figure:
            self._figure(picture, state)
        self._held(picture, state)
        self._shown(picture, state)
        if look.menu:
            self._menu(picture, state.t_s)
        chance = np.random.default_rng([self._seed, number]) if look.noise or look.flicker else None
        if chance is not None and look.flicker:
            picture = _u8(cv2.convertScaleAbs(picture, alpha=1 + look.flicker * float(chance.normal())))
        if chance is not None and self._grains is not None:
            which, top, left = (int(chance.integers(n)) for n in (_GRAIN, _MORE, _MORE))
            grain = self._grains[which, top : top + self.size[0], left : left + self.size[1]]
            picture = _u8(cv2.subtract(cv2.add(picture, grain), _MIDDLE))
        return picture

    def _view(self, state: State) -> npt.NDArray[np.uint8]:
        height, width = self.size
        x, y = state.camera
        if not self.look.layers:
            return _cut(self._scenery, x, y + height / 2, height, width)
        half = height // 2
        far = _cut(self._scenery, 0.35 * x, y, half, width)
        return np.concatenate([far, _cut(self._scenery, x, y + half, height - half, width)])

    def _walkers(self, picture: Pixels, state: State) -> None:
        height, width = self.size
        wide = self._scenery.shape[1]
        for k, (start, row, speed, part) in enumerate(self._walks[: self.look.walkers].tolist()):
            x = round((start + speed * state.t_s - state.camera[0]) % wide - width / 2)
            y = round(row * height - (0 if self.look.layers else state.camera[1]))
            high = round(2 * part * height)
            step = int(4 * state.t_s * abs(speed) / 40) % 2
            _box(picture, x, y, high // 2, high, self._colours[k])
            _box(picture, x + step * high // 4, y + high, high // 4, high // 4, self._colours[k + 8])

    def _clouds(self, picture: Pixels, t_s: float) -> None:
        assert self._shadow is not None
        width = self.size[1]
        left = int(12 * t_s) % (2 * width)
        cv2.subtract(picture, self._shadow[:, left : left + width], dst=picture)

    def _figure(self, picture: Pixels, state: State) -> None:
        height, width = self.size
        tall = height // 5
        body = tall // 2 if state.low else tall
        foot = round(height * 0.72 - state.hop * tall)
        left = round(width * 0.45)
        _box(picture, left, foot - body, tall // 2, body, self._colours[20])
        face = left + tall // 4 if state.pose else left
        _box(picture, face, foot - body + body // 8, tall // 4, body // 4, self._colours[21])

    def _held(self, picture: Pixels, state: State) -> None:
        height, width = self.size
        wide = round(self.look.weapon * width)
        _box(picture, width * 6 // 7 - wide, height - wide // 2, wide, wide // 2, self._colours[30])
        _box(picture, width * 6 // 7 - wide, height - wide * 3 // 5, wide // 5, wide // 3, self._colours[31])
        if state.flash > 0:
            place = (width * 6 // 7 - wide, height - wide * 3 // 5) if wide else (width * 3 // 5, height * 3 // 5)
            cv2.circle(picture, place, height // 12, [round(c * state.flash) for c in (255, 230, 150)], -1)

    def _shown(self, picture: Pixels, state: State) -> None:
        height, width = self.size
        side = height // 11
        if self.look.bar:
            for slot in range(SLOTS):
                left = width // 2 - (SLOTS * side) // 2 * 5 // 4 + slot * side * 5 // 4
                bright = (235, 235, 235) if slot == state.slot else (60, 60, 60)
                _box(picture, left, height - side - 3, side, side, bright)
                _box(picture, left + 2, height - side - 1, side - 4, side - 4, self._colours[40 + slot])
            _box(picture, 6, height - side - 3, side * 3, side, (250, 220, 80) if state.lit else (50, 45, 40))
        if self.look.blink_s and int(state.t_s / self.look.blink_s) % 2:
            _box(picture, width - 2 * side, 4, side, side, (230, 40, 40))
        if self.look.clock:
            _box(picture, 4, 4, round(width / 4 * (state.t_s / 20 % 1)), side // 2, (80, 220, 120))

    def _menu(self, picture: Pixels, t_s: float) -> None:
        height, width = self.size
        _box(picture, width // 5, height // 6, width * 3 // 5, height * 2 // 3, (38, 38, 48))
        for row in range(4):
            bright = 120 + (round(60 * np.sin(3 * t_s)) if row == 1 else 0)
            _box(picture, width // 3, height // 4 + row * height // 7, width // 3, height // 14, (bright,) * 3)


def _u8(picture: object) -> Pixels:
    return np.asarray(picture, np.uint8)


def _box(picture: Pixels, left: int, top: int, width: int, height: int, colour: npt.ArrayLike) -> None:
    picture[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = colour


def _cut(scenery: Pixels, x: float, y: float, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Cut a piece out of a scenery that has no ends."""
    rows, columns = scenery.shape[0] - _MORE, scenery.shape[1] - width - _MORE
    x, y = x % columns, y % rows
    left, top = int(x), int(y)
    need = top + height + 1
    piece = scenery[top:need, left : left + width + 1]
    if need > scenery.shape[0]:
        piece = np.concatenate([piece, scenery[: need - scenery.shape[0], left : left + width + 1]])
    moved = np.array([[1.0, 0.0, x - left], [0.0, 1.0, y - top]])
    return np.asarray(cv2.warpAffine(piece, moved, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))


def _shadow(rng: np.random.Generator, height: int, width: int) -> Pixels:
    coarse = rng.random((3, 6))
    coarse[:, -1] = coarse[:, 0]
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = np.clip(70 * (smooth - 0.4), 0, 60).astype(np.uint8)
    return np.concatenate([grey, grey], axis=1)[..., None].repeat(3, axis=2)


def _scenery(rng: np.random.Generator, look: Look, height: int, width: int) -> Pixels:
    """Draw what the camera passes over, with its beginning behind its end."""
    base = rng.uniform(60, 190, 3)
    layer = np.empty((height, width, 3), np.float32)
    layer[:] = base
    layer += np.linspace(25, -25, height, dtype=np.float32)[:, None, None]
    if look.style == "grain":
        for cell, strength in ((24, 26), (6, 18), (2, 8)):
            layer += _patches(rng, height, width, cell, strength * look.contrast)
    elif look.style == "tiles":
        layer += _patches(rng, height, width, 16, 34 * look.contrast)
        layer[::16] -= 18
        layer[:, ::16] -= 18
    elif look.style == "hills":
        turn = np.arange(width) * 2 * np.pi / width
        for depth in range(6):
            wave = sum(np.sin(turn * int(rng.integers(2, 40)) + rng.uniform(0, 7)) * height * 0.03 for _ in range(3))
            below = np.arange(height)[:, None] > height * (0.2 + 0.13 * depth) + wave
            layer[below] = np.clip(base + rng.normal(0, 35 * look.contrast, 3), 10, 240)
        layer += _patches(rng, height, width, 5, 7 * look.contrast)
    for _ in range({"sparse": 90, "hills": 30}.get(look.style, 12)):  # houses, trees, crates
        wide, high = (int(v) for v in rng.integers(8, 60, 2))
        top, left = int(rng.integers(0, height - high)), int(rng.integers(0, width - wide))
        layer[top : top + high, left : left + wide] = rng.uniform(20, 235, 3)
        layer[top + 3 : top + high - 3 : 8, left + 3 : left + wide - 3] += 30
    whole = layer.clip(0, 255).astype(np.uint8)
    more = width // WIDE + _MORE
    whole = np.concatenate([whole, whole[:, :more]], axis=1)
    return np.ascontiguousarray(np.concatenate([whole, whole[:_MORE]]))


def _patches(rng: np.random.Generator, height: int, width: int, cell: int, strength: float) -> npt.NDArray[np.float32]:
    rows, columns = -(-height // cell), -(-width // cell)
    coarse = rng.normal(0, strength, (rows, columns, 1)).astype(np.float32)
    return coarse.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
