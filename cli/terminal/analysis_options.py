"""Options of commands that look inside models: how layers are compared, and what is looked for."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

import typer

from cli.terminal.completion import complete_layers
from zoo.errors import UsageError

Pool = Literal["none", "mean", "cls"]


@dataclass(frozen=True)
class SimilarityOptions:
    """How CKA is computed.

    Args:
        layers: `all`, `blocks`, `stages`, or glob patterns; None for `all`, or `blocks` if there are too many layers.
        passes: passes over the images.
        precision: precision of Gram matrices: `fp32`, `fp64`, or `bf16`.
        pool: how features are pooled over positions.

    Raises:
        UsageError: the layers are an empty list.
    """

    layers: Annotated[
        str | None,
        typer.Option(
            help="Layers: all, blocks, stages, or patterns such as 'stage3.*,head.*'.",
            show_default="all; blocks above 400 layers",
            autocompletion=complete_layers,
        ),
    ] = None
    passes: Annotated[int, typer.Option(help="Passes over the images for CKA (the paper uses 10).")] = 1
    precision: Annotated[str, typer.Option(help="Precision of Gram matrices: fp32, fp64, or bf16.")] = "fp32"
    pool: Annotated[
        Pool, typer.Option(help="Features as they are, their mean over positions, or those of the class token.")
    ] = "none"

    def __post_init__(self) -> None:
        if self.layers is not None and not self.layers.strip(", "):
            raise UsageError("--layers takes all, blocks, or glob patterns such as 'stage3.*', got nothing.")


class Baseline(StrEnum):
    """What the similarity of two models is compared with."""

    none = "none"
    untrained = "untrained"


@dataclass(frozen=True)
class BaselineOptions(SimilarityOptions):
    """How the models of a site are compared.

    Args:
        baseline: whether the similarity is compared with that of untrained copies.
        baseline_seeds: number of untrained copies of each model.
    """

    baseline: Annotated[Baseline, typer.Option(help="Also compare with untrained copies of the models, or not.")] = (
        Baseline.untrained
    )
    baseline_seeds: Annotated[int, typer.Option(min=1, help="Number of untrained copies of each model.")] = 3


@dataclass(frozen=True)
class MatrixOptions(BaselineOptions):
    """How several models are compared.

    Args:
        tolerance: CKA stops when every standard error is at most this; None for never.
    """

    tolerance: Annotated[
        float | None,
        typer.Option(help="Stop CKA when every standard error is at most this.", show_default="never"),
    ] = None


@dataclass(frozen=True)
class PairOptions(MatrixOptions):
    """How two models are compared.

    Args:
        measures: similarity measures in addition to CKA and cosine.
        permutations: number of permutations for the null distribution; 0 for none.
    """

    measures: Annotated[
        list[str],
        typer.Option(
            "--measure",
            help="Add a measure: knn, rsa, or procrustes; repeatable. CKA and cosine are always shown.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    permutations: Annotated[
        int, typer.Option("--null", help="Permutations for a null distribution, at least 19; 0 for none.")
    ] = 0


def parse_share(text: str) -> float:
    """A fraction between 0 and 1 from `1%` or `0.01`.

    Raises:
        ZooError: the text is no such fraction.
    """
    number, percent, rest = text.partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share < 1:
        raise UsageError(f"--drop-dominant takes a share of the images such as 1% or 0.01, got {text!r}.")
    return share


@dataclass(frozen=True)
class InspectionOptions(SimilarityOptions):
    """How one model is inspected.

    Args:
        components: number of principal components to remove.
        drop_dominant: fraction of the images to leave out in a second analysis; None for no second analysis.
    """

    components: Annotated[int, typer.Option(min=1, max=10, help="Number of principal components to remove.")] = 1
    drop_dominant: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Repeat without the images that carry the blocks, such as 1%.",
            show_default=False,
        ),
    ] = None


class Part(StrEnum):
    """Parts of an inspection; the first three take one pass over the images."""

    structure = "structure"
    components = "components"
    dominant = "dominant"
    deletion = "deletion"
    probes = "probes"


ONE_PASS = [Part.structure, Part.components, Part.dominant]
