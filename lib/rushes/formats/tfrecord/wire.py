"""TensorFlow's record files and `tf.train.Example`, byte for byte, with NumPy alone.

Whoever exports for somebody else's TensorFlow needs no TensorFlow of their own. A file is one record behind the other:
length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian. The data of a record
is a protocol buffer of three levels: an Example has features, a feature has a name and a list of bytes, float32 or
int64.

Sources: tensorflow/core/lib/io/record_writer.h (framing), tensorflow/core/example/example.proto and feature.proto,
protobuf.dev/programming-guides/encoding (wire), RFC 3720 appendix B.4 (CRC-32C and its test values).

Example:
    >>> data = encode_example({"inputs": np.array([0.5, 1.0], np.float32), "session": [b"take_1"]})
    >>> decode_example(data)["session"], decode_example(data)["inputs"].tolist()
    ([b'take_1'], [0.5, 1.0])
    >>> hex(crc32c(b"123456789")), len(frame_record(data)) - len(data)
    ('0xe3069283', 16)
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cache
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint32]
Feature = Sequence[bytes] | Ints | Floats
"""A list of bytes, (n,) int64 or (n,) float32."""

HEADER: Final = 12
FOOTER: Final = 4
_POLYNOMIAL: Final = 0x82F63B78  # Castagnoli, bits reversed
_MASK: Final = 0xA282EAD8
_ONES: Final = 0xFFFFFFFF
_LANE: Final = 1 << 10
"""Bytes that stand one behind the other in each of the lanes that a long text is cut into."""
_LANE_POWER: Final = 10
_SHORT: Final = 256
_HALF: Final = 1 << 16
_BYTES, _FLOATS, _INTS = 1, 2, 3  # fields of Feature
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5  # wire types
_MORE: Final = 0x80
_SIGN: Final = 1 << 63


def crc32c(data: bytes) -> int:
    """Compute the CRC-32C of a text of any length; a long one in lanes side by side, at some 300 MB a second."""
    if len(data) < _SHORT:
        state = _ONES
        for byte in data:
            state = int(_bytes_table()[(state ^ byte) & 0xFF]) ^ (state >> 8)
        return state ^ _ONES
    lanes = 1 << max(0, (len(data) - 1).bit_length() - _LANE_POWER)
    padded = np.zeros(lanes * _LANE, np.uint8)  # zeros in front change nothing
    first = len(padded) - len(data)
    padded[first:] = np.frombuffer(data, np.uint8)
    padded[first : first + 4] ^= 0xFF
    states = np.zeros(lanes, np.uint32)
    for words in np.ascontiguousarray(padded.view("<u4").reshape(lanes, _LANE // 4).T):
        states = _step(_zeros(2), states ^ words)
    power = _LANE_POWER
    while len(states) > 1:
        states = _step(_zeros(power), states[0::2]) ^ states[1::2]
        power += 1
    return int(states[0]) ^ _ONES


@cache
def _bytes_table() -> Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


@cache
def _zeros(power: int) -> tuple[Words, Words]:
    """Tables of what 2 ** power bytes of zeros make of a state: for its lower and for its upper 16 bits."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if power:
        images = _step(_zeros(power - 1), _step(_zeros(power - 1), bits))
    else:
        images = _bytes_table()[bits & 0xFF] ^ (bits >> 8)
    tables = []
    for half in (images[:16], images[16:]):
        table = np.zeros(1, np.uint32)
        for image in half:
            table = np.concatenate([table, table ^ image])
        tables.append(table)
    return tables[0], tables[1]


def _step(tables: tuple[Words, Words], states: Words) -> Words:
    return np.asarray(tables[0][states & (_HALF - 1)] ^ tables[1][states >> 16], np.uint32)


def masked(data: bytes) -> bytes:
    """Give the checksum of a text as it stands in a record file: four bytes."""
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + _MASK) & _ONES)


def frame_record(data: bytes) -> bytes:
    """Put length and checksums around the data of a record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, masked(length), data, masked(data)))


def read_record(file: BinaryIO, *, where: str) -> bytes | None:
    """Read the record that begins here.

    Args:
        file: Open at the beginning of a record.
        where: What to name in an error.

    Returns:
        Its data; None at the end of the file.

    Raises:
        BadDataError: The record is cut, or a checksum does not fit.
    """
    place = file.tell()
    header = file.read(HEADER)
    if not header:
        return None
    length = int.from_bytes(header[:8], "little")
    if len(header) == HEADER and masked(header[:8]) == header[8:]:
        data, footer = file.read(length), file.read(FOOTER)
        if len(data) == length and footer == masked(data):
            return data
    raise BadDataError(
        f"{where}: the record at byte {place} is cut or damaged",
        accepts="whole records with fitting checksums",
        fix="restore the file from a copy, or write the set again",
    )


def encode_example(features: Mapping[str, Feature]) -> bytes:
    """Write a `tf.train.Example`.

    Args:
        features: Name -> a list of bytes, int64 or float32; written in the order of their names.
    """
    entries = []
    for name in sorted(features):
        value = features[name]
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            found = _field(_FLOATS, _field(1, value.astype("<f4").tobytes()))
        elif isinstance(value, np.ndarray):
            found = _field(_INTS, _field(1, b"".join(_varint(number & (2 * _SIGN - 1)) for number in value.tolist())))
        else:
            found = _field(_BYTES, b"".join(_field(1, one) for one in value))
        entries.append(_field(1, _field(1, name.encode()) + _field(2, found)))
    return _field(1, b"".join(entries))


def _field(number: int, data: bytes) -> bytes:
    return b"".join((bytes((number << 3 | _LENGTH,)), _varint(len(data)), data))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode_example(
    data: bytes | memoryview, *, where: str = "a record", without: Container[str] = ()
) -> dict[str, Feature]:
    """Read a `tf.train.Example`, packed or not.

    Args:
        data: A record.
        where: What to name in an error.
        without: Features to pass over, such as large ones.

    Returns:
        Name -> list of bytes, (n,) int64 or (n,) float32; an empty list where a feature says nothing.

    Raises:
        BadDataError: It is no such message.
    """
    found: dict[str, Feature] = {}
    try:
        for features in _parts(memoryview(data)):
            for entry in _parts(features[1]):
                name, value = "", memoryview(b"")
                for number, part in _parts(entry[1]):
                    if number == 1:
                        name = bytes(part).decode()
                    else:
                        value = part
                if name not in without:
                    found[name] = _feature(value)
    except (IndexError, ValueError, struct.error) as error:
        raise BadDataError(
            f"{where}: no tf.train.Example ({error})",
            accepts="a record that TensorFlow's parser reads",
            fix="point at a record file of Examples",
        ) from error
    return found


def _feature(value: memoryview) -> Feature:
    for kind, listed in _parts(value):
        if kind == _BYTES:
            return [bytes(part) for _, part in _parts(listed)]
        parts = [bytes(part) for _, part in _parts(listed)]
        if kind == _FLOATS:
            return np.frombuffer(b"".join(parts), "<f4").astype(np.float32)
        numbers = [number for part in parts for number in _numbers(part)]
        return np.array([number - 2 * _SIGN if number >= _SIGN else number for number in numbers], np.int64)
    return []


def _numbers(part: bytes) -> Iterator[int]:
    place = 0
    while place < len(part):
        number, place = _read_varint(part, place)
        yield number


def _parts(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Walk the fields of a message: (number, bytes); of a single number its bytes as they stand."""
    place = 0
    while place < len(data):
        tag, place = _read_varint(data, place)
        kind, first = tag & 7, place
        if kind == _LENGTH:
            size, first = _read_varint(data, place)
            place = first + size
        elif kind == _VARINT:
            _, place = _read_varint(data, place)
        elif kind in (_EIGHT, _FOUR):
            place += 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"wire type {kind} at byte {place}")
        if place > len(data):
            raise ValueError("it is cut")
        yield tag >> 3, data[first:place]


def _read_varint(data: bytes | memoryview, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & _MORE:
            return number, place
