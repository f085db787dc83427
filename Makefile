# Everything a developer or CI runs. `make test` on a fresh machine needs python3 (3.11 or newer),
# python3-venv, make and a package index; it installs the rest into .venv.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 3
# uv where it is installed: it takes a sixth of the time of pip, which does the same everywhere else.
with_packages = { command -v uv >/dev/null && uv pip install --quiet --compile-bytecode --python $(BIN)/python $(1); } \
	|| $(BIN)/pip install --quiet --disable-pip-version-check $(1)

# What was compiled once is kept, whatever the environment says: the tests start some hundred processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test install format lint format-check ruff types contracts unit component e2e docs suite lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: install ## live through an incident in a practice Slack in the browser; nothing leaves this machine
	$(BIN)/oncall-bot demo $(DEMO)

test: lint suite ## everything: format, lint, types, contracts, then every test

install: $(VENV)/.installed ## .venv with every locked package, hashes checked, and oncall-bot itself

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit("oncall-bot needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(call with_packages,--require-hashes -r requirements-dev.lock)
	$(call with_packages,--no-deps --no-build-isolation --editable .)
	@touch $@

format: install ## write every file the one way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: format-check ruff types contracts ## format check, ruff, mypy, import contracts

format-check: install
	$(BIN)/ruff format --check .

ruff: install
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

contracts: install
	$(BIN)/lint-imports --no-logo

unit: install ## the core alone: no database, no network, seconds
	$(BIN)/python -m pytest tests/unit

component: install ## one real thing at a time: SQLite, PostgreSQL, Slack's library, HTTP
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -rs tests/component

e2e: install ## `oncall-bot serve` as a process, or several
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -rs tests/e2e

docs: install ## what the documents say is so
	$(BIN)/python -m pytest -rs tests/test_docs.py tests/test_snippets.py tests/test_reference.py tests/test_architecture.py

suite: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -rs -m "not long" tests

lock: ## make the locks again (needs uv); what is locked stays unless it must change
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --group build -o requirements-build.lock

clean: ## forget .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
