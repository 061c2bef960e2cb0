"""What the tests with real programs may ask for; each module gets servers of its own (see `servers.py`)."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """Load a file that stands beside this one; test folders are no packages."""
    full = f"desktop_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parent / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """A starter whose programs all end with the module."""
    with load("servers").programs_that_end() as made:
        yield made


@pytest.fixture(scope="module")
def display(require) -> Iterator[Any]:
    """An X server of this module's own, 1280x720, with openbox; DISPLAY names it."""
    require("display")
    with load("servers").run_display() as made:
        yield made


@pytest.fixture(scope="module")
def sound_server(require) -> Iterator[Any]:
    """A sound server of this module's own; PULSE_SERVER names it."""
    require("sound")
    with load("servers").run_sound_server() as made:
        yield made


@pytest.fixture(scope="session")
def servers() -> ModuleType:
    """`servers.py`: what starts servers and programs, and ends them."""
    return load("servers")


@pytest.fixture(scope="session")
def game() -> ModuleType:
    """`game.py`: the test game and its log."""
    return load("game")


@pytest.fixture(scope="session")
def hands() -> ModuleType:
    """`hands.py`: the player that never errs."""
    return load("hands")


@pytest.fixture(scope="session")
def demo() -> ModuleType:
    """`doom.py`: Crispy Doom and its own recordings."""
    return load("doom")


@pytest.fixture(scope="session")
def recording() -> ModuleType:
    """`recording.py`: the real recorder and what it left."""
    return load("recording")
