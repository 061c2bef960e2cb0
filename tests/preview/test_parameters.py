"""Parameters: how cells declare them, and which values they take."""

import json

import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError, MissingError
from rushes.preview.parameters import Parameter, checked, declared, from_text, parameters_of, refuse_unknown


def test_a_declaration_has_a_type_a_value_and_a_meaning():
    cell = '# what to play\ngames: str = "Alien,Pong"  # names, with commas\nrandomness: float = 1\nfull: bool = False'
    assert declared(cell) == {
        "games": Parameter("games", "str", "Alien,Pong", "names, with commas"),
        "randomness": Parameter("randomness", "float", 1.0, ""),
        "full": Parameter("full", "bool", False, ""),
    }


@pytest.mark.parametrize(
    "cell", ["a: list[str] = []", "a: int | None = None", "a: int", "a: int = 1 + x", 'a: int = "1"', "a: int = True"]
)
def test_a_declaration_that_is_none_is_refused(cell):
    with pytest.raises(BadInputError):
        declared(cell)


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [("int", 3, 3), ("float", 3, 3.0), ("float", 0.5, 0.5), ("str", "", ""), ("bool", True, True)],
)
def test_a_value_of_its_type_is_taken_and_a_whole_number_for_a_float(kind, value, found):
    got = checked("x", kind, value)
    assert got == found
    assert type(got) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 3.0),
        ("int", True),
        ("int", "3"),
        ("float", "3"),
        ("float", False),
        ("str", 3),
        ("bool", 1),
        ("bool", "yes"),
        ("int", None),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(BadInputError, match="x="):
        checked("x", kind, value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("int", "-3", -3), ("float", "1e3", 1000.0), ("str", "007", "007"), ("bool", "True", True), ("bool", "no", False)],
)
def test_the_command_line_gives_values_of_the_declared_type(kind, text, value):
    got = from_text(Parameter("x", kind, checked("x", kind, value)), text)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), [("int", "3.5"), ("float", "much"), ("bool", "maybe"), ("int", "")])
def test_text_that_is_no_value_is_refused(kind, text):
    with pytest.raises(BadInputError, match="x="):
        from_text(Parameter("x", kind, 1), text)


def test_an_unknown_name_is_answered_with_the_near_one():
    with pytest.raises(BadNameError, match="did you mean 'frames'"):
        refuse_unknown({"frmes": 1}, {"frames": 1, "seed": 2}, where="tour.ipynb")


def test_what_is_no_notebook_is_said_to_be_none(tmp_path):
    path = tmp_path / "a.ipynb"
    for content in ("no json", "[]", '{"cells": []}', json.dumps({"cells": [{"source": "x", "metadata": {}}]})):
        path.write_text(content)
        with pytest.raises(BadDataError, match=r"a\.ipynb"):
            parameters_of(path)
    with pytest.raises(MissingError):
        parameters_of(tmp_path / "b.ipynb")
