# `make run` and `make test` work on a fresh machine with Python 3.11+ and make.
# They use the active virtual environment, or make one in .venv.

PYTHON ?= python3
VENV := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),$(CURDIR)/.venv)
BIN := $(VENV)/bin
STAMP := $(VENV)/.equijax-installed
WORKDIR ?= runs/force_field

.PHONY: run test install lint format report clean

run: install
	$(BIN)/python -m experiments run force_field --preset small --workdir $(WORKDIR)

test: install lint
	$(BIN)/python -m pytest -n auto

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

report: install
	$(BIN)/python -m experiments report

install: $(STAMP)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The stamp holds the path of this checkout: one environment may serve several.
$(STAMP): setup.cfg requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(STAMP)

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache runs
