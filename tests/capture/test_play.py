"""The parameters of a sampled game."""

import pytest

from rushes.capture.env.play import CHANCE, POLICY, Play
from rushes.errors import BadInputError


def test_frames_are_shared_evenly_and_what_an_early_end_leaves_goes_to_the_next():
    play = Play("ALE/Alien-v5", frames_per_env=100, max_episodes=3)
    assert play.share(0, 0) == 34
    assert play.share(1, 34) == 33
    assert play.share(2, 67) == 33
    assert play.share(1, 10) == 45, "24 frames were left"
    assert play.share(2, 55) == 45


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"frames_per_env": 0}, "frames_per_env=0; accepted: a whole number from 1"),
        ({"frames_per_env": -5}, "frames_per_env=-5"),
        ({"max_episodes": 0}, "max_episodes=0"),
        ({"frames_per_env": 10.5}, "frames_per_env=10.5"),
        ({"max_episodes": True}, "max_episodes=True"),
        ({"frameskip": 0}, "frameskip=0"),
        ({"randomness": 1.5}, "randomness=1.5; accepted: a number from 0 to 1"),
        ({"randomness": -0.1}, "randomness=-0.1"),
        ({"randomness": float("nan")}, "randomness=nan"),
        ({"sticky": 2}, "sticky=2"),
        ({"seed": -1}, "seed=-1"),
        ({"frames_per_env": 5, "max_episodes": 3}, "at least two frames an episode"),
    ],
)
def test_values_out_of_range_are_refused_with_what_is_accepted_and_what_to_do(given, part):
    with pytest.raises(BadInputError) as caught:
        Play("ALE/Alien-v5", **given)
    assert part in str(caught.value)
    assert "To mend it:" in str(caught.value)


def test_random_streams_depend_on_seed_game_purpose_and_episode_and_on_nothing_else():
    play = Play("ALE/Alien-v5", seed=3)
    same = Play("ALE/Alien-v5", seed=3, frames_per_env=999, policy="uniform")
    draw = {play.stream(POLICY, 0).random(), play.stream(CHANCE, 0).random(), play.stream(POLICY, 1).random()}
    draw |= {
        Play("ALE/Pong-v5", seed=3).stream(POLICY, 0).random(),
        Play("ALE/Alien-v5", seed=4).stream(POLICY, 0).random(),
    }
    assert len(draw) == 5
    assert same.stream(POLICY, 0).random() == play.stream(POLICY, 0).random()
    assert same.episode_seed(2) == play.episode_seed(2)


def test_the_id_of_a_session_says_all_its_parameters():
    assert Play("ALE/Alien-v5").session_id == Play("ALE/Alien-v5").session_id
    assert Play("ALE/Alien-v5").session_id != Play("ALE/Alien-v5", sticky=0.1).session_id
    assert Play("ALE/Alien-v5").session_id.startswith("atari_alien-")
