# Two commands do everything, set-up included:  make up  and  make test
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MEMBERS := shared services/ingest services/triage services/recognition services/crm-sync services/console
LOCK   := requirements/all.txt
OVERRIDES := requirements/overrides.txt
STARTED := earshot_shared.local.up, earshot_shared.service, uvicorn.protocols.http.httptools_impl, earshot_ingest.wiring, earshot_triage.wiring, earshot_recognition.cli, earshot_crm_sync.cli, earshot_console.cli, earshot_crm_sync.identity.offline.engine, earshot_triage.judgement.commands, phonenumbers
LOCK_FLAGS := --override $(OVERRIDES) --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-emit-package earshot-shared

.DEFAULT_GOAL := help
.PHONY: help setup up test lint types fmt lock capabilities storm clean

help: ## what one can make here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: $(VENV)/.done ## make .venv with everything in it; quick when nothing changed

$(VENV)/.done: $(LOCK) pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Earshot needs Python 3.11 or newer; name one with: make setup PYTHON=python3.12"; rm -rf $(VENV); exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "Setting up $(VENV) …"
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --override $(OVERRIDES) -r $(LOCK)
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(addprefix -e ,$(MEMBERS))
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import $(STARTED)' # compiled once, whatever the environment says: starts and commands would compile for seconds
	@touch $@

up: setup ## run the whole system here, with a live demonstration feed (ARGS="--no-demo --port-base 9100")
	@exec $(BIN)/earshot up $(ARGS)

test: setup lint types ## every test, in up to four processes
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder $(ARGS)

lint: setup ## format, lint and import rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache >/tmp/earshot-imports.$$$$ || { cat /tmp/earshot-imports.$$$$; rm -f /tmp/earshot-imports.$$$$; exit 1; }; rm -f /tmp/earshot-imports.$$$$

types: setup ## mypy, strict
	@$(BIN)/mypy $(addsuffix /src,$(MEMBERS)) tests

fmt: setup ## put the code in form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## compile the locks anew: hashes, no addresses
	@$(BIN)/uv pip compile $(LOCK_FLAGS) --all-extras --output-file $(LOCK) requirements/dev.in $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(BIN)/uv pip compile $(LOCK_FLAGS) --constraint $(LOCK) --output-file requirements/services.txt $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(BIN)/uv pip compile $(LOCK_FLAGS) --constraint $(LOCK) --output-file requirements/build.txt requirements/build.in

capabilities: setup ## which test proves which capability
	@$(BIN)/python -m pytest --capabilities -q | sed "/no tests ran/d" || true

storm: setup ## an hour of kills and freezes over a real system (ARGS="--minutes 60 --seed 7")
	@cd tests && ../$(BIN)/python -m fault.storm $(ARGS)

clean: ## remove what set-up and tests made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
