"""The recorder's file: its log as events, its pictures or its video as frames, and back."""

import json
import warnings

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.card import card_paths
from rushes.prepare.press_release import press_release
from rushes.store.video import write_video

NS = 1_000_000_000


def two_keys(saved):
    """W from 60 for 0.294 s; A from 90 for 1.5 s over W from 100 (a tap), by rows as the recorder writes them."""
    return [
        saved.raw(1, 0.0, [0, 1], [0, 0], "press", 60),
        saved.raw(2, 0.0, [0, 0], [0, 0.294], "release", 68),
        saved.raw(3, 0.75, [1, 0], [0, 0], "press", 90),
        saved.raw(4, 1.0, [1, 1], [0, 0], "press", 100),
        saved.raw(5, 0.0, [1, 0], [0, 0.02], "release", 100),
        saved.raw(6, 0.0, [0, 0], [1.5, 0], "release", 120),
    ]


def events(recording):
    table = recording.events(0)
    return list(zip(table["t_ns"].tolist(), table["control"], table["kind"], strict=True))


def problems(found):
    return {problem.kind: problem.count for problem in found.problems}


def test_the_log_becomes_events_each_release_a_hold_after_the_press_of_its_own_key(saved, tmp_path):
    path = saved.save(tmp_path / "play.npz", two_keys(saved), ["a", "w"])
    assert sniff_path(path) == "jumpnet_raw"
    found = open_any(path)
    recording = found[0]
    assert recording.info.id == "play"
    assert recording.info.time_source == "assumed"
    assert events(recording) == [
        (2_000_000_000, "KeyW", "press"),
        (2_294_000_000, "KeyW", "release"),
        (3_000_000_000, "KeyA", "press"),
        (3_333_333_333, "KeyW", "press"),
        (3_353_333_333, "KeyW", "release"),
        (4_500_000_000, "KeyA", "release"),
    ]
    assert found.problems == ()
    assert found.ledger.to_json()["events"] == {"offered": 6, "kept": 6, "lost": {}, "marked": {}}
    samples, counts = press_release(found, "w")
    assert counts.paired == 2
    assert np.round(samples.rows["hold_s"], 9).tolist() == [0.294, 0.02]


def test_frames_are_the_pictures_of_the_rows_and_those_of_one_frame_stand_1_ns_apart(saved, tmp_path):
    recording = open_any(saved.save(tmp_path / "play.npz", two_keys(saved), ["a", "w"]))[0]
    index = recording.index()
    assert index["tick"].tolist() == [60, 68, 90, 100, 100, 120]
    assert index["t_ns"].tolist() == [
        2_000_000_000, 2_266_666_667, 3_000_000_000, 3_333_333_333, 3_333_333_334, 4_000_000_000,
    ]  # fmt: skip
    assert index["dropped_before"].tolist() == [0] * 6
    for k, frame in enumerate(recording.frames(0, 6)):
        np.testing.assert_array_equal(frame, saved.pixels(k + 1))


def test_repeats_and_releases_of_nothing_are_counted_and_make_no_event(saved, tmp_path):
    rows = [
        saved.raw(0, 0.0, [0], [0.1], "release", 5),
        saved.raw(1, 0.0, [1], [0], "press", 30),
        saved.raw(2, 0.0, [1], [0], "press", 31),
        saved.raw(3, 0.0, [1], [0], "press", 32),
        saved.raw(4, 0.0, [0], [0.5], "release", 45),
    ]
    found = open_any(saved.save(tmp_path / "play.npz", rows))
    assert events(found[0]) == [(NS, "KeyW", "press"), (1_500_000_000, "KeyW", "release")]
    assert problems(found) == {"unmatched_release": 1, "key_repeat": 2}
    account = found.ledger["events"]
    assert (account.offered, account.kept, account.lost) == (5, 2, {"unmatched_release": 1, "key_repeat": 2})


def test_what_changed_without_a_row_of_its_own_is_an_event_where_it_is_seen(saved, tmp_path):
    rows = [
        saved.raw(0, 0.0, [1, 1], [0, 0], "press", 30),
        saved.raw(1, 0.0, [0, 1], [0, 0], "press", 60),
        saved.raw(2, 0.0, [1, 0], [0, 0.5], "release", 90),
    ]
    found = open_any(saved.save(tmp_path / "play.npz", rows, ["a", "w"]))
    assert events(found[0]) == [
        (NS, "KeyA", "press"), (NS, "KeyW", "press"), (1_500_000_000, "KeyW", "release"),
        (2 * NS, "KeyA", "release"), (3 * NS, "KeyA", "press"),
    ]  # fmt: skip
    assert problems(found) == {"press_not_logged": 2, "release_not_logged": 1}
    assert found.ledger["events"].kept == 5
    assert found.ledger.balances


@pytest.mark.parametrize(("hold", "kind"), [(np.nan, "hold_not_a_number"), (-0.2, "hold_negative"), (np.inf, "hold_n")])
def test_a_length_that_is_none_puts_the_release_at_its_row(saved, tmp_path, hold, kind):
    rows = [saved.raw(0, 0.0, [1], [0], "press", 30), saved.raw(1, 0.0, [0], [hold], "release", 60)]
    found = open_any(saved.save(tmp_path / "play.npz", rows))
    assert events(found[0]) == [(NS, "KeyW", "press"), (2 * NS, "KeyW", "release")]
    assert [name[: len(kind)] for name in problems(found)] == [kind]


def test_a_hold_beyond_the_next_press_of_its_key_ends_there(saved, tmp_path):
    rows = [
        saved.raw(0, 0.0, [1], [0], "press", 30),
        saved.raw(1, 0.0, [0], [1.5], "release", 50),
        saved.raw(2, 0.0, [1], [0], "press", 60),
    ]
    found = open_any(saved.save(tmp_path / "play.npz", rows))
    assert events(found[0]) == [(NS, "KeyW", "press"), (2 * NS, "KeyW", "release"), (2 * NS, "KeyW", "press")]
    assert problems(found) == {"hold_clipped": 1}
    assert press_release(found, "w")[0].rows["phase"].tolist() == ["press", "open"]


def test_malformed_rows_are_left_out_under_their_reason(saved, tmp_path):
    good = [saved.raw(0, 0.0, [1], [0], "press", 30), saved.raw(1, 0.0, [0], [0.2], "release", 60)]
    bad = [
        good[0][:5],
        (np.zeros(3), *good[0][1:]),
        (good[0][0], "soon", *good[0][2:]),
        (*good[0][:2], np.ones(2), *good[0][3:]),
        (*good[0][:4], "wait", 31),
        (*good[0][:5], -1),
        (*good[0][:5], 3.5),
        "nothing",
        None,
    ]
    np.savez(tmp_path / "play.npz", data=saved.ragged(good + [b if isinstance(b, tuple) else [b] for b in bad]),
             keys=np.array(["w"]))  # fmt: skip
    found = open_any(tmp_path / "play.npz")
    expected = {"wrong_length": 3, "no_picture": 1, "no_number": 1, "no_vectors": 1, "no_phase": 1, "no_frame": 2}
    assert problems(found) == expected
    assert found.ledger["frames"].lost == expected
    assert found[0].frame_count == 2
    assert "row 2" in next(p.where for p in found.problems if p.kind == "wrong_length")


def test_pictures_of_two_sizes_in_one_file_are_told_and_shown_as_most_are(saved, tmp_path):
    rows = [saved.raw(k, 0.0, [k % 2], [0], "press", 30 + k, side=48 if k == 1 else 24) for k in range(4)]
    rows[3] = saved.raw(3, 0.0, [0], [0.1], "release", 40)
    found = open_any(saved.save(tmp_path / "play.npz", rows))
    assert problems(found)["mixed_sizes"] == 1
    assert {frame.shape for frame in found[0].frames(0, 4)} == {(24, 24, 3)}
    np.testing.assert_array_equal(found[0].frame(1), saved.pixels(1))


def test_names_that_are_no_control_are_kept_as_keys_of_their_own(saved, tmp_path):
    rows = [saved.raw(0, 0.0, [1, 0, 0], [0] * 3, "press", 30), saved.raw(1, 0.0, [0] * 3, [0.1, 0, 0], "release", 33)]
    found = open_any(saved.save(tmp_path / "play.npz", rows, ["blink", "W", "w"]))
    assert found[0].info.action_space.names == ("Key/blink", "KeyW", "Key/w")
    assert [control for _, control, _ in events(found[0])] == ["Key/blink"] * 2
    assert problems(found) == {"unknown_key": 2}


def test_frame_numbers_that_fall_begin_a_segment(saved, tmp_path):
    rows = [saved.raw(0, 0.0, [1], [0], "press", 90), saved.raw(1, 0.0, [0], [0.1], "release", 30)]
    found = open_any(saved.save(tmp_path / "play.npz", rows))
    assert [(s.frames, s.start_ns) for s in found[0].segments] == [(1, 3 * NS), (1, 3 * NS + 33_333_333 + NS)]
    assert problems(found)["numbers_fall"] == 1


@pytest.fixture
def film(tmp_path):
    frames = (np.full((48, 48, 3), 2 * k, np.uint8) for k in range(100))
    return write_video(tmp_path / "rec.mp4", frames, rate_hz=30).path


def test_the_video_with_its_log_is_a_session(saved, tmp_path, film):
    path = saved.save(tmp_path / "play.npz", two_keys(saved), ["a", "w"])
    found = open_any(path, options=[f"video={film}"])
    recording = found[0]
    assert recording.frame_count == 100
    assert recording.index()["t_ns"].tolist()[59:62] == [1_966_666_667, 2_000_000_000, 2_033_333_333]
    assert abs(int(recording.frame(60).mean()) - 120) <= 2
    samples, _ = press_release(found, "w")
    assert samples.rows["frame_index"].tolist() == [60]
    assert problems(found) == {"behind_video": 3}  # the tap at 100 and the release at 120
    assert found.ledger.balances
    report = convert(found, tmp_path / "session", format="session")
    assert report.written["frames"] == 100
    samples, counts = press_release(open_any(tmp_path / "session"), "w|a")
    assert (counts.paired, counts.unmatched_final_press) == (1, 1)
    assert samples.rows["frame_index"].tolist() == [60, 90]


def test_a_video_that_is_not_there_empty_or_none_has_its_own_error(saved, tmp_path, film):
    path = saved.save(tmp_path / "play.npz", two_keys(saved), ["a", "w"])
    with pytest.raises(MissingError, match=r"video=none\.mp4: nothing is there.*recordings/NAME"):
        open_any(path, options=["video=none.mp4"])
    empty, text, cut = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "cut.mp4"
    empty.write_bytes(b"")
    text.write_text("hello")
    cut.write_bytes(film.read_bytes()[:-2000])
    for name in (empty, text, cut):
        with pytest.raises(BadDataError, match=r"video=.*: a video that cannot be opened.*copy it again"):
            open_any(path, options=[f"video={name}"])


def test_a_file_without_data_or_with_another_array_has_its_own_error(saved, tmp_path):
    np.savez(tmp_path / "a.npz", rows=np.zeros(3), keys=np.array(["w"]))
    with pytest.raises(BadDataError, match=r"a\.npz.*without the key 'data' \(KeyError: 'data'\).*rows, keys"):
        open_any(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", data=np.array([], dtype=object))
    with pytest.raises(BadDataError, match=r"b\.npz, key 'data': 0 rows.*empty"):
        open_any(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", data=np.array([["a", 1]], dtype=object))
    with pytest.raises(BadDataError, match=r"c\.npz, key 'data': 1 rows, none of which can be used \(1 wrong_length"):
        open_any(tmp_path / "c.npz")


def test_keys_are_named_by_the_option_or_by_their_place(saved, tmp_path):
    path = saved.save(tmp_path / "play.npz", two_keys(saved), None)
    found = open_any(path)
    assert found[0].info.action_space.names == ("Key/key0", "Key/key1")
    assert problems(found) == {"unknown_key": 2, "without_keys": 1}
    assert open_any(path, options=["keys=a,w"])[0].info.action_space.names == ("KeyA", "KeyW")
    with pytest.raises(BadInputError, match="2 names with commas"):
        open_any(path, options=["keys=w"])
    found = open_any(saved.save(tmp_path / "more.npz", two_keys(saved), ["a", "s", "w"]))
    assert problems(found) == {"unknown_key": 2, "keys_do_not_fit": 3}


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(hand_play, tmp_path):
    """25 frames a second: W from row 2.5 to 5.0, S from 4.5 to 4.75, P's row is 7.25 and never ends, two segments."""
    press, release = hand_play.press, hand_play.release
    done = [
        press(2.5, "KeyW"), press(4.5, "KeyS"), release(4.75, "KeyS"), release(5, "KeyW"), press(7.25, "ShiftLeft"),
        press(12.5, "KeyW"), release(13, "KeyW"),
    ]  # fmt: skip
    return hand_play.play(tmp_path / "s", [10, 8], done)


def test_strict_is_the_recorders_file(session, hand_play, tmp_path):
    report = convert(session, tmp_path / "raw.npz", format="jumpnet_raw", options=["strict=true", "size=30"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = np.load(tmp_path / "raw.npz", allow_pickle=True)
        data, keys = file["data"], file["keys"]
    assert sorted(file.files) == ["data", "keys"]
    assert keys.tolist() == ["s", "w"]
    assert (data.shape, data.dtype) == ((6, 6), object)
    for row in data:
        assert (row[0].shape, row[0].dtype) == ((30, 30, 3), np.float32)
        assert 0 <= row[0].min() <= row[0].max() <= 1
        assert [type(v) for v in row[[1, 4, 5]]] == [float, str, int]
        assert (row[2].dtype, row[3].dtype) == (np.float32, np.float32)
    assert data[:, 2].tolist()[0].tolist() == [0, 1]
    assert [row.tolist() for row in data[:, 2]] == [[0, 1], [1, 1], [0, 1], [0, 0], [0, 1], [0, 0]]
    holds = np.round(np.stack(data[:, 3]).astype(float), 6)
    assert holds.tolist() == [[0, 0], [0, 0], [0.01, 0], [0, 0.1], [0, 0], [0, 0.02]]
    assert data[:, 4].tolist() == ["press", "press", "release", "release", "press", "release"]
    assert data[:, 5].tolist() == [3, 5, 5, 6, 13, 14]  # frames written by then: one more than the frame's number
    assert np.round(data[:, 1].astype(float), 6).tolist() == [0, 0, 0, 0, 0.3, 0]
    assert report.ledger["events"].lost == {"no_place_ShiftLeft": 1}
    assert report.written["samples"] == 6


def test_what_the_recorder_wrote_and_we_read_we_write_as_it_was(saved, tmp_path):
    path = saved.save(tmp_path / "play.npz", two_keys(saved), ["a", "w"])
    convert(path, tmp_path / "again.npz", format="jumpnet_raw", options=["strict=true", f"size={saved.SIDE}"])
    data = np.load(tmp_path / "again.npz", allow_pickle=True)["data"]
    for found, wanted in zip(data, two_keys(saved), strict=True):
        assert found[4] == wanted[4]
        np.testing.assert_array_equal(found[2], wanted[2])
        np.testing.assert_allclose(found[3], wanted[3], atol=1e-6)


def test_the_typed_twin_loads_without_pickle_and_brings_times_and_segments_back(session, tmp_path):
    report = convert(session, tmp_path / "raw.npz", format="jumpnet_raw", options=["size=30"])
    file = np.load(tmp_path / "raw.npz", allow_pickle=False)
    assert {name: file[name].dtype.kind for name in file.files} == {
        "schema": "U", "about": "U", "keys": "U", "controls": "U", "prev_interval": "f", "multi_hot": "f",
        "hold_durations": "f", "phase": "U", "frame_idx": "i", "t_ns": "i", "segment": "i", "image": "u",
    }  # fmt: skip
    assert file["image"].shape == (7, 30, 30, 3)
    assert file["keys"].tolist() == ["s", "w", "ShiftLeft"]
    assert file["hold_durations"].max() == np.float32(0.1)
    assert report.ledger["events"].lost == {}
    assert sniff_path(tmp_path / "raw.npz") == "jumpnet_raw"
    found = open_any(tmp_path / "raw.npz")[0]
    assert found.info.id == session.info.id
    assert (found.info.stream("frames").height, found.info.stream("frames").width) == (30, 30), "as its pictures are"
    assert [s.end_ns for s in found.segments] == [s.end_ns for s in session.segments]
    for segment in (0, 1):
        moved = [
            [event for event in zip(*(r.events(segment)[n] for n in ("t_ns", "control", "kind")), strict=True)
             if event[2] != "state"] for r in (found, session)
        ]  # fmt: skip
        assert moved[0] == moved[1]
    states = found.events(1)[found.events(1)["kind"] == "state"]
    assert states["control"].tolist() == ["ShiftLeft"]
    samples, _ = press_release(found, "w")
    assert np.round(samples.rows["hold_s"], 9).tolist() == [0.1, 0.02]
    card = json.loads(card_paths(tmp_path / "raw.npz")[0].read_text())
    assert card["written"] == {"episodes": 2, "frames": 6, "samples": 7}


def test_a_damaged_twin_is_told(session, tmp_path):
    convert(session, tmp_path / "a.npz", format="jumpnet_raw", options=["size=30"])
    whole = dict(np.load(tmp_path / "a.npz"))
    about = json.loads(str(whole["about"]))
    broken = {
        "without phase": {"phase": None},
        "several lengths": {"phase": np.array(["press"])},
        "times that fall": {"t_ns": whole["t_ns"][::-1]},
        "another number": {"controls": np.array(["KeyW"])},
        "not described": {"segment": whole["segment"] + 7},
        "ValueError": {"t_ns": np.array(["soon"] * 7)},
        "KeyError 'segments'": {"about": np.array("{}")},
        "schema 'x'": {"about": np.array(json.dumps(about | {"session": {"schema": "x"}}))},
        "pictures of float32": {"image": whole["image"].astype(np.float32)},
    }
    for said, change in broken.items():
        members = {name: value for name, value in (whole | change).items() if value is not None}
        np.savez(tmp_path / "b.npz", **members)
        with pytest.raises(BadDataError, match=f"b\\.npz.*{said}"):
            open_any(tmp_path / "b.npz")


def test_a_recording_without_keys_and_several_at_once_are_refused(fake, hand_play, session, tmp_path):
    hand_play.play(tmp_path / "still", [5])
    with pytest.raises(BadInputError, match="no button goes down"):
        convert(tmp_path / "still", tmp_path / "a.npz", format="jumpnet_raw")
    hand_play.play(tmp_path / "shift", [5], [hand_play.press(1, "ShiftLeft")])
    with pytest.raises(BadInputError, match=r"ShiftLeft.*without strict"):
        convert(tmp_path / "shift", tmp_path / "a.npz", format="jumpnet_raw", options=["strict=true"])
    from rushes.model.recording import Sessions

    with pytest.raises(BadInputError, match="one recording a file"):
        convert(Sessions([session, session], format="x"), tmp_path / "a.npz", format="jumpnet_raw")
    for size in (0, 5000):
        with pytest.raises(BadInputError, match=f"size={size}"):
            convert(session, tmp_path / "a.npz", format="jumpnet_raw", options=[f"size={size}"])
    assert not list(tmp_path.glob("*.npz*"))


def test_play_of_a_program_can_be_written_too(fake, tmp_path):
    report = convert(fake.Fake([11, 5]), tmp_path / "a.npz", format="jumpnet_raw")
    assert report.ledger.balances
    assert all(c.startswith("ALE/") for c in np.load(tmp_path / "a.npz")["controls"].tolist())
    found = open_any(tmp_path / "a.npz")
    assert found.ledger.balances
