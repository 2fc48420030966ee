"""`zoo inspect MODEL`: where a model has block structure, how sure that is, and what carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.cache import Kept, NoCache, recall
from cli.deliver import Files, Layout, deliver
from cli.inspect_parts import check_deletable, delete, probe
from cli.output import interruptible, phase
from cli.prepare import identify
from cli.recordings import Recordings
from cli.request import Request, request
from zoo.errors import ZooError

if TYPE_CHECKING:
    from compare.inspection import Inspection


class Part(StrEnum):
    """What the report can show; all but the last two come from one pass over the images."""

    structure = "structure"
    components = "components"
    dominant = "dominant"
    deletion = "deletion"
    probes = "probes"


ONE_PASS = [Part.structure, Part.components, Part.dominant]


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model folder or Hub id OWNER/NAME[@REVISION].", show_default=False)
    ],
    part: Annotated[
        list[Part], typer.Option(help="What to show; may be repeated. deletion and probes take longer.")
    ] = ONE_PASS,  # noqa: B006
    components: Annotated[int, typer.Option(min=1, max=10, help="Principal components to remove.")] = 1,
    drop_dominant: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Leave out the images that carry blocks: 1%.", show_default=False),
    ] = None,
    dataset: options.OwnDataset = None,
    split: options.Split = "test",
    max_examples: options.MaxExamples = None,
    layers: options.Layers = None,
    batch_size: options.BatchSize = None,
    passes: options.Passes = 1,
    precision: options.Precision = "fp32",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    no_cache: NoCache = False,
    json_file: options.Json = None,
    png: options.Png = None,
    svg: options.Svg = None,
    html: options.Html = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Look into one model: block structure, how sure it is, and what carries it.

    CKA of its layers, with and without their first principal component, and the images that dominate; accuracy without
    its last residual blocks (--part deletion), and of linear probes (--part probes). For example:
    zoo inspect models/resnet74-w1-digits-s0
    """
    files = Files(json_file, png, svg, html)
    files.check()
    share = None if drop_dominant is None else _parse_share(drop_dominant)
    with interruptible("nothing was written"):
        asked: dict[str, Any] = {
            **{"layers": layers, "passes": passes, "precision": precision, "components": components},
            "drop_dominant": share,
        }
        shown: dict[str, Any] = {
            **{"split": split, "max_examples": max_examples, "batch_size": batch_size, "device": device, "seed": seed}
        }
        about = request((model,), dataset, shown)
        kept = look_into(about, asked, part, no_cache)
    result = kept.result
    from cards.inside_picture import inspection_image
    from cards.inspection_page import inspection_html
    from cli.inspect_report import InspectionReport

    layout = Layout(
        lambda result, form: inspection_image(result, kept.images, form),
        lambda result: InspectionReport(result, part, kept.images),
        lambda result: inspection_html(result, kept.images),
    )
    deliver(result, files, layout)


def look_into(
    about: Request, asked: Mapping[str, Any], parts: Sequence[Part], fresh: bool = False
) -> "Kept[Inspection]":
    """What one model looks like inside, and the images that carry its blocks.

    Args:
        about: the model alone, and the images.
        asked: layers, which may be None, passes, precision, components and drop_dominant, as of
            `compare.inspect_model.inspect_model`.
        parts: deletion and probes take passes of their own, if they are among them.
        fresh: whether to compute anew, even if the answer is kept.

    Raises:
        ZooError: they do not belong together.
    """
    from compare.inspection import Inspection

    further = {"deletion": Part.deletion in parts, "probes": Part.probes in parts}

    def compute() -> "Kept[Inspection]":
        prepared = about.prepared
        if Part.deletion in parts:
            check_deletable(prepared)
        recordings = Recordings(prepared, asked["precision"], asked["passes"], fresh)
        result = _inspect(recordings, **asked, max_examples=about.shown["max_examples"])
        if Part.deletion in parts:
            result = replace(result, deletion=delete(prepared))
        if Part.probes in parts:
            result = replace(result, probes=probe(prepared))
        return Kept(result, prepared.images(_dominant(result)))

    name, title = about.question("inspect", {**asked, **further}), f"inspect {about.found[0].ref}"
    kept = recall(Inspection, name, title, compute, fresh)
    return replace(kept, result=replace(kept.result, model=identify(about.found[0], kept.result.model)))


def _inspect(
    recordings: Recordings,
    layers: str | None,
    passes: int,
    precision: str,
    components: int,
    drop_dominant: float | None,
    max_examples: int | None,
) -> "Inspection":
    from cli.progress import progress_bar
    from compare.inspect_model import inspect_model

    prepared, chosen = recordings.prepared, recordings.layers(layers)
    with phase("inspecting"), recordings.open(chosen, drop_dominant is None) as (model,), progress_bar() as progress:
        result = inspect_model(
            model,
            prepared.batches(progress, passes * (1 if drop_dominant is None else 2), "looking inside"),
            layers=chosen,
            passes=passes,
            precision=precision,
            components=components,
            drop_dominant=drop_dominant,
            seed=prepared.seed,
            class_names=prepared.data.classes,
            model_classes=prepared.model_classes[0],
        )
    return prepared.describe(result, max_examples)


def _dominant(result: "Inspection") -> list[int]:
    return [example.index for block in result.inside.blocks for example in block.dominant.examples]


def _parse_share(text: str) -> float:
    number, percent, rest = text.partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share < 1:
        raise ZooError(f"--drop-dominant takes a share of the images such as 1% or 0.01, got {text!r}.")
    return share
