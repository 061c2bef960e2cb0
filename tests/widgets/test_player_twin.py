"""The static twin of the player says what was planted, and what the player says."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.findings import Finding
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.video import probe
from rushes.store.writer import SessionWriter
from rushes.widgets import player_twin as twins
from rushes.widgets.player import player
from rushes.widgets.player_twin import player_twin

NS, STEP, FRAMES = 1_000_000_000, 50_000_000, 240
DOWN_NS, UP_NS = 4 * NS, 6 * NS


@pytest.fixture
def path(tmp_path):
    """Twelve seconds at 20 Hz whose key is held from 4 s to 6 s, stamped so; a stored offset and a mark."""
    streams = (StreamSpec("screen", "frames", "png", width=32, height=24, rate_hz=20.0), StreamSpec("events", "events"))
    info = SessionInfo("s", "Game", {}, "measured", streams, ActionSpace.from_names(("KeyW",)))
    with SessionWriter(tmp_path / "s", info) as writer:
        writer.write(Start(0))
        for k in range(FRAMES):
            for t_ns, kind, value in ((DOWN_NS, "press", 1.0), (UP_NS, "release", 0.0)):
                if t_ns == k * STEP:
                    writer.write(Event(t_ns, "keyboard", "KeyW", kind, value))
            writer.write(Frame(k * STEP, np.full((24, 32, 3), k, np.uint8)))
        writer.write(Gap(FRAMES * STEP, "stopped"))
    add_fact(tmp_path / "s", "offset", {"ms": 500.0, "low": 490.0, "high": 510.0, "drift_ppm": None}, author="t")
    add_fact(tmp_path / "s", "validity", {"valid": False}, author="t", t_start_ns=NS, t_end_ns=2 * NS)
    return tmp_path / "s"


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the drawing of the timeline."""
    given = {}
    plot = twins.timeline_plot

    def keep(lanes, **more):
        given.update(more, lanes={lane["name"]: lane for lane in lanes})
        return plot(lanes, **more)

    monkeypatch.setattr(twins, "timeline_plot", keep)
    return given


FINDING = Finding("timing.gap", "warning", "a gap", t_ns=9 * NS, frame_index=180)


def test_the_timeline_has_what_was_planted_where_the_player_has_it(path, drawn):
    figure = player_twin(path, findings=[FINDING]).timeline()
    assert drawn["lanes"]["KeyW"]["spans"] == [[DOWN_NS, UP_NS, 1]]
    assert (drawn["from_ns"], drawn["to_ns"]) == (0, FRAMES * STEP)
    assert [(m["t_start_ns"], m["t_end_ns"], m["valid"]) for m in drawn["marks"]] == [(NS, 2 * NS, False)]
    assert [f["t_ns"] for f in drawn["findings"]] == [9 * NS]
    own = player(path, findings=[FINDING])
    assert player_twin(own.link(7)).shown.name == player_twin(path).shown.name, "a link is opened too"
    assert [lane["name"] for lane in own.about["lanes"]] == list(drawn["lanes"])
    assert (own.about["segments"], own.marks) == (drawn["segments"], drawn["marks"])
    own.close()
    assert "stored offset +500.0 ms" in drawn["rest"]
    assert "1 lane (KeyW), 1 segment, 1 mark, 1 finding" in figure.alt


@pytest.mark.parametrize(("offset", "later"), [("measured", 500), (-250.0, -250)])
def test_an_offset_moves_what_was_held(path, drawn, offset, later):
    twin = player_twin(path, offset=offset)
    twin.timeline()
    assert drawn["lanes"]["KeyW"]["spans"] == [[DOWN_NS + later * 1_000_000, UP_NS + later * 1_000_000, 1]]
    assert f"inputs moved {later:+.1f} ms, stored offset +500.0 ms" in drawn["rest"]


def test_pictures_carry_their_number_time_and_what_was_down(path, monkeypatch):
    seen = []
    monkeypatch.setattr(twins, "player_sheet", lambda tiles, *_, **__: seen.extend(tiles))
    player_twin(path).sheet(pictures=240)
    assert [tile.frame for tile in seen] == list(range(FRAMES))
    assert [int(tile.pixels[0, 0, 0]) for tile in seen] == list(range(FRAMES))
    assert [tile.frame for tile in seen if "KeyW" in tile.note.down] == list(range(80, 120)), "4 s to 6 s at 20 Hz"
    with pytest.raises(BadInputError, match="pictures=0"):
        player_twin(path).sheet(pictures=0)


def test_a_clip_of_eight_seconds_shows_the_worst_finding(path, tmp_path, monkeypatch):
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(twins, "write_clip", lambda *_, start, stop, delay_ms: asked.append((start, stop, delay_ms)))
        player_twin(path, findings=[FINDING]).clip(tmp_path / "a.mp4")
        player_twin(path, offset=40.0).clip(tmp_path / "b.mp4")
    assert asked == [(80, 240, 0.0), (40, 200, 40.0)], "as late as there are eight seconds; the middle"
    assert probe(player_twin(path).clip(tmp_path / "c.mp4", 3, 7)).frames == 4
