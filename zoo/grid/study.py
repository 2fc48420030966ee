"""Networks for a study of the paper's claims: a series of depths, and a series of widths. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zoo.errors import UsageError
from zoo.family.cifar import Variant
from zoo.grid.grid import Run, grid

# Fewest seeds that the tests of a study take.
FIRST_SEEDS = 3


@dataclass(frozen=True)
class StudyGrid:
    """Depths at one width, and widths at one depth, on several subsets and with several seeds.

    Args:
        depths: depths of the first series.
        widths: width multipliers of the second series.
        base_depth: depth of the second series.
        base_width: width multiplier of the first series.
        subsets: fractions of the training images.
        seeds: seeds of every architecture on every subset.
        others: further pairs of depth and width, on all subsets.

    Raises:
        ZooError: there are fewer than two depths or widths.
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
            raise UsageError(
                f"a study takes at least two depths and two widths, got {len(self.depths)} and {len(self.widths)}."
            )

    @property
    def architectures(self) -> tuple[tuple[int, float], ...]:
        """Pairs of depth and width, without duplicates."""
        deep = [(depth, self.base_width) for depth in self.depths]
        wide = [(self.base_depth, width) for width in self.widths]
        return tuple(dict.fromkeys([*deep, *wide, *self.others]))

    def priority(self, run: Run) -> tuple[float, ...]:
        """Sort key of the order of training, so that a study that stops early can test as many claims as possible.

        Tests take at least three seeds, so the first three seeds of all networks come first, seed by seed. Further
        seeds follow so that every architecture on every subset gets the same computing time: cheap networks soon have
        many seeds, and expensive ones few. In simulations with `compare.study.power`, at a third to two thirds of the
        whole time, this order has about as much power as the better one of seed by seed and network by network.

        Args:
            run: a run of this grid.
        """
        place = self.seeds.index(run.seed)
        if place < FIRST_SEEDS:
            return 0, place, run.cost
        return 1, run.cost * (place - FIRST_SEEDS + 1), run.cost

    def runs(self, dataset: str, overrides: Mapping[str, float | None]) -> tuple[Run, ...]:
        """List the training runs.

        Args:
            dataset: name of the dataset.
            overrides: values that override the dataset's recipe; None for no override.

        Raises:
            ZooError: a run is impossible, or there are too many runs.
        """
        return tuple(
            run
            for depth, width in self.architectures
            for run in grid(Variant, dataset, self.subsets, [depth], [width], self.seeds, overrides)
        )


def study_grid(
    depths: Sequence[int],
    widths: Sequence[float],
    subsets: Sequence[Fraction],
    seeds: Sequence[int],
) -> StudyGrid:
    """Create a study with all depths at the smallest width, and all widths at the smallest depth.

    Args:
        depths: depths of the first series.
        widths: width multipliers of the second series.
        subsets: fractions of the training images.
        seeds: seeds of every architecture on every subset.

    Raises:
        ZooError: there are fewer than two depths or widths.
    """
    return StudyGrid(tuple(depths), tuple(widths), min(depths), min(widths), tuple(subsets), tuple(seeds))


# Takes an hour on two cores, on digits.
SMALL = study_grid((14, 38, 74, 110), (1.0, 2.0, 4.0), (Fraction(1), Fraction(1, 2), Fraction(1, 4)), range(3))
# Figures 1, 2, and D.2 of the paper, plus ResNet-62 and ResNet-14 of width 2 from its figure 7.
PAPER = StudyGrid(
    depths=(26, 32, 38, 44, 56, 62, 110, 164),
    widths=(1.0, 2.0, 4.0, 8.0, 10.0),
    base_depth=38,
    base_width=1.0,
    subsets=(Fraction(1), Fraction(1, 4), Fraction(1, 16)),
    seeds=tuple(range(10)),
    others=((14, 2.0),),
)
