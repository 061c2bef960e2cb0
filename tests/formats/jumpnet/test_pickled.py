"""Object arrays are read, and nothing that stands in them is ever run."""

import builtins
import contextlib
import copyreg
import io
import os
import pickle
import struct
import subprocess
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rushes.errors import BadDataError, RushesError
from rushes.formats.base import open_any, sniff_path
from rushes.formats.jumpnet import pickled, rows
from rushes.formats.jumpnet.arrays import read_array
from rushes.formats.jumpnet.members import Members, Stream
from rushes.formats.jumpnet.pickled import read_pickle
from rushes.formats.jumpnet.rows import read_rows
from rushes.formats.jumpnet.values import Objects, Stored


def read(data: bytes):
    return read_pickle(Stream(io.BytesIO(data), len(data), "demo"))


def npz(path, **members: bytes):
    """An NPZ whose members are object arrays made of these pickles."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            head = io.BytesIO()
            header = {"descr": "|O", "fortran_order": False, "shape": (1, 6) if name == "data" else (1,)}
            np.lib.format.write_array_header_1_0(head, header)
            archive.writestr(f"{name}.npy", head.getvalue() + data)
    return path


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


class Shaped(np.ndarray):
    pass


def touch(path):
    return f"touch {path}"


GLOBAL_OS = b"cnumpy.core.multiarray\nos\n"


def payloads(mark):
    """Hostile pickles, each of which makes the file `mark` where it runs; with what must be named."""
    shell = touch(mark)
    image = np.zeros((40, 40, 3), np.float32)
    code = f"open({str(mark)!r}, 'w').close()"
    nested = np.array([[image, 1.0, np.ones(1), np.array([Calls(os.system, shell)]), "press", 7]], dtype=object)
    in_row = np.empty((1, 6), object)
    in_row[0] = [image, 1.0, Calls(builtins.eval, code), np.ones(1), "press", 7]
    return {
        "os.system": (pickle.dumps(Calls(os.system, shell)), "posix.system"),
        "os.system, protocol 2": (pickle.dumps(Calls(os.system, shell), protocol=2), "posix.system"),
        "os.system, protocol 0": (pickle.dumps(Calls(os.system, shell), protocol=0), "posix.system"),
        "eval": (pickle.dumps(Calls(eval, code)), r"(__builtin__|builtins)\.eval"),
        "exec": (pickle.dumps(Calls(exec, code)), r"(__builtin__|builtins)\.exec"),
        "subprocess": (pickle.dumps(Calls(subprocess.Popen, ["touch", str(mark)])), r"subprocess\.Popen"),
        "in a row": (pickle.dumps(in_row), r"(__builtin__|builtins)\.eval"),
        "in an array in a row": (pickle.dumps(nested), "posix.system"),
        "copyreg": (pickle.dumps(Calls(copyreg._reconstructor, Calls, object, None)), "copyreg._reconstructor"),
        "numpy's os": (
            b"\x80\x03" + GLOBAL_OS + b"X\x06\x00\x00\x00system\x85R.",
            r"numpy\.core\.multiarray\.os",
        ),
        "a dotted name": (
            b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x09os.system\x93" + b"\x8c\x01x\x85R.",
            r"numpy\.core\.multiarray\.os\.system",
        ),
        "numpy's loader": (pickle.dumps(Calls(np.load, str(mark))), r"numpy.*load"),
        "a subclass of arrays": (pickle.dumps(np.zeros(3).view(Shaped)), "Shaped"),
        "build on a token": (b"\x80\x04cnumpy\nndarray\n}\x8c\x01a\x8c\x01bsb.", "the instruction EMPTY_DICT"),
        "build on a foreign object": (b"\x80\x04cnumpy\nndarray\n(K\x01K\x02tb.", "a state for token"),
        "build on a tuple": (b"\x80\x04K\x01\x85(K\x01tb.", "a state for tuple"),
        "call of a number": (b"\x80\x04K\x01)R.", "a call of int"),
        "call of ndarray": (b"\x80\x04cnumpy\nndarray\n)R.", "a call of ndarray"),
        "INST": (b"(S'" + shell.encode() + b"'\nios\nsystem\n.", "the instruction"),
        "OBJ": (b"\x80\x02(cnumpy\nndarray\no.", "the instruction OBJ"),
        "NEWOBJ": (b"\x80\x02cnumpy\nndarray\n)\x81.", "the instruction NEWOBJ"),
        "NEWOBJ_EX": (b"\x80\x04cnumpy\nndarray\n)}\x92.", "the instruction"),
        "EXT1": (b"\x80\x02\x82\x01.", "the instruction EXT1"),
        "EXT2": (b"\x80\x02\x83\x01\x00.", "the instruction EXT2"),
        "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "the instruction EXT4"),
        "PERSID": (b"Pabc\n.", "the instruction PERSID"),
        "BINPERSID": (b"\x80\x02K\x01Q.", "the instruction BINPERSID"),
        "bytes of something": (b"\x80\x02c__builtin__\nbytes\nK\x01\x85R.", "a call of bytes"),
        "another codec": (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00base64\x86R.", "base64"),
    }


NAMES = sorted(payloads("x"))


@pytest.mark.parametrize("member", ["data", "keys"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_file_is_refused_by_name_and_runs_nothing(tmp_path, saved, name, member):
    mark = tmp_path / "it-ran"
    hostile, found = payloads(mark)[name]
    good = pickle.dumps(np.array([saved.row(1, 1.0, [1], [0.3], 60)], dtype=object))
    path = npz(tmp_path / "evil.npz", **({"data": good} | {member: hostile}))
    with pytest.raises(BadDataError, match=found) as refused:
        open_any(path)
    assert not mark.exists()
    text = str(refused.value)
    assert "evil.npz" in text
    assert f"key '{member}'" in text
    assert "not run, for safety" in text


def test_the_payloads_would_have_run(tmp_path):
    """What is refused above is real: the pickler's own loader runs it."""
    for name in ("os.system", "os.system, protocol 2", "os.system, protocol 0", "eval", "in a row", "exec"):
        mark = tmp_path / name.replace(" ", "-")
        pickle.loads(payloads(mark)[name][0])
        assert mark.exists(), name


def test_a_hostile_file_is_refused_by_the_commands_too(tmp_path):
    mark = tmp_path / "it-ran"
    path = npz(tmp_path / "evil.npz", data=payloads(mark)["os.system"][0])
    with pytest.raises(BadDataError, match="not run, for safety"):
        sniff_path(path)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "|u1", "<i4", ">i8", "|b1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_as_numpy_reads_them(protocol, dtype, order):
    small = np.asarray(np.arange(6).reshape(2, 3), dtype, order=order)
    large = np.asarray(np.arange(60 * 90 * 3).reshape(60, 90, 3) % 251, dtype, order=order)
    data = pickle.dumps(np.array([small, large, 1, 2.5, "w", b"w", None, True, -5, 1 << 40], dtype=object), protocol)
    found = read(data)
    assert isinstance(found, Objects)
    assert found.shape == (10,)
    assert found.items[2:] == [1, 2.5, "w", b"w", None, True, -5, 1 << 40]
    np.testing.assert_array_equal(found.items[0], small)
    assert isinstance(found.items[1], Stored)
    loaded = found.items[1].load(Stream(io.BytesIO(data), len(data), "demo"))
    np.testing.assert_array_equal(loaded, large)
    assert loaded.dtype == large.dtype


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_scalars_texts_and_odd_shapes_come_as_numpy_reads_them(protocol):
    values = [
        np.float32(0.5), np.int64(7), np.str_("press"), np.array(3.0), np.array(["w", "ab"]), np.zeros((0, 3)),
        np.array([b"x"]), [1, (2, 3)], np.bool_(True),
    ]  # fmt: skip
    found = read(pickle.dumps(values, protocol))
    for one, wanted in zip(found, values, strict=True):
        np.testing.assert_array_equal(np.array(one, dtype=object), np.array(wanted, dtype=object))
    assert found[5].shape == (0, 3)


def test_an_object_array_in_fortran_order_has_its_items_in_their_places(tmp_path):
    table = np.asfortranarray(np.array([[1, "a"], [2, "b"], [3, "c"]], dtype=object))
    np.savez(tmp_path / "a.npz", data=table)
    found = read_array(Members(tmp_path / "a.npz"), "data")
    assert np.array(found.items, object).reshape(found.shape).tolist() == table.tolist()


def test_what_stands_in_several_rows_is_read_from_one_place():
    picture = np.zeros((50, 50, 3), np.float32)
    found = read(pickle.dumps(np.array([picture, 1.0, picture], dtype=object)))
    assert found.items[0] is found.items[2]


def state(shape: str, data: bytes, dtype=b"f4"):
    """A pickled array of one shape with the bytes of another; sizes are what the pickle says."""
    begin = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    made = b"(K\x01" + pickle.dumps(eval(shape), 3)[2:-1] + b"cnumpy\ndtype\nX\x02\x00\x00\x00" + dtype
    made += b"K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return begin + made + b"\x89" + data + b"tb."


@pytest.mark.parametrize(
    "data",
    [
        state("(10**6, 10**6, 3)", b"C\x04abcd"),
        state("(-1,)", b"C\x04abcd"),
        state("(2,)", b"C\x04abcd"),
        state("(10**18, 10**18, 0)", b"C\x00"),
        state("(1,)", b"B\xff\xff\xff\x7f" + b"x" * 99),
        state("(1,)", b"\x8e" + struct.pack("<Q", 1 << 60) + b"x" * 99),
        state("(1.5,)", b"C\x04abcd"),
        state("(" + "1," * 40 + ")", b"C\x04abcd"),
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"w.",
        b"\x80\x04" + b"]" * 5 + b"a" * 9 + b".",
        b"\x80\x04" + b"K\x01" + b"\x85" * 100 + b".",
        b"\x80\x04]\x94h\x00a.",
        b"\x80\x04h\x07.",
        b"\x80\x04",
        b"",
        b"\x80\x04c" + b"a" * 200_000,
        b"\x80\x07N.",
        b"\x80\x04\x8c\x02\xff\xfe.",
    ],
)
def test_sizes_that_deceive_are_refused_before_anything_is_made(data):
    with pytest.raises(BadDataError, match="demo"):
        read(data)


def test_a_tree_that_unfolds_without_end_is_not_unfolded():
    """Fourteen levels of lists that each hold the one before a thousand times: 10**42 leaves."""
    data = b"\x80\x04]\x94"
    for level in range(14):
        data += b"](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * 999 + b"e\x94"
    found = read(data + b".")
    assert len(found) == 1000
    with pytest.raises(BadDataError, match=r"asks for a list\.a list"):
        read(data + b"h\x0dh\x0d\x93.")


def folded(place: int, levels: int, wide: int) -> bytes:
    """A row of six, one of which is a list of lists of ... of one number, each made once and named again and again."""
    tree = b"](K\x01eq\xc8"
    for level in range(levels):
        tree += b"](" + (b"h" + bytes([200 + level])) * wide + b"eq" + bytes([201 + level])
    picture, vector = (pickle.dumps(one, 3)[2:-1] for one in (np.zeros((4, 4, 3)), np.ones(1)))
    row = [picture, b"K\x01", vector, vector, b"X\x05\x00\x00\x00press", b"K\x07"]
    row[place] = b"h" + bytes([200 + levels])
    return b"\x80\x03" + tree + b"0" * (levels + 1) + b"](" + b"".join(row) + b"t\x85a."


@pytest.mark.parametrize(
    ("place", "why"),
    [(0, "no_picture"), (1, "no_number"), (2, "no_vectors"), (3, "no_vectors"), (4, "no_phase"), (5, "no_frame")],
)
def test_a_row_that_would_unfold_to_all_memory_is_left_folded(place, why):
    """17 KB that are 10**24 numbers."""
    found = read(folded(place, 8, 1000))
    assert read_rows(Objects((1,), [found[0][0]])).malformed == {why: 1}


@pytest.mark.parametrize("wrapped", [[[1.0], [0.0]], (np.ones(1), np.zeros(1)), [np.array([1.0, 0.0])]])
def test_numbers_in_lists_are_a_vector_too(wrapped):
    row = (np.zeros((4, 4, 3)), 1.0, wrapped, [0.25, 0.0], "press", [7])
    assert read_rows(Objects((1,), [row])).rows[0].keys.tolist() == [1.0, 0.0]


def test_one_row_named_a_million_times_is_refused(monkeypatch):
    monkeypatch.setattr(rows, "_MOST_ROWS", 50)
    row = (np.zeros((4, 4, 3)), 1.0, np.ones(1), np.zeros(1), "press", 7)
    assert len(read_rows(Objects((50,), [row] * 50)).rows) == 50
    with pytest.raises(BadDataError, match=r"a\.npz: more than 50 rows"):
        read_rows(Objects((51,), [row] * 51), "a.npz")


def test_an_array_of_countless_rows_of_nothing_has_none():
    """(10**15, 0) needs no object, so nothing contradicts it."""
    assert read_rows(Objects((10**15, 0), [])).offered == 0


@pytest.mark.parametrize(
    ("limit", "most", "data"),
    [
        ("_MOST_STEPS", 50, b"N" * 60 + b"."),
        ("_MOST_HELD", 50, b")" * 60 + b"."),
        ("_MOST_HELD", 50, b"N" + b"".join(b"r" + struct.pack("<I", k) for k in range(60)) + b"."),
        ("_MOST_MARKS", 50, b"(" * 60 + b"."),
        ("_MOST_KEPT", 50, b"C\x0a0123456789" * 6 + b"."),
        ("_MOST_KEPT", 50, b"\x8a\xff" + b"\x01" * 255 + b"."),
        ("_MOST_KEPT", 50, b"J\x01\x01\x01\x01" * 6 + b"."),
        ("_MOST_HELD", 50, b")\x94" + b"h\x00" * 60 + b"."),
    ],
)
def test_a_pickle_of_more_than_any_file_holds_is_refused(monkeypatch, limit, most, data):
    monkeypatch.setattr(pickled, limit, most)
    with pytest.raises(BadDataError, match="more than 50"):
        read(b"\x80\x04" + data)


def test_a_value_that_holds_itself_is_refused():
    with pytest.raises(BadDataError, match="holds itself"):
        read(b"\x80\x04]\x94](h\x00eah\x00.")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_a_damaged_file_never_breaks_anything_but_is_told(saved, seed):
    """Bytes of a real pickle replaced or cut at random: it reads, or it is refused in our words."""
    rng = np.random.default_rng(seed)
    data = bytearray(pickle.dumps(np.array([saved.row(1, 1.0, [1], [0.3], 60)] * 2, dtype=object), 4))
    for _ in range(rng.integers(1, 6)):
        data[rng.integers(0, min(len(data), 400))] = rng.integers(0, 256)
    with contextlib.suppress(RushesError):
        read(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]))
