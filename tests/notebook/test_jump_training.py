"""The small net learns what can be learnt, from rows of the training part alone, the same way each time."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rushes.errors import BadInputError
from rushes.notebook.jump.net import look, new_net, weights
from rushes.notebook.jump.players import Always, Chance, ExpertPlayer, NetPlayer, Never, Played, survive
from rushes.notebook.jump.training import fit, save


def scenes(count, seed=0):
    """Grey pictures with a white bar: a press where it stands in the middle, held the longer the higher it is."""
    rng = np.random.default_rng(seed)
    pixels = np.full((count, 1, 32, 32, 3), 90, np.uint8)
    label, hold_s = np.zeros(count, np.float32), np.full(count, np.nan)
    for k in range(count):
        column, height = int(rng.integers(28)), int(rng.integers(6, 28))
        if k % 2:
            column = 14
        pixels[k, 0, 32 - height :, column : column + 4] = 255
        if abs(column - 14) <= 1:
            label[k], hold_s[k] = 1, 0.02 * height
    pixels += rng.integers(0, 9, pixels.shape).astype(np.uint8) * (pixels < 200)
    return pixels, label, hold_s


def trained(epochs=6, seed=0, **more):
    pixels, label, hold_s = scenes(400)
    rows = np.arange(400)
    return fit(pixels, label, hold_s, learn=rows[:320], validate=rows[320:], epochs=epochs, seed=seed, **more)


def test_it_learns_when_to_press_and_for_how_long():
    net = trained(epochs=8)
    pixels, label, hold_s = scenes(200, seed=1)
    said = look(net.net, pixels)
    assert ((said.press > 0.5) == (label > 0)).mean() > 0.9
    there = label > 0
    assert np.median(np.abs(said.hold_s - hold_s)[there] / hold_s[there]) < 0.15
    assert net.epochs[-1].val_press < net.epochs[0].val_press


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before_and_another_seed_others():
    first = trained(epochs=1)
    torch.rand(7)
    again, other = trained(epochs=1), trained(epochs=1, seed=1)
    assert all((a == b).all() for a, b in zip(first.net.parameters(), again.net.parameters(), strict=True))
    assert any((a != b).any() for a, b in zip(first.net.parameters(), other.net.parameters(), strict=True))


def test_training_leaves_the_global_random_numbers_and_threads_as_they_were():
    torch.manual_seed(5)
    before, count = torch.get_rng_state(), torch.get_num_threads()
    trained(epochs=1)
    assert (torch.get_rng_state() == before).all()
    assert torch.get_num_threads() == count


def test_rows_without_weight_teach_nothing():
    pixels, label, hold_s = scenes(200)
    rows = np.arange(200)
    wrong = np.concatenate([label, 1 - label]).astype(np.float32)
    twice, holds = np.concatenate([pixels, pixels]), np.concatenate([hold_s, hold_s])
    weight = np.concatenate([np.ones(200), np.zeros(200)]).astype(np.float32)
    net = fit(twice, wrong, holds, learn=np.arange(400), validate=rows[:0], epochs=8, seed=0, weight=weight)
    assert ((look(net.net, pixels).press > 0.5) == (label > 0)).mean() > 0.9
    assert np.isnan(net.epochs[-1].val_press), "nothing was held out"


def test_open_holds_are_no_length_to_learn():
    pixels, label, _ = scenes(64)
    net = fit(
        pixels, label, np.full(64, np.nan), learn=np.arange(64), validate=np.arange(0), epochs=1, seed=0
    )  # fmt: skip
    assert net.epochs[0].hold == 0
    assert np.isfinite(net.epochs[0].press)


def test_what_is_saved_is_read_back_without_pickle(tmp_path):
    net = trained(epochs=1).at(0.3)
    save(net, tmp_path / "net.pt")
    back = torch.load(tmp_path / "net.pt", weights_only=True)
    assert (back["length"], back["size"], back["threshold"]) == (1, 32, 0.3)
    other = new_net(length=1, size=32, seed=9)
    other.load_state_dict(back["weights"])
    pixels = scenes(20)[0]
    assert (look(other, pixels).press == look(net.net, pixels).press).all()


def test_a_size_that_cannot_be_halved_four_times_is_refused_and_a_longer_window_takes_more_weights():
    with pytest.raises(BadInputError, match="multiple of 16"):
        new_net(length=1, size=60, seed=0)
    assert weights(new_net(length=3, size=32, seed=0)) - weights(new_net(length=1, size=32, seed=0)) == 6 * 16 * 25


def test_the_expert_survives_where_chance_and_habit_do_not():
    seeds, limit = (70, 71, 72), 300
    players = {"expert": ExpertPlayer(), "random": Chance(presses=0.03, hold=7), "always": Always(), "never": Never()}
    steps = {name: survive(player, seeds=seeds, limit=limit) for name, player in players.items()}
    assert steps["expert"] == (300, 300, 300)
    assert all(max(steps[name]) < 300 for name in ("random", "always", "never"))
    assert survive(Chance(presses=0.03, hold=7), seeds=seeds, limit=limit) == steps["random"]


def test_a_net_that_never_presses_fares_as_who_never_presses_and_one_that_always_does_holds_its_key():
    net = trained(epochs=1)
    seeds = (70, 71)
    assert survive(NetPlayer(net.at(1.0)), seeds=seeds, limit=200) == survive(Never(), seeds=seeds, limit=200)
    player = NetPlayer(net.at(-1.0))
    player.begin(seeds)
    acts = [player.act((), [np.zeros((96, 160, 3), np.uint8)] * 2, (0, 1))[0] for _ in range(40)]
    presses = np.flatnonzero(np.diff([0, *acts]) == 1)
    releases = np.flatnonzero(np.diff([0, *acts]) == -1)
    assert len(presses) > 1, "let go for a frame, then pressed again"
    assert (presses[1:] - releases[: len(presses) - 1] == 1).all()


def test_chance_presses_as_often_among_all_frames_as_it_is_told():
    chance, game, down = Chance.as_often(0.03, hold=8), SimpleNamespace(held=0), []
    chance.begin([0])
    for _ in range(60_000):
        down.append(chance.act([game], [], [0])[0])
        game.held = game.held + 1 if down[-1] else 0
    presses = sum(now > before for before, now in pairwise([0, *down]))
    assert presses / len(down) == pytest.approx(0.03, rel=0.06)
    assert sum(down) / presses == pytest.approx(8, rel=0.06)


def test_the_share_is_of_the_experts_mean():
    assert Played({"expert": (100, 300), "net": (100, 200)}).share == 0.75
    assert Played({}).share is None
