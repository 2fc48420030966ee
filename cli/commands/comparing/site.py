"""`zoo site DIR`: a whole zoo as pages that need no server, and as a static Space of the Hub."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.compute.matrix import check_several, related
from cli.compute.pair import compared
from cli.inputs.request import Request, request
from cli.jobs.engine import Engine
from cli.jobs.traces import Traces
from cli.report.kinds import ReportOptions, kind_of
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.options import MatrixOptions, PairOptions, SimilarityOptions
from cli.terminal.output import interruptible, phase, plain, say, show
from zoo.base.files import replace_folder, writing
from zoo.base.sealed_folder import check_site, seal
from zoo.errors import ZooError
from zoo.hub.catalog import Listed, hub_models, listed, local_models
from zoo.record.names import recorded_name

if TYPE_CHECKING:
    from cards.pages.site import Origin
    from cards.tables.matrix import Pair
    from compare.result.matrix import ModelMatrix
    from compare.result.models import ModelResult
    from zoo.hub.find import FoundModel


KEPT = "nothing was written, but what was computed is kept: the same command goes on from there"


@expand_options
def site(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the site is written.", show_default=False)],
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[M1 M2 ...]", help="Model folders or Hub ids.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Take the models of this folder.", show_default="models, if none are named")
    ] = None,
    hub: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Take this owner's models on the Hub.", show_default=False)
    ] = None,
    dataset: options.ComparisonDataset = None,
    *,
    images: options.ImageOptions,
    similarity: options.SimilarityOptions,
    push_space: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Publish it as a static Space on the Hub.", show_default=False),
    ] = None,
    private: options.Private = False,
    verbosity: options.Verbosity,
) -> None:
    """Write a site on a whole zoo: its models, what every two share, and a page for each pair.

    It opens from disk and needs no server. Each model runs once. For example:
    zoo site site --out models --push-space me/my-zoo
    """
    _check_options(models, out, hub, push_space, private)
    check_site(folder)
    with interruptible(KEPT):
        if push_space is not None:
            from zoo.hub.space import check_space

            check_space(push_space, private=private)
        public = push_space is not None and not private
        about = request(models or _all_models(out, hub, dataset, public), dataset, images)
        similarity = replace(similarity, layers=_record_each(about, similarity))
        result = related(about, MatrixOptions(similarity.layers, similarity.passes, similarity.precision), Engine())
        result = replace(result, models=tuple(map(_for_others, result.models)))
        with replace_folder(folder, check_site) as fresh, writing(folder, "another folder"):
            _write(fresh, about, similarity, result)
    show(plain(kind_of(result).verdict(result)))
    print(folder / "index.html")
    if push_space is not None:
        _push(folder, push_space, private)


def _check_options(
    models: Sequence[str] | None, out: Path | None, hub: str | None, push_space: str | None, private: bool
) -> None:
    given = [("models", bool(models)), ("--out", out is not None), ("--hub", hub is not None)]
    if sum(is_given for _, is_given in given) > 1:
        raise ZooError("expected models, --out or --hub, got several of these; choose one.")
    if private and push_space is None:
        raise ZooError("--private is for what is pushed; name a Space with --push-space.")
    if models:
        check_several(models)


def _all_models(out: Path | None, hub: str | None, dataset: str | None, public: bool) -> list[str]:
    """The models of a folder or an owner that were trained on one data set; private ones are not for a public Space."""
    found = list(local_models(out or Path("models")) if hub is None else hub_models(hub))
    chosen = recorded_name(dataset) if dataset else next((model.dataset for model in found if model.dataset), None)
    fitting = [f"hf://{model.ref}" if hub else model.ref for model in found if model.dataset == chosen]
    others = [model for model in found if model.dataset != chosen]
    if len(fitting) < 2:
        where = f"of {hub} on the Hub" if hub else f"in {out or 'models'}"
        on = f" trained on {chosen}" if chosen else ""
        raise ZooError(f"expected at least two models{on} {where}, got {len(fitting)}; `zoo train` makes one.")
    if public and (hidden := [model.ref for model in found if model.private and model.dataset == chosen]):
        raise ZooError(f"{hidden[0]} is private, and the Space would be public; add --private, or name the models.")
    if others:
        say(f"left out {_several(others)}, not known to be trained on {chosen}; name models to have them.")
    return fitting


def _several(models: Sequence[Listed]) -> str:
    return models[0].ref if len(models) == 1 else f"{models[0].ref} and {len(models) - 1} more"


def _record_each(about: Request, similarity: SimilarityOptions) -> str | None:
    """Run each model alone, so that whoever interrupts this loses one at most, and only one is in memory at a time.

    Returns:
        The layers to ask for: None where every pair by itself would look at all.
    """
    from compare.engine.plan import Plan

    chosen = similarity.layers
    # Refuses what cannot be, before anything is loaded.
    Plan(chosen or "all", similarity.passes, similarity.precision)
    together, numbers = _traces(about, similarity), range(len(about.models))
    if chosen is None and any(_traces(about.only(i), similarity).layers(None) != "all" for i in numbers):
        chosen = together.layers(None)
    layers = chosen or "all"
    for number in numbers:
        if not together.has(number, layers):
            _run(_traces(about.only(number), similarity), layers, f"model {number + 1} of {len(numbers)}")
    if large := [about.models[number].ref for number in numbers if not together.has(number, layers)]:
        say(
            f"what {len(large)} models give, such as {large[0]}, is too large to be kept, so these run again for each "
            "pair; --layers blocks or --max-examples makes it smaller."
        )
    return chosen


def _traces(about: Request, similarity: SimilarityOptions) -> Traces:
    return Traces(about.prepared, similarity.precision, similarity.passes)


def _run(traces: Traces, layers: str, doing: str) -> None:
    """Record a model, if what it gives can be kept."""
    from cli.terminal.progress import progress_bar
    from compare.model.trace import Tracer, trace

    with phase(doing), traces.open(layers) as (model,), progress_bar() as progress:
        batches = traces.prepared.batches(progress, traces.passes, doing)
        if isinstance(model, Tracer):
            trace(model, batches, passes=traces.passes)


def _write(fresh: Path, about: Request, similarity: SimilarityOptions, result: "ModelMatrix") -> None:
    from cards.page.page import plotly_js
    from cards.pages.site import CARD, INDEX, NUMBERS, PAIRS, PLOTLY, index_html, pair_names, site_card

    names = pair_names(result.models)
    (fresh / PAIRS).mkdir()
    for number, (pair, name) in enumerate(names.items(), 1):
        _write_pair(fresh / PAIRS, about, similarity, pair, name, f"pair {number} of {len(names)}")
    (fresh / INDEX).write_bytes(index_html(result, [_origin(model) for model in about.models], names))
    (fresh / PLOTLY).write_bytes(plotly_js())
    (fresh / NUMBERS).write_text(result.to_json() + "\n", encoding="utf-8")
    (fresh / CARD).write_text(site_card(result), encoding="utf-8")
    seal(fresh)


def _write_pair(
    folder: Path, about: Request, similarity: SimilarityOptions, pair: "Pair", name: str, doing: str
) -> None:
    """What `compare --html --json` gives of two models."""
    from cards.pages.site import pair_place
    from compare.result.models import ModelPair

    options = PairOptions(similarity.layers, similarity.passes, similarity.precision)
    kept = compared(about.only(*pair), options, description=doing)
    a, b = kept.result.models.a, kept.result.models.b
    result = replace(kept.result, models=ModelPair(_for_others(a), _for_others(b)))
    page = kind_of(result).page(result, ReportOptions(kept.images, place=pair_place(name, len(about.models))))
    (folder / f"{name}.html").write_bytes(page)
    (folder / f"{name}.json").write_text(result.to_json() + "\n", encoding="utf-8")


def _for_others(model: "ModelResult") -> "ModelResult":
    """Where an absolute path leads is nobody's business, so its last part only; ids of the Hub without `hf://`."""
    return replace(model, ref=recorded_name(model.ref.removeprefix("hf://"))) if model.ref else model


def _origin(model: "FoundModel") -> "Origin":
    from cards.pages.site import Origin

    known = listed(model.ref, model.kind, model.config)
    return Origin(**{field.name: getattr(known, field.name) for field in fields(Origin)})


def _push(folder: Path, repo_id: str, private: bool) -> None:
    from zoo.hub.space import push_space

    with interruptible("push again to be sure that all has arrived"):
        done = push_space(folder, repo_id, private=private)
    if not done.changed:
        say("nothing has changed since the last commit.")
    print(f"{done.url} {done.commit}")
