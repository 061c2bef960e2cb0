"""WAV files of all kinds that a recorder or an editor leaves."""

import numpy as np
import pytest

from rushes.errors import BadDataError
from rushes.formats.gameon.wav import look_at


@pytest.mark.parametrize(
    ("kind", "bits", "code", "stored", "wanted"),
    [
        ("u1", 8, 1, [128, 255, 0], [0, 127 << 8, -(128 << 8)]),
        ("<i2", 16, 1, [0, -5, 32767], [0, -5, 32767]),
        ("<i4", 32, 1, [0, 1 << 30, -(1 << 31)], [0.0, 0.5, -1.0]),
        ("<f4", 32, 3, [0.0, 0.25, np.nan], [0.0, 0.25, 0.0]),
    ],
)
def test_each_kind_is_read_as_it_sounds(gameon, tmp_path, kind, bits, code, stored, wanted):
    path = gameon.wav(tmp_path / "a.wav", np.array(stored, kind)[:, None], bits=bits, code=code)
    (block,) = look_at(path).blocks()
    np.testing.assert_array_equal(block[:, 0], np.array(wanted, block.dtype))
    assert block.dtype == (np.int16 if bits <= 16 else np.float32)


def test_24_bits_are_read(gameon, tmp_path):
    data = np.array([[0, 0, 0x40], [0, 0, 0x80], [1, 0, 0]], np.uint8)
    path = gameon.wav(tmp_path / "b.wav", data.reshape(-1, 1), bits=8)
    raw = bytearray(path.read_bytes())
    raw[34:36] = (24).to_bytes(2, "little")
    path.write_bytes(bytes(raw))
    (block,) = look_at(path).blocks()
    np.testing.assert_array_equal(block[:, 0], np.array([0.5, -1.0, 2.0**-23], np.float32))


def test_chunks_that_are_not_known_are_passed_over_and_any_part_can_be_read(gameon, tmp_path):
    path = gameon.wav(tmp_path / "a.wav", np.arange(100, dtype="<i2")[:, None])
    raw = path.read_bytes()
    path.write_bytes(raw[:12] + b"LIST\x03\x00\x00\x00abc\x00" + raw[12:])
    found = look_at(path)
    assert (found.count, found.cut) == (100, False)
    assert [len(block) for block in found.blocks(samples=40)] == [40, 40, 20]
    assert [block[:, 0].tolist() for block in found.blocks(first=50, stop=52)] == [[50, 51]]


def test_a_length_beyond_the_end_means_what_is_there(gameon, tmp_path):
    samples = np.zeros((10, 2), "<i2")
    found = look_at(gameon.wav(tmp_path / "a.wav", samples, claimed=0xFFFFFF00))
    assert (found.count, found.channels, found.cut) == (10, 2, True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file"),
        (b"ID3 this is no WAV file", "no WAV file"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0", "a header that is cut"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "without samples"),
    ],
)
def test_what_is_no_wav_is_refused(tmp_path, data, said):
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(BadDataError, match=said):
        look_at(tmp_path / "a.wav")
