import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from rushes.errors import OccupiedError
from rushes.formats.base import convert, open_any
from rushes.formats.card import card_paths, chain
from rushes.model.findings import Problem
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import Sessions


def test_a_card_stands_beside_the_target_and_says_what_is_in_it(play, tmp_path):
    target = tmp_path / "alien.parquet"
    convert(play, target, format="interleaved")
    card = json.loads((tmp_path / "alien.parquet.card.json").read_text())
    assert card["schema"] == "rushes/card/1"
    assert card["target"] == "alien.parquet"
    assert card["format"] == "atari_interleaved"
    assert card["games"] == ["Alien", "Breakout"]
    assert [s["id"] for s in card["sessions"]] == ["session-1", "session-2"]
    assert card["written"] == {"episodes": 3, "frames": 20, "samples": 0}
    assert [len(space["names"]) for space in card["action_spaces"]] == [18, 4]
    assert card["seeds"] == {"session-1": [1000, 1001], "session-2": [1000]}
    assert card["end_reasons"] == {"budget": 1, "terminated": 2}
    assert card["time_source"] == ["emulated"]
    assert card["pairing"] == "row k = what happened in [t_k, t_{k+1}); action k is taken on frame k"
    assert card["action_delay_ms"] == 0.0
    assert set(card["figures"].values()) == {None}
    assert {"offset_ms", "offset_low_ms", "offset_high_ms", "drift_ppm", "rate_hz"} <= set(card["figures"])
    assert card["problems"] == []
    assert card["ledger"]["frames"]["kept"] == 20
    assert "nobody was recorded" in card["privacy"]
    assert "rights" in card["license"]


def test_the_text_for_people_says_the_same(play, tmp_path):
    convert(play, tmp_path / "alien.parquet", format="simple", options=["strict=true"])
    text = (tmp_path / "alien.parquet.card.md").read_text()
    assert "3 episodes with 17 frames of Alien, Breakout, from 2 sessions, as `atari_simple`." in text
    assert "| frames | 20 | 17 | 3 strict_without_action | none |" in text
    assert "strict=True" in text
    assert "**Kept:** frames (exact), names. **Lost:** times, rewards." in text
    assert "**The source did not have:** audio, events, telemetry, human steps." in text
    assert "8 ALE/DOWNRIGHT" in text


def test_a_card_holds_no_place_time_or_version(play, tmp_path):
    convert(play, tmp_path / "one" / "a", format="folders")
    convert(play, tmp_path / "two" / "a", format="folders")
    for first, second in zip(card_paths(tmp_path / "one" / "a"), card_paths(tmp_path / "two" / "a"), strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert str(tmp_path) not in first.read_text()
        assert not re.search(r"20\d\d-\d\d-\d\d|\d+\.\d+\.\d+", first.read_text())


def test_problems_of_the_source_stand_in_the_card_without_folders_of_this_machine(fake, tmp_path):
    recording = fake.Fake([3])
    recording.problems = (Problem("unfinished_chunk", f"{tmp_path}/chunks/0002", 1, "a chunk is missing"),)
    convert(recording, tmp_path / "a", format="folders")
    text = (tmp_path / "a.card.json").read_text()
    assert json.loads(text)["problems"][0]["where"] == "0002"
    assert str(tmp_path) not in text
    assert "1 x unfinished_chunk: a chunk is missing" in (tmp_path / "a.card.md").read_text()


def test_a_person_who_played_is_warned_about_in_the_card(fake, tmp_path):
    class Live(fake.Fake):
        def steps(self, segment=None):
            return super().steps(segment).assign(is_human=True)

    convert(Live([3]), tmp_path / "a", format="folders")
    assert "Recorded from a person" in json.loads((tmp_path / "a.card.json").read_text())["privacy"]


def reference_folder(folder, count, *, without=()):
    """Folders as the reference's sampler leaves them: no time, no reward, nobody named."""
    folder.mkdir(parents=True)
    for k in range(count):
        Image.new("RGB", (16, 20), (k, k, k)).save(folder / f"frame_{k:06d}.png")
        if k < count - 1 and k not in without:
            (folder / f"action_{k:06d}.txt").write_text("0: NOOP")


def test_nothing_is_said_to_be_kept_or_lost_that_the_source_did_not_have(tmp_path):
    reference_folder(tmp_path / "a" / "atari_alien" / "episode_000_rand0.2", 3)
    for name in ("simple", "session"):
        report = convert(tmp_path / "a", tmp_path / name, format=name)
        assert (report.kept, report.lost) == (("frames (exact)", "names"), ())
        assert sorted(report.absent) == ["audio", "events", "human steps", "rewards", "telemetry", "times"]
        card = json.loads((tmp_path / f"{name}.card.json").read_text())
        assert (card["kept"], card["lost"], card["absent"]) == tuple(
            map(list, (report.kept, report.lost, report.absent))
        )
        assert "not known who played" in card["privacy"]
    again = convert(
        tmp_path / "session", tmp_path / "b", format="folders"
    )  # through a session of ours it stays unknown
    assert again.kept == ("frames (exact)", "names")
    assert "not known who played" in (tmp_path / "b.card.md").read_text()


def test_a_split_episode_leaves_the_names_and_the_account_of_the_others_alone(tmp_path):
    root = tmp_path / "a" / "atari_alien"
    reference_folder(root / "episode_000_rand0.2", 6, without=[2])
    reference_folder(root / "episode_001_rand0.2", 4)
    (root / "episode_002_rand0.2").mkdir()
    report = convert(tmp_path / "a", tmp_path / "b", format="folders", options=["strict=true"])
    counts = {p.name: len(list(p.glob("*.png"))) for p in (tmp_path / "b" / "atari_alien").iterdir()}
    assert counts == {"episode_000_rand0.2": 2, "episode_001_rand0.2": 3, "episode_002_rand0.2": 2}
    account = report.ledger["episodes"]
    assert (account.offered, account.kept, account.lost) == (4, 3, {"empty_episode": 1})  # 3, and 1 that was split off
    assert account.marked == {"split": 1, "split_off": 1, "renumbered": 1}
    card = json.loads((tmp_path / "b.card.json").read_text())
    (renamed,) = card["renamed"]
    assert (renamed["environment"], renamed["old"], renamed["new"]) == (
        "atari_alien", "episode_000_rand0.2", "episode_002_rand0.2",
    )  # fmt: skip
    assert "| atari_alien/episode_000_rand0.2 | episode_002_rand0.2 |" in (tmp_path / "b.card.md").read_text()


def test_a_later_part_that_comes_first_leaves_the_name_to_the_whole_episode(fake, tmp_path):
    rest, whole = fake.Fake([3], salt=1), fake.Fake([5], salt=2)
    (segment,) = rest.segments
    rest.segments = (replace(segment, attrs={**segment.attrs, "part": 1}),)
    convert(Sessions([rest, whole], format="x"), tmp_path / "a", format="folders")
    counts = {p.name: len(list(p.glob("*.png"))) for p in (tmp_path / "a" / "atari_alien").iterdir()}
    assert counts == {"episode_000_rand0.2": 5, "episode_001_rand0.2": 3}


def test_an_environment_of_which_nothing_was_left_stays_in_the_account(tmp_path):
    reference_folder(tmp_path / "a" / "atari_alien" / "episode_000_rand0.2", 3)
    (tmp_path / "a" / "atari_pong" / "episode_000_rand0.2").mkdir(parents=True)
    report = convert(tmp_path / "a", tmp_path / "b.parquet", format="simple")
    assert report.ledger["episodes"].lost == {"empty_episode": 1}
    assert report.ledger["episodes"].offered == 2
    card = json.loads((tmp_path / "b.parquet.card.json").read_text())
    assert [p["kind"] for p in card["problems"]] == ["empty_episode"]


def test_what_was_lost_on_the_way_here_stays_in_the_account(play, tmp_path):
    convert(play, tmp_path / "a", format="folders")
    (tmp_path / "a" / "atari_alien" / "episode_000_rand0.2" / "frame_000003.png").write_bytes(b"\x89PNG cut")
    report = convert(open_any(tmp_path / "a"), tmp_path / "b.parquet", format="simple", options=["strict=true"])
    frames = report.ledger["frames"]
    assert (frames.offered, frames.kept) == (20, 16)
    assert frames.lost == {"truncated_png": 1, "strict_without_action": 3}
    assert report.ledger.balances
    card = json.loads((tmp_path / "b.parquet.card.json").read_text())
    assert card["ledger"] == report.ledger.to_json()
    assert [p["kind"] for p in card["problems"]] == ["truncated_png", "without_frame", "action_without_outcome"]


def test_episodes_that_reading_split_keep_its_losses():
    before = Ledger({"episodes": Account(3, 2, {"empty_episode": 1}, {"split": 1})})
    both = chain(before, Ledger({"episodes": Account(3, 2, {"strict": 1})}))
    assert both["episodes"] == Account(4, 2, {"empty_episode": 1, "strict": 1}, {"split": 1, "split_off": 1})
    assert both.balances


def test_two_stages_make_one_account():
    before = Ledger({"frames": Account(10, 8, {"late": 2}, {"duplicate": 1}), "telemetry": Account(5, 4, {"bad": 1})})
    own = Ledger({"frames": Account(8, 7, {"strict": 1})})
    both = chain(before, own)
    assert both["frames"] == Account(10, 7, {"late": 2, "strict": 1}, {"duplicate": 1})
    assert both["telemetry"] == Account(5, 0, {"bad": 1, "no_place_in_format": 4}, {})
    assert both.balances


def test_an_older_card_is_not_overwritten(play, tmp_path):
    (tmp_path / "a.card.md").write_text("mine")
    with pytest.raises(OccupiedError):
        convert(Sessions([play[1]], format="x"), tmp_path / "a", format="folders")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.card.md"]
    assert (tmp_path / "a.card.md").read_text() == "mine"


def test_a_path_among_the_options_shows_no_folder_of_this_machine(hand_play, tmp_path):
    (tmp_path / "my.toml").write_text('name = "mine"\n[buttons]\nSOUTH = ["KeyW"]\n')
    hand_play.play(tmp_path / "s", [6], [hand_play.press(2.5, "KeyW")])
    convert(tmp_path / "s", tmp_path / "out", format="nitrogen_capture", options={"pad_map": str(tmp_path / "my.toml")})
    card = (tmp_path / "out.card.json").read_text()
    assert json.loads(card)["options"]["pad_map"] == "my.toml"
    assert str(tmp_path) not in card
