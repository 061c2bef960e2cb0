"""ReActure's dataset class, with its names, over any set that can be read: a sample a frame.

    from rushes.loaders.reacture import ReActureDataset
    dataset = ReActureDataset("reacture_1731177600000_metadata.json")
    for batch in dataset.to_pytorch_dataloader(batch_size=32, shuffle=True):
        batch["frame"], batch["keys"], batch["battery"]  # (B, 3, 128, 128), (B, 6), (B, 1)

A sample is a dict with the names of the set's rows (`timestamp_ms`, `event`, `key_presses`, `robot`, `sensors` ...),
`frame` (H, W, 3) uint8 RGB, `frame_timestamp_ms`, `keys` (6,) float32 in the order W, A, S, D, inspect, destroy,
`battery`, `damage`, `health`, `fuel` and `zone`; what nobody told is None there and NaN in batches. A batch is:

| name | PyTorch | TensorFlow |
| --- | --- | --- |
| `frame`, from 0 to 1 | float32 (B, 3, H, W) | float32 (B, H, W, 3) |
| `keys` | float32 (B, 6) | the same |
| `position`, `velocity`, `accelerometer` | float32 (B, 3) | the same |
| `battery`, `damage` | float32 (B, 1) | the same |
| `timestamp` | float64 (B,) ms | none, as in the original |

What is other than in the original, because it was wrong there:

| the original | here |
| --- | --- |
| row i gets frame i, and is of another time from the first row on | by number, then by time |
| a sample a line; a line of an action raises KeyError in a batch | a sample a frame; other lines: `between` |
| the arrays that its game wrote cannot be opened | mapped, their damaged heads read for what was meant |
| times are row number x 100 ms | those at which the pictures were taken |
| keys are the state at one instant | down at any time until the next frame, so that no tap is lost |
| `get_statistics()` raises AttributeError | it works, and is over frames |
| a set without pictures gives black ones | batches have no `frame`; a sample's is None |
| each pass of `shuffle=True` is another one each time | it follows from `seed`; TensorFlow mixes all, not 1000 |

Example:
    >>> def losses(path, model, loss):
    ...     for batch in ReActureDataset(path).to_pytorch_dataloader(batch_size=32, shuffle=True):
    ...         yield loss(model(batch["frame"]), batch["keys"])
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.formats.reacture.fields import nested
from rushes.loaders.reacture_batches import tensorflow_dataset, torch_loader
from rushes.loaders.reacture_rows import KEYS, OTHER_KEYS, Rows, measures
from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.store.validity import honour

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

_METADATA: Final = "_metadata.json"
_MOST_METADATA: Final = 16 << 20
_PERIODIC: Final = "periodic_update_10hz"
_TOLD: Final = ("battery", "damage", "health", "fuel", "zone")
_NS_A_MS: Final = 1_000_000


class ReActureDataset:
    """A set as ReActure's class gives it, mended.

    Args:
        metadata_path: The set's `reacture_<ms>_metadata.json`; or its folder or ZIP file, any path that can be read,
            or a recording.
        session: Which, where the path holds several: the id of a recording.
        bottom_up: Whether the game stored the pictures bottom-up, and they are to be turned.

    Attributes:
        recording: The set as a recording, with its `problems` and its `ledger`.
        metadata: What the metadata file says; of another source, where it comes from.
        session_id: What its files' names begin with, or the recording's id.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is no set, or damaged beyond reading.
        BadInputError: Several sets, or one of an environment.
    """

    def __init__(self, metadata_path: str | Path | Recording, *, session: str = "", bottom_up: bool = False) -> None:
        if isinstance(metadata_path, Recording):
            found = [metadata_path]
        else:
            path = Path(metadata_path)
            options = {"bottom_up": "true"} if bottom_up else None
            form = "reacture" if path.name.endswith(_METADATA) else None
            found = list(open_any(path, format=form, options=options))
        self.recording = honour(_chosen(found, session))
        self._rows = Rows.of(self.recording)
        self.session_id = self.recording.info.id
        self.metadata: dict[str, Any] = dict(self.recording.info.provenance)
        if not isinstance(metadata_path, Recording) and path.name.endswith(_METADATA):
            self.session_id = path.name.removesuffix(_METADATA)
            self.metadata = _metadata(path) or self.metadata

    def __len__(self) -> int:
        """Count the frames."""
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Give the sample of a frame; see the head of this file.

        Raises:
            IndexError: There is no such frame.
        """
        row = range(len(self))[index]
        t_ns, t_ms = int(self._rows.t_ns[row]), float(self._rows.t_ms[row])
        told = {str(name): value for name, value in self._rows.telemetry.iloc[row].items() if not pd.isna(value)}
        event = told.pop("event", _PERIODIC)
        objects = nested(told)
        objects.pop("key_presses", None)
        number = int(self._rows.index["segment"].iloc[row])
        segment = next(s for s in self.recording.segments if s.index == number)
        wall_ns = None if segment.wall_ns is None else segment.wall_ns + t_ns - segment.start_ns
        pressed = dict(zip((*KEYS, *OTHER_KEYS), self._rows.vectors[row].tolist(), strict=True))
        return {
            "timestamp": None if wall_ns is None else f"{np.datetime64(wall_ns // _NS_A_MS, 'ms')}Z",
            "timestamp_ms": t_ms,
            "time_elapsed_s": t_ms / 1000,
            "type": "robot_state",
            "event": event,
            "key_presses": {n: v if n.startswith("mouse") else v > 0 for n, v in pressed.items()},
            **dict.fromkeys(_TOLD),
            **objects,
            "frame_index": int(self._rows.index["frame_index"].iloc[row]),
            "segment": number,
            "keys": self._rows.vectors[row, : len(KEYS)].copy(),
            "frame": self._rows.picture(row),
            "frame_timestamp_ms": t_ms,
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give every sample in order."""
        return (self[row] for row in range(len(self)))

    @property
    def frames_array(self) -> npt.NDArray[np.uint8] | None:
        """(N, H, W, 3) uint8 RGB, not to be written to: mapped where an array holds them; None without pictures."""
        return self._rows.pictures()

    @property
    def frame_timestamps(self) -> npt.NDArray[np.float32]:
        """(N,) float32 ms since the game's start as the set tells it, else since the first frame."""
        return self._rows.t_ms.astype(np.float32)

    @property
    def between(self) -> pd.DataFrame:
        """What the game told that belongs to no frame: `t_ns`, `segment`, `event` and its other columns."""
        return self._rows.between

    @property
    def unknown(self) -> dict[str, int]:
        """Column of a batch -> on how many frames nobody told it."""
        return self._rows.unknown

    def get_frames_as_array(self) -> npt.NDArray[np.uint8] | None:
        """Give `frames_array`, under the original's other name for it."""
        return self.frames_array

    def get_sample_at_time(self, time_s: float) -> dict[str, Any]:
        """Give the sample nearest to a time.

        Args:
            time_s: As `time_elapsed_s`.
        """
        return self[int(np.argmin(np.abs(self._rows.t_ms - time_s * 1000)))]

    def get_time_range(self, start_s: float, end_s: float) -> list[dict[str, Any]]:
        """Give the samples from a time to a time, both included, as `time_elapsed_s`."""
        t_ms = self._rows.t_ms
        return [self[int(row)] for row in np.flatnonzero((t_ms >= start_s * 1000) & (t_ms <= end_s * 1000))]

    def extract_trajectory(self) -> npt.NDArray[np.float64]:
        """Give where the player was: (N, 3) float64, NaN where nobody told."""
        return self._rows.column("position").copy()

    def extract_key_presses(self) -> npt.NDArray[np.float32]:
        """Give the keys: (N, 6) float32, W, A, S, D, inspect, destroy."""
        return self._rows.vectors[:, : len(KEYS)].copy()

    def extract_accelerometer(self) -> npt.NDArray[np.float64]:
        """Give the acceleration: (N, 3) float64, NaN where nobody told."""
        return self._rows.column("accelerometer").copy()

    def extract_battery_damage(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give battery, 0 to 100, and damage, 0 to 1: (N,) float64 each, NaN where nobody told."""
        return self._rows.column("battery")[:, 0].copy(), self._rows.column("damage")[:, 0].copy()

    def get_statistics(self) -> dict[str, Any]:
        """Count and measure, over frames, as plain numbers; None where nobody told.

        Returns:
            The original's keys, and `measured_rate_hz`, 1 over the median step of frames; None where times are nominal.
        """
        keys, segments = self.extract_key_presses(), self._rows.index["segment"].to_numpy()
        steps = np.diff(self._rows.t_ns)[np.diff(segments) == 0]
        measured = self.recording.info.time_source == "measured" and len(steps) > 0
        battery, damage = self.extract_battery_damage()
        places = {f"{name}_position": value for name, value in measures(self.extract_trajectory()).items()}
        return {
            "num_samples": len(self),
            "num_frames": len(self) if self._rows.shape else 0,
            "duration_s": self.recording.duration_s,
            "sampling_rate": self.recording.rate_hz,
            "measured_rate_hz": NS / float(np.median(steps)) if measured else None,
            "trajectory_stats": places,
            "key_press_frequency": {name: float(keys[:, k].mean(dtype=np.float64)) for k, name in enumerate(KEYS)},
            "battery_stats": measures(battery),
            "damage_stats": measures(damage),
        }

    def to_pytorch_dataloader(
        self, batch_size: int = 32, shuffle: bool = True, *, num_workers: int = 0, seed: int = 0
    ) -> DataLoader[Any]:
        """Make a DataLoader.

        Args:
            batch_size: Frames a batch; the last may have fewer.
            shuffle: Whether all frames are mixed, anew in each epoch.
            num_workers: Processes that prepare batches.
            seed: Of the order of the epochs.

        Returns:
            Gives dicts of tensors; see the head of this file.

        Raises:
            UnavailableError: PyTorch is missing.
            BadInputError: A batch of no frames.
        """
        self._say_unknown()
        return torch_loader(self._rows, batch_size, shuffle=shuffle, num_workers=num_workers, seed=seed)

    def to_tensorflow_dataset(
        self, batch_size: int = 32, shuffle: bool = True, *, shuffle_buffer: int | None = None, seed: int = 0
    ) -> Any:
        """Make a `tf.data.Dataset`; each pass over it is the next epoch.

        Args:
            batch_size: Frames a batch; the last may have fewer.
            shuffle: Whether all frames are mixed, anew in each epoch.
            shuffle_buffer: Mix as the original does, among so many frames that lie ready, early ones early; its: 1000.
            seed: Of the order.

        Returns:
            Gives dicts of tensors without `timestamp`; see the head of this file.

        Raises:
            UnavailableError: TensorFlow is missing.
            BadInputError: No frames a batch or in the buffer.
        """
        self._say_unknown()
        return tensorflow_dataset(self._rows, batch_size, shuffle=shuffle, shuffle_buffer=shuffle_buffer, seed=seed)

    def _say_unknown(self) -> None:
        if self.unknown:
            told = ", ".join(f"{name} on {count} of {len(self)} frames" for name, count in self.unknown.items())
            warnings.warn(f"{self.session_id} does not say all; NaN stands for {told}", stacklevel=3)
        if self._rows.shape is None:
            warnings.warn(f"{self.session_id} has no pictures; batches have no 'frame'", stacklevel=3)

    def __repr__(self) -> str:
        shape = "no pictures" if self._rows.shape is None else f"frames {self._rows.shape}"
        return f"<ReActureDataset {self.session_id}: {len(self)} samples, {shape}, {self.recording.duration_s:.1f} s>"


def _chosen(found: Sequence[Recording], session: str) -> Recording:
    """Choose one of several recordings.

    Raises:
        BadInputError: It is not said which, or it is not there.
    """
    names = [recording.info.id for recording in found]
    if session and session not in names:
        raise BadInputError(f"session={session!r}", accepts=", ".join(names), fix="pass one of them, or leave it out")
    if not session and len(found) != 1:
        raise BadInputError(
            f"a path with {len(found)} sets",
            accepts=f"one set ({', '.join(names[:6])})",
            fix="pass the metadata file of one of them, or session=",
        )
    return found[names.index(session)] if session else found[0]


def _metadata(path: Path) -> dict[str, Any]:
    """Read a metadata file once more, as it is; empty where it is damaged."""
    try:
        values = json.loads(path.read_bytes()[:_MOST_METADATA])
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
