"""A session whose every frame says its own number: in its pixels, in what is pressed on it, and in what is heard.

Frame k of the session shows k in 12 black and white squares, written by hand here and read back by `number_in`. During
[t_k, t_{k+1}) the mouse moves k + 1 counts to the right, `Space` is tapped for 2 ms where k is divisible by 5, `KeyW`
is down where `k % 20` is 4 to 11, and every sample of the sound is 100 * (1 + k % 50). Frames come at irregular times.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Sound, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter

HZ = 16_000
SQUARES = (3, 4)
SIDE = 16
SPACE = ActionSpace.from_names(["KeyW", "Space", "MouseDX"])
MS = 1_000_000


def times(frames: int) -> list[int]:
    """Irregular, and each a whole number of samples of the sound, so that a row begins with a sample of its own."""
    return [(k * 33 + (k * 7) % 5) * MS for k in range(frames + 1)]


def picture(number: int) -> np.ndarray:
    bits = [(number >> place) & 1 for place in range(12)]
    small = np.array(bits, np.uint8).reshape(SQUARES) * 255
    return np.repeat(np.repeat(small, SIDE, 0), SIDE, 1)[:, :, None].repeat(3, 2)


def number_in(frame: np.ndarray) -> int:
    """Read the number off a frame of any size: (H, W, 3), any scale."""
    height, width = frame.shape[0] / SQUARES[0], frame.shape[1] / SQUARES[1]
    middle = frame.astype(np.float64).mean(-1)
    bright = float(middle.max())
    found = 0
    for place in range(12):
        row, column = divmod(place, SQUARES[1])
        at = middle[int((row + 0.5) * height), int((column + 0.5) * width)]
        found |= int(at > bright / 2 and bright > 0) << place
    return found


def held(number: int) -> bool:
    return 4 <= number % 20 <= 11


def inputs_of(number: int) -> list[float]:
    """What must stand in the row of a frame, in the order of SPACE."""
    return [float(held(number)), float(number % 5 == 0), float(number + 1)]


def make(path: Path, segments=(100, 60), *, first=1, codec="png", sound="system", game="Planted", space=SPACE) -> Path:
    """Write a session. Numbers go on from segment to segment, beginning with `first`; sound may be left out."""
    height, width = SQUARES[0] * SIDE, SQUARES[1] * SIDE
    streams = [
        StreamSpec("screen", "frames", codec, exact=codec == "png", width=width, height=height, rate_hz=30.0),
        StreamSpec("events", "events", unit="counts"),
    ]
    if sound:
        streams.append(StreamSpec(sound, "sound", "flac", rate_hz=HZ))
    info = SessionInfo(path.name, game, {"kind": "synthetic", "name": "planted"}, "measured", tuple(streams), space)
    with SessionWriter(path, info) as writer:
        number, begin = first, 0
        for count in segments:
            at = [begin + t for t in times(count)]
            encoder = VideoEncoder(codec, width=width, height=height, rate_hz=30) if codec != "png" else None
            writer.write(Start(at[0], {}, 1_700_000_000_000_000_000 + at[0]))
            down = False
            for k in range(count):
                pixels = picture(number + k)
                writer.write(Frame(at[k], pixels if encoder is None else _encoded(encoder, codec, pixels)))
                for reading in _row(number + k, at[k], at[k + 1], down=down, sound=sound):
                    writer.write(reading)
                down = held(number + k)
            writer.write(Gap(at[count], "pause"))
            number, begin = number + count, at[count] + 500 * MS
    return path


def _row(number: int, start: int, end: int, *, down: bool, sound: str):
    if sound:
        count = (end - start) * HZ // 1_000_000_000
        yield Sound(start, np.full((count, 1), 100 * (1 + number % 50), np.int16), HZ, sound)
    if held(number) != down:
        yield Event(start, "kbd", "KeyW", "press" if held(number) else "release")
    if number % 5 == 0:
        yield Event(start + MS, "kbd", "Space", "press")
        yield Event(start + 3 * MS, "kbd", "Space", "release")
    moves = [number // 2, number + 1 - number // 2]
    for part, dx in enumerate(moves):
        yield Event(start + (5 + 9 * part) * MS, "mouse", "Mouse", "move", dx=float(dx), dy=0.0)


def _encoded(encoder: VideoEncoder, codec: str, pixels: np.ndarray) -> Encoded:
    data = encoder.encode(pixels)
    return Encoded(codec, data, encoder.last_was_key)
