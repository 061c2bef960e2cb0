"""Sets as the game writes them, for the tests of this folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reacture_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def game() -> ModuleType:
    return _load(Path(__file__).with_name("exported.py"))


@pytest.fixture(scope="session")
def hands() -> ModuleType:
    return _load(Path(__file__).parents[1] / "hands.py")
