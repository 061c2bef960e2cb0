"""A choice of games accounts for all that it leaves out."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rushes.errors import BadNameError
from rushes.formats.base import convert
from rushes.formats.games import of_games
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Frame, Gap, Start
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_sessions
from rushes.store.writer import SessionWriter

KEYS = ActionSpace.from_names(["KeyW"])
STREAMS = (StreamSpec("screen", "frames", "png", width=8, height=6), StreamSpec("events", "events"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sessions of 3, 4 and 5 frames."""
    root = tmp_path_factory.mktemp("sessions")
    for game, frames in (("Doom", 3), ("Pong", 4), ("Doom II", 5)):
        info = SessionInfo(game, game, {"kind": "synthetic", "name": "test"}, "measured", STREAMS, KEYS)
        with SessionWriter(root / game, info) as writer:
            writer.write(Start(0))
            for k in range(frames):
                writer.write(Frame(k * 10**8, np.full((6, 8, 3), k, np.uint8)))
            writer.write(Gap(frames * 10**8, "end"))
    return root


def test_the_frames_of_other_games_are_lost_by_name_and_the_card_says_whose(tmp_path, folder):
    report = convert(folder, tmp_path / "out", format="session", games=["DOOM", "Pong"])
    frames = report.ledger["frames"]
    assert (frames.offered, frames.kept, frames.lost) == (12, 7, {"other_game": 5})
    assert report.ledger.balances
    card = json.loads((tmp_path / "out.card.json").read_text())
    assert card["games"] == ["Doom", "Pong"]
    assert [p["sentence"] for p in card["problems"]] == [
        "sessions of games that were not asked for are left out: Doom II (1)"
    ]


def test_all_games_or_none_named_change_nothing(folder):
    sessions = open_sessions(folder)
    assert of_games(sessions, ()) is sessions
    assert of_games(sessions, None) is sessions
    assert of_games(sessions, ["doom", "doom ii", "pong"]) is sessions
    assert [r.info.id for r in of_games(sessions, "Pong")] == ["Pong"]


def test_an_unknown_game_is_an_error_that_lists_those_there_are(folder, tmp_path):
    with pytest.raises(BadNameError, match=r"game 'Fortnite'; accepted: Doom, Doom II, Pong"):
        convert(folder, tmp_path / "out", format="session", games=["Pong", "Fortnite"])


def test_a_source_that_keeps_no_ledger_is_counted_by_its_frames():
    recordings = [
        SimpleNamespace(info=SimpleNamespace(game=g, id=g), ledger=Ledger(), frame_count=n, problems=())
        for g, n in (("A", 3), ("B", 4))
    ]
    ledger = of_games(Sessions(recordings, format="test"), "B").ledger
    assert ledger["frames"] == Account(7, 4, {"other_game": 3})


def test_rows_go_with_the_recording_that_their_pixels_are_from(folder):
    sessions = open_sessions(folder)
    rows = pd.DataFrame({"session": ["Doom", "Pong", "Doom"], "action_session": ["Doom", "Pong", "Pong"]})
    before = Ledger({"samples": Account(4, 3, {"broken": 1})})
    labelled = Sessions(list(sessions), format="samples", ledger=before, samples=Samples(rows, KEYS))
    chosen = of_games(labelled, "Doom")
    assert chosen.samples.rows["action_session"].tolist() == ["Doom", "Pong"]
    assert chosen.ledger["samples"] == Account(4, 2, {"broken": 1, "other_game": 1})
