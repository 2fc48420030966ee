# `make demo` and `make test` set everything up on a machine with Python 3.11+ and nothing else.
PYTHON ?= python3
BIN := .venv/bin
DEMO := --epochs 60 --batch-size 128 --lr 0.04

.PHONY: setup demo test quick lint bench

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

# A shallow and a deep network on real handwritten digits, then what they share: about two minutes on two cores.
demo: setup
	test -d models/demo-shallow || $(BIN)/zoo train --depth 14 --width 1 $(DEMO) --out models/demo-shallow
	test -d models/demo-deep || $(BIN)/zoo train --depth 74 --width 1 $(DEMO) --out models/demo-deep
	$(BIN)/compare models/demo-shallow models/demo-deep --json models/demo.json --png models/demo.png

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(BIN)/pytest

quick: lint
	$(BIN)/pytest -m 'not slow'

bench: setup
	$(BIN)/python -m tests.benchmarks.startup
