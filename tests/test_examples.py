"""The example in every module's docstring runs, and every module has one."""

import doctest
import importlib
from pathlib import Path

import pytest

LIB = Path(__file__).parent.parent / "lib"
MODULES = sorted(
    ".".join(p.relative_to(LIB).with_suffix("").parts)
    for p in LIB.rglob("*.py")
    if p.stem not in ("__init__", "__main__")
)


@pytest.mark.parametrize("name", [m for m in MODULES if not m.startswith("rushes.cli.")])
def test_a_module_explains_itself_with_an_example(name):
    text = importlib.import_module(name).__doc__ or ""
    assert len(text) > 100, "the module docstring is the manual"
    assert ">>>" in text, "with one runnable example"


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
