"""Options of a pass over the data."""

from dataclasses import dataclass

import torch

from compare.errors import UsageError
from compare.model.frozen import Forward
from compare.model.pooling import check_pool
from compare.similarity.measures import MEASURES
from compare.similarity.null import FEWEST
from compare.similarity.principal import MAX_COMPONENTS

DTYPES = {"fp32": torch.float32, "fp64": torch.float64, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Plan:
    """Options of a pass over the data.

    Args:
        layers: `all`, `blocks`, `stages`, or glob patterns, as in `compare.model.select_layers.select`.
        passes: number of passes over the data for similarities; predictions come from the first pass.
        precision: precision of the Gram matrices: `fp32`, `fp64`, or `bf16`; with the measure `procrustes` it is always
            `fp64`. Models run in their own precision.
        measures: additional measures besides CKA, from `compare.similarity.measures.MEASURES`.
        tolerance: stop computing Gram matrices when all standard errors of CKA between models are at most this.
        permutations: number of permutations for the null distribution of two models, at least 19; 0 skips it.
        seed: random seed of the permutations and half samples.
        components: number of principal components to remove for a second CKA, at most 10; 0 skips the analysis of block
            structure in `compare.engine.inside`.
        pool: how features are pooled over positions: `none`, `mean`, or `cls`, as in `compare.model.pooling.pooled`.
        forward: called with a model and its inputs instead of the model itself; None for the model itself.

    Raises:
        CompareError: a value is out of range.
    """

    layers: str = "all"
    passes: int = 1
    precision: str = "fp32"
    measures: tuple[str, ...] = ()
    tolerance: float | None = None
    permutations: int = 0
    seed: int = 0
    components: int = 0
    pool: str = "none"
    forward: Forward | None = None

    def __post_init__(self) -> None:
        if self.precision not in DTYPES:
            raise UsageError(f"precision must be one of {', '.join(DTYPES)}, got {self.precision!r}.")
        check_pool(self.pool)
        if self.passes < 1:
            raise UsageError(f"passes must be at least 1, got {self.passes}.")
        if isinstance(self.measures, str) or len(set(self.measures)) < len(self.measures):
            raise UsageError(f"measures must be a list of different names, got {self.measures!r}.")
        if unknown := [name for name in self.measures if name not in MEASURES]:
            raise UsageError(f"measures must be among {', '.join(MEASURES)} (CKA always comes), got {unknown[0]!r}.")
        if self.tolerance is not None and not self.tolerance > 0:
            raise UsageError(f"tolerance must be a positive standard error such as 0.005, got {self.tolerance}.")
        if not 0 <= self.components <= MAX_COMPONENTS:
            raise UsageError(f"components must be from 0 to {MAX_COMPONENTS}, got {self.components}.")
        if self.permutations and self.permutations < FEWEST:
            raise UsageError(f"a null distribution needs at least {FEWEST} permutations, got {self.permutations}.")

    @property
    def gram_precision(self) -> str:
        """Precision of the Gram matrices. Procrustes similarity always uses double precision."""
        # It takes square roots of eigenvalues, which turn a rounding error of 1e-7 into one of 3e-4.
        return "fp64" if "procrustes" in self.measures else self.precision

    @property
    def dtype(self) -> torch.dtype:
        """Data type in which Gram matrices are multiplied."""
        return DTYPES[self.gram_precision]
