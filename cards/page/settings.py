"""The section of a page that says how to reproduce its result."""

from collections.abc import Mapping

from cards.page.page import Section, section
from cards.tables.table import Table
from cards.words.legible import LONGEST_TEXT, printable
from compare.result.base import Settings
from compare.result.models import DatasetResult, ModelResult


def settings_section(
    models: Mapping[str, ModelResult], dataset: DatasetResult, settings: Settings, versions: Mapping[str, str]
) -> Section:
    """Models, images, settings, and versions: all that is needed to reproduce a result.

    Args:
        models: models by label, with uncut names.
        dataset: the images.
        settings: settings of the computation.
        versions: versions of the libraries.
    """
    facts = [("images", f"{dataset.name or 'from memory'}, {dataset.split or 'no split'}")]
    facts += [("fingerprint of the images", dataset.fingerprint)] if dataset.fingerprint else []
    for label, model in models.items():
        origins = (("", model.ref), ("commit of ", model.revision), ("sha256 of ", model.sha256))
        facts += [(f"{what}model {label}".strip(), value) for what, value in origins if value]
    facts += [(name, _setting(value)) for name, value in settings.items()]
    facts += [(name if name == "commit" else f"version of {name}", version) for name, version in versions.items()]
    rows = tuple((printable(name), printable(value, LONGEST_TEXT)) for name, value in facts)
    return section("How to reproduce this", Table("Settings and versions", ("", ""), rows, 2, folded=True))


def _setting(value: object) -> str:
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)
