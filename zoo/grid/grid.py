"""The grid of a sweep: every depth with every width, part of the data and seed. Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.imagenet import ImageNetResNet
from zoo.model_folder.folder import RECORD
from zoo.record.names import model_name, recorded_name
from zoo.record.recipe import Recipe, recipe_for
from zoo.record.training import TrainingRecord
from zoo.train.workplace import Workplace

# Of one of the two families.
Member = Variant | ImageNetResNet
SEEDS = 2**32
# More is a slip of the finger.
MOST_RUNS = 10_000


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        variant: what is trained.
        dataset: name of the data set, as `zoo train` takes it.
        subset: fraction of its training images.
        seed: of initial weights, order and augmentation.
        recipe: how.
        recipe_name: of the one among `zoo.record.recipe.RECIPES` that it comes from; None for the data set's own.

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
            raise ZooError(f"seeds must be from 0 to {SEEDS - 1}, got {self.seed}.")

    @property
    def name(self) -> str:
        """Of its model folder."""
        return model_name(self.variant.name, self.dataset, str(self.subset), self.seed)

    @property
    def cost(self) -> float:
        """Multiply-adds of the training, up to a factor that all runs on one data set share."""
        return self.variant.multiply_adds(32, 32) * float(self.subset) * self.recipe.epochs

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of `zoo` that do this run."""
        options = {
            **{"depth": self.variant.depth, "width": f"{self.variant.width:.12g}", "dataset": self.dataset},
            **{"subset": self.subset, "seed": self.seed, "epochs": self.recipe.epochs, "lr": self.recipe.lr},
            **{"weight-decay": self.recipe.weight_decay, "batch-size": self.recipe.batch_size},
            **({"recipe": self.recipe_name} if self.recipe_name else {}),
        }
        family = ("--family", "imagenet") if isinstance(self.variant, ImageNetResNet) else ()
        given = (part for name, value in options.items() for part in (f"--{name}", str(value)))
        return "train", "--resume", *family, *given

    def result(self, root: Path) -> TrainingRecord | None:
        """What came of it, if it has been done.

        Args:
            root: folder that holds the model folders.

        Raises:
            ZooError: something else stands in its place, such as a run with another recipe.
        """
        folder = root / self.name
        if not (folder / RECORD).is_file():
            if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
                raise ZooError(
                    f"expected a model folder or nothing in {folder}; move it away, or choose another --out."
                )
            self._check_left(folder)
            return None
        record = TrainingRecord.from_json((folder / RECORD).read_bytes())
        found = _settings(record.spec.name, record.data.name, record.data.subset, record.seed, record.recipe)
        asked = _settings(self.variant.name, recorded_name(self.dataset), str(self.subset), self.seed, self.recipe)
        for name, value in asked.items():
            if found[name] != value:
                raise ZooError(
                    f"{folder} comes from a run with {name} {found[name]}, not {value}; choose another --out, or move "
                    "it away."
                )
        return record

    def _check_left(self, folder: Path) -> None:
        """Refuse to go on, or to begin, where a training of another recipe was interrupted."""
        place = Workplace(folder)
        progress = place.look(resume=True, force=False)
        if progress is not None and progress.recipe != self.recipe:
            raise ZooError(
                f"{place.path} is what a training with another recipe left; move it away, or choose another --out."
            )


def grid(
    member: Callable[[int, float], Member],
    dataset: str,
    subsets: Sequence[Fraction],
    depths: Sequence[int],
    widths: Sequence[float],
    seeds: Sequence[int],
    given: Mapping[str, float | None],
    recipe: str | None = None,
) -> tuple[Run, ...]:
    """Every combination, each with its data set's own recipe but for what is given.

    Args:
        member: makes one of the family from depth and width.
        dataset: name of the data set.
        subsets: fractions of its training images.
        depths: of the variants.
        widths: of the variants.
        seeds: of each.
        given: values of `zoo.record.recipe.Recipe` that were chosen; None is no choice.
        recipe: name of another recipe than the data set's own.

    Raises:
        ZooError: a run that cannot be, or too many.
    """
    count = len(subsets) * len(depths) * len(widths) * len(seeds)
    if count > MOST_RUNS:
        raise ZooError(
            f"expected at most {MOST_RUNS:,} runs, got {count:,}; take fewer depths, widths, parts or seeds."
        )
    variants = [member(depth, width) for depth, width in product(depths, widths)]
    return tuple(
        Run(variant, dataset, subset, seed, recipe_for(variant, dataset, given, recipe), recipe)
        for subset, variant, seed in product(subsets, variants, seeds)
    )


def _settings(model: str, dataset: str, subset: str, seed: int, recipe: Recipe) -> dict[str, object]:
    """What a run is known by."""
    return {"model": model, "dataset": dataset, "subset": subset, "seed": seed} | vars(recipe)
