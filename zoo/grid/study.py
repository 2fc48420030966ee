"""Which networks make a study of the paper's claims: a series of depths and one of widths. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.grid.grid import Run, grid


@dataclass(frozen=True)
class StudyGrid:
    """Depths at one width, and widths at one depth, on parts of the data, over seeds.

    Args:
        depths: of the first series.
        widths: of the second.
        base_depth: depth of the second series.
        base_width: width of the first.
        subsets: fractions of the training images.
        seeds: of every architecture on every part of the data.
        others: further depths and widths, on all parts of the data.
    """

    depths: tuple[int, ...]
    widths: tuple[float, ...]
    base_depth: int
    base_width: float
    subsets: tuple[Fraction, ...]
    seeds: tuple[int, ...]
    others: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.depths) < 2 or len(self.widths) < 2:
            raise ZooError(
                f"a study takes at least two depths and two widths, got {len(self.depths)} and {len(self.widths)}."
            )

    @property
    def architectures(self) -> tuple[tuple[int, float], ...]:
        """Depths and widths, each once."""
        deep = [(depth, self.base_width) for depth in self.depths]
        wide = [(self.base_depth, width) for width in self.widths]
        return tuple(dict.fromkeys([*deep, *wide, *self.others]))

    def runs(self, dataset: str, given: Mapping[str, float | None]) -> tuple[Run, ...]:
        """The training runs.

        Args:
            dataset: name of the data set.
            given: values of `zoo.record.recipe.Recipe` that were chosen; None is no choice.

        Raises:
            ZooError: a run that cannot be, or too many.
        """
        return tuple(
            run
            for depth, width in self.architectures
            for run in grid(Variant, dataset, self.subsets, [depth], [width], self.seeds, given)
        )


def study_grid(
    depths: Sequence[int],
    widths: Sequence[float],
    subsets: Sequence[Fraction],
    seeds: Sequence[int],
) -> StudyGrid:
    """Depths at the least width, and widths at the least depth.

    Args:
        depths: of the first series.
        widths: of the second.
        subsets: fractions of the training images.
        seeds: of every architecture on every part of the data.

    Raises:
        ZooError: too few of them.
    """
    return StudyGrid(tuple(depths), tuple(widths), min(depths), min(widths), tuple(subsets), tuple(seeds))


# An hour on two cores, on digits.
SMALL = study_grid((14, 38, 74, 110), (1.0, 2.0, 4.0), (Fraction(1), Fraction(1, 2), Fraction(1, 4)), range(3))
# The paper's figures 1, 2 and D.2, with ResNet-62 and ResNet-14 of width 2 of its figure 7.
PAPER = StudyGrid(
    depths=(26, 32, 38, 44, 56, 62, 110, 164),
    widths=(1.0, 2.0, 4.0, 8.0, 10.0),
    base_depth=38,
    base_width=1.0,
    subsets=(Fraction(1), Fraction(1, 4), Fraction(1, 16)),
    seeds=tuple(range(10)),
    others=((14, 2.0),),
)
