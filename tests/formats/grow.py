"""A program for the tests of memory: converts FRAMES frames of play to FORMAT and back, prints how much it grew in MB.

    python grow.py FRAMES EPISODE FORMAT FOLDER

The source makes its pictures when they are asked for, so what grows is the conversion.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import pandas as pd
from fake import ALIEN, PALETTE, Fake

from rushes.formats import atari_folders, atari_interleaved, atari_simple, base, session  # noqa: F401 - counted before
from rushes.model.clock import emulated_ns
from rushes.model.recording import Picture, Sessions
from rushes.store.images import encode_indexed


def peak_mb() -> float:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


class Long(Fake):
    """Real screen size; 64 different pictures of about 3 kB, told apart by nothing but their order."""

    def __init__(self, frames: int, episode: int) -> None:
        rng = np.random.default_rng(0)
        self.made = []
        for _ in range(64):
            screen = np.kron(rng.integers(0, 8, (42, 20)), np.ones((5, 8), int)).astype(np.uint8)
            self.made.append(encode_indexed(screen, PALETTE))
        super().__init__([episode] * (frames // episode), names=ALIEN)

    def index(self, segment=None) -> pd.DataFrame:
        s = self.segments[segment]
        k = np.arange(s.first_frame, s.stop_frame)
        no = np.zeros(len(k), bool)
        return pd.DataFrame(
            {
                "frame_index": k, "tick": k, "picture": k, "t_ns": [emulated_ns(int(i), frameskip=4) for i in k],
                "segment": s.index, "duplicate": no, "late": no, "dropped_before": 0,
            }
        )  # fmt: skip

    def pictures(self, start: int, stop: int):
        for k in range(start, stop):
            yield Picture("png-indexed", self.made[k % 64])

    def frames(self, start: int, stop: int):
        raise AssertionError("a palette screen is never decoded by its recording")


def main(frames: int, episode: int, name: str, folder: str) -> None:
    source = Sessions([Long(frames, episode)], format="fake")
    list(source[0].pictures(0, 64))
    before = peak_mb()
    target = Path(folder) / name
    base.convert(source, target, format=name)
    written = peak_mb() - before
    opened = base.open_any(target)
    count = sum(1 for one in opened for _ in one.pictures(0, one.frame_count))
    assert count == frames // episode * episode, count
    sys.stdout.write(f"{written:.0f} {peak_mb() - before:.0f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
