import io
import json
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.errors import BadDataError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.model.recording import Sessions

ALIEN = "atari_alien/episode_000_rand0.2"


def tree(root) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def write_reference(folder, actions, *, first=0):
    """An episode as the reference's sampler leaves it: a picture of one colour a frame, a text file a frame."""
    folder.mkdir(parents=True)
    for k, action in enumerate(actions, first):
        Image.fromarray(np.full((210, 160, 3), k % 256, np.uint8)).save(folder / f"frame_{k:06d}.png")
        if action is not None:
            (folder / f"action_{k:06d}.txt").write_text(action)


def test_the_tree_is_the_one_of_the_reference_guide(play, tmp_path, fake):
    convert(play, tmp_path / "frames", format="folders", options=["strict=true"])
    expected = {
        f"{episode}/{name}"
        for episode, count in (
            (ALIEN, 10),
            ("atari_alien/episode_001_rand0.2", 4),
            ("atari_breakout/episode_000_rand0.2", 3),
        )
        for k in range(count)
        for name in (f"frame_{k:06d}.png", f"action_{k:06d}.txt")
    }
    assert tree(tmp_path / "frames") == expected
    texts = [(tmp_path / "frames" / ALIEN / f"action_{k:06d}.txt").read_text() for k in range(6)]
    assert texts == ["1: FIRE", "6: UPRIGHT", "11: RIGHTFIRE", "16: DOWNRIGHTFIRE", "3: RIGHT", "8: DOWNRIGHT"]
    with Image.open(tmp_path / "frames" / ALIEN / "frame_000005.png") as opened:
        assert opened.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(opened), fake.picture(1, 5))


def test_by_default_the_last_frame_stands_without_action_and_the_rest_beside_it(play, tmp_path):
    convert(play, tmp_path / "frames", format="folders")
    folder = tmp_path / "frames" / ALIEN
    names = {p.name for p in folder.iterdir()}
    assert {"frame_000010.png", "steps.parquet", "episode.json", "action_000009.txt"} <= names
    assert "action_000010.txt" not in names
    steps = pd.read_parquet(folder / "steps.parquet")
    assert steps["frame_number"].tolist() == list(range(11))
    assert steps["reward"].tolist()[:10] == [k * 0.5 for k in range(10)]
    assert np.isnan(steps["reward"][10])
    assert steps["terminated"].tolist() == [False] * 9 + [True, False]
    assert steps["action"].dtype == steps["lives"].dtype == np.int64
    about = json.loads((folder / "episode.json").read_text())
    wanted = {
        "env_id": "ALE/Alien-v5", "seed": 1000, "frameskip": 4, "sticky": 0.25, "full_action_space": False,
        "policy": "uniform", "randomness": 0.2, "end_reason": "terminated", "session": "session-1",
    }  # fmt: skip
    assert {k: about[k] for k in wanted} == wanted


@pytest.mark.parametrize(
    ("randomness", "name"), [(0.25, "rand0.25"), (0.0, "rand0"), (1.0, "rand1"), (1e-05, "rand1e-05")]
)
def test_randomness_is_written_so_that_it_reads_back(fake, tmp_path, randomness, name):
    convert(fake.Fake([3], randomness=randomness), tmp_path / "a", format="folders", options=["strict=true"])
    assert [p.name for p in (tmp_path / "a" / "atari_alien").iterdir()] == [f"episode_000_{name}"]
    assert open_any(tmp_path / "a")[0].segments[0].attrs["randomness"] == randomness


def test_indexed_copies_the_stored_files(play, tmp_path, fake):
    convert(play, tmp_path / "a", format="folders", options=["indexed=true"])
    with Image.open(tmp_path / "a" / ALIEN / "frame_000003.png") as opened:
        assert opened.mode == "P"
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), fake.picture(1, 3))
    assert open_any(tmp_path / "a")[0].info.streams[0].codec == "png-indexed"


def test_episodes_that_go_by_one_name_get_numbers_of_their_own(fake, tmp_path):
    report = convert(
        Sessions([fake.Fake([3, 3], salt=1), fake.Fake([2], salt=2)], format="x"), tmp_path / "a", format="folders"
    )
    assert sorted(p.name for p in (tmp_path / "a" / "atari_alien").iterdir()) == [
        "episode_000_rand0.2", "episode_001_rand0.2", "episode_002_rand0.2",
    ]  # fmt: skip
    assert report.ledger["episodes"].marked == {"renumbered": 1}
    assert [r.info.id for r in open_any(tmp_path / "a")] == ["session-1", "session-2"]


def test_an_action_without_outcome_keeps_its_frame_in_strict(fake, tmp_path):
    convert(fake.Fake([4], last_action=True), tmp_path / "a", format="folders", options=["strict=true"])
    assert len([n for n in tree(tmp_path / "a") if n.endswith(".txt")]) == 4
    assert len([n for n in tree(tmp_path / "a") if n.endswith(".png")]) == 4


def test_an_episode_of_one_frame_has_no_place_in_strict_and_is_counted(fake, tmp_path):
    report = convert(fake.Fake([1, 3]), tmp_path / "a", format="folders", options=["strict=true"])
    assert [p.name for p in (tmp_path / "a" / "atari_alien").iterdir()] == ["episode_001_rand0.2"]
    assert report.written["episodes"] == 1
    assert report.ledger["episodes"].lost == {"strict_without_action": 1}
    assert report.ledger.balances


def test_a_folder_of_the_reference_is_read(tmp_path):
    write_reference(tmp_path / "a" / ALIEN, ["8: DOWNRIGHT", "0: NOOP\n", "1: FIRE", None])
    assert sniff_path(tmp_path / "a") == "atari_folders"
    (recording,) = open_any(tmp_path / "a")
    assert recording.info.game == "Alien"
    assert recording.info.time_source == "assumed"
    assert recording.info.source == {"kind": "import", "name": "atari_folders"}
    assert len(recording.info.action_space) == 18
    (segment,) = recording.segments
    assert (segment.frames, segment.end_reason) == (4, "unknown")
    assert segment.attrs == {"episode": 0, "randomness": 0.2}
    steps = recording.steps()
    assert steps["action"].tolist() == [8, 0, 1]
    assert steps["action_name"].tolist() == ["ALE/DOWNRIGHT", "ALE/NOOP", "ALE/FIRE"]
    assert steps["reward"].isna().all()
    assert not steps["terminated"].any()
    assert steps["lives"].tolist() == [-1, -1, -1]
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 4)] == [0, 1, 2, 3]
    assert recording.events()["control"].tolist()[:2] == ["ALE/DOWN", "ALE/RIGHT"]
    assert recording.problems == ()
    assert recording.ledger.balances


def test_an_environment_or_one_episode_can_be_opened_by_itself(tmp_path, monkeypatch):
    write_reference(tmp_path / ALIEN, ["0: NOOP", None])
    for path in (tmp_path, tmp_path / "atari_alien", tmp_path / ALIEN):
        (recording,) = open_any(path)
        assert (recording.info.game, recording.frame_count) == ("Alien", 2)
    monkeypatch.chdir(tmp_path / "atari_alien")
    assert open_any(".")[0].info.game == "Alien"


def test_a_missing_action_splits_the_episode_and_bridges_nothing(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE", None, "2: UP", "3: RIGHT", None])
    (recording,) = open_any(tmp_path)
    assert [(s.first_frame, s.frames, s.end_reason) for s in recording.segments] == [(0, 2, "gap"), (2, 3, "unknown")]
    assert [s.attrs["part"] for s in recording.segments] == [0, 1]
    assert recording.steps(0)["action"].tolist() == [1]
    assert recording.steps(1)["frame_index"].tolist() == [2, 3]
    (problem,) = recording.problems
    assert (problem.kind, problem.count, problem.where) == ("missing_action", 1, ALIEN)
    assert recording.ledger["actions"].lost == {"missing_action": 1}
    assert recording.ledger["episodes"].marked == {"split": 1}
    assert recording.ledger.balances
    times = recording.index()["t_ns"]
    assert (np.diff(times) > 0).all()
    assert recording.segments[0].end_ns < recording.segments[1].start_ns


def test_a_split_episode_is_written_as_two(tmp_path):
    write_reference(tmp_path / "a" / ALIEN, ["1: FIRE", None, "2: UP", None])
    convert(tmp_path / "a", tmp_path / "b", format="folders", options=["strict=true"])
    assert tree(tmp_path / "b") == {
        f"atari_alien/episode_{n:03d}_rand0.2/{name}"
        for n in (0, 1)
        for name in ("frame_000000.png", "action_000000.txt")
    }


@pytest.mark.parametrize("mode", ["RGBA", "L", "LA", "P", "I;16", "interlaced", "RGB"])
@pytest.mark.parametrize("name", ["folders", "simple", "interleaved"])
def test_an_export_of_any_foreign_picture_is_rgb_of_8_bits(tmp_path, mode, name):
    import cv2  # writes the 16 bits; Pillow reads everything back

    grey = np.linspace(0, 255, 20 * 16).astype(np.uint8).reshape(20, 16)
    colour = np.stack([grey, grey[::-1], 255 - grey], axis=2)
    folder = tmp_path / "a" / ALIEN
    write_reference(folder, ["0: NOOP", None])
    path, shown = folder / "frame_000000.png", np.stack([grey] * 3, axis=2)
    if mode == "I;16":
        cv2.imwrite(str(path), grey.astype(np.uint16) * 257)
    elif mode == "interlaced":
        path.write_bytes(interlaced(colour))
        shown = colour
    elif mode in ("L", "LA"):
        Image.fromarray(grey).convert(mode).save(path)
    elif mode == "P":
        image = Image.fromarray(colour).quantize(256)
        image.save(path)
        shown = np.asarray(image.convert("RGB"))
    else:
        Image.fromarray(colour).convert(mode).save(path)
        shown = colour
    stored = path.read_bytes()
    convert(tmp_path / "a", tmp_path / "b", format=name)
    if name == "folders":
        data = (tmp_path / "b" / ALIEN / "frame_000000.png").read_bytes()
    else:
        row = pd.read_parquet(tmp_path / "b").iloc[0]
        data = row["image"] if name == "simple" else row["images"][0]
    assert (data[24], data[25], data[28]) == (8, 2, 0)  # bit depth, colour type, interlace: PNG, 11.2.2
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), shown)
    assert (data == stored) == (mode == "RGB")


def interlaced(pixels: np.ndarray) -> bytes:
    """An Adam7 file (PNG specification, 8.2), written by hand: Pillow and OpenCV write none."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for top, left, down, right in passes:
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[top::down, left::right])

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def test_an_action_file_with_a_byte_order_mark_is_read(tmp_path):
    write_reference(tmp_path / ALIEN, ["8: DOWNRIGHT", None])
    (tmp_path / ALIEN / "action_000000.txt").write_bytes(b"\xef\xbb\xbf8: DOWNRIGHT\r\n")
    (recording,) = open_any(tmp_path)
    assert recording.steps()["action"].tolist() == [8]
    assert recording.problems == ()


def test_an_action_on_the_last_frame_is_kept_and_counted(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE", "2: UP"])
    (recording,) = open_any(tmp_path)
    assert recording.steps()["action"].tolist() == [1, 2]
    assert recording.segments[0].end_reason == "unknown"
    assert [p.kind for p in recording.problems] == ["action_without_outcome"]
    assert recording.ledger["actions"].marked == {"action_without_outcome": 1}


def test_a_cut_picture_is_left_out_counted_and_splits(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE"] * 5 + [None])
    cut = tmp_path / ALIEN / "frame_000002.png"
    cut.write_bytes(cut.read_bytes()[:-20])
    (recording,) = open_any(tmp_path)
    assert [s.frames for s in recording.segments] == [2, 3]
    assert recording.ledger["frames"].lost == {"truncated_png": 1}
    assert recording.ledger["actions"].lost == {"without_frame": 1}
    assert recording.ledger["actions"].marked == {"action_without_outcome": 1}
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 5)] == [0, 1, 3, 4, 5]
    assert recording.ledger.balances


def test_a_picture_damaged_inside_is_named_when_it_is_asked_for(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE", None])
    path = tmp_path / ALIEN / "frame_000001.png"
    data = bytearray(path.read_bytes())
    data[8:60] = bytes(52)
    path.write_bytes(data)
    (recording,) = open_any(tmp_path)
    with pytest.raises(BadDataError, match=r"atari_alien/episode_000_rand0\.2, frame 1"):
        list(recording.frames(0, 2))


def test_a_number_that_is_left_out_splits(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE"] * 4 + [None])
    (tmp_path / ALIEN / "frame_000001.png").unlink()
    (recording,) = open_any(tmp_path)
    assert [s.frames for s in recording.segments] == [1, 3]
    assert recording.ledger["frames"].lost == {"missing_frame": 1}
    assert {p.kind: p.count for p in recording.problems} == {
        "missing_frame": 1, "without_frame": 1, "action_without_outcome": 1,
    }  # fmt: skip


def test_frames_stand_in_the_order_of_their_numbers(tmp_path):
    write_reference(tmp_path / "atari_pong" / "episode_10_rand0.2", ["0: NOOP", None])
    write_reference(tmp_path / "atari_pong" / "episode_9_rand0.2", ["0: NOOP"] * 2 + [None], first=999_999)
    (recording,) = open_any(tmp_path)
    assert [s.attrs["episode"] for s in recording.segments] == [9, 10]
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 3)] == [k % 256 for k in (999_999, 1_000_000, 1_000_001)]


def test_a_number_means_another_action_in_each_game(tmp_path):
    write_reference(tmp_path / "atari_pong" / "episode_000_rand0.2", ["2: RIGHT", "5: LEFTFIRE", None])
    (recording,) = open_any(tmp_path)
    names = recording.info.action_space.names
    assert names == ("unused_0", "unused_1", "ALE/RIGHT", "unused_3", "unused_4", "ALE/LEFTFIRE")
    assert recording.steps()["action"].tolist() == [2, 5]


def test_numbers_that_contradict_names_are_a_problem_and_names_decide(tmp_path):
    write_reference(tmp_path / "atari_pong" / "episode_000", ["2: RIGHT", "2: UP", None])
    (recording,) = open_any(tmp_path)
    problems = {p.kind: p.count for p in recording.problems}
    assert problems == {"action_names_conflict": 1, "action_numbers_assumed": 2}
    assert recording.steps()["action"].tolist() == [3, 2]  # their numbers among the emulator's 18


@pytest.mark.parametrize(
    ("environment", "game"),
    [
        ("atari_kongfumaster", "Kung Fu Master"),
        ("atari_montezuma", "Montezuma Revenge"),
        ("atari_asteroid", "Asteroids"),
        ("atari_privateye", "Private Eye"),
        ("atari_beamrider", "Beam Rider"),
        ("atari_beam_rider", "Beam Rider"),
        ("BeamRiderNoFrameskip-v4", "Beam Rider"),
        ("atari_someone_elses", "Someone Elses"),
    ],
)
def test_irregular_names_of_environments_are_known(tmp_path, environment, game):
    write_reference(tmp_path / environment / "episode_000_rand0.2", ["0: NOOP", None])
    assert open_any(tmp_path)[0].info.game == game


@pytest.mark.parametrize("name", ["episode_002_rand1111", "episode_best", "episode_0_rand0.20"])
def test_a_name_that_we_would_not_write_survives(tmp_path, name):
    write_reference(tmp_path / "a" / "atari_pong" / name, ["0: NOOP", None])
    convert(tmp_path / "a", tmp_path / "b", format="folders")
    assert [p.name for p in (tmp_path / "b" / "atari_pong").iterdir()] == [name]


def test_unreadable_and_empty_texts_count_as_missing(tmp_path):
    write_reference(tmp_path / ALIEN, ["1: FIRE", "", "\x00\x01", "3: RIGHT", None])
    (tmp_path / ALIEN / "action_000000.txt").write_bytes(b"\xff\xfe")
    (recording,) = open_any(tmp_path)
    assert [s.frames for s in recording.segments] == [1, 1, 1, 2]
    assert recording.ledger["actions"].lost == {"bad_action": 3}


def test_empty_episodes_are_counted(tmp_path):
    (tmp_path / ALIEN).mkdir(parents=True)
    found = open_any(tmp_path)
    assert len(found) == 0
    assert [p.kind for p in found.problems] == ["empty_episode"]
    assert found.ledger["episodes"].lost == {"empty_episode": 1}


def test_names_in_either_case_and_without_number_are_taken(tmp_path):
    write_reference(tmp_path / ALIEN, ["downright", "DOWNRIGHT", "UpFire", None])
    assert open_any(tmp_path)[0].steps()["action"].tolist() == [8, 8, 10]


def test_an_action_file_that_was_edited_counts_and_is_told(play, tmp_path):
    convert(play, tmp_path / "a", format="folders")
    (tmp_path / "a" / ALIEN / "action_000000.txt").write_text("2: UP")
    recording = open_any(tmp_path / "a")[0]
    assert recording.steps()["action"][0] == 2
    assert recording.steps()["action_name"][0] == "ALE/UP"
    assert [p.kind for p in recording.problems] == ["action_changed"]


def test_a_removed_action_file_splits_our_own_folder_too(play, tmp_path):
    convert(play, tmp_path / "a", format="folders")
    (tmp_path / "a" / ALIEN / "action_000004.txt").unlink()
    recording = open_any(tmp_path / "a")[0]
    assert [(s.frames, s.end_reason) for s in recording.segments] == [(5, "gap"), (6, "terminated"), (5, "budget")]
    assert recording.steps(1)["reward"].tolist() == [2.5, 3.0, 3.5, 4.0, 4.5]
    assert recording.segments[1].attrs["seed"] == 1000


def test_a_damaged_sidecar_costs_the_extras_and_nothing_else(play, tmp_path):
    convert(play, tmp_path / "a", format="folders")
    (tmp_path / "a" / "atari_breakout" / "episode_000_rand0.2" / "steps.parquet").write_bytes(b"PAR1")
    (recording,) = [r for r in open_any(tmp_path / "a") if r.info.game == "Breakout"]
    assert [p.kind for p in recording.problems] == ["damaged_sidecar"]
    assert recording.info.time_source == "assumed"
    assert recording.frame_count == 4
