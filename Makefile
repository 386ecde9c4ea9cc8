# Every target does its own set-up; a machine needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Which of the costly tests are run; see tests/sampling.py.
PART ?= $(shell expr $$(date +%s) % 3 + 1)/3
# Several processes of tests, and all that they start, would each compile every module anew.
export PYTHONDONTWRITEBYTECODE :=
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.PHONY: help setup demo serve test stories coverage mutants check boundaries recordings deploy-check bench bench-soak bench-all conversations soak batch-trial api-page api-fuzz matrix lock format clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(READY) ## the virtual environment with everything that is locked

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "exobridge needs Python 3.11 or newer; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: $(READY) ## a whole call on real speech, offline, and its recording to listen to
	$(BIN)/exobridge demo

serve: $(READY) ## the server, with the settings of .env
	$(BIN)/exobridge serve

test: $(READY) ## the test suite with a third of its costly tests, another one each time; PART=1/1: all
	$(BIN)/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder --part $(PART)

stories: $(READY) ## the calls of docs/flows with real speech, one after the other: eight minutes
	$(BIN)/exobridge simulate docs/flows --serve --no-chart

coverage: $(READY) ## how much of the modules without I/O their tests run, module by module
	$(BIN)/python -m tests.covered

mutants: $(READY) ## faults put into those modules one at a time: do the tests notice? two hours
	$(BIN)/python -m tests.mutations

check: $(READY) ## lint, format, types and the arrows between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo mypy, pyright; $(BIN)/mypy & mypy=$$!; \
	$(BIN)/pyright --pythonpath $(BIN)/python; pyright=$$?; wait $$mypy && exit $$pyright
	$(BIN)/lint-imports --no-cache

boundaries: $(READY) ## the line to a vendor cut at each message of a call: three minutes
	$(BIN)/python -m tests.vendors.boundaries

recordings: $(READY) ## human recordings and lines without speech as callers: a quarter of an hour
	$(BIN)/python -m tests.human_recordings

deploy-check: $(READY) ## the image's steps and the proxies, run as they are deployed
	.ci/deploy-check

bench: $(READY) ## what calls cost, as a ratio to the floor of the same run: some minutes
	$(BIN)/python -m tests.benchmarks

bench-soak: $(READY) ## ten minutes of calls: does the memory grow, is anything left behind
	$(BIN)/python -m tests.benchmarks soak

bench-all: $(READY) ## every benchmark, and docs/reference/benchmarks.md made of them: half an hour
	$(BIN)/python -m tests.benchmarks all --report docs/reference/benchmarks.md

conversations: $(READY) ## the set of scripted callers: does the bot take turns well? and its page: a quarter of an hour
	$(BIN)/python -m tests.conversations --report docs/reference/turn-taking.md

soak: $(READY) ## a thousand calls with faults by seed, a hundred of them over real sockets: some minutes
	$(BIN)/python -m tests.soak --seeds 0..999

api-page: $(READY) ## docs/reference/api.md, anew from the operations of the control API
	$(BIN)/python -m tests.web.control.api_page

api-fuzz: $(READY) ## the control API questioned by its own document, at length: ten minutes
	$(BIN)/python -m tests.web.control.fuzz --examples 400

batch-trial: $(READY) ## 500 people called by a server that is killed twice on the way: ten minutes
	$(BIN)/python -m tests.outbound.trial --rows 500 --seed 7

matrix: $(READY) ## docs/reference/provider-matrix.md, anew from what the providers declare
	$(BIN)/exobridge provider list --markdown > .matrix.md && mv .matrix.md docs/reference/provider-matrix.md

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## the hashed locks, anew from pyproject.toml (needs uv)
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements.lock
	$(COMPILE) pyproject.toml --extra otel --extra s3 -c requirements.lock -o deploy/requirements.lock
	$(COMPILE) pyproject.toml --extra local --extra otel --extra s3 -c requirements.lock -o deploy/requirements-local.lock
	echo hatchling | $(COMPILE) - -c requirements.lock -o deploy/requirements-build.lock

clean: ## what the other targets made
	rm -rf $(VENV) dist build demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
