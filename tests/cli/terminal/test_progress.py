import pytest

from cli.terminal import progress
from cli.terminal.output import Level, set_level
from zoo.record.fields import Epoch
from zoo.record.recipe import Recipe

# Ten steps per epoch of 40 images.
RECIPE = Recipe(epochs=3, batch_size=4)


@pytest.fixture
def train(monkeypatch, capsys):
    """Runs a training whose first step takes 100 seconds, and every other step 2; gives the lines that it prints."""

    def train(done=0, recipe=RECIPE, images=40):
        now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: now)
        shown = progress.training_progress(recipe, images, "3 epochs, recipe short", "; or less", done)
        with shown as (on_step, on_epoch):
            for number in range(1, recipe.epochs + 1):
                for _ in range(recipe.steps(images) if number > done else 0):
                    now += 2 if now else 100
                    on_step()
                on_epoch(Epoch(1 / number, number / 4, 1234.5))
        return capsys.readouterr().err.splitlines()

    yield train
    set_level(Level.normal)


def test_training_says_how_long_it_takes_and_prints_each_epoch(train):
    assert train() == [
        "3 epochs, recipe short, about 60 s; or less",
        "epoch 1/3  loss 1.000  accuracy 25.0%  1,234 images/s  40 s left",
        "epoch 2/3  loss 0.500  accuracy 50.0%  1,234 images/s  20 s left",
        "epoch 3/3  loss 0.333  accuracy 75.0%  1,234 images/s",
    ]


def test_resumed_training_prints_only_its_own_epochs(train):
    lines = train(done=2)
    assert lines[0] == "3 epochs, recipe short, about 20 s left; or less"
    assert [line[:9] for line in lines[1:]] == ["epoch 3/3"]


def test_training_of_one_step_promises_no_time(train):
    lines = train(recipe=Recipe(epochs=1, batch_size=4), images=4)
    assert lines == ["3 epochs, recipe short; or less", "epoch 1/1  loss 1.000  accuracy 25.0%  1,234 images/s"]


def test_quiet_training_prints_nothing(train):
    set_level(Level.quiet)
    assert train() == []


def test_terminal_shows_a_bar_instead_of_lines(train, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = "\n".join(train())
    assert "3 epochs, recipe short, about 60 s; or less" in text
    assert "epoch 3/3 " in text and "1,234 images/s  40 s left" not in text
