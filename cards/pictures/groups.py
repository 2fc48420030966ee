"""Picture of two groups of seeds, in the style of the paper's figure 7."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cards.pictures.heatmaps import RESOLUTION
from cards.words.group_facts import permutation_fact
from cards.words.legible import counted, printable
from compare.result.groups import GroupComparison, Numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
# From this number of images on, points are drawn smaller.
MANY = 2000


def groups_figure(result: GroupComparison) -> "Figure":
    """Draw the accuracy of every image: a against b, and each group against itself.

    Each panel compares two halves of the seeds, so that all three are equally noisy. If the cloud of the first panel is
    wider than the others, the architectures differ, in skill or in the images that they get right. The title has the
    test of the latter, on all seeds.

    Args:
        result: the result to draw.

    Returns:
        A figure that is not registered in pyplot.
    """
    from cards.pictures.figure import ResultFigure

    (a, other_a), (b, other_b) = result.examples.halves_a, result.examples.halves_b
    figure = ResultFigure(figsize=(12.6, 4.9), dpi=RESOLUTION, layout="constrained")
    axes = figure.subplots(1, 3)
    size_a, size_b = (len(group.models) for group in (result.a, result.b))
    halves_a, halves_b = (size_a // 2, size_a - size_a // 2), (size_b // 2, size_b - size_b // 2)
    _draw(axes[0], (a, other_b), (halves_a[0], halves_b[1]), ("a", "b"), "tab:purple")
    _draw(axes[1], (a, other_a), halves_a, ("a", "other seeds of a"), "0.35")
    _draw(axes[2], (b, other_b), halves_b, ("b", "other seeds of b"), "0.35")
    name_a, name_b = (printable(group.models[0].name) for group in (result.a, result.b))
    figure.suptitle(f"a: {name_a}, ...   b: {name_b}, ...\n{permutation_fact(result)}", fontsize=10, parse_math=False)
    return figure


def _draw(
    axes: Any, accuracy: tuple[Numbers, Numbers], seeds: tuple[int, int], names: tuple[str, str], colour: str
) -> None:
    """One point per image, with random jitter, so that the density is visible."""
    random = np.random.default_rng(0)
    x, y = (np.array(values) for values in accuracy)
    points = (jittered(values, count, random) for values, count in zip((x, y), seeds, strict=True))
    axes.scatter(*points, s=12 if len(x) < MANY else 4, alpha=0.35, color=colour, linewidths=0, clip_on=False)
    ends = (0, 100)
    axes.plot(ends, ends, color="black", linewidth=0.6)
    axes.set(xlim=ends, ylim=ends, xlabel=_label(names[0], seeds[0]), ylabel=_label(names[1], seeds[1]))
    axes.set_title(f"mean squared difference {np.square(x - y).mean():.4f}", fontsize=11)
    axes.set_xticks(_ticks(seeds[0]))
    axes.set_yticks(_ticks(seeds[1]))
    axes.set_box_aspect(1)


def jittered(accuracy: Floats, seeds: int, random: np.random.Generator) -> Floats:
    """Accuracies in percent, each moved at random by less than a third of one seed, and never beyond 0 or 100 %.

    Args:
        accuracy: accuracies of images, in [0, 1], shape (n,).
        seeds: number of seeds behind each accuracy.
        random: generator of the jitter.
    """
    moved = accuracy + random.uniform(-0.3, 0.3, len(accuracy)) / seeds
    # Points beyond an end are reflected.
    return 100 * (1 - abs(1 - abs(moved)))


def _ticks(seeds: int) -> Any:
    """The possible accuracies of so many seeds, or fewer ticks if there are more than five."""
    return np.linspace(0, 100, (seeds if seeds <= 5 else 5) + 1).round()


def _label(name: str, seeds: int) -> str:
    return f"{name}: % of {counted(seeds, 'seed')} right"
