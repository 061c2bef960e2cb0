"""Training samples of the official NitroGen model, from recordings of ours or from its release with a video.

Each item has what `NitrogenTokenizer.encode` of the repository takes in training:

| key | shape | dtype |
|---|---|---|
| `frames` | (F, 3, 256, 256) | float32, SigLIP's (x / 255 - 0.5) / 0.5; or uint8 |
| `dropped_frames` | (F,) | bool, True where the segment has no frame that early (it is zero then, as theirs) |
| `buttons` | (1, T, 21) | float32, 0 or 1, in the order of the settings |
| `j_left`, `j_right` | (1, T, 2) | float32, -1 to 1, up as `vertical` says; the tokenizer maps them to 0 to 1 |
| `game` | | text |

**Which rows.** The release's row i is the controller as it is seen on frame i; our row k is what is done in
[t_k, t_{k+1}), which is seen on frame k + 1. So `action_shift` = s asks for the release's rows i + s ... i + s + T - 1,
and those are our rows i + s - 1 ... i + s + T - 2. With the default s = 1 the first action of frame i is what is done
on frame i. A segment of N rows has N - T - s + 2 samples, and none crosses its edge. Where nobody knows what was done
on a segment's last frame (labels of the release), that row is not used.

Frames are squashed to 256 x 256 by area, aspect not kept, as the model's own program does. The dataset is map-style,
can be pickled and opens its files anew in each process, so a DataLoader may have workers of any kind. `transform` may
be the official tokenizer's `encode`: what stands in the items are NumPy arrays, as it wants them.

Source: MineDojo/NitroGen at 3260844 (`nitrogen/mm_tokenizers.py`, `cfg.py`, `inference_session.py`, `scripts/play.py`).

Example:
    >>> rows_of(frame=10, settings=Settings(action_shift=3, horizon=4)).tolist()
    [12, 13, 14, 15]
    >>> # torch.utils.data.DataLoader(NitrogenSamples("sessions/game"), batch_size=8, num_workers=2, shuffle=True)
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, MissingError
from rushes.formats.base import open_any
from rushes.formats.imported import Imported, NoFrames
from rushes.formats.inputs import NO_PLACE, Account, Rows
from rushes.formats.nitrogen.video import Film
from rushes.formats.options import Given
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger, Tally
from rushes.model.nitrogen import Settings, by_name, signed
from rushes.model.recording import Recording, Sessions
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import delay_of, pairs
from rushes.store.reader import Session
from rushes.store.validity import Valid, honour, honour_all

Floats = npt.NDArray[np.float32]

SIZE_PX: Final = 256
_PAD: Final = ActionSpace.from_layout("nitrogen25")
_HALF: Final = 0.5
_KEPT: Final = 16  # recordings that a process keeps open
_OF_THE_PARENT: Final[list[Any]] = []


def rows_of(*, frame: int, settings: Settings) -> npt.NDArray[np.int64]:
    """Number our rows of one sample.

    Args:
        frame: Row of its last frame within the segment.
        settings: Shift and horizon.

    Returns:
        (T,) int64 rows of the segment.
    """
    return np.arange(settings.horizon, dtype=np.int64) + frame + settings.action_shift - 1


@dataclass(frozen=True)
class _Stretch:
    """The rows of one segment.

    Attributes:
        recording: Number of its recording.
        first_frame: frame_index of its first frame.
        actions: (N, 25) float32 in the order of `nitrogen25`.
        samples: How many samples it has.
    """

    recording: int
    first_frame: int
    actions: Floats
    samples: int


class NitrogenSamples:
    """A map-style dataset of training samples.

    Args:
        source: A path of any format, a recording, or several of them.
        settings: Order of the buttons, sign, shift, horizon and frames; all stand in `description`.
        options: Reading options of the path's format, such as `["video=my_videos"]` for labels of the release.
        pad_map: A TOML file of keys and pad controls; empty takes the default, WASD and mouse.
        action_delay_ms: By how much events are moved later first: a number, or `measured`.
        pixels: `float32`, normalised as SigLIP's processor does; or `uint8` as they are.
        game: What to write into `game` instead of the recording's own; the tokenizer's mapping has names of its own.
        transform: Called with each item; what it returns is the item.

    Attributes:
        settings: As given.
        ledger: What became of frames and events: a frame is kept when a sample ends with it. Recordings whose video is
            not there are left out, their frames lost as `without_pictures`.

    Raises:
        BadInputError: No sample in any recording, or an option out of its range.
        MissingError: Not one recording has pictures.
    """

    def __init__(
        self,
        source: str | Path | Recording | Sessions | Iterable[str | Path | Recording],
        settings: Settings | None = None,
        *,
        options: Given = None,
        pad_map: str | Path = "",
        action_delay_ms: str | float = 0,
        pixels: Literal["float32", "uint8"] = "float32",
        game: str | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        if pixels not in ("float32", "uint8"):
            raise BadInputError(f"pixels={pixels!r}", accepts="float32 or uint8", fix="pass pixels='float32'")
        self.settings = settings or Settings()
        self._transform, self._pixels, self._delay = transform, pixels, str(action_delay_ms)
        self._pad_map = str(pad_map)
        self._places: list[_Place] = []
        self._games: list[str] = []
        self._stretches: list[_Stretch] = []
        tally = Tally()
        for place, recording in _each(source, options):
            self._places.append(place)
            self._games.append(recording.info.game if game is None else game)
            self._add(recording, len(self._places) - 1, tally)
        self.ledger: Ledger = tally.close()
        self._edges = np.cumsum([0, *(stretch.samples for stretch in self._stretches)])
        self._open: tuple[int, OrderedDict[int, Shows]] = (os.getpid(), OrderedDict())
        if not self._stretches and "without_pictures" in self.ledger["frames"].lost:
            raise MissingError(
                f"{len(self._places)} recordings, all of them labels without pictures",
                accepts="at least one with its video",
                fix='pass options={"video": FOLDER}, with the videos as <video_id>.mp4 in it',
            )
        if not len(self):
            rows = self.settings.horizon + self.settings.action_shift - 1
            raise BadInputError(
                f"{len(self._stretches)} segments without a single sample",
                accepts=f"at least one segment of {rows} rows (horizon {self.settings.horizon}, action_shift "
                f"{self.settings.action_shift})",
                fix="take longer recordings or a shorter horizon",
            )

    def _add(self, recording: Recording, number: int, tally: Tally) -> None:
        if isinstance(recording, Imported) and isinstance(recording.source_of_frames, NoFrames):
            tally.offer("frames", recording.frame_count)
            tally.lose("frames", "without_pictures", recording.frame_count)
            return
        rows = Rows(_PAD, read_pad_map(self._pad_map, game=recording.info.game))
        account = Account(tally, rows.controls)
        tally.offer("frames", recording.frame_count)
        used = 0
        for pair in pairs(recording, action_delay_ms=delay_of(recording, self._delay)):
            account.take(pair)
            actions = rows.vectors(pair.grid)
            known = len(actions) - (pair.segment.attrs.get("last_row") == "assumed")
            samples = max(0, known - self.settings.horizon - self.settings.action_shift + 2)
            self._stretches.append(_Stretch(number, pair.segment.first_frame, actions, samples))
            used += samples
        account.close(recording)
        tally.lose("frames", "too_near_the_end", recording.frame_count - used)

    def __len__(self) -> int:
        return int(self._edges[-1])

    def __getitem__(self, index: int) -> Any:
        """Make one sample.

        Args:
            index: 0 to len - 1; negative ones count from the end.

        Raises:
            IndexError: There is no such sample.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        at = int(np.searchsorted(self._edges, index, side="right")) - 1
        stretch, frame = self._stretches[at], int(index - self._edges[at])
        actions = stretch.actions[rows_of(frame=frame, settings=self.settings)]
        frames, dropped = self._frames(stretch, frame)
        sample = {
            "frames": frames,
            "dropped_frames": dropped,
            "buttons": by_name(actions[:, :-4], _PAD.names[:-4], self.settings)[None],
            "j_left": signed(actions[:, -4:-2], self.settings)[None],
            "j_right": signed(actions[:, -2:], self.settings)[None],
            "game": self._games[stretch.recording],
        }
        return self._transform(sample) if self._transform else sample

    def _frames(self, stretch: _Stretch, frame: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        settings = self.settings
        assert settings.frame_spacing is not None
        back = np.arange(settings.frame_per_sample - 1, -1, -1) * settings.frame_spacing
        wanted = frame - back
        dropped = wanted < 0
        squashed = np.zeros((len(wanted), SIZE_PX, SIZE_PX, 3), np.uint8)
        pictures = self._pictures(stretch.recording)
        for place in np.flatnonzero(~dropped):
            number = stretch.first_frame + int(wanted[place])
            squashed[place] = squash(next(iter(pictures.frames(number, number + 1))))
        planes = np.ascontiguousarray(squashed.transpose(0, 3, 1, 2))
        if self._pixels == "uint8":
            return planes, dropped
        normal = (planes.astype(np.float32) / np.float32(255) - np.float32(_HALF)) / np.float32(_HALF)
        normal[dropped] = 0
        return normal, dropped

    def _pictures(self, number: int) -> Shows:
        """Give a recording's pictures, opened by this process: a place in a file is not to be shared with a parent.

        What was forked is kept and not freed: freeing a decoder waits for its threads, which only the parent has.
        """
        if self._open[0] != os.getpid():
            _OF_THE_PARENT.append(self._open)
            self._open = os.getpid(), OrderedDict()
        opened = self._open[1]
        if number not in opened:
            opened[number] = self._places[number].open()
            while len(opened) > _KEPT:
                left = opened.popitem(last=False)[1]
                if isinstance(left, Film):
                    left.close()
        opened.move_to_end(number)
        return opened[number]

    def index_of(self, sample: int) -> tuple[int, int]:
        """Say which frame a sample belongs to.

        Args:
            sample: 0 to len - 1.

        Returns:
            (number of the recording in the source, frame_index).
        """
        at = int(np.searchsorted(self._edges, sample, side="right")) - 1
        stretch = self._stretches[at]
        return stretch.recording, stretch.first_frame + int(sample - self._edges[at])

    @property
    def description(self) -> Mapping[str, Any]:
        """Everything that decides what the items hold, as plain JSON values: write it beside a trained model."""
        return {
            "settings": self.settings.to_json(),
            "pixels": self._pixels,
            "pad_map": self._pad_map,
            "action_delay_ms": self._delay,
            "size_px": SIZE_PX,
            "samples": len(self),
            "ledger": self.ledger.to_json(),
        }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": (-1, OrderedDict())}

    def __repr__(self) -> str:
        lost = self.ledger["events"].lost if "events" in self.ledger else {}
        unplaced = sum(count for why, count in lost.items() if why.startswith(NO_PLACE))
        return f"<NitrogenSamples: {len(self)} of {len(self._places)} recordings, {unplaced} events without a place>"


def squash(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Resize a picture to the model's size by area, aspect not kept: (H, W, 3) to (256, 256, 3) uint8."""
    import cv2

    return np.asarray(cv2.resize(pixels, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA), np.uint8)


class Shows(Protocol):
    """Anything that gives pictures by their number: a recording, or where the pictures of a foreign set lie."""

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order."""


@dataclass(frozen=True)
class _Place:
    """What gives the pictures of a recording in whatever process.

    Attributes:
        path: A session of ours, opened anew in each process.
        number: Which recording of that path.
        itself: What gives them, where there is no such path; it must be picklable for workers that are not forked.
        options: Reading options of the path's format.
    """

    path: Path | None
    number: int
    itself: Shows | None
    options: Given = None

    def open(self) -> Shows:
        """Open it."""
        if self.itself is not None:
            return self.itself
        assert self.path is not None
        return open_any(self.path, options=self.options)[self.number]


def _each(source: Any, options: Given) -> Iterator[tuple[_Place, Recording]]:
    """Go through all recordings of a source, with what gives the pictures of each one."""
    if isinstance(source, str | Path):
        for number, recording in enumerate(honour_all(open_any(source, options=options))):
            yield _place(recording, Path(source), number, options), recording
    elif isinstance(source, Recording):
        recording = honour(source)
        yield _place(recording, None, 0, None), recording
    else:
        for one in source:
            yield from _each(one, options)


def _place(recording: Recording, path: Path | None, number: int, options: Given) -> _Place:
    if isinstance(recording, Session | Valid):
        session = recording if isinstance(recording, Session) else recording.session
        return _Place(session.path, 0, None)  # a frame_index means the same with marks and without
    if isinstance(recording, Imported):
        return _Place(None, 0, recording.source_of_frames)
    return _Place(path, number, None, options) if path is not None else _Place(None, 0, recording)
