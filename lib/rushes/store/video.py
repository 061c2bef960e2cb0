"""Video files: H.264 in MP4, the pair that every browser plays. The only file that touches PyAV.

Pictures become yuv420p with the BT.709 matrix, and the file says so, so that every player shows the same colours.
Colour is stored at half resolution and everything is rounded, so a video is for looking and for large desktop
recordings, never for exact pixels. A key frame stands every `gop_s` seconds, so seeking is quick; the table of
contents stands in front, so a page can play while it loads.

Writing and reading hold a handful of frames whatever the length. The same frames and settings give the same
bytes with the same version of PyAV.

Example:
    >>> import numpy as np, pathlib, tempfile
    >>> clip = pathlib.Path(tempfile.mkdtemp()) / "clip.mp4"
    >>> written = write_video(clip, (np.full((48, 64, 3), 10 * k, np.uint8) for k in range(15)), rate_hz=15)
    >>> written.frames, written.duration_s, [frame.t_ns for frame in read_video(clip)][:2]
    (15, 1.0, [0, 66666667])
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError, MissingError, UnavailableError
from rushes.model.clock import NS
from rushes.store.atomic import new_file, storage_errors
from rushes.store.video_sound import Track, write_sound

Pixels = npt.NDArray[np.uint8]

_BT709: Final = 1  # colour matrix, primaries and transfer: ITU-T H.273, tables 2 to 4
_LIMITED: Final = 1  # FFmpeg's AVCOL_RANGE_MPEG: 16 to 235, what players assume
_THREADS: Final = 4  # fixed, since the number of threads is part of what decides the bytes
# x264's tree of macroblocks reads memory that nobody wrote: pictures of 64 x 64 gave eight files in thirty runs, and
# without its vector code one. Files are 12 to 24 % larger without it, and a tenth of a dB better.
_SAME_BYTES: Final = {"mbtree": "0"}
_RATE_DENOMINATOR: Final = 1001  # lets 30000/1001 through and keeps the time base small
_COLOUR: Final = 3


class TimedFrame(NamedTuple):
    """One decoded picture with its time.

    Attributes:
        t_ns: ns since the start of the file.
        pixels: (H, W, 3) uint8 RGB.
    """

    t_ns: int
    pixels: Pixels


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself.

    Attributes:
        path: The file.
        codec: FFmpeg's name, `h264`.
        pixel_format: FFmpeg's name, `yuv420p`.
        width: Pixels.
        height: Pixels.
        frames: How many; 0 where the file does not say.
        rate_hz: Mean frames a second.
        duration_s: Seconds.
        size_bytes: Size of the file.
    """

    path: Path
    codec: str
    pixel_format: str
    width: int
    height: int
    frames: int
    rate_hz: float
    duration_s: float
    size_bytes: int

    def __repr__(self) -> str:
        return (
            f"<VideoInfo {self.path.name}: {self.codec} {self.pixel_format}, {self.width} x {self.height} px, "
            f"{self.frames} frames, {self.duration_s:.1f} s at {self.rate_hz:g} Hz, {self.size_bytes / 1e6:.2f} MB>"
        )


def write_video(
    path: str | Path,
    frames: Iterable[Pixels],
    *,
    rate_hz: float,
    crf: int = 18,
    gop_s: float = 0.5,
    preset: str = "veryfast",
    sound: Track | None = None,
) -> VideoInfo:
    """Write pictures as an H.264 file; it appears only when it is whole.

    Args:
        path: Where it shall stand, new.
        frames: (H, W, 3) uint8 RGB, all of one size. An odd width or height gets its last column or row twice, since
            yuv420p counts in pairs.
        rate_hz: Frames a second.
        crf: Quality, 0 (best) to 51; 18 is hard to tell from the original.
        gop_s: Seconds between key frames.
        preset: x264's name for how long to look for a smaller file.
        sound: What is heard with them.

    Returns:
        What was written.

    Raises:
        BadInputError: No frames, frames of several sizes, or a setting out of its range.
        OccupiedError: `path` exists.
        StorageError: The disk is full or the folder cannot be written.
        UnavailableError: PyAV is missing or does not load.
    """
    av = _av()
    target = Path(path)
    if not 0 < rate_hz <= 1000:  # noqa: PLR2004 - far above any screen
        raise BadInputError(f"rate_hz={rate_hz!r}", accepts="a rate above 0 and up to 1000", fix="pass rate_hz=15")
    if not 0 <= crf <= 51:  # noqa: PLR2004 - x264's own range
        raise BadInputError(f"crf={crf!r}", accepts="a whole number from 0 to 51", fix="pass crf=18")
    rate = Fraction(rate_hz).limit_denominator(_RATE_DENOMINATOR)
    source = iter(frames)
    first = next(source, None)
    if first is None:
        raise BadInputError(f"no frames for {target}", accepts="at least one", fix="choose a longer stretch")
    shape = _checked(first, first.shape).shape
    with new_file(target) as partial:
        # bitexact leaves out the muxer's version and date
        container = av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"})
        with container:
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height = shape[1] + shape[1] % 2, shape[0] + shape[0] % 2
            stream.pix_fmt = "yuv420p"
            stream.time_base = 1 / rate
            coder = stream.codec_context
            coder.gop_size = max(1, round(gop_s * float(rate)))
            coder.thread_count = _THREADS
            coder.color_range = _LIMITED
            coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
            coder.options = {"crf": str(crf), "preset": preset, **_SAME_BYTES}
            converter = av.video.reformatter.VideoReformatter()
            voice = write_sound(av, container, sound) if sound is not None else iter(())
            heard_s = next(voice, math.inf)
            for number, pixels in enumerate(_with(first, source)):
                picture = av.VideoFrame.from_ndarray(_even(_checked(pixels, shape)), format="rgb24")
                picture = converter.reformat(
                    picture, format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED, threads=1
                )  # threads would be made and ended for each picture
                picture.pts, picture.time_base = number, 1 / rate
                container.mux(stream.encode(picture))
                while heard_s < (number + 1) / rate:
                    heard_s = next(voice, math.inf)
            container.mux(stream.encode(None))
            deque(voice, maxlen=0)
    return probe(target)


def read_video(path: str | Path, *, size: tuple[int, int] | None = None) -> Iterator[TimedFrame]:
    """Decode a video from its start.

    Args:
        path: A file that FFmpeg reads.
        size: (height, width) to cut to, where an odd size was made even by `write_video`.

    Yields:
        Pictures in the order of their times.

    Raises:
        MissingError: No such file.
        BadDataError: Empty, no video, damaged, or cut: fewer frames than it says.
        StorageError: The file cannot be read.
        UnavailableError: PyAV is missing or does not load.
    """
    height, width = size or (None, None)
    with _opened(Path(path)) as (container, stream):
        stream.thread_type = "AUTO"
        count, base = 0, stream.time_base
        try:
            for picture in container.decode(stream):
                t_ns = round(picture.pts * base * NS) if picture.pts is not None else 0
                yield TimedFrame(t_ns, picture.to_ndarray(format="rgb24")[:height, :width])
                count += 1
        except _av().FFmpegError as error:
            raise BadDataError(
                f"{path}: damaged after {count} frames ({error.strerror})",
                accepts="a whole video",
                fix="restore it from a copy",
            ) from error
        if count < stream.frames:
            raise BadDataError(
                f"{path}: cut, {count} of {stream.frames} frames are there",
                accepts="a whole video",
                fix="restore it from a copy, or copy it again",
            )


def probe(path: str | Path) -> VideoInfo:
    """Read what a video file says of itself, without decoding it.

    Args:
        path: A file that FFmpeg reads.

    Raises:
        MissingError: No such file.
        BadDataError: Empty or no video.
        StorageError: The file cannot be read.
        UnavailableError: PyAV is missing or does not load.
    """
    with _opened(Path(path)) as (container, stream):
        if stream.duration is not None:
            duration_s = float(stream.duration * stream.time_base)
        else:
            duration_s = (container.duration or 0) / _av().time_base
        return VideoInfo(
            path=Path(path),
            codec=stream.codec_context.name,
            pixel_format=stream.codec_context.pix_fmt or "",
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            frames=stream.frames,
            rate_hz=float(stream.average_rate or 0),
            duration_s=duration_s,
            size_bytes=Path(path).stat().st_size,
        )


def _av() -> Any:
    try:
        import av
    except Exception as error:  # a wheel that does not fit the machine raises OSError
        raise UnavailableError(
            f"PyAV does not load here ({type(error).__name__}: {error})",
            accepts="an environment with PyAV",
            fix="pip install --force-reinstall av",
        ) from error
    return av


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    av = _av()
    if not path.is_file():
        raise MissingError(f"{path}: no such file", accepts="a video file", fix="check the path")
    if path.stat().st_size == 0:
        raise BadDataError(f"{path}: an empty file", accepts="a video such as MP4", fix="restore it from a copy")
    try:
        with storage_errors(path):
            path.open("rb").close()
        container = av.open(str(path))
    except (av.FFmpegError, UnicodeDecodeError) as error:  # its own texts may be damaged, too
        raise BadDataError(
            f"{path}: no video that FFmpeg reads ({getattr(error, 'strerror', error)})",
            accepts="a video such as MP4",
            fix="check what it is, or restore it from a copy",
        ) from error
    with container:
        if not container.streams.video or not container.streams.video[0].codec_context:
            raise BadDataError(
                f"{path}: a file without pictures", accepts="a video such as MP4", fix="check what it is"
            )
        yield container, container.streams.video[0]


def _with(first: Pixels, rest: Iterator[Pixels]) -> Iterator[Pixels]:
    yield first
    yield from rest


def _checked(pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
    good = pixels.dtype == np.uint8 and pixels.ndim == _COLOUR and pixels.shape[2] == _COLOUR
    if not good or 0 in pixels.shape or pixels.shape != shape:
        raise BadInputError(
            f"a frame of shape {pixels.shape}, {pixels.dtype}",
            accepts=f"(H, W, 3) uint8, all of one size (the first is {shape})",
            fix="scale or pad the frames to one size",
        )
    return pixels


def _even(pixels: Pixels) -> Pixels:
    height, width, _ = pixels.shape
    if height % 2 or width % 2:
        return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)
