# `make help` lists the targets. Every target makes what it needs, including the virtual environment in .venv.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
# Each interpreter has its own environment, so that `make test PYTHON=python3.13` does not run the default one's.
VENV := .venv$(patsubst %,-%,$(filter-out python3,$(notdir $(PYTHON))))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# A commit rebuilds the one file that contains its hash, so that reports never show an outdated commit.
# Folders are listed because an editable install maps modules one by one: adding or removing a file needs a rebuild.
SOURCES := pyproject.toml CMakeLists.txt $(wildcard cmake/*) $(shell find */native -name "*.[hc]pp") \
    $(shell find lowlat lowlat_cli engine fleet probes reports -type d -not -name __pycache__) $(wildcard .git/logs/HEAD)
# LOWLAT_NATIVE=ON is read by the build (see pyproject.toml).
BUILD := $(PIP) install --no-build-isolation --no-deps -e .

# Two pips cannot run in one environment at once; the compilers use all cores anyway.
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(BIN)/python:
	@bash tools/ci/preflight.sh "$(PYTHON)"
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.tools: $(BIN)/python pyproject.toml
	@echo "lowlat: installing dependencies into $(VENV)" >&2
	# Build tools first, since the editable build below runs without isolation (an edit then rebuilds in seconds).
	$(PIP) install cmake ninja $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")
	$(PIP) install $$($(BIN)/python -c "import tomllib; print(*(d.replace(' ', '') for d in tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))")
	@touch $@

$(VENV)/.built: $(VENV)/.tools $(SOURCES)
	@echo "lowlat: building the native modules" >&2
	$(BUILD)
	# As an installation from a wheel does; where Python may write no bytecode, each start would compile every module.
	@$(BIN)/python -m compileall -q lowlat lowlat_cli engine fleet probes reports
	@touch $@

$(VENV)/.extra-%: $(VENV)/.tools pyproject.toml
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['$*'], sep='\n')" | $(PIP) install -r /dev/stdin
	@touch $@

.PHONY: dev
dev: $(VENV)/.built $(VENV)/.extra-test $(VENV)/.extra-check ## Set up everything for development

.PHONY: bench
bench: $(VENV)/.built ## Measure the matching engine on this host
	@$(BIN)/lowlat bench

PYTEST := $(BIN)/python -P -m pytest -n logical --dist worksteal

.PHONY: test
test: $(VENV)/.built $(VENV)/.extra-test ## Run the tests that are quick
	@$(PYTEST) -m "not slow and not campaign"

# A test marked `scaled` runs in both, with more cases in this one.
.PHONY: test-slow
test-slow: $(VENV)/.built $(VENV)/.extra-test ## Run the slow tests, and more cases of those that draw or generate theirs
	@LOWLAT_EXAMPLES=100 LOWLAT_CAMPAIGN_TRACES=20 $(PYTEST) -m "(slow or scaled) and not campaign"

.PHONY: test-all
test-all: test test-slow ## Run all tests

.PHONY: conformance
conformance: $(VENV)/.built $(VENV)/.extra-test ## The whole campaigns of tracebook-conformance, 200 traces each
	@LOWLAT_CAMPAIGN_TRACES=200 $(PYTEST) -m scaled tests/conformance

# LOWLAT_FAULTS=4 calls of each kind.
.PHONY: faults
faults: $(VENV)/.built $(VENV)/.extra-test ## Every verb, while each kind of system call fails in it (half an hour)
	@$(PYTEST) -m campaign

.PHONY: check
check: dev ## Formatting, lint and types, Python and C++
	@bash tools/ci/check.sh $(BIN)

.PHONY: analyze
analyze: dev ## The static analyzer on the native modules (clang-tidy; some minutes)
	@bash tools/ci/tidy.sh $(BIN) '-*,clang-analyzer-*' && echo "lowlat: analyze passed" >&2

.PHONY: format
format: $(VENV)/.extra-check ## Format the sources
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix-only -q . && $(BIN)/clang-format -i $$(git ls-files '*.hpp' '*.cpp' '*.h' '*.c')

.PHONY: stubs
stubs: $(VENV)/.built ## Rewrite what is generated: records and enumerations, type stubs, document schemas, man pages
	@bash tools/generate/stubs.sh $(BIN)

.PHONY: instructions
instructions: $(VENV)/.built ## Count instructions per command, and per call from Python (callgrind), against the committed figures
	@$(BIN)/python tools/measure/instructions.py $(if $(RECORD),--record)
	@$(BIN)/python tools/measure/python_instructions.py

.PHONY: complexity
complexity: $(VENV)/.built ## How the cost of each command grows with the book; fails above the order of its row
	@$(BIN)/python tools/measure/complexity.py

.PHONY: growth
growth: $(VENV)/.built ## What a command costs as orders, symbols, width and queues grow
	@$(BIN)/python tools/measure/growth.py

.PHONY: hints
hints: $(VENV)/.built ## Time what each compiler hint is worth here
	@$(BIN)/python tools/measure/hints.py

.PHONY: sanitize
sanitize: $(VENV)/.built $(VENV)/.extra-test ## Tests under the address, undefined and thread sanitizers
	@bash tools/ci/sanitize.sh $(BIN)

.PHONY: stress
stress: ## Over 10^8 records through the rings, 1 to 4 producers; broken rings must be rejected
	@bash tools/ci/stress.sh

FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: $(VENV)/.built $(VENV)/.extra-test $(VENV)/.extra-fuzz ## Fuzz the engine and every parser (clang; FUZZ_SECONDS=60 each; FUZZ=anyhow without clang)
	@bash tools/ci/fuzz.sh $(BIN) $(FUZZ_SECONDS) $(FUZZ)

.PHONY: fuzz-coverage
fuzz-coverage: $(VENV)/.built $(VENV)/.extra-test $(VENV)/.extra-fuzz ## Lines and branches that the fuzzers reach (FUZZ_SECONDS each)
	@$(BIN)/python -P tools/measure/fuzz_coverage.py $(FUZZ_SECONDS)

.PHONY: wheel
wheel: $(VENV)/.built $(VENV)/.extra-release ## Build, repair and describe the wheel of this interpreter, in dist/
	@bash tools/release/wheel.sh $(BIN)

.PHONY: docs
docs: $(VENV)/.built $(VENV)/.extra-docs ## Build the documentation into build/site; a dead link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict && echo "lowlat: build/site/index.html" >&2

.PHONY: readme
readme: $(VENV)/.built ## Rewrite the output shown in README.md and docs/ by running its commands (ONLY='topology ab')
	@$(BIN)/python tools/generate/shown_output.py $(ONLY)

.PHONY: clean
clean: ## Remove the virtual environment and everything built
	rm -rf .venv .venv-* build dist
