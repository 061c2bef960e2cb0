"""What every row of FORMATS keeps to that takes the steps of an environment: run over the table, so that a new format
is held to it too. `test_input_formats` does the same for those that take keyboard, mouse and pad, and
`test_sample_formats` for those that take labelled samples."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rushes.errors import BadInputError, OccupiedError, StorageError
from rushes.formats.base import FORMATS, convert, get_format, open_any, sniff_path
from rushes.model.recording import Sessions

FAKE = Path(__file__).parents[1] / "formats" / "fake.py"
LIB = Path(__file__).parents[2] / "lib"
NAMES = [name for name in FORMATS if get_format(name).takes in {"steps", "any"}]
STRICT = [name for name in NAMES if get_format(name).takes == "steps" and hasattr(get_format(name).Options(), "strict")]
"""Strict forms of those that take anything are of another kind; their own tests hold them."""


def _load():
    spec = importlib.util.spec_from_file_location("contract_fake", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fake = _load()


@pytest.fixture
def play():
    breakout = fake.Fake([4], env_id="ALE/Breakout-v5", game="Breakout", names=fake.BREAKOUT, salt=2)
    return Sessions([fake.Fake([11, 1, 5]), breakout], format="fake")


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def same_frames(found, wanted) -> bool:
    pairs = zip(found.frames(0, found.frame_count), wanted.frames(0, wanted.frame_count), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def check(found, wanted, keeps):
    """Hold what was read against the original, as far as the format says that it keeps it."""
    assert [s.frames for s in found.segments] == [s.frames for s in wanted.segments]
    if keeps.frames == "exact":
        assert same_frames(found, wanted)
    if keeps.times:
        index = ["frame_index", "tick", "t_ns", "segment", "duplicate", "late", "dropped_before"]
        pd.testing.assert_frame_equal(found.index()[index], wanted.index()[index])
        assert found.segments == wanted.segments
        assert found.info.time_source == wanted.info.time_source
    steps = wanted.steps()
    if keeps.rewards:
        pd.testing.assert_frame_equal(found.steps(), steps)
    if keeps.names:
        assert found.steps()["action_name"].tolist() == steps["action_name"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_known_and_read_back(play, tmp_path, name):
    target = tmp_path / "target"
    convert(play, target, format=name)
    assert sniff_path(target) == name
    found = open_any(target)
    assert found.format == name
    assert [r.info.id for r in found] == ["session-1", "session-2"]
    for one, original in zip(found, play, strict=True):
        check(one, original, get_format(name).keeps)
        assert one.info.action_space == original.info.action_space
        assert one.info.provenance == original.info.provenance
    assert found.problems == ()
    assert found.ledger.balances


@pytest.mark.parametrize("name", STRICT)
def test_the_strict_form_is_known_and_keeps_what_it_says(fake_pair, tmp_path, name):
    source, target = fake_pair, tmp_path / "target"
    form = get_format(name)
    report = convert(source, target, format=name, options=["strict=true"])
    assert sniff_path(target) == name
    found = open_any(target)
    assert report.kept == form.keeps_with(form.Options(strict=True)).kept
    lost = report.ledger["frames"].lost.get("strict_without_action", 0)
    assert sum(r.frame_count for r in found) == report.written["frames"] == 16 - lost
    names = [n for r in found for n in r.steps()["action_name"]]
    assert names == [n for r in source for n in r.steps()["action_name"]]
    for one, original in zip(found, source, strict=True):
        for segment, wanted in zip(one.segments, original.segments, strict=True):
            shown = one.frames(segment.first_frame, segment.stop_frame)
            for k, frame in enumerate(shown, wanted.first_frame):
                np.testing.assert_array_equal(frame, fake.picture(original.salt, k))
    assert {r.info.time_source for r in found} == {"assumed"}
    assert not [p for p in target.rglob("*") if p.is_file() and p.suffix not in {".png", ".txt"}]


@pytest.fixture
def fake_pair():
    return Sessions([fake.Fake([11, 5])], format="fake")


@pytest.mark.parametrize(("first", "second"), [(a, b) for a, b in product(NAMES, NAMES) if a != b])
def test_any_format_becomes_any_other(play, tmp_path, first, second):
    convert(play, tmp_path / "one", format=first)
    report = convert(tmp_path / "one", tmp_path / "two", format=second)
    assert report.written["frames"] == 21
    assert report.ledger.balances
    for one, original in zip(open_any(tmp_path / "two"), play, strict=True):
        check(one, original, get_format(second).keeps)


@pytest.mark.parametrize("name", NAMES)
def test_an_occupied_target_is_refused_and_left_as_it_is(play, tmp_path, name):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("mine")
    folder.mkdir()
    (folder / "note").write_text("mine")
    before = digests(tmp_path)
    for target in (file, folder):
        with pytest.raises(OccupiedError):
            convert(play, target, format=name)
    assert digests(tmp_path) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_breaks_leaves_nothing(play, tmp_path, name, error):
    class Broken(fake.Fake):
        def pictures(self, start, stop):
            for k, stored in enumerate(super().pictures(start, stop), start):
                if k == 13:
                    raise error
                yield stored

    wanted = StorageError if isinstance(error, OSError) else error
    with pytest.raises(wanted):
        convert(Sessions([play[1], Broken([11, 5], salt=9)], format="x"), tmp_path / "target", format=name)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import fake
from rushes.formats.base import convert
class Killed(fake.Fake):
    def pictures(self, start, stop):
        for k, stored in enumerate(super().pictures(start, stop), start):
            if k == 9:
                os.kill(os.getpid(), signal.SIGKILL)
            yield stored
convert(Killed([6, 6]), sys.argv[2], format=sys.argv[3])
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_write_leaves_nothing_that_looks_whole_and_can_be_done_again(tmp_path, name):
    target = tmp_path / "target"
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(FAKE.parent), str(target), name],
        env={"PYTHONPATH": str(LIB)},
        capture_output=True,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert all(p.name.startswith(".") and p.name.endswith(".partial") for p in tmp_path.iterdir())
    convert(fake.Fake([6, 6]), target, format=name)
    assert {p.name for p in tmp_path.iterdir()} == {"target", "target.card.json", "target.card.md"}
    assert same_frames(open_any(target)[0], fake.Fake([6, 6]))


@pytest.fixture(scope="module")
def executors():
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2) as processes:
        yield [None, threads, processes]


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_do_not_depend_on_the_executor(tmp_path, name, executors):
    play = Sessions([fake.Fake([70, 70, 70]), fake.Fake([3], salt=2)], format="fake")
    written = []
    for number, executor in enumerate(executors):
        (tmp_path / str(number)).mkdir()
        convert(play, tmp_path / str(number) / "target", format=name, executor=executor)
        written.append(digests(tmp_path / str(number)))
    assert written[0] == written[1] == written[2]
    assert written[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_account_balances_and_says_what_is_there(play, tmp_path, name):
    report = convert(play, tmp_path / "target", format=name)
    assert report.ledger.balances
    assert report.ledger["frames"].offered == 21
    assert (
        report.ledger["frames"].kept == report.written["frames"] == sum(r.frame_count for r in open_any(report.target))
    )
    assert report.ledger["episodes"].kept == report.written["episodes"] == 4
    assert report.ledger["actions"].kept == 10 + 0 + 4 + 3


@pytest.mark.parametrize("name", NAMES)
def test_a_complete_card_stands_beside(play, tmp_path, name):
    report = convert(play, tmp_path / "target", format=name)
    card = json.loads((tmp_path / "target.card.json").read_text())
    keys = {
        "schema", "target", "format", "options", "written", "games", "sessions", "action_spaces", "seeds", "human",
        "end_reasons", "time_source", "pairing", "action_delay_ms", "keeps", "kept", "lost", "absent", "renamed",
        "ledger", "problems", "figures", "checked", "license", "privacy",
    }  # fmt: skip
    assert set(card) - {"statistics"} == keys
    assert card["format"] == name
    assert card["written"] == report.to_json()["written"]
    assert tuple(card["lost"]) == report.lost
    text = (tmp_path / "target.card.md").read_text()
    assert text.startswith("# target\n")
    assert card["pairing"] in text
    assert all(word not in text for word in ("None,", "null", "Counter", "mappingproxy"))


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_before_anything_is_written(play, tmp_path, name):
    near = "did you mean 'strict'" if hasattr(get_format(name).Options(), "strict") else "option 'strcit'"
    with pytest.raises(BadInputError, match=near):
        convert(play, tmp_path / "target", format=name, options=["strcit=true"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_place_that_is_no_folder_is_told(play, tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="stands in the way"):
        convert(play, tmp_path / "file" / "deep" / "target", format=name)


@pytest.mark.parametrize("name", NAMES)
def test_reading_is_lazy_and_gives_any_frame_by_its_number(play, tmp_path, name):
    convert(play, tmp_path / "target", format=name)
    recording = open_any(tmp_path / "target")[0]
    for k in (16, 0, 12, 11, 3, 10):
        np.testing.assert_array_equal(recording.frame(k), fake.picture(1, k))
    with pytest.raises(IndexError):
        list(recording.frames(16, 18))
    one, two = recording.frames(0, 17), recording.frames(0, 17)
    for k in range(17):  # two readers of one file at a time
        np.testing.assert_array_equal(next(one), fake.picture(1, k))
        np.testing.assert_array_equal(next(two), fake.picture(1, k))
