"""The replay check finds a single wrong pixel, action, reward or seed, and says which frame."""

import io
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rushes.capture.env.sample import sample
from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.qa.replay import check_replay
from rushes.qa.subject import Subject
from rushes.store.reader import open_session


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
