"""What GameOn's recorder leaves, for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rushes.model.recording import Sessions


def _load(path: Path) -> ModuleType:
    full = f"gameon_{path.stem}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def gameon() -> ModuleType:
    return _load(Path(__file__).with_name("recorded.py"))


@pytest.fixture(scope="session")
def hands() -> ModuleType:
    return _load(Path(__file__).parents[1] / "hands.py")


@pytest.fixture
def recorder(gameon, tmp_path):
    return gameon.Recorder(tmp_path)


@pytest.fixture
def one():
    """Give the only recording of a set."""

    def take(sessions: Sessions):
        (found,) = sessions
        return found

    return take
