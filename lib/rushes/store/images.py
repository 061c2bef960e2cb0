"""Pictures as PNG: indexed for palette screens, RGB for the rest, both exact, both by zlib alone.

A screen with a palette is stored as an indexed PNG: one byte a pixel before compression instead of three. The rows
carry the PNG filter "up" and zlib's run-length strategy, which for such screens is both the fastest and the
smallest of the settings that were tried (`benchmarks/sampling.py`).

Note for other readers: `np.asarray(PIL.Image.open(...))` of an indexed file gives indices; call `.convert("RGB")`.
`decode` here always gives RGB.

Example:
    >>> import numpy as np
    >>> picture = np.zeros((4, 6, 3), np.uint8)
    >>> decode(encode_rgb(picture)).shape
    (4, 6, 3)
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"  # PNG specification (ISO/IEC 15948), 5.2
_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
MOST_PIXELS: Final = 1 << 27
"""About 16 screens of 4K: what a header may ask memory for, a few bytes of a file that somebody sent."""
_HEADER: Final = 24
"""Bytes up to the end of width and height."""
_INDEXED, _RGB = 3, 2  # colour types, PNG specification 11.2.2
_UP: Final = 2  # filter type, PNG specification 9.2
_MEMORY: Final = 9
_CHANNELS: Final = 3


def _part(name: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), name, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))))


def _deflate(rows: npt.NDArray[np.uint8]) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, _MEMORY, zlib.Z_RLE)
    return packer.compress(rows.data) + packer.flush()


def _filtered(pixels: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    rows = np.empty((len(pixels), width + 1), np.uint8)
    rows[:, 0] = _UP
    flat = pixels.reshape(len(pixels), width)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return rows


_heads: dict[tuple[int, int, bytes], bytes] = {}


def _indexed_head(height: int, width: int, palette: npt.NDArray[np.uint8]) -> bytes:
    key = (height, width, palette.tobytes())
    if key not in _heads:
        header = _part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0))
        _heads[key] = _SIGNATURE + header + _part(b"PLTE", key[2])
    return _heads[key]


def encode_indexed(pixels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> bytes:
    """Encode a palette screen.

    Args:
        pixels: (H, W) uint8 indices.
        palette: (256, 3) uint8 RGB.

    Returns:
        An indexed PNG file, exact.
    """
    height, width = pixels.shape
    body = _part(b"IDAT", _deflate(_filtered(pixels, width)))
    return b"".join((_indexed_head(height, width, palette), body, _END))


def encode_rgb(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Encode a colour picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        An RGB PNG file, exact.
    """
    height, width, _ = pixels.shape
    header = _part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _RGB, 0, 0, 0))
    body = _part(b"IDAT", _deflate(_filtered(np.ascontiguousarray(pixels), 3 * width)))
    return b"".join((_SIGNATURE, header, body, _END))


def as_rgb(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give (H, W, 3) uint8 RGB for a picture that is that already, or (H, W, 4) BGRA as screens give it."""
    import cv2

    if pixels.shape[-1] == _CHANNELS:
        return np.asarray(pixels, np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), np.uint8)


def decode(data: bytes, *, where: str = "a picture") -> npt.NDArray[np.uint8]:
    """Decode a PNG file of any kind.

    Args:
        data: The file.
        where: What to name in an error: a path or a row.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadDataError: The file is cut, is no picture, or says that it has more than `MOST_PIXELS`.
    """
    import cv2

    if len(data) >= _HEADER and (pixels := math.prod(size(data))) > MOST_PIXELS and is_whole(data):
        raise BadDataError(
            f"{where}: a PNG file that says it has {pixels:,} pixels",
            accepts=f"at most {MOST_PIXELS:,}",
            fix="leave it out, or make it smaller",
        )
    if not is_whole(data):
        raise BadDataError(
            f"{where}: a PNG file that is cut or damaged",
            accepts="a whole PNG file",
            fix="restore the file, or leave it out",
        )
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise BadDataError(
            f"{where}: a file that is no picture", accepts="PNG", fix="restore the file, or leave it out"
        )
    return np.asarray(picture, np.uint8)


def is_whole(data: bytes) -> bool:
    """Say whether a PNG file has its signature and its end; OpenCV fills what is missing with black, silently."""
    return data.startswith(_SIGNATURE) and data.rstrip(b"\x00").endswith(_END.lstrip(b"\x00"))


def is_indexed(data: bytes) -> bool:
    """Say whether a PNG file holds indices rather than colours (IHDR's colour type, at byte 25)."""
    return len(data) > len(_SIGNATURE) + 17 and data[25] == _INDEXED


def is_plain_rgb(data: bytes) -> bool:
    """Say whether a PNG file holds RGB of 8 bits without interlace (IHDR; PNG specification 11.2.2)."""
    return data[12:16] == b"IHDR" and data[24:26] == bytes((8, _RGB)) and data[28:29] == b"\0"


def as_rgb_png(data: bytes, *, where: str = "a picture") -> bytes:
    """Give a PNG file that any reader takes for RGB of 8 bits: such files are copied, all others encoded again.

    Args:
        data: A PNG file.
        where: What to name in an error.

    Returns:
        An RGB PNG file with the same pixels; of transparency nothing is left, of 16 bits the upper 8.

    Raises:
        BadDataError: The file is cut or is no picture.
    """
    return data if is_plain_rgb(data) else encode_rgb(decode(data, where=where))


def size(data: bytes) -> tuple[int, int]:
    """Read (height, width) from a PNG file's header."""
    width, height = struct.unpack(">II", data[16:24])
    return height, width
