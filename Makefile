# make run     the main job: flatten everything in data/ into outputs/
# make test    the tests              make check   format, lint, types, then the tests
# make bench   time and distortion    make fuzz    hostile files, power cuts, full disks, for longer
# make lock    resolve the dependencies again (needs uv)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: run test lint check format bench fuzz lock clean

run: $(VENV)/.run
	$(BIN)/flatpipe run pipeline.yaml

# Two files of tests at a time: they wait for processes more than they work.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff format --check flatpipe tests benchmarks docs
	$(BIN)/ruff check flatpipe tests benchmarks docs
	$(BIN)/mypy

check: lint test

format: $(VENV)/.dev
	$(BIN)/ruff format flatpipe tests benchmarks docs
	$(BIN)/ruff check --fix flatpipe tests benchmarks docs

# Exact versions, each file checked against its hash; flatpipe itself is linked, so an edit needs no reinstall.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flatpipe needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python requirements.lock requirements-build.lock pyproject.toml
	@echo "installing flatpipe into $(VENV) (first time only)" >&2
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --require-hashes -r requirements-build.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "installing what the tests need into $(VENV) (first time only)" >&2
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $@

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	$(INSTALL) --require-hashes -r requirements-bench.lock
	touch $@

# Exact versions and hashes of the extras too, so that a site can install those that nobody needs here.
EXTRAS := $(foreach extra,heif video s3 gs az jobqueue parquet ssh,--extra $(extra))
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock:
	$(COMPILE) pyproject.toml --extra heif -o requirements.lock
	$(COMPILE) --group build -c requirements.lock -o requirements-build.lock
	$(COMPILE) pyproject.toml $(EXTRAS) -c requirements.lock -o requirements-extras.lock
	$(COMPILE) pyproject.toml --extra heif --extra video --extra s3 --extra jobqueue --extra parquet --extra ssh --group dev -c requirements-extras.lock -c requirements-build.lock -o requirements-dev.lock
	$(COMPILE) pyproject.toml --group bench -c requirements-dev.lock -o requirements-bench.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks quality collection floor peers driver
	$(BIN)/python -m benchmarks plain --rounds 3 --most 1

fuzz: $(VENV)/.dev
	FLATPIPE_FUZZ=5000 $(BIN)/python -m pytest tests/decode tests/running -k fuzz
