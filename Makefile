# Two commands: `make run` serves the studio, `make test` checks everything.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
UV     := 0.13.9

.PHONY: run test lint types contracts bench screenshots clean

run: $(VENV)/.installed
	$(BIN)/python app.py $(ARGS)

# A test a core: threads of their own would only wait for each other.
test: $(VENV)/.installed-dev lint types contracts
	tests/browser/install_chromium.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run_all.py $(ARGS)

screenshots: $(VENV)/.installed-dev
	tests/browser/install_chromium.sh
	$(BIN)/python docs/take_screenshots.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 run" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# uv installs the stack several times faster than pip; where it can't be had, pip does the same work.
$(BIN)/.tools: $(BIN)/python
	$(BIN)/python -m pip install --quiet uv==$(UV) || true
	touch $@

define install
	if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r $(1); \
	else $(BIN)/python -m pip install --quiet -r $(1); fi
	touch $@
endef

$(VENV)/.installed: requirements.txt $(BIN)/.tools
	$(call install,requirements.txt)

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt $(BIN)/.tools
	$(call install,requirements-dev.txt)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
