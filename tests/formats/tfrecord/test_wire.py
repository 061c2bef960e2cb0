"""Record files byte by byte: checksums of the standard, a message written by hand, damage that is noticed."""

import io
import struct

import numpy as np
import pytest

from rushes.errors import BadDataError
from rushes.formats.tfrecord.wire import crc32c, decode_example, encode_example, frame_record, read_record


def bit_by_bit(data):
    """CRC-32C as its definition says, one bit at a time."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),  # these three: RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_the_checksum_is_that_of_the_standard(data, crc):
    assert crc32c(data) == crc


@pytest.mark.parametrize("length", [255, 256, 257, 1023, 1024, 1025, 3000, 4097])
def test_long_texts_have_the_checksum_that_the_definition_gives(length):
    data = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    assert crc32c(data) == bit_by_bit(data)


BY_HAND = (
    b"\x0a\x25"  # Example.features, 37 bytes
    b"\x0a\x0f" b"\x0a\x01a" b"\x12\x0a" b"\x1a\x08" b"\x0a\x06" b"\x01\xac\x02\x00\x7f\x05"  # a: 1, 300, 0, 127, 5
    b"\x0a\x09" b"\x0a\x01b" b"\x12\x04" b"\x0a\x02" b"\x0a\x00"  # b: bytes, one empty text
    b"\x0a\x07" b"\x0a\x01c" b"\x12\x02" b"\x12\x00"  # c: no float at all
)  # fmt: skip


def test_a_message_written_by_hand_is_read():
    features = decode_example(BY_HAND)
    assert features["a"].tolist() == [1, 300, 0, 127, 5]
    assert features["b"] == [b""]
    assert len(features["c"]) == 0


def test_what_is_written_is_read_back_to_the_bit():
    numbers = np.array([0, -1, 2**63 - 1, -(2**63), 300], np.int64)
    values = np.array([0.5, -1e-40, 3e38, np.nan, -0.0], np.float32)
    found = decode_example(encode_example({"n": numbers, "v": values, "b": [b"", b"x" * 300]}))
    assert found["n"].tolist() == numbers.tolist()
    assert found["v"].tobytes() == values.tobytes()
    assert found["b"] == [b"", b"x" * 300]
    assert set(decode_example(encode_example({"n": numbers, "v": values}), without={"v"})) == {"n"}


def test_numbers_that_are_not_packed_are_read_too():
    entry = b"\x0a\x01n" + b"\x12\x06" + b"\x1a\x04" + b"\x08\x07\x08\x09"
    assert decode_example(b"\x0a" + bytes([2 + len(entry)]) + b"\x0a" + bytes([len(entry)]) + entry)["n"].tolist() == [
        7,
        9,
    ]


@pytest.mark.parametrize("data", [b"\x0a\x7f\x00", b"\x0b\x01", b"\xff" * 4, BY_HAND[:-9]])
def test_what_is_no_such_message_is_told(data):
    with pytest.raises(BadDataError, match=r"no tf\.train\.Example"):
        decode_example(data, where="here")


def test_a_record_has_lengths_and_checksums_around_it_and_damage_is_noticed():
    record = frame_record(b"x" * 300)
    assert struct.unpack("<Q", record[:8]) == (300,)
    crc = struct.unpack("<I", record[-4:])[0]
    rotated = (crc - 0xA282EAD8) % 2**32
    assert ((rotated << 15) | (rotated >> 17)) % 2**32 == bit_by_bit(b"x" * 300)
    file = io.BytesIO(record + record)
    assert [read_record(file, where="f"), read_record(file, where="f"), read_record(file, where="f")] == [
        b"x" * 300, b"x" * 300, None,
    ]  # fmt: skip
    for place in (0, 9, 20, 311, 314):
        hurt = bytearray(record)
        hurt[place] ^= 4
        with pytest.raises(BadDataError, match="byte 0"):
            read_record(io.BytesIO(bytes(hurt)), where="f")
    for cut in (5, 12, 200, len(record) - 1):
        with pytest.raises(BadDataError, match="cut"):
            read_record(io.BytesIO(record[:cut]), where="f")
