import io
import json

import gymnasium
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.parquet import ROW_GROUP_BYTES
from rushes.model.readings import Frame, Gap, Start, Step
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.writer import SessionWriter
from rushes.worlds.atari import Atari

REFERENCE = ["inputs", "images", "images_front", "environment", "episode", "num_frames", "randomness"]


def png(k: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((210, 160, 3), k, np.uint8)).save(file, "PNG")
    return file.getvalue()


def reference_row(actions, *, frames=None, start=True, index=float):
    """A row as the reference's converter builds it (its code writes no second text; the guide shows one)."""
    frames = len(actions) + 1 if frames is None else frames
    inputs = [{"type": "text", "has_loss": 0, "text": "Atari Alien Environment (randomness=0.2)"}]
    if start:
        text = f"Episode episode_000_rand0.2. Starting game with {frames} frames."
        inputs.append({"type": "text", "has_loss": 1, "text": text})
    for k in range(frames):
        inputs.append({"type": "image_gen", "has_loss": 1, "image_index": index(k)})
        if k < len(actions) and actions[k] is not None:
            inputs.append({"type": "text", "has_loss": 0, "text": actions[k]})
    return {
        "inputs": inputs,
        "images": [png(k) for k in range(frames)],
        "images_front": [png(0)],
        "environment": "atari_alien",
        "episode": "episode_000_rand0.2",
        "num_frames": frames,
        "randomness": "0.2",
    }


def test_the_sequence_is_the_one_that_the_reference_guide_shows(fake, tmp_path):
    """Golden: the example input sequence of the guide; its episode has 11 frames and begins with downright."""
    recording = fake.Fake([11])
    recording.action = lambda _: 8
    convert(recording, tmp_path / "a.parquet", format="interleaved", options=["strict=true"])
    episode = pd.read_parquet(tmp_path / "a.parquet").iloc[0]
    golden = [
        {"type": "text", "has_loss": 0, "text": "Atari Alien Environment (randomness=0.2)"},
        {"type": "text", "has_loss": 1, "text": "Episode episode_000_rand0.2. Starting game with 11 frames."},
        {"type": "image_gen", "has_loss": 1, "image_index": 0},
        {"type": "text", "has_loss": 0, "text": "downright"},
        {"type": "image_gen", "has_loss": 1, "image_index": 1},
    ]
    blank = {"text": "", "image_index": -1}
    assert [dict(entry) for entry in episode["inputs"][:5]] == [{**blank, **entry} for entry in golden]
    assert len(episode["inputs"]) == 2 * 11 + 1
    assert all(type(entry["image_index"]) is int for entry in episode["inputs"])
    assert episode["num_frames"] == 11
    assert episode["randomness"] == "0.2"


def test_it_is_read_as_the_reference_guide_reads_it(play, tmp_path, fake):
    convert(play, tmp_path / "a.parquet", format="interleaved")
    df = pd.read_parquet(tmp_path / "a.parquet")
    assert df["environment"].unique().tolist() == ["atari_alien", "atari_breakout"]
    assert df["episode"].tolist() == ["episode_000_rand0.2", "episode_001_rand0.2", "episode_000_rand0.2"]
    assert df["num_frames"].tolist() == [11, 5, 4]
    episode = df.iloc[0]
    for inp in episode["inputs"]:
        assert inp["type"] in {"text", "image_gen"}
        if inp["type"] == "image_gen":
            img = Image.open(io.BytesIO(episode["images"][inp["image_index"]]))
            np.testing.assert_array_equal(np.asarray(img), fake.picture(1, inp["image_index"]))
    assert len(episode["images_front"]) == 1
    assert episode["images_front"][0] == episode["images"][0]


def test_the_columns_are_the_references_then_ours(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="interleaved")
    convert(play, tmp_path / "b.parquet", format="interleaved", options=["strict=true"])
    ours, strict = pq.read_schema(tmp_path / "a.parquet"), pq.read_schema(tmp_path / "b.parquet")
    assert strict.names == REFERENCE
    assert not strict.metadata
    assert ours.names[:17] == [
        *REFERENCE, "rewards", "terminated", "truncated", "lives", "seed", "env_id", "frameskip", "sticky",
        "full_action_space", "random_action",
    ]  # fmt: skip
    assert ours.field("images").type == pa.large_list(pa.field("element", pa.large_binary()))
    assert str(ours.field("inputs").type) == (
        "large_list<element: struct<type: string, has_loss: int64, text: string, image_index: int64>>"
    )
    assert (ours.field("randomness").type, strict.field("randomness").type) == (pa.float64(), pa.string())
    row = pd.read_parquet(tmp_path / "a.parquet").iloc[1]
    assert row["rewards"].tolist() == [5.5, 6.0, 6.5, 7.0]
    assert row["actions"].tolist() == [(k * 5 + 1) % 18 for k in range(11, 15)]
    assert row["terminated"].tolist() == [False] * 4
    assert (row["seed"], row["env_id"], row["frameskip"], row["sticky"]) == (1001, "ALE/Alien-v5", 4, 0.25)
    assert not row["full_action_space"]
    assert len(row["t_ns"]) == 5


def test_a_stranger_plays_the_episode_again_with_plain_gymnasium(tmp_path):
    """Real play: the exported columns alone give back every exported picture bit for bit."""
    world = Atari("ALE/Breakout-v5", frameskip=3, sticky=0.25)
    info = SessionInfo(
        id="breakout",
        game="Breakout",
        source={"kind": "env", "name": world.env_id},
        time_source="emulated",
        streams=(StreamSpec("screen", "frames", "png-indexed", width=160, height=210), StreamSpec("steps", "steps")),
        action_space=world.action_space,
    )
    rng = np.random.default_rng(3)
    with SessionWriter(tmp_path / "session", info) as writer:
        for episode in range(2):
            start = episode * 1000
            world.reset(11 + episode)
            writer.write(Start(start, {**world.attrs, "episode": episode, "seed": 11 + episode, "randomness": 1.0}))
            writer.write(Frame(start, *world.screen()))
            for k in range(40):
                action = int(rng.integers(4))
                outcome = world.act(action)
                writer.write(Step(start + k, -1, action, world.action_space.names[action], *outcome))
                writer.write(Frame(start + k + 1, *world.screen()))
            writer.write(Gap(start + 40, "budget"))
    convert(tmp_path / "session", tmp_path / "a.parquet", format="interleaved")
    for _, row in pd.read_parquet(tmp_path / "a.parquet").iterrows():
        env = gymnasium.make(
            row["env_id"],
            frameskip=row["frameskip"],
            repeat_action_probability=row["sticky"],
            full_action_space=row["full_action_space"],
        )
        observation, _ = env.reset(seed=row["seed"])
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(row["images"][0]))), observation)
        for k, action in enumerate(row["actions"]):
            observation, reward, terminated, truncated, told = env.step(action)
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(row["images"][k + 1]))), observation)
            assert (reward, terminated, truncated) == (row["rewards"][k], row["terminated"][k], row["truncated"][k])
            assert told["lives"] == row["lives"][k]
        meanings = env.unwrapped.get_action_meanings()
        texts = [e["text"] for e in row["inputs"] if e["type"] == "text"][2:]
        assert texts == [meanings[a].lower() for a in row["actions"]]
        env.close()


def test_row_groups_are_bounded_by_bytes(fake, tmp_path):
    class Heavy(fake.Fake):
        def pictures(self, start, stop):
            for k, stored in enumerate(super().pictures(start, stop), start):
                yield stored._replace(codec="png", data=png(k % 256) + bytes(2**20))

    convert(Heavy([6, 6, 6, 6, 6, 6]), tmp_path / "a.parquet", format="interleaved", options=["strict=true"])
    groups = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [3, 3]
    assert ROW_GROUP_BYTES == 16 * 2**20
    found = open_any(tmp_path / "a.parquet")[0]
    assert [int(found.frame(k)[0, 0, 0]) for k in (35, 0, 17, 18)] == [35, 0, 17, 18]


def test_shards_hold_whole_episodes_in_order(fake, tmp_path):
    class Heavy(fake.Fake):
        def pictures(self, start, stop):
            for k, stored in enumerate(super().pictures(start, stop), start):
                yield stored._replace(codec="png", data=png(k % 256) + bytes(2**18))

    convert(Heavy([4] * 5), tmp_path / "a", format="interleaved", options=["shard_mb=2"])
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert [len(pd.read_parquet(tmp_path / "a" / n)) for n in names] == [2, 2, 1]
    assert pd.read_parquet(tmp_path / "a")["episode"].tolist() == [f"episode_{k:03d}_rand0.2" for k in range(5)]
    assert sniff_path(tmp_path / "a") == "atari_interleaved"
    found = open_any(tmp_path / "a")[0]
    assert [int(f[0, 0, 0]) for f in found.frames(0, 20)] == list(range(20))
    assert found.ledger.balances
    with pytest.raises(BadInputError, match="shard_mb=-1"):
        convert(Heavy([2]), tmp_path / "b", format="interleaved", options=["shard_mb=-1"])


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("index", [int, float, lambda _: None])
@pytest.mark.parametrize("as_json", [True, False])
def test_files_of_the_reference_are_read(tmp_path, start, index, as_json):
    row = reference_row(["downright", "NOOP", "upfire"], start=start, index=index)
    if as_json:
        row["inputs"] = json.dumps(row["inputs"])
    rows = [row, {**row, "episode": "episode_001_rand0.2"}]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    assert sniff_path(tmp_path / "a.parquet") == "atari_interleaved"
    (recording,) = open_any(tmp_path / "a.parquet")
    assert recording.steps(1)["action_name"].tolist() == ["ALE/DOWNRIGHT", "ALE/NOOP", "ALE/UPFIRE"]
    assert recording.steps(0)["action"].tolist() == [8, 0, 10]
    assert [(s.frames, s.end_reason) for s in recording.segments] == [(4, "unknown")] * 2
    assert recording.segments[0].attrs == {"episode": 0, "randomness": 0.2}
    assert recording.info.time_source == "assumed"
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 8)] == [0, 1, 2, 3] * 2
    assert {p.kind: p.count for p in recording.problems} == {"action_numbers_assumed": 6}


def test_a_randomness_that_is_a_number_is_read(tmp_path):
    pd.DataFrame([{**reference_row(["noop"]), "randomness": 0.35}]).to_parquet(tmp_path / "a.parquet")
    assert open_any(tmp_path / "a.parquet")[0].segments[0].attrs["randomness"] == 0.35


def test_a_set_of_three_columns_is_read(tmp_path):
    row = reference_row(["noop", "fire"])
    row = {"inputs": json.dumps(row["inputs"]), "images": row["images"], "images_front": row["images_front"]}
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert recording.steps()["action"].tolist() == [0, 1]
    assert recording.info.provenance["environment"] == "unknown"


def test_two_images_in_a_row_are_not_bridged(tmp_path):
    row = reference_row(["noop", None, "fire"])
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [(s.frames, s.end_reason) for s in recording.segments] == [(2, "gap"), (2, "unknown")]
    assert {p.kind: p.count for p in recording.problems} == {"missing_action": 1, "action_numbers_assumed": 2}
    assert recording.ledger.balances


def test_a_text_after_the_last_image_is_an_action_without_outcome(tmp_path):
    pd.DataFrame([reference_row(["noop", "fire"], frames=2)]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert recording.steps()["action"].tolist() == [0, 1]
    assert [p.kind for p in recording.problems] == ["action_without_outcome", "action_numbers_assumed"]


def test_an_image_that_is_not_there_is_lost_and_splits(tmp_path):
    row = reference_row(["noop", "fire", "up"])
    row["inputs"][4]["image_index"] = 99.0
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [s.frames for s in recording.segments] == [1, 2]
    assert recording.ledger["frames"].lost == {"missing_image": 1}
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 3)] == [0, 2, 3]


def test_images_that_fall_short_of_what_inputs_name_are_counted_at_opening(tmp_path):
    rows = [reference_row(["noop", "fire", "up"]), reference_row(["noop"])]
    rows[0]["images"] = rows[0]["images"][:2]
    rows[1]["episode"] = "episode_001_rand0.2"
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [s.frames for s in recording.segments] == [2, 2]
    assert {p.kind: p.count for p in recording.problems} == {
        "missing_image": 2, "without_frame": 1, "action_without_outcome": 1, "action_numbers_assumed": 3,
    }  # fmt: skip
    assert recording.ledger["frames"].lost == {"missing_image": 2}
    assert recording.ledger["frames"].offered == 6
    assert recording.ledger.balances
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 4)] == [0, 1, 0, 1]


def test_a_null_or_cut_image_costs_its_frame_and_splits(tmp_path):
    row = reference_row(["noop", "fire", "up", "noop"])
    row["images"][1] = None
    row["images"][3] = row["images"][3][:-20]
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [int(f[0, 0, 0]) for f in recording.frames(0, recording.frame_count)] == [0, 2, 4]
    assert [(s.frames, s.end_reason) for s in recording.segments] == [(1, "gap"), (1, "gap"), (1, "unknown")]
    assert recording.ledger["frames"].lost == {"missing_image": 1, "truncated_png": 1}
    assert recording.ledger.balances


def test_images_as_hugging_face_stores_them_are_read(tmp_path):
    row = reference_row(["noop", "fire"])
    row["images"] = [{"bytes": data, "path": None} for data in row["images"]]
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 3)] == [0, 1, 2]


def test_images_of_another_type_are_refused(tmp_path):
    row = reference_row(["noop"])
    row["images"] = ["0.png", "1.png"]
    pd.DataFrame([row]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadDataError, match="pictures of type string"):
        open_any(tmp_path / "a.parquet")


def test_a_part_that_is_gone_is_a_problem(fake, tmp_path):
    class Heavy(fake.Fake):
        def pictures(self, start, stop):
            for k, stored in enumerate(super().pictures(start, stop), start):
                yield stored._replace(codec="png", data=png(k % 256) + bytes(2**18))

    for name, options, gone, seen in (
        ("a", ["shard_mb=1"], 1, True),
        ("b", ["shard_mb=1"], 2, True),  # the last one: its neighbour's footer knows
        ("c", ["shard_mb=1", "strict=true"], 1, True),
        ("d", ["shard_mb=1", "strict=true"], 2, False),  # nothing of ours stands in strict files
    ):
        convert(Heavy([4] * 3), tmp_path / name, format="interleaved", options=options)
        assert not [p for p in open_any(tmp_path / name).problems if p.kind == "missing_part"]
        (tmp_path / name / f"part-0000{gone}.parquet").unlink()
        found = [(p.where, p.count) for p in open_any(tmp_path / name).problems if p.kind == "missing_part"]
        assert found == ([(f"part-0000{gone}.parquet", 1)] if seen else [])
    convert(tmp_path / "a", tmp_path / "e", format="folders")
    card = json.loads((tmp_path / "e.card.json").read_text())
    assert [p["kind"] for p in card["problems"]] == ["missing_part"]


def test_numbers_that_are_not_told_are_those_of_the_game(fake, tmp_path):
    """Pong's own six are NOOP FIRE RIGHT LEFT RIGHTFIRE LEFTFIRE (ALE documentation, "Pong")."""
    pong = ("ALE/NOOP", "ALE/FIRE", "ALE/RIGHT", "ALE/LEFT", "ALE/RIGHTFIRE", "ALE/LEFTFIRE")
    source = fake.Fake([8], env_id="ALE/Pong-v5", game="Pong", names=pong)
    convert(source, tmp_path / "a.parquet", format="interleaved", options=["strict=true"])
    (recording,) = open_any(tmp_path / "a.parquet")
    assert recording.info.action_space.names == pong
    assert recording.steps()["action"].tolist() == source.steps()["action"].tolist()
    assert {p.kind: p.count for p in recording.problems} == {"action_numbers_assumed": 7}
    convert(tmp_path / "a.parquet", tmp_path / "b", format="folders")
    text = tmp_path / "b" / "atari_pong" / "episode_000_rand0.2" / "action_000005.txt"
    assert (text.read_text(), source.action(5)) == ("2: RIGHT", 2)


@pytest.mark.parametrize(("environment", "number"), [("atari_pong", 2), ("atari_nobody", 2)])
def test_a_name_that_the_game_has_not_is_one_of_the_18(tmp_path, environment, number):
    pd.DataFrame([{**reference_row(["up", "noop"]), "environment": environment}]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert len(recording.info.action_space) == 18
    assert recording.steps()["action"].tolist() == [number, 0]
    assert [p.kind for p in recording.problems] == ["action_numbers_assumed"]


def test_two_copies_of_a_session_are_two_recordings(fake, tmp_path):
    convert(Sessions([fake.Fake([3, 2])] * 2, format="x"), tmp_path / "a.parquet", format="interleaved")
    both = open_any(tmp_path / "a.parquet")
    assert [r.info.id for r in both] == ["session-1", "session-1-2"]
    assert [[s.frames for s in r.segments] for r in both] == [[3, 2]] * 2
    assert [p.kind for p in both.problems] == ["session_twice"]
    convert(tmp_path / "a.parquet", tmp_path / "b", format="session")
    assert [r.frame_count for r in open_any(tmp_path / "b")] == [5, 5]


def test_an_episode_without_inputs_is_counted(tmp_path):
    rows = [reference_row(["noop"]), {**reference_row(["noop"]), "inputs": [], "images": [], "num_frames": 0}]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert len(recording.segments) == 1
    assert recording.ledger["episodes"].lost == {"empty_episode": 1}


def test_damage_in_the_middle_is_named(play, tmp_path):
    target = tmp_path / "a.parquet"
    convert(play, target, format="interleaved", options=["strict=true"])
    data = bytearray(target.read_bytes())
    column = pq.ParquetFile(target).metadata.row_group(0).column(4)
    assert column.path_in_schema == "images.list.element"
    data[column.data_page_offset : column.data_page_offset + 40] = bytes(40)
    target.write_bytes(data)
    with pytest.raises(BadDataError, match=r"a\.parquet.*cut or damaged"):
        list(open_any(target)[0].frames(0, 3))


def test_a_flipped_bit_in_a_picture_is_found(play, tmp_path):
    target = tmp_path / "a.parquet"
    convert(play, target, format="interleaved")
    column = pq.ParquetFile(target).metadata.row_group(0).column(4)
    data = bytearray(target.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    target.write_bytes(data)
    with pytest.raises(BadDataError, match=r"a\.parquet.*cut or damaged"):
        [list(recording.frames(0, recording.frame_count)) for recording in open_any(target)]


def test_a_row_that_pandas_saved_again_keeps_its_extras(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="interleaved")
    pd.read_parquet(tmp_path / "a.parquet").iloc[1:].to_parquet(tmp_path / "b.parquet")
    first, _ = open_any(tmp_path / "b.parquet")
    assert first.info.id == "session-1"
    assert first.info.time_source == "assumed"  # the description of the session is gone
    assert [p.kind for p in first.problems] == ["description_lost"]
    assert first.steps()["reward"].tolist() == [5.5, 6.0, 6.5, 7.0]
    assert first.segments[0].attrs["seed"] == 1001
    assert first.segments[0].first_frame == 0


def test_an_action_without_outcome_stays_out_of_the_sequence_but_not_out_of_the_file(fake, tmp_path):
    recording = fake.Fake([3], last_action=True)
    convert(recording, tmp_path / "a.parquet", format="interleaved")
    report = convert(recording, tmp_path / "b.parquet", format="interleaved", options=["strict=true"])
    row = pd.read_parquet(tmp_path / "a.parquet").iloc[0]
    assert (len(row["inputs"]), len(row["actions"])) == (7, 3)
    pd.testing.assert_frame_equal(open_any(tmp_path / "a.parquet")[0].steps(), recording.steps())
    assert report.ledger["actions"].lost == {"action_without_outcome": 1}


def test_inputs_that_cannot_be_read_cost_that_episode_alone(tmp_path):
    good, bad = reference_row(["noop"]), reference_row(["noop"])
    good["inputs"], bad["inputs"] = json.dumps(good["inputs"]), "[{"
    pd.DataFrame([bad, good]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert len(recording.segments) == 1
    assert {p.kind: p.where for p in recording.problems} == {
        "action_numbers_assumed": "a.parquet, row 1",
        "bad_inputs": "a.parquet, row 0",
        "empty_episode": "a.parquet, row 0",
    }


@pytest.mark.parametrize("column", ["segment", "t_ns", "lives"])
def test_extra_columns_that_were_spoilt_are_named(play, tmp_path, column):
    convert(play, tmp_path / "a.parquet", format="interleaved")
    df = pd.read_parquet(tmp_path / "a.parquet")
    values = df[column].tolist()
    values[1] = "{" if column == "segment" else [*values[1], 1, 2]
    df.assign(**{column: values}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(BadDataError, match=r"b\.parquet, row 1: extra columns that do not fit"):
        open_any(tmp_path / "b.parquet")


def test_a_file_of_a_newer_version_is_refused(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="interleaved")
    table = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(table.replace_schema_metadata({"rushes": '{"schema": "rushes/atari/2"}'}), tmp_path / "b.parquet")
    with pytest.raises(BadDataError, match="open it with the version of rushes that wrote it"):
        open_any(tmp_path / "b.parquet")
