# Every target sets up what it needs in its own virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt

.PHONY: demo test test-all stress check bench golden gallery index clean test-browser

demo: $(VENV)/.ready-dev
	$(BIN)/photochrom demo -o out/demo

test: $(VENV)/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not slow and not browser"

test-all: $(VENV)/.ready-bench
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not browser"

test-browser: $(VENV)/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m browser -rs $(AGAIN) tests/studio

stress: $(VENV)/.ready-dev
	PHOTOCHROM_STRESS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 0 -v tests/stress

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q --doctest-modules src/photochrom --ignore src/photochrom/num/kernels -p no:cacheprovider

bench: $(VENV)/.ready-bench
	$(BIN)/python -m benchmarks --out benchmarks/results

golden: $(VENV)/.ready-dev
	$(BIN)/python -m tests.golden.make

gallery: $(VENV)/.ready-dev
	$(BIN)/python docs/gallery/make.py

index: $(VENV)/.ready-dev
	$(BIN)/python -m photochrom.cli.index

$(VENV)/.ready-dev: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit('photochrom needs Python 3.11 or newer, this is ' + sys.version.split()[0] if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[dev]'
	touch $@

$(VENV)/.ready-bench: $(VENV)/.ready-dev
	$(PIP) -e '.[dev,bench]'
	touch $@

clean:
	rm -rf $(VENV) out build dist src/*.egg-info
