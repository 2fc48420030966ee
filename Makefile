# `make demo` and `make test` set everything up on a machine with Python 3.11+ and nothing else.
PYTHON ?= python3
BIN := .venv/bin
SHALLOW := models/resnet14-w1-digits-s0
DEEP := models/resnet74-w1-digits-s0

.PHONY: setup demo serve test quick portable fuzz lint bench

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

# A shallow and a deep network on real handwritten digits, then what they share: about a minute on two cores.
demo: setup
	test -d $(SHALLOW) || $(BIN)/zoo train --depth 14 --width 1
	test -d $(DEEP) || $(BIN)/zoo train --depth 74 --width 1
	$(BIN)/compare $(SHALLOW) $(DEEP) --json models/demo.json --png models/demo.png --html models/demo.html

# The comparison service on http://127.0.0.1:8000, until Ctrl-C.
serve: setup
	$(BIN)/zoo serve

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

quick: lint
	$(BIN)/pytest --numprocesses 2 --dist loadgroup -m 'not slow'

# The quick tests under several instruction sets and numbers of threads, since other processors round otherwise.
portable: setup
	$(BIN)/python -m tests.portable

# Properties of files that anybody could have written, tried on thousands of inputs: several minutes.
fuzz: setup
	ZOO_FUZZ=5000 $(BIN)/pytest tests/fuzz

bench: setup
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m tests.benchmarks.startup
	$(BIN)/python -m tests.benchmarks.engine
	$(BIN)/python -m tests.benchmarks.engine --workload b
	$(BIN)/python -m tests.benchmarks.many
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.sweep
	$(BIN)/python -m tests.benchmarks.share
	$(BIN)/python -m tests.benchmarks.seeds
	$(BIN)/python -m tests.benchmarks.edge_cases
	$(BIN)/python -m tests.benchmarks.architectures
	$(BIN)/python -m tests.benchmarks.calibration
	$(BIN)/python -m tests.benchmarks.validity
	$(BIN)/python -m tests.benchmarks.untrained
	$(BIN)/python -m tests.benchmarks.validity_groups
	$(BIN)/python -m tests.benchmarks.validity_study 200
	$(BIN)/python -m tests.benchmarks.scoring
	$(BIN)/python -m tests.benchmarks.loading
	$(BIN)/python -m tests.benchmarks.photos
