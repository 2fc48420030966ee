import pytest

from zoo.errors import ZooError
from zoo.model_folder.snapshots import epochs_to_save, find_snapshot, folder_name
from zoo.record.recipe import Recipe


@pytest.fixture
def model(tmp_path):
    for epoch in (1, 10):
        (tmp_path / "m" / "epochs" / str(epoch)).mkdir(parents=True)
    return tmp_path / "m"


def test_snapshot_is_found_in_its_model_and_named_after_it(model):
    folder = find_snapshot(f"{model}@epoch10")
    assert folder == model / "epochs" / "10"
    assert folder_name(folder) == "m@epoch10"
    assert folder_name(model) == "m"


@pytest.mark.parametrize("ref", ["me/model@epoch10", "me/model@v1", "", "@epoch1"])
def test_other_references_are_not_snapshots(ref, model):
    assert find_snapshot(ref) is None


def test_missing_snapshot_is_reported_with_existing_ones(model):
    with pytest.raises(ZooError, match=r"expected a snapshot of epoch 2 in .*, got 1, 10; `zoo train --save-epochs`"):
        find_snapshot(f"{model}@epoch2")


def test_epochs_to_save_are_those_before_the_last():
    assert epochs_to_save("1,10-12", Recipe(epochs=20)) == (1, 10, 11, 12)
    for text in ("0", "20", "21"):
        with pytest.raises(ZooError, match=rf"takes epochs before the last one, 20, .* got {text}"):
            epochs_to_save(text, Recipe(epochs=20))
