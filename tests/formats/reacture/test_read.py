"""Sets that ReActure exported, in every form of its history and broken in every way that is known."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from rushes.errors import BadDataError, MissingError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.store.pairing import pairs

UPRIGHT = ["bottom_up=true"]


def kinds(recording) -> dict[str, int]:
    return {problem.kind: problem.count for problem in recording.problems}


def held(recording, control: str) -> dict[int, bool]:
    """What was down on each frame, by frame_index."""
    found = {}
    for pair in pairs(recording):
        down = pair.grid.held.get(control, np.zeros(len(pair), bool)).tolist()
        found |= dict(zip(pair.index["frame_index"].tolist(), down, strict=True))
    return found


def shown(recording, game) -> list[int]:
    """Which of the game's pictures each frame is; -1 for none of them."""
    known = {game.picture(k).tobytes(): k for k in range(8)}
    return [known.get(picture.tobytes(), -1) for picture in recording.frames(0, recording.frame_count)]


@pytest.mark.parametrize("form", ["png", "arrays", "encoded", "split", "zip", "packed"])
def test_each_form_gives_the_same_frames_at_the_rows_own_times(game, tmp_path, form):
    folder = game.write(tmp_path / "set")
    if form == "arrays":
        game.write_arrays(folder)
    elif form == "encoded":
        game.write_encoded(folder)
    elif form == "split":
        (folder / "frames").mkdir()
        for k in range(8):
            np.save(folder / "frames" / f"frame_{k:06d}.npy", game.stored(k))
    else:
        game.write_arrays(folder) if form == "packed" else game.write_pngs(folder)
    path = folder
    if form in ("zip", "packed"):
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in folder.iterdir():
                archive.write(file, f"take/{file.name}")
    assert sniff_path(path) == "reacture"
    found = open_any(path, options=UPRIGHT)[0]
    assert shown(found, game) == list(range(8))
    assert found.index()["t_ns"].tolist() == [t * 1_000_000 for t in game.TIMES]
    assert (found.info.time_source, found.info.id) == ("measured", game.SID)
    assert (found.frame(5) == game.picture(5)).all()
    wanted = {"rows_without_frame": 3, "auto_repeat": 1, "never_updated": 8, "mode_as_key": 8}
    assert kinds(found) == wanted | ({"damaged_head": 2} if form in ("arrays", "packed") else {})
    assert found.ledger.balances


def test_what_the_rows_say_becomes_keys_and_telemetry(game, tmp_path):
    folder = game.write(tmp_path / "set")
    game.write_pngs(folder)
    found = open_any(folder, options=UPRIGHT)[0]
    assert [slot.name for slot in found.info.action_space.slots] == ["W", "A", "S", "D", "Space", "inspect"]
    assert [k for k, down in held(found, "KeyW").items() if down] == [2, 3]
    assert [k for k, down in held(found, "ReActure/inspect").items() if down] == [5]
    assert [k for k, down in held(found, "Space").items() if down] == [2]  # the jump at 330 ms: frame 2 is 307 to 405
    table = found.telemetry()
    with_frame = table[table["frame_index"].notna()]
    assert with_frame["frame_index"].tolist() == list(range(8))
    first = with_frame.iloc[0]
    names = ["battery", "damage", "position_x", "rotation_y", "acceleration_x", "camera_yaw", "proximity_left"]
    assert first[names].tolist() == [98.97, 0.25, 1.03, 0.5, 200, 0.5, 10]
    assert first[["nearest_victim_distance", "nearest_victim_angle", "victims_detected"]].tolist() == [4, -1, 2]
    between = table[table["frame_index"].isna()]
    assert between["event"].tolist() == [
        "game_start", "move_forward_start", "jump", "move_forward_stop", "zone_change", "game_end",
    ]  # fmt: skip
    assert (between["t_ns"] // 1_000_000).tolist() == [0, 250, 330, 450, 480, 850]
    assert between["finalStats_victimsSaved"].tolist()[-1] == 1
    assert found.segments[0].wall_ns == (game.WALL_S * 1000 + 103) * 1_000_000
    assert found.info.provenance["player"] == "Ada"


def test_pictures_of_the_game_are_bottom_up_and_a_problem_says_so(game, tmp_path):
    folder = game.write(tmp_path / "set")
    game.write_pngs(folder)
    found = open_any(folder)[0]
    assert kinds(found)["upside_down"] == 8
    assert (found.frame(3) == game.stored(3)).all()


def test_a_set_that_lost_its_metadata_is_known_as_the_games_by_its_paths(game, tmp_path):
    folder = game.write(tmp_path / "set")
    game.write_pngs(folder)
    (folder / f"{game.SID}_metadata.json").unlink()
    found = open_any(folder)[0]
    wanted = {"rows_without_frame": 3, "auto_repeat": 1, "never_updated": 8, "mode_as_key": 8, "upside_down": 8}
    assert kinds(found) == wanted | {"missing_metadata": 1}
    assert [k for k, down in held(found, "Space").items() if down] == [2]  # the jump, which rows say nowhere


def test_pictures_under_frames_are_of_none_of_two_sets_and_a_problem_says_so(game, tmp_path):
    folder = game.write(tmp_path / "set")
    for file in list(folder.iterdir()):
        (folder / file.name.replace(game.SID, "reacture_5")).write_bytes(file.read_bytes())
    (folder / "frames").mkdir()
    for k in range(8):
        np.save(folder / "frames" / f"frame_{k:06d}.npy", game.stored(k))
    assert [(kinds(r)["two_sets"], kinds(r)["missing_pictures"]) for r in open_any(folder)] == [(8, 8), (8, 8)]


def test_a_number_in_the_path_decides_and_never_the_place(game, tmp_path):
    listed = [game.frame_row(k) for k in (2, 0, 1)]
    for row, t_ms in zip(listed, (100, 200, 300), strict=True):
        row["timestamp_ms"] = t_ms
    folder = game.write(tmp_path / "set", [*listed, game.frame_row(7)])
    game.write_pngs(folder, [0, 1, 2, 4])
    found = open_any(folder, options=UPRIGHT)[0]
    assert shown(found, game) == [2, 0, 1]
    assert {k: n for k, n in kinds(found).items() if "row" in k} == {"frame_without_row": 1, "row_without_picture": 1}
    assert found.ledger["frames"].offered == 5
    assert dict(found.ledger["frames"].lost) == {"frame_without_row": 1, "row_without_picture": 1}
    assert found.telemetry()["frame_index"].isna().sum() == 1


def test_rows_without_numbers_are_joined_by_time_and_else_in_order(game, tmp_path):
    listed = [game.frame_row(k, visual_frame_path=None) for k in (0, 1, 3, 4)]
    timed = game.write(tmp_path / "timed", listed)
    game.write_arrays(timed, 5)  # frame 2 has no row
    found = open_any(timed, options=UPRIGHT)[0]
    assert shown(found, game) == [0, 1, 3, 4]
    assert (kinds(found)["paired_by_time"], kinds(found)["frame_without_row"]) == (4, 1)
    assert len(found.segments) == 2  # what happened on frame 2 is not known
    ordered = game.write(tmp_path / "ordered", listed)
    game.write_pngs(ordered, [0, 1, 3, 4])
    found = open_any(ordered, options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["paired_by_order"]) == ([0, 1, 3, 4], 4)


def test_a_row_with_the_number_of_another_or_of_no_picture_is_joined_by_time_or_not_at_all(game, tmp_path):
    listed = [game.frame_row(k) for k in range(6)]
    for k, number in ((3, 2), (4, 90)):
        listed[k]["visual_frame_path"] = f"frames/frame_{number:06d}.npy"
    timed = game.write(tmp_path / "timed", listed)
    game.write_arrays(timed, 6)
    found = open_any(timed, options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["paired_by_time"]) == ([0, 1, 2, 3, 4, 5], 2)
    game.write_pngs(game.write(tmp_path / "untimed", listed), range(6))
    found = open_any(tmp_path / "untimed", options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["row_without_picture"]) == ([0, 1, 2, 5], 2)


def test_a_set_without_pictures_has_its_times_keys_and_telemetry(game, tmp_path):
    folder = game.write(tmp_path / "set")
    (folder / "frames").mkdir()
    for k in range(3):  # what the game's repository has under this name
        np.save(folder / "frames" / f"frame_{k:06d}.npy", np.zeros((204, 8)))
    found = open_any(folder)[0]
    problem = next(p for p in found.problems if p.kind == "not_pictures")
    assert (problem.count, "float64 (204, 8)" in problem.sentence) == (3, True)
    assert (found.frame_count, kinds(found)["missing_pictures"]) == (8, 8)
    assert [k for k, down in held(found, "KeyW").items() if down] == [2, 3]
    with pytest.raises(MissingError, match="labels without pictures"):
        found.frame(0)


def test_a_pause_and_a_lost_row_end_a_segment(game, tmp_path):
    early, late = [game.frame_row(k) for k in (0, 1, 2)], [game.frame_row(k) for k in (3, 5, 6)]
    for row in late:
        row["timestamp_ms"] += 5000
    folder = game.write(tmp_path / "set", [*early, game.action(400, "game_paused"), *late])
    game.write_pngs(folder, range(7))
    found = open_any(folder, options=UPRIGHT)[0]
    assert [(s.frames, s.end_reason) for s in found.segments] == [(3, "pause"), (1, "gap"), (2, "end")]
    assert [s.start_ns // 1_000_000 for s in found.segments] == [103, 5405, 5611]
    assert found.segments[0].end_ns == (307 + 103) * 1_000_000  # the median of 101, 103, 5098, 206, 98 behind the last


@pytest.mark.parametrize("times", [[0, 100, 200, 300], [None] * 4])
def test_times_that_were_made_up_are_nominal(game, tmp_path, times):
    listed = [game.frame_row(k) for k in range(4)]
    for row, t_ms in zip(listed, times, strict=True):
        row |= {"timestamp_ms": t_ms, "time_elapsed_s": None, "timestamp": None}
    folder = game.write(tmp_path / "set", listed)
    game.write_pngs(folder, range(4))
    found = open_any(folder, options=UPRIGHT)[0]
    assert (found.info.time_source, kinds(found)["regenerated_times"]) == ("nominal", 4)
    assert found.index()["t_ns"].tolist() == [k * 100_000_000 for k in range(4)]


def test_lines_and_values_that_are_broken_cost_themselves_alone(game, tmp_path):
    lines = [json.dumps(row) for row in game.rows()]
    lines[2] = lines[2].replace('"health": 75', '"health": NaN').replace('"damage": 0.25', '"damage": 1e999')
    lines.insert(6, "[1, 2")
    lines.insert(6, "[" * 100_000)
    lines.insert(6, '{"a": ' + "9" * 5000 + "}")
    lines[-1] = lines[-1][:40]
    folder = game.write(tmp_path / "set", text="\n".join(lines))
    game.write_pngs(folder)
    found = open_any(folder, options=UPRIGHT)[0]
    assert shown(found, game) == list(range(8))
    assert (kinds(found)["damaged_line"], kinds(found)["cut_line"], kinds(found)["bad_value"]) == (3, 1, 1)
    assert found.telemetry()["health"].isna().sum() == 1 + 3  # the actions tell no health
    lost = dict(found.ledger["telemetry"].lost)
    assert lost == {"damaged_line": 3, "cut_line": 1, "auto_repeat": 1}


def test_pictures_that_are_cut_or_lie_about_their_number_are_left_out(game, tmp_path):
    folder = game.write(tmp_path / "png")
    game.write_pngs(folder)
    middle = folder / f"{game.SID}_frame_000003.png"
    middle.write_bytes(middle.read_bytes()[:-20])
    found = open_any(folder, options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["truncated_png"]) == ([0, 1, 2, 4, 5, 6, 7], 1)
    huge = game.write(tmp_path / "huge")
    game.write_arrays(huge, 3)
    array = huge / f"{game.SID}_frames.npy"
    array.write_bytes(array.read_bytes().replace(b"(3, 8, 8, 3), }             ", b"(1000000000000, 8, 8, 3), } "))
    found = open_any(huge, options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["cut_array"]) == ([0, 1, 2], 1)
    cut = game.write(tmp_path / "cut")
    game.write_encoded(cut)
    text = cut / f"{game.SID}_frames.json"
    text.write_bytes(text.read_bytes()[:-150])
    found = open_any(cut, options=UPRIGHT)[0]
    assert (shown(found, game), kinds(found)["cut_frames_json"]) == (list(range(7)), 1)


def test_names_and_archives_that_mean_harm_lead_nowhere(game, tmp_path):
    folder = game.write(tmp_path / "set", player_name="../../etc\u0000<script>", session_id="../..", environment=["x"])
    game.write_pngs(folder)
    found = open_any(folder, options=UPRIGHT)
    assert "environment" not in found[0].info.provenance
    report = convert(found, tmp_path / "out" / "again", format="reacture")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "again", "again.card.json", "again.card.md",
    ]  # fmt: skip
    assert report.written["frames"] == 8
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"../{game.SID}_data.jsonl", b" " * (4 << 20) + b"\n" + json.dumps(game.frame_row(0)).encode())
        archive.writestr(f"../{game.SID}_frame_000000.png", b"\0" * (8 << 20))
    found = open_any(bomb)[0]
    assert kinds(found) | {"never_updated": 0} == {
        "damaged_line": 1, "missing_metadata": 1, "truncated_png": 1, "missing_pictures": 1, "never_updated": 0,
    }  # fmt: skip
    assert not (tmp_path.parent / f"{game.SID}_data.jsonl").exists()
    (tmp_path / f"{game.SID}.zip").write_bytes(bomb.read_bytes()[:2000])
    with pytest.raises(BadDataError, match="cut or damaged"):
        open_any(tmp_path / f"{game.SID}.zip")


@pytest.mark.parametrize("line", [b"", b"{}"])
def test_a_file_that_becomes_more_lines_than_memory_is_meant_for_is_refused(game, tmp_path, monkeypatch, line):
    monkeypatch.setattr("rushes.formats.reacture.lines.MOST_LINES", 1000)
    row = json.dumps(game.frame_row(0)).encode() + b"\n"
    for count in (999, 1000):
        with zipfile.ZipFile(tmp_path / f"{count}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{game.SID}_data.jsonl", row + (line + b"\n") * count)
    assert open_any(tmp_path / "999.zip")[0].frame_count == 1
    with pytest.raises(BadDataError, match=r"_data\.jsonl of more than 1,000 lines"):
        open_any(tmp_path / "1000.zip")


def test_sets_beside_each_other_are_recordings_and_one_that_cannot_be_read_says_why(game, tmp_path):
    for name in ("one", "two"):
        game.write_pngs(game.write(tmp_path / name))
    game.write(tmp_path / "three", [game.state(0, "game_start")])
    found = open_any(tmp_path, options=UPRIGHT)
    assert [(r.info.id, r.frame_count) for r in found] == [
        (game.SID, 8), (f"{game.SID}-2", 0), (f"{game.SID}-3", 8),
    ]  # fmt: skip
    assert kinds(found[1]) == {"unreadable_set": 1}
    assert found.ledger.balances
    with pytest.raises(BadDataError, match="without a row of a frame"):
        open_any(tmp_path / "three")


def test_an_old_set_becomes_a_session_and_a_set_again_with_nothing_lost(game, tmp_path):
    folder = game.write(tmp_path / "set")
    game.write_pngs(folder)
    old = open_any(folder, options=UPRIGHT)
    convert(old, tmp_path / "session", format="session")
    report = convert(open_any(tmp_path / "session"), tmp_path / "new", format="reacture", options=["size=0"])
    new = open_any(tmp_path / "new")[0]
    assert (report.ledger.balances, kinds(new)) == (True, {})
    assert shown(new, game) == list(range(8))
    assert new.index()["t_ns"].tolist() == [t * 1_000_000 for t in game.TIMES]
    assert [k for k, down in held(new, "KeyW").items() if down] == [2, 3]
