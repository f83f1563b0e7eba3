# staff-mentions: the few commands one needs. `make` alone lists them.
#
# A virtual environment is made in .venv by the first command that wants one. Every library comes
# at a pinned version and is compared with its recorded hash (requirements/).

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := .make/ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# The runtime of the grading model reports its use to its maker unless it is told not to.
export ORT_DISABLE_TELEMETRY := 1

# Options for pytest: make test ARGS="tests/unit -k evidence"
ARGS ?=

# Where `make install` puts the program; DESTDIR stages it for a package.
PREFIX ?= /opt/staff-mentions
DESTDIR ?=
export PREFIX DESTDIR PYTHON

.PHONY: help
help: ## list these commands
	@echo "staff-mentions: make …"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1 \t\2/p' Makefile | expand -t 14

.PHONY: demo
demo: $(READY) ## everything at work, live, on this machine alone, with invented people
	@$(BIN)/staff-mentions demo

.PHONY: test
test: $(READY) ## all tests
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: check
check: $(READY) ## style, types and the arrows between rooms
	@echo "ruff: rules" && $(BIN)/ruff check --quiet --output-format=concise .
	@echo "ruff: format" && $(BIN)/ruff format --quiet --check .
	@echo "mypy: types" && $(BIN)/mypy --no-error-summary
	@echo "mypy: types of tests" && $(BIN)/mypy --no-error-summary --explicit-package-bases tests bench
	@echo "import-linter: arrows" && $(BIN)/lint-imports --no-logo >.make/arrows 2>&1 \
	    || { cat .make/arrows; exit 1; }
	@echo "all well"

.PHONY: bench
bench: $(READY) ## measure speed and memory (half an hour; the machine should be idle)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: grade-report
grade-report: $(READY) ## measure the grading model again (docs/grading.md)
	@$(BIN)/python -m training report

# Its own environment, with torch: see docs/grading.md.
TRAINING_PYTHON ?= training/work/venv/bin/python
.PHONY: train
train: ## train the grading model (needs TRAINING_PYTHON with torch)
	@nice -n 19 $(TRAINING_PYTHON) -m training train

.PHONY: install
install: ## (as root) into /opt, with its own user and a systemd unit
	@sh systemd/install.sh install

.PHONY: uninstall
uninstall: ## (as root) take the program away; config and data stay
	@sh systemd/install.sh uninstall

# --- the environment ----------------------------------------------------------------------------

# pip says much that means nothing to most people: it goes to a file, which is shown if pip fails.
$(READY): requirements/dev.txt pyproject.toml
	@mkdir -p .make
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>.make/log || { \
	    echo "staff-mentions needs Python 3.11 or newer, and $(PYTHON) is not that" \
	         "($$("$(PYTHON)" --version 2>/dev/null || echo not found))."; \
	    echo "Where a newer one has another name, say: make … PYTHON=python3.12"; exit 1; }
	@$(BIN)/python -m pip --version >.make/log 2>&1 || { echo "Making a virtual environment in $(VENV)"; \
	    "$(PYTHON)" -m venv --clear $(VENV) >.make/log 2>&1 || { cat .make/log; \
	    echo "Python cannot make a virtual environment here. On Debian and Ubuntu one package" \
	         "is missing: apt install python3-venv"; exit 1; }; }
	@echo "Fetching $$(grep -c '^[a-z]' requirements/dev.txt) libraries and comparing their hashes" \
	     "(a minute or two, this once)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt >.make/log 2>&1 \
	    || { tail -n 20 .make/log; echo "The libraries could not be installed: see above" \
	         "(all of it: .make/log)."; exit 1; }
	@$(PIP) install --no-deps --no-build-isolation --no-index -e . >.make/log 2>&1 \
	    || { tail -n 20 .make/log; echo "The program could not be installed into $(VENV)" \
	         "(all of it: .make/log)."; exit 1; }
	@touch $(READY)

# Only for whoever raises a version: looks for the newest of everything and records the hashes.
# uv is needed for this and nothing else. No address of a download server is written down.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header

.PHONY: lock
lock: ## raise the pinned libraries (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv"; exit 1; }
	@echo "requirements/run.txt: what the service needs"
	@$(LOCK) --upgrade --extra postgresql pyproject.toml -o requirements/run.txt
	@echo "requirements/dev.txt: and what tests and checks need"
	@$(LOCK) --upgrade --extra postgresql --group dev -c requirements/run.txt pyproject.toml \
	    -o requirements/dev.txt
	@echo "requirements/pictures.txt: and what the pictures of pages need"
	@$(LOCK) --upgrade --extra pictures -c requirements/dev.txt pyproject.toml \
	    -o requirements/pictures.txt
	@echo "requirements/build.txt: what makes a wheel"
	@sed -n 's/^requires = \["\(.*\)"\]/\1/p' pyproject.toml \
	    | $(LOCK) -c requirements/dev.txt - -o requirements/build.txt
