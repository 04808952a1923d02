# Needs Python 3.11 or later and make; everything else comes from requirements.lock.
# `make help` lists the targets.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DUNNING := $(BIN)/dunning

# Our own PYTHON=… wins; else the first of these that is 3.11 or later.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	command -v $$p >/dev/null 2>&1 \
	&& $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help run test check format rehearse docs lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(STAMP) ## Start everything on this machine: database, engine, worker, API
	$(DUNNING) serve

test: $(STAMP) ## Run the tests; ARGS="-k pause -x" goes to pytest
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## Formatting, lint, types, and that the migrations match the tables
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(DUNNING) db check

format: $(STAMP) ## Format the code and fix what lint can fix by itself
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

rehearse: $(STAMP) ## Live through the sample book of examples/ before a message ever leaves
	$(DUNNING) rehearse examples/book.csv --plan examples/plan.toml \
		--from 2025-01-01 --until 2025-07-01 --out .dunning/rehearsal

docs: $(STAMP) ## Write what the pages take from the code: settings, endpoints, variables, rooms
	PYTHONPATH=. $(BIN)/python tests/test_settings_documented.py
	PYTHONPATH=. $(BIN)/python tests/test_docs.py
	PYTHONPATH=. $(BIN)/python tests/test_architecture.py

lock: $(STAMP) ## Choose the newest allowed versions anew, for every platform, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --all-extras pyproject.toml \
		--output-file requirements.lock

clean: ## Remove the environment and what the tools left (not .dunning, which is your data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, remade only when what it is made from has changed. The project itself goes in
# without build isolation: setuptools is in the lock, so nothing outside of it is ever fetched.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it," \
		"or name one with 'make PYTHON=/path/to/python3.11 …'" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make an" \
		"environment: install its venv module (python3-venv)" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes \
		--only-binary :all: --requirement requirements.lock
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-index \
		--no-build-isolation --editable .
	@touch $@
