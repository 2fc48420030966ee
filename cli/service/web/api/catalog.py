"""What people can choose from."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cli.service.questions.catalog import datasets, models
from cli.service.web.api.comparisons import Text
from cli.service.web.context import InContext
from zoo.hub.catalog import Listed

router = APIRouter(tags=["catalog"])
MODEL: dict[str, Any] = {
    "name": "timm/resnet18.a1_in1k",
    "kind": "hub",
    "architecture": "resnet18",
    "dataset": "imagenet-1k",
    "accuracy": None,
    "parameters": 11_689_512,
}


class Model(BaseModel):
    """A model that can be compared. Unknown values are null."""

    model_config = ConfigDict(json_schema_extra={"examples": [MODEL]})

    name: Annotated[str, Field(description="The name to compare it by.")]
    kind: Annotated[str, Field(description="`folder` for a model of this server, `hub` for one on the Hub.")]
    architecture: str | None
    dataset: Annotated[str | None, Field(description="Training dataset.")]
    accuracy: Annotated[float | None, Field(description="Fraction of correctly classified test images.")]
    parameters: Annotated[int | None, Field(description="Trainable parameters.")]


class Models(BaseModel):
    """Models whose names contain a text."""

    models: list[Model]
    notes: Annotated[list[str], Field(description="What is missing, as when the Hub does not answer.")]


class Datasets(BaseModel):
    """Datasets that can be chosen by a short name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"datasets": ["digits", "mnist5k"]}]})

    datasets: list[str]


@router.get("/api/models", summary="Models to choose from")
async def show_models(
    context: InContext, q: Annotated[Text, Query(description="Part of a name; empty for local models only.")] = ""
) -> Models:
    """Models of this server, and public image classifiers on the Hub, at most 20 of each."""
    found = await context.from_hub(lambda: models(q.strip(), context.settings))
    return Models(models=[_model(listed) for listed in found.models], notes=list(found.notes))


@router.get("/api/datasets", summary="Datasets to choose from")
async def show_datasets(context: InContext) -> Datasets:
    """Names of datasets. Others on the Hub are named `hf:owner/name[@revision]`."""
    return Datasets(datasets=list(datasets(context.settings)))


def _model(listed: Listed) -> Model:
    return Model(
        name=listed.ref,
        kind=listed.kind,
        architecture=listed.architecture,
        dataset=listed.dataset,
        accuracy=listed.accuracy,
        parameters=listed.parameters,
    )
