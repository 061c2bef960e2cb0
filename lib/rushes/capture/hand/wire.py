"""What goes through the pipes between the front and the process that plays: a message of JSON, and bytes behind it.

Two lengths of four bytes each, big-endian, then the JSON, then the bytes. A message that was cut by a kill is no
message.

Example:
    >>> import io
    >>> pipe = io.BytesIO(pack({"is": "frame", "number": 7}, b"picture") + b"cut")
    >>> read(pipe), read(pipe)
    (({'is': 'frame', 'number': 7}, b'picture'), None)
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO, Any, Final

_HEAD: Final = struct.Struct(">II")


def pack(message: Mapping[str, Any], data: bytes = b"") -> bytes:
    """Put a message and its bytes into one piece.

    Args:
        message: Plain JSON values.
        data: What goes with it.
    """
    text = json.dumps(message, separators=(",", ":")).encode()
    return b"".join((_HEAD.pack(len(text), len(data)), text, data))


def read(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read the next message.

    Args:
        pipe: A buffered stream, whose `read(n)` waits for n bytes or the end.

    Returns:
        The message and its bytes; None where the other end is gone.
    """
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    text_size, data_size = _HEAD.unpack(head)
    body = pipe.read(text_size + data_size)
    if len(body) < text_size + data_size:
        return None
    message: dict[str, Any] = json.loads(body[:text_size])
    return message, body[text_size:]
