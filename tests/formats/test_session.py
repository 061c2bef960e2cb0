import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.playback import indices
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Frame, Gap, Start, Step, Telemetry
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact, read_facts
from rushes.store.fingerprint import of_tree
from rushes.store.images import encode_indexed
from rushes.store.reader import open_session
from rushes.store.validity import Valid
from rushes.store.writer import SessionWriter

PALETTE = np.arange(768, dtype=np.uint8).reshape(256, 3)


def screen(k: int) -> np.ndarray:
    return np.full((6, 8), k, np.uint8)


def environment(path, *, session="pong-1"):
    info = SessionInfo(
        id=session,
        game="Pong",
        source={"kind": "env", "name": "ALE/Pong-v5"},
        time_source="emulated",
        streams=(StreamSpec("screen", "frames", "png-indexed", width=8, height=6), StreamSpec("steps", "steps")),
        action_space=ActionSpace.discrete(["ALE/NOOP", "ALE/FIRE"]),
    )
    with SessionWriter(path, info) as writer:
        for episode in range(2):
            start = episode * 30
            writer.write(Start(start, {"env_id": "ALE/Pong-v5", "episode": episode, "seed": 5}))
            for k in range(3):
                writer.write(Frame(start + 10 * k, screen(10 * episode + k), PALETTE))
                if k < 2:
                    writer.write(Step(start + 10 * k, -1, k, ["ALE/NOOP", "ALE/FIRE"][k], 0.5, lives=3))
            writer.write(Gap(start + 20, "terminated", {"score": 1.0}))
    return path


def recorded(path):
    """A recording with all that can be strange: repeats, late and dropped ticks, events outside, two clocks."""
    info = SessionInfo(
        id="desk-1",
        game="Desk",
        source={"kind": "desktop", "name": "screen"},
        time_source="measured",
        streams=(StreamSpec("screen", "frames", "png"), StreamSpec("events", "events", unit="px")),
        action_space=ActionSpace.from_names(["KeyW", "MouseLeft"]),
    )
    picture = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    with SessionWriter(path, info) as writer:
        writer.write(Event(1, "keyboard", "KeyA", "press"))
        writer.write(Start(10, {"note": "first"}, wall_ns=1_000))
        writer.write(Frame(10, picture))
        writer.write(Event(12, "keyboard", "KeyW", "press"))
        writer.write(Frame(20, None, tick=1))
        writer.write(Telemetry(21, {"score": 3, "level": "two"}, frame_index=1))
        writer.write(Event(22, "mouse", "Mouse", "move", x=3.0, y=4.0, dx=1.0, dy=-1.0))
        writer.write(Frame(30, 255 - picture, tick=5, late=True, dropped_before=3))
        writer.write(Gap(40, "pause"))
        writer.write(Event(45, "keyboard", "KeyW", "release", flag="hotkey"))
        writer.write(Start(50, {}, wall_ns=2_000, clock="rejoined"))
        writer.write(Frame(50, picture))
        writer.write(Gap(60, "end"))
        writer.write(Event(70, "keyboard", "KeyA", "release"))
    return path


@pytest.mark.parametrize("make", [environment, recorded])
def test_a_copy_of_a_session_is_the_same_to_the_last_byte(tmp_path, make):
    source = make(tmp_path / "source")
    convert(source, tmp_path / "copies", format="session")
    (copy,) = [p for p in (tmp_path / "copies").iterdir() if p.is_dir()]
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        twin = copy / path.relative_to(source)
        assert twin.is_file(), path
        if path.suffix == ".parquet":
            pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(twin))
    assert of_tree(copy) == of_tree(source)


def test_side_facts_go_along(tmp_path):
    source = environment(tmp_path / "source")
    add_fact(source, "tag", {"tag": "good"}, author="me")
    convert(source, tmp_path / "copies", format="session")
    assert read_facts(tmp_path / "copies" / "atari_pong") == read_facts(source)


def test_one_session_or_many_a_target_is_a_folder_of_them(play, tmp_path):
    assert convert(play, tmp_path / "two", format="session").written["episodes"] == 3
    convert(play[0], tmp_path / "one", format="session")
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["atari_alien", "atari_breakout"]
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["atari_alien"]
    assert sniff_path(tmp_path / "one") == sniff_path(tmp_path / "one" / "atari_alien") == "session"
    assert [r.info.game for r in open_any(tmp_path / "two")] == ["Alien", "Breakout"]


def test_a_game_that_comes_twice_is_named_by_its_ids(tmp_path):
    for name in ("pong-1", "pong-2"):
        environment(tmp_path / "sessions" / name, session=name)
    convert(tmp_path, tmp_path / "copies", format="session")
    assert sorted(p.name for p in (tmp_path / "copies").iterdir()) == ["pong-1", "pong-2"]


class Foreign(Valid):
    """A recording that says of itself what it likes."""

    def __init__(self, path, name):
        super().__init__(open_session(path), [])
        self.info = replace(self.info, id=name)
        self.segments = tuple(replace(s, attrs={**s.attrs, "env_id": None}) for s in self.segments)


@pytest.mark.parametrize("given", ["../../evil", "/evil", "..", "a\\b:c\0", "", "n" * 5000, "."])
def test_a_name_in_a_foreign_file_leads_nowhere_else(tmp_path, given):
    where = tmp_path / "here"
    for name in ("one", "two"):
        environment(where / "sessions" / name, session=name)
    made = [Foreign(where / "sessions" / name, given) for name in ("one", "two")]
    convert(Sessions(made, format="x"), where / "a" / "copies", format="session")
    assert sorted(p.name for p in where.iterdir()) == ["a", "sessions"]
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
    folders = sorted(p.name for p in (where / "a" / "copies").iterdir())
    assert len(folders) == 2
    assert folders[1] == f"{folders[0]}-2"


def test_a_session_of_a_palette_screen_stays_indexed(play, tmp_path, fake):
    convert(play, tmp_path / "copies", format="session")
    table = pd.read_parquet(tmp_path / "copies" / "atari_alien" / "chunks" / "0001" / "images.parquet")
    assert set(table["codec"]) == {"png-indexed"}
    (tmp_path / "x.png").write_bytes(table["data"][4])
    with Image.open(tmp_path / "x.png") as opened:
        assert opened.mode == "P"
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), fake.picture(1, 4))
    description = json.loads((tmp_path / "copies" / "atari_alien" / "session.json").read_text())
    assert description["id"] == "session-1"
    assert [s["end_reason"] for s in description["segments"]] == ["terminated", "budget"]


def test_a_short_palette_and_its_indices_survive():
    pixels = np.array([[0, 1], [2, 1]], np.uint8)
    found, palette = indices(encode_indexed(pixels, PALETTE[:3]))
    np.testing.assert_array_equal(found, pixels)
    np.testing.assert_array_equal(palette, PALETTE[:3])


def test_pictures_that_came_out_of_a_video_are_said_to_be_what_they_are_stored_as(hand_play, tmp_path):
    hand_play.play(tmp_path / "s", [6], codec="h264")
    convert(tmp_path / "s", tmp_path / "release", format="nitrogen_dataset")
    convert(tmp_path / "release", tmp_path / "back", format="session")
    (back,) = open_any(tmp_path / "back")
    assert {picture.codec for picture in back.pictures(0, back.frame_count)} == {"png"}
    assert back.info.stream("frames").codec == "png"
