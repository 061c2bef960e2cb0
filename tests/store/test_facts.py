"""Side facts on a disk that fails: a cut line costs itself and nothing else, and no fact is half-written."""

import json
import resource

import pytest

from rushes.errors import BadDataError, StorageError
from rushes.store.facts import add_fact, read_facts

TEXT = "Ärger am Tor – 終わり"  # noqa: RUF001 - a character of three bytes


def texts(session):
    return [fact.value["text"] for fact in read_facts(session)]


def test_a_last_line_that_is_cut_at_any_byte_costs_itself_and_nothing_else(tmp_path):
    path = tmp_path / "facts.jsonl"
    add_fact(tmp_path, "note", {"text": "first"}, author="me")
    begin = path.stat().st_size
    add_fact(tmp_path, "note", {"text": TEXT}, author="me")
    whole = path.read_bytes()
    assert TEXT.encode() in whole
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end])
        kept = ["first", TEXT] if end == len(whole) - 1 else ["first"]  # without its line end it is still whole
        assert texts(tmp_path) == kept, end
        add_fact(tmp_path, "note", {"text": "after"}, author="me")
        assert texts(tmp_path) == [*kept, "after"], end
        assert path.read_bytes().count(b"\n") == len(kept) + 1
        assert all(json.loads(line)["author"] == "me" for line in path.read_bytes().splitlines())


def test_a_cut_first_line_that_ends_like_a_whole_one_is_no_hindrance(tmp_path):
    (tmp_path / "facts.jsonl").write_bytes(b'{"id":"a","value":{"text":"x"}')
    assert read_facts(tmp_path) == ()
    add_fact(tmp_path, "note", {"text": "after"}, author="me")
    assert texts(tmp_path) == ["after"]


@pytest.mark.parametrize("line", [b'{"id":', b"{}", b"[1]", b"\xff\xfe", b'{"id":"a","value":{"text":"x"}'])
@pytest.mark.parametrize("place", ["middle", "end"])
def test_a_line_that_ends_and_is_no_fact_is_named(tmp_path, line, place):
    path = tmp_path / "facts.jsonl"
    add_fact(tmp_path, "note", {"text": "first"}, author="me")
    first = path.read_bytes()
    path.write_bytes(first + line + b"\n" + (first if place == "middle" else b""))
    with pytest.raises(BadDataError, match="line 2"):
        read_facts(tmp_path)


@pytest.mark.parametrize("room", [1, 7, 100])
def test_a_disk_that_takes_only_a_part_of_a_fact_keeps_those_before_and_says_so(tmp_path, room):
    path = tmp_path / "facts.jsonl"
    add_fact(tmp_path, "note", {"text": "first"}, author="me")
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, hard))  # the system then writes a part
    try:
        with pytest.raises(StorageError, match="disk is full"):
            add_fact(tmp_path, "note", {"text": "second"}, author="me")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    add_fact(tmp_path, "note", {"text": "second"}, author="me")
    assert texts(tmp_path) == ["first", "second"]


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "facts.jsonl").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"disk is full; accepted: .*free some space"):
        add_fact(tmp_path, "note", {"text": "x"}, author="me")
