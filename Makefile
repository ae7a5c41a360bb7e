# `make demo` and `make test` need Python 3.11 or later with venv, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REPORT ?= report
SECONDS ?= 60
# The files of tests stand side by side, one more than there are processors; the longest come first.
TOGETHER ?= --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# What else is installed at its lowest version, and the tests that run there.
FLOORS := $(VENV)-floors
EXTRAS := xlsx files socks parquet
comma := ,
space := $(subst ,, )
AT_FLOORS := tests/test_cli.py tests/test_frames.py tests/test_files.py tests/test_excel.py \
	tests/test_schema.py tests/wire/test_exchange.py tests/wire/test_cache.py \
	tests/wire/test_store.py tests/quirks/test_transport.py

# Tests start hundreds of Pythons, and none should compile the package again.
test test-all: export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test test-all test-floors fuzz check bench lab docs sample pictures clean

help:
	@echo "make demo      write a report from the bundled sample into $(REPORT)/"
	@echo "make test      run the test suite"
	@echo "make test-all  run it with its long trials"
	@echo "make test-floors  run a short suite at the lowest versions that are allowed"
	@echo "make fuzz      look for payloads and text that break a reader, SECONDS=60 for each"
	@echo "make check     lint and check types"
	@echo "make bench     measure beside what users would pick, into benchmarks/RESULTS.md"
	@echo "make lab       open JupyterLab on notebooks/"
	@echo "make docs      build the documentation's pages into docs/build/html"
	@echo "make sample    make the bundled sample anew"
	@echo "make pictures  draw the documentation's pictures anew"
	@echo "make clean     remove $(VENV)/, $(FLOORS)/, $(REPORT)/ and what was made of docs/"

demo: $(VENV)/core.stamp
	@$(BIN)/hubframe report --sample --output $(REPORT) >/dev/null
	@echo "The report is in $(REPORT)/: open $(CURDIR)/$(REPORT)/report.html in a browser."

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(TOGETHER) -m "not slow" $(PYTEST)

test-all: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(TOGETHER) --hypothesis-profile long $(PYTEST)

# A short run at the lowest versions that pyproject.toml allows. pyparsing has newer words for
# what matplotlib's lowest calls.
test-floors: $(FLOORS)/floors.stamp
	$(FLOORS)/bin/python -m pytest $(TOGETHER) -m "not slow" \
		-W "ignore::DeprecationWarning" $(AT_FLOORS) $(PYTEST)

fuzz: $(VENV)/fuzz.stamp
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# BENCH="--only warm" runs one job; it needs docker-registry, and skopeo to be compared with it.
bench: $(VENV)/bench.stamp
	$(BIN)/python -m benchmarks $(BENCH)

lab: $(VENV)/notebook.stamp
	$(BIN)/jupyter lab notebooks

docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env docs docs/build/html

sample: $(VENV)/core.stamp
	$(BIN)/python -m tools.sample

# The explorer is photographed in Chromium.
pictures: $(VENV)/test.stamp
	$(BIN)/python docs/draw.py
	$(BIN)/python docs/photograph.py

clean:
	rm -rf $(VENV) $(FLOORS) $(REPORT) docs/made docs/build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "hubframe needs Python 3.11 or later; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test.stamp $(VENV)/dev.stamp $(VENV)/bench.stamp $(VENV)/fuzz.stamp $(VENV)/notebook.stamp $(VENV)/docs.stamp: $(VENV)/%.stamp: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --editable '.[$*]'
	@touch $@ $(VENV)/core.stamp

$(FLOORS)/floors.stamp: pyproject.toml tools/floors.py
	$(PYTHON) -m venv $(FLOORS)
	$(PYTHON) -m tools.floors $(EXTRAS) > $(FLOORS)/floors.txt
	$(FLOORS)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check \
		--constraint $(FLOORS)/floors.txt --editable '.[$(subst $(space),$(comma),$(EXTRAS))]' \
		pytest pytest-xdist hypothesis cryptography pyjwt ipython
	@touch $@
