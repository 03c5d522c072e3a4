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

.PHONY: help serve demo test check bench interop programs

help:
	@echo 'make serve     an office in ./$(OFFICE): extensions 101-104, ready for phones'
	@echo 'make demo      two phones call each other; shows who heard what'
	@echo 'make test      every test, real phones included (PHONES=no leaves them out)'
	@echo 'make interop   the tests with real phones alone'
	@echo 'make check     ruff and mypy'
	@echo 'make bench     the benchmarks; takes minutes'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serves: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
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
	$(if $(filter no,$(PHONES)),,$(NAMESPACE)) $(BIN)/python -m pytest --phones=$(PHONES) \
	    --cov --cov-report=term:skip-covered $(ARGS)

interop: $(VENV)/tests programs
	$(NAMESPACE) $(BIN)/python -m pytest -v tests/interop $(ARGS)

# The programs that the interop tests drive: installed where we are root, named in one line where not.
programs: $(VENV)/tests
	@$(if $(filter no,$(PHONES)),true,$(BIN)/python -m tests.kit.programs --install)

check: $(VENV)/tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/tests programs
	$(NAMESPACE) $(BIN)/python -m benchmarks.run $(ARGS)
