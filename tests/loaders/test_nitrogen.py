"""The training sample: its shapes, which rows belong to which frame, and that it works under a DataLoader."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader

from rushes.errors import BadInputError, MissingError
from rushes.formats.base import open_any
from rushes.loaders.nitrogen import NitrogenSamples
from rushes.model.actions import ActionSpace
from rushes.model.nitrogen import TOKENS, Settings, pack, unpack
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.video import write_video
from rushes.store.writer import SessionWriter
from rushes.worlds.synthetic import draw_counter, read_counter

MS = 1_000_000
SHORT = Settings(horizon=4)
COLUMNS = [
    "back", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "east", "guide", "left_shoulder", "left_thumb",
    "left_trigger", "north", "right_shoulder", "right_thumb", "right_trigger", "south", "start", "west",
]  # fmt: skip


def picture(number):
    pixels = np.full((120, 160, 3), 90, np.uint8)
    draw_counter(pixels, number)
    return pixels


def record(path, counts=(12,), *, codec="png"):
    """Segments of so many frames at 10 Hz; on frame k the mouse moves k * 10 counts right, W is down on even ones."""
    info = SessionInfo(
        id=path.name,
        game="Doom",
        source={"kind": "desktop", "name": "test"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", codec, width=160, height=120, rate_hz=10.0),
            StreamSpec("events", "events", unit="counts"),
        ),
        action_space=ActionSpace.from_names(["w", "dx", "dy"]),
    )
    number, t = 0, 0
    with SessionWriter(path, info) as writer:
        for count in counts:
            writer.write(Start(t * MS))
            for _ in range(count):
                writer.write(Frame(t * MS, picture(number)))
                writer.write(Event((t + 30) * MS, "mouse", "Mouse", "move", dx=number * 10.0, dy=0.0))
                if number % 2 == 0:
                    writer.write(Event((t + 40) * MS, "kbd", "KeyW", "press", 1.0))
                    writer.write(Event((t + 60) * MS, "kbd", "KeyW", "release", 0.0))
                number, t = number + 1, t + 100
            writer.write(Gap(t * MS, "pause"))
            t += 5000
    return path


def shown(sample):
    """The numbers in the frames: the counter is 24 cells of 6 px in 160, squashed to 256 px."""
    pixels = sample["frames"].transpose(0, 2, 3, 1)
    return [read_counter(cv2.resize(p, (160, 120), interpolation=cv2.INTER_AREA)) for p in pixels]


def test_an_item_has_the_shapes_that_the_tokenizer_takes(tmp_path):
    sample = NitrogenSamples(record(tmp_path / "take", (20,)))[0]
    assert {key: (value.shape, value.dtype) for key, value in sample.items() if key != "game"} == {
        "frames": ((1, 3, 256, 256), np.float32),
        "dropped_frames": ((1,), bool),
        "buttons": ((1, 16, 21), np.float32),
        "j_left": ((1, 16, 2), np.float32),
        "j_right": ((1, 16, 2), np.float32),
    }
    assert sample["game"] == "Doom"
    # as pack_actions takes them apart and together: chunks and steps first, then 25 numbers a step
    parts = [sample["buttons"], (sample["j_left"] + 1) / 2, (sample["j_right"] + 1) / 2]
    assert np.concatenate(parts, axis=-1, dtype=np.float32).squeeze(0).shape == (16, 25)


def test_pixels_are_normalised_as_siglip_does(tmp_path):
    path = record(tmp_path / "take")
    raw = NitrogenSamples(path, SHORT, pixels="uint8")[3]["frames"]
    found = NitrogenSamples(path, SHORT)[3]["frames"]
    assert raw.dtype == np.uint8
    np.testing.assert_allclose(found, (raw / 255 - 0.5) / 0.5, atol=1e-6)
    squashed = cv2.resize(picture(3), (256, 256), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(raw[0].transpose(1, 2, 0), squashed)


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_the_first_action_is_the_shift_minus_one_rows_after_the_frame(tmp_path, shift):
    samples = NitrogenSamples(record(tmp_path / "take"), Settings(horizon=4, action_shift=shift), pixels="uint8")
    assert len(samples) == 12 - 4 - shift + 2
    for k in range(len(samples)):
        sample = samples[k]
        rows = np.arange(k + shift - 1, k + shift + 3)
        assert shown(sample) == [k]
        np.testing.assert_allclose(sample["j_right"][0, :, 0], rows * 10 / 300, rtol=1e-6)
        assert sample["j_left"][0, :, 1].tolist() == [-1.0 if row % 2 == 0 else 0.0 for row in rows]  # W: up


def test_no_sample_crosses_a_segment(tmp_path):
    samples = NitrogenSamples(record(tmp_path / "take", (6, 3, 5)), SHORT, pixels="uint8")
    assert [shown(samples[k])[0] for k in range(len(samples))] == [0, 1, 2, 9, 10]
    assert [samples.index_of(k) for k in (0, 3)] == [(0, 0), (0, 9)]
    assert samples.ledger["frames"].lost == {"too_near_the_end": 9}
    assert samples.ledger.balances


def test_earlier_frames_are_dropped_where_the_segment_has_none(tmp_path):
    settings = Settings(horizon=2, frame_per_sample=3, frame_spacing=2)
    path = record(tmp_path / "take", (4, 8))
    samples = NitrogenSamples(path, settings, pixels="uint8")
    found = {samples.index_of(k)[1]: samples[k] for k in range(len(samples))}
    assert found[4]["dropped_frames"].tolist() == [True, True, False]
    assert found[7]["dropped_frames"].tolist() == [True, False, False]
    assert found[9]["dropped_frames"].tolist() == [False, False, False]
    assert shown(found[9]) == [5, 7, 9]
    assert shown(found[7])[1:] == [5, 7]
    assert not found[7]["frames"][0].any()
    normal = NitrogenSamples(path, settings)[0]
    assert not normal["frames"][:2].any()


def test_order_and_sign_are_those_of_the_settings(tmp_path):
    path = record(tmp_path / "take")
    settings = Settings(order="turned", tokens=TOKENS[::-1], vertical="up=+1", horizon=4)
    plain, turned = NitrogenSamples(path, SHORT)[1], NitrogenSamples(path, settings)[1]
    np.testing.assert_array_equal(turned["buttons"], plain["buttons"][..., ::-1])
    assert turned["j_left"][0, :, 1].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert plain["j_left"][0, :, 1].tolist() == [0.0, -1.0, 0.0, -1.0]


def test_buttons_stand_by_name(tmp_path):
    (tmp_path / "map.toml").write_text('name = "x"\n[buttons]\nWEST = ["KeyW"]\nRIGHT_UP = ["Space"]\n')
    sample = NitrogenSamples(record(tmp_path / "take"), SHORT, pad_map=tmp_path / "map.toml")[0]
    assert sample["buttons"][0].sum(0).tolist() == [0.0] * 20 + [2.0]  # the last of the 21 is WEST


def test_game_and_transform_and_numbers_from_the_end(tmp_path):
    path = record(tmp_path / "take")
    samples = NitrogenSamples(path, SHORT, game="doom_1993", transform=lambda sample: sample["game"])
    assert samples[0] == samples[-1] == "doom_1993"
    with pytest.raises(IndexError):
        samples[len(samples)]


def test_the_description_has_all_settings_as_json(tmp_path):
    found = json.loads(json.dumps(NitrogenSamples(record(tmp_path / "take"), SHORT).description))
    assert found["settings"]["horizon"] == 4
    assert found["settings"]["order"] == "repository-3260844"
    assert found["samples"] == 9


def test_marked_stretches_are_left_out(tmp_path):
    path = record(tmp_path / "take")
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=500 * MS, t_end_ns=600 * MS)
    samples = NitrogenSamples(path, SHORT, pixels="uint8")
    assert [shown(samples[k])[0] for k in range(len(samples))] == [0, 1, 6, 7, 8]
    again = NitrogenSamples(open_session(path), SHORT, pixels="uint8")
    assert [shown(again[k])[0] for k in range(len(again))] == [0, 1, 6, 7, 8]


def test_too_short_a_session_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="18 rows"):
        NitrogenSamples(record(tmp_path / "take"), Settings(horizon=16, action_shift=3))
    with pytest.raises(BadInputError, match="uint8"):
        NitrogenSamples(tmp_path / "take", pixels="uint16")


def release(root, count=12):
    """Labels of the release with their video: the left stick of row i is i / 100."""
    chunk = root / "actions" / "SHARD_0000" / "v1" / "v1_chunk_0000"
    chunk.mkdir(parents=True)
    columns = {name: pa.array([False] * count) for name in COLUMNS}
    columns["j_left"] = pa.array([[i / 100, 0] for i in range(count)])
    columns["j_right"] = pa.array([[0.0, 0.0]] * count)
    pq.write_table(pa.table(columns), chunk / "actions_raw.parquet")
    video = {"resolution": [120, 160], "video_id": "v1", "start_time": 0, "end_time": count / 10, "start_frame": 0}
    meta = {"chunk_size": count, "original_video": video, "game": "celeste", "bbox_controller_overlay": [0, 60, 80, 60]}
    (chunk / "metadata.json").write_text(json.dumps(meta))
    (root / "videos").mkdir()
    write_video(root / "videos" / "v1.mp4", [picture(k) for k in range(count)], rate_hz=10)
    return root


@pytest.mark.parametrize("shift", [1, 3])
def test_labels_of_the_release_are_taken_by_their_own_row_numbers(tmp_path, shift):
    settings = Settings(horizon=4, action_shift=shift)
    samples = NitrogenSamples(release(tmp_path / "set"), settings, pixels="uint8")
    assert len(samples) == 12 - shift - 3  # frame i needs their rows i + shift ... i + shift + 3
    for i in range(len(samples)):
        wanted = [(i + shift + k) / 100 for k in range(4)]
        np.testing.assert_allclose(samples[i]["j_left"][0, :, 0], wanted, rtol=1e-6)
        assert shown(samples[i]) == [i]
    assert samples[0]["game"] == "celeste"
    assert not samples[0]["frames"][0, :, 130:, :126].any()  # the drawn controller is not to be seen


def test_videos_that_are_gone_are_left_out_and_counted(tmp_path):
    root = release(tmp_path / "set")
    shutil.copytree(root / "actions" / "SHARD_0000" / "v1", root / "actions" / "SHARD_0000" / "v0")
    for chunk in (root / "actions" / "SHARD_0000" / "v0").iterdir():
        chunk.rename(chunk.with_name("v0_chunk_0000"))
    samples = NitrogenSamples(root, SHORT, pixels="uint8")
    assert [shown(samples[k]) for k in range(len(samples))] == [[k] for k in range(8)]
    assert samples.index_of(0) == (1, 0)
    assert samples.ledger["frames"].lost == {"without_pictures": 12, "too_near_the_end": 4}
    with pytest.raises(MissingError, match="labels without pictures"):
        NitrogenSamples(root, SHORT, options={"video": "none"})


def test_what_is_packed_for_a_model_whose_up_is_plus_one_is_turned_once(tmp_path):
    settings = Settings(horizon=4, vertical="up=+1")
    item = NitrogenSamples(record(tmp_path / "take"), settings)[0]  # W is down on even frames
    parts = [item[name][0] for name in ("buttons", "j_left", "j_right")]
    vectors = pack(*parts, dataclasses.replace(settings, vertical="up=-1"))  # as docs/nitrogen.md has it
    assert vectors[:, 22].tolist() == [1.0, 0.5, 1.0, 0.5]
    assert unpack(vectors, settings).j_left[:, 1].tolist() == [-1.0, 0.0, -1.0, 0.0]


@pytest.mark.parametrize("workers", [0, 2])
def test_it_works_under_a_data_loader(tmp_path, workers):
    sources = [record(tmp_path / "take", (10, 7)), release(tmp_path / "set")]
    samples = NitrogenSamples(sources, SHORT)
    samples[0], samples[-1]  # files are open in this process when workers start
    loader = DataLoader(samples, batch_size=4, num_workers=workers)
    batches = list(loader)
    assert batches[0]["frames"].shape == (4, 1, 3, 256, 256)
    assert batches[0]["frames"].dtype == torch.float32
    assert batches[0]["buttons"].shape == (4, 1, 4, 21)
    assert batches[0]["dropped_frames"].dtype == torch.bool
    found = torch.cat([batch["frames"] for batch in batches])
    wanted = np.stack([samples[k]["frames"] for k in range(len(samples))])
    np.testing.assert_array_equal(found.numpy(), wanted)
    assert len(found) == (10 - 3) + (7 - 3) + (12 - 1 - 3)


def test_it_is_pickled_whether_files_are_open_or_not(tmp_path):
    samples = NitrogenSamples(
        [record(tmp_path / "take"), open_any(release(tmp_path / "set"))[0]], SHORT, pixels="uint8"
    )
    before = [shown(samples[k]) for k in (0, len(samples) - 1)]
    again = pickle.loads(pickle.dumps(samples))
    assert [shown(again[k]) for k in (0, len(samples) - 1)] == before
