"""The section of a page that says how to compute its result again."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from cards.page.page import Section, section
from cards.tables.table import Table
from cards.words.legible import LONGEST_TEXT, printable
from compare.result.base import Settings
from compare.result.comparison import Baseline
from compare.result.models import DatasetResult, ModelResult

# The option of each setting, and the value at which it is left out. Layers and minibatches are always given, since
# their defaults depend on models and images.
OPTIONS: Mapping[str, tuple[str, object]] = {
    "layers": ("--layers", None),
    "batch_size": ("--batch-size", None),
    "max_examples": ("--max-examples", None),
    "seed": ("--seed", 0),
    "passes": ("--passes", 1),
    "precision": ("--precision", "fp32"),
    "tolerance": ("--tolerance", None),
    "permutations": ("--null", 0),
    "baseline": ("--baseline", "untrained"),
    "baseline_seeds": ("--baseline-seeds", 3),
    "components": ("--components", 1),
    "drop_dominant": ("--drop-dominant", None),
}


def settings_section(
    models: Mapping[str, ModelResult],
    dataset: DatasetResult,
    settings: Settings,
    versions: Mapping[str, str],
    command: str = "",
) -> Section:
    """The command that computes a result again, with models, images, settings, and versions.

    Args:
        models: models by label, with uncut names.
        dataset: the images.
        settings: settings of the computation.
        versions: versions of the libraries.
        command: the command, as from `command_line`; empty if there is none.
    """
    facts = [("images", f"{dataset.name or 'from memory'}, {dataset.split or 'no split'}")]
    facts += [("fingerprint of the images", dataset.fingerprint)] if dataset.fingerprint else []
    for label, model in models.items():
        origins = (("", model.ref), ("commit of ", model.revision), ("sha256 of ", model.sha256))
        facts += [(f"{what}model {label}".strip(), value) for what, value in origins if value]
    facts += [(name, _setting(value)) for name, value in settings.items()]
    facts += [(name if name == "commit" else f"version of {name}", version) for name, version in versions.items()]
    rows = tuple((printable(name), printable(value, LONGEST_TEXT)) for name, value in facts)
    table = Table("Settings and versions", ("", ""), rows, 2, folded=True)
    return section("Do it again", table, command=command)


def _setting(value: object) -> str:
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def command_line(start: Sequence[str | None], dataset: DatasetResult, settings: Settings) -> str:
    """The command that computes a result again, on one line for a POSIX shell.

    Args:
        start: the command with its models, as from `exact_ref`.
        dataset: the images.
        settings: settings of the computation, by the names in `OPTIONS`, and `measures`; others are left out.

    Returns:
        The command; empty if a model or the images came from memory, or if a name is not printable.

    Example:
        >>> images = DatasetResult("my pets", "test", 80, ("cat", "dog"), None)
        >>> command_line(("compare", "models/a", "models/b"), images, {"seed": 0, "batch_size": 32})
        "compare models/a models/b --dataset 'my pets' --split test --batch-size 32"
    """
    words = [*start, "--dataset", dataset.name, "--split", dataset.split, *_options(settings)]
    known = [word for word in words if word is not None]
    return shlex.join(known) if len(known) == len(words) and all(word.isprintable() for word in known) else ""


def _options(settings: Settings) -> Iterator[str]:
    for name, (option, default) in OPTIONS.items():
        value = settings.get(name)
        if value is not None and value != default:
            yield from (option, str(value))
    for measure in str(settings.get("measures") or "").split(","):
        if measure not in ("", "cka", "cosine"):
            yield from ("--measure", measure)


def baseline_settings(baseline: Baseline | None) -> Settings:
    """The settings for `command_line` that give a baseline, or none."""
    return {"baseline": "none"} if baseline is None else {"baseline_seeds": len(baseline.seeds)}


def exact_ref(model: ModelResult) -> str | None:
    """The reference to a model, on the Hub at the commit that was used; None for a model from memory."""
    if model.ref is None or model.revision is None:
        return model.ref
    return f"{model.ref.partition('@')[0]}@{model.revision}"
