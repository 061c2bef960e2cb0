"""`rushes info` on sets of ReActure: what the script of its guide said, and no more than is known."""

import contextlib
import importlib.util
import io
import json
from pathlib import Path

import pytest

from rushes.cli.main import main

EXPORTED = Path(__file__).parents[1] / "formats" / "reacture" / "exported.py"
spec = importlib.util.spec_from_file_location("cli_reacture_exported", EXPORTED)
game = importlib.util.module_from_spec(spec)
spec.loader.exec_module(game)


@pytest.fixture
def info():
    def said(*arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main(["info", *map(str, arguments)])
        return out.getvalue()

    return said


def test_a_metadata_file_gives_the_summary_of_the_guides_script(info, tmp_path):
    folder = game.write(tmp_path / "set", player_name="A\x1b[2Jda")
    game.write_arrays(folder)
    said = info(folder / f"{game.SID}_metadata.json")
    for line in (
        "    A[2Jda in Tsunami, ended by end\n",
        "    victims_total 3, victims_saved 1, completion_status failed\n",
        "    0.8 s at 10 Hz (9.90 Hz measured); its metadata says 1.0 s\n",
        "    8 samples, pictures (8, 8, 8, 3) uint8, 6 rows that are no frame's\n",
        "    position (1.03, 1.00, -2.50) to (8.12, 1.00, -2.50), mean (4.58, 1.00, -2.50), ",
        "    down: W 25.0 %, A 0.0 %, S 0.0 %, D 0.0 %, inspect 12.5 %, destroy 0.0 %\n",
        "    battery 91.9 to 99.0, mean 95.4, deviation 2.3\n",
        "    damage 0.250 to 0.250, mean 0.250, deviation 0.000\n",
        "    sample 2: 0.307 s, position (3.07, 1.00, -2.50), battery 96.9 %, damage 0.250, W=1 A=0 S=0 D=0\n",
        "damaged_head (2)",
    ):
        assert line in said
    assert "sample 3" not in said
    assert json.loads(info(folder, "--json"))["frames"] == 8


def test_counts_of_victims_are_whole_numbers_though_rows_between_frames_do_not_tell_them(info, tmp_path):
    rows = [game.frame_row(k, telemetry={"victims_saved": k, "score": 10.125}) for k in range(3)]
    folder = game.write(tmp_path / "set", [*rows, game.state(350, "zone_change")], game_result=None)
    said = info(folder)
    assert "    victims_saved 2, score 10.125\n" in said


def test_what_a_set_does_not_say_is_not_said(info, tmp_path):
    rows = [{"timestamp_ms": t, "event": "periodic_update_10hz", "key_presses": {"W": True}} for t in (3, 105)]
    (tmp_path / "reacture_7_data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = info(tmp_path)
    assert "a player without a name in an environment that nobody named" in said
    assert "how the game ended is not known" in said
    assert "    2 samples, no pictures, 0 rows" in said
    assert "    sample 1: 0.105 s, W=1 A=0 S=0 D=0\n" in said
    assert "position" not in said
    assert "    battery" not in said
