"""The bodies of requests. Their options have the names and bounds of the command line's, see `cli.terminal`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Control characters appear in no name, and PostgreSQL does not store all of them.
ONE_LINE = r"^[^\x00-\x1f]*$"
# `owner/name` has at most 193 characters; revisions can be long.
ModelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=300,
        pattern=ONE_LINE,
        description="Hub id `owner/name[@revision]`, or name of a local model.",
    ),
]
DatasetName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=300,
        pattern=ONE_LINE,
        description="`digits`, `mnist5k`, `hf:owner/name[@revision]`, or a name from `/api/datasets`; by default that "
        "of the first model.",
    ),
]
PriorityName = Annotated[
    Literal["interactive", "batch"], Field(description="Interactive questions are answered before those in batches.")
]


class _Body(BaseModel):
    """JSON without unknown keys, whose values have exactly their types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class MatrixChoices(_Body):
    """Options of a matrix: the fields of `ImageOptions`, without the device, and of `MatrixOptions`."""

    split: Annotated[Literal["train", "test", "all"], Field(description="Split of the dataset.")] = "test"
    max_examples: Annotated[int | None, Field(ge=1, le=2**31, description="At most this many images.")] = None
    batch_size: Annotated[int | None, Field(ge=4, le=100_000, description="Images per minibatch.")] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="Random seed.")] = 0
    layers: Annotated[
        str | None,
        Field(
            max_length=1000, pattern=ONE_LINE, description="`all`, `blocks`, `stages`, or patterns such as `stage3.*`."
        ),
    ] = None
    passes: Annotated[int, Field(ge=1, le=1000, description="Passes over the images for CKA.")] = 1
    precision: Annotated[Literal["fp32", "fp64", "bf16"], Field(description="Precision of Gram matrices.")] = "fp32"
    pool: Annotated[
        Literal["none", "mean", "cls"],
        Field(description="Features as they are, their mean over positions, or those of the class token."),
    ] = "none"
    baseline: Annotated[
        Literal["none", "untrained"], Field(description="Whether to compare with untrained copies of the models.")
    ] = "untrained"
    baseline_seeds: Annotated[int, Field(ge=1, le=100, description="Untrained copies of each model.")] = 3
    tolerance: Annotated[
        float | None, Field(gt=0, description="Stop CKA when every standard error is at most this.")
    ] = None


class Choices(MatrixChoices):
    """Options of a comparison: those of a matrix, and the other fields of `PairOptions`."""

    measures: Annotated[
        list[Literal["cosine", "knn", "rsa", "procrustes"]],
        Field(max_length=4, description="Similarity measures besides CKA and cosine."),
    ] = []
    permutations: Annotated[
        int, Field(ge=0, le=100_000, description="Permutations for a null distribution, at least 19; 0 for none.")
    ] = 0


class AskComparison(_Body):
    """Compare two models."""

    a: ModelName
    b: ModelName
    dataset: DatasetName | None = None
    options: Choices = Choices()
    priority: PriorityName = "interactive"

    @property
    def names(self) -> tuple[str, ...]:
        """The models, in order."""
        return self.a, self.b


class AskMatrix(_Body):
    """Compare all pairs of several models."""

    models: Annotated[list[ModelName], Field(min_length=2, max_length=100)]
    dataset: DatasetName | None = None
    options: MatrixChoices = MatrixChoices()
    priority: PriorityName = "interactive"

    @property
    def names(self) -> tuple[str, ...]:
        """The models, in order."""
        return tuple(self.models)
