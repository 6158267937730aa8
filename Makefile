# The two commands of the README are `make train` and `make test`; the first of them makes .venv.
# Nothing is installed again until pyproject.toml or constraints.txt changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NEEDS := pyproject.toml constraints.txt

.PHONY: train test test-all torture check docs benchmark constraints clean

# Options go into ARGS: make train ARGS="photos/ --size 32"
train: $(VENV)/installed
	@$(BIN)/clearcnn train $(ARGS)

PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# Options go into ARGS: make test ARGS="tests/cli -x"
test: $(VENV)/installed-for-work
	$(PYTEST) -m "not slow" $(ARGS)

# The slow ones too: all of MNIST, simulations, scikit-learn's checks of an estimator.
test-all: $(VENV)/installed-for-work
	$(PYTEST) $(ARGS)

# Kills a real training 200 times, at random moments, and looks at what is left each time.
torture: $(VENV)/installed-for-work
	KILLS=$(or $(KILLS),200) $(BIN)/pytest tests/torture -s $(ARGS)

check: $(VENV)/installed-for-work
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/installed-for-work
	$(BIN)/python docs/generate_cli.py

# Installs the peers beside us, asks every question, and writes docs/benchmarks.md. Questions and
# options go into ARGS: make benchmark ARGS="--quick digits_fit"
benchmark: $(VENV)/installed
	@$(BIN)/python -m benchmarks $(ARGS)

# Takes the newest releases that go together; run it with the oldest Python we support.
constraints:
	$(PYTHON) -m venv --clear $(VENV)s/constraints
	$(VENV)s/constraints/bin/python -m pip --disable-pip-version-check --quiet install ".[dev]"
	printf '%s\n' "# The exact release of every package that clearcnn and its tests are tried with." \
	  "# Made by \`make constraints\` on the oldest Python supported." > constraints.txt
	$(VENV)s/constraints/bin/python -m pip freeze --exclude clearcnn >> constraints.txt
	rm -r $(VENV)s/constraints

clean:
	rm -rf $(VENV) $(VENV)s build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: $(BIN)/python $(NEEDS)
	@echo "Installing clearcnn into $(VENV) …"
	@$(PIP) install --editable . --constraint constraints.txt
	@touch $@

$(VENV)/installed-for-work: $(BIN)/python $(NEEDS)
	@echo "Installing clearcnn and what its tests need into $(VENV) …"
	@$(PIP) install --editable ".[dev]" --constraint constraints.txt
	@touch $@ $(VENV)/installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "clearcnn needs Python 3.11 or newer, and $(PYTHON) is none."; \
	  echo "Name one: make $(or $(MAKECMDGOALS),train) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu, install"; \
	  echo "its part for that: apt install python3-venv"; exit 1; } >&2
