"""The card of a trained model, and its pictures."""

from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.model_folder.card_marker import named_license, named_repo, own_text
from zoo.model_folder.folder import CARD, CURVE, HEATMAP
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from torch import nn

    from compare.result.comparison import Comparison
    from zoo.data.image_set import ImageSet


# The heatmap of a card is a picture, not a measurement.
EXAMPLES = 1024


def card_files(record: TrainingRecord, inside: "Comparison", before: bytes = b"") -> dict[str, bytes]:
    """The card and its pictures, by file name.

    Args:
        record: what is known of the model.
        inside: the model compared with itself.
        before: the card so far, of which the repository's name, the licence and a person's own text stay.
    """
    from cards.model_card.model_card import model_card
    from cards.pictures.heatmaps import training_png, within_png

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
    from cli.terminal.progress import Tracked, progress_bar
    from compare.engine.describe import default_batch_size
    from compare.engine.pair import compare_models
    from compare.model.layer_grams import TRIAL, default_layers
    from zoo.data.batches import ShuffledBatches
    from zoo.data.image_set import balanced_subset

    some = balanced_subset(images, min(EXAMPLES, len(images)), seed=0)
    layers = layers or default_layers((model,), some.images[:TRIAL])
    with progress_bar() as progress:
        batches = ShuffledBatches(some, default_batch_size(len(some)), seed=0)
        result = compare_models(model, model, Tracked(batches, progress, "looking inside", 1), layers=layers)
    return replace(result, models=replace(result.models, a=replace(result.models.a, name=record.name)))
