"""The files that JumpNet's recorder and scripts save, as `saved` writes them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def saved() -> ModuleType:
    if "jumpnet_saved" not in sys.modules:
        spec = importlib.util.spec_from_file_location("jumpnet_saved", Path(__file__).parent / "saved.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["jumpnet_saved"] = module
        spec.loader.exec_module(module)
    return sys.modules["jumpnet_saved"]
