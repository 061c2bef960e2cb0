"""Plots of what was recorded: which actions, how long the episodes, what scores, and which policy plays better.

Every function takes any recordings and gives a figure that is as wide as a report page; put it last in a cell.

Example (any recordings):
    >>> def look(sessions):
    ...     return action_histogram(sessions), episode_summary(sessions)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from rushes.errors import BadInputError
from rushes.model.recording import Episode, Recording
from rushes.preview.choose import episodes_of, evenly
from rushes.preview.figure import HouseFigure, dress, new_figure
from rushes.preview.html import rounded
from rushes.preview.style import BLUE, INK, MUTED, ORANGE, RULE, SERIES, font

MOST_GAMES: Final = 12
"""Games shown at the most; more are thinned evenly, and the figure says so."""
_MOST_ACTIONS: Final = 18
_ABREAST: Final = 4
_NAMED: Final = 4  # games or actions that are named in a sentence
_SHORT: Final = 14  # letters of a title that surely fit above a panel
_LEFT_PX, _HEAD_PX, _LINE_PX = 10, 36, 20
_JITTER: Final = 0.22
_NO_EPISODES: Final = "recordings without pictures"


def action_histogram(source: Recording | Episode | Iterable[Recording | Episode]) -> HouseFigure:
    """Show how often each action was done, in per cent of a game's actions.

    Args:
        source: Recordings. Where chance replaced actions, those are set apart in orange; of recorded play the presses
            are counted.

    Returns:
        One panel a game, actions from frequent to rare.

    Raises:
        BadInputError: Nothing to show.
    """
    games = _by_game(source)
    tables = {game: _shares(episodes)[:_MOST_ACTIONS] for game, episodes in games.items()}
    names = list(games)
    lines = [names[k : k + _ABREAST] for k in range(0, len(names), _ABREAST)]
    heights = [70 + 17 * max(3, *(len(tables[game]) for game in line)) for line in lines]
    figure = new_figure(height_px=44 + sum(heights))
    grid = figure.add_gridspec(len(lines), min(_ABREAST, max(2, len(names))), height_ratios=heights)
    for k, line in enumerate(lines):
        most = max(3, *(len(tables[game]) for game in line))
        for column, game in enumerate(line):
            axes = figure.add_subplot(grid[k, column])
            _histogram(axes, game, tables[game], most, steps=games[game][0].recording.is_environment)
    figure.alt = "How often each action was done, in per cent: " + "; ".join(
        f"{game}: " + ", ".join(f"{name} {share:.0f}" for name, share, _ in table[:_NAMED])
        for game, table in tables.items()
    )
    by_chance = any(chance for table in tables.values() for _, _, chance in table)
    _head(
        figure,
        "Actions",
        (("by the policy", BLUE), ("by chance", ORANGE)) if by_chance else (),
        _left_out(source, games),
    )
    return figure


def episode_summary(source: Recording | Episode | Iterable[Recording | Episode]) -> HouseFigure:
    """Show the length and the score of every episode, game by game.

    Args:
        source: Recordings.

    Returns:
        A row a game: lengths on one common scale, scores each on the game's own; a dot an episode, a bar at the mean.

    Raises:
        BadInputError: Nothing to show.
    """
    games = _by_game(source)
    scored = any(e.recording.is_environment for episodes in games.values() for e in episodes)
    pointless = [game for game, episodes in games.items() if _is_pointless(episodes)]
    lowest = next((game for game in reversed(games) if game not in pointless), "")
    figure = new_figure(height_px=96 + 54 * len(games) + _LINE_PX * bool(pointless))
    grid = figure.add_gridspec(len(games), 2 if scored else 1)
    lengths = {g: [e.segment.duration_s for e in episodes] for g, episodes in games.items()}
    longest = max(max(values) for values in lengths.values()) or 1.0
    for k, (game, episodes) in enumerate(games.items()):
        last = k == len(games) - 1
        axes = figure.add_subplot(grid[k, 0])
        _strip(axes, [lengths[game]], [BLUE])
        axes.set_xlim(-0.03 * longest, 1.08 * longest)
        dress(axes, title="Length of each episode" if k == 0 else "", xlabel="seconds of play" if last else "")
        _name_row(axes, game)
        if not last:
            axes.tick_params(labelbottom=False)
        if scored:
            scores = [e.score for e in episodes] if episodes[0].recording.is_environment else []
            axes = figure.add_subplot(grid[k, 1])
            if game not in pointless:
                _strip(axes, [scores], [BLUE])
            title = "Score, on each game's own scale" if k == 0 else ""
            dress(axes, title=title, xlabel="sum of rewards" if game == lowest else "")
            axes.set_yticks([])
            if game in pointless:  # a scale from -1 to 1 with a dot in its middle says less than the line above
                _blank(axes)
    figure.alt = "Length and score of each episode: " + "; ".join(
        f"{game}: {len(episodes)} episodes of {min(lengths[game]):.1f} to {max(lengths[game]):.1f} s"
        + (f", mean score {np.mean([e.score for e in episodes]):.1f}" if episodes[0].recording.is_environment else "")
        for game, episodes in games.items()
    )
    _head(
        figure,
        "Episodes",
        (("an episode", BLUE), ("| mean", INK)),
        _left_out(source, games),
        below=_no_points(pointless),
    )
    return figure


def policy_comparison(
    policies: Mapping[str, Recording | Episode | Iterable[Recording | Episode]],
) -> HouseFigure:
    """Show the scores of policies beside each other, as they were measured.

    Args:
        policies: Name of a policy -> what it played.

    Returns:
        A row a game that all of them played, each on its own scale; a dot an episode, a bar and a number at the mean.

    Raises:
        BadInputError: No game was played by all of them.
    """
    played = {policy: _by_game(source, most=None) for policy, source in policies.items()}
    common = [g for g in next(iter(played.values()), {}) if all(g in games for games in played.values())]
    if not common:
        raise BadInputError(
            "policies without a common game",
            accepts="two or more policies that played the same games",
            fix="sample both",
        )
    pointless = [game for game in common if all(_is_pointless(games[game]) for games in played.values())]
    scored = [game for game in common if game not in pointless]
    shown = [scored[k] for k in evenly(len(scored), MOST_GAMES)]
    height = (60 + (26 + 21 * len(played)) * len(shown)) if shown else 0
    figure = new_figure(height_px=_HEAD_PX + height + _LINE_PX * bool(pointless))
    grid = figure.add_gridspec(max(1, len(shown)), 1)
    for k, game in enumerate(shown):
        axes = figure.add_subplot(grid[k, 0])
        values = [[e.score for e in played[policy][game]] for policy in played]
        _strip(axes, values, SERIES)
        for row, scores in enumerate(values):
            axes.text(
                1.01, -row, f"mean {rounded(float(np.mean(scores)))}", transform=axes.get_yaxis_transform(),
                va="center", fontsize=9.5, color=SERIES[row % len(SERIES)],
            )  # fmt: skip
        dress(
            axes, xlabel="score of an episode: sum of rewards, on each game's own scale" if k == len(shown) - 1 else ""
        )
        _name_row(axes, game)
    counts = ", ".join(str(sum(len(e) for e in games.values())) for games in played.values())
    note = f"episodes played: {counts}" + (
        f"; {len(shown)} of {len(scored)} games shown" if len(shown) < len(scored) else ""
    )
    figure.alt = "Mean score of an episode: " + "; ".join(
        [
            f"{game}: " + ", ".join(f"{p} {np.mean([e.score for e in games[game]]):.1f}" for p, games in played.items())
            for game in shown
        ]
        + [_no_points(pointless)] * bool(pointless)
    )
    _head(figure, "Policies", tuple(zip(played, SERIES, strict=False)), note, below=_no_points(pointless))
    return figure


def _by_game(
    source: Recording | Episode | Iterable[Recording | Episode], *, most: int | None = MOST_GAMES
) -> dict[str, list[Episode]]:
    games: dict[str, list[Episode]] = {}
    for episode in episodes_of(source):
        games.setdefault(episode.recording.info.game, []).append(episode)
    if not games:
        raise BadInputError(_NO_EPISODES, accepts="at least one picture", fix="record or sample first")
    names = list(games)
    return {names[k]: games[names[k]] for k in evenly(len(names), most or len(names))}


def _left_out(source: Any, games: Mapping[str, Any]) -> str:
    total = len({e.recording.info.game for e in episodes_of(source)})
    return f"{len(games)} of {total} games shown" if total > len(games) else ""


def _is_pointless(episodes: Sequence[Episode]) -> bool:
    return all(e.recording.is_environment and not e.steps["reward"].any() for e in episodes)


def _no_points(games: Sequence[str]) -> str:
    more = len(games) - _NAMED
    named = ", ".join(games[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"no points yet in {named} at this length" if games else ""


def _blank(axes: Axes) -> None:
    axes.xaxis.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shares(episodes: Sequence[Episode]) -> list[tuple[str, float, float]]:
    """Action, its share in per cent, and the part of that share which was chance; frequent first, unused ones last."""
    chosen: Counter[str] = Counter()
    chance: Counter[str] = Counter()
    for episode in episodes:
        for name, random in _done(episode):
            (chance if random else chosen)[name] += 1
    total = sum(chosen.values()) + sum(chance.values())
    if not total:
        return []
    spaces = (e.recording.info.action_space for e in episodes if e.recording.is_environment)
    offered = {name.rpartition("/")[2] for space in spaces if space.kind == "discrete" for name in space.names}
    names = sorted({*chosen, *chance, *offered}, key=lambda n: (-(chosen[n] + chance[n]), n))
    return [(n, 100 * (chosen[n] + chance[n]) / total, 100 * chance[n] / total) for n in names]


def _done(episode: Episode) -> Iterable[tuple[str, bool]]:
    if not episode.recording.is_environment:
        events = episode.recording.events(episode.segment.index)
        return [(control, False) for control in events.loc[events["kind"] == "press", "control"]]
    steps = episode.steps
    discrete = episode.recording.info.action_space.kind == "discrete"
    if discrete:
        names = [
            str(name).rpartition("/")[2] or str(a)
            for name, a in zip(steps["action_name"], steps["action"], strict=True)
        ]
    else:  # numbers: which way each of them pointed
        names = [" ".join("+" if v > 0 else "-" if v < 0 else "0" for v in np.atleast_1d(a)) for a in steps["action"]]
    return zip(names, steps["random_action"].astype(bool), strict=True)


def _histogram(axes: Axes, game: str, shown: list[tuple[str, float, float]], most: int, *, steps: bool) -> None:
    places = range(len(shown))
    chance = [c for _, _, c in shown]
    axes.barh(places, [share - c for _, share, c in shown], color=BLUE, height=0.72)
    axes.barh(places, chance, left=[share - c for _, share, c in shown], color=ORANGE, height=0.72)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    dress(axes, title=game if len(game) <= _SHORT else game.replace(" ", "\n", 1), grid="")
    axes.set_yticks(places, [name for name, _, _ in shown])
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylim(most - 0.4, -0.6)
    axes.xaxis.tick_top()  # the scale stands where the bars are, however few there are
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(f"% of {'actions' if steps else 'presses'}", fontsize=9, color=MUTED)
    right = axes.get_xlim()[1]
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= right]
    axes.vlines(ticks, -0.6, max(len(shown) - 0.4, 0), color=RULE, linewidth=0.8, zorder=0)
    axes.set_xlim(0, right)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    if not shown:
        axes.text(0.0, 0.0, "no actions", va="center", color=MUTED)


def _strip(axes: Axes, groups: Sequence[Sequence[float]], colours: Sequence[str]) -> None:
    """Draw a row a group: a dot a value, a bar at the mean. Shifts are fixed: the same data give the same picture."""
    for row, values in enumerate(groups):
        if not values:
            axes.text(
                0.02, -row, "no score", transform=axes.get_yaxis_transform(), va="center", color=MUTED, fontsize=9
            )
            continue
        shifts = _JITTER * (((np.arange(len(values)) * 0.618) % 1) * 2 - 1) if len(values) > 1 else np.zeros(1)
        axes.scatter(values, shifts - row, s=34, color=colours[row % len(colours)], alpha=0.75, linewidths=0, zorder=3)
        axes.vlines(float(np.mean(values)), -row - 0.38, -row + 0.38, color=INK, linewidth=2, zorder=4)
    axes.set_ylim(-len(groups) + 0.42, 0.58)
    axes.margins(x=0.06)
    flat = [v for values in groups for v in values]
    whole = all(float(v).is_integer() for v in flat)
    if flat and max(flat) == min(flat):
        axes.set_xlim(flat[0] - 1, flat[0] + 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=whole) if flat else NullLocator())


def _name_row(axes: Axes, game: str) -> None:
    axes.set_yticks([])
    axes.set_ylabel(game, rotation=0, ha="right", va="center", fontsize=10, color=INK)


def _head(figure: HouseFigure, title: str, legend: Sequence[tuple[str, str]], note: str, *, below: str = "") -> None:
    """Write title, legend and note on one line above the panels, and a sentence below that line."""
    width, height = figure.get_size_inches() * figure.dpi
    y = 1 - 24 / height
    figure.text(_LEFT_PX / width, y, title, fontsize=13, fontweight="bold", color=INK)
    x = _LEFT_PX + font(18, bold=True).getlength(title) + 24
    for text, colour in legend:
        figure.text(x / width, y, text, fontsize=10.5, color=colour, fontweight="bold")
        x += font(15, bold=True).getlength(text) + 18
    if note:
        figure.text(1 - _LEFT_PX / width, y, note, ha="right", fontsize=9.5, color=MUTED)
    if below:
        figure.text(_LEFT_PX / width, y - _LINE_PX / height, below, fontsize=9.5, color=MUTED)
    layout: Any = figure.get_layout_engine()
    layout.set(
        rect=(0, 0, 1, max(0.05, 1 - (_HEAD_PX + _LINE_PX * bool(below)) / height)),
        h_pad=0.06,
        w_pad=0.08,
        hspace=0.04,
        wspace=0.05,
    )
