"""HDF5 as the reference's guide reads it, as its code writes it, and what is in the way of either."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.model.recording import Sessions
from rushes.model.session import StreamSpec


def _load(name):
    spec = importlib.util.spec_from_file_location(f"hdf5_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hands = _load("hands")
VIDEO = (np.arange(5 * 4 * 6 * 3) % 256).astype(np.uint8).reshape(5, 4, 6, 3)


@pytest.fixture
def play():
    return Sessions([hands.Hands([6, 4]), hands.Hands([5], salt=2, game="Fortnite")], format="x")


def test_the_lines_of_the_guide_run(play, tmp_path):
    convert(play, tmp_path / "fortnite_dataset.h5", format="hdf5", options=["compression=gzip", "downsample_factor=2"])
    with h5py.File(tmp_path / "fortnite_dataset.h5", "r") as f:
        video = f["video"][:]
        inputs = f["inputs"][:]
        metadata = f["metadata"][:]
    assert (video.shape, video.dtype) == ((15, 6, 8, 3), np.uint8)
    assert (len(inputs), inputs.dtype) == (15, np.float32)
    assert metadata["game"].tolist() == [b"Doom", b"Fortnite"]
    fortnite = metadata[metadata["game"] == b"Fortnite"][0]
    assert (fortnite["start"], fortnite["stop"]) == (10, 15)


def test_a_game_can_be_chosen(play, tmp_path):
    convert(play, tmp_path / "a.h5", format="hdf5", games=["Fortnite"])
    with h5py.File(tmp_path / "a.h5") as file:
        assert len(file["video"]) == 5
        assert (file["video"][2] == hands.picture(2, 2)).all()


def test_the_file_is_whole_by_itself(play, tmp_path):
    (tmp_path / "here").mkdir()
    convert(play, tmp_path / "here" / "a.h5", format="hdf5")
    (tmp_path / "sent.h5").write_bytes((tmp_path / "here" / "a.h5").read_bytes())
    (tmp_path / "here" / "a.h5").unlink()
    with h5py.File(tmp_path / "sent.h5") as file:
        assert (file["video"][9] == hands.picture(1, 9)).all()
        assert (file["sessions/0001/video"][4] == hands.picture(2, 4)).all()
        assert file["sessions/0001/events"]["control"][0] == b"KeyW"
        assert {source.file_name for source in file["video"].virtual_sources()} == {"."}


@pytest.mark.parametrize("compression", ["gzip", "lzf", "none"])
def test_a_chunk_is_one_picture_packed_as_asked(play, tmp_path, compression):
    convert(play, tmp_path / "a.h5", format="hdf5", options=[f"compression={compression}"])
    with h5py.File(tmp_path / "a.h5") as file:
        video = file["sessions/0000/video"]
        assert video.chunks == (1, 12, 16, 3)
        assert video.compression == (None if compression == "none" else compression)
        assert (file["video"][14] == hands.picture(2, 4)).all()


def test_another_compression_is_refused(play, tmp_path):
    with pytest.raises(BadInputError, match="gzip, lzf, none"):
        convert(play, tmp_path / "a.h5", format="hdf5", options=["compression=szip"])


def test_hdf5_of_something_else_is_not_ours(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["video"] = np.zeros(3)
    with pytest.raises(BadDataError, match="no format knows"):
        sniff_path(tmp_path / "a.h5")


def theirs(path, *, fps=50, names=("inputs",), rate_name="fps"):
    """Write what the reference's exporter writes, from its own description."""
    rows = [(0, b"mouse", b"move", b"move", 0, 10, 20), (30, b"keyboard", b"w", b"press", 1, 0, 0),
            (45, b"mouse", b"move", b"move", 0, 13, 19), (90, b"keyboard", b"w", b"release", 0, 0, 0),
            (5000, b"keyboard", b"a", b"press", 1, 0, 0)]  # fmt: skip
    with h5py.File(path, "w") as file:
        about = file.create_group("metadata")
        about.attrs["num_sessions"], about.attrs["game_name"] = 1, "all"
        group = file.create_group("session_0007")
        group.attrs["session_id"], group.attrs["game_name"], group.attrs[rate_name] = 7, "CS:GO", fps
        group.create_dataset("video", data=VIDEO)
        for name in names:
            inputs = group.create_group(name)
            kinds = ("i8", "S20", "S50", "S20", "f4", "f4", "f4")
            labels = ("timestamps", "devices", "buttons", "actions", "values", "x_positions", "y_positions")
            for label, kind, values in zip(labels, kinds, zip(*rows, strict=True), strict=True):
                inputs.create_dataset(label, data=np.array(values, kind), compression="gzip")


def test_what_the_references_exporter_writes_is_read(tmp_path):
    theirs(tmp_path / "fortnite.h5")
    (found,) = open_any(tmp_path / "fortnite.h5")
    assert (found.info.game, found.info.time_source, found.frame_count) == ("CS:GO", "assumed", 5)
    assert found.index()["t_ns"].tolist() == [0, 20_000_000, 40_000_000, 60_000_000, 80_000_000]
    assert found.frame(4).tolist() == VIDEO[4].tolist()
    events = found.events(0)
    edges = events[events["kind"].isin(["press", "release"])]
    assert list(zip(edges["t_ns"], edges["control"], edges["kind"], strict=True)) == [
        (30_000_000, "KeyW", "press"), (90_000_000, "KeyW", "release")
    ]  # fmt: skip
    assert events.loc[events["kind"] == "move", ["dx", "dy"]].to_numpy().tolist() == [[3, -1]]
    assert set(found.events()["control"]) - {"KeyW", "Mouse"} == set()
    assert "Mouse" not in found.events().query("kind == 'release'")["control"].tolist(), "a place is nothing to let go"
    assert found.ledger["events"].lost["outside_segment"] == 1
    assert found.ledger.balances


def test_a_group_without_inputs_or_rate_is_read_and_told(tmp_path):
    theirs(tmp_path / "a.h5", names=(), rate_name="other")
    (found,) = open_any(tmp_path / "a.h5")
    assert len(found.events()) == 0
    assert [problem.kind for problem in found.problems] == ["assumed_rate"]


def test_the_strict_form_is_what_the_references_exporter_writes(play, tmp_path):
    report = convert(play, tmp_path / "strict.h5", format="hdf5", options=["strict=true"])
    theirs(tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "strict.h5") as ours, h5py.File(tmp_path / "theirs.h5") as model:
        assert set(ours) == {"metadata", "session_0001", "session_0002", "session_0003"}
        group, wanted = ours["session_0003"], model["session_0007"]
        assert {name: group[f"inputs/{name}"].dtype for name in group["inputs"]} == {
            name: wanted[f"inputs/{name}"].dtype for name in wanted["inputs"]
        }
        assert dict(group.attrs) == {"session_id": 3, "game_name": "Fortnite", "fps": 25}
        assert dict(ours["metadata"].attrs) == {"num_sessions": 3, "game_name": "all"}
        assert (group["video"][3] == hands.picture(2, 3)).all()
        assert group["inputs/timestamps"][:].tolist() == [0, 20, 40, 40, 40, 40, 80, 100, 120]
        assert group["inputs/buttons"][1] == b"w"
    assert report.lost == ("times",)
    assert sniff_path(tmp_path / "strict.h5") == "hdf5"
    again = open_any(tmp_path / "strict.h5")
    assert [one.info.game for one in again] == ["Doom", "Doom", "Fortnite"]
    presses = again[2].events(0).query("kind == 'press'")
    assert presses["control"].tolist() == ["KeyW", "KeyE", "MouseLeft"]


def test_the_strict_form_has_no_place_for_an_environment(tmp_path, fake):
    with pytest.raises(BadInputError, match="leave strict out"):
        convert(fake.Fake([3]), tmp_path / "a.h5", format="hdf5", options=["strict=true"])
    assert list(tmp_path.iterdir()) == []


def test_the_texts_in_it_are_plain_json(play, tmp_path):
    convert(play, tmp_path / "a.h5", format="hdf5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert json.loads(file["statistics/json"][()])["rows"] == 15
        assert json.loads(file["about"][()])["columns"] == list(file.attrs["columns"])


def hostile(path, play, change):
    convert(play, path, format="hdf5")
    with h5py.File(path, "r+") as file:
        group = file["sessions/0000"]
        change(group)


def elsewhere(group, name, make):
    shape, dtype = group[name].shape, group[name].dtype
    del group[name]
    make(group, name, shape, dtype)


def by_link(group, name, shape, dtype):
    group[name] = h5py.ExternalLink("/etc/hostname", "/x")


def by_storage(group, name, shape, dtype):
    group.create_dataset(name, shape, dtype, external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def by_sources(group, name, shape, dtype):
    layout = h5py.VirtualLayout(shape, dtype)
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape, dtype)
    group.create_virtual_dataset(name, layout)


def by_size(group, name, shape, dtype):
    group.create_dataset(name, (1 << 40, *shape[1:]), dtype, chunks=(1024, *shape[1:]), compression="gzip")


@pytest.mark.parametrize("make", [by_link, by_storage, by_sources, by_size])
@pytest.mark.parametrize("name", ["video", "events"])
def test_nothing_is_read_from_another_file_and_nothing_larger_than_the_file(play, tmp_path, name, make):
    hostile(tmp_path / "a.h5", play, lambda group: elsewhere(group, name, make))
    with pytest.raises(BadDataError, match=f"sessions/0000/{name}"):
        open_any(tmp_path / "a.h5")[0].frame(0)


def whole(path):
    again = open_any(path)[0]
    return list(again.frames(0, 6)), list(again.sound("system"))


def other_blocks(field, value):
    def change(group):
        dataset = group["sound_blocks"]
        rows = np.zeros(1, dataset.dtype)
        rows["rate_hz"], rows["channels"], rows["count"] = 16_000, 1, 4
        rows[field] = value
        del group["sound_blocks"]
        group["sound_blocks"] = rows

    return change


def other_about(group):
    del group["about"]
    group["about"] = 5


def fewer_pictures(group):
    whole = group["video"][:2]
    del group["video"]
    group["video"] = whole


def other_pictures(group):
    whole = group["video"][..., 0]
    del group["video"]
    group["video"] = whole


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_blocks("first", -5), "sound from -5"),
        (other_blocks("count", 1 << 40), "sound from 0"),
        (other_blocks("rate_hz", 0), "0 Hz"),
        (other_about, "must be str"),
        (fewer_pictures, "picture 2, which is not there"),
        (other_pictures, r"a picture of \(12, 16\)"),
    ],
)
def test_what_does_not_fit_is_told_as_damage(tmp_path, change, says):
    class Heard(hands.Hands):
        def sound(self, stream):
            return iter(())

    play = Heard([6])
    heard = StreamSpec("system", "sound", "flac", rate_hz=16_000)
    play.info = replace(play.info, streams=(*play.info.streams, heard))
    hostile(tmp_path / "a.h5", Sessions([play], format="x"), change)
    with pytest.raises(BadDataError, match=says):
        whole(tmp_path / "a.h5")
