"""Plots: what the bars and dots say, and that nothing global is touched."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from rushes.errors import BadInputError
from rushes.preview.plots import action_histogram, episode_summary, policy_comparison


def bars(axes):
    """Label -> (width by the policy, width by chance)."""
    own, chance = axes.containers
    labels = [t.get_text() for t in axes.get_yticklabels()]
    return {n: (a.get_width(), b.get_width()) for n, a, b in zip(labels, own, chance, strict=True)}


def dots(axes):
    found = [c.get_offsets()[:, 0] for c in axes.collections if isinstance(c, PathCollection)]
    return sorted(float(x) for x in np.concatenate(found))


def test_bars_are_per_cent_of_a_games_actions_with_chance_apart(alien):
    (axes,) = action_histogram(alien).axes
    # NOOP FIRE UP RIGHT and NOOP FIRE: the second action of each episode was chance
    sixth = 100 / 6
    assert bars(axes) == {
        "FIRE": pytest.approx((0, 2 * sixth)),
        "NOOP": pytest.approx((2 * sixth, 0)),
        "RIGHT": pytest.approx((sixth, 0)),
        "UP": pytest.approx((sixth, 0)),
        **dict.fromkeys(["DOWN", "LEFT", "UPFIRE"], (0, 0)),  # offered and never done
    }


def test_presses_of_recorded_play_are_counted(desktop):
    (axes,) = action_histogram(desktop).axes
    assert bars(axes) == {"KeyW": (50, 0), "MouseLeft": (50, 0)}
    assert "presses" in axes.get_xlabel()


def test_lengths_are_seconds_and_scores_sums_of_rewards(alien):
    length, score = episode_summary(alien).axes
    assert dots(length) == pytest.approx([2 / 15, 4 / 15], abs=1e-6)
    assert dots(score) == [10.0, 15.0]
    assert "seconds" in length.get_xlabel()


def test_games_without_points_are_named_in_one_line_instead_of_drawn(environment):
    games = [environment(), environment("Pong", rewards=(0,)), environment("Seaquest", rewards=(0,))]
    words = "no points yet in Pong, Seaquest at this length"
    compared = policy_comparison({"a": games, "b": games})
    assert len(compared.axes) == 1
    assert words in {t.get_text() for t in compared.texts}
    summary = episode_summary(games)
    assert words in {t.get_text() for t in summary.texts}
    lengths, scores = summary.axes[::2], summary.axes[1::2]
    assert all(dots(axes) for axes in lengths)
    assert [len(axes.collections) > 0 for axes in scores] == [True, False, False]
    assert not scores[1].xaxis.get_visible()
    nothing = policy_comparison({"a": games[1:], "b": games[1:]})
    assert words in {t.get_text() for t in nothing.texts}
    assert nothing._repr_png_()[0][:4] == b"\x89PNG"


def test_figures_say_in_words_what_they_show(alien):
    assert "Alien: FIRE 33, NOOP 33" in action_histogram(alien)._repr_png_()[1]["alt"]
    assert "Alien: 2 episodes of 0.1 to 0.3 s, mean score 12.5" in episode_summary(alien)._repr_png_()[1]["alt"]
    assert "Alien: a 12.5, b 12.5" in policy_comparison({"a": alien, "b": alien})._repr_png_()[1]["alt"]


def test_policies_stand_beside_each_other_with_their_means(environment):
    good, bad = environment(rewards=(0, 10)), environment(rewards=(1, 0))
    figure = policy_comparison({"lookahead": good, "uniform": bad})
    (axes,) = figure.axes
    assert dots(axes) == [1.0, 2.0, 10.0, 20.0]
    assert [t.get_text() for t in axes.texts] == ["mean 15", "mean 1.5"]
    assert {"lookahead", "uniform"} <= {t.get_text() for t in figure.texts}


def test_only_games_that_all_played_are_compared(environment):
    with pytest.raises(BadInputError, match="common game"):
        policy_comparison({"a": environment("Alien"), "b": environment("Pong")})
    both = [environment("Alien"), environment("Pong")]
    assert len(policy_comparison({"a": both, "b": environment("Pong")}).axes) == 1


def test_many_games_are_thinned_and_it_is_said(environment):
    figure = action_histogram([environment(f"Game {k}", (3,)) for k in range(30)])
    assert len(figure.axes) == 12
    assert any("12 of 30 games" in t.get_text() for t in figure.texts)


def test_figures_are_a_page_wide_and_show_themselves(all_kinds):
    for make in (action_histogram, episode_summary):
        png, metadata = make(all_kinds)._repr_png_()
        assert png.startswith(b"\x89PNG")
        assert metadata["width"] == 900
        assert png == make(all_kinds)._repr_png_()[0]


def test_text_stays_inside_the_figure(all_kinds, environment):
    for figure in (action_histogram(all_kinds), episode_summary([environment("Montezuma Revenge"), environment("A")])):
        figure.draw_without_rendering()
        width, height = figure.bbox.size
        texts = [t for a in figure.axes for t in (a._left_title, a.xaxis.label, a.yaxis.label, *a.get_yticklabels())]
        for text in texts:
            if text.get_text():
                box = text.get_window_extent()
                assert (box.x0 >= 0, box.x1 <= width + 1, box.y0 >= 0, box.y1 <= height) == (True,) * 4, text


def test_nothing_to_show_is_refused():
    for make in (action_histogram, episode_summary):
        with pytest.raises(BadInputError):
            make([])


def test_pyplot_is_never_imported():
    code = "import sys, rushes.preview.plots, rushes.preview.contact_sheet; print('matplotlib.pyplot' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]
