"""The table of samples as a format: rows, and the recordings that hold their pixels where those are there."""

import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import convert, open_any
from rushes.formats.samples import open_sources
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples, Source
from rushes.prepare.press_release import press_release


@pytest.fixture
def labelled(hand_play, tmp_path):
    session = hand_play.play(tmp_path / "s", [8], [hand_play.press(2.5, "KeyW"), hand_play.release(4, "KeyW")])
    samples, _ = press_release(session, "w")
    return Sessions([session], format="hands", samples=samples)


def test_a_table_is_read_with_its_recordings_or_without_pixels(labelled, tmp_path):
    convert(labelled, tmp_path / "pairs.parquet", format="samples")
    found = open_any(tmp_path / "pairs.parquet")
    assert [recording.info.id for recording in found] == ["hand"]
    assert len(found.samples) == 1
    bare = open_any(tmp_path / "pairs.parquet", options=["pixels=false"])
    assert (len(bare), len(bare.samples), bare.problems) == (0, 1, ())


def test_a_source_that_nobody_named_or_that_holds_another_session_is_told(labelled, tmp_path):
    rows, space = labelled.samples.rows, labelled.samples.space
    _, problems = open_sources(Samples(rows, space))
    assert [(p.kind, p.where) for p in problems] == [("unknown_source", "hand")]
    place = Source(str(tmp_path / "s"))
    other = rows.assign(session="else", action_session="else")
    recordings, problems = open_sources(Samples(other, space, (), {"else": place}))
    assert recordings == []
    assert [p.kind for p in problems] == ["missing_source"]
    assert "it holds hand and not else" in problems[0].sentence


def test_rows_that_cannot_be_are_refused_before_anything_is_written(labelled, tmp_path):
    rows = labelled.samples.rows.assign(label=2.0).astype({"label": "float32"})
    broken = Sessions(list(labelled), format="x", samples=Samples(rows, labelled.samples.space))
    with pytest.raises(BadDataError, match="label"):
        convert(broken, tmp_path / "a.parquet", format="samples")
    assert not list(tmp_path.glob("a.*"))


def test_an_unknown_option_is_refused(labelled, tmp_path):
    with pytest.raises(BadInputError, match="did you mean 'pixels'"):
        convert(labelled, tmp_path / "a.parquet", format="samples", options=["pixel=false"])
