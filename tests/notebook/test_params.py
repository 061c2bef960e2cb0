"""Strict parameters: what papermill injects is held against what the notebook declares."""

import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.notebook.params import check

DECLARED = 'games: str = "Alien"  # names\nframes: int = 100  # pictures\nrandomness: float = 0.2\nfull: bool = False'


def test_defaults_and_injected_values_are_given_back(ran):
    assert check(ran(DECLARED)) == {"games": "Alien", "frames": 100, "randomness": 0.2, "full": False}
    assert check(ran(DECLARED, "# Parameters\nframes = 5\n"))["frames"] == 5


def test_a_whole_number_becomes_a_float_in_the_notebook_too(ran):
    namespace = ran(DECLARED, "# Parameters\nrandomness = 1\n")
    assert type(check(namespace)["randomness"]) is float
    assert type(namespace["randomness"]) is float


def test_an_unknown_name_is_answered_with_the_near_one(ran):
    with pytest.raises(BadNameError, match="did you mean 'frames'"):
        check(ran(DECLARED, "# Parameters\nframe = 5\n"))


@pytest.mark.parametrize(
    "line", ["frames = 'many'", "frames = 5.0", "frames = True", "full = 1", "games = 5", "randomness = None"]
)
def test_a_value_of_another_type_is_refused(ran, line):
    with pytest.raises(BadInputError, match=line.split(" ")[0]):
        check(ran(DECLARED, f"# Parameters\n{line}\n"))


def test_a_number_for_text_says_how_to_pass_text(ran):
    with pytest.raises(BadInputError, match="papermill -r games 2600"):
        check(ran(DECLARED, "# Parameters\ngames = 2600\n"))


def test_a_value_changed_by_hand_is_checked_too(ran):
    with pytest.raises(BadInputError, match="frames"):
        check(ran('frames: int = "100"'))


def test_other_variables_of_the_notebook_are_no_parameters(ran):
    assert set(check(ran(DECLARED, "import json\nother = 3"))) == {"games", "frames", "randomness", "full"}


def test_an_injected_cell_from_before_a_new_start_counts_no_more(ran):
    namespace = ran(DECLARED, "# Parameters\nwrong = 5\n", DECLARED)
    assert check(namespace)["frames"] == 100


def test_a_type_that_no_parameter_has_is_refused(ran):
    with pytest.raises(BadInputError, match="list"):
        check(ran("games: list[str] = ['a']"))


def test_declarations_are_found_where_python_keeps_no_annotations(ran):
    namespace = ran(DECLARED, "# Parameters\nframe = 5\n")
    namespace["In"].append("%magic is no Python")
    del namespace["__annotations__"]
    with pytest.raises(BadNameError, match="did you mean 'frames'"):
        check(namespace)


def test_annotations_may_be_strings(ran):
    assert check(ran(f"from __future__ import annotations\n{DECLARED}"))["frames"] == 100
