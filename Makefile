# The project's commands. Each prepares what it needs first; `make help` lists them.
#
#   make test TESTS="tests/unit tests/component" PYTEST_ARGS="-k split"
#   make lock ARGS=--upgrade

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv/bin
CODE := setup.py $(wildcard schemas components pipeline skewless benchmarks scripts tests deploy/image deploy/dataflow)
TESTS ?= tests/e2e tests/component tests/unit
PYTEST_ARGS ?=
# A number runs the tests in the random order with that seed.
SEED ?=
PYTEST := $(VENV)/python -m pytest $(if $(SEED),-p randomly --randomly-seed=$(SEED))
# The tests of a file run in one process, as do all end-to-end tests that share a run; these start
# first, being the longest.
PARALLEL := --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
ARGS ?=
# Tests are compiled, and their assertions rewritten, once and not by each process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: bootstrap
bootstrap: ## make .venv for this machine, or do nothing if it is up to date
	@scripts/bootstrap.sh

.PHONY: demo
demo: bootstrap ## run the pipeline on the Chicago taxi trips
	$(VENV)/skewless run taxi

.PHONY: test
test: bootstrap ## run all tests except the long ones
	@TIMEFORMAT='make test: %R s, %U + %S CPU seconds (user + system)'; time { \
	  $(PYTEST) $(TESTS) -m "not long and not alone" $(PARALLEL) $(PYTEST_ARGS); \
	  $(PYTEST) $(TESTS) -m "alone and not long" $(PYTEST_ARGS) || [ $$? = 5 ]; }

.PHONY: test-long
test-long: bootstrap ## run the long tests: runs and stages that are killed, repeated or in a store
	$(PYTEST) tests/e2e tests/component -m long $(PARALLEL) $(PYTEST_ARGS)

.PHONY: engines
engines: bootstrap ## run the tests with real Flink, Spark and Prism, and a replacement for Dataflow
	$(PYTEST) tests/engines $(PARALLEL) $(PYTEST_ARGS)

.PHONY: engine-artifacts
engine-artifacts: bootstrap ## fetch and build what the engines' tests need, once for each machine
	$(VENV)/python -m tests.engines.artifacts

.PHONY: fuzz
fuzz: bootstrap ## send 100,000 malformed requests to the server
	SKEWLESS_FUZZ_REQUESTS=100000 $(PYTEST) tests/component/serve/test_fuzz.py $(PYTEST_ARGS)

.PHONY: lint
lint: bootstrap ## check style, types and imports between layers
	$(VENV)/ruff check $(CODE)
	$(VENV)/ruff format --check $(CODE)
	$(VENV)/mypy $(CODE)
	$(VENV)/lint-imports --no-logo
	for script in .ci/run scripts/*.sh deploy/image/*.sh; do bash -n "$$script"; done

.PHONY: format
format: bootstrap ## rewrite the code in the project's style
	$(VENV)/ruff check --fix-only $(CODE)
	$(VENV)/ruff format $(CODE)

.PHONY: golden
golden: bootstrap ## regenerate the golden files that the tests compare with
	$(PYTEST) --update-golden $(TESTS) $(PYTEST_ARGS)

.PHONY: docs
docs: bootstrap ## build the documentation's site in build/site, without a connection
	PYTHONPATH=. $(VENV)/python -W ignore scripts/make_docs.py

.PHONY: bench
bench: bootstrap ## measure speed and memory compared with stock TFX
	$(VENV)/python -m benchmarks $(ARGS)

.PHONY: lock
lock: bootstrap ## write requirements/ from setup.py, keeping the pins that still fit
	scripts/lock.sh $(ARGS)

.PHONY: clean-room
clean-room: ## prove, as root, that a bare Debian 13 runs the demo and the tests that differ there; ARGS=--all: all
	scripts/clean_room.sh $(ARGS)

.PHONY: image-test
image-test: bootstrap ## build the container images, rootless, and test them
	$(PYTEST) tests/images $(PYTEST_ARGS)

.PHONY: clean
clean: ## remove the environments, caches and build leftovers, but not the runs
	rm -rf .venv .venv-uv build dist *.egg-info
	rm -rf .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
