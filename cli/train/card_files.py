"""Write the model card of a trained model and its pictures."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cli.terminal.output import drawing
from zoo.model_folder.card_marker import named_license, named_repo, own_text
from zoo.model_folder.folder import CARD, CURVE, HEATMAP
from zoo.record.training import TrainingRecord

if TYPE_CHECKING:
    from torch import nn

    from compare.result.comparison import Comparison
    from zoo.data.image_set import ImageSet


# Number of images for the heatmap of a card, which is an illustration.
EXAMPLES = 1024


def card_files(record: TrainingRecord, comparison: "Comparison", old_card: bytes = b"") -> dict[str, bytes]:
    """The model card and its pictures.

    Args:
        record: training record of the model.
        comparison: the model compared with itself.
        old_card: the existing card, whose repository name, license, and user-written text are kept.

    Returns:
        Contents by file name.
    """
    from cards.model_card.model_card import model_card

    text = model_card(record, comparison, repo_id=named_repo(old_card), license_name=named_license(old_card))
    card = text.encode() + (own_text(old_card) or b"\n")
    with drawing("the pictures of the card"):
        from cards.pictures.heatmaps import training_png, within_png

        return {CURVE: training_png(record), HEATMAP: within_png(comparison), CARD: card}


def look_inside(
    model: "nn.Module", record: TrainingRecord, images: "ImageSet", layers: str | None = None
) -> "Comparison":
    """Compare a model with itself on a sample of images.

    Args:
        model: the model, which takes uint8 images.
        record: training record of the model.
        images: images to sample from; test images for a card.
        layers: `all`, `blocks`, or patterns; None for `all`, or `blocks` if there are too many layers.
    """
    from cli.terminal.progress import Tracked, progress_bar
    from compare.engine.pair import compare_models
    from compare.model.layer_grams import TRIAL, default_layers
    from zoo.data.batches import ShuffledBatches, default_batch_size
    from zoo.data.image_set import balanced_subset

    sample = balanced_subset(images, min(EXAMPLES, len(images)), seed=0)
    layers = layers or default_layers((model,), sample.images[:TRIAL])
    with progress_bar() as progress:
        batches = ShuffledBatches(sample, default_batch_size(len(sample)), seed=0)
        result = compare_models(model, model, Tracked(batches, progress, "comparing layers", 1), layers=layers)
    return replace(result, models=replace(result.models, a=replace(result.models.a, name=record.name)))
