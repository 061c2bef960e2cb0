"""`rushes preview FILE`: the first entries of a table of samples and of JumpNet files."""

import json

import numpy as np
import pytest

from rushes.cli.preview import preview
from rushes.errors import BadInputError, OccupiedError
from rushes.notebook.negatives.play import make_play
from rushes.prepare.press_release import press_release
from rushes.store.reader import open_session
from rushes.store.samples import write_samples


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """A planted session and the table of its presses."""
    folder = tmp_path_factory.mktemp("play")
    (course,) = make_play(folder / "play1", 1, seconds=(4.0,), size=(64, 112))
    samples, _ = press_release(open_session(folder / "play1"), "space, a, d")
    write_samples(samples, folder / "pairs.parquet")
    return folder, sorted(course, key=lambda act: (["Space", "KeyA", "KeyD"].index(act.control), act.down_s))


def jumpnet(path):
    data = np.empty((3, 6), object)
    for k, (label, hold, frame) in enumerate(((1.0, 0.294, 7720), (0.0, 0.0, 31), (1.0, np.nan, 9000))):
        image = np.full((227, 227, 3), 0.25 * (k + 1), np.float32)
        data[k] = [image, label, np.array([label], np.float32), np.array([hold], np.float32), "press", frame]
    np.savez(path, data=data, keys=np.array(["w"]))
    return path


def test_it_prints_and_shows_the_first_samples(play, tmp_path, capsys):
    folder, course = play
    preview(folder / "pairs.parquet", out=tmp_path, entries=2)
    said = capsys.readouterr().out
    assert f"samples, {len(course)} entries" in said
    assert said.count("Entry #") == 2
    assert f"frame_index     : {int(course[0].down_s * 30)}" in said
    assert "image.shape     : (64, 112, 3)" in said
    assert [p.name for p in tmp_path.iterdir()] == ["pairs_entries.png"]


def test_five_are_shown_where_nothing_else_is_said_and_programs_get_one_object(play, tmp_path, capsys):
    folder, course = play
    preview(folder / "pairs.parquet", out=tmp_path / "new", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["total"]) == ("samples", len(course))
    assert told["kinds"] == {"positive": len(course)}
    assert len(told["entries"]) == min(5, len(course))
    first = told["entries"][0]
    assert first["hold_duration"][told["keys"].index(course[0].control)] == pytest.approx(
        course[0].up_s - course[0].down_s, abs=1e-6
    )
    assert told["picture"] == str(tmp_path / "new" / "pairs_entries.png")


def test_a_jumpnet_file_keeps_the_frame_numbers_that_it_has(tmp_path, capsys):
    preview(jumpnet(tmp_path / "final.npz"), entries=3)
    said = capsys.readouterr().out
    assert "jumpnet, 3 entries" in said
    assert [line.split(": ")[1] for line in said.splitlines() if "frame_index" in line] == ["7720", "31", "9000"]
    assert "hold_duration   : [0.294]" in said
    assert "hold_duration   : [nan]" in said
    assert said.count("(227, 227, 3)") == 3
    assert (tmp_path / "final_entries.png").is_file()


def test_a_session_shows_its_presses_where_entries_are_asked_for(play, tmp_path, capsys):
    folder, course = play
    preview(folder / "play1", out=tmp_path, entries=1)
    said = capsys.readouterr().out
    assert "label           : none" in said
    first = min(course, key=lambda act: act.down_s)
    assert f"control         : {first.control}" in said


def test_what_is_in_the_way_or_means_nothing_is_refused(play, tmp_path):
    folder, _ = play
    (tmp_path / "pairs_entries.png").write_text("mine")
    with pytest.raises(OccupiedError):
        preview(folder / "pairs.parquet", out=tmp_path)
    assert (tmp_path / "pairs_entries.png").read_text() == "mine"
    with pytest.raises(BadInputError, match="entries=0"):
        preview(folder / "pairs.parquet", out=tmp_path / "o", entries=0)
    assert not (tmp_path / "o").exists()
