"""`zoo card`: the model card of a folder and its pictures."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.loading import load
from cli.output import interruptible
from zoo.card import MARKER, named_license, named_repo, own_text
from zoo.errors import ZooError
from zoo.folder import CARD, CURVE, HEATMAP, RECORD, replace_file, writing
from zoo.record import TrainingRecord

if TYPE_CHECKING:
    from torch import nn

    from compare.result import Comparison
    from zoo.data import ImageSet

# The heatmap of a card is a picture, not a measurement.
EXAMPLES = 1024


def card(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A trained model's folder.", show_default=False)],
    device: options.Device = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Write the model card of a folder, and its pictures, anew.

    Text below the card's marker line stays. For example: zoo card models/resnet14-w1-digits-s0
    """
    from zoo.device import pick_device
    from zoo.found import find_model

    before = _old_card(folder / CARD)
    record = read_record(folder)
    model = find_model(str(folder)).load(pick_device(device))
    with interruptible("nothing was written"):
        inside = look_inside(model, record, load(record.data.name, "test"))
        files = card_files(record, inside, before)
    with writing(folder, "a folder that can be written to"):
        for name, data in files.items():
            replace_file(folder / name, data)
    print(folder / CARD)


def card_files(record: TrainingRecord, inside: "Comparison", before: bytes = b"") -> dict[str, bytes]:
    """The card and its pictures, by file name.

    Args:
        record: what is known of the model.
        inside: the model compared with itself.
        before: the card so far, of which the repository's name, the licence and a person's own text stay.
    """
    from cards.model_card import model_card
    from cards.picture import training_png, within_png

    text = model_card(record, inside, repo_id=named_repo(before), license_name=named_license(before))
    card = text.encode() + (own_text(before) or b"\n")
    return {CURVE: training_png(record), HEATMAP: within_png(inside), CARD: card}


def look_inside(
    model: "nn.Module", record: TrainingRecord, images: "ImageSet", layers: str | None = None
) -> "Comparison":
    """Compare a model with itself on some images.

    Args:
        model: takes uint8 images.
        record: what is known of it.
        images: to draw from, test images for a card.
        layers: which to look at, as `compare` takes it; by their number if None.
    """
    from cli.progress import Tracked, progress_bar
    from compare.layers import TRIAL, default_layers
    from compare.run import compare_models, default_batch_size
    from zoo.data import ShuffledBatches, balanced_subset

    some = balanced_subset(images, min(EXAMPLES, len(images)), seed=0)
    layers = layers or default_layers((model,), some.images[:TRIAL])
    with progress_bar() as progress:
        batches = ShuffledBatches(some, default_batch_size(len(some)), seed=0)
        result = compare_models(model, model, Tracked(batches, progress, "looking inside", 1), layers=layers)
    return replace(result, models=replace(result.models, a=replace(result.models.a, name=record.name)))


def read_record(folder: Path) -> TrainingRecord:
    """The record of a training run.

    Raises:
        ZooError: there is none, or it is damaged.
    """
    path = folder / RECORD
    try:
        return TrainingRecord.from_json(path.read_bytes())
    except OSError as error:
        raise ZooError(
            f"expected a folder that `zoo train` wrote, with {RECORD}, got {folder} ({error.strerror})."
        ) from error
    except ZooError as error:
        raise ZooError(f"{path}: {error}") from error


def _old_card(path: Path) -> bytes:
    """The card so far; refuses one that would be lost."""
    if not path.is_file():
        return b""
    card = path.read_bytes()
    if own_text(card) is None:
        raise ZooError(
            f"{path} has no line {MARKER!r}, so what is in it would be lost; put that line above what is to stay, or "
            "move the file away."
        )
    return card
