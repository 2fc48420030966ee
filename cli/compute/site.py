"""Compute the pages of a site: a matrix of all models, an inspection of each, and a comparison of each pair."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.compute.inspection import inspected
from cli.compute.matrix import related
from cli.compute.pair import Known, compared
from cli.inputs.request import Request
from cli.jobs.engine import Engine
from cli.jobs.traces import Traces
from cli.terminal.analysis_options import BaselineOptions, InspectionOptions, MatrixOptions, PairOptions
from cli.terminal.output import say
from zoo.base.files import replace_folder, writing
from zoo.base.sealed_folder import check_site, seal
from zoo.hub.catalog import listed

if TYPE_CHECKING:
    from cards.pages.site import Origin
    from cards.tables.matrix import Pair
    from compare.result.base import JsonResult
    from compare.result.inspection import Inspection
    from compare.result.matrix import ModelMatrix
    from compare.result.models import ModelResult
    from zoo.hub.find import FoundModel


def write_site(folder: Path, request: Request, options: BaselineOptions) -> "ModelMatrix":
    """Compare all models of a site and write its pages.

    Args:
        folder: the folder of the site; an earlier site is replaced.
        request: the models and the images.
        options: how to compare them.

    Returns:
        The comparison of all pairs.

    Raises:
        ZooError: the models do not fit the images, or the folder cannot be written.
        CompareError: an option is out of range.
    """
    options = replace(options, layers=_trace_models(request, options))
    matrix = related(request, MatrixOptions(**asdict(options)), Engine())
    matrix = replace(matrix, models=tuple(map(_public, matrix.models)))
    with replace_folder(folder, check_site) as new_folder, writing(folder, "another folder"):
        _write(new_folder, request, options, matrix)
    return matrix


def _trace_models(request: Request, options: BaselineOptions) -> str | None:
    """Trace the models one by one: only one is in memory, and an interruption loses one at most.

    Returns:
        The layers to compare; None if each pair has few enough layers to compare all.
    """
    from compare.engine.plan import Plan

    # Checks the options before anything is loaded.
    Plan(options.layers or "all", options.passes, options.precision, pool=options.pool)
    layers, numbers = options.layers, range(len(request.models))
    traces = Traces(request.prepared, options.precision, options.passes, pool=options.pool)
    alone = (replace(traces, prepared=traces.prepared.only(number)) for number in numbers)
    if layers is None and any(one.layers(None) != "all" for one in alone):
        layers = traces.layers(None)
    for number in numbers:
        if not traces.has(number, layers or "all"):
            traces.cache(number, layers or "all", f"model {number + 1} of {len(numbers)}")
    missing = [request.models[number].ref for number in numbers if not traces.has(number, layers or "all")]
    if missing:
        say(
            f"the traces of {len(missing)} models, such as {missing[0]}, are too large to be cached, so these models "
            "run again for each pair; choose --layers blocks or a smaller --max-examples."
        )
    return layers


def _write(folder: Path, request: Request, options: BaselineOptions, matrix: "ModelMatrix") -> None:
    from cards.page.page import plotly_js
    from cards.pages.site import (
        CARD,
        INDEX,
        MODELS,
        NUMBERS,
        PAIRS,
        PLOTLY,
        index_html,
        model_names,
        pair_names,
        site_card,
    )

    names = pair_names(matrix.models)
    (folder / MODELS).mkdir()
    inspections = [
        _write_model(folder / MODELS / name, request, options, number)
        for number, name in enumerate(model_names(matrix.models))
    ]
    (folder / PAIRS).mkdir()
    for number, (pair, name) in enumerate(names.items(), 1):
        known = _known(matrix, inspections, pair)
        _write_pair(folder / PAIRS / name, request, options, pair, f"pair {number} of {len(names)}", matrix, known)
    (folder / INDEX).write_bytes(index_html(matrix, [_origin(model) for model in request.models], names))
    (folder / PLOTLY).write_bytes(plotly_js())
    (folder / NUMBERS).write_text(matrix.to_json() + "\n", encoding="utf-8")
    (folder / CARD).write_text(site_card(matrix), encoding="utf-8")
    seal(folder)


def _write_model(path: Path, request: Request, options: BaselineOptions, number: int) -> "Inspection":
    """Write the page and the JSON of one model, as `zoo inspect --html --json` does, and return what they show."""
    from cards.pages.inspection import inspection_html
    from cards.pages.site import model_place

    models = len(request.models)
    how = InspectionOptions(options.layers, options.passes, options.precision, options.pool)
    computed = inspected(request.only(number), how, (), description=f"model {number + 1} of {models}")
    result = replace(computed.result, model=_public(computed.result.model))
    _write_both(path, inspection_html(result, computed.images, model_place(path.name, models)), result)
    return result


def _write_pair(
    path: Path,
    request: Request,
    options: BaselineOptions,
    pair: "Pair",
    description: str,
    matrix: "ModelMatrix",
    known: Known,
) -> None:
    """Write the page and the JSON of one pair, as `compare --html --json` does."""
    from cards.pages.comparison import comparison_html
    from cards.pages.site import pair_place
    from compare.result.models import ModelPair

    computed = compared(request.only(*pair), PairOptions(**asdict(options)), description=description, known=known)
    a, b = computed.result.models.a, computed.result.models.b
    result = replace(computed.result, models=ModelPair(_public(a), _public(b)))
    _write_both(path, comparison_html(result, computed.images, pair_place(path.name, matrix.models, pair)), result)


def _known(matrix: "ModelMatrix", inspections: "Sequence[Inspection]", pair: "Pair") -> Known:
    """What is known about a pair. Where a part is missing, all is computed again, since the notes say why."""
    a, b = (inspections[number] for number in pair)
    baseline = matrix.pair(*pair).baseline
    sides = (baseline.a, baseline.b) if baseline else ()
    has_intervals = all(inspection.inside.score.low is not None for inspection in (a, b))
    has_sides = bool(sides) and all(side and side.low is not None for side in sides)
    return Known((a, b) if has_intervals else None, baseline if has_sides else None)


def _write_both(path: Path, page: bytes, result: "JsonResult") -> None:
    """Write a page and the JSON of its result beside each other."""
    (path.parent / f"{path.name}.html").write_bytes(page)
    (path.parent / f"{path.name}.json").write_text(result.to_json() + "\n", encoding="utf-8")


def _public(model: "ModelResult") -> "ModelResult":
    """Shorten the reference of a model to its Hub id."""
    return replace(model, ref=model.ref.removeprefix("hf://")) if model.ref else model


def _origin(model: "FoundModel") -> "Origin":
    from cards.pages.site import Origin

    listing = listed(model.ref, model.kind, model.config)
    return Origin(**{field.name: getattr(listing, field.name) for field in fields(Origin)})
