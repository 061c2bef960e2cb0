"""Sessions as sets of ReActure: what stands in the files, and what comes back."""

from __future__ import annotations

import hashlib
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.errors import BadInputError
from rushes.formats.base import convert, open_any
from rushes.formats.reacture.download import as_zip
from rushes.model.actions import ActionSpace
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Start, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

MS = 1_000_000
ORIGIN = 5_000 * MS
"""Session time of the first frame."""
STEPS = [0, 104, 198, 301, 402, 503]
"""ms of the frames of each segment; the second begins 2.0 s after the first."""
WALL = 1_731_177_600_000
SID = f"reacture_{WALL}"
SIZE = 16


def picture(k: int) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), (k, 255 - k, 7 * k), np.uint8)


def telemetry(k: int) -> dict:
    told = {"event": "periodic_update_10hz", "battery": 90.5 - k, "position_x": k / 8, "is_jumping": k == 3}
    return told | {"zone": "safe", "victims_saved": k // 4, "own_field": f"f{k}", "inspect": k == 4, "destroy": False}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Two segments of six frames: W from 1 to 3, motion in rows 1 and 2, a left button that stays down, a zone."""
    path = tmp_path_factory.mktemp("played") / "session"
    info = SessionInfo(
        id="play-1",
        game="Rescue",
        source={"kind": "browser", "name": "demo"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", "png", width=SIZE, height=SIZE, rate_hz=10.0),
            StreamSpec("events", "events", unit="px"),
            StreamSpec("telemetry", "telemetry"),
        ),
        action_space=ActionSpace.from_layout("capture28"),
        provenance={"player": "Ada", "environment": "tsunami", "seed": 3},
    )
    with SessionWriter(path, info) as writer:
        for part in range(2):
            start = ORIGIN + part * 2000 * MS
            writer.write(Start(start, {"round_trip_ms": 1.5}, wall_ns=WALL * MS + start - ORIGIN))
            writer.write(Frame(start, picture(6 * part), tick=30 * part))
            writer.write(Telemetry(start, telemetry(6 * part), OF_FRAME_BEFORE))
            for k in range(1, 6):
                t = start + STEPS[k] * MS
                writer.write(Frame(t, picture(6 * part + k), tick=30 * part + k))
                writer.write(Telemetry(t, telemetry(6 * part + k), OF_FRAME_BEFORE))
                if k == 1:
                    writer.write(Event(t + 5 * MS, "keyboard", "KeyW", "press"))
                    writer.write(Event(t + 6 * MS, "mouse", "Mouse", "move", dx=3, dy=-2))
                if k == 2:
                    writer.write(Event(t + MS, "mouse", "Mouse", "move", dx=4, dy=0.5))
                    writer.write(Telemetry(t + 2 * MS, {"event": "zone_change", "zone": "red"}))
                if k == 3:
                    writer.write(Event(t + MS, "keyboard", "KeyW", "release"))
                    writer.write(Event(t + 2 * MS, "mouse", "MouseLeft", "press"))
            writer.write(Gap(start + 600 * MS, "pause" if part == 0 else "died"))
    return open_session(path)


def _lines_of(folder):
    return [json.loads(line) for line in next(folder.glob("*_data.jsonl")).read_text().splitlines()]


def lines(folder, ending="_data.jsonl"):
    return [json.loads(line) for line in (folder / f"{SID}{ending}").read_text().splitlines()]


def test_row_i_is_frame_i_in_every_file_and_one_name_stands_everywhere(played, tmp_path):
    report = convert(played, tmp_path / "set", format="reacture", options=["size=0"])
    folder = tmp_path / "set"
    rows, frames = lines(folder), np.load(folder / f"{SID}_frames.npy")
    times = np.load(folder / f"{SID}_timestamps.npy")
    ms = [*STEPS, *(2000 + s for s in STEPS)]
    assert (frames.shape, frames.dtype, times.dtype) == ((12, SIZE, SIZE, 3), np.uint8, np.float32)
    assert times.tolist() == ms
    for k, row in enumerate(rows):
        data = (folder / row["visual_frame_path"]).read_bytes()
        assert row["visual_frame_path"] == f"{SID}_frame_{k:06d}.png"
        assert (frames[k] == picture(k)).all()
        assert (np.asarray(Image.open(folder / row["visual_frame_path"])) == picture(k)).all()
        assert row["rushes"]["sha256"] == hashlib.sha256(data).hexdigest()
        assert (row["timestamp_ms"], row["frame_index"], row["battery"]) == (ms[k], k, 90.5 - k)
        assert row["rushes"]["t_ns"] == ORIGIN + ms[k] * MS
    assert rows[3]["robot"] == {"position": {"x": 3 / 8}, "isJumping": True}
    assert (rows[3]["telemetry"], "accelerometer" in rows[3]) == ({"victims_saved": 0, "own_field": "f3"}, False)
    assert rows[7]["timestamp"] == "2024-11-09T18:40:02.104Z"  # 1 731 177 600 s is 18:40:00 on that day
    said = json.loads((folder / f"{SID}_metadata.json").read_text())
    assert (said["session_id"], said["player_name"], said["environment"]) == (SID, "Ada", "tsunami")
    assert said["data_stats"]["total_samples"] == said["data_stats"]["total_frames"] == 12
    assert said["game_result"] == {
        "victims_total": None, "victims_saved": 2, "victims_died": None, "final_score": None, "final_health": None,
        "final_fuel": None, "completion_status": "failed",
    }  # fmt: skip
    for name, about in said["rushes"]["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == about["sha256"], name
    named = (folder / f"{SID}_README.md").read_text().split("`")
    assert {p.name for p in folder.iterdir() if not p.name.endswith((".png", "README.md"))} <= set(named)
    assert report.ledger.balances
    assert not report.lost


def test_keys_of_a_row_are_what_was_down_until_the_next_and_sums_are_those_of_the_events(played, tmp_path):
    convert(played, tmp_path / "set", format="reacture", options=["size=0", "frames=npy"])
    rows = [row["key_presses"] for row in lines(tmp_path / "set")]
    assert [k for k, row in enumerate(rows) if row["W"]] == [1, 2, 3, 7, 8, 9]
    assert [(row["mouse_dx"], row["mouse_dy"]) for row in rows[:4]] == [(0, 0), (3, -2), (4, 0.5), (0, 0)]
    assert [sum(row[way] for row in rows) for way in ("mouse_dx", "mouse_dy")] == [14, -3]
    assert [k for k, row in enumerate(rows) if row["inspect"]] == [4]  # as the game said it
    others = lines(tmp_path / "set", "_events.jsonl")
    assert [row.get("action") or row["event"] for row in others[:6]] == [
        "move_forward_start", "Mouse_move", "Mouse_move", "zone_change", "move_forward_stop", "MouseLeft_press",
    ]  # fmt: skip
    assert not list((tmp_path / "set").glob("*.png"))


@pytest.mark.parametrize("form", ["both", "png", "npy", "zip"])
def test_a_set_read_back_is_the_session(played, tmp_path, form):
    target = tmp_path / ("set.zip" if form == "zip" else "set")
    convert(played, target, format="reacture", options=["size=0", f"frames={'both' if form == 'zip' else form}"])
    found = open_any(target)[0]
    assert (found.problems, found.info, found.segments) == ((), played.info, played.segments)
    for ours, theirs in zip(found.frames(0, 12), played.frames(0, 12), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    columns = ["frame_index", "tick", "t_ns", "segment", "duplicate", "late", "dropped_before"]
    pd.testing.assert_frame_equal(found.index()[columns], played.index()[columns], check_dtype=False)
    wanted = played.telemetry()
    told = found.telemetry()[list(wanted.columns)]
    assert told.astype(object).where(told.notna(), None).to_numpy().tolist() == (
        wanted.astype(object).where(wanted.notna(), None).to_numpy().tolist()
    )
    for segment in (0, 1):
        pd.testing.assert_frame_equal(found.events(segment), played.events(segment), check_dtype=False)
    with pytest.raises(BadInputError, match="upright"):
        open_any(target, options=["bottom_up=true"])


def test_one_zip_has_the_same_bytes_whenever_it_is_written(played, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        convert(played, tmp_path / name / "set.zip", format="reacture", options=["size=0"])
        assert sorted(p.name for p in (tmp_path / name).iterdir()) == [
            "set.zip", "set.zip.card.json", "set.zip.card.md",
        ]  # fmt: skip
    assert (tmp_path / "one" / "set.zip").read_bytes() == (tmp_path / "two" / "set.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "set.zip") as archive:
        assert archive.testzip() is None
        stored = {i.filename: i.compress_type == zipfile.ZIP_STORED for i in archive.infolist()}
    assert {name for name, plain in stored.items() if plain} == {
        f"{SID}_frames.npy", f"{SID}_timestamps.npy", *(f"{SID}_frame_{k:06d}.png" for k in range(12)),
    }  # fmt: skip


def test_strict_stands_on_the_grid_repeats_are_flagged_and_a_pause_leaves_a_gap(played, tmp_path):
    report = convert(played, tmp_path / "set", format="reacture", options=["strict=true", "size=0"])
    rows = lines(tmp_path / "set")
    # frames at 0 104 198 301 402 503 until 600: at 100 still the first, at 200 the third, at 300 too
    shows = [0, 0, 2, 2, 3, 4]
    grid = [0, 100, 200, 300, 400, 500]
    assert [row["timestamp_ms"] for row in rows] == [*grid, *(2000 + g for g in grid)]
    assert np.load(tmp_path / "set" / f"{SID}_timestamps.npy").tolist() == [*grid, *(2000 + g for g in grid)]
    frames = np.load(tmp_path / "set" / f"{SID}_frames.npy")
    assert frames[:, 0, 0, 0].tolist() == [*shows, *(6 + k for k in shows)]
    assert json.loads((tmp_path / "set" / f"{SID}_repeats.json").read_text())["rows"] == [1, 3, 7, 9]
    # W is down from 109 to 302, motion at 110 and 199 ms
    assert [k for k, row in enumerate(rows) if row["key_presses"]["W"]] == [1, 2, 3, 7, 8, 9]
    assert [row["key_presses"]["mouse_dx"] for row in rows[:4]] == [0, 7, 0, 0]
    assert [row["battery"] for row in rows[:4]] == [90.5, 90.5, 88.5, 88.5]
    assert {"frame_index", "rushes", "telemetry"} & set().union(*rows) == set()
    assert dict(report.ledger["frames"].lost) == {"not_on_grid": 4}
    assert dict(report.ledger["frames"].marked) == {"repeated": 4}
    assert dict(report.ledger["events"].lost) == {"no_place_MouseLeft": 2}
    assert report.ledger.balances
    found = open_any(tmp_path / "set")[0]
    assert [s.frames for s in found.segments] == [6, 6]
    assert found.index()["duplicate"].tolist() == [False, True, False, True, False, False] * 2
    assert (found.info.time_source, [p.kind for p in found.problems]) == ("nominal", ["regenerated_times"])


def test_what_does_not_reach_the_grid_is_counted_once(hands, tmp_path):
    def typed(start):
        return [hands.key(start + 5 * MS, key, "press") for key in ("KeyW", "KeyM")]

    # frames at 0; at 1040, 1080 and 1120, until 1160; at 2160, until 2200: the grid has 0 and 1100
    play = hands.Hands([1, 3, 1], events=[typed, typed, typed])
    report = convert(play, tmp_path / "set", format="reacture", options=["strict=true", "size=0"])
    rows = _lines_of(tmp_path / "set")
    assert [(row["timestamp_ms"], row["key_presses"]["W"]) for row in rows] == [(0, True), (1100, True)]
    assert dict(report.ledger["events"].lost) == {"no_place_KeyM": 3, "before_first_row": 1, "shorter_than_grid": 1}
    assert (report.ledger["events"].kept, report.ledger.balances) == (1, True)
    assert dict(report.ledger["frames"].lost) == {"not_on_grid": 3}
    assert dict(report.ledger["episodes"].lost) == {"shorter_than_grid": 1}


def test_what_a_session_does_not_know_is_not_in_its_rows(hands, tmp_path):
    convert(hands.Hands([5]), tmp_path / "set", format="reacture")
    name = next((tmp_path / "set").glob("*_data.jsonl"))
    row = json.loads(name.read_text().splitlines()[1])
    assert set(row) == {
        "timestamp", "timestamp_ms", "time_elapsed_s", "type", "event", "key_presses", "visual_frame_path",
        "frame_index", "rushes",
    }  # fmt: skip
    assert set(row["key_presses"]) == {"W", "A", "S", "D", "Space", "E", "R", "mouse_dx", "mouse_dy"}
    said = json.loads(next((tmp_path / "set").glob("*_metadata.json")).read_text())
    assert (said["player_name"], said["robot_model"], said["game_result"]["final_score"]) == (None, None, None)
    assert (said["start_time"], name.name) == ("2001-09-09T01:46:40.000Z", "reacture_1000000000000_data.jsonl")
    found = open_any(tmp_path / "set")[0]
    assert (len(found.telemetry()), found.frame(2).shape) == (0, (128, 128, 3))


def test_a_set_that_lost_files_is_read_as_far_as_it_goes(played, tmp_path):
    folder = tmp_path / "set"
    convert(played, folder, format="reacture", options=["size=0", "frames=png"])
    (folder / f"{SID}_frame_000002.png").unlink()
    (folder / f"{SID}_events.jsonl").unlink()
    found = open_any(folder)[0]
    assert {p.kind: p.count for p in found.problems} == {
        "counts_differ": 1, "row_without_picture": 1, "missing_events": 11,
    }  # fmt: skip
    assert [(s.frames, s.end_reason) for s in found.segments] == [(2, "gap"), (3, "pause"), (6, "died")]
    assert found.segments[0].end_ns == ORIGIN + 198 * MS
    rows = found.events(2)  # of the rows: W on rows 1 to 3, motion in the middle of its row
    assert rows[rows["control"] == "KeyW"]["t_ns"].tolist() == [ORIGIN + (2000 + t) * MS for t in (104, 402)]
    assert rows["dx"].sum() == 7
    said = folder / f"{SID}_metadata.json"
    said.write_text(said.read_text().replace('"rushes/reacture/1"', '"rushes/reacture/2"'))
    found = open_any(folder)[0]
    assert found.info.time_source == "measured"
    assert found.index()["t_ns"].tolist()[:3] == [0, 104 * MS, 301 * MS]
    assert "damaged_description" in [p.kind for p in found.problems]


@pytest.mark.parametrize("wrong", ["frames=jpg", "size=-1", "size=100000"])
def test_options_that_mean_nothing_are_refused_before_anything_is_written(played, tmp_path, wrong):
    with pytest.raises(BadInputError, match=wrong.partition("=")[0]):
        convert(played, tmp_path / "set", format="reacture", options=[wrong])
    assert list(tmp_path.iterdir()) == []


def test_the_zip_of_the_download_button_holds_its_card_and_says_that_pictures_were_made_another_size(played, tmp_path):
    made = as_zip(played.path, tmp_path)
    assert made == tmp_path / "session.zip"
    assert open_any(made)[0].frame_count == 12
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        card = json.loads(archive.read("session.zip.card.json"))
        assert "session.zip" in archive.read("session.zip.card.md").decode().splitlines()[0]
        names = set(archive.namelist())
    assert f"{SID}_data.jsonl" in names
    assert "frames (lossy)" in card["kept"]
    assert card["ledger"]["frames"]["marked"] == {"averaged_to_128x128": 12}, "16x16 before"
    whole = convert(played, tmp_path / "whole", format="reacture", options=["size=0"])
    assert whole.ledger["frames"].marked == {}
    assert "frames (exact)" in whole.kept
