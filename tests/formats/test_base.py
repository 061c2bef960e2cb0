import doctest
import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError, MissingError
from rushes.formats.base import FORMATS, convert, get_format, open_any, sniff_path
from rushes.formats.kept_table import format_table_markdown
from rushes.formats.options import parse_options
from rushes.model.actions import ActionSpace
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "lib"


@dataclass(frozen=True)
class Cups:
    strict: bool = False
    shard_mb: int = 0
    share: float = 0.5
    word: str = ""


def test_options_are_read_by_their_types():
    given = ["strict=yes", "shard_mb=64", "share=1", "word=a=b"]
    assert parse_options(Cups, given) == Cups(strict=True, shard_mb=64, share=1.0, word="a=b")
    assert parse_options(Cups, {"share": 1, "strict": True}) == Cups(strict=True, share=1.0)
    assert parse_options(Cups) == parse_options(Cups, Cups()) == Cups()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["strcit=true"], "did you mean 'strict'?"),
        (["strict=maybe"], "true or false"),
        (["shard_mb=1.5"], "a whole number"),
        (["share=x"], "a number"),
        (["strict"], "key=value"),
        (["strict=true", "strict=false"], "twice"),
        ({"strict": 1}, "true or false"),
        ({"shard_mb": True}, "a whole number"),
        ("strict=true", 'a list of "key=value"'),
    ],
)
def test_an_option_that_is_not_understood_is_refused(given, says):
    with pytest.raises(BadInputError, match=says):
        parse_options(Cups, given)


def test_a_format_goes_by_its_name_or_its_alias():
    assert get_format("simple").name == get_format("atari_simple").name == "atari_simple"
    with pytest.raises(BadNameError, match="did you mean 'atari_interleaved'"):
        get_format("atari_interleafed")


def test_a_path_of_no_format_is_told_what_was_looked_for(tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("hello")
    for path in (note, tmp_path):
        with pytest.raises(BadDataError, match=r"which no format knows.*session\.json.*inputs and images.*rushes info"):
            sniff_path(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadDataError, match="an empty folder"):
        sniff_path(tmp_path / "empty")
    for absent in (tmp_path / "absent", "x" * 5000):
        for said in (None, "session"):
            with pytest.raises(MissingError, match="nothing is there"):
                open_any(absent, format=said)


def test_a_path_of_another_format_than_was_said_is_refused(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    with pytest.raises(BadDataError, match="which is not atari_interleaved"):
        open_any(tmp_path / "a.parquet", format="interleaved")
    assert len(open_any(tmp_path / "a.parquet", format="simple")) == 2


def test_a_cut_parquet_file_is_named_with_what_to_do(play, tmp_path):
    target = tmp_path / "a.parquet"
    convert(play, target, format="simple")
    target.write_bytes(target.read_bytes()[:-50])
    with pytest.raises(BadDataError, match=r"a\.parquet: a Parquet file that is cut or damaged.*again"):
        sniff_path(target)
    (tmp_path / "b.parquet").write_bytes(b"")
    with pytest.raises(BadDataError, match="cut or damaged"):
        open_any(tmp_path / "b.parquet")


def test_a_conversion_reports_what_programs_read(play, tmp_path):
    report = convert(play, tmp_path / "a", format="folders")
    value = report.to_json()
    assert json.loads(json.dumps(value)) == value
    assert list(value) == ["target", "format", "written", "ledger", "kept", "lost"]
    assert value["written"] == {"episodes": 3, "frames": 20, "samples": 0}
    assert value["ledger"]["frames"] == {"offered": 20, "kept": 20, "lost": {}, "marked": {}}
    assert value["kept"] == ["frames (exact)", "times", "rewards", "names"]
    assert value["lost"] == []
    # the source has no sound and no raw events, told nothing, and nobody played
    assert report.absent == ("human steps", "audio", "events", "telemetry")


def test_a_conversion_takes_a_path_or_one_recording_or_many(play, tmp_path):
    convert(play, tmp_path / "a.parquet", format="simple")
    convert(str(tmp_path / "a.parquet"), str(tmp_path / "b"), format="folders")
    assert len(list((tmp_path / "b" / "atari_alien" / "episode_000_rand0.2").glob("*.png"))) == 11
    assert convert(play[1], tmp_path / "c.parquet", format="simple").written["frames"] == 4


def test_progress_is_told_and_ends_at_the_total(play, tmp_path):
    for name in (n for n in FORMATS if get_format(n).takes in {"steps", "any"}):
        calls = []
        convert(play, tmp_path / name, format=name, progress=lambda *call, calls=calls: calls.append(call))
        assert calls[-1][:2] == (20, 20)
        assert [c[0] for c in calls] == sorted(c[0] for c in calls)


def test_a_source_without_episodes_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="without any episode"):
        convert(Sessions([], format="x"), tmp_path / "a", format="folders")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [n for n in FORMATS if n.startswith("atari")])
@pytest.mark.parametrize("kind", ["recorded", "box"])
def test_play_without_discrete_steps_has_no_place_in_the_atari_formats(fake, tmp_path, name, kind):
    recording = fake.Fake([3])
    info = recording.info
    streams = (StreamSpec("screen", "frames"),) if kind == "recorded" else info.streams
    space = info.action_space if kind == "recorded" else ActionSpace.box([0.0], [1.0])
    recording.info = SessionInfo(info.id, info.game, info.source, info.time_source, streams, space)
    with pytest.raises(BadInputError, match="`session` takes everything"):
        convert(recording, tmp_path / "a", format=name)
    assert list(tmp_path.iterdir()) == []


def test_the_table_says_what_each_format_keeps():
    text = format_table_markdown()
    assert all(f"`{name}`" in text for name in FORMATS)
    assert "yes (strict: no)" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1


@pytest.mark.parametrize("name", sorted(p.stem for p in (LIB / "rushes" / "formats").glob("*.py")))
def test_the_example_of_each_manual_runs(name):
    module = importlib.import_module(f"rushes.formats.{name}" if name != "__init__" else "rushes.formats")
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted or name == "__init__"


def grown_mb(frames: int, episode: int, name: str, folder: Path) -> tuple[int, int]:
    run = subprocess.run(
        [sys.executable, str(HERE / "grow.py"), str(frames), str(episode), name, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(LIB)},
    )
    assert run.returncode == 0, run.stderr
    written, read = run.stdout.split()
    return int(written), int(read)


@pytest.mark.parametrize("name", ["atari_interleaved", "atari_simple"])
def test_memory_stays_small_in_writing_and_reading(tmp_path, name):
    """3,000 frames are 47 MB of RGB files and 300 MB of pixels."""
    assert max(grown_mb(3000, 250, name, tmp_path)) < 200


def test_one_long_episode_takes_a_few_times_its_pictures(tmp_path):
    """8,000 frames are 125 MB of RGB files, as `grow.py` makes them: one row, one page of Parquet."""
    grown = max(grown_mb(8000, 8000, "atari_interleaved", tmp_path))
    column = pq.ParquetFile(tmp_path / "atari_interleaved").metadata.row_group(0).column(4)
    assert column.path_in_schema == "images.list.element"
    png_mb = column.total_uncompressed_size / 2**20
    assert 100 < png_mb < 150
    assert grown < 30 + 4 * png_mb


@pytest.mark.full
@pytest.mark.parametrize("name", ["atari_interleaved", "atari_simple"])
def test_200_000_frames_grow_memory_by_less_than_400_mb(tmp_path, name):
    assert max(grown_mb(200_000, 1000, name, tmp_path)) < 400


@pytest.mark.full
def test_40_000_frames_in_files_of_their_own_grow_memory_by_less_than_200_mb(tmp_path):
    assert max(grown_mb(40_000, 1000, "atari_folders", tmp_path)) < 200
