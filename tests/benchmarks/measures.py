"""What each similarity measure shows, on networks about whose similarity something is known.

- Layer monotonicity: neighbouring layers of one network should be more similar than distant ones. The score is the
  share of layers i < j < k in which i is at least as similar to j as to k, or k to j as to i (outputs of residual
  blocks). In brackets: range over the networks.
- Predictions: networks with different predictions should be less similar. The score is Spearman's correlation of 1 -
  similarity with the disagreement of the predictions, or with their Jensen-Shannon divergence, over pairs of networks.
- Design: networks trained on equal data should be more similar to each other than to networks trained on other data.
  Two groups of five networks are told apart: without and with random labels, or with a mark in the images that shows
  the class never and half of the time or always. For each group, the pairs within it are compared with the pairs across
  groups. Conformity is the share of these comparisons in which the pair within is more similar (chance: 0.5), AUPRC the
  average precision of telling both kinds of pairs apart by similarity (chance: about 0.35). Means over both groups.

Predictions and design use the features before the last linear layer, on the test images; of marked images, the test
images have marks at random. In brackets: bootstrap interval (95 %) over networks, not pairs. All networks learn from
digits. They are stored in FOLDER, and the next run uses them again. The first run takes minutes.

    python -m tests.benchmarks.measures FOLDER

Source: Klabunde, Wald, Schumacher et al. 2025, arXiv:2408.00531 (the ReSi benchmark).
"""

import argparse
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from compare.answers.answers import Answers
from compare.answers.scores import pair_scores
from compare.engine.plan import Plan
from compare.engine.stream import run_stream
from zoo.data.batches import ShuffledBatches, default_batch_size
from zoo.data.digits import load_digits
from zoo.data.image_set import balanced_subset
from zoo.family.cifar import Variant
from zoo.model_folder.checkpoint import load_checkpoint, save_checkpoint
from zoo.model_folder.folder import new_folder
from zoo.record.recipe import recipe_for
from zoo.train.side_by_side.train import train_many

MEASURES = ("cka", "cosine", "knn", "rsa", "procrustes")
FEATURES = "head.pool"
# Seeds of each deep network, of each kind of network in the zoo, and in each group of the tests by design.
DEEP_SEEDS, ZOO_SEEDS, GROUP_SEEDS = 2, 3, 5
DRAWS = 500


@dataclass(frozen=True)
class Kind:
    """How to train a network on digits.

    Args:
        name: name for folders.
        depth, width: the architecture.
        part: fraction of the training images.
        random_labels: fraction of them with a random label.
        mark: probability that an image's mark shows its class; None for no mark.
    """

    name: str
    depth: int = 8
    width: float = 0.5
    part: Fraction = Fraction(1)
    random_labels: float = 0.0
    mark: float | None = None


DEEP = [Kind(f"depth{depth}", depth, 1.0) for depth in (14, 38, 74)]
PLAIN = Kind("plain")
TRUE_LABELS = [
    PLAIN,
    *(Kind(f"narrow{depth}", depth) for depth in (14, 20)),
    *(Kind(f"width{width:g}", width=width) for width in (1.0, 2.0)),
    *(Kind(f"part{part.denominator}", part=part) for part in (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))),
]
RANDOM_LABELS = [Kind(f"labels{share:g}", random_labels=share) for share in (0.25, 0.5, 0.75, 1.0)]
MARKS = [Kind(f"mark{mark:g}", mark=mark) for mark in (0.0, 0.5, 1.0)]


def marked(data, probability):
    """The images with a white pixel at the left or right edge, whose place is that of the class or of a random one."""
    generator, count = torch.Generator().manual_seed(1), len(data)
    random = torch.randint(10, (count,), generator=generator)
    shown = torch.where(torch.rand(count, generator=generator) < probability, data.labels, random)
    images = data.images.clone()
    images[torch.arange(count), 0, 1 + shown % 5, 7 * (shown // 5)] = 255
    return replace(data, images=images)


def with_random_labels(data, share):
    generator, count = torch.Generator().manual_seed(2), len(data)
    random = torch.randint(10, (count,), generator=generator)
    return replace(data, labels=torch.where(torch.rand(count, generator=generator) < share, random, data.labels))


def training_images(kind, seed):
    data = load_digits("train")
    data = with_random_labels(balanced_subset(data, round(len(data) * kind.part), seed), kind.random_labels)
    return data if kind.mark is None else marked(data, kind.mark)


def networks(folder, kind, count):
    """Train networks with the seeds 0, 1, ... side by side, unless the folder holds them."""
    paths = [folder / f"{kind.name}-s{seed}" for seed in range(count)]
    missing = [seed for seed, path in enumerate(paths) if not path.exists()]
    if missing:
        variant, train_sets = Variant(kind.depth, kind.width, 1), [training_images(kind, seed) for seed in missing]
        recipe = recipe_for(variant, "digits", {})
        for one in train_many(variant, train_sets, load_digits("test"), recipe, missing, subset=kind.part):
            with new_folder(paths[one.seed]) as path:
                save_checkpoint(path, *one.result)
            print(f"{paths[one.seed]}: {one.result[1].accuracy:.1%} of test images right", file=sys.stderr)
    return [load_checkpoint(path) for path in paths]


def batches(data):
    return list(ShuffledBatches(data, default_batch_size(len(data)), seed=0, scaled=True))


def similarities(models, data, layers):
    """Similarity of all pairs of layers of all networks, by measure."""
    stream = run_stream(models, batches(data), Plan(layers, measures=MEASURES[1:]), Answers(None))
    return {name: stream.sums[name].ratio().numpy() for name in MEASURES}


def monotonicity(cells):
    i, j, k = np.array(list(combinations(range(len(cells)), 3))).T
    return np.concatenate([cells[i, j] >= cells[i, k], cells[k, j] >= cells[k, i]]).mean()


def correlation(cells, differences, chosen):
    upper = np.triu_indices(len(chosen), 1)
    x, y = (one[np.ix_(chosen, chosen)][upper] for one in (1 - cells, differences))
    return spearmanr(x, y, nan_policy="omit").statistic


def separation(cells, groups, chosen):
    """Mean conformity and mean AUPRC over the groups."""
    cells, groups = cells[np.ix_(chosen, chosen)], groups[chosen]
    scores = []
    for group in np.unique(groups):
        members = groups == group
        within = cells[members][:, members][np.triu_indices(members.sum(), 1)]
        within, across = within[~np.isnan(within)], cells[members][:, ~members].ravel()
        if len(within):
            truth = np.repeat([1, 0], [len(within), len(across)])
            precision = average_precision_score(truth, np.concatenate([within, across]))
            scores.append(((within[:, None] > across).mean(), precision))
    return np.mean(scores, 0)


def with_interval(score, groups):
    """A score of all networks, and its 95 % interval over draws of as many networks from each group."""
    random, members = np.random.default_rng(0), [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draws = [score(np.concatenate([random.choice(part, len(part)) for part in members])) for _ in range(DRAWS)]
    return score(np.arange(len(groups))), *np.quantile(draws, (0.025, 0.975), axis=0)


def print_row(title, cells):
    """One value with the ends of its interval per measure."""
    row = "".join(f"{f'{value:.2f} ({low:.2f} {high:.2f})':>17}" for value, low, high in cells)
    print(f"{title:36}{row}", flush=True)


def print_monotonicity(folder):
    for kind in DEEP:
        cells = [similarities([one], load_digits("test"), "blocks") for one in networks(folder, kind, DEEP_SEEDS)]
        scores = [[monotonicity(one[name]) for one in cells] for name in MEASURES]
        rows = [(np.mean(values), min(values), max(values)) for values in scores]
        print_row(f"monotonicity, ResNet-{kind.depth}, {DEEP_SEEDS} seeds", rows)


def differences(models, data):
    """Disagreement and mean Jensen-Shannon divergence of all pairs of networks."""
    with torch.no_grad():
        logits = [model(data.images.float() / 255) for model in models]
    disagreement, divergence = np.zeros((2, len(models), len(models)))
    for i, j in combinations(range(len(models)), 2):
        a, b, scores = pair_scores(logits[i], logits[j])
        disagreement[i, j] = disagreement[j, i] = (a.classes != b.classes).double().mean()
        divergence[i, j] = divergence[j, i] = scores.divergence.mean()
    return {"disagreement": disagreement, "divergence": divergence}


def features(models, data):
    """Similarity of the features of all pairs of networks; NaN for a network with itself, which a draw can repeat."""
    cells = similarities(models, data, FEATURES)
    return [np.where(np.eye(len(models), dtype=bool), np.nan, cells[name]) for name in MEASURES]


def print_predictions(folder, title, kinds):
    models = [model for kind in kinds for model in networks(folder, kind, ZOO_SEEDS)]
    cells, groups = features(models, load_digits("test")), np.zeros(len(models))
    title += f", {len(models) * (len(models) - 1) // 2} pairs"
    for name, values in differences(models, load_digits("test")).items():
        print_row(f"{name}, {title}", [with_interval(partial(correlation, one, values), groups) for one in cells])


def print_design(folder, title, kinds, data):
    models = [model for kind in kinds for model in networks(folder, kind, GROUP_SEEDS)]
    groups = np.repeat(range(len(kinds)), GROUP_SEEDS)
    scores = [with_interval(partial(separation, one, groups), groups) for one in features(models, data)]
    for number, name in enumerate(("conformity", "AUPRC")):
        print_row(f"{title}, {name}", [[end[number] for end in one] for one in scores])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder, test = parser.parse_args().folder, load_digits("test")
    print(f"{'':36}" + "".join(f"{name:>17}" for name in MEASURES))
    print_monotonicity(folder)
    print_predictions(folder, "all", [*TRUE_LABELS, *RANDOM_LABELS])
    print_predictions(folder, "true labels", TRUE_LABELS)
    for kind in RANDOM_LABELS[1::2]:
        print_design(folder, f"{kind.random_labels:.0%} random labels", (PLAIN, kind), test)
    for kind in MARKS[1:]:
        print_design(folder, f"{kind.mark:.0%} shortcut", (MARKS[0], kind), marked(test, 0))


if __name__ == "__main__":
    main()
