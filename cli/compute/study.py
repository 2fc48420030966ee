"""Measure the networks of a reproduction study, one by one and against each other."""

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
from cli.terminal.options import Baseline, ImageOptions, InspectionOptions, MatrixOptions, Part
from cli.terminal.output import say
from zoo.grid.grid import Run
from zoo.grid.study import StudyGrid

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from compare.result.base import Settings
    from compare.result.inspection import Inspection
    from compare.result.study import Agreement, Errors, Network, Reproduction
    from compare.study.deep_and_wide import Right


# Number of seeds that are compared with each other and get probes, as in figure 6 of the paper.
SEEDS = 3
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
        state: the training runs of the study, all complete.
        grid: the grid of the study.
        dataset: name of the dataset; all of its test images are used.
        passes: passes over the images for CKA.
        device: a torch device, or `auto`.

    Raises:
        ZooError: a network does not fit the images.
    """
    from compare.result.study import Reproduction

    folders = [str(state.folder(run)) for run in state.runs]
    models = request(folders, dataset, ImageOptions(device=device))
    networks = Networks(state.runs, grid, models, passes)
    name = models.cache_key("reproduce", LAYERS, passes, repr(grid))
    title = f"reproduce, {len(state.runs)} networks on {dataset}"
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
    return replace(result, settings=result.settings | training, notes=(*result.notes, *_recipe_notes(state)))


def _recipe_notes(state: State) -> Iterator[str]:
    """Recipe values that depend on the size of a network, and so may explain differences between sizes."""
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
    heatmaps, notes = [], dict[str, None]()
    for number, run in enumerate(networks.runs, 1):
        inspection = _inspect(networks, run)
        depth, width, subset = run.variant.depth, run.variant.width, str(run.subset)
        measured[run] = digest(inspection, depth=depth, width=width, subset=subset, seed=run.seed)
        block_layers[run] = in_block(inspection)
        notes |= dict.fromkeys(inspection.notes)
        if run.seed == grid.seeds[0]:
            heatmaps.append(heatmap(inspection, depth=depth, width=width, subset=subset, seed=run.seed))
        say(f"{number}/{len(networks.runs)} {run.name}: block structure score {measured[run].score:.2f}")
    study = Study(
        networks=tuple(measured.values()),
        base_depth=grid.base_depth,
        base_width=grid.base_width,
        agreements=tuple(_agreements(networks, block_layers)),
        errors=_errors(networks, tuple(measured.values())),
    )
    return reproduction(study, heatmaps, inspection, tuple(notes))


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
    return (
        run.subset == max(grid.subsets)
        and run.seed in grid.seeds[:SEEDS]
        and (run.variant.depth, run.variant.width) in largest
    )


def _agreements(networks: Networks, block_layers: "Mapping[Run, npt.NDArray[np.bool_]]") -> "Iterator[Agreement]":
    """CKA between seeds of one architecture, and between architectures of different seeds, for each subset."""
    from compare.result.study import Agreement
    from compare.study.agreement import agreement
    from compare.study.networks import part_name

    options = MatrixOptions(LAYERS, networks.passes, baseline=Baseline.none)
    for unit in _units(networks):
        say(f"comparing {unit.between} of {unit.name}, trained on {part_name(str(unit.subset))}")
        matrix = related(networks.only(unit.runs), options, Engine())
        pairs = [pair for pair in matrix.pairs if unit.runs[pair.a].seed != unit.runs[pair.b].seed]
        values = agreement(matrix, [block_layers[run] for run in unit.runs], pairs)
        yield Agreement(unit.name, str(unit.subset), unit.between, values)


@dataclass(frozen=True)
class _Unit:
    """Networks that are compared with each other.

    Args:
        between: what differs between them.
        name: what they have in common.
        subset: fraction of the training images.
        runs: the networks.
    """

    between: Literal["seeds", "architectures"]
    name: str
    subset: Fraction
    runs: list[Run]


def _units(networks: Networks) -> Iterator[_Unit]:
    grid = networks.grid
    seeds = grid.seeds[:SEEDS]
    for (depth, width), subset in product(grid.architectures, grid.subsets):
        runs = [run for run in networks.seeds_of(depth, width, subset) if run.seed in seeds]
        if len(runs) > 1:
            yield _Unit("seeds", f"depth {depth}, width {width:g}", subset, runs)
    # Networks of one seed share initial weights where their shapes agree, so each network of a unit has another seed.
    for first, subset in product(range(len(seeds) if len(seeds) > 1 else 0), grid.subsets):
        order = [seeds[(first + place) % len(seeds)] for place in range(len(grid.architectures))]
        sizes = zip(grid.architectures, order, strict=True)
        runs = [run for size, seed in sizes for run in networks.seeds_of(*size, subset) if run.seed == seed]
        yield _Unit("architectures", f"seeds {', '.join(map(str, order))}", subset, runs)


def _errors(networks: Networks, measured: "Sequence[Network]") -> "Errors | None":
    """Compare the errors of a deep and a wide architecture of similar accuracy; None if there are none."""
    from compare.study.deep_and_wide import compare_errors, nearest_in_accuracy

    grid = networks.grid
    pair = nearest_in_accuracy(measured, grid.base_width)
    if pair is None or len(grid.seeds) < 2:
        return None
    deep, wide = (f"depth {depth}, width {width:g}" for depth, width in pair)
    say(f"comparing the errors of {deep} and {wide}")
    return compare_errors(deep, wide, [_right(networks, pair, subset) for subset in grid.subsets])


def _right(networks: Networks, pair: Sequence[tuple[int, float]], subset: Fraction) -> "Right":
    """Which images two architectures classify correctly, trained on one subset."""
    from cli.terminal.progress import progress_bar
    from compare.answers.predict import right_answers
    from compare.study.deep_and_wide import Right

    deep, wide = (networks.seeds_of(*size, subset) for size in pair)
    prepared = networks.only([*deep, *wide]).prepared
    with Traces(prepared).open(None) as models, progress_bar() as progress:
        batches = prepared.batches(progress, 1, "predicting")
        right = right_answers(models, batches, prepared.data.classes, prepared.model_classes)
    return Right(str(subset), right[: len(deep)], right[len(deep) :])
