"""Video of a recording: one packet a picture at once, MP4 from the packets later.

A recorder cannot wait for a picture to come out of an encoder, and a journal that is cut anywhere must still give its
pictures. So `VideoEncoder` looks at no later picture and gives the one packet of a picture before it returns; every
key packet carries its parameter sets, so a chunk that begins with one decodes alone. `mux` puts packets into an MP4
without encoding anything again, with their real times. `rushes.store.video_pictures` reads it by picture number.

| codec | FFmpeg's encoder | pixels | exact | plays in browsers |
| --- | --- | --- | --- | --- |
| `h264` | libx264 ultrafast, crf 20 | yuv420p, BT.709, 16 to 235 | no | yes |
| `h265` | libx265 ultrafast, crf 22 | yuv420p, BT.709, 16 to 235 | no | hardly |
| `lossless` | libx264rgb ultrafast, crf 0 | RGB | yes | Chromium |

The presets are for two cores beside a game: docs/decisions/0004-codec-settings.md has the figures. This file and
`rushes.store.video` are the only ones that touch PyAV; PyAV lets other threads run while it converts and encodes.

Example:
    >>> import numpy as np, tempfile
    >>> encoder = VideoEncoder("lossless", width=64, height=48, rate_hz=30)
    >>> packets = [(encoder.encode(np.full((48, 64, 3), k, np.uint8)), k * 33_000_000, encoder.last_was_key)
    ...            for k in range(20)]
    >>> clip = Path(tempfile.mkdtemp()) / "frames.mp4"
    >>> mux(clip, packets, codec="lossless", width=64, height=48, rate_hz=30)
    >>> clip.stat().st_size > 0
    True
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, UnavailableError
from rushes.model.clock import NS
from rushes.store.atomic import partial_name, storage_errors, sync
from rushes.store.video import _av

Pixels = npt.NDArray[np.uint8]
Codec = Literal["h264", "h265", "lossless"]

CODECS: Final[tuple[str, ...]] = get_args(Codec)
TICKS_HZ: Final = 90_000
"""Time base of the files, as MPEG's clock; the exact times stand in the session's index."""

_BT709: Final = 1  # colour matrix, primaries and transfer: ITU-T H.273, tables 2 to 4
_LIMITED: Final = 1  # FFmpeg's AVCOL_RANGE_MPEG: 16 to 235, what players assume
_RATE_DENOMINATOR: Final = 1001  # lets 30000/1001 through and keeps the time base small
_MOST_PX: Final = 16_384
_COLOURS: Final = {3: "rgb24", 4: "bgra"}


class Coder(NamedTuple):
    """How one codec is made by FFmpeg.

    Attributes:
        encoder: FFmpeg's name of it.
        pixel_format: FFmpeg's name of what is given to it.
        raw: FFmpeg's name of the bare stream.
        tag: What an MP4 calls it, `""` where FFmpeg's choice is right.
        quality: Its crf, 0 (best) to 51.
        options: Its other options.
    """

    encoder: str
    pixel_format: str
    raw: str
    tag: str
    quality: int
    options: Mapping[str, str]


# zerolatency: no B frames, no lookahead, a packet for every picture at once (x264 and x265 presets of that name).
# x265 by itself keeps several pictures in work, opens groups that begin with a CRA, and writes a line to stderr.
_AT_ONCE: Final = MappingProxyType({"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"})
_X265: Final = "log-level=none:info=0:bframes=0:rc-lookahead=0:frame-threads=1:open-gop=0:repeat-headers=1"

CODERS: Final[Mapping[str, Coder]] = MappingProxyType(
    {
        "h264": Coder("libx264", "yuv420p", "h264", "", 20, _AT_ONCE),
        "h265": Coder("libx265", "yuv420p", "hevc", "hvc1", 22, {**_AT_ONCE, "x265-params": _X265}),
        "lossless": Coder("libx264rgb", "bgr0", "h264", "", 0, _AT_ONCE),
    }
)


def settings(codec: str, *, quality: int | None = None) -> Mapping[str, str]:
    """Give the encoder's options under FFmpeg's names, so that another program can be given the same.

    Args:
        codec: `h264`, `h265` or `lossless`; `CODERS[codec]` has the encoder and its pixel format.
        quality: crf, 0 (best) to 51, instead of the codec's own; `lossless` takes 0 alone.

    Returns:
        Names to values, as in `ffmpeg -NAME VALUE`.

    Raises:
        BadInputError: Unknown codec, or a quality out of its range.
    """
    if codec not in CODERS:
        raise BadInputError(f"codec={codec!r}", accepts="one of " + ", ".join(CODECS), fix="pass codec='h264'")
    coder = CODERS[codec]
    crf = coder.quality if quality is None else quality
    if not 0 <= crf <= (51 if coder.quality else 0):
        raise BadInputError(
            f"quality={quality!r} for {codec}",
            accepts="0 (best) to 51; lossless has none",
            fix=f"pass quality={coder.quality}, or leave it out",
        )
    return {**coder.options, "crf": str(crf)}


def _rate(rate_hz: float) -> Fraction:
    if not 0 < rate_hz <= 1000:  # noqa: PLR2004 - far above any screen
        raise BadInputError(f"rate_hz={rate_hz!r}", accepts="a rate above 0 and up to 1000", fix="pass rate_hz=30")
    return max(Fraction(rate_hz).limit_denominator(_RATE_DENOMINATOR), Fraction(1, _RATE_DENOMINATOR))


class VideoEncoder:
    """Pictures in, one packet each, at once.

    One thread calls it. The pixels are not needed once `encode` has returned.

    Args:
        codec: `h264`, `h265` or `lossless`.
        width: Pixels of the pictures; an odd one is made even by doubling the last column, which readers cut off.
        height: Pixels, likewise.
        rate_hz: Pictures a second, nominal.
        gop_s: Seconds between key pictures at that rate.
        threads: Threads of the encoder.
        quality: crf instead of the codec's own.

    Attributes:
        last_was_key: Whether the last packet decodes without those before it.

    Raises:
        BadInputError: A setting out of its range.
        UnavailableError: PyAV is missing or has no such encoder.
    """

    def __init__(
        self,
        codec: str,
        *,
        width: int,
        height: int,
        rate_hz: float,
        gop_s: float = 0.5,
        threads: int = 2,
        quality: int | None = None,
    ) -> None:
        options = dict(settings(codec, quality=quality))
        if not (0 < width <= _MOST_PX and 0 < height <= _MOST_PX):
            raise BadInputError(
                f"pictures of {width} x {height} px", accepts=f"1 to {_MOST_PX} px", fix="choose another region"
            )
        rate = _rate(rate_hz)
        if codec == "h265":
            options["x265-params"] += f":pools={threads}"
        self.codec, self.width, self.height, self.last_was_key = codec, width, height, False
        self._av, self._number, self._codes_colour = _av(), 0, CODERS[codec].pixel_format == "yuv420p"
        try:
            coder = self._av.CodecContext.create(CODERS[codec].encoder, "w")
            coder.width, coder.height = width + width % 2, height + height % 2
            coder.pix_fmt = CODERS[codec].pixel_format
            coder.time_base, coder.framerate = 1 / rate, rate
            coder.gop_size, coder.max_b_frames = max(1, round(gop_s * float(rate))), 0
            coder.thread_count = threads
            if self._codes_colour:
                coder.color_range = _LIMITED
                coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
            coder.options = options
            coder.open()
        except (self._av.FFmpegError, ValueError) as error:
            raise UnavailableError(
                f"{codec} of {width} x {height} px cannot be encoded here ({error})",
                accepts="a PyAV with " + CODERS[codec].encoder,
                fix="take another codec (h264, h265, lossless, png), or pip install --force-reinstall av",
            ) from error
        self._coder, self._time_base = coder, 1 / rate
        self._converter = self._av.video.reformatter.VideoReformatter()

    def encode(self, pixels: Pixels, *, key: bool = False) -> bytes:
        """Encode the next picture.

        Args:
            pixels: (H, W, 3) uint8 RGB or (H, W, 4) uint8 BGRA, whose fourth channel means nothing; any strides.
            key: Make it a key picture whatever its place.

        Returns:
            Its one packet (Annex B); one that is a key begins with the parameter sets.

        Raises:
            BadInputError: Pixels of another size or type.
            UnavailableError: The encoder kept the picture back or failed.
        """
        picture = self._converter.reformat(
            self._picture(pixels),
            format=self._coder.pix_fmt,
            dst_colorspace=_BT709 if self._codes_colour else None,
            dst_color_range=_LIMITED if self._codes_colour else None,
            threads=1,
        )
        picture.pts, picture.time_base, self._number = self._number, self._time_base, self._number + 1
        if key:
            picture.pict_type = self._av.video.frame.PictureType.I
        try:
            packets = self._coder.encode(picture)
        except self._av.FFmpegError as error:
            raise UnavailableError(
                f"picture {picture.pts} was not encoded as {self.codec} ({error})",
                accepts="an encoder with enough memory",
                fix="take another codec or a smaller region",
            ) from error
        if len(packets) != 1:
            raise UnavailableError(
                f"{CODERS[self.codec].encoder} gave {len(packets)} packets for one picture",
                accepts="an encoder that keeps nothing back",
                fix="take another codec, or pip install --force-reinstall av",
            )
        self.last_was_key = bool(packets[0].is_keyframe)
        return bytes(packets[0])

    def _picture(self, pixels: Pixels) -> Any:
        form = _COLOURS.get(pixels.shape[-1]) if pixels.ndim == 3 else None  # noqa: PLR2004 - rows, columns, colours
        if form is None or pixels.dtype != np.uint8 or pixels.shape[:2] != (self.height, self.width):
            raise BadInputError(
                f"a picture of shape {pixels.shape}, {pixels.dtype}",
                accepts=f"({self.height}, {self.width}, 3) uint8 RGB or ({self.height}, {self.width}, 4) uint8 BGRA",
                fix="end the segment and begin a new encoder where the size changes",
            )
        if self.height % 2 or self.width % 2:
            pixels = np.pad(pixels, ((0, self.height % 2), (0, self.width % 2), (0, 0)), mode="edge")
        row, column, colour = pixels.strides
        if (column, colour) != (pixels.shape[2], 1) or row < column * pixels.shape[1]:
            pixels = np.ascontiguousarray(pixels)
        return self._av.VideoFrame.from_numpy_buffer(pixels, format=form)


def mux(
    path: str | Path,
    packets: Iterable[tuple[bytes, int, bool]],
    *,
    codec: str,
    width: int,
    height: int,
    rate_hz: float,
) -> None:
    """Put encoded pictures into an MP4 with their times; it appears only when it is whole and on the disk.

    Nothing is encoded again, a packet is held at a time, and the same packets give the same bytes. The first picture
    stands at 0; one that is not later than the one before it is put a tick (1/90000 s) behind it.

    Args:
        path: Where it shall stand; an older one there is a remainder of a seal that was cut, and is replaced.
        packets: (packet as `VideoEncoder` gave it, ns since session start, whether it is a key), in their order.
        codec: `h264`, `h265` or `lossless`.
        width: Pixels of the pictures as they were given to the encoder.
        height: Pixels, likewise.
        rate_hz: Pictures a second, nominal: how long the last one stands.

    Raises:
        BadInputError: No packets, the first is no key, or another codec or size than said.
        StorageError: The disk is full or the folder cannot be written.
        UnavailableError: PyAV is missing or does not load.
    """
    av, target, rest, duration = _av(), Path(path), iter(packets), round(TICKS_HZ / _rate(rate_hz))
    settings(codec)
    first = next(rest, None)
    if first is None or not first[2]:
        raise BadInputError(
            f"{target}: {'no packets' if first is None else 'a first packet that is no key'}",
            accepts="packets that begin with a key",
            fix="encode the first picture of a chunk with key=True",
        )
    partial = partial_name(target)
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with ExitStack() as stack:
                try:
                    bare = stack.enter_context(av.open(io.BytesIO(first[0]), format=CODERS[codec].raw))
                    size = (bare.streams.video[0].codec_context.width, bare.streams.video[0].codec_context.height)
                except (av.FFmpegError, AttributeError, IndexError) as error:
                    raise BadInputError(
                        f"{target}: a first packet that is no {codec} ({error})",
                        accepts="packets as VideoEncoder gives them",
                        fix="name the codec that they were encoded with",
                    ) from error
                if size != (width + width % 2, height + height % 2):
                    raise BadInputError(
                        f"{target}: packets of {size[0]} x {size[1]} px",
                        accepts=f"{width} x {height} px, as was said, made even",
                        fix="name the size that they were encoded with",
                    )
                # bitexact leaves out the muxer's version and date
                form = {"movflags": "+faststart", "fflags": "+bitexact"}
                container = stack.enter_context(av.open(str(partial), "w", format="mp4", options=form))
                stream = container.add_stream_from_template(bare.streams.video[0], opaque=True)
                if CODERS[codec].tag:
                    stream.codec_context.codec_tag = CODERS[codec].tag
                stream.time_base = Fraction(1, TICKS_HZ)
                last = -1
                for data, t_ns, key in chain([first], rest):
                    last = max(last + 1, round((t_ns - first[1]) * TICKS_HZ / NS))
                    packet = av.Packet(data)
                    packet.pts = packet.dts = last
                    packet.duration, packet.time_base = duration, stream.time_base
                    packet.is_keyframe, packet.stream = key, stream
                    container.mux(packet)
            sync(partial)
            partial.replace(target)
            sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)
