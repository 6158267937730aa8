# The two commands of the README are `make train` and `make test`; the first of them makes .venv.
# Nothing is installed again until pyproject.toml or a file of constraints changes. Only files
# whose SHA-256 stands in those are installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS := constraints.txt constraints-extras.txt constraints-dev.txt
TOOLS := $(VENV)s/tools
RELEASE := $(VENV)s/release
FUZZ := $(VENV)s/fuzz

KERNELS := hatch_build.py src/clearcnn/kernel_stamp.py $(filter-out %.so,$(wildcard src/clearcnn/training/cpu_kernels/native/*.*))
SAY_KERNELS := $(BIN)/python -c 'from clearcnn.kernel_library import describe_kernels as say; print(say())'

.PHONY: train test test-ci test-all sanitize torture check docs benchmark soak fuzz audit release constraints clean

# Options go into ARGS: make train ARGS="photos/ --size 32"
train: $(VENV)/installed
	@$(BIN)/clearcnn train $(ARGS)

PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

# Something of every kind, in minutes. Options go into ARGS: make test ARGS="tests/cli -x"
test: $(VENV)/installed-for-work
	$(PYTEST) -m "not release" --sample $(ARGS)

# All attacks, kills, strikes, simulations, browser tests and fuzzing: what CI runs.
test-ci: $(VENV)/installed-for-work
	$(PYTEST) -m "not release" --durations 50 $(ARGS)

# Everything: all of MNIST, long forms of the above, scikit-learn's checks of an estimator; with
# programs compiled as users have them, which takes longer.
test-all: $(VENV)/installed-for-work
	XLA_FLAGS= $(PYTEST) $(ARGS)

# The compiled kernels under the sanitizers of the C++ compiler: address, undefined, thread.
sanitize: $(VENV)/installed-for-work
	$(BIN)/pytest tests/training/cpu_kernels/test_native.py $(ARGS)

# Kills a real training 200 times, at random moments, and looks at what is left each time.
torture: $(VENV)/installed-for-work
	KILLS=$(or $(KILLS),200) $(BIN)/pytest tests/torture -s $(ARGS)

check: $(VENV)/installed-for-work
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

messages: $(VENV)/installed-for-work
	$(BIN)/python docs/update_catalogue.py

docs: $(VENV)/installed-for-work
	$(BIN)/python docs/generate_cli.py
	$(BIN)/python -m supply.licences

# Installs the peers beside us, asks every question, and writes docs/benchmarks.md. Questions and
# options go into ARGS: make benchmark ARGS="--quick digits_fit"
benchmark: $(VENV)/installed
	@$(BIN)/python -m benchmarks $(ARGS)

# Ten minutes of mixed work on a server, its memory and files watched each second.
soak: $(VENV)/installed-for-work
	@$(BIN)/python -m benchmarks.soak $(ARGS)

# Searches for input that a reader stumbles over, with atheris, which is not made for every Python
# (3.11 to 3.13 it is): a minute for each reader, or make fuzz ARGS="pictures idx" SECONDS=600.
SECONDS ?= 60
fuzz: $(FUZZ)/installed
	@for name in $(or $(ARGS),$(basename $(filter-out __init__.py,$(notdir $(wildcard fuzz/targets/*.py))))); do \
	  echo "$$name …"; $(FUZZ)/bin/python -m fuzz $$name $(SECONDS) || exit 1; done

# Whether a package that we pin is known to be vulnerable. It asks a service, so CI does not.
audit: $(TOOLS)/installed
	@$(TOOLS)/bin/python -m supply.audit

# Into dist/: wheel, source, a bill of materials and their SHA-256; of one commit always the same.
release: audit $(RELEASE)/installed
	@$(RELEASE)/bin/python -m supply.release $(TOOLS)/bin/cyclonedx-py

# Takes the newest releases that go together, for every Python from 3.11 on and every system.
constraints: $(TOOLS)/installed
	@for part in constraints constraints-extras constraints-dev constraints-tools; do \
	  $(TOOLS)/bin/python -m supply.constraints $$part || exit 1; done

clean:
	rm -f src/clearcnn/training/cpu_kernels/native/libclearcnn_kernels.so
	rm -rf $(VENV) $(VENV)s build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt $(KERNELS)
	@echo "Installing clearcnn into $(VENV) …"
	@$(PIP) install --require-hashes --requirement constraints.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(SAY_KERNELS)
	@touch $@

$(VENV)/installed-for-work: $(BIN)/python pyproject.toml $(PINS) $(KERNELS)
	@echo "Installing clearcnn and what its tests need into $(VENV) …"
	@$(PIP) install --require-hashes $(PINS:%=--requirement %)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(SAY_KERNELS)
	@touch $@ $(VENV)/installed

$(TOOLS)/installed: constraints-tools.txt
	@echo "Installing what audits and releases into $(TOOLS) …"
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
	  --requirement constraints-tools.txt
	@touch $@

# Without pip, so that the bill of materials names only what clearcnn needs.
$(RELEASE)/installed: $(TOOLS)/installed constraints.txt constraints-extras.txt
	@echo "Installing what a release is tried with into $(RELEASE) …"
	@$(PYTHON) -m venv --clear --without-pip $(RELEASE)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check --quiet --python $(RELEASE)/bin/python \
	  install --require-hashes --requirement constraints.txt --requirement constraints-extras.txt
	@touch $@

$(FUZZ)/installed: pyproject.toml constraints.txt constraints-extras.txt
	@echo "Installing clearcnn and atheris into $(FUZZ) …"
	@$(PYTHON) -m venv --clear $(FUZZ)
	@$(FUZZ)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
	  --requirement constraints.txt --requirement constraints-extras.txt
	@$(FUZZ)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps "atheris>=3"
	@$(FUZZ)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
	  --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "clearcnn needs Python 3.11 or newer, and $(PYTHON) is none."; \
	  echo "Name one: make $(or $(MAKECMDGOALS),train) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu, install"; \
	  echo "its part for that: apt install python3-venv"; exit 1; } >&2
