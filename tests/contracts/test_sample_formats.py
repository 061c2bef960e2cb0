"""What every format keeps to that is written from labelled samples: run over the table, as `test_formats` is."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadInputError, OccupiedError, StorageError
from rushes.formats.base import FORMATS, convert, get_format, open_any, sniff_path
from rushes.formats.card import card_paths
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples, Step, step_ledger
from rushes.model.samples import COLUMNS, samples_frame
from rushes.prepare.press_release import press_release
from rushes.prepare.reading import load_pictures

HERE = Path(__file__).parents[1] / "formats"
LIB = Path(__file__).parents[2] / "lib"
NAMES = [name for name in FORMATS if get_format(name).takes == "samples"]
PIXELS = [name for name in NAMES if get_format(name).keeps.frames != "none"]
SUFFIX = {"samples": ".parquet", "jumpnet": ".npz"}
OPTIONS = {"jumpnet": ["size=24"]}
ADDRESS = {"frame_index", "segment", "keys", "hold_s"}
"""A file of pictures gives rows an address of their own; keys and holds are compared as numbers."""


def _load(name):
    full = f"contract_{name}"
    spec = importlib.util.spec_from_file_location(full, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hand = _load("hand_play")


@pytest.fixture
def labelled(tmp_path):
    """Two presses in each of two sessions, one hold left open, and a negative; a session directory holds the pixels."""
    press, release = hand.press, hand.release
    done = [press(2.5, "KeyW"), release(5, "KeyW"), press(7.5, "Space")]
    (tmp_path / "in").mkdir()
    sessions = [hand.play(tmp_path / "in" / name, [12], done, name=name) for name in ("one", "two")]
    samples, _ = press_release(sessions, "w, space")
    first = samples.rows.iloc[0].to_dict()
    negative = first | {
        "sample_id": "one:KeyW:near_miss:400000000", "frame_index": 10, "t_ns": 400_000_000, "label": 0.0,
        "keys": np.zeros(28, np.float32), "hold_s": np.nan, "phase": "up", "kind": "near_miss", "reason": "5 rows off",
    }  # fmt: skip
    rows = samples_frame([negative, *samples.rows.to_dict("records")])
    step = Step("negatives", {"seed": 3}, step_ledger("samples", 7, {"excluded": 2}))
    whole = Samples(rows, samples.space, (*samples.steps, step), samples.sources)
    return Sessions(sessions, format="hands", samples=whole)


@pytest.fixture
def target(tmp_path):
    return lambda name, stem="target": tmp_path / f"{stem}{SUFFIX[name]}"


def write(source, path, name, **more):
    return convert(source, path, format=name, options=OPTIONS.get(name), **more)


def left(path):
    return sorted(p.name for p in path.parent.iterdir() if p.name != "in")


def same(found, wanted):
    plain = [name for name in COLUMNS if name not in ADDRESS]
    assert found.rows[plain].to_dict("list") == wanted.rows[plain].to_dict("list")
    np.testing.assert_allclose(found.rows["hold_s"], wanted.rows["hold_s"], atol=1e-7)
    np.testing.assert_array_equal(found.keys, wanted.keys)
    assert found.space == wanted.space
    assert [step.to_json() for step in found.steps] == [step.to_json() for step in wanted.steps]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_known_and_its_rows_come_back(labelled, target, name):
    report = write(labelled, target(name), name)
    assert sniff_path(target(name)) == name
    found = open_any(target(name))
    assert found.format == name
    assert found.problems == ()
    same(found.samples, labelled.samples)
    assert report.written["samples"] == 5
    wanted = load_pictures(labelled.samples, labelled, size=24)
    np.testing.assert_array_equal(load_pictures(found.samples, found, size=24), wanted)


@pytest.mark.parametrize(("first", "second"), list(permutations(NAMES, 2)))
def test_any_of_them_becomes_any_other(labelled, target, first, second):
    write(labelled, target(first, "one"), first)
    report = write(target(first, "one"), target(second, "two"), second)
    assert report.ledger.balances
    found = open_any(target(second, "two"))
    same(found.samples, labelled.samples)
    wanted = load_pictures(labelled.samples, labelled, size=24)
    np.testing.assert_array_equal(load_pictures(found.samples, found, size=24), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_the_account_is_about_samples(labelled, target, name):
    report = write(labelled, target(name), name)
    assert report.ledger.to_json() == {"samples": {"offered": 5, "kept": 5, "lost": {}, "marked": {}}}
    card = json.loads(card_paths(target(name))[0].read_text())
    assert card["ledger"] == report.ledger.to_json()
    assert card["written"] == {"episodes": 0, "frames": 0, "samples": 5}
    assert "5 samples of Game, from 2 sessions" in card_paths(target(name))[1].read_text()


@pytest.mark.parametrize("name", NAMES)
def test_recordings_without_labels_are_refused(labelled, target, name):
    with pytest.raises(BadInputError, match="without labelled samples"):
        write(Sessions(list(labelled), format="hands"), target(name), name)
    assert left(target(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_occupied_target_is_refused_and_left_as_it_is(labelled, target, name):
    target(name).write_text("mine")
    with pytest.raises(OccupiedError):
        write(labelled, target(name), name)
    assert target(name).read_text() == "mine"
    assert left(target(name)) == [target(name).name]


@pytest.mark.parametrize("name", PIXELS)
@pytest.mark.parametrize("error", [RuntimeError("it breaks"), OSError(28, "No space left on device")])
def test_a_write_that_breaks_leaves_nothing(labelled, target, name, error):
    class Broken(type(labelled[1])):
        def pictures(self, start, stop):
            raise error

        def frames(self, start, stop):
            raise error

    broken = Broken(labelled[1].path)
    source = Sessions([labelled[0], broken], format="hands", samples=labelled.samples)
    with pytest.raises(StorageError if isinstance(error, OSError) else RuntimeError):
        write(source, target(name), name)
    assert left(target(name)) == []


KILLED = """
import os, signal, sys
from rushes.formats.base import convert
from rushes.prepare import reading
decode = reading.resized
def killed(*args, **more):
    for batch in decode(*args, **more):
        yield batch
        os.kill(os.getpid(), signal.SIGKILL)
reading.resized = killed
convert(sys.argv[1], sys.argv[2], format=sys.argv[3], options=sys.argv[4:])
"""


@pytest.mark.parametrize("name", PIXELS)
def test_a_killed_write_leaves_nothing_that_looks_whole_and_can_be_done_again(labelled, target, tmp_path, name):
    table = tmp_path / "in" / "table.parquet"
    convert(labelled, table, format="samples")
    path = target(name)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(table), str(path), name, *OPTIONS.get(name, [])],
        env={"PYTHONPATH": str(LIB)}, capture_output=True, check=False,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert all(p.startswith(".") and p.endswith(".partial") for p in left(path))
    write(table, path, name)
    assert left(path) == sorted([path.name, *(p.name for p in card_paths(path))])


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_do_not_depend_on_the_executor(labelled, target, name):
    written = []
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2) as processes:
        for number, executor in enumerate((None, threads, processes)):
            folder = target(name).parent / "in" / str(number)
            folder.mkdir()
            path = folder / target(name).name
            write(labelled, path, name, executor=executor)
            written.append([p.read_bytes() for p in (path, *card_paths(path))])
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_before_anything_is_written(labelled, target, name):
    with pytest.raises(BadInputError, match="option 'strcit'"):
        convert(labelled, target(name), format=name, options=["strcit=true"])
    assert left(target(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_progress_ends_at_the_total(labelled, target, name):
    calls = []
    write(labelled, target(name), name, progress=lambda *call: calls.append(call))
    assert all(total == 5 for _, total, _ in calls)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert name not in PIXELS or calls[-1][0] == 5


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_went_away_is_named(labelled, target, tmp_path, name):
    table = tmp_path / "in" / "table.parquet"
    convert(labelled, table, format="samples")
    (tmp_path / "in" / "two").rename(tmp_path / "in" / "moved")
    found = open_any(table)
    assert [problem.kind for problem in found.problems] == ["missing_source"]
    if name in PIXELS:
        with pytest.raises(FileNotFoundError, match="session two"):
            write(table, target(name), name)
        assert left(target(name)) == []
    else:
        write(table, target(name), name)
        assert len(open_any(target(name)).samples) == 5
