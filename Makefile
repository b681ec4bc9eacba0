# Two commands: `make run` does the main job from nothing, `make test` passes the tests.
PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin
export UV_SYSTEM_CERTS := 1
# Written once, bytecode need not be compiled by every process.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run up test check bench prove lock clean
.SILENT: help

help:
	grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# Debian packages nothing works without a picture of: Chinese fonts and a browser, for the browser tests only.
var/.debian:
	mkdir -p var
	sh .ci/debian-packages
	touch $@

run: .venv/.installed ## the demonstration city through its nights, mails and bulletin under var/
	$(BIN)/jiancha demo

up: .venv/.installed ## Airflow with its UI on the demonstration data; Ctrl-C stops everything
	$(BIN)/jiancha up --port $(PORT)

test: .venv/.installed var/.debian ## every test: pure, database, Airflow, browser
	$(BIN)/python -m pytest -q -n 3 --dist loadgroup tests

check: .venv/.installed ## format, lint, types, dependency direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed ## measure, as ratios side by side in one run
	$(BIN)/python -m benchmarks

prove: .venv/.installed ## the long proofs at full size, written to docs/proof.md
	$(BIN)/python -m tests.faults.prove

LOCKED := --quiet --universal --generate-hashes --no-header --no-annotate
lock: ## compile both requirements locks anew from pyproject.toml
	$(BIN)/uv pip compile $(LOCKED) --extra dev pyproject.toml -o requirements.lock
	# The image's: without what only tests need, every shared package at the same version.
	$(BIN)/uv pip compile $(LOCKED) --extra deploy --constraint requirements.lock pyproject.toml -o requirements-deploy.lock

clean: ## forget the demonstration
	rm -rf var
