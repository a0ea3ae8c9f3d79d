# From a bare clone:
#   make demo      prove the network, then run a program on it
#   make test      every check but the long ones
#   make campaign  the long ones
#   make screenshots  draw the pictures of docs/report.md; needs Chromium
# All need make, Python 3.11 to 3.13 and a package index; what they install goes to .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A copied environment still runs what it was copied from, so it is made anew.
MOVED := $(filter-out $(CURDIR),$(shell cat $(VENV)/created 2>/dev/null))

MAKEFLAGS += --no-print-directory
.PHONY: help demo test campaign screenshots clean force

help:
	@sed -n 's/^# *\(make .*\)/\1/p' Makefile

demo: $(VENV)/installed
	$(BIN)/verify-all
	$(BIN)/verified-mlp run examples/hello.sq

test: export OPENBLAS_NUM_THREADS = 1
test: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto

campaign: export OPENBLAS_NUM_THREADS = 1
campaign: $(VENV)/installed-dev
	$(BIN)/pytest -q -m slow
	$(BIN)/pytest -q -m hypothesis --hypothesis-profile=campaign -n auto
	$(BIN)/pytest -q tests/test_assembler_fuzz.py --hypothesis-profile=fuzz
	$(BIN)/verify-all --sabotage
	$(BIN)/verify-all --sabotage --machine --bits 4 --words 4
	$(BIN)/verify-all --sabotage --machine --bits 4 --words 4 --construction compact
	$(BIN)/verify-all --sabotage --machine --bits 4 --words 4 --construction five
	$(BIN)/verify-all --sabotage --machine --bits 4 --words 9 --construction prefetch
	$(BIN)/verify-all --sabotage --machine --bits 4 --words 4 --construction single

screenshots: $(VENV)/installed-dev
	$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV)

$(VENV)/created: $(if $(MOVED),force)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON) is not Python 3.11 to 3.13: name one, as in make PYTHON=python3.12." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@echo "$(CURDIR)" > $@

$(VENV)/installed: $(VENV)/created pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/created pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[check,dev,fast]'
	@touch $(VENV)/installed $@
