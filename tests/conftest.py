"""What every test may ask for: optional components, the long form, a browser.

A test that needs something which a bare machine lacks says so with `@pytest.mark.require("browser")` or by
calling the fixture: `require("display")`. It then skips with the reason, and FAILS where the environment
variable RUSHES_REQUIRE (comma-separated) names the component, so that CI cannot pass by skipping.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Where a Chromium is, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _display() -> str:
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return ""
    return "no display: neither DISPLAY nor WAYLAND_DISPLAY is set"


def _sound() -> str:
    program = shutil.which("pactl")
    if program is None:
        return "no sound: pactl is not installed"
    answer = subprocess.run([program, "info"], capture_output=True, timeout=10, check=False)
    return "" if answer.returncode == 0 else "no sound: no server answers 'pactl info'"


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
