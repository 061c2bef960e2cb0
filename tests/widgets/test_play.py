"""Playing by hand on the kernel's side: what the page says becomes orders, what comes back is shown, nothing raises."""

import sys
import threading
import time
from pathlib import Path

import pytest

from rushes.capture.hand.settings import HandSettings
from rushes.errors import BadInputError, BadNameError, MissingError, RushesError, StoppedError
from rushes.widgets import play_view
from rushes.widgets.play import play
from rushes.widgets.play_games import playable_games
from rushes.widgets.play_panel import LOST_S, PlayPanel

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from waiting import until

STATE = {
    "is": "state", "state": "playing", "frames": 61, "steps": 60, "rate_hz": 59.9, "asked_hz": 60.0, "late": 1,
    "latency_ms": {"p50": 9.5, "p95": 21.0}, "bindings": [{"does": "FIRE", "keys": ["Space"], "pad": ["SOUTH"]}],
    "sound_hz": 30720,
}  # fmt: skip
FRAME = {
    "is": "frame",
    "number": 7,
    "type": "png",
    "score": 2.0,
    "reward": 1.0,
    "lives": 3,
    "human": True,
    "episode": 0,
}


class Fake:
    """A playing process that does what the test says."""

    def __init__(self, settings, told):
        self.settings, self.told = settings, told
        self.path = Path(settings.out or "play")
        self.sent = []
        self.end = {"path": str(self.path), "frames": 61, "reason": "stop", "error": None}
        self._over = threading.Event()

    @property
    def running(self):
        return not self._over.is_set()

    def send(self, message):
        self.sent.append(message)
        if message["do"] == "stop":
            self._over.set()

    def result(self):
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


@pytest.fixture
def made():
    return []


@pytest.fixture
def panel(made):
    panel = PlayPanel(HandSettings("ALE/Breakout-v5"), process=lambda *given: made.append(Fake(*given)) or made[-1])
    panel.out = []
    panel.view.send = lambda message, buffers=None: panel.out.append((message, buffers))
    yield panel
    panel.close()


def page(panel, **message):
    """Let the page say something."""
    panel.view._handle_custom_msg(message, [])


def begin(panel, made):
    page(panel, do="hello")
    page(panel, do="start", env_id="ALE/Breakout-v5")
    made[-1].told({**STATE, "state": "ready", "frames": 0}, b"")
    page(panel, do="sync", s=1, c=2.0)
    made[-1].told(STATE, b"")
    return made[-1]


def test_nothing_is_made_before_start_and_a_start_waits_for_the_clock_of_the_page(panel, made):
    assert (panel.state, panel.path, made) == ("off", None, [])
    page(panel, do="start", env_id="ALE/Breakout-v5")
    assert panel.state == "starting"
    made[0].told({**STATE, "state": "ready", "frames": 0}, b"")
    assert panel.state == "ready"
    assert made[0].sent == []
    page(panel, do="sync", s=5, c=6.5)
    assert made[0].sent == [{"do": "sync", "s": 5, "c": 6.5}, {"do": "start"}]
    page(panel, do="sync", s=6, c=7.5)
    assert made[0].sent[2:] == [{"do": "sync", "s": 6, "c": 7.5}], "it begins once"


def test_a_panel_without_a_page_begins_all_the_same(panel, made):
    panel.start()
    made[0].told({**STATE, "state": "ready", "frames": 0}, b"")
    until(lambda: {"do": "start"} in made[0].sent)


def test_keys_and_pads_go_on_as_they_are_and_buttons_are_orders(panel, made):
    game = begin(panel, made)
    del game.sent[:]
    given = [
        {"do": "keys", "rows": [[1.5, "Space", 1]]},
        {"do": "pad", "t": 2.0, "axes": [0, 0.5], "buttons": [1]},
        {"do": "pause"}, {"do": "resume"}, {"do": "restart"},
    ]  # fmt: skip
    for message in given:
        page(panel, **message)
    assert game.sent == given


def test_pictures_and_sound_are_handed_on_with_their_bytes_and_counters_are_shown(panel, made):
    game = begin(panel, made)
    game.told(FRAME, b"picture")
    game.told({"is": "sound", "rate": 30720, "channels": 1, "t_ns": 0}, b"samples")
    assert panel.out[-2] == ({**FRAME, "sent": 1}, [b"picture"])
    assert panel.out[-1][1] == [b"samples"]
    look = panel.view.look
    assert (look["state"], look["seconds"], look["status"]["latency_ms"]) == ("playing", 1.0, [9.5, 21.0])
    assert (look["bindings"], look["can_hear"]) == (STATE["bindings"], True)
    assert panel.path == Path("play")


def test_a_page_that_lags_behind_gets_few_pictures_until_it_has_caught_up(panel, made):
    game = begin(panel, made)
    for number in range(play_view.BEHIND + 60):
        game.told({**FRAME, "number": number}, b"")
    pictures = [message for message, _ in panel.out if message["is"] == "frame"]
    assert [p["number"] for p in pictures[: play_view.BEHIND]] == list(range(play_view.BEHIND))
    assert len(pictures) == play_view.BEHIND + 4, "one of fifteen"
    page(panel, do="got", sent=pictures[-1]["sent"])
    game.told({**FRAME, "number": 999}, b"")
    assert panel.out[-1][0]["number"] == 999


def test_a_page_that_comes_back_gets_the_last_picture(panel, made):
    game = begin(panel, made)
    game.told(FRAME, b"picture")
    del panel.out[:]
    page(panel, do="hello")
    assert [(message["is"], buffers) for message, buffers in panel.out] == [("met", None), ("frame", [b"picture"])]
    assert panel.out[-1][0]["number"] == 7


def test_a_page_that_gives_no_sign_pauses_the_play_and_the_panel_says_why(panel, made):
    game = begin(panel, made)
    del game.sent[:]
    began = time.monotonic()
    until(lambda: {"do": "pause"} in game.sent)
    assert time.monotonic() - began > LOST_S * 0.9
    game.told({**STATE, "state": "paused"}, b"")
    assert "no sign" in panel.view.look["said"]
    page(panel, do="resume")
    game.told(STATE, b"")
    assert "no sign" not in panel.view.look["said"]


def test_stop_ends_and_says_where_the_session_is(panel, made):
    game = begin(panel, made)
    page(panel, do="stop")
    until(lambda: panel.state == "ended")
    assert game.sent[-1] == {"do": "stop"}
    assert "61 frames, ended by stop. The session is play" in panel.view.look["said"]
    assert panel.view.look["tone"] == "ok"
    page(panel, do="start", env_id="CartPole-v1")
    assert made[1].settings.env_id == "CartPole-v1"


def test_what_goes_wrong_is_a_sentence_and_start_tries_again(panel, made):
    game = begin(panel, made)
    game.end = StoppedError("a game that died", accepts="one that lives", fix="`rushes recover play`")
    game.send({"do": "stop"})
    until(lambda: panel.state == "failed")
    assert "rushes recover play" in panel.view.look["said"]
    assert panel.view.look["tone"] == "bad"
    page(panel, do="start", env_id="ALE/Breakout-v5")
    assert len(made) == 2
    assert panel.error is None


def test_a_process_that_cannot_be_made_is_a_sentence_too():
    def refuse(*_):
        raise RushesError("no emulator", accepts="one", fix="install it")

    panel = PlayPanel(HandSettings(), process=refuse)
    panel.start()
    assert panel.state == "failed"
    assert "no emulator" in panel.view.look["said"]


@pytest.mark.parametrize(
    "message",
    [
        {"do": "fly"}, {}, {"do": "start"}, {"do": "start", "env_id": "NoSuchGame-v0"}, {"do": "got", "sent": "x"},
        {"do": "control", "who": "policy"}, {"do": "control"}, {"do": "choose", "env_id": "Breakout,Pong"},
    ],
)  # fmt: skip
def test_a_message_of_the_page_that_means_nothing_raises_nothing_and_is_said(panel, made, message):
    page(panel, **message)
    assert panel.view.look["tone"] == "warn"
    assert made == []


def test_what_the_game_refuses_is_said(panel, made):
    game = begin(panel, made)
    game.told({"is": "refused", "given": "message 'fly'", "accepts": "start, pause", "fix": "say start"}, b"")
    assert "message 'fly'; accepted: start, pause" in panel.view.look["said"]


def test_another_environment_can_be_chosen_only_while_none_is_played(panel, made):
    page(panel, do="choose", env_id="ALE/Pong-v5")
    assert panel.settings.env_id == panel.view.look["env_id"] == "ALE/Pong-v5"
    begin(panel, made)
    page(panel, do="choose", env_id="ALE/Alien-v5")
    assert panel.settings.env_id == "ALE/Breakout-v5"


def test_who_plays_can_be_said_where_there_is_a_policy(made):
    panel = PlayPanel(HandSettings(policy="persistent"), process=lambda *given: made.append(Fake(*given)) or made[-1])
    assert panel.who == "shared"
    panel.control("policy")
    panel.start()
    assert made[0].settings.control == "policy"
    panel.control("human")
    assert made[0].sent == [{"do": "control", "who": "human"}]
    assert (panel.view.look["who"], panel.view.look["policy"]) == ("human", "persistent")
    with pytest.raises(BadInputError):
        panel.control("nobody")
    panel.close()


def test_later_sessions_stand_beside_the_first_and_can_be_opened_only_when_there_is_one(tmp_path, made):
    panel = PlayPanel(
        HandSettings(out=str(tmp_path / "take")), process=lambda *given: made.append(Fake(*given)) or made[-1]
    )
    with pytest.raises(MissingError, match="press Start"):
        panel.session()
    for name in ("take", "take_2"):
        panel.start()
        assert made[-1].path == tmp_path / name
        made[-1].path.mkdir()
        (made[-1].path / "session.json").touch()
        panel.close()
        assert panel.state == "ended"


def test_play_takes_one_environment_by_any_of_its_names():
    assert play("breakout").settings.env_id == "ALE/Breakout-v5"
    with pytest.raises(BadInputError):
        play("Breakout,Pong")
    with pytest.raises(BadNameError):
        play("NoSuchGame")


def test_the_environments_to_choose_from_are_those_that_can_be_made_here():
    games = {game["id"]: game for game in playable_games()}
    assert sum(game["group"] == "Atari" for game in games.values()) >= 100
    assert games["CartPole-v1"]["name"] == "Cart Pole"
    assert "CartPole-v0" not in games, "of several versions the newest"
    assert not any(env_id.startswith(("phys2d", "GymV")) for env_id in games)


def test_a_real_game_is_played_from_edge_to_session(tmp_path):
    panel = play("Breakout", out=tmp_path / "bricks", seed=4)
    shown = []

    def answer(message, buffers=None):
        shown.append(message["is"])
        if message["is"] == "sync":
            page(panel, do="sync", s=message["s"], c=time.monotonic() * 1000)

    panel.view.send = answer
    panel.start()
    until(lambda: panel.view.look["status"].get("steps"))  # a key before the first step is none of the play
    page(panel, do="keys", rows=[[None, "ArrowRight", 1]])
    until(lambda: panel.view.look["status"].get("events", 0) and shown.count("frame") > 10)
    panel.stop()
    until(lambda: panel.state == "ended")
    session = panel.session()
    assert session.frame_count == panel.result["frames"]
    assert session.events()["control"].tolist()[:1] == ["ArrowRight"]
    assert "ALE/RIGHT" in session.steps()["action_name"].tolist()
    assert "sync" in shown, "the page is asked for its clock"
