"""Sessions without a fault that the injector did not make, and the false alarms that rules raise on them.

| kind | what |
| --- | --- |
| `ale` | every Atari game, by several players, some with sound, sticky actions or another frameskip |
| `jump`, `gymnasium` | the jump game by its expert and at random; classic control and toy text |
| `desktop` | a game in a window, recorded for real on a display of its own (`injected.desktop`) |
| `steered`, `planned` | play with a known relation of inputs and pictures, and a planned hand, both as H.264 |
| `import` | these, written in a foreign format and read back |

Example:
    >>> def how_many(work):
    ...     return len(clean_sessions(work, 40, seed=10_000, workers=1))
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rushes.capture.env.sample import sample
from rushes.errors import RushesError
from rushes.formats.base import FORMATS, convert, get_format, open_any
from rushes.notebook.desktop_sample import make_session
from rushes.qa.base import examine
from rushes.qa.subject import Expected

EXPERT = "rushes.worlds.jump_expert:Expert"
GYMNASIUM = (
    *("CartPole-v1", "MountainCar-v0", "Acrobot-v1", "Pendulum-v1"),
    *("MountainCarContinuous-v0", "Taxi-v4", "FrozenLake-v1", "CliffWalking-v1", "Blackjack-v1"),
)
STEERED = ("mouse_camera", "stick_camera", "keys_scroll", "keys_local", "mixed")
ENDINGS = {"nitrogen_pt": ".pt", "torch": ".pt", "hdf5": ".h5", "npz": ".npz", "jumpnet_raw": ".npz"}
DESKTOP = 22
LEAST = 20
"""Frames of a recording of which a screenshot is taken."""
ROUND = ("ale", "desktop", "import", "ale", "steered", "import", "ale", "jump", "import", "ale", "gymnasium", "planned")
"""The order in which kinds are taken, until there are as many as were asked for."""


@dataclass(frozen=True)
class Plan:
    """A session to build: its kind, its name, and what `build` needs."""

    kind: str
    name: str
    how: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Clean:
    """A session that is there."""

    kind: str
    name: str
    path: Path


@dataclass(frozen=True)
class Asked:
    """What the rules said of a session without a fault."""

    environment: bool
    alarms: list[Alarm]


@dataclass(frozen=True)
class Alarm:
    """A rule that spoke on a session without a fault."""

    rule: str
    session: str
    sentence: str


def plans(seed: int) -> dict[str, list[Plan]]:
    """List what can be built, by kind."""
    from rushes.worlds.atari import atari_ids
    from rushes.worlds.jump import ENV_ID

    found: dict[str, list[Plan]] = {kind: [] for kind in dict.fromkeys(ROUND)}
    games = sorted(atari_ids(), key=lambda name: (hash_of(name, seed), name))
    for turn, policy in enumerate(("uniform", "persistent")):
        for k, game in enumerate(games):
            how = {"games": game, "policy": "lookahead" if k % 13 == turn else policy, "seed": seed + 1000 * turn + k}
            how |= {"sound": k % 3 == turn, "sticky": 0.25 * (k % 7 == 0), "frameskip": 3 if k % 11 == turn else 4}
            found["ale"].append(Plan("ale", f"{game.partition('/')[2]}_{turn}", tuple(how.items())))
    for k in range(20):
        how = {"games": ENV_ID, "policy": EXPERT if k % 2 else "uniform", "seed": seed + k}
        found["jump"].append(Plan("jump", f"jump_{k}", tuple(how.items())))
    for k in range(2 * len(GYMNASIUM)):
        name = GYMNASIUM[k % len(GYMNASIUM)]
        how = {"games": name, "policy": ("uniform", "persistent")[k // len(GYMNASIUM)], "seed": seed + k}
        found["gymnasium"].append(Plan("gymnasium", f"{name}_{k}", tuple(how.items())))
    found["desktop"] = [Plan("desktop", f"take_{k}") for k in range(DESKTOP)]
    for k in range(20):
        how = {"kind": STEERED[k % 5], "seed": seed + k, "rate": (20, 30, 60)[k % 3]}
        found["steered"].append(Plan("steered", f"{STEERED[k % 5]}_{k}", tuple(how.items())))
    found["planned"] = [Plan("planned", f"hand_{k}", (("frames", (150 + 40 * k, 60)),)) for k in range(4)]
    steps = [name for name in FORMATS if name != "session" and get_format(name).takes in {"steps", "any"}]
    inputs = [name for name in FORMATS if name != "session" and get_format(name).takes in {"inputs", "keys", "any"}]
    from_inputs = [*found["desktop"][:6], *found["steered"][:6], *found["planned"][:2]]
    several = [(source, name) for source in from_inputs for name in inputs]
    several += [(source, name) for source in [*found["ale"][:8], *found["jump"][:2]] for name in steps]
    several.sort(key=lambda one: hash_of(f"{one[0].name}{one[1]}", seed))
    found["import"] = [
        Plan("import", f"{source.name}_{name}{ENDINGS.get(name, '')}", (("source", source), ("format", name)))
        for source, name in several[:90]
    ]
    return found


def hash_of(text: str, seed: int) -> int:
    """Give a number that is the same in every process."""
    from zlib import crc32

    return crc32(f"{seed} {text}".encode())


def chosen(seed: int, count: int) -> list[Plan]:
    """Choose so many, kinds in turn."""
    left = {kind: iter(several) for kind, several in plans(seed).items()}
    found: list[Plan] = []
    for kind in islice(cycle(ROUND), 40 * max(1, count)):
        if len(found) == count:
            break
        found += islice(left[kind], 1)
    return found


def clean_sessions(work: Path, count: int, *, seed: int, workers: int) -> list[Clean]:
    """Build sessions, or find them built.

    Args:
        work: Folder that keeps them.
        count: How many.
        seed: Of what is played.
        workers: Processes.

    Returns:
        As many as could be built; what could not is said on the error stream.
    """
    if not count:
        return []
    root = work / f"clean_{seed}"
    root.mkdir(parents=True, exist_ok=True)
    wanted = chosen(seed, count)
    first = [plan for plan in wanted if plan.kind != "import"]
    sources = [dict(plan.how)["source"] for plan in wanted if plan.kind == "import"]
    first = list(dict.fromkeys([*first, *sources]))
    if missing := [p for p in first if p.kind == "desktop" and not (root / p.kind / p.name).exists()]:
        from injected.desktop import record_all

        said = record_all(root / "desktop", [p.name for p in missing], workers=workers)
        print(said, end="\n" * bool(said), file=sys.stderr)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for several in (first, [plan for plan in wanted if plan.kind == "import"]):
            for plan, trouble in pool.map(_build, [(root, plan) for plan in several if plan.kind != "desktop"]):
                if trouble:
                    print(f"{plan.kind} {plan.name} was not built: {trouble}", file=sys.stderr)
    built = [Clean(plan.kind, plan.name, root / plan.kind / plan.name) for plan in wanted]
    return [one for one in built if one.path.exists()]


def _build(given: tuple[Path, Plan]) -> tuple[Plan, str]:
    """Build one, unless it is there; runs in a worker."""
    root, plan = given
    target = root / plan.kind / plan.name
    if target.exists():
        return plan, ""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        made = _make(root, plan, partial)
    except (RushesError, OSError, ImportError, ValueError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        return plan, str(error).replace("\n", " ")[:300]
    made.rename(target)
    shutil.rmtree(partial, ignore_errors=True)
    return plan, ""


def _make(root: Path, plan: Plan, partial: Path) -> Path:
    how = dict(plan.how)
    if plan.kind in {"ale", "jump", "gymnasium"}:
        games = how.pop("games")
        sample(partial, games, frames_per_env=150, max_episodes=2, workers=1, **how)
        return next(path for path in partial.iterdir() if (path / "session.json").exists())
    if plan.kind == "planned":
        make_session(partial, frames=how["frames"], size=(270, 480))
        return partial
    if plan.kind == "steered":
        return _steered(partial, **how)
    source: Plan = how["source"]
    if not (root / source.kind / source.name).exists():
        raise FileNotFoundError(f"its source {source.name} was not built")
    partial.mkdir()
    target = partial / ("set" + ENDINGS.get(how["format"], ""))
    convert(root / source.kind / source.name, target, format=how["format"])
    return target


def _steered(path: Path, *, kind: str, seed: int, rate: int) -> Path:
    from rushes.capture.recorder import record
    from rushes.capture.steered import SteeredBackend
    from rushes.worlds.steered.world import Steered

    record(SteeredBackend(Steered(kind=kind, seconds=12.0, rate_hz=float(rate), seed=seed, offset_ms=45.0)), path)
    return path


def alarms(cleans: Sequence[Clean], rules: Sequence[str], *, workers: int) -> Iterator[Asked]:
    """Run all checks over sessions without a fault; yield for each what was said beyond `info`.

    Args:
        cleans: The sessions.
        rules: Ids of rules whose checks are run; what else these say, such as problems of reading, counts too.
        workers: Processes.
    """
    checks = tuple(dict.fromkeys(rule.partition(".")[0] for rule in rules))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_alarms, [(clean, checks) for clean in cleans])


def _alarms(given: tuple[Clean, tuple[str, ...]]) -> Asked:
    import cv2

    cv2.setNumThreads(1)
    clean, checks = given
    found: dict[str, Alarm] = {}
    sessions = open_any(clean.path)
    names = [name for name in checks if name != "leakage" or sessions.samples]
    with tempfile.TemporaryDirectory(prefix="rushes-clean-") as folder:
        for finding in examine(sessions, names, expected=_expected(clean, Path(folder))).findings:
            if finding.severity != "info":
                found.setdefault(finding.check, Alarm(finding.check, f"{clean.kind}/{clean.name}", finding.sentence))
    return Asked(any(one.is_environment for one in sessions), list(found.values()))


def _expected(clean: Clean, folder: Path) -> Expected | None:
    """Give what is known beforehand: of every third what is true, with a picture from another moment; else nothing."""
    import cv2

    if hash_of(clean.name, 1) % 3:
        return None
    recording = open_any(clean.path)[0]
    if recording.frame_count < LEAST:
        return None
    picture = recording.frame(recording.frame_count * (1 + hash_of(clean.name, 2) % 8) // 10)
    file = folder / "screenshot.png"
    cv2.imwrite(str(file), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    source = recording if hash_of(clean.name, 3) % 2 else None
    return Expected(size=(picture.shape[0], picture.shape[1]), picture=file, reference=source)
