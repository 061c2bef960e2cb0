"""What notebook tests share: a project folder, and the namespace of a notebook that ran some cells."""

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with outputs/ in it, as the current one."""
    root = tmp_path / "project"
    (root / "outputs").mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def ran():
    """Make the namespace that IPython has after these cells were run."""

    def run(*cells):
        namespace = {"In": ["", *cells]}
        for cell in cells:
            exec(compile(cell, "cell", "exec"), namespace)
        return namespace

    return run
