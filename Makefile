# The front door. Every target sets up what it needs in .venv by itself and is quick when there is nothing to do.

# The first interpreter found that is new enough; override with make PYTHON=/path/to/python.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
NAME ?= example
MEMBERS := plugins/cloudsql plugins/redis plugins/bigquery plugins/bigquery-emulator plugins/opentelemetry plugins/sentry plugins/dev example
PEERS := microbootstrap lite-bootstrap aiomisc svcs
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run job test lint format bench bench-peers mutants docs dist clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

SETUP := pyproject.toml constraints.txt Makefile $(MEMBERS:%=%/pyproject.toml)
INSTALL = $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --constraint constraints.txt

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed: install it, or name it with make PYTHON=..." >&2; exit 2; }
	@echo "make: setting up .venv with $(PYTHON), and uv in it"
	@$(PYTHON) -m venv --clear .venv && $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv

# What the example needs to run; the tools that test and check it are as large again.
.venv/.running: $(SETUP) | $(BIN)/uv
	@echo "make: installing what the example runs on into .venv: our packages, their libraries and five servers, about 300 MB"
	@$(INSTALL) --editable '.[all,dev]' --editable 'plugins/dev[all]' $(MEMBERS:%=--editable %)
	@touch $@

.venv/.installed: .venv/.running
	@echo "make: installing what tests and checks need into .venv, about 500 MB more"
	@$(INSTALL) --group test --group lint --editable 'plugins/cloudsql[connector]' --editable 'plugins/bigquery[storage]' \
		--editable 'plugins/opentelemetry[grpc]'
	@touch $@

run: .venv/.running ## start the example on five embedded resources (PORT, default 8080)
	@cd example && exec ../$(BIN)/msp dev $(NAME)

job: NAME = sweep
job: .venv/.running ## execute an example job on embedded resources (NAME, default sweep; or tally)
	@cd example && exec ../$(BIN)/msp dev $(NAME)

test: .venv/.installed ## run all tests with the coverage gate
	@$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term $(ARGS)

lint: .venv/.installed ## check format, lint rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@report=$$($(BIN)/lint-imports --no-cache --no-logo) || { echo "$$report"; exit 1; }
	@report=$$(PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/basedpyright --verifytypes msp_core --ignoreexternal) || { echo "$$report"; exit 1; }

format: .venv/.installed ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

# Benchmarks have an environment of their own: what we are compared with is no business of tests, and the
# instrumentation packages want the one release of OpenTelemetry that they were made for, so its pins do not count.
.venv-bench/.installed: $(SETUP) | $(BIN)/uv
	@echo "make: installing what is measured and what it is compared with into .venv-bench"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-bench
	@grep -v '^opentelemetry' constraints.txt > .venv-bench/constraints.txt
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --compile-bytecode --constraint .venv-bench/constraints.txt \
		--group bench --editable '.[all,dev]' --editable 'plugins/dev[all]' $(MEMBERS:%=--editable %)
	@touch $@

bench: .venv-bench/.installed ## measure every row of benchmarks/README.md (ARGS="hello query --quick")
	@.venv-bench/bin/python -m benchmarks $(ARGS)

# Their own releases of everything, but the servers and clients that ours has.
.venv-peers/%/.installed: pyproject.toml constraints.txt | $(BIN)/uv
	@echo "make: installing $* into .venv-peers/$*"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-peers/$*
	@grep -E '^(psycopg|redis|hiredis|sentry-sdk|starlette|uvicorn|uvloop|google-cloud-bigquery)' constraints.txt \
		> .venv-peers/$*/constraints.txt
	@$(BIN)/uv pip install --quiet --python .venv-peers/$*/bin/python --compile-bytecode \
		--constraint .venv-peers/$*/constraints.txt --group peer-$*
	@touch $@

bench-peers: .venv-bench/.installed $(PEERS:%=.venv-peers/%/.installed) ## compare with other runtimes, installed apart (ARGS=--quick)
	@.venv-bench/bin/python -m benchmarks --peers $(ARGS)

mutants: .venv/.installed ## change the product one thing at a time: does a test notice? (ARGS="config health")
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group mutants
	@$(BIN)/python -m mutants.run $(ARGS)

docs: .venv/.installed ## regenerate reference pages from the code
	@$(BIN)/python -m docs.generate

dist: .venv/.running ## build every wheel and source distribution into dist
	@rm -rf dist
	@$(BIN)/uv build --quiet --all-packages --out-dir dist

clean: ## remove every environment and cache
	@rm -rf .venv .venv-bench .venv-peers dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* htmlcov
