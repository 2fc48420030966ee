"""Write a model folder: weights, record, card, and pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from cli.inputs.images import load
from cli.terminal.output import say, show_path
from cli.train.card_files import card_files, look_inside
from zoo.base.files import writing
from zoo.errors import ZooError
from zoo.model_folder.config_writer import preprocessing
from zoo.model_folder.folder import OLD_CARD
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from torch import nn

    from zoo.data.image_set import ImageSet


def load_splits(dataset: str) -> "tuple[ImageSet, ImageSet]":
    """Load the training and the test images of a model that will be written.

    Args:
        dataset: name of the dataset.

    Raises:
        ZooError: the images cannot be used, or there are too few test images for the heatmap of the card.
    """
    from compare.similarity.gram import MIN_EXAMPLES

    train_set, test_set = load(dataset, "train"), load(dataset, "test")
    if len(test_set) < MIN_EXAMPLES:
        raise ZooError(
            f"expected at least {MIN_EXAMPLES} test images, for the model card, got {len(test_set)} of "
            f"{test_set.name}; use more images."
        )
    return train_set, test_set


def write_model(folder: Path, model: "nn.Module", record: TrainingRecord, test_set: "ImageSet") -> None:
    """Write all files of a model folder.

    Args:
        folder: an empty folder, such as `zoo.model_folder.folder.new_folder` creates.
        model: the trained model. Afterwards it takes uint8 images.
        record: training record of the model.
        test_set: test images, for the heatmap of the card.

    Raises:
        ZooError: the folder cannot be written.
    """
    from zoo.model_folder.checkpoint import save_checkpoint
    from zoo.model_folder.preprocess import takes_images

    files = card_files(record, look_inside(takes_images(model, preprocessing(record)), record, test_set))
    with writing(folder):
        save_checkpoint(folder, model, record)
        for name, data in files.items():
            (folder / name).write_bytes(data)


def show_folder(folder: Path) -> None:
    """Print a model folder that was written, and where the text of the card that it replaces is.

    Args:
        folder: the model folder.
    """
    if (folder / OLD_CARD).is_file():
        say(f"the card had text of yours, which is in {folder / OLD_CARD} now.")
    show_path(folder)


def result_line(record: TrainingRecord) -> str:
    """Describe the result of a training in one line."""
    return (
        f"{record.test_right} of {record.test_images} test images right ({record.accuracy:.2%}) "
        f"after {record.recipe.length} in {record.seconds:.0f} s."
    )
