"""What a comparison looks at, and how often."""

from dataclasses import dataclass

import torch

from compare.errors import CompareError
from compare.similarity.measures import MEASURES
from compare.similarity.null import FEWEST
from compare.similarity.principal import MAX_COMPONENTS

DTYPES = {"fp32": torch.float32, "fp64": torch.float64, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Plan:
    """What to look at, and how often.

    Args:
        layers: `all`, `blocks`, or patterns, as in `compare.model.select_layers.select`.
        passes: passes over the data for similarities; predictions come from the first.
        precision: of the Gram matrices: `fp32`, `fp64`, or `bf16`, within 0.002; the models run as they are.
        measures: further measures beside CKA, of `compare.similarity.measures.MEASURES`.
        tolerance: take no more Gram matrices once all standard errors of CKA between models are at most this.
        permutations: for the null distribution of each cell between two models, at least 19; 0 for none.
        seed: of the permutations and of the half samples.
        components: how many principal components are removed for a second CKA, when a look is taken inside each model;
            0 for no such look.

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

    def __post_init__(self) -> None:
        if self.precision not in DTYPES:
            raise CompareError(f"precision must be {', '.join(DTYPES)}, got {self.precision!r}.")
        if self.passes < 1:
            raise CompareError(f"passes must be at least 1, got {self.passes}.")
        if isinstance(self.measures, str) or len(set(self.measures)) < len(self.measures):
            raise CompareError(f"measures must be a list of different names, got {self.measures!r}.")
        if unknown := [name for name in self.measures if name not in MEASURES]:
            raise CompareError(f"measures must be of {', '.join(MEASURES)} (CKA always comes), got {unknown[0]!r}.")
        if self.tolerance is not None and not self.tolerance > 0:
            raise CompareError(f"tolerance must be a positive standard error such as 0.005, got {self.tolerance}.")
        if not 0 <= self.components <= MAX_COMPONENTS:
            raise CompareError(f"components must be from 0 to {MAX_COMPONENTS}, got {self.components}.")
        if self.permutations and self.permutations < FEWEST:
            raise CompareError(f"a null distribution needs at least {FEWEST} permutations, got {self.permutations}.")

    @property
    def dtype(self) -> torch.dtype:
        """In which the Gram matrices' products are taken."""
        return DTYPES[self.precision]
