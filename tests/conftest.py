"""What every test may ask for: optional components, the long form, a browser.

A test that needs something which a bare machine lacks says so with `@pytest.mark.require("browser")` or by
calling the fixture: `require("display")`. It then skips with the reason, and FAILS where the environment
variable RUSHES_REQUIRE (comma-separated) names the component, so that CI cannot pass by skipping.

`display` and `sound` mean that a server can be started for the tests, not that one is running: no test touches
the screen or the speakers of the person who runs it. `tests/desktop/conftest.py` starts them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
GAME = "crispy-doom"
GAME_FOLDERS = ("/usr/games", "/usr/local/games")
IWAD = "freedoom1.wad"
IWAD_FOLDERS = ("/usr/share/games/doom", "/usr/local/share/games/doom", "/usr/share/doom")


def browser_path() -> str | None:
    """Where a Chromium is, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def game_path() -> str | None:
    """Where Crispy Doom is, or None; Debian keeps games in a folder that is on few people's PATH."""
    return shutil.which(GAME, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *GAME_FOLDERS]))


def iwad_path() -> Path | None:
    """Where Freedoom's levels are, or None."""
    return next((path for folder in IWAD_FOLDERS if (path := Path(folder) / IWAD).is_file()), None)


def _programs(component: str, names: tuple[str, ...]) -> str:
    if missing := [name for name in names if shutil.which(name) is None]:
        return f"no {component}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    return ""


def _display() -> str:
    return _programs("display", ("Xvfb", "openbox", "xdotool"))


def _sound() -> str:
    return _programs("sound", ("pulseaudio", "pactl"))


def _game() -> str:
    if game_path() is None:
        return f"no game: {GAME} is not installed"
    if iwad_path() is None:
        return f"no game: {IWAD} is in none of {', '.join(IWAD_FOLDERS)}"
    return ""


def _browser() -> str:
    if browser_path() is None:
        return f"no browser: none of {', '.join(BROWSERS)} is installed"
    if importlib.util.find_spec("playwright") is None:
        return "no browser: playwright is not installed"
    return ""


def _tensorflow() -> str:
    return "" if importlib.util.find_spec("tensorflow") else "no tensorflow: it is not installed"


COMPONENTS: dict[str, Callable[[], str]] = {
    "display": _display,
    "sound": _sound,
    "game": _game,
    "browser": _browser,
    "tensorflow": _tensorflow,
}


def required() -> set[str]:
    """The components that must be there on this machine."""
    return {name.strip() for name in os.environ.get("RUSHES_REQUIRE", "").split(",") if name.strip()}


def demand(name: str) -> None:
    """Skip the running test without the component `name`; fail it where RUSHES_REQUIRE names it."""
    if name not in COMPONENTS:
        raise pytest.UsageError(f"require({name!r}): the optional components are {', '.join(COMPONENTS)}")
    reason = COMPONENTS[name]()
    if reason and name in required():
        pytest.fail(f"{reason}, and RUSHES_REQUIRE names {name}", pytrace=False)
    if reason:
        pytest.skip(reason)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests marked full, and more examples")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to what it runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the programs that tests start can be interrupted
    if unknown := required() - set(COMPONENTS):
        raise pytest.UsageError(
            f"RUSHES_REQUIRE names {', '.join(sorted(unknown))}; the components are {', '.join(COMPONENTS)}"
        )
    # time limits belong to benchmarks: a busy machine must not fail a property
    settings.register_profile("house", deadline=None)
    settings.register_profile("full", deadline=None, max_examples=1000)
    if config.getoption("--full"):
        settings.load_profile("full")
    elif not os.environ.get("CI"):  # in CI hypothesis takes its own profile: derandomized, no deadline
        settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full") or "full" in config.getoption("-m"):
        return
    if long := [item for item in items if item.get_closest_marker("full")]:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("require"):
        for name in marker.args:
            demand(name)


@pytest.fixture(scope="session")
def require() -> Callable[[str], None]:
    """Call it with a component's name: the test skips, or fails, without it."""
    return demand


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long form was asked for (`make full`)."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that runs headless: playwright's `executable_path`."""
    demand("browser")
    path = browser_path()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def crispy_doom() -> tuple[str, Path]:
    """Crispy Doom and Freedoom's levels: (program, IWAD)."""
    demand("game")
    program, iwad = game_path(), iwad_path()
    assert program is not None
    assert iwad is not None
    return program, iwad
