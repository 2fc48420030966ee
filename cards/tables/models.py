"""The table of the models in a result."""

from collections.abc import Mapping

from cards.tables.table import Table, by_model
from cards.words.facts import images_fact
from cards.words.legible import number
from compare.result.models import DatasetResult, ModelResult


def models_table(dataset: DatasetResult, models: Mapping[str, ModelResult], heading: str = "") -> Table | None:
    """Models with their size and accuracy, or None if there are none.

    Args:
        dataset: the images that the models saw.
        models: models by short label, such as `a` and `b`; a single model has the label "".
        heading: heading of the column of labels.
    """
    rows = tuple(
        (
            label,
            model.name,
            number(model.accuracy, ".2%"),
            f"{model.parameters:,}",
            str(len(model.layers)),
            model.architecture,
        )
        for label, model in models.items()
    )
    headings = (heading, "model", "accuracy", "parameters", "layers", "architecture")
    title = "Model" if len(models) == 1 else "Models"
    return by_model(Table(f"{title}, on {images_fact(dataset)}", headings, rows, 2))
