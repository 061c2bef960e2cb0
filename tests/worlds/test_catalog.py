"""From what people type to environments."""

import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.model.games import session_name, title
from rushes.worlds.atari import atari_ids
from rushes.worlds.catalog import make_world, resolve_games


def test_bare_names_full_ids_reference_names_and_any_case_mean_the_same():
    for name in ("Breakout", "breakout", "ALE/Breakout-v5", "atari_breakout"):
        assert resolve_games(name) == ("ALE/Breakout-v5",)


def test_order_is_kept_and_each_game_comes_once():
    assert resolve_games(" Pong,Alien, Pong ,CartPole-v1") == ("ALE/Pong-v5", "ALE/Alien-v5", "CartPole-v1")


def test_all_means_every_atari_game():
    assert resolve_games("all") == atari_ids()


def test_a_mistyped_name_is_refused_with_the_near_one():
    with pytest.raises(BadNameError, match="did you mean 'Breakout'"):
        resolve_games("Alien,Brekout")
    with pytest.raises(BadInputError, match="name a game"):
        resolve_games(" , ")


def test_folder_names_are_the_references_own_where_it_has_exceptions():
    """Names from the reference's environment list."""
    named = {
        "ALE/Alien-v5": "atari_alien",
        "ALE/BeamRider-v5": "atari_beamrider",
        "ALE/MontezumaRevenge-v5": "atari_montezuma",
        "ALE/KungFuMaster-v5": "atari_kongfumaster",
        "ALE/PrivateEye-v5": "atari_privateye",
        "ALE/Asteroids-v5": "atari_asteroid",
        "ALE/Surround-v5": "atari_surround",
        "CartPole-v1": "cartpole_v1",
    }
    for env_id, name in named.items():
        assert session_name(env_id) == name
    names = [session_name(i) for i in atari_ids()]
    assert len(set(names)) == len(names)


def test_titles_read_as_people_say_them():
    assert title("ALE/MontezumaRevenge-v5") == "Montezuma Revenge"
    assert title("ALE/Alien-v5") == "Alien"


def test_a_world_of_either_kind_is_made():
    assert make_world("ALE/Pong-v5", frameskip=2).frameskip == 2
    assert make_world("CartPole-v1").frameskip == 1
