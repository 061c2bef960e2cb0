"""What every format keeps to that is written from keyboard, mouse or pad: run over the table, as `test_formats` is."""

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
from rushes.store.pairing import pairs

HANDS = Path(__file__).parents[1] / "formats" / "hands.py"
LIB = Path(__file__).parents[2] / "lib"
NAMES = [name for name in FORMATS if get_format(name).takes == "inputs"]
BOTH = [name for name in FORMATS if get_format(name).takes in {"inputs", "any"}]
LAID = [name for name in NAMES if not get_format(name).keeps.events]
"""Those that write rows of a layout; one that keeps events has a place for every key."""
SUFFIX = {"nitrogen_pt": ".pt"}
OPTIONS = {"nitrogen_pt": ["img_size=12", "seq_len=4"], "reacture": ["size=16"]}
KEYS = {"KeyW": "", "KeyE": "NORTH", "MouseLeft": "RIGHT_TRIGGER"}


def _load():
    spec = importlib.util.spec_from_file_location("contract_hands", HANDS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hands = _load()


@pytest.fixture
def play():
    return Sessions([hands.Hands([11, 8]), hands.Hands([9], salt=2)], format="hands")


@pytest.fixture
def target(tmp_path):
    return lambda name, stem="target": tmp_path / f"{stem}{SUFFIX.get(name, '')}"


def write(play, path, name, **more):
    return convert(play, path, format=name, options=OPTIONS.get(name), **more)


def rows(recording):
    """What was done on each frame, by frame_index: keys that are held, and motion.

    A format of pad controls gives them back as such; the default map says which keys and how much motion they are.
    """
    found = {}
    for pair in pairs(recording):
        grid, still = pair.grid, np.zeros(len(pair))
        held = [grid.held.get(key, still) + grid.held.get(pad, still) for key, pad in KEYS.items()]
        held[0] = held[0] + (grid.axes.get("J_LEFT_Y", still) == -1)
        moved = [
            grid.motion.get(way, still) + 300 * grid.axes.get(stick, still)
            for way, stick in (("MouseDX", "J_RIGHT_X"), ("MouseDY", "J_RIGHT_Y"))
        ]
        table = np.stack([*held, *moved], axis=1)
        found |= dict(zip(pair.index["frame_index"].tolist(), table.tolist(), strict=True))
    return found


# What `hands.some` does in the first four rows of every segment: W, E, left button, right and down.
SOME = [[1, 0, 0, 0, 0], [1, 1, 0, 4, -3], [1, 0, 1, 0, 0], [0, 0, 1, 0, 0]]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_known_and_its_rows_come_back(play, target, name):
    report = write(play, target(name), name)
    assert sniff_path(target(name)) == name
    found = open_any(target(name))
    assert found.format == name
    assert found.ledger.balances
    assert report.ledger.balances
    assert report.written["frames"] == sum(r.frame_count for r in found)
    segments = [(r, s) for r in found for s in r.segments]
    assert len(segments) == 3
    for recording, segment in segments:
        there = rows(recording)
        first = [there[k] for k in range(segment.first_frame, segment.first_frame + 4)]
        np.testing.assert_allclose(first, SOME, atol=1e-4)


@pytest.mark.parametrize(("first", "second"), list(permutations(BOTH, 2)))
def test_any_of_them_becomes_any_other(play, target, first, second):
    write(play, target(first, "one"), first)
    report = write(target(first, "one"), target(second, "two"), second)
    assert report.ledger.balances
    for recording in open_any(target(second, "two")):
        for segment in recording.segments:
            there = rows(recording)
            first_rows = [there[k] for k in range(segment.first_frame, segment.first_frame + 4)]
            np.testing.assert_allclose(first_rows, SOME, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_an_occupied_target_is_refused_and_left_as_it_is(play, target, name):
    target(name).write_text("mine")
    with pytest.raises(OccupiedError):
        write(play, target(name), name)
    assert target(name).read_text() == "mine"
    assert [p.name for p in target(name).parent.iterdir()] == [target(name).name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [RuntimeError("it breaks"), OSError(28, "No space left on device")])
def test_a_write_that_breaks_leaves_nothing(play, target, name, error):
    broken = hands.Hands([11, 8], salt=3, break_at=13, error=error)
    with pytest.raises(StorageError if isinstance(error, OSError) else RuntimeError):
        write(Sessions([play[1], broken], format="x"), target(name), name)
    assert list(target(name).parent.iterdir()) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import hands
from rushes.formats.base import convert
class Killed(hands.Hands):
    def _break(self, k):
        if k == 9:
            os.kill(os.getpid(), signal.SIGKILL)
convert(Killed([6, 8]), sys.argv[2], format=sys.argv[3], options=sys.argv[4:])
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_write_leaves_nothing_that_looks_whole_and_can_be_done_again(target, name):
    path = target(name)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(HANDS.parent), str(path), name, *OPTIONS.get(name, [])],
        env={"PYTHONPATH": str(LIB)}, capture_output=True, check=False,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert all(p.name.startswith(".") and p.name.endswith(".partial") for p in path.parent.iterdir())
    write(hands.Hands([6, 8]), path, name)
    assert set(path.parent.iterdir()) == {path, *card_paths(path)}


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_do_not_depend_on_the_executor(target, name):
    play = Sessions([hands.Hands([40, 30]), hands.Hands([8], salt=2)], format="hands")
    written = []
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2) as processes:
        for number, executor in enumerate((None, threads, processes)):
            folder = target(name).parent / str(number)
            folder.mkdir()
            write(play, folder / target(name).name, name, executor=executor)
            files = sorted(p for p in folder.rglob("*") if p.is_file())
            written.append({p.relative_to(folder): p.read_bytes() for p in files})
    assert written[0]
    for which, other in (("threads", written[1]), ("processes", written[2])):
        unlike = {
            str(path): (written[0].get(path, b"")[-400:], other.get(path, b"")[-400:])
            for path in {*written[0], *other}
            if written[0].get(path) != other.get(path)
        }
        assert not unlike, f"{which}: the ends of what differs"


@pytest.mark.parametrize("name", LAID)
def test_a_control_without_a_place_stands_in_the_ledger(target, name):
    def typed(start):
        return [*hands.some(start), *(hands.key(start + 3 * hands.STEP + k, "KeyM", kind) for k, kind in
                                      enumerate(("press", "release")))]  # fmt: skip

    report = write(hands.Hands([11], events=[typed]), target(name), name)
    assert report.ledger["events"].offered == 10
    assert report.ledger["events"].lost == {"no_place_KeyM": 2}
    card = json.loads(card_paths(target(name))[0].read_text())
    assert card["ledger"]["events"]["lost"] == {"no_place_KeyM": 2}


@pytest.mark.parametrize("name", NAMES)
def test_play_without_any_control_that_has_a_place_is_refused(target, name):
    spec = importlib.util.spec_from_file_location("contract_fake_play", HANDS.with_name("fake.py"))
    fake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fake)
    with pytest.raises(BadInputError, match="ALE/"):
        write(fake.Fake([11, 8]), target(name), name)
    assert list(target(name).parent.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_before_anything_is_written(play, target, name):
    with pytest.raises(BadInputError, match="did you mean 'strict'"):
        convert(play, target(name), format=name, options=["strcit=true"])
    assert list(target(name).parent.iterdir()) == []
