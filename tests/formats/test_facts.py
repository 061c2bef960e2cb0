"""What is marked invalid stays out of every export but the plain copy, and is counted."""

import numpy as np
import pandas as pd
import pytest

from rushes.capture.env.sample import sample
from rushes.errors import BadInputError
from rushes.formats.base import FORMATS, convert, get_format, open_any
from rushes.store.facts import add_fact, read_facts
from rushes.store.reader import open_session


@pytest.fixture
def marked(tmp_path):
    sample(tmp_path / "s", "Pong", frames_per_env=20, max_episodes=2, policy="uniform", workers=1)
    path = tmp_path / "s" / "atari_pong"
    t_ns = open_session(path).index()["t_ns"].tolist()
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=t_ns[3], t_end_ns=t_ns[6])
    return path


def taking(what):
    return [n for n in FORMATS if get_format(n).honours_facts and get_format(n).takes == what]


@pytest.mark.parametrize("name", taking("steps"))
def test_a_marked_stretch_is_left_out_of_the_export_and_never_bridged(marked, tmp_path, name):
    report = convert(marked, tmp_path / "out", format=name)
    assert report.written["frames"] == 17
    assert report.ledger["frames"].lost == {"marked_invalid": 3}
    assert report.ledger.balances
    back = open_any(tmp_path / "out")
    assert sorted(e.observations for e in back.episodes()) == [3, 4, 10]
    session = open_session(marked)
    stored = [session.frame(k).tobytes() for k in [0, 1, 2, *range(6, 20)]]
    assert sorted(f.tobytes() for e in back.episodes() for f in e.frames()) == sorted(stored)


@pytest.mark.parametrize("name", taking("inputs"))
def test_a_marked_stretch_of_recorded_play_is_left_out_and_no_window_crosses_it(hand_play, tmp_path, name):
    session = hand_play.play(tmp_path / "s", [20], [hand_play.press(12.5, "KeyW")])
    t_ns = session.index()["t_ns"].tolist()
    add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=t_ns[8], t_end_ns=t_ns[10])
    suffix, options = (".pt", ["img_size=8", "seq_len=4"]) if name == "nitrogen_pt" else ("", None)
    report = convert(session.path, tmp_path / f"out{suffix}", format=name, options=options)
    windows = {"nitrogen_pt": [5, 7]}
    assert [s.frames for r in open_any(report.target) for s in r.segments] == windows.get(name, [8, 10])
    assert report.ledger["frames"].lost["marked_invalid"] == 2
    assert report.ledger.balances


def test_no_row_of_a_table_shows_a_marked_frame(marked, tmp_path):
    convert(marked, tmp_path / "out.parquet", format="simple")
    table = pd.read_parquet(tmp_path / "out.parquet")
    t_ns = open_session(marked).index()["t_ns"].to_numpy()
    assert not np.isin(table["t_ns"], t_ns[3:6]).any()
    assert len(table) == 17


def test_the_plain_copy_keeps_the_raw_streams_and_the_facts(marked, tmp_path):
    convert(marked, tmp_path / "copy", format="session")
    (copy,) = open_any(tmp_path / "copy")
    assert copy.frame_count == 20
    assert read_facts(copy.path) == read_facts(marked)


def test_a_source_of_which_nothing_is_left_is_refused(marked, tmp_path):
    add_fact(marked, "validity", {"valid": False}, author="me")
    with pytest.raises(BadInputError, match="without any episode"):
        convert(marked, tmp_path / "out", format="simple")
    assert not (tmp_path / "out").exists()
