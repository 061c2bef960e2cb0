"""The replay check finds a single wrong pixel, action, reward or seed, and says which frame."""

import io
import json
import shutil
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rushes.capture.env.sample import sample
from rushes.capture.hand.backend import HandBackend
from rushes.capture.hand.settings import HandSettings
from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.qa.replay import check_replay
from rushes.qa.subject import Subject
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.validity import honour


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    out = tmp_path_factory.mktemp("replay") / "s"
    return sample(out, "Breakout", frames_per_env=60, max_episodes=2, policy="persistent", workers=1).sessions[0].path


@pytest.fixture
def copy(sampled, tmp_path):
    return shutil.copytree(sampled, tmp_path / "copy")


def only(path):
    (finding,) = [f for f in check_replay(Subject(open_session(path))) if f.severity != "info"]
    return finding


def test_sampled_play_comes_back_bit_for_bit(sampled):
    (finding,) = check_replay(Subject(open_session(sampled)))
    assert (finding.check, finding.severity, finding.value) == ("replay.exact", "info", 60.0)


def test_sticky_play_comes_back_too(tmp_path):
    sample(tmp_path / "s", "Pong", frames_per_env=40, max_episodes=2, sticky=0.3, policy="uniform", workers=1)
    assert [f.check for f in check_replay(Subject(open_session(tmp_path / "s" / "atari_pong")))] == ["replay.exact"]


def test_one_wrong_pixel_is_found_with_its_frame(copy):
    path = copy / "chunks" / "0001" / "images.parquet"
    table = pq.read_table(path)
    data = table["data"].to_pylist()
    picture = np.asarray(Image.open(io.BytesIO(data[17])).convert("RGB")).copy()
    picture[100, 80, 1] ^= 1
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    data[17] = buffer.getvalue()
    pq.write_table(table.set_column(2, "data", pa.array(data, pa.large_binary())), path)
    finding = only(copy)
    assert (finding.check, finding.frame_index) == ("replay.differs", 17)


def test_actions_shifted_by_one_are_found(copy):
    path = copy / "chunks" / "0001" / "steps.parquet"
    table = pq.read_table(path)
    action = table["action"].to_pylist()
    pq.write_table(table.set_column(3, "action", pa.array([0, *action[:-1]])), path)
    assert only(copy).check == "replay.differs"


def test_a_wrong_reward_is_found_at_its_step(copy):
    path = copy / "chunks" / "0002" / "steps.parquet"
    table = pq.read_table(path)
    reward = table["reward"].to_pylist()
    reward[9] += 1.0
    pq.write_table(table.set_column(5, "reward", pa.array(reward)), path)
    finding = only(copy)
    assert (finding.frame_index, "outcome" in finding.sentence) == (39, True)


def test_an_episode_that_does_not_say_its_seed_cannot_be_told(copy):
    path = copy / "chunks" / "0001" / "chunk.json"
    summary = json.loads(path.read_text())
    del summary["segments"][0]["attrs"]["seed"]
    path.write_text(json.dumps(summary))
    findings = list(check_replay(Subject(open_session(copy))))
    assert [f.check for f in findings] == ["replay.cannot_tell", "replay.exact"]
    assert "seed" in findings[0].sentence


def test_recorded_play_is_none_of_its_business(tmp_path):
    assert list(check_replay(Subject(record(SyntheticBackend(frames=3), tmp_path / "s")))) == []


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Pong by hand, with a pause in the middle of the episode."""
    backend = HandBackend(HandSettings("Pong", sound=False, seconds=0.6, start_immediately=True))
    for seconds, order in ((0.3, "pause"), (0.4, "resume")):
        threading.Timer(seconds, backend.orders.put, (order,)).start()
    path = record(backend, tmp_path_factory.mktemp("hand") / "paused").path
    assert [s.end_reason for s in open_session(path).segments] == ["pause", "max_seconds"]
    return path


@pytest.fixture
def paused(played, tmp_path):
    return shutil.copytree(played, tmp_path / "copy")


def test_an_episode_that_was_paused_is_followed_into_its_next_segment(paused):
    (finding,) = check_replay(Subject(open_session(paused)))
    assert (finding.check, finding.value) == ("replay.exact", open_session(paused).frame_count)


@pytest.mark.parametrize(("key", "more"), [("from_step", 1), ("seed", 1)])
def test_a_segment_that_does_not_follow_on_the_one_before_cannot_be_told(paused, key, more):
    path = paused / "chunks" / "0002" / "chunk.json"
    summary = json.loads(path.read_text())
    summary["segments"][0]["attrs"][key] += more
    path.write_text(json.dumps(summary))
    assert [f.check for f in check_replay(Subject(open_session(paused)))] == ["replay.cannot_tell", "replay.exact"]


def test_what_is_left_of_a_later_part_says_where_it_stands_in_the_episode(paused):
    session = open_session(paused)
    second = session.segments[1]
    start_ns = second.start_ns
    stop_ns = int(session.index(1)["t_ns"].iloc[4])
    add_fact(paused, "validity", {"valid": False}, author="me", t_start_ns=start_ns, t_end_ns=stop_ns)
    left = honour(open_session(paused)).segments
    assert left[1].attrs["from_step"] == second.attrs["from_step"] + 4
