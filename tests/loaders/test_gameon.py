"""GameOn's own class over databases that its recorder left: held against literal rows."""

import importlib.util
import inspect
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rushes.errors import BadInputError, BadNameError, MissingError  # noqa: E402
from rushes.formats.base import convert  # noqa: E402
from rushes.loaders.gameon import GameOnDataset  # noqa: E402

FORMATS = Path(__file__).parents[1] / "formats"
SLOTS = {"w": 0, "a": 1, "s": 2, "d": 3, "space": 4, "left": 10, "right": 11, "dx": 12, "dy": 13, "wheel": 14}


def _load(path):
    full = f"loaders_{path.stem}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, path)
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


made = _load(FORMATS / "gameon" / "recorded.py")
hands = _load(FORMATS / "hands.py")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Sessions 1 and 2 of Doom (the second with sound), 3 of Quake; 4 was killed, 5 has lost its video."""
    root = tmp_path_factory.mktemp("gameon")
    recorder = made.Recorder(root)
    key = made.key
    recorder.session(1, [
        key(110, "w", "press"), key(190, "w", "release"),
        key(140, "Key.space", "press"), key(150, "Key.space", "release"),
        key(210, "Button.left", "press", "mouse"), key(230, "Button.left", "release", "mouse"), key(240, None, "press"),
        made.move(60, 100, 100), made.move(70, 105, 98), made.move(310, 100, 98),
        (320, "mouse", "scroll", "scroll", -1.0, 0.0, 0.0),
    ], frames=20)  # fmt: skip
    place = recorder.session(2, [key(0, "d", "press")], frames=20, folder="S",
                             system_audio_path="data/sessions/S/system_audio.wav")  # fmt: skip
    tone = np.sin(np.arange(8000) / 8000 * 440 * 2 * np.pi) * 8000
    made.wav(place / "system_audio.wav", tone[: 8000 // 3].astype("<i2")[:, None])  # 333 ms: half of the session
    recorder.session(3, [key(0, "a", "press")], frames=12, game_name="Quake")
    recorder.session(4, frames=12, status="recording", end_time=None)
    recorder.session(5, [key(0, "a", "press")], frames=0)
    return root


def dataset(root, **options):
    with pytest.warns(UserWarning, match="left out"):
        return GameOnDataset(root / "data" / "gameon.db", target_size=(64, 48), **options)


def level(frames):
    return (frames[:, :, 20:28, 28:36].mean(dim=(1, 2, 3)) * 255).tolist()


def test_the_signature_is_the_originals_and_then_ours():
    names = list(inspect.signature(GameOnDataset).parameters)
    assert names[:8] == [
        "db_path", "game_name", "session_ids", "sequence_length", "frame_skip", "transform", "load_audio",
        "target_size",
    ]  # fmt: skip
    defaults = [inspect.signature(GameOnDataset).parameters[name].default for name in names[:8]]
    assert defaults == ["data/gameon.db", None, None, 16, 1, None, None, (224, 224)]


def test_frames_and_inputs_stand_in_their_slots_at_their_frames(root):
    found = GameOnDataset(root, session_ids=[1], sequence_length=10, target_size=(64, 48))
    item = found[0]
    assert (item["frames"].shape, item["frames"].dtype) == ((10, 3, 48, 64), torch.float32)
    assert level(item["frames"]) == pytest.approx([made.level(k) for k in range(10)], abs=6)
    wanted = torch.zeros(10, 20)
    wanted[3:6, SLOTS["w"]] = 1  # frames at 100, 133, 167; it is let go at 190
    wanted[4, SLOTS["space"]] = 1
    wanted[6, SLOTS["left"]] = 1
    wanted[2, SLOTS["dx"]], wanted[2, SLOTS["dy"]] = 5 / 300, -2 / 300
    wanted[9, SLOTS["dx"]], wanted[9, SLOTS["wheel"]] = -5 / 300, -1
    torch.testing.assert_close(item["inputs"], wanted)
    sums = GameOnDataset(root, session_ids=[1], sequence_length=10, target_size=(64, 48), mouse_scale=None)
    assert sums[0]["inputs"][[2, 9], SLOTS["dx"]].tolist() == [5, -5]
    full = GameOnDataset(root, session_ids=[1], sequence_length=10, target_size=(64, 48), mouse_scale=4)
    assert full[0]["inputs"][[2, 9], SLOTS["dx"]].tolist() == [1, -1], "what goes beyond is held at the limit"
    with pytest.raises(BadInputError, match="mouse_scale"):
        GameOnDataset(root, mouse_scale=0)
    assert (item["session_id"], "audio" in item) == (1, False)
    assert item["t_ns"].tolist()[:2] == [0, 33333333]


def test_windows_overlap_by_half_and_none_is_left_out_at_the_end(root):
    found = GameOnDataset(root, session_ids=[1], sequence_length=4, frame_skip=2, target_size=(64, 48))
    firsts = [round(level(found[k]["frames"])[0]) for k in range(len(found))]
    assert len(found) == 4  # 8 frames each of 20: they begin at 0, 4, 8, 12
    assert firsts == pytest.approx([made.level(k) for k in (0, 4, 8, 12)], abs=6)
    assert level(found[0]["frames"]) == pytest.approx([made.level(k) for k in (0, 2, 4, 6)], abs=6)
    assert found[0]["inputs"][:, SLOTS["w"]].tolist() == [0, 1, 1, 0]  # what was done between counts for the one before


def test_one_frame_a_window_works_and_a_batch_has_the_guides_shapes(root):
    found = dataset(root, sequence_length=1)
    assert len(found) == 20 + 20 + 12
    (batch, *_) = torch.utils.data.DataLoader(found, batch_size=52)
    assert batch["frames"].shape == (52, 1, 3, 48, 64)
    assert batch["inputs"].shape == (52, 1, 20)
    assert batch["audio"].shape == (52, 1, 128)
    assert batch["session_id"].tolist() == [1] * 20 + [2] * 20 + [3] * 12
    assert batch["inputs"][20:40, 0, SLOTS["d"]].tolist() == [1.0] * 20  # held all the time


def test_sound_comes_wherever_a_session_has_some_with_a_mask_elsewhere(root):
    found = dataset(root, sequence_length=1)
    items = [found[k] for k in range(len(found))]
    heard = [bool(item["audio_mask"][0]) for item in items]
    assert heard[:20] + heard[40:] == [False] * 32
    assert heard[20:29] == [True] * 9
    assert heard[32:40] == [False] * 8
    assert all(not item["audio"].any() for item, there in zip(items, heard, strict=True) if not there)
    assert all(item["audio"].any() for item, there in zip(items, heard, strict=True) if there)
    assert "audio" not in dataset(root, sequence_length=1, load_audio=False)[0]
    silent = GameOnDataset(root, session_ids=[1], sequence_length=2, load_audio=True, target_size=8)
    assert (silent[0]["audio"].shape, silent[0]["audio_mask"].tolist()) == ((2, 128), [False, False])


def test_what_gives_no_window_is_listed_with_its_reason(root):
    with pytest.warns(UserWarning, match="session 4: no input was stored"):
        found = GameOnDataset(root, sequence_length=2, target_size=8)
    assert set(found.left_out) == {4, 5}
    assert "video" in found.left_out[5]


def test_a_game_and_sessions_are_chosen_and_what_is_not_there_is_named(root):
    quake = GameOnDataset(root, "quake", sequence_length=2, target_size=8)
    assert {quake[k]["session_id"] for k in range(len(quake))} == {3}
    with pytest.raises(BadNameError, match="Doom, Quake"):
        GameOnDataset(root, "Tetris", session_ids=[1, 3])
    with pytest.raises(BadInputError, match=r"of which 9 is not there; accepted: ids of gameon\.db: 1, 2, 3, 4, 5"):
        GameOnDataset(root, session_ids=[1, 9])
    with pytest.raises(BadInputError, match="no chosen session has inputs"):
        GameOnDataset(root, session_ids=[4])
    with pytest.raises(MissingError):
        GameOnDataset(root / "nothing.db")


def test_a_session_that_is_too_short_is_listed_and_a_game_without_inputs_is_not_said_to_be_missing(tmp_path):
    recorder = made.Recorder(tmp_path)
    recorder.session(1, [made.key(0, "w", "press")], frames=8)
    recorder.session(2, [made.key(0, "w", "press")], frames=3)
    recorder.session(3, frames=8, game_name="Quake")
    with pytest.warns(UserWarning, match="session 2: 3 frames at a stretch, and a window spans 4"):
        found = GameOnDataset(tmp_path, "doom", sequence_length=2, frame_skip=2, target_size=8)
    assert list(found.left_out) == [2]
    with pytest.raises(BadInputError, match=r"no chosen session has inputs \(game 'quake'\)"):
        GameOnDataset(tmp_path, "quake")


@pytest.mark.parametrize(
    "odd",
    [
        {"session_ids": "12"}, {"session_ids": 1}, {"session_ids": ["Doom_1"]}, {"load_audio": "waveform"},
        {"target_size": (8,)}, {"mouse_scale": "fast"},
    ],
)  # fmt: skip
def test_what_the_signature_does_not_say_is_refused_by_its_name(root, odd):
    with pytest.raises(BadInputError, match=next(iter(odd))):
        GameOnDataset(root, **odd)


@pytest.mark.parametrize(
    ("transform", "wanted"),
    [
        (lambda frame: frame[::-1], 1 / 255),
        (lambda frame: cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 1 / 255),
        (lambda frame: frame.astype(np.float64) / 127.5, 1 / 127.5),
        (lambda frame: torch.from_numpy(frame).permute(2, 0, 1), 1 / 255),
        (lambda frame: torch.from_numpy(frame).permute(2, 0, 1).float() * 2, 2),
    ],
)
def test_a_transform_gets_one_frame_and_gives_array_or_tensor(root, transform, wanted):
    seen = []

    def told(frame):
        seen.append((frame.shape, frame.dtype))
        return transform(frame)

    found = GameOnDataset(root, session_ids=[1], sequence_length=2, transform=told, target_size=(64, 48))
    frames = found[0]["frames"]
    assert seen == [((48, 64, 3), np.uint8)] * 2
    assert frames.shape[2:] == (48, 64)
    assert frames.dtype == torch.float32
    assert frames[1].mean().item() == pytest.approx(made.level(1) * wanted, abs=6 * wanted)


def test_the_target_size_is_width_and_height(root):
    assert GameOnDataset(root, session_ids=[1], target_size=(40, 24))[0]["frames"].shape == (16, 3, 24, 40)


def test_workers_give_the_same_items(root):
    found = dataset(root, sequence_length=4)

    def batches(workers):
        loader = torch.utils.data.DataLoader(found, batch_size=8, num_workers=workers)
        return [(b["frames"].sum().item(), b["inputs"].sum().item(), b["session_id"].tolist()) for b in loader]

    assert batches(0) == batches(2)


def test_recordings_of_any_format_can_be_given(tmp_path):
    play = hands.Hands([6, 5])
    convert(play, tmp_path / "own", format="gameon")
    found = GameOnDataset(tmp_path / "own", sequence_length=3, target_size=16, mouse_scale=None)
    assert [found[k]["session_id"] for k in range(len(found))] == [1, 1, 1, 1, 2, 2, 2]
    assert found[0]["inputs"][:, [SLOTS["w"], SLOTS["left"], SLOTS["dx"]]].tolist() == [[1, 0, 0], [1, 0, 4], [1, 1, 0]]
    assert {found[k]["session_id"] for k in range(3)} == {1}
    only = GameOnDataset(tmp_path / "own", session_ids=[2], sequence_length=3, target_size=16)
    assert {only[k]["session_id"] for k in range(len(only))} == {2}
    convert(play, tmp_path / "set", format="nitrogen_capture")
    other = GameOnDataset(tmp_path / "set", sequence_length=3, target_size=16, mouse_scale=None)
    assert isinstance(other[0]["session_id"], str)
    torch.testing.assert_close(other[0]["inputs"], found[0]["inputs"])
    name = other[0]["session_id"]
    assert len(GameOnDataset(tmp_path / "set", session_ids=[name], sequence_length=3)) == len(other)
    with pytest.raises(BadInputError, match="'gone' is not there"):
        GameOnDataset(tmp_path / "set", session_ids=["gone"])


def test_pictures_of_the_recorders_own_encoding_stand_at_their_numbers(tmp_path):
    recorder = made.Recorder(tmp_path)
    place = recorder.session(1, [made.key(0, "w", "press")], frames=0, folder="Long",
                             video_path="data\\sessions\\Long\\video.mp4")  # fmt: skip
    place.mkdir(parents=True)
    made.ffmpeg_film(place / "video.mp4", 290)
    found = GameOnDataset(tmp_path, sequence_length=4, target_size=(64, 48))
    assert len(found) == 144
    for window in (143, 0, 71, 125):
        wanted = [made.level(k) for k in range(2 * window, 2 * window + 4)]
        assert level(found[window]["frames"]) == pytest.approx(wanted, abs=6)


def test_a_loader_of_whole_batches_gives_what_a_plain_one_gives(root):
    found = GameOnDataset(root, sequence_length=2, target_size=32)
    plain = [*torch.utils.data.DataLoader(found, batch_size=5)]
    whole = [*found.loader(5, shuffle=False)]
    assert [sorted(batch) for batch in whole] == [sorted(batch) for batch in plain]
    for one, other in zip(plain, whole, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
