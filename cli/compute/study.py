"""Measure the networks of a reproduction study, one by one and against each other."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Literal

from cli.cache.results import ResultWithImages, recall
from cli.compute.inspection import inspected
from cli.compute.matrix import related
from cli.inputs.request import Request, request
from cli.jobs.engine import Engine
from cli.jobs.sweep_state import State
from cli.jobs.traces import Traces
from cli.terminal.analysis_options import Baseline, InspectionOptions, MatrixOptions, Part
from cli.terminal.options import ImageOptions
from cli.terminal.output import say
from zoo.grid.grid import Run
from zoo.grid.study import StudyGrid

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from compare.result.base import Settings
    from compare.result.inspection import Inspection
    from compare.result.study import Agreement, Contrast, Errors, Heatmap, Network, Reproduction
    from compare.study.deep_and_wide import Pair, Right

LAYERS = "all"


@dataclass(frozen=True)
class Networks:
    """The trained networks of a study, and how they are measured.

    Args:
        runs: the training run of each network.
        grid: the grid of the study.
        request: the networks, in the order of the runs, and the images.
        passes: passes over the images for CKA.
    """

    runs: tuple[Run, ...]
    grid: StudyGrid
    request: Request
    passes: int

    def only(self, runs: Sequence[Run]) -> Request:
        """The request for some of the networks."""
        return self.request.only(*map(self.runs.index, runs))

    def seeds_of(self, depth: int, width: float, subset: Fraction) -> list[Run]:
        """All seeds of one architecture, trained on one subset."""
        size = depth, width, subset
        return [run for run in self.runs if (run.variant.depth, run.variant.width, run.subset) == size]


def measure(state: State, grid: StudyGrid, dataset: str, passes: int, device: str) -> "Reproduction":
    """Test the claims of the paper on trained networks, or load the cached result.

    Args:
        state: the training runs of the study. Only networks that are trained count.
        grid: the grid of the study.
        dataset: name of the dataset; all of its test images are used.
        passes: passes over the images for CKA.
        device: a torch device, or `auto`.

    Raises:
        ZooError: a network does not fit the images.
    """
    from compare.result.study import Reproduction

    runs = tuple(run for run in state.runs if run in state.finished)
    models = request([str(state.folder(run)) for run in runs], dataset, ImageOptions(device=device))
    networks = Networks(runs, grid, models, passes)
    name = models.cache_key("reproduce", LAYERS, passes, repr(grid))
    title = f"reproduce, {len(runs)} networks on {dataset}"
    result = recall(Reproduction, name, title, lambda: ResultWithImages(_measure(networks), {}), False).result
    return _with_training(result, state)


def _with_training(result: "Reproduction", state: State) -> "Reproduction":
    """Add how the networks were trained to a result."""
    records = state.finished.values()
    training: Settings = {
        "training_seconds": round(sum(record.seconds for record in records), 1),
        "training_commits": ", ".join(sorted({record.versions.get("commit", "none") for record in records})),
        "training_devices": ", ".join(sorted({record.device for record in records})),
    }
    return replace(result, settings=result.settings | training, notes=(*result.notes, *_training_notes(state)))


def _training_notes(state: State) -> Iterator[str]:
    """Networks that are not trained yet, and recipe values that may explain differences between sizes."""
    if state.left:
        yield (
            f"only {len(state.finished)} of {len(state.runs)} networks are trained; the same command without a time "
            "limit trains the others."
        )
    rates = sorted({run.recipe.lr for run in state.runs})
    if len(rates) > 1:
        yield (
            f"the recipe of {state.runs[0].dataset} lowers the learning rate with the depth, from {rates[-1]:g} to "
            f"{rates[0]:g}, and the weight decay with it: differences between depths may be due to these."
        )


def _measure(networks: Networks) -> "Reproduction":
    from compare.study.digest import digest, heatmap, in_block
    from compare.study.networks import Study
    from compare.study.reproduction import reproduction

    grid = networks.grid
    measured: dict[Run, Network] = {}
    block_layers: dict[Run, npt.NDArray[np.bool_]] = {}
    heatmaps: dict[tuple[int, float, str], Heatmap] = {}
    notes: dict[str, None] = {}
    for number, run in enumerate(networks.runs, 1):
        inspection = _inspect(networks, run)
        depth, width, subset = run.variant.depth, run.variant.width, str(run.subset)
        measured[run] = digest(inspection, depth=depth, width=width, subset=subset, seed=run.seed)
        block_layers[run] = in_block(inspection)
        notes |= dict.fromkeys(_about(run, inspection))
        if (depth, width, subset) not in heatmaps:
            coarse = heatmap(inspection, depth=depth, width=width, subset=subset, seed=run.seed)
            heatmaps[depth, width, subset] = coarse
        say(f"{number}/{len(networks.runs)} {run.name}: block structure score {measured[run].score:.2f}")
    study = Study(
        networks=tuple(measured.values()),
        base_depth=grid.base_depth,
        base_width=grid.base_width,
        agreements=tuple(_agreements(networks, block_layers)),
        errors=_errors(networks, tuple(measured.values())),
    )
    return reproduction(study, tuple(heatmaps.values()), inspection, tuple(notes))


def _about(run: Run, inspection: "Inspection") -> Iterator[str]:
    """The notes of one network, with its name in the cautions, whose subject is `It`."""
    for note in inspection.notes:
        yield note.replace("It ", f"{run.name} ", 1) if note in inspection.cautions else note


def _inspect(networks: Networks, run: Run) -> "Inspection":
    """Inspect one network. Probes are trained if the study needs them and the network has block structure."""
    network, options = networks.only([run]), InspectionOptions(LAYERS, networks.passes)
    inspection = inspected(network, options, [Part.deletion]).result
    if _needs_probes(run, networks.grid) and inspection.inside.blocks:
        inspection = inspected(network, options, [Part.deletion, Part.probes]).result
    return inspection


def _needs_probes(run: Run, grid: StudyGrid) -> bool:
    """Whether a network is the deepest or widest, as in figure 4 of the paper: probes take long."""
    largest = (max(grid.depths), grid.base_width), (grid.base_depth, max(grid.widths))
    return run.subset == max(grid.subsets) and (run.variant.depth, run.variant.width) in largest


def _agreements(networks: Networks, block_layers: "Mapping[Run, npt.NDArray[np.bool_]]") -> "Iterator[Agreement]":
    """CKA between seeds of one architecture, and between architectures of different seeds, for each subset."""
    from compare.result.study import Agreement
    from compare.study.agreement import COMPARED_SEEDS, mean_contrast

    grid, compared = networks.grid, networks.grid.seeds[:COMPARED_SEEDS]
    for (depth, width), subset in product(grid.architectures, grid.subsets):
        name = f"depth {depth}, width {width:g}"
        runs = [run for run in networks.seeds_of(depth, width, subset) if run.seed in compared]
        for seeds, contrasts in _contrasts(networks, runs, block_layers, "same layer", f"seeds of {name}").items():
            yield Agreement(name, str(subset), "seeds", mean_contrast(contrasts), seeds)
    for subset in grid.subsets:
        between = defaultdict[tuple[int, int], list["Contrast"]](list)
        for runs in _assignments(networks, subset, compared):
            by_seeds = _contrasts(networks, runs, block_layers, "stage", "architectures")
            for seeds, contrasts in by_seeds.items():
                between[seeds] += contrasts
        for seeds, contrasts in between.items():
            yield Agreement("different architectures", str(subset), "architectures", mean_contrast(contrasts), seeds)


def _assignments(networks: Networks, subset: Fraction, seeds: Sequence[int]) -> Iterator[list[Run]]:
    """Lists of one network per architecture, in which seeds take turns, so that each network is in one list.

    Networks of one seed are not compared, because they share initial weights where their shapes agree.
    """
    for first in range(len(seeds)):
        yield [
            run
            for place, size in enumerate(networks.grid.architectures)
            for run in networks.seeds_of(*size, subset)
            if run.seed == seeds[(first + place) % len(seeds)]
        ]


def _contrasts(
    networks: Networks,
    runs: Sequence[Run],
    block_layers: "Mapping[Run, npt.NDArray[np.bool_]]",
    match: Literal["same layer", "stage"],
    title: str,
) -> "dict[tuple[int, int], list[Contrast]]":
    """CKA of matching layers of all pairs of networks with different seeds, by pair of seeds."""
    from compare.study.agreement import Layers, agreement
    from compare.study.networks import part_name

    contrasts = defaultdict[tuple[int, int], list["Contrast"]](list)
    if len({run.seed for run in runs}) < 2:
        return contrasts
    say(f"comparing {title}, trained on {part_name(str(runs[0].subset))}")
    matrix = related(networks.only(runs), MatrixOptions(LAYERS, networks.passes, baseline=Baseline.none), Engine())
    layers = [Layers(model.layers, block_layers[run]) for model, run in zip(matrix.models, runs, strict=True)]
    for pair in matrix.pairs:
        first, second = sorted((runs[pair.a].seed, runs[pair.b].seed))
        if first != second:
            contrasts[first, second].append(agreement(pair.cka, layers[pair.a], layers[pair.b], match))
    return contrasts


def _errors(networks: Networks, measured: "Sequence[Network]") -> "Errors | None":
    """Compare the errors of a deep and a wide architecture of similar accuracy; None if there are none."""
    from compare.study.deep_and_wide import compare_errors, nearest_in_accuracy

    pair = nearest_in_accuracy(measured, networks.grid.base_width)
    if pair is None:
        return None
    deep, wide = (f"depth {depth}, width {width:g}" for depth, width in (pair.deep, pair.wide))
    say(f"comparing the errors of {deep} and {wide}")
    subsets = [subset for subset in networks.grid.subsets if any(run.subset == subset for run in networks.runs)]
    return compare_errors(deep, wide, [_right(networks, pair, subset) for subset in subsets])


def _right(networks: Networks, pair: "Pair", subset: Fraction) -> "Right":
    """Which images two architectures classify correctly, trained on one subset."""
    from cli.terminal.progress import progress_bar
    from compare.answers.predict import right_answers
    from compare.study.deep_and_wide import Right

    deep = [run for run in networks.seeds_of(*pair.deep, subset) if run.seed in pair.deep_seeds]
    wide = [run for run in networks.seeds_of(*pair.wide, subset) if run.seed in pair.wide_seeds]
    prepared = networks.only([*deep, *wide]).prepared
    with Traces(prepared).open(None) as models, progress_bar() as progress:
        batches = prepared.batches(progress, 1, "predicting")
        right = right_answers(models, batches, prepared.data.classes, prepared.model_classes)
    return Right(str(subset), right[: len(deep)], right[len(deep) :])
