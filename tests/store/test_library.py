"""The library knows what lies in its folders, whatever became of its table, and is never the only copy of anything."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from rushes.errors import (
    BadDataError,
    BadInputError,
    BadNameError,
    BusyError,
    MissingError,
    OccupiedError,
    StorageError,
)
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Frame, Gap, Lost, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store import library_look, library_table
from rushes.store.facts import add_fact, read_facts
from rushes.store.library import Library, Looked
from rushes.store.reader import open_session, open_sessions
from rushes.store.writer import SessionWriter

KEYS = ActionSpace.from_names(["KeyW", "KeyA", "MouseDX", "SOUTH"])
STREAMS = (StreamSpec("screen", "frames", "png", width=8, height=6), StreamSpec("events", "events"))
WALL_NS = 1_795_000_000 * 10**9  # 2026-11-18 11:06:40 UTC


@pytest.fixture(scope="module", autouse=True)
def hasty():
    """Wait for no disk: nothing here is about power cuts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A session of two stretches, 4 and 3 frames at 10 Hz, of which one frame more was lost."""
    path = tmp_path_factory.mktemp("model") / "take"
    info = SessionInfo("take", "Doom", {"kind": "synthetic", "name": "test"}, "measured", STREAMS, KEYS)
    with SessionWriter(path, info) as writer:
        for first, frames in ((0, 4), (4, 3)):
            t0 = first * 10**9
            writer.write(Start(t0, {}, WALL_NS + t0, ""))
            for k in range(frames):
                writer.write(Frame(t0 + k * 10**8, np.full((6, 8, 3), first + k, np.uint8)))
            if not first:
                writer.write(Event(t0 + 10**8, "keyboard", "KeyW", "press"))
                writer.write(Lost(t0 + 10**8, "frames", "late_encoder", 1))
            writer.write(Gap(t0 + frames * 10**8, "pause"))
    return path


@pytest.fixture
def made(model):
    """Make a copy of that session under another id, game and time of recording."""

    def make(path, game="Doom", **changes):
        shutil.copytree(model, path)
        said = json.loads((path / "session.json").read_text())
        (path / "session.json").write_text(json.dumps(said | {"id": path.name, "game": game} | changes))
        return path

    return make


@pytest.fixture
def three(tmp_path, made):
    """A library of three sessions."""
    for name, game in (("a", "Doom"), ("b", "Pong"), ("c", "Doom II")):
        made(tmp_path / "lib" / "sessions" / name, game)
    return tmp_path / "lib"


def names(items):
    return [item.path.name for item in items]


def dump(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT * FROM sessions ORDER BY place").fetchall()


def test_a_row_says_what_people_ask_for(tmp_path, made):
    path = made(tmp_path / "Doom_1")
    add_fact(path, "tag", {"tag": "boss"}, author="me")
    add_fact(path, "note", {"text": "the red key"}, author="me")
    for word in ("FAIL", "WARN"):
        add_fact(path, "verdict", {"verdict": word, "reasons": [], "figures": {}}, author="qa")
    (item,) = Library(tmp_path).items()
    said = item.to_json()
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    assert said == {
        "path": str(path), "id": "Doom_1", "game": "Doom", "started": "2026-11-18T11:06:40+00:00",
        "duration_s": 0.7, "frames": 7, "rate_hz": pytest.approx(10.0), "dropped": 1, "height": 6, "width": 8,
        "size_bytes": size, "inputs": {"keyboard": 2, "mouse": 1, "pad": 1}, "codec": "png", "sounds": [],
        "time_source": "measured", "verdict": "WARN", "tags": ["boss"], "notes": ["the red key"], "unfinished": 0,
        "problem": "", "checked": "", "checked_at": "",
    }  # fmt: skip
    entry = item.entry
    assert (entry.id, entry.path, entry.frames, entry.rows) == ("Doom_1", path, 7, 7)
    assert [(s.first_frame, s.frames) for s in entry.stretches] == [(0, 4), (4, 3)]


def test_what_stands_in_a_row_can_be_asked_of_any_sqlite_reader(three):
    Library(three).items()
    with sqlite3.connect(three / "rushes.db") as connection:
        found = connection.execute("SELECT id, frames, rate_hz FROM sessions WHERE game = 'Pong'").fetchall()
    assert found == [("b", 7, pytest.approx(10.0))]


def test_a_second_look_opens_no_session_and_a_change_is_seen(three, made, monkeypatch):
    read = []
    examine = library_look.examine
    monkeypatch.setattr(
        library_look, "examine", lambda folder, *rest: read.append(folder.name) or examine(folder, *rest)
    )
    library = Library(three)
    assert names(library.items()) == ["a", "b", "c"]
    assert (library.looked.new, library.looked.changed, library.looked.gone) == (3, 0, 0)
    assert names(Library(three).items()) == read == ["a", "b", "c"]
    add_fact(three / "sessions" / "b", "tag", {"tag": "x"}, author="me")
    made(three / "sessions" / "d")
    shutil.rmtree(three / "sessions" / "a")
    library = Library(three)
    assert names(library.items()) == ["b", "c", "d"]
    assert read[3:] == ["b", "d"]
    assert (library.looked.new, library.looked.changed, library.looked.gone) == (1, 1, 1)


def test_sessions_may_lie_in_the_root_and_half_copies_are_none(tmp_path, made):
    made(tmp_path / "a")
    made(tmp_path / ".b.partial")
    assert [item.place for item in Library(tmp_path).items()] == ["a"]


def test_entries_are_chosen_by_exact_games_and_by_all_of_the_tags(three):
    library = Library(three)
    library.tag(["a", "b"], add="boss")
    library.tag("a", add="night")
    assert [e.id for e in library.entries()] == ["a", "b", "c"]
    assert [e.id for e in library.entries(game="doom")] == ["a"]
    assert [e.id for e in library.entries(game=["PONG", "Doom II"])] == ["b", "c"]
    assert [e.id for e in library.entries(tag="boss")] == ["a", "b"]
    assert [e.id for e in library.entries(tag=["boss", "night"])] == ["a"]
    with pytest.raises(BadNameError, match=r"game 'Dom'; accepted: Doom, Doom II, Pong. .*did you mean 'Doom'"):
        library.entries(game=["Pong", "Dom"])
    with pytest.raises(BadNameError, match="tag 'bos'; accepted: boss, night"):
        library.entries(tag="bos")


def test_find_wants_all_that_is_asked_for(three):
    library = Library(three)
    for name, word in (("a", "PASS"), ("b", "FAIL")):
        add_fact(three / "sessions" / name, "verdict", {"verdict": word, "reasons": [], "figures": {}}, author="qa")
    add_fact(three / "sessions" / "c", "note", {"text": "Grüne Tür"}, author="me")
    assert names(library.find("GRÜNE")) == ["c"]
    assert names(library.find("doom", verdict="pass")) == ["a"]
    assert names(library.find(verdict="")) == ["c"]
    assert names(library.find(verdict=["PASS", "FAIL"])) == ["a", "b"]
    assert names(library.find(min_duration_s=0.7)) == ["a", "b", "c"]
    assert library.find(min_duration_s=0.71) == []
    with pytest.raises(BadNameError, match="FAIL, PASS, WARN"):
        library.find(verdict="pas")


def test_a_tag_is_a_side_fact_and_survives_a_rebuild(three):
    library = Library(three)
    library.tag(["a"], add=["boss", "night "])
    library.tag(["a"], add=["boss"], remove=["night"])
    (three / "rushes.db").unlink()
    assert [item.tags for item in Library(three).items()] == [("boss",), (), ()]
    assert [f.value["tag"] for f in read_facts(three / "sessions" / "a", replaced=True)] == ["boss", "night", ""]
    assert library.tag([], add="x") == [], "no session is not every session"
    with pytest.raises(BadNameError, match="session 'z'"):
        library.tag(["a", "z"], add="x")
    for add, remove in ((" ", ()), ("x", "x")):
        with pytest.raises(BadInputError, match="tags with a letter"):
            library.tag("a", add=add, remove=remove)


def test_a_rebuild_gives_the_same_table(three):
    Library(three).tag("b", add="x")
    Library(three).items()
    before = dump(three / "rushes.db")
    assert names(Library(three).rebuild()) == ["a", "b", "c"]
    assert dump(three / "rushes.db") == before


def harm(session, what):
    chunk = session / "chunks" / "0001"
    if what == "changed":
        data = bytearray((chunk / "index.parquet").read_bytes())
        data[20] ^= 1
        (chunk / "index.parquet").write_bytes(data)
    elif what == "missing":
        (chunk / "events.parquet").unlink()
    elif what == "unfinished":
        (session / "chunks" / "0002" / "chunk.json").unlink()
    elif what == "missing chunk":
        shutil.rmtree(chunk)
    else:
        (chunk / "chunk.json").write_text("{")


@pytest.mark.parametrize("what", ["changed", "missing", "unfinished", "missing chunk", "unreadable"])
def test_verify_tells_what_is_wrong_and_remembers_it(three, what):
    library = Library(three)
    assert [one.state for one in library.verify()] == ["whole"] * 3
    harm(three / "sessions" / "b", what)
    found = library.verify()
    assert [one.state for one in found] == ["whole", "damaged", "whole"]
    assert [problem.kind for problem in found[1].problems] == [what.split()[0]]
    tagged = library.tag("a", add="x")  # a tag does not change what was recorded
    assert [item.checked for item in tagged] == ["whole"]
    assert [item.checked for item in Library(three).items()] == ["whole", "damaged", "whole"]


def test_what_verify_found_holds_only_for_the_chunks_that_it_saw(three):
    library = Library(three)
    library.verify(["a", "b"])
    os.utime(three / "sessions" / "a" / "chunks" / "0001" / "chunk.json", ns=(1, 1))
    assert [item.checked for item in library.items()] == ["", "whole", ""]


def test_add_copies_what_is_whole_and_never_over_something(tmp_path, three, made):
    library = Library(three)
    other = made(tmp_path / "elsewhere" / "d")
    (added,) = library.add(other)
    assert (added.path, added.is_new) == (three / "sessions" / "d", True)
    again = open_session(added.path)
    assert [f.mean() for f in again.frames(0, 7)] == [0, 1, 2, 3, 4, 5, 6]
    assert [one.is_new for one in library.add(other.parent)] == [False]
    same_name = made(tmp_path / "more" / "a", id="a-second-a")
    assert library.add(same_name)[0].path.name == "a-2"
    assert [item.problem for item in library.items()] == [""] * 5


def test_add_refuses_another_recording_under_one_id(tmp_path, three, made):
    other = made(tmp_path / "elsewhere" / "a")
    shutil.rmtree(other / "chunks" / "0002")
    with pytest.raises(OccupiedError, match=r"its id a is that of .*which holds another recording"):
        Library(three).add(other)


@pytest.mark.parametrize(
    ("what", "said"),
    [("changed", "was changed"), ("missing", "is missing"), ("unfinished", "not finished"), ("unreadable", "not JSON")],
)
def test_add_leaves_nothing_of_a_session_that_is_not_whole(tmp_path, three, made, what, said):
    other = made(tmp_path / "elsewhere" / "d")
    harm(other, what)
    with pytest.raises(BadDataError, match=said):
        Library(three).add(other)
    assert sorted(p.name for p in (three / "sessions").iterdir()) == ["a", "b", "c"]


def test_a_link_shows_a_session_where_it_is(tmp_path, three, made):
    other = made(tmp_path / "elsewhere" / "d")
    library = Library(three)
    (added,) = library.add(other, link=True)
    assert added.path.is_symlink()
    assert [recording.info.id for recording in open_sessions(three)] == ["a", "b", "c", "d"]
    library.tag("d", add="far")
    assert [f.value["tag"] for f in read_facts(other)] == ["far"]
    assert names(Library(three).rebuild()) == ["a", "b", "c", "d"]
    shutil.rmtree(other)
    assert [item.problem.partition(": ")[2][:22] for item in library.items()] == ["", "", "", "the link leads nowhere"]
    assert [entry.id for entry in library.entries()] == ["a", "b", "c"]
    added.path.unlink()
    assert (names(library.items()), library.looked.gone) == (["a", "b", "c"], 1)


def test_sessions_that_are_being_written_or_broken_or_double_are_listed_with_what_is_wrong(tmp_path, made):
    made(tmp_path / "b", id="b")
    made(tmp_path / "c", id="b")
    (made(tmp_path / "d") / "session.json").write_text("{")
    (made(tmp_path / "e") / "facts.jsonl").write_text("{}\n")
    tagged = add_fact(made(tmp_path / "f", id="f"), "tag", {"tag": "x"}, author="me")
    (tmp_path / "f" / "facts.jsonl").write_text(json.dumps({**vars(tagged), "value": {"word": "x"}}) + "\n")
    info = SessionInfo("a", "Doom", {"kind": "synthetic", "name": "test"}, "measured", STREAMS, KEYS)
    with SessionWriter(tmp_path / "a", info) as writer:
        writer.write(Start(0))
        writer.write(Frame(0, np.zeros((6, 8, 3), np.uint8)))
        library = Library(tmp_path)
        items = library.items()
    assert [(item.unfinished, item.problem.partition(":")[0]) for item in items] == [
        (1, ""), (0, ""), (0, str(tmp_path / "c")), (0, str(tmp_path / "d" / "session.json")),
        (0, f"{tmp_path / 'e' / 'facts.jsonl'}, line 1"), (0, str(tmp_path / "f")),
    ]  # fmt: skip
    assert [e.id for e in library.entries()] == ["a", "b"]
    assert library.items()[0].frames == 1, "it was sealed meanwhile"


OTHER_PROGRAM = "CREATE TABLE sessions (name TEXT)"
NEWER = f"PRAGMA application_id = {library_table.APPLICATION}; PRAGMA user_version = 99; CREATE TABLE x (y)"
LACKING = f"PRAGMA application_id = {library_table.APPLICATION}; PRAGMA user_version = {library_table.VERSION};"


@pytest.mark.parametrize("damage", ["noise", "cut", "middle", OTHER_PROGRAM, NEWER, LACKING + "CREATE TABLE x (y)"])
def test_a_damaged_or_foreign_table_is_put_aside_and_made_anew(three, damage):
    Library(three).tag("a", add="x")
    path = three / "rushes.db"
    before, whole = dump(path), path.read_bytes()
    if damage == "noise":
        path.write_bytes(b"noise" * 5000)
    elif damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "middle":
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    else:
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.executescript(damage)
        connection.close()
    harmed = path.read_bytes()
    (three / "rushes.db-journal").write_bytes(b"noise" * 500)
    library = Library(three)
    assert [item.tags for item in library.items()] == [("x",), (), ()]
    assert [line.partition(" was put aside as ")[2][:14] for line in library.remarks] == ["rushes.db.old;"]
    assert (three / "rushes.db.old").read_bytes() == harmed
    assert not (three / "rushes.db-journal").exists()
    assert dump(path) == before
    again = Library(three)
    assert (names(again.items()), again.remarks, again.looked.new) == (["a", "b", "c"], (), 0)


def test_a_table_that_cannot_be_written_is_said_and_hides_nothing(three):
    (three / "rushes.db").mkdir()
    library = Library(three)
    assert names(library.items()) == ["a", "b", "c"]
    assert [one.state for one in library.verify()] == ["whole"] * 3
    assert len(library.remarks) == 1
    assert "cannot be written" in library.remarks[0]
    with pytest.raises(StorageError, match="cannot be written"):
        library.rebuild()


def test_a_table_that_somebody_keeps_locked_is_busy(three, monkeypatch):
    Library(three).items()
    monkeypatch.setattr(library_table, "WAIT_S", 0.05)
    with sqlite3.connect(three / "rushes.db", isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyError, match="another process has been writing"):
            Library(three).items()
    connection.close()


WRITER = """
import sys
from pathlib import Path
from rushes.store.library import Library
root, mine = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
library = Library(root)
for number in range(3):
    library.add(root.parent / "elsewhere" / f"{mine}{number}")
    library.add(root.parent / "elsewhere" / f"both{number}")
    library.tag([f"both{number}"], add=mine, author=mine)
    library.verify([f"both{number}"])
library.rebuild()
print(len(library.remarks))
"""


def test_two_processes_mend_and_write_a_table_at_once_and_nothing_is_lost(tmp_path, made):
    for name in (f"{who}{number}" for who in ("x", "y", "both") for number in range(3)):
        made(tmp_path / "elsewhere" / name)
    root = tmp_path / "lib"
    root.mkdir()
    (root / "rushes.db").write_bytes(b"noise" * 5000)
    command = [sys.executable, "-c", WRITER, str(root)]
    both = [
        subprocess.Popen(
            [*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for who in "xy"
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120) for process in both]
    assert [error for _, error in said] == ["", ""]
    assert sum(int(out) for out, _ in said) == 1, "one of them mends it"
    library = Library(root)
    found = {item.id: item.tags for item in library.items()}  # a row that was older than its folder is read anew
    library.items()
    assert library.looked == Looked(new=0, changed=0, gone=0, sessions=9)
    assert found == {f"both{n}": ("x", "y") for n in range(3)} | {f"{who}{n}": () for who in "xy" for n in range(3)}
    assert sorted(path.name for path in (root / "sessions").iterdir()) == sorted(found)


def test_what_is_no_library_is_refused(tmp_path, made):
    with pytest.raises(MissingError, match="no such folder"):
        Library(tmp_path / "none")
    with pytest.raises(BadInputError, match="which is a session"):
        Library(made(tmp_path / "a"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError, match="holds no session"):
        Library(tmp_path).add(tmp_path / "empty")


@pytest.mark.full
def test_a_library_of_a_thousand_sessions_lists_in_under_a_second(tmp_path, made):
    for number in range(1000):
        made(tmp_path / f"take{number:04d}", f"Game {number % 7}")
    assert len(Library(tmp_path).entries()) == 1000
    took = []
    for _ in range(3):
        start = time.perf_counter()
        assert len(Library(tmp_path).entries(game="Game 3")) == 143
        took.append(time.perf_counter() - start)
    assert min(took) < 1.0
