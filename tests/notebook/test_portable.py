"""The comparison that the recipe of training files rests on finds what is wrong in a file."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.formats.base import convert, open_any
from rushes.notebook.portable.compared import compare_files
from rushes.notebook.portable.files import Files, Plan
from rushes.notebook.portable.sample import GAMES, make_take


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    path = tmp_path_factory.mktemp("portable") / "take"
    make_take(path, GAMES[0], frames=(24, 9))
    return open_any(path)


def tampered(take, folder, change):
    report = convert(take, folder / "dataset.npz", format="npz", options=["size=45x80"])
    with np.load(report.target) as file:
        held = {name: file[name].copy() for name in file}
    change(held)
    np.savez(report.target, **held)
    return compare_files(Files({"npz": report}, 1), take, take[0].info.action_space)


def test_a_file_as_it_was_written_is_equal(take, tmp_path):
    found = tampered(take, tmp_path, dict.copy)
    assert [finding.check for finding in found.findings] == ["exports.equal"]
    assert (found.figures["files_equal"], found.figures["rows"], found.figures["rows_with_sound"]) == (1, 33, 33)
    assert found.lines[0].apart < 1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("an input", lambda held: held["inputs"].__setitem__((5, 0), 7)),
        ("the order of the rows", lambda held: held.update(inputs=np.roll(held["inputs"], 1, 0))),
        ("a time", lambda held: held["t_ns"].__iadd__(1)),
        ("the pictures", lambda held: held.update(video=np.roll(held["video"], 3, 0))),
        ("a row that is missing", lambda held: held.update({k: held[k][:-1] for k in ("inputs", "t_ns", "session")})),
    ],
)
def test_what_is_wrong_is_found(take, tmp_path, what, change):
    found = tampered(take, tmp_path, change)
    assert [finding.severity for finding in found.findings] == ["error"], what
    assert "NO" in found.show().html


class Run:
    def __init__(self, **given):
        fixed = {"source": "", "games": "", "size": "", "layout": "", "encoding": "multi_hot", "audio": "auto"}
        self.parameters = {**fixed, "sequence_length": 16, "formats": "hdf5", **given}


@pytest.mark.parametrize(
    ("given", "says"),
    [({"formats": "hdf"}, "did you mean 'hdf5'"), ({"formats": "npz,npz"}, "once"), ({"size": "4x"}, "HEIGHTxWIDTH")],
)
def test_a_parameter_that_makes_no_sense_is_told_first(given, says):
    with pytest.raises(BadInputError, match=says):
        Plan.of(Run(**given))


def test_parameters_become_options_of_each_form():
    plan = Plan.of(Run(formats="npz, tfrecord", games="Doom, Quake", sequence_length=4))
    assert plan.games == ("Doom", "Quake")
    assert "sequence_length=4" in plan.options_of("tfrecord")
    assert "sequence_length=4" not in plan.options_of("npz")
