"""Frames of one recording with keys and telemetry as arrays, row by row: what ReActure's dataset class gives.

Row i is the i-th frame of the recording. Its keys are those of its interval, its telemetry is the row that belongs to
this frame; what the recording does not say is NaN, and counted in `unknown`. Pictures of a set whose array lies in a
file are mapped, also where its head is damaged; others are decoded when they are asked for.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rushes.capture.recorder import record
    >>> from rushes.capture.steered import SteeredBackend
    >>> from rushes.worlds.steered.world import Steered
    >>> folder = Path(tempfile.mkdtemp()) / "take"
    >>> take = Rows.of(record(SteeredBackend(Steered(kind="keys_local", seconds=0.2)), folder))
    >>> take.arrays([0, 1])["keys"].shape, take.unknown["battery"]
    ((2, 6), 6)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.imported import Imported
from rushes.formats.reacture.pictures import Stack
from rushes.model.actions import ActionSpace
from rushes.model.layouts import slot
from rushes.model.recording import Recording
from rushes.store.pairing import pairs

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

KEYS: Final = ("W", "A", "S", "D", "inspect", "destroy")
"""Columns of `keys`, in the original's order."""
OTHER_KEYS: Final = ("Space", "E", "R", "mouse_dx", "mouse_dy")
"""What stands in `key_presses` of a row besides."""
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "position": ("position_x", "position_y", "position_z"),
    "velocity": ("velocity_x", "velocity_y", "velocity_z"),
    "accelerometer": ("acceleration_x", "acceleration_y", "acceleration_z"),
    "battery": ("battery",),
    "damage": ("damage",),
}
"""What a batch holds of telemetry -> the columns that it is made of."""
KEPT_BYTES: Final = 512 << 20
"""Pictures that are not mapped stay in memory, once decoded, up to this; 10,900 of 128 x 128, 18 minutes."""
_SPACE: Final = ActionSpace("buttons", tuple(slot(name) for name in (*KEYS, *OTHER_KEYS)))
_MODES: Final = ("inspect", "destroy")
_NS_A_MS: Final = 1_000_000


@dataclass
class Rows:
    """The frames of a recording.

    Attributes:
        recording: It.
        index: One row a frame, columns `INDEX_COLUMNS`.
        vectors: (N, 11) float32, `KEYS` and `OTHER_KEYS`: 1 where a key was down at any time until the next frame, and
            sums of motion.
        telemetry: One row a frame; a column is NaN or None where nothing was told.
        between: What the game told that belongs to no frame.
    """

    recording: Recording
    index: pd.DataFrame
    vectors: Floats
    telemetry: pd.DataFrame
    between: pd.DataFrame
    _columns: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    _pictures: Pixels | None = None

    @classmethod
    def of(cls, recording: Recording) -> Rows:
        """Read all but the pictures.

        Raises:
            BadInputError: A recording without frames, or one of an environment.
        """
        if recording.is_environment or not recording.frame_count:
            what = "steps of an environment" if recording.is_environment else "no frames"
            raise BadInputError(
                f"{recording.info.id}, which has {what}",
                accepts="play with keys and pictures",
                fix="use rushes.loaders.torch.GameplayDataset",
            )
        each = list(pairs(recording))
        index = pd.concat([pair.index for pair in each], ignore_index=True)
        vectors = np.concatenate([pair.grid.vector(_SPACE) for pair in each])
        told = recording.telemetry()
        own = told[told["frame_index"].notna()].drop_duplicates("frame_index", keep="last")
        own = own.assign(frame_index=own["frame_index"].astype("int64")).set_index("frame_index")
        of_frames = own.reindex(index["frame_index"]).reset_index(drop=True).drop(columns=["t_ns", "segment"])
        for mode in _MODES:
            if mode in of_frames:
                there = of_frames[mode].map(lambda value: value == True).to_numpy(np.float32)  # noqa: E712 - NaN is not
                column = KEYS.index(mode)
                vectors[:, column] = np.maximum(vectors[:, column], there)
        between = told[told["frame_index"].isna()].drop(columns="frame_index").reset_index(drop=True)
        return cls(recording, index, vectors, of_frames, between)

    def __len__(self) -> int:
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_pictures": None}  # a mapped array would travel to a worker as a copy

    @cached_property
    def t_ns(self) -> npt.NDArray[np.int64]:
        """(N,) ns since session start."""
        return self.index["t_ns"].to_numpy(np.int64)

    @cached_property
    def t_ms(self) -> npt.NDArray[np.float64]:
        """(N,) ms: as a set of the game tells them, since its start; of any other recording since its first frame."""
        is_games = dict(self.recording.info.source) == {"kind": "import", "name": "reacture"}
        origin = 0 if is_games else int(self.t_ns[0])
        return np.asarray((self.t_ns - origin) / _NS_A_MS, np.float64)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Give a part of `COLUMNS`: (N, its columns) float64, NaN where nothing was told."""
        if name not in self._columns:
            made = self.telemetry.reindex(columns=list(COLUMNS[name]))
            numbers = made.apply(pd.to_numeric, errors="coerce")
            self._columns[name] = numbers.to_numpy(np.float64, na_value=np.nan)
        return self._columns[name]

    @property
    def unknown(self) -> dict[str, int]:
        """Part of `COLUMNS` -> on how many frames it is not known; empty where all is."""
        counts = {name: int(np.isnan(self.column(name)).any(axis=1).sum()) for name in COLUMNS}
        return {name: count for name, count in counts.items() if count}

    @property
    def shape(self) -> tuple[int, int, int, int] | None:
        """(N, H, W, 3) of the pictures; None where there are none."""
        stream = self.recording.info.stream("frames")
        if stream is None or not stream.height:
            return None
        return len(self), stream.height, stream.width, 3

    def pictures(self) -> Pixels | None:
        """Give all pictures, (N, H, W, 3) uint8 RGB: mapped where they lie in one file, else decoded into memory.

        Returns:
            None where there are none.
        """
        if self.shape is not None and self._at_hand() is None:
            made = np.empty(self.shape, np.uint8)
            for place, picture in enumerate(self._decoded(range(len(self)))):
                made[place] = picture
            self._pictures = made
        return self._pictures

    def picture(self, row: int) -> Pixels | None:
        """Give the picture of a row, (H, W, 3) uint8 RGB, a copy; None where there is none."""
        if self.shape is None:
            return None
        every = self._at_hand()
        return np.array(next(self._decoded([row])) if every is None else every[row])

    def _at_hand(self) -> Pixels | None:
        """Give all pictures where they can be mapped, or were decoded already."""
        if self._pictures is None:
            self._pictures = _mapped(self.recording)
        return self._pictures

    def _decoded(self, rows: Sequence[int]) -> Iterator[Pixels]:
        """Decode the pictures of rows; those that stand next to each other together."""
        numbers = self.index["frame_index"].to_numpy(np.int64)[list(rows)]
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if len(numbers) else []
        for run in runs:
            yield from self.recording.frames(int(run[0]), int(run[-1]) + 1)

    def arrays(self, rows: Sequence[int]) -> dict[str, Any]:
        """Give what a batch is made of.

        Args:
            rows: (B,) which.

        Returns:
            `frame` uint8 (B, H, W, 3) where there are pictures, `keys` float32 (B, 6), the parts of `COLUMNS`
            float32, `timestamp` float64 (B,) ms.
        """
        chosen = np.asarray(rows, np.int64)
        found: dict[str, Any] = {}
        if self.shape is not None:
            small = int(np.prod(self.shape)) <= KEPT_BYTES
            every = self.pictures() if small else self._at_hand()
            each = np.stack(list(self._decoded(chosen.tolist()))) if every is None else every[chosen]
            found["frame"] = np.ascontiguousarray(each)
        found["keys"] = self.vectors[chosen, : len(KEYS)]
        found |= {name: self.column(name)[chosen].astype(np.float32) for name in COLUMNS}
        found["timestamp"] = self.t_ms[chosen]
        return found


def _mapped(recording: Recording) -> Pixels | None:
    """Map the pictures of a set that lie in one file in the order of its frames; None for all others.

    Raises:
        MissingError: The file went away.
        BadDataError: It has become shorter.
    """
    stack = recording.source_of_frames if isinstance(recording, Imported) else None
    if not isinstance(stack, Stack) or (np.diff(stack.order) != 1).any():
        return None
    try:
        place = stack.place.whereabouts(stack.name)
        if place is None:
            return None
        path, begin = place
        first = int(stack.order[0]) * int(np.prod(stack.shape))
        shape = (len(stack.order), *stack.shape)
        made = np.memmap(path, np.uint8, "r", offset=begin + stack.begin + first, shape=shape)
    except FileNotFoundError as error:
        raise MissingError(
            f"{stack.place.name}: {stack.name} went away while the set was open",
            accepts="a set that nobody changes",
            fix="open it again",
        ) from error
    except ValueError as error:
        raise BadDataError(
            f"{stack.place.name}: {stack.name} is shorter than it was",
            accepts="a set that nobody changes",
            fix="open it again",
        ) from error
    return made[:, ::-1] if stack.flip else made


def measures(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Measure what is known along the first axis: mean, std, min and max; None where nothing is."""
    known = values[~np.isnan(values.reshape(len(values), -1)).any(axis=1)]
    if not len(known):
        return dict.fromkeys(("mean", "std", "min", "max"))
    made = {"mean": known.mean(axis=0), "std": known.std(axis=0), "min": known.min(axis=0), "max": known.max(axis=0)}
    return {name: np.asarray(value).tolist() for name, value in made.items()}
