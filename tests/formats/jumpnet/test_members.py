"""What an archive says of itself is checked before a byte of it is used."""

import io
import struct
import zipfile
from collections import deque

import numpy as np
import pytest

from rushes.errors import BadDataError, RushesError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.jumpnet.arrays import Pictures, header_of, read_array, to_rgb
from rushes.formats.jumpnet.members import Members


def npy(shape, dtype="|u1", data=b"") -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": dtype, "fortran_order": False, "shape": shape})
    return head.getvalue() + data


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../data.npy", "/data.npy", "a/data.npy", "..\\data.npy", ".data.npy"])
def test_a_member_with_a_folder_in_its_name_is_refused(tmp_path, name):
    path = archive(tmp_path / "a.npz", {"data.npy": npy((1,), data=b"x"), name: npy((1,), data=b"x")})
    with pytest.raises(BadDataError, match=r"a\.npz.*for safety"):
        open_any(path)


def test_a_file_cut_anywhere_is_told_as_cut(tmp_path, saved):
    whole = saved.save(tmp_path / "whole.npz", [saved.row(1, 1.0, [1], [0.3], 60)]).read_bytes()
    path = tmp_path / "cut.npz"
    for length in (0, 1, 2, 30, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BadDataError, match=r"cut\.npz.*cut or damaged.*again"):
            open_any(path)


def test_a_zip_bomb_is_refused_without_being_unpacked(tmp_path):
    """A header that says 8 GB for a few bytes: what deflate cannot do, and what no file of pictures is."""
    for size in (1 << 33, (1 << 32) - 2):
        path = archive(tmp_path / f"{size}.npz", {"data.npy": b"\0" * 100_000}, zipfile.ZIP_DEFLATED)
        data = bytearray(path.read_bytes())
        at = data.index(b"PK\x01\x02")
        said = min(size, (1 << 32) - 2)
        data[at + 24 : at + 28] = struct.pack("<I", said)
        path.write_bytes(data)
        with pytest.raises(BadDataError, match="ZIP bomb"):
            open_any(path)


def test_a_member_that_unpacks_to_less_than_it_says_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", {"data.npy": npy((5000,), data=b"\0" * 5000)}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 9000)
    path.write_bytes(data)
    with pytest.raises(BadDataError, match="as many bytes as the shape needs"):
        header_of(Members(path), "data")


def test_members_that_overlap_or_lie_outside_are_refused(tmp_path):
    path = archive(tmp_path / "a.npz", {"data.npy": npy((9,), data=b"x" * 9), "keys.npy": npy((9,), data=b"y" * 9)})
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    whole = bytes(data)
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    path.write_bytes(data)
    with pytest.raises(BadDataError, match="for safety"):
        Members(path)
    first = whole.index(b"PK\x01\x02")
    data = bytearray(whole)
    data[first + 20 : first + 28] = struct.pack("<2I", 400, 400)
    path.write_bytes(data)
    with pytest.raises(BadDataError, match="overlaps"):
        Members(path)


def test_a_damaged_archive_never_breaks_anything_but_is_told(tmp_path, saved):
    """Bytes at the start, in the directory or anywhere replaced at random: it reads, or is refused in our words."""
    rows = [saved.row(k, float(k % 2), [k % 2], [0.1 * (k % 2)], k) for k in range(3)]
    whole = [saved.save(tmp_path / "a.npz", rows, compressed=c).read_bytes() for c in (False, True)]
    convert(tmp_path / "a.npz", tmp_path / "b.npz", format="jumpnet", options=["size=8"])
    whole.append((tmp_path / "b.npz").read_bytes())
    path, refused = tmp_path / "c.npz", 0
    for seed in range(240):
        rng = np.random.default_rng(seed)
        data = bytearray(whole[seed % 3])
        low, high = [(0, len(data)), (0, 600), (len(data) - 400, len(data))][seed // 3 % 3]
        for _ in range(rng.integers(1, 5)):
            data[rng.integers(low, high)] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            for recording in open_any(path):
                deque(recording.frames(0, recording.frame_count), 0)
        except RushesError:
            refused += 1
    assert 50 < refused < 240


@pytest.mark.parametrize("code", [0xD800, 0x110000, 0xFFFFFFFF])
def test_texts_of_characters_that_there_are_not_are_refused(tmp_path, code):
    """NumPy makes strings of them that break whatever touches them."""
    path = archive(tmp_path / "a.npz", {"keys.npy": npy((1,), "<U1", struct.pack("<I", code))})
    with pytest.raises(BadDataError, match=r"key 'keys'.*characters that there are not"):
        read_array(Members(path), "keys")


@pytest.mark.parametrize(("name", "says"), [("a.npz", "no member at all"), ("a.zip", "no format knows")])
def test_an_archive_of_nothing_is_refused_in_our_words(tmp_path, name, says):
    with pytest.raises(BadDataError, match=says):
        open_any(archive(tmp_path / name, {}))


def test_two_members_of_one_name_and_other_methods_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("data.npy", npy((1,), data=b"x"))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("data.npy", npy((1,), data=b"y"))
    with pytest.raises(BadDataError, match="two members of one name"):
        open_any(tmp_path / "a.npz")
    path = archive(tmp_path / "b.npz", {"data.npy": npy((1,), data=b"x")}, zipfile.ZIP_LZMA)
    with pytest.raises(BadDataError, match="neither stored nor deflated"):
        open_any(path)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (npy((10**6, 10**6)), "as many bytes as the shape needs"),
        (npy((10**30,)), "as many bytes as the shape needs"),
        (npy((3,), data=b"xx"), "as many bytes as the shape needs"),
        (npy((1,), "<M8[s]", b"x" * 8), "numbers, texts, or objects"),
        (npy((5,), "|S0"), "numbers, texts, or objects"),
        (npy((5,), "<U0"), "numbers, texts, or objects"),
        (npy((1,) * 70, data=b"x"), "numbers, texts, or objects"),
        (npy((0, 10**30)), "numbers, texts, or objects"),
        (npy((1,), [("a", "|O")]), "numbers, texts, or objects"),
        (b"\x93NUMPY\x01\x00\x10\x00" + b"[" * 16, "no array"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "cut, damaged or made to deceive"),
        (b"\x93NUMPY\x09\x00", "no array"),
        (b"hello", "no array|cut, damaged"),
    ],
)
def test_a_declared_shape_is_held_against_the_bytes_that_are_there(tmp_path, head, says):
    path = archive(tmp_path / "a.npz", {"data.npy": head})
    with pytest.raises(BadDataError, match=says):
        read_array(Members(path), "data")


def test_other_archives_are_none_of_ours(tmp_path):
    path = archive(tmp_path / "notes.zip", {"folder/note.txt": b"hello"})
    with pytest.raises(BadDataError, match="which no format knows"):
        sniff_path(path)
    path = archive(tmp_path / "numbers.npz", {"data.npy": npy((3,), data=b"xyz")})
    with pytest.raises(BadDataError, match="which no format knows"):
        sniff_path(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_any_picture_is_read_by_its_number_and_two_readers_do_not_meet(tmp_path, saved, compressed):
    rows = [saved.row(k, 1.0, [1], [0.3], 60 + k, side=60) for k in range(9)]
    recording = open_any(saved.save(tmp_path / "a.npz", rows, compressed=compressed))[0]
    for k in (8, 0, 3, 3, 7):
        np.testing.assert_array_equal(recording.frame(k), saved.pixels(k, 60))
    one, two = recording.frames(0, 9), recording.frames(0, 9)
    for k in range(9):
        np.testing.assert_array_equal(next(one), saved.pixels(k, 60))
        np.testing.assert_array_equal(next(two), saved.pixels(k, 60))


def test_pictures_of_any_kind_become_rgb():
    whole = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20
    np.testing.assert_array_equal(to_rgb(whole), whole)
    np.testing.assert_array_equal(to_rgb(whole / np.float32(255)), whole)
    np.testing.assert_array_equal(to_rgb(whole.astype(np.float64)), whole)
    np.testing.assert_array_equal(to_rgb(np.array([[True, False]])), [[[255] * 3, [0] * 3]])
    np.testing.assert_array_equal(to_rgb(np.array([[[0.5]]], np.float32)), [[[128] * 3]])
    np.testing.assert_array_equal(to_rgb(np.array([[[1, 2, 3, 4]]], np.uint8)), [[[1, 2, 3]]])
    np.testing.assert_array_equal(to_rgb(np.array([[np.nan, np.inf]], np.float32)), np.zeros((1, 2, 3)))


def test_every_byte_comes_back_through_a_float32(tmp_path):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(to_rgb((every / 255.0).astype(np.float32)), every)


def test_pictures_can_go_to_another_process(tmp_path, saved):
    import pickle

    path = saved.save(tmp_path / "a.npz", [saved.row(k, 1.0, [1], [0.3], k, side=60) for k in range(3)])
    frames = pickle.loads(pickle.dumps(open_any(path)[0].source_of_frames))
    assert isinstance(frames, Pictures)
    np.testing.assert_array_equal(next(iter(frames.frames(2, 3))), saved.pixels(2, 60))
