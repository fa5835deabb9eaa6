# Every command makes .venv from the lock on first use; a second call starts at once.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help demo serve test safety peers soak chaos load simulate check format bench lock clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked dependencies into .venv (about a minute, once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## a demo shop, 24 signed webhooks, a console; ARGS=--once approves, checks and exits
	@$(BIN)/support-agents demo $(ARGS)

serve: $(INSTALLED) ## start the server on this machine
	@$(BIN)/support-agents serve $(ARGS)

test: $(INSTALLED) ## the whole suite; PostgreSQL too where SUPPORT_TEST_POSTGRES_URL answers
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(ARGS)

safety: $(INSTALLED) ## the whole approval-safety suite, journeys through real processes included; PostgreSQL too
	@$(BIN)/python -m pytest -m "long or not long" tests/journeys/approval_safety tests/soak tests/integration/approvals \
		tests/integration/attacks tests/architecture tests/journeys/test_kill.py $(ARGS)

peers: ## servers that others wrote and a small real language model, for tests only; needs npm
	@npm ci --prefix tests/peers/node --ignore-scripts --no-audit --no-fund --loglevel=error
	@test -x tests/peers/python/$(BIN)/python || $(PYTHON) -m venv tests/peers/python/.venv
	@tests/peers/python/$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--requirement tests/peers/python/requirements.txt

soak: $(INSTALLED) ## 100,000 executions and 20,000 steps under faults; Ctrl-C stops it, the next call goes on
	@$(BIN)/python -m tests.soak $(ARGS)

chaos: $(INSTALLED) ## 5,000 tickets flow while everything breaks; Ctrl-C stops it, the next call goes on
	@$(BIN)/python -m tests.chaos $(ARGS)

load: $(INSTALLED) ## ramp, steady load, spike, soak; ARGS="redis --minutes 5 --write docs/scale.md"
	@$(BIN)/python -m tests.load $(ARGS)

simulate: $(INSTALLED) ## sizes for 10 to 10,000 tickets a second, from what `make load` measured
	@$(BIN)/python -m tests.simulation $(ARGS)

check: $(INSTALLED) ## format, lint, types, import contracts, Dockerfile
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > .lint-imports.log || (cat .lint-imports.log; exit 1)
	@$(BIN)/hadolint docker/Dockerfile

format: $(INSTALLED) ## put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## timings and memory, as tables
	@$(BIN)/python -m tests.benchmarks $(ARGS)

intents: $(INSTALLED) ## train the shipped intent model again from its examples
	@$(BIN)/support-agents intents train

lock: ## resolve requirements.lock anew (needs uv)
	@uv pip compile pyproject.toml --extra dev --extra phoenix --generate-hashes --universal --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## remove what the commands made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache *.egg-info .lint-imports.log
