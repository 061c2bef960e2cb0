"""`rushes library` as a user meets it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.cli.library.shown import length
from rushes.store.facts import read_facts

sys.path.insert(0, str(Path(__file__).parent))
from typed import rushes


def said(*arguments):
    """Run with --json; nothing but one object may stand on standard output."""
    done = rushes(*arguments, "--json")
    assert done.status == 0, done.error
    return json.loads(done.out)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return record(SyntheticBackend(frames=4), tmp_path_factory.mktemp("model") / "one").path


@pytest.fixture
def made(tmp_path, model):
    """Two sessions of two games in a folder."""
    for name, game in (("one", "Doom"), ("two", "Pong")):
        shutil.copytree(model, tmp_path / "made" / name)
        path = tmp_path / "made" / name / "session.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"id": f"{name}-id", "game": game}))
    return tmp_path / "made"


def test_from_adding_to_finding(tmp_path, made):
    lib = tmp_path / "data"
    added = said("library", "add", lib, made / "one", made)
    assert [(one["path"], one["new"]) for one in added["sessions"]] == [
        (str(lib / "sessions" / "one"), True),
        (str(lib / "sessions" / "one"), False),
        (str(lib / "sessions" / "two"), True),
    ]
    tagged = said("library", "tag", lib, "two-id", "--add", "boss", "--add", "night", "--author", "me")
    assert [(one["id"], one["tags"]) for one in tagged["sessions"]] == [("two-id", ["boss", "night"])]
    assert [f.author for f in read_facts(lib / "sessions" / "two")] == ["me", "me"]
    found = said("library", "find", lib, "--game", "PONG", "--tag", "boss", "--min-duration", "0.1")
    assert [(one["id"], one["game"], one["frames"]) for one in found["sessions"]] == [("two-id", "Pong", 4)]
    assert said("library", "find", lib, "doom")["sessions"][0]["id"] == "one-id"
    verified = said("library", "verify", lib)
    assert (verified["whole"], verified["damaged"]) == (2, 0)
    listed = said("library", "list", lib)
    assert [one["checked"] for one in listed["sessions"]] == ["whole", "whole"]
    assert (listed["new"], listed["changed"], listed["gone"], listed["remarks"]) == (0, 0, 0, [])
    assert len(said("library", "rebuild", lib)["sessions"]) == 2


def test_people_see_a_table_with_a_line_a_session(tmp_path, made):
    lines = rushes("library", "list", made).out.splitlines()
    assert lines[0].startswith(f"{made}: 2 sessions of 2 games, ")
    assert lines[1].split() == [
        "name", "game", "started", "UTC", "length", "frames", "Hz", "lost", "picture", "MB", "inputs", "sound",
    ]  # fmt: skip
    assert [line.split()[:2] for line in lines[2:4]] == [["one", "Doom"], ["two", "Pong"]]
    assert lines[4].split() == ["since", "the", "last", "look:", "2", "new"]
    assert len(rushes("library", "list", made).out.splitlines()) == 4, "nothing is new any more"
    assert rushes("library", "find", made, "two").out.startswith(f"{made}: 1 of 2 sessions of 1 game, ")
    (tmp_path / "empty").mkdir()
    assert rushes("library", "list", tmp_path / "empty").out.endswith("empty: 0 sessions of 0 games, 0.0 s, 0.0 MB\n")


def test_damage_is_listed_and_is_status_1(made):
    (made / "two" / "chunks" / "0001" / "index.parquet").unlink()
    (made / "one" / "session.json").write_text("[]")
    done = rushes("library", "verify", made)
    assert done.status == 1
    assert "unreadable" in done.out
    assert f"missing    {made / 'two' / 'chunks' / '0001' / 'index.parquet'}: the file is missing" in done.out
    assert "0 sessions whole, 2 damaged" in done.out
    assert "left out: " in rushes("library", "list", made).out


def test_a_link_refers_to_a_session_where_it_is(tmp_path, made):
    assert "linked" in rushes("library", "add", tmp_path / "data", made / "one", "--link").out
    assert (tmp_path / "data" / "sessions" / "one").resolve() == made / "one"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("list", "none"), "none: no such folder"),
        (("add", "data", "none"), "none, which holds no session"),
        (("find", "made", "--game", "Pang"), "did you mean 'Pong'?"),
        (("tag", "made", "one"), "no tag; accepted: --add TAG or --remove TAG"),
        (("tag", "made", "on", "--add", "x"), "session 'on'"),
        (("verify", "made", "three"), "session 'three'"),
    ],
)
def test_what_cannot_be_done_is_said_in_three_parts(tmp_path, made, words, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = rushes("library", *words)
    assert (done.status, done.out) == (1, "")
    assert what in done.error
    assert "; accepted: " in done.error
    assert " To mend it: " in done.error
    assert not (tmp_path / "data").exists()


def test_convert_takes_the_games_that_are_named(tmp_path, made):
    done = said("convert", made, tmp_path / "all", "--format", "session", "--game", "doom")
    assert done["written"]["frames"] == 4
    assert done["ledger"]["frames"]["lost"] == {"other_game": 4}
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["one"]
    done = rushes("convert", made, tmp_path / "none", "--format", "session", "--game", "Dom")
    assert done.status == 1
    assert "game 'Dom'; accepted: Doom, Pong. To mend it: did you mean 'Doom'?" in done.error


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (125, "2:05 min"), (3599.6, "1:00:00 h"), (3725, "1:02:05 h")],
)
def test_a_length_of_time_is_short_and_exact(seconds, text):
    assert length(seconds) == text


def test_the_verdict_that_qa_keeps_stands_in_the_library_and_a_damaged_session_says_fail(model, tmp_path):
    for name in ("good", "bad"):
        shutil.copytree(model, tmp_path / "sessions" / name)
    described = tmp_path / "sessions" / "bad" / "session.json"
    described.write_text(described.read_text().replace(json.loads(described.read_text())["id"], "bad"))
    next((tmp_path / "sessions" / "bad").rglob("index.parquet")).write_bytes(b"no table")
    assert rushes("qa", tmp_path / "sessions" / "good", "--keep").status == 0
    assert [item["verdict"] for item in said("library", "list", tmp_path)["sessions"]] == ["", "PASS"]
    rushes("qa", tmp_path / "sessions" / "bad", "--keep")
    assert [f.value["verdict"] for f in read_facts(tmp_path / "sessions" / "bad") if f.kind == "verdict"] == ["FAIL"]
    found = said("library", "find", tmp_path, "--verdict", "PASS")["sessions"]
    assert [item["path"] for item in found] == [str(tmp_path / "sessions" / "good")]
    partly = rushes("qa", tmp_path / "sessions" / "good", "--keep", "--check", "structure")
    assert (partly.status, "all checks" in partly.error) == (1, True), "one check is no verdict on a session"
