"""The recording in memory that the tests of formats share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rushes.model.recording import Sessions


def load(name: str) -> ModuleType:
    """Load a file that stands beside this one; test folders are no packages."""
    full = f"formats_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parent / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    return load("fake")


@pytest.fixture(scope="session")
def hand_play() -> ModuleType:
    return load("hand_play")


@pytest.fixture
def play(fake) -> Sessions:
    """Two episodes of Alien (11 and 5 frames) and one of Breakout (4 frames)."""
    breakout = fake.Fake([4], env_id="ALE/Breakout-v5", game="Breakout", names=fake.BREAKOUT, salt=2)
    return Sessions([fake.Fake([11, 5]), breakout], format="fake")
