"""Files as JumpNet saves them, from facts (systems.md 5.2 and 5.3): rows of six values, np.savez of object arrays."""

import numpy as np

SIDE = 24
"""Pixels a side here; the reference has 227."""


def pixels(k: int, side: int = SIDE) -> np.ndarray:
    """Picture k: (side, side, 3) uint8, one colour above and another below."""
    picture = np.full((side, side, 3), (k * 7) % 256, np.uint8)
    picture[side // 2 :] = (k * 11 + 5) % 256
    return picture


def image(k: int, side: int = SIDE) -> np.ndarray:
    """Picture k as the recorder keeps it: float32 from 0 to 1."""
    return pixels(k, side).astype(np.float32) / 255.0


def raw(k, interval, down, holds, phase, frame, side=SIDE):
    return (image(k, side), interval, np.array(down, np.float32), np.array(holds, np.float32), phase, frame)


def row(k, label, keys, holds, frame, side=SIDE):
    return (image(k, side), label, np.array(keys, np.float32), np.array(holds, np.float32), "press", frame)


def save(path, rows, keys=("w",), *, compressed=False):
    """Save rows as the scripts do; `keys` None leaves them out."""
    data = np.array(rows, dtype=object)
    more = {} if keys is None else {"keys": np.array(keys, dtype=object)}
    (np.savez_compressed if compressed else np.savez)(path, data=data, **more)
    return path


def ragged(rows):
    """Rows of several lengths: an array of sequences."""
    data = np.empty(len(rows), object)
    data[:] = [list(one) for one in rows]
    return data
