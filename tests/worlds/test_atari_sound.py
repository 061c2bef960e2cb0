"""The sound of Atari games: Gymnasium's own, every sample of it, in the row of the action that made it."""

import ale_py
import gymnasium
import numpy as np
import pytest
from typer.testing import CliRunner

from rushes.capture.env.play import Play
from rushes.capture.env.sample import sample
from rushes.cli.main import build
from rushes.errors import BadInputError
from rushes.store.hearing import Hearing, hear
from rushes.store.reader import open_session
from rushes.worlds.atari import Atari

gymnasium.register_envs(ale_py)
GAMES = "SpaceInvaders,Breakout"
SHORT = {"frames_per_env": 100, "max_episodes": 2, "workers": 1}


def plain(env_id, seed, actions):
    """What Gymnasium gives for the same actions, frame by frame: (512,) uint8 each."""
    env = gymnasium.make(env_id, frameskip=1, repeat_action_probability=0.0, sound_obs=True)
    env.reset(seed=seed)
    for action in actions:
        yield np.concatenate([env.step(action)[0]["sound"] for _ in range(4)])


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    out = tmp_path_factory.mktemp("sound")
    return [sample(out / str(sound), GAMES, policy="uniform", sound=sound, **SHORT).sessions for sound in (False, True)]


def test_the_sound_is_that_of_plain_gymnasium_sample_by_sample(sampled):
    for session in sampled[1]:
        blocks = list(session.sound("game"))
        heard = set()
        for episode in session.episodes():
            attrs, steps = episode.segment.attrs, episode.steps
            for theirs, t_ns in zip(plain(attrs["env_id"], attrs["seed"], steps["action"]), steps["t_ns"], strict=True):
                block = blocks.pop(0)
                assert (block.t_ns, block.rate_hz, block.samples.shape) == (t_ns, 30_720, (2048, 1))
                np.testing.assert_array_equal(block.samples[:, 0] // 256 + 128, theirs)
                heard |= set(theirs.tolist())
        assert not blocks
        assert len(heard) > 1, "these games are heard"


def test_the_sound_of_an_action_lies_between_its_two_pictures_and_leaves_no_gap(sampled):
    for session in sampled[1]:
        for episode in session.episodes():
            t_ns = session.index(episode.segment.index)["t_ns"].to_numpy()
            assert [b.t_ns for b in session.sound_between("game", t_ns[0], t_ns[-1])] == t_ns[:-1].tolist()
            _, heard = hear(session, None, t_ns[:-1], t_ns[1:], Hearing())
            assert heard.all()
        assert session.ledger["game"].kept == 2048 * len(session.steps())


def test_play_is_the_same_with_and_without_sound(sampled):
    for silent, loud in zip(*sampled, strict=True):
        assert silent.sound_streams == ()
        assert [s.name for s in loud.sound_streams] == ["game"]
        assert silent.steps().equals(loud.steps())
        assert silent.index().equals(loud.index())
        pairs = zip(silent.pictures(0, silent.frame_count), loud.pictures(0, loud.frame_count), strict=True)
        assert all(mine == theirs for mine, theirs in pairs)
        assert "sound" not in silent.info.provenance
        assert loud.info.provenance == {**silent.info.provenance, "sound": True}


def test_the_policy_that_looks_ahead_changes_no_sample(tmp_path):
    sample(tmp_path / "s", "Breakout", frames_per_env=24, max_episodes=1, sound=True, workers=1)
    session = open_session(tmp_path / "s" / "atari_breakout")
    mine = np.concatenate([b.samples[:, 0] for b in session.sound("game")])
    theirs = plain("ALE/Breakout-v5", session.segments[0].attrs["seed"], session.steps()["action"])
    np.testing.assert_array_equal(mine // 256 + 128, np.concatenate(list(theirs)))


def test_a_session_without_sound_is_named_as_it_always_was():
    assert Play("ALE/Pong-v5").session_id == "atari_pong-5691b9596a87"
    assert Play("ALE/Pong-v5", sound=True).session_id != Play("ALE/Pong-v5").session_id


def test_a_world_without_sound_makes_none():
    world = Atari("ALE/Pong-v5")
    world.reset(0)
    world.act(1)
    assert (world.sound_hz, world.sound().shape) == (0, (0, 1))
    with pytest.raises(BadInputError, match="which makes none"):
        Play("CartPole-v1", sound=True)


def test_the_command_line_stores_it_when_asked_to(tmp_path):
    asked = ["--frames-per-env", "6", "--max-episodes", "1", "--policy", "uniform", "--parallel", "1"]
    ran = CliRunner().invoke(build(), ["sample", "Pong", *asked, "--sound", "--output-dir", str(tmp_path / "s")])
    assert ran.exit_code == 0, ran.output
    assert sum(len(b.samples) for b in open_session(tmp_path / "s" / "atari_pong").sound("game")) == 5 * 2048
