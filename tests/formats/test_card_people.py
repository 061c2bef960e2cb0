"""Which steps a person chose survives every export: in the format's own columns, or at least in the card beside it."""

import json

import numpy as np
import pytest

from rushes.formats.base import FORMATS, convert, get_format, open_any
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Frame, Gap, Start, Step
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.writer import SessionWriter

MS = 1_000_000
TICK = 20 * MS
COUNT = 20
BY_HAND = [{3, 4, 5, 9}, {0, 1, 10}]
"""Steps that the person chose, in each of two episodes."""
STRETCHES = [(0, 3, 5), (0, 9, 9), (1, 20, 21), (1, 30, 30)]
"""The same as (segment, first frame, last frame); an episode of twenty frames has nineteen steps."""
KEEP = {"session", "atari_folders", "atari_interleaved", "atari_simple", "hdf5", "npz", "torch", "tfrecord"}
CARD_ALONE = {"nitrogen_capture", "nitrogen_dataset", "nitrogen_pt", "jumpnet_raw", "gameon", "reacture"}
STRICT = {"atari_folders", "atari_interleaved", "atari_simple"}
"""Those of HDF5 and TFRecord refuse steps of an environment."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A session in which a policy and a person took turns: its folder."""
    path = tmp_path_factory.mktemp("played") / "shared"
    info = SessionInfo(
        id="shared", game="Breakout", source={"kind": "env", "name": "ALE/Breakout-v5"}, time_source="measured",
        streams=(StreamSpec("screen", "frames", "png", width=64, height=64, rate_hz=50.0),
                 StreamSpec("steps", "steps"), StreamSpec("events", "events")),
        action_space=ActionSpace.discrete(["NOOP", "LEFT"], world="ALE"),
    )  # fmt: skip
    with SessionWriter(path, info) as writer:
        for episode, by_hand in enumerate(BY_HAND):
            zero = episode * 1000 * MS
            writer.write(Start(zero, {}))
            for k in range(COUNT):
                t_ns = zero + k * TICK
                writer.write(Frame(t_ns, np.full((64, 64, 3), 10 * k + episode, np.uint8)))
                if k < COUNT - 1:
                    writer.write(Step(t_ns, episode * COUNT + k, int(k in by_hand), is_human=k in by_hand))
                    kind = "press" if k % 2 else "release"
                    writer.write(Event(t_ns + 5 * MS, "keyboard", "KeyA", kind))
            writer.write(Gap(zero + (COUNT - 1) * TICK, "stop"))
    return path


def exported(played, folder, name, options=None):
    target = folder / ("out.pt" if name in {"nitrogen_pt", "torch"} else "out")
    report = convert(played, target, format=name, options=options)
    return report, target, json.loads((folder / f"{target.name}.card.json").read_text())


def by_hand_of(recording):
    return [set(np.flatnonzero(recording.steps(s.index)["is_human"].to_numpy(bool))) for s in recording.segments]


def test_each_format_that_takes_recordings_stands_in_one_of_the_two_lists():
    assert {name for name in FORMATS if get_format(name).takes != "samples"} == KEEP | CARD_ALONE
    assert {name for name in FORMATS if get_format(name).keeps.human} == KEEP


@pytest.mark.parametrize("name", sorted(KEEP))
def test_a_format_with_a_column_for_it_gives_back_who_chose_each_step(played, tmp_path, name):
    report, target, _ = exported(played, tmp_path, name)
    assert "human steps" in report.kept
    back = [one for recording in open_any(target) for one in by_hand_of(recording)]
    assert back == BY_HAND


@pytest.mark.parametrize("name", [*sorted(KEEP | CARD_ALONE), *(f"{name}:strict" for name in sorted(STRICT))])
def test_the_card_of_every_format_tells_the_stretches_that_a_person_played(played, tmp_path, name):
    name, _, strict = name.partition(":")
    report, target, card = exported(played, tmp_path, name, {"strict": True} if strict else None)
    kept = name in KEEP and not strict
    assert ("human steps" in report.kept, "human steps" in report.lost) == (kept, not kept)
    (told,) = card["human"]
    assert (told["id"], told["steps"], told["by_a_person"]) == ("shared", 38, 7)
    assert [(s["segment"], s["first_frame"], s["last_frame"]) for s in told["stretches"]] == STRETCHES
    first, *_, last = told["stretches"]
    assert (first["first_t_ns"], first["last_t_ns"]) == (3 * TICK, 5 * TICK)
    assert (last["first_t_ns"], last["last_t_ns"]) == (1000 * MS + 10 * TICK, 1000 * MS + 10 * TICK)
    assert "- `shared`: 7 of 38 steps, in 4 stretches." in (tmp_path / f"{target.name}.card.md").read_text()


def test_where_no_person_chose_a_step_nothing_is_said(fake, tmp_path):
    report = convert(fake.Fake([3]), tmp_path / "a", format="folders")
    assert "human steps" in report.absent
    assert json.loads((tmp_path / "a.card.json").read_text())["human"] == []
    assert "person chose" not in (tmp_path / "a.card.md").read_text()
