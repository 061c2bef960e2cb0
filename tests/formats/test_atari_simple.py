import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rushes.errors import BadDataError
from rushes.formats.base import convert, open_any, sniff_path

REFERENCE = ["environment", "episode", "frame_number", "action", "action_raw", "image"]


def png(k: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((210, 160, 3), k, np.uint8)).save(file, "PNG")
    return file.getvalue()


def reference_rows(actions, *, episode="episode_000_rand0.2", environment="atari_alien"):
    return [
        {
            "environment": environment,
            "episode": episode,
            "frame_number": k,
            "action": raw.split(": ", 1)[-1] if raw else raw,
            "action_raw": raw,
            "image": png(k),
        }
        for k, raw in enumerate(actions)
    ]


def test_one_row_a_frame_with_the_action_taken_on_it(play, tmp_path, fake):
    convert(play, tmp_path / "a.parquet", format="simple")
    df = pd.read_parquet(tmp_path / "a.parquet")
    assert len(df) == 20
    alien = df[(df["episode"] == "episode_000_rand0.2") & (df["environment"] == "atari_alien")]
    assert alien["frame_number"].tolist() == list(range(11))
    assert alien["action_raw"].tolist()[5] == "8: DOWNRIGHT"
    assert alien["action"].tolist()[5] == "DOWNRIGHT"
    assert alien[["action", "action_raw"]].isna().any(axis=1).tolist() == [False] * 10 + [True]
    for k in range(11):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(alien["image"].iloc[k]))), fake.picture(1, k))


def test_whole_numbers_and_flags_stay_what_they_are(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    df = pd.read_parquet(tmp_path / "a.parquet")
    whole, flags = (
        ["frame_number", "lives", "seed", "action_index", "t_ns", "frameskip"],
        ["terminated", "random_action"],
    )
    assert {str(df[c].dtype) for c in whole} == {"int64"}
    assert {str(df[c].dtype) for c in flags} == {"bool"}
    last = df[df["action"].isna()]
    assert last["action_index"].tolist() == last["lives"].tolist() == [-1, -1, -1]
    assert last["reward"].isna().all()
    assert df["terminated"].sum() == 2
    assert set(df["end_reason"]) == {"terminated", "budget"}


def test_strict_writes_the_references_columns_and_no_frame_without_action(play, tmp_path):
    report = convert(play, tmp_path / "a.parquet", format="simple", options=["strict=true"])
    df = pd.read_parquet(tmp_path / "a.parquet")
    assert df.columns.tolist() == REFERENCE
    assert len(df) == 17
    assert not df.isna().any(axis=None)
    assert pq.read_schema(tmp_path / "a.parquet").metadata is None
    assert report.ledger["frames"].lost == {"strict_without_action": 3}
    assert pq.read_schema(tmp_path / "a.parquet").field("image").type == pa.large_binary()


def test_a_file_of_the_reference_is_read(tmp_path):
    rows = reference_rows(["8: DOWNRIGHT", "0: NOOP", "1: FIRE"]) + reference_rows(
        ["1: FIRE"] * 2, environment="atari_pong"
    )
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    assert sniff_path(tmp_path / "a.parquet") == "atari_simple"
    alien, pong = open_any(tmp_path / "a.parquet")
    assert (alien.info.game, pong.info.game) == ("Alien", "Pong")
    assert alien.steps()["action"].tolist() == [8, 0, 1]
    assert alien.segments[0].end_reason == "unknown"
    assert [p.kind for p in alien.problems] == ["action_without_outcome"]
    assert [int(f[0, 0, 0]) for f in alien.frames(0, 3)] == [0, 1, 2]
    assert alien.info.time_source == "assumed"


@pytest.mark.parametrize("blank", [None, "", float("nan")])
def test_an_action_that_is_empty_in_any_way_is_missing(tmp_path, blank):
    df = pd.DataFrame(reference_rows(["0: NOOP", "1: FIRE", "0: NOOP", "1: FIRE"]))
    df[["action", "action_raw"]] = df[["action", "action_raw"]].astype(object)
    for row in (1, 3):
        df.loc[row, ["action", "action_raw"]] = blank
    df.to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [(s.frames, s.end_reason) for s in recording.segments] == [(2, "gap"), (2, "unknown")]
    assert {p.kind: p.count for p in recording.problems} == {"missing_action": 1}


def test_rows_in_any_order_are_put_in_the_order_of_their_numbers(tmp_path):
    df = pd.DataFrame(
        reference_rows(["0: NOOP"] * 3 + [None]) + reference_rows(["1: FIRE", None], episode="episode_001")
    )
    df.sample(frac=1, random_state=1).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert sorted(s.frames for s in recording.segments) == [2, 4]
    for segment in recording.segments:
        shown = [int(f[0, 0, 0]) for f in recording.frames(segment.first_frame, segment.stop_frame)]
        assert shown == list(range(segment.frames))


def test_a_number_that_stands_twice_counts_once(tmp_path):
    rows = reference_rows(["0: NOOP", "1: FIRE", None])
    pd.DataFrame([*rows, rows[1]]).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert recording.frame_count == 3
    assert recording.ledger["frames"].lost == {"duplicate_frame": 1}
    assert recording.ledger["actions"].lost == {"without_frame": 1}
    assert recording.ledger.balances


def test_rows_that_were_taken_out_split_our_own_file(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    df = pd.read_parquet(tmp_path / "a.parquet")
    df.drop(index=3).to_parquet(tmp_path / "b.parquet")
    recording = open_any(tmp_path / "b.parquet")[0]
    assert [(s.frames, s.end_reason) for s in recording.segments[:2]] == [(3, "gap"), (7, "terminated")]
    assert recording.index(1)["t_ns"].tolist() == [k * 4 * 10**9 // 60 for k in range(4, 11)]


def test_a_frame_without_a_whole_image_is_lost_and_splits(tmp_path):
    rows = reference_rows(["0: NOOP", "1: FIRE", "0: NOOP", "1: FIRE", "0: NOOP", None])
    rows[1]["image"] = None
    rows[4]["image"] = rows[4]["image"][:40]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [int(f[0, 0, 0]) for f in recording.frames(0, recording.frame_count)] == [0, 2, 3, 5]
    assert [s.frames for s in recording.segments] == [1, 2, 1]
    assert recording.ledger["frames"].lost == {"missing_image": 1, "truncated_png": 1}
    assert recording.ledger["actions"].lost == {"without_frame": 2}
    assert recording.ledger.balances


def test_an_image_that_goes_missing_later_is_told_when_asked_for(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    table = pq.read_table(tmp_path / "a.parquet")
    images = [None if k == 1 else data for k, data in enumerate(table["image"].to_pylist())]
    at = table.schema.get_field_index("image")
    pq.write_table(table.set_column(at, "image", pa.array(images, pa.large_binary())), tmp_path / "b.parquet")
    recording = open_any(tmp_path / "b.parquet")[0]  # a file with our description is believed
    with pytest.raises(BadDataError, match=r"b\.parquet, row 1: a frame without its image"):
        recording.frame(1)


def test_images_as_hugging_face_stores_them_are_read(tmp_path):
    rows = reference_rows(["0: NOOP", "1: FIRE", None])
    for row in rows:
        row["image"] = {"bytes": row["image"], "path": "x.png"}
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    (recording,) = open_any(tmp_path / "a.parquet")
    assert [int(f[0, 0, 0]) for f in recording.frames(0, 3)] == [0, 1, 2]


def test_a_file_that_pandas_saved_again_says_that_the_description_is_lost(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    pd.read_parquet(tmp_path / "a.parquet").to_parquet(tmp_path / "b.parquet")
    first, second = open_any(tmp_path / "b.parquet")
    assert [p.kind for p in first.problems] == [p.kind for p in second.problems] == ["description_lost"]
    assert first.steps()["reward"].tolist() == play[0].steps()["reward"].tolist()


def test_shards_hold_whole_episodes(fake, tmp_path):
    class Heavy(fake.Fake):
        def pictures(self, start, stop):
            for k, stored in enumerate(super().pictures(start, stop), start):
                yield stored._replace(codec="png", data=png(k % 256) + bytes(2**19))

    convert(Heavy([3, 3, 3]), tmp_path / "a", format="simple", options=["shard_mb=1", "strict=true"])
    parts = [pd.read_parquet(p) for p in sorted((tmp_path / "a").iterdir())]
    assert [p["episode"].unique().tolist() for p in parts] == [[f"episode_{k:03d}_rand0.2"] for k in range(3)]
    assert open_any(tmp_path / "a")[0].frame_count == 6
