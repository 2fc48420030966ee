"""What is measured of the networks of a study: each by itself, then beside others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.cache.answers import Kept, recall
from cli.compute.inspection import look_into
from cli.compute.matrix import related
from cli.inputs.request import Request, request
from cli.jobs.engine import Engine
from cli.jobs.traces import Traces
from cli.terminal.output import say
from zoo.grid.grid import Run
from zoo.grid.study import StudyGrid

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from compare.result.inspection import Inspection
    from compare.result.study import Agreement, Errors, Network, Reproduction
    from compare.study.deep_and_wide import Right


# Seeds that are compared with each other, and of which the probes are trained; the paper's figure 6 has as many.
SEEDS = 3
LAYERS = {"layers": "all", "precision": "fp32"}
# As `zoo inspect` and `zoo matrix` show them.
SHOWN = {"split": "test", "max_examples": None, "batch_size": None, "seed": 0}


@dataclass(frozen=True)
class Networks:
    """The trained networks of a study, and how they are looked at.

    Args:
        runs: how each was trained.
        grid: which they are.
        about: the networks in this order, and the images that they see.
        passes: over these, for CKA.
    """

    runs: tuple[Run, ...]
    grid: StudyGrid
    about: Request
    passes: int

    def only(self, runs: Sequence[Run]) -> Request:
        """Some of the networks."""
        return self.about.only(*map(self.runs.index, runs))

    def of(self, depth: int, width: float, subset: Fraction) -> list[Run]:
        """The seeds of one architecture on a part of the data."""
        size = depth, width, subset
        return [run for run in self.runs if (run.variant.depth, run.variant.width, run.subset) == size]


def measure(
    runs: Sequence[Run], folders: Sequence[Path], grid: StudyGrid, dataset: str, passes: int, device: str
) -> "Reproduction":
    """The paper's claims beside what the networks show, from the cache if nothing has changed.

    Args:
        runs: of the study, all done.
        folders: the model folder of each.
        grid: which they are.
        dataset: of whose test images they see all.
        passes: over these, for CKA.
        device: where they run.

    Raises:
        ZooError: as of `zoo inspect` and `zoo matrix`.
    """
    from compare.result.study import Reproduction

    about = request(tuple(map(str, folders)), dataset, {**SHOWN, "device": device})
    networks = Networks(tuple(runs), grid, about, passes)
    name = about.question("reproduce", {**LAYERS, "passes": passes, "grid": repr(grid)})
    title = f"reproduce, {len(runs)} networks on {dataset}"
    return recall(Reproduction, name, title, lambda: Kept(_measure(networks), {}), False).result


def _measure(networks: Networks) -> "Reproduction":
    from compare.study.digest import digest, heatmap, in_block
    from compare.study.networks import Study
    from compare.study.reproduction import reproduction

    grid, measured, inside, heatmaps = networks.grid, {}, {}, []
    notes: dict[str, None] = {}
    for number, run in enumerate(networks.runs, 1):
        looked = _look_into(networks, run)
        what: dict[str, Any] = {
            **{"depth": run.variant.depth, "width": run.variant.width, "subset": str(run.subset), "seed": run.seed}
        }
        measured[run], inside[run] = digest(looked, **what), in_block(looked)
        notes |= dict.fromkeys(looked.notes)
        if run.seed == grid.seeds[0]:
            heatmaps.append(heatmap(looked, **what))
        say(f"{number}/{len(networks.runs)} {run.name}: block structure score {measured[run].score:.2f}")
    study = Study(
        networks=tuple(measured.values()),
        base_depth=grid.base_depth,
        base_width=grid.base_width,
        agreements=tuple(_agreements(networks, inside)),
        errors=_errors(networks, tuple(measured.values())),
    )
    return reproduction(study, heatmaps, looked, tuple(notes))


def _look_into(networks: Networks, run: Run) -> "Inspection":
    """One network, with probes if it is to have them and there is block structure for them to stay flat in."""
    about = networks.only([run])
    asked = {**LAYERS, "passes": networks.passes, "components": 1, "drop_dominant": None}
    looked = look_into(about, asked, ["deletion"]).result
    if _is_probed(run, networks.grid) and looked.inside.blocks:
        looked = look_into(about, asked, ["deletion", "probes"]).result
    return looked


def _is_probed(run: Run, grid: StudyGrid) -> bool:
    """The deepest and the widest, as in the paper's figure 4: probes take long."""
    largest = (max(grid.depths), grid.base_width), (grid.base_depth, max(grid.widths))
    return (
        run.subset == max(grid.subsets)
        and run.seed in grid.seeds[:SEEDS]
        and (run.variant.depth, run.variant.width) in largest
    )


def _agreements(networks: Networks, inside: "Mapping[Run, npt.NDArray[np.bool_]]") -> "Iterator[Agreement]":
    """Between the seeds of each architecture, and between architectures of different seeds, on each part of data."""
    from compare.result.study import Agreement
    from compare.study.agreement import agreement
    from compare.study.networks import part_name

    asked = {**LAYERS, "passes": networks.passes, "tolerance": None}
    for between, unit, subset, runs in _units(networks):
        say(f"comparing {between} of {unit}, trained on {part_name(str(subset))}")
        matrix = related(networks.only(runs), asked, Engine(None, None))
        pairs = [pair for pair in matrix.pairs if runs[pair.a].seed != runs[pair.b].seed]
        yield Agreement(unit, str(subset), between, agreement(matrix, [inside[run] for run in runs], pairs))


def _units(networks: Networks) -> "Iterator[tuple[Any, str, Fraction, list[Run]]]":
    """What is compared with each other: what differs, what does not, the part of the data, and the networks."""
    grid = networks.grid
    seeds = grid.seeds[:SEEDS]
    for (depth, width), subset in product(grid.architectures, grid.subsets):
        runs = [run for run in networks.of(depth, width, subset) if run.seed in seeds]
        if len(runs) > 1:
            yield "seeds", f"depth {depth}, width {width:g}", subset, runs
    # Networks of one seed begin with the same weights, as far as their shapes agree, so that no two of a unit may.
    for first, subset in product(range(len(seeds) if len(seeds) > 1 else 0), grid.subsets):
        order = [seeds[(first + place) % len(seeds)] for place in range(len(grid.architectures))]
        sizes = zip(grid.architectures, order, strict=True)
        runs = [run for size, seed in sizes for run in networks.of(*size, subset) if run.seed == seed]
        yield "architectures", f"seeds {', '.join(map(str, order))}", subset, runs


def _errors(networks: Networks, measured: "Sequence[Network]") -> "Errors | None":
    from compare.study.deep_and_wide import compare_errors, nearest_in_accuracy

    grid = networks.grid
    pair = nearest_in_accuracy(measured, grid.base_width)
    if pair is None or len(grid.seeds) < 2:
        return None
    deep, wide = (f"depth {depth}, width {width:g}" for depth, width in pair)
    say(f"comparing the errors of {deep} and {wide}")
    return compare_errors(deep, wide, [_right(networks, pair, subset) for subset in grid.subsets])


def _right(networks: Networks, pair: Sequence[tuple[int, float]], subset: Fraction) -> "Right":
    """What two architectures get right, trained on one part of the data."""
    from cli.terminal.progress import progress_bar
    from compare.answers.predict import right_answers
    from compare.study.deep_and_wide import Right

    deep, wide = (networks.of(*size, subset) for size in pair)
    prepared = networks.only([*deep, *wide]).prepared
    with Traces(prepared).open(None) as models, progress_bar() as progress:
        batches = prepared.batches(progress, 1, "predicting")
        right = right_answers(models, batches, prepared.data.classes, prepared.model_classes)
    return Right(str(subset), right[: len(deep)], right[len(deep) :])
