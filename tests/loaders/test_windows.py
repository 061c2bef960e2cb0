"""Windows of play against sessions whose frames say their own numbers, in pixels, inputs and sound."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from counted import HZ, SPACE, inputs_of, make, number_in, times

from rushes.capture.env.sample import sample
from rushes.errors import BadDataError, BadInputError, BadNameError
from rushes.loaders.windows import GameplayWindows
from rushes.model.actions import ActionSpace
from rushes.store.facts import add_fact
from rushes.store.library import Library
from rushes.store.reader import open_session

MS = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two sessions: frames 1 to 160 in two segments, as PNG; frames 501 to 540 as H.264, without sound."""
    root = tmp_path_factory.mktemp("sessions")
    make(root / "a", (100, 60))
    make(root / "b", (40,), first=501, codec="h264", sound="", game="Other")
    return root


@pytest.fixture(scope="module")
def atari(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atari") / "sessions"
    sample(folder, "Breakout", frames_per_env=60, max_episodes=2, policy="uniform", seed=3, workers=1)
    return next(folder.iterdir())


def numbers(item):
    return [number_in(frame) for frame in item["frames"]]


def test_pixels_inputs_times_and_sound_of_every_window_belong_to_the_same_frames(folder):
    windows = GameplayWindows(folder / "a", sequence_length=8, stride=3, audio="waveform")
    assert windows.shapes["frames"] == (8, 48, 64, 3)
    seen = set()
    for item in windows.fetch(range(len(windows))):
        shown = numbers(item)
        assert shown == list(range(shown[0], shown[0] + 8))
        assert not (shown[0] <= 100 < shown[-1]), "a window crosses from the first segment into the second"
        assert item["inputs"].tolist() == [inputs_of(number) for number in shown]
        begins = [times(100)[n - 1] if n <= 100 else times(100)[100] + 500 * MS + times(60)[n - 101] for n in shown]
        assert item["t_ns"].tolist() == begins
        assert item["audio_mask"].all()
        assert (np.rint(item["audio"][:, :400] * 32768) == [[100 * (1 + n % 50)] for n in shown]).all()
        seen |= set(shown)
    assert seen == set(range(1, 99)) | set(range(101, 160)), "stride 3 leaves 2 frames and 1 at the segments' ends"
    lost = windows.ledger["frames"].lost
    assert (windows.ledger["frames"].kept, lost["remainder"]) == (157, 3)


@pytest.mark.parametrize("skip", [2, 3])
def test_frames_that_are_skipped_over_leave_their_actions_to_the_frame_before(folder, skip):
    windows = GameplayWindows(folder / "a", sequence_length=4, frame_skip=skip, stride=5)
    for item in windows.fetch(range(len(windows))):
        for number, row in zip(numbers(item), item["inputs"], strict=True):
            each = np.array([inputs_of(number + k) for k in range(skip)])
            assert row.tolist() == [*each[:, :2].max(axis=0), each[:, 2].sum()]
        assert np.diff(numbers(item)).tolist() == [skip] * 3


def test_one_frame_a_window_works_and_gives_every_frame_once(folder):
    windows = GameplayWindows(folder / "a", sequence_length=1)
    assert [numbers(item)[0] for item in windows.fetch(range(len(windows)))] == list(range(1, 161))


def test_the_rest_of_a_stretch_is_padded_and_masked_when_asked_for(folder):
    windows = GameplayWindows(folder / "a", sequence_length=64, pad=True, audio="waveform")
    items = windows.fetch(range(len(windows)))
    shown = [n for item in items for n, there in zip(numbers(item), item["mask"], strict=True) if there]
    assert shown == list(range(1, 161))
    last = items[1]
    assert last["mask"].tolist() == [True] * 36 + [False] * 28
    for name in ("frames", "inputs", "audio", "t_ns"):
        assert not last[name][36:].any()
        assert last[name][:36].any()


def test_frames_between_padded_windows_that_stand_apart_are_counted_and_no_window_is_empty(folder):
    windows = GameplayWindows(folder / "a", sequence_length=4, stride=30, pad=True)
    shown = [[n for n, there in zip(numbers(i), i["mask"], strict=True) if there] for i in windows.fetch(range(6))]
    starts = (1, 31, 61, 91, 101, 131)
    assert (len(windows), shown) == (6, [list(range(first, first + 4)) for first in starts])
    account = windows.ledger["frames"]
    assert (account.kept, account.lost["remainder"]) == (24, 136)


def test_a_stretch_marked_invalid_is_in_no_window_and_counted(folder, tmp_path):
    make(tmp_path / "m", (60,))
    add_fact(tmp_path / "m", "validity", {"valid": False}, t_start_ns=times(60)[20], t_end_ns=times(60)[25], author="t")
    windows = GameplayWindows(tmp_path / "m", sequence_length=4, stride=1)
    shown = [numbers(item) for item in windows.fetch(range(len(windows)))]
    assert [one[0] for one in shown] == [*range(1, 18), *range(26, 58)]
    assert windows.ledger["frames"].lost["marked_invalid"] == 5


def test_a_session_that_is_marked_while_it_is_read_is_refused_rather_than_read_in_the_wrong_place(tmp_path):
    windows = GameplayWindows(make(tmp_path / "m", (60,), sound=""), sequence_length=4)
    add_fact(tmp_path / "m", "validity", {"valid": False}, t_end_ns=times(60)[5], author="t")
    with pytest.raises(BadDataError, match="open it anew"):
        windows.fetch([0])


def test_a_session_of_a_library_that_cannot_be_read_is_counted_and_told(tmp_path):
    for name in ("good", "bad"):
        make(tmp_path / name, (20,), sound="")
    Library(tmp_path).items()
    (tmp_path / "bad" / "session.json").write_text("{")
    with pytest.warns(UserWarning, match="1 of 2 sessions left out"):
        account = GameplayWindows(tmp_path).ledger["sessions"]
    assert (account.offered, account.kept, account.lost) == (2, 1, {"unreadable": 1})


def test_several_sessions_stand_one_after_the_other_with_zeros_for_sound_that_one_lacks(folder):
    windows = GameplayWindows(folder, sequence_length=10, size=(24, 32), audio="auto")
    last = windows.fetch([len(windows) - 1])[0]
    assert (last["session"], numbers(last)) == ("b", list(range(531, 541)))
    assert last["inputs"].tolist() == [inputs_of(n) for n in range(531, 541)]
    assert last["audio"].shape == (10, 128)
    assert not last["audio"].any()
    assert not last["audio_mask"].any()
    assert [entry.game for entry in GameplayWindows(folder, game="other", size=24).entries] == ["Other"]


def test_actions_delayed_by_a_frame_stand_one_row_later(folder):
    plain, late = (GameplayWindows(folder / "a", sequence_length=90, action_delay_ms=ms) for ms in (0, 33))
    assert plain.fetch([0])[0]["inputs"][:-1, 1].tolist() != late.fetch([0])[0]["inputs"][:-1, 1].tolist()
    taps = np.flatnonzero(late.fetch([0])[0]["inputs"][:, 1])
    assert {int(k) % 5 for k in taps} <= {0, 4}  # frames 5, 10 ... are rows 4, 9; a row later by their unequal lengths


def test_idle_windows_are_left_out_and_counted(folder):
    windows = GameplayWindows(folder / "a", sequence_length=2, layout="KeyW", drop_idle=True)
    assert all(item["inputs"].any() for item in windows.fetch(range(len(windows))))
    account = windows.ledger["windows"]
    assert (account.offered, account.kept) == (80, len(windows))
    assert account.lost["idle"] == 80 - len(windows) > 0


def test_layouts_name_the_columns_and_normalise_motion_as_declared(folder):
    item = GameplayWindows(folder / "a", sequence_length=8, layout="capture28").fetch([2])[0]
    names = GameplayWindows(folder / "a", layout="capture28").space.names
    assert item["inputs"][:, names.index("w")].tolist() == [inputs_of(n)[0] for n in range(17, 25)]
    rx = GameplayWindows(folder / "a", sequence_length=8, layout="rx").fetch([2])[0]["inputs"][:, 0]
    assert rx == pytest.approx([(n + 1) / 300 for n in range(17, 25)])


def test_the_parts_of_a_split_share_no_session_and_leave_none_out(tmp_path):
    for k in range(5):
        make(tmp_path / f"s{k}", (20,), sound="")
    parts = [GameplayWindows(tmp_path, split=name, sequence_length=4) for name in ("train", "val", "test")]
    ids = [entry.id for part in parts for entry in part.entries]
    assert sorted(ids) == [f"s{k}" for k in range(5)]
    assert parts[0].ledger["sessions"].lost["other_split"] == 5 - len(parts[0].entries)
    with pytest.raises(BadInputError, match="whole sessions"):
        GameplayWindows(tmp_path / "s0", split="val")


def test_the_parts_of_a_source_have_the_same_columns_and_as_many_numbers_of_sound(tmp_path):
    for k, name in enumerate(("KeyW", "Space", "MouseDX")):
        make(tmp_path / f"s{k}", (20 + 3 * k,), space=ActionSpace.from_names([name]))
    parts = [GameplayWindows(tmp_path, split=p, sequence_length=2, audio="waveform") for p in ("train", "val", "test")]
    assert {part.space.names for part in parts} == {("KeyW", "Space", "MouseDX")}
    assert len({part.shapes["audio"] for part in parts}) == 1


def test_an_environment_has_actions_rewards_and_ends_where_its_steps_say(atari):
    session = open_session(atari)
    windows = GameplayWindows(session, sequence_length=5, stride=1)
    steps = session.steps()
    whole = list(session.frames(0, session.frame_count))
    for item in windows.fetch(range(0, len(windows), 7)):
        at = int(np.flatnonzero(steps["t_ns"] == item["t_ns"][0])[0])
        rows = steps.iloc[at : at + 5]
        assert item["action"].tolist() == rows["action"].tolist() == item["inputs"].argmax(1).tolist()
        assert item["inputs"].sum(1).tolist() == [1] * 5
        assert item["rewards"].tolist() == rows["reward"].tolist()
        assert item["terminated"].tolist() == rows["terminated"].tolist()
        assert not item["is_human"].any()
        assert all((f == whole[k]).all() for f, k in zip(item["frames"], rows["frame_index"], strict=True))
    assert windows.ledger["frames"].lost["without_action"] == len(session.segments)


def test_a_flip_of_games_with_several_action_spaces_mirrors_what_was_told_in_the_common_one(atari, tmp_path):
    sample(tmp_path / "s", "Pong", frames_per_env=20, max_episodes=1, policy="uniform", seed=3, workers=1)
    source = [atari, next((tmp_path / "s").iterdir())]
    plain = GameplayWindows(source, sequence_length=8, size=40)
    drawn = GameplayWindows(source, sequence_length=8, size=40, augment="flip=1")
    image = {"NOOP": "NOOP", "FIRE": "FIRE", "LEFT": "RIGHT", "RIGHT": "LEFT", "LEFTFIRE": "RIGHTFIRE",
             "RIGHTFIRE": "LEFTFIRE"}  # fmt: skip
    seen = set()
    for before, after in zip(*(one.fetch(range(len(one))) for one in (plain, drawn)), strict=True):
        told, mirrored = ([plain.space.names[k].split("/")[1] for k in item["action"]] for item in (before, after))
        assert [image[name] for name in told] == mirrored
        assert (after["inputs"].argmax(1) == after["action"]).all()
        seen |= set(told)
    assert seen == set(image)
    recorded = GameplayWindows([atari, make(tmp_path / "a", (20,))], sequence_length=5, size=40, layout="KeyA,KeyD",
                               augment="flip=1")  # fmt: skip
    assert recorded.fetch([len(recorded) - 1])[0]["action"].tolist() == [-1] * 5


def test_what_is_drawn_follows_from_seed_epoch_and_index_and_mirrors_the_action(folder):
    options = {"sequence_length": 4, "layout": "KeyA,KeyD,MouseDX,Space,KeyW", "size": 32}
    plain = GameplayWindows(folder / "a", **options)
    drawn = GameplayWindows(folder / "a", augment="flip=0.5, brightness=0.5:0.5..0.6", seed=4, **options)
    flipped = 0
    for index in range(len(plain)):
        for epoch in (0, 1):
            one, again = (
                drawn.fetch([(epoch, index)])[0],
                drawn.fetch([(epoch, (index + 1) % len(plain)), (epoch, index)])[1],
            )
            assert all(np.array_equal(one[name], again[name]) for name in ("frames", "inputs"))
            before = plain.fetch([index])[0]
            mirrored = one["inputs"][0, 2] < 0
            flipped += mirrored
            assert one["inputs"][:, 2].tolist() == (before["inputs"][:, 2] * (-1 if mirrored else 1)).tolist()
            expected = before["frames"][:, :, ::-1] if mirrored else before["frames"]
            bright = one["frames"].max() / 255
            assert np.abs(one["frames"] - np.rint(expected * bright)).max() <= 1
    assert 0.3 < flipped / (2 * len(plain)) < 0.7
    with pytest.raises(BadInputError, match="stretch"):
        GameplayWindows(folder / "a", augment="stretch=1:0.8..1.2")


def test_a_broken_clip_is_named_and_raised_or_left_out(folder, tmp_path):
    make(tmp_path / "s" / "whole", (20,), sound="")
    broken = make(tmp_path / "s" / "broken", (20,), sound="", codec="h264")
    film = next(broken.rglob("frames.mp4"))
    film.write_bytes(film.read_bytes()[:600])
    strict = GameplayWindows(tmp_path / "s", sequence_length=10)
    with pytest.raises(BadDataError, match=r"frames\.mp4"):
        strict.fetch(range(4))
    lenient = GameplayWindows(tmp_path / "s", sequence_length=10, broken="skip")
    with pytest.warns(UserWarning, match="broken"):
        items = lenient.fetch(range(4))
    assert [numbers(item)[0] for item in items] == [1, 11]
    assert len(lenient.broken) == 2


def test_a_pickled_copy_gives_the_same_and_holds_no_file(folder):
    windows = GameplayWindows(folder, sequence_length=8, size=32, audio="auto")
    before = windows.fetch([0, len(windows) - 1])
    again = pickle.loads(pickle.dumps(windows)).fetch([0, len(windows) - 1])
    for one, other in zip(before, again, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in ("frames", "inputs", "audio"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sequence_length": 0}, "sequence_length"),
        ({"stride": 0}, "stride"),
        ({"frame_skip": 1.5}, "frame_skip"),
        ({"size": 0}, "height"),
        ({"size": (90,)}, "pixels a side"),
        ({"sequence_length": 500}, "shorter sequence_length"),
        ({"encoding": "one"}, "multi_hot"),
        ({"split": "holiday"}, "train"),
    ],
)
def test_options_out_of_range_are_refused_by_name(folder, options, said):
    with pytest.raises(BadInputError, match=said):
        GameplayWindows(folder / "a", **options).fetch([0])


def test_a_game_that_nobody_recorded_is_refused_with_those_that_there_are(folder):
    with pytest.raises(BadNameError, match="Planted"):
        GameplayWindows(folder, game="Doom")
    with pytest.raises(BadNameError, match="system"):
        GameplayWindows(folder, size=24, audio="logmel", stream="sistem")


def test_sizes_that_differ_have_to_be_named(folder, tmp_path, atari):
    make(tmp_path / "a", (20,), sound="")
    with pytest.raises(BadInputError, match="160 x 210"):
        GameplayWindows([tmp_path / "a", atari], layout="KeyW")


def test_spaces_and_times_of_the_planted_sessions_are_what_this_file_believes(folder):
    session = open_session(folder / "a")
    assert session.info.action_space.names == SPACE.names
    assert session.index()["t_ns"].tolist()[:100] == times(100)[:100]
    assert all(t * HZ % 1_000_000_000 == 0 for t in times(100))
