"""Errors say three things, are also builtins, and survive a process border."""

import ast
import copy
import enum
import multiprocessing
import operator
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from rushes import errors
from rushes.table import Table

BUILTINS = {
    errors.BadInputError: ValueError,
    errors.BadNameError: LookupError,
    errors.BadDataError: ValueError,
    errors.OccupiedError: FileExistsError,
    errors.MissingError: FileNotFoundError,
    errors.BusyError: RuntimeError,
    errors.StoppedError: RuntimeError,
    errors.UnavailableError: ImportError,
    errors.StorageError: OSError,
}


@pytest.mark.parametrize("kind", BUILTINS, ids=lambda kind: kind.__name__)
def test_each_error_is_also_the_builtin_that_fits(kind):
    with pytest.raises(BUILTINS[kind]):
        raise kind("randomness=1.5", accepts="0 to 1")
    assert issubclass(kind, errors.RushesError)


def test_every_error_class_of_the_module_is_held_here():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    ours = {kind for kind in classes if issubclass(kind, errors.RushesError)}
    assert ours == {errors.RushesError, *BUILTINS}


def test_the_message_has_what_was_given_what_is_accepted_and_what_to_do():
    error = errors.BadInputError("randomness=1.5", accepts="a number from 0 to 1", fix="pass randomness=0.2")
    assert str(error) == ("randomness=1.5; accepted: a number from 0 to 1. To mend it: pass randomness=0.2.")


def test_a_message_without_its_later_parts_is_still_a_sentence():
    assert str(errors.StorageError("the disk is full")) == "the disk is full."
    assert str(errors.StorageError("the disk is full", fix="free 2 GB")) == ("the disk is full. To mend it: free 2 GB.")


WRAPPED = {
    'f"{results[0].env_id}: {results[0].error}"': "what failed in a worker has its three parts already",
    'f"{where}: {said} The report so far is {page}"': "what failed in a notebook has its three parts already",
}
"""First arguments of errors that pass on the message of another -> why they have no parts of their own."""


def lacking(source):
    """Name the errors of ours that a file makes without `accepts` or `fix`, or with an empty one."""
    names = {kind.__name__ for kind in (errors.RushesError, *BUILTINS)}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in names:
            continue
        if node.args and ast.get_source_segment(source, node.args[0]) in WRAPPED:
            continue
        parts = {word.arg: word.value for word in node.keywords}
        for part in ("accepts", "fix"):
            value = parts.get(part)
            empty = isinstance(value, ast.Constant) and not value.value
            perhaps = isinstance(value, ast.Call) and ast.unparse(value.func) == "near"  # it may find nothing
            if value is None or empty or perhaps:
                yield f"{node.lineno}: {ast.unparse(node.func)} without {part}"


def test_every_error_of_the_library_has_its_three_parts():
    root = Path(errors.__file__).parent
    files = {path: path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py"))}
    found = [f"{path.relative_to(root)}:{line}" for path, text in files.items() for line in lacking(text)]
    assert found == []
    assert [wrapped for wrapped in WRAPPED if not any(wrapped in text for text in files.values())] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("raise BadDataError('a', accepts='b', fix='c')", 0),
        ("raise BadDataError('a')", 2),
        ("raise errors.BadDataError('a', fix='c') from None", 1),
        ("e = BadNameError('a', accepts='', fix='c')", 1),
        ("raise BadNameError('a', accepts='b', fix=near(x, y))", 1),
        ("raise BadNameError('a', accepts='b', fix=near(x, y) or 'c')", 0),
        ("raise ValueError('a')", 0),
    ],
)
def test_an_error_without_a_part_would_be_found(source, count):
    assert len(list(lacking(source))) == count


@pytest.mark.parametrize("kind", BUILTINS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("passing", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_a_copy_keeps_class_parts_and_message(kind, passing):
    error = kind("a", accepts="b", fix="c")
    again = passing(error)
    assert type(again) is kind
    assert (again.given, again.accepts, again.fix) == ("a", "b", "c")
    assert str(again) == str(error)


def test_an_error_raised_in_another_process_arrives_whole():
    table = Table("game", {"Breakout": ("json:loads", "", "bricks")})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        error = pool.submit(operator.getitem, table, "Breakut").exception(timeout=60)
    assert type(error) is errors.BadNameError
    assert error.given == "game 'Breakut'"
    assert "'Breakout'" in error.fix


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Breakut", "did you mean 'Breakout'?"),
        ("breakout", "did you mean 'Breakout'?"),
        ("zzzzzz", ""),
        ("", ""),
    ],
)
def test_near_names_what_stands_closest_whatever_the_case(given, expected):
    assert errors.near(given, ["Breakout", "Pong", "Seaquest"]) == expected


def test_near_names_no_more_than_it_is_asked_for():
    text = errors.near("level_1", [f"level_{n}" for n in range(2, 9)], most=2)
    assert text.count("level_") == 2


def test_near_shows_a_name_of_an_enum_as_users_write_it():
    kinds = enum.StrEnum("Kind", {"UNIFORM": "uniform", "HARD": "hard"})
    assert errors.near("unifrom", kinds) == "did you mean 'uniform'?"


def test_near_answers_for_no_names_at_all():
    assert errors.near("Pong", []) == ""
