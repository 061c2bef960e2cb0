"""`rushes preview` writes both of its files or neither."""

import pytest

from rushes.capture.env.sample import sample
from rushes.cli.preview import preview
from rushes.errors import BadInputError, OccupiedError


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampled") / "s"
    sample(folder, "Pong", frames_per_env=12, max_episodes=1, policy="uniform", workers=1)
    return folder


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_wrong_length_leaves_nothing_so_that_the_corrected_call_works(session, tmp_path, seconds):
    out = tmp_path / "p"
    with pytest.raises(BadInputError, match="--seconds"):
        preview(session, out=out, seconds=seconds)
    assert not out.exists()
    preview(session, out=out, seconds=2.0)
    assert sorted(p.suffix for p in out.iterdir()) == [".mp4", ".png"]


def test_a_file_in_place_of_the_folder_is_refused(session, tmp_path):
    (tmp_path / "p").write_text("mine")
    with pytest.raises(OccupiedError, match="is a file"):
        preview(session, out=tmp_path / "p", seconds=2.0)
    assert (tmp_path / "p").read_text() == "mine"


def test_a_sheet_that_fails_takes_the_film_with_it(session, tmp_path, monkeypatch):
    def fail(*_):
        raise BadInputError("no sheet")

    monkeypatch.setattr("rushes.preview.contact_sheet.contact_sheet", fail)
    with pytest.raises(BadInputError, match="no sheet"):
        preview(session, out=tmp_path / "p", seconds=2.0)
    assert list((tmp_path / "p").iterdir()) == []
