"""The grid of a sweep: every combination of depth, width, subset, and seed. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

from zoo.errors import UsageError, ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.model_folder.folder import RECORD, read_record
from zoo.record.names import model_name
from zoo.record.recipe import Recipe, recipe_for
from zoo.record.training import TrainingRecord, first_difference
from zoo.train.workplace import Workplace

# A member of one of the two families.
Member = Variant | ImageNetResNet
SEEDS = 2**32
# Larger grids are typing errors.
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        variant: the architecture.
        dataset: name of the dataset, as for `zoo train`.
        subset: fraction of the training images.
        seed: seed of initial weights, image order, and augmentation.
        recipe: training hyperparameters.
        recipe_name: name of the recipe in `zoo.record.recipe.RECIPES`; None for the dataset's recipe.

    Raises:
        ZooError: the seed is too large.
    """

    variant: Member
    dataset: str
    subset: Fraction
    seed: int
    recipe: Recipe
    recipe_name: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise UsageError(f"seeds must be from 0 to {SEEDS - 1}, got {self.seed}.")

    @property
    def name(self) -> str:
        """Name of the model folder."""
        return model_name(self.variant.name, self.dataset, str(self.subset), self.seed)

    @property
    def cost(self) -> float:
        """Relative cost: multiply-adds of the run, up to a factor that is the same for all runs on a dataset."""
        return self.variant.multiply_adds(32, 32) * float(self.subset) * self.recipe.epochs

    @property
    def arguments(self) -> tuple[str, ...]:
        """Command line arguments of `zoo` for this run."""
        options = {
            "depth": self.variant.depth,
            "width": f"{self.variant.width:.12g}",
            "dataset": self.dataset,
            "subset": self.subset,
            "seed": self.seed,
            "epochs": self.recipe.epochs,
            "lr": self.recipe.lr,
            "weight-decay": self.recipe.weight_decay,
            "batch-size": self.recipe.batch_size,
        }
        if self.recipe_name:
            options["recipe"] = self.recipe_name
        family = ("--family", "imagenet") if isinstance(self.variant, ImageNetResNet) else ()
        arguments = (part for name, value in options.items() for part in (f"--{name}", str(value)))
        return "train", "--resume", *family, *arguments

    def result(self, root: Path) -> TrainingRecord | None:
        """Read the training record of a completed run.

        Args:
            root: folder that holds the model folders.

        Returns:
            The record; None if the run is not complete.

        Raises:
            ZooError: the model folder belongs to another run, such as one with another recipe.
        """
        folder = root / self.name
        if not (folder / RECORD).is_file():
            if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
                raise ZooError(f"{folder} exists, but is not a model folder; move it away, or choose another --out.")
            self._check_interrupted(folder)
            return None
        record = read_record(folder)
        difference = first_difference(record, self.variant.name, self.dataset, self.subset, self.seed, self.recipe)
        if difference:
            raise ZooError(f"{folder} comes from a run with {difference}; choose another --out, or move it away.")
        return record

    def _check_interrupted(self, folder: Path) -> None:
        """Check that an interrupted run in this place has the same recipe."""
        place = Workplace(folder)
        progress = place.look(resume=True, force=False)
        if progress is not None and progress.recipe != self.recipe:
            raise ZooError(
                f"{place.path} is from an interrupted run with another recipe; move it away, or choose another --out."
            )


def grid(
    member: Callable[[int, float], Member],
    dataset: str,
    subsets: Sequence[Fraction],
    depths: Sequence[int],
    widths: Sequence[float],
    seeds: Sequence[int],
    overrides: Mapping[str, float | None],
    recipe: str | None = None,
) -> tuple[Run, ...]:
    """List the runs of a grid.

    Args:
        member: creates a member of a family from depth and width.
        dataset: name of the dataset.
        subsets: fractions of the training images.
        depths: depths of the variants.
        widths: width multipliers of the variants.
        seeds: seeds of each variant.
        overrides: values that override the recipe's; None for no override.
        recipe: name of a recipe; the dataset's recipe if None.

    Returns:
        One run per combination, by subset, depth, width, and seed.

    Raises:
        ZooError: a run is impossible, or there are too many runs.
    """
    count = len(subsets) * len(depths) * len(widths) * len(seeds)
    if count > MOST_RUNS:
        raise UsageError(
            f"expected at most {MOST_RUNS:,} runs, got {count:,}; take fewer depths, widths, subsets, or seeds."
        )
    variants = [member(depth, width) for depth, width in product(depths, widths)]
    return tuple(
        Run(variant, dataset, subset, seed, recipe_for(variant, dataset, overrides, recipe), recipe)
        for subset, variant, seed in product(subsets, variants, seeds)
    )
