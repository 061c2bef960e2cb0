# One line a target; each also works by hand. `make` alone lists them.
PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
ARGS   ?=
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help sample test full lab check bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 18

sample: $(VENV)/.base  ## sample Atari, check it, export it, look at it: outputs/atari_sample/
	$(BIN)/rushes run recipes/atari_sample.ipynb $(ARGS)

# Tests start some hundred processes: each compiles the package anew where Python is told to keep no bytecode.
test full: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.test  ## the tests; ARGS="tests/model -k grid" for some of them
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

full: $(VENV)/.test  ## the tests, each in its long form
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --full $(ARGS)

lab: $(VENV)/.base  ## JupyterLab
	$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

check: $(VENV)/.test  ## lint, format, types, notebooks: what pre-commit runs
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python .ci/notebooks.py recipes notebooks

bench: $(VENV)/.base  ## every benchmark, one after the other
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script $(ARGS); done

clean:  ## remove caches and build output; data/, outputs/ and the environment stay
	rm -rf build dist lib/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .ipynb_checkpoints */.ipynb_checkpoints
	find lib tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The environment: made once, installed again only when the list of dependencies changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rushes needs Python 3.11 or newer; '$(PYTHON)' is not that. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "== make a Python environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no environment could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "== install rushes into $(VENV) (a few minutes the first time)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "== install rushes and what its tests need into $(VENV) (a few minutes the first time)"
	@$(PIP) -e '.[test,games,desktop,audio,browser,tf]'
	@touch $(VENV)/.base $@
