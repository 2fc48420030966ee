from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from cli.jobs.processes import Outcome
from cli.jobs.sweep_report import finish as run_all
from cli.jobs.sweep_report import tables
from cli.jobs.sweep_state import State
from zoo.family.cifar import Variant
from zoo.grid.grid import grid
from zoo.record.fields import ClassAccuracy


@pytest.fixture
def finish(trained, tmp_path):
    """Puts the record of a run where a sweep looks for it."""

    def finish(run, right):
        record = replace(
            trained[1],
            data=replace(trained[1].data, subset=str(run.subset)),
            variant=replace(run.variant, in_chans=1),
            recipe=run.recipe,
            seed=run.seed,
            test=(ClassAccuracy("0", 100, right),),
        )
        (tmp_path / run.name).mkdir()
        (tmp_path / run.name / "training.json").write_text(record.to_json())

    return finish


def runs_of(widths=(1,), seeds=range(3)):
    return grid(Variant, "digits", [Fraction(1)], [8], widths, seeds, {})


def test_table_gives_mean_spread_and_count(finish, tmp_path):
    runs = runs_of((0.5, 1), range(4))
    for run, right in zip(runs, (90, 93, 98, 97, 80), strict=False):
        finish(run, right)
    state = State(runs, tmp_path)
    state.end(Outcome(runs[5].name, "out of luck", 1.0))
    console = Console(record=True, width=100)
    console.print(*tables(state))
    text = console.export_text()
    assert f"{np.mean([90, 93, 98, 97]):.2f} ± {np.std([90, 93, 98, 97], ddof=1):.2f}" in text
    assert "80.00\n" in text and "4 of 4" in text and "1 of 4, 1 failed" in text


def test_longest_runs_come_first(tmp_path):
    widths = [run.variant.width for run in State(runs_of((1, 4, 2), [0]), tmp_path).left]
    assert widths == [4, 2, 1]


def test_runs_start_in_the_order_of_their_priority(tmp_path):
    state = State(runs_of((1, 4, 2), [0]), tmp_path, lambda run: (abs(run.variant.width - 2),))
    assert [run.variant.width for run in state.left] == [2, 1, 4]
    assert [task.name for task in state.tasks("cpu")] == [run.name for run in state.left]


def test_time_limit_ends_a_sweep_with_the_first_run_after_it(finish, tmp_path, monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def run(tasks, device, on_start):
        nonlocal now
        for task in tasks:
            now += 10
            finish(next(run for run in runs if run.name == task.name), 90)
            yield Outcome(task.name, None, 10.0)

    runs = runs_of()
    state = State(runs, tmp_path)
    run_all(state, "cpu", SimpleNamespace(run=run), seconds=15)
    assert (len(state.finished), len(state.left)) == (2, 1)


def test_time_left_is_the_pace_weighed_by_cost(finish, tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    runs = runs_of()
    finish(runs[0], 90)
    state = State(runs, tmp_path)
    assert state.seconds_left() is None
    now = 130.0
    finish(runs[1], 90)
    assert state.end(Outcome(runs[1].name, None, 30.0)).startswith(f"2/3 {runs[1].name} 90.00%")
    assert state.seconds_left() == pytest.approx(30)


def test_run_without_a_model_here_has_failed(tmp_path):
    runs = runs_of()
    state = State(runs, tmp_path)
    assert "all machines must share the folder" in state.end(Outcome(runs[0].name, None, 1.0))
    assert list(state.failed) == [runs[0]]
    assert len(state.left) == 2


def test_run_that_another_sweep_did_is_said_to_be(finish, tmp_path):
    runs = runs_of()
    state = State(runs, tmp_path)
    finish(runs[0], 90)
    assert state.end(Outcome(runs[0].name)).endswith(", by another sweep")
