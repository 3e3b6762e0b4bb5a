# pesbench: `make bench` measures, `make test` checks. Everything is installed into folders of this project:
# .venv (the harness) and .envs (one environment a method).

PYTHON ?= python3
BIN := .venv/bin

# make bench STRUCTURES=mine.xyz METHODS=a,b BUDGET=60 ARGS="--limit 10"
RUN_OPTIONS = $(if $(STRUCTURES),--structures '$(STRUCTURES)') $(if $(METHODS),--methods $(METHODS)) $(if $(BUDGET),--budget $(BUDGET)) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help bench study table1 test quick check speed regress drill overhead clean

help: ## list the verbs
	@echo "usage: make VERB"
	@sed -n 's/^\([a-z0-9]*\):[^#]*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 12
	@echo "options: STRUCTURES=mine.xyz METHODS=a,b BUDGET=SECONDS|none ARGS=\"...\" for bench and study (see $(BIN)/pesbench run --help);"
	@echo "         METHODS (or METHODS=changed), BUDGET, ARGS and BASE=REV for regress"

bench: .venv/installed ## measure every method that can run here; ends with table and page (half an hour)
	@$(BIN)/pesbench run $(RUN_OPTIONS)

study: .venv/installed ## measure everything: speed, dynamics, accuracy, growth, throughput (hours; goes on if stopped)
	@$(BIN)/pesbench study $(RUN_OPTIONS)

table1: .venv/installed ## the published table and the newest run in its style: Markdown, LaTeX, figure
	@$(BIN)/pesbench table1 $(ARGS)

# without what make passes on to the makes that tests start, and with compiled tests kept, which each process needs
PYTEST := env -u MAKEFLAGS -u MFLAGS -u ARGS -u STRUCTURES -u METHODS -u BUDGET -u PYTHONDONTWRITEBYTECODE \
    $(BIN)/python -m pytest -n auto --dist loadfile

test: .venv/installed-tests check ## run the tests, the linter and the type checker; ends with the ten slowest tests
	@$(PYTEST) --durations=10 $(ARGS)

quick: .venv/installed-tests ## run the tests that need no environment of a method and start no process (a minute)
	@$(PYTEST) --quick $(ARGS)

check: .venv/installed-tests ## run the linter and the type checker only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

speed: .venv/installed-tests ## time a step of the offline methods, reading a run and the analysis (pytest-benchmark)
	@$(BIN)/python -m pytest --benchmark-enable --benchmark-only tests/speed $(ARGS)

regress: .venv/installed ## compare METHODS with their adapters at the commit BASE, measured in turn
	@$(BIN)/pesbench regress --methods $(or $(METHODS),7net-0) --base $(or $(BASE),HEAD) \
	    $(if $(BUDGET),--budget $(BUDGET)) $(ARGS)

drill: .venv/installed-tests ## kill, mutate and cut, over and over (hours; goes on if stopped)
	@$(BIN)/python tests/drills/drill.py $(ARGS)

overhead: .venv/installed ## measure what the harness itself adds to a step
	@$(BIN)/pesbench overhead $(ARGS)

clean: ## remove the environments; results stay
	rm -rf .venv .envs .mypy_cache .pytest_cache .ruff_cache

.venv/installed: pyproject.toml | .venv/bin/python
	@echo "installing pesbench into .venv ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-tests: pyproject.toml | .venv/bin/python
	@echo "installing pesbench and its tests' tools into .venv ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable '.[test]'
	@touch .venv/installed $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "pesbench needs Python 3.11 or later; name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv .venv \
	    || { rm -rf .venv; echo "python3 cannot make a virtual environment (Debian: apt-get install python3-venv)" >&2; exit 2; }
