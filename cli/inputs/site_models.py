"""Choose the models of a site: those of a folder, or of an owner on the Hub."""

from collections.abc import Sequence
from pathlib import Path

from cli.terminal.output import say
from zoo.errors import ZooError
from zoo.hub.catalog import Listed, check_folder, hub_models, local_models
from zoo.model_folder.folder import MODELS
from zoo.record.names import recorded_name


def site_models(folder: Path | None, owner: str | None, dataset: str | None, public: bool) -> list[str]:
    """All models of a folder or an owner that were trained on one dataset.

    Args:
        folder: folder that holds model folders; None for `models`.
        owner: owner of models on the Hub; None for the models of the folder.
        dataset: name of the dataset; None for that of the first model.
        public: whether the site will be public, so that private models are refused.

    Returns:
        References to the models.

    Raises:
        ZooError: there is no such folder, there are fewer than two models, or one is private and the site is public.
    """
    if folder is not None:
        check_folder(folder, "--models")
    models = list(local_models(folder or Path(MODELS)) if owner is None else hub_models(owner))
    chosen = recorded_name(dataset) if dataset else next((model.dataset for model in models if model.dataset), None)
    matching = [model for model in models if model.dataset == chosen]
    others = [model for model in models if model.dataset != chosen]
    if len(matching) < 2:
        where = f"of {owner} on the Hub" if owner else f"in {folder or 'models'}"
        trained = f" trained on {chosen}" if chosen else ""
        raise ZooError(f"expected at least two models{trained} {where}, got {len(matching)}; `zoo train` makes one.")
    if public and (private := [model.ref for model in matching if model.private]):
        raise ZooError(f"{private[0]} is private, but the Space would be public; add --private, or name the models.")
    if others:
        say(f"skipped {_first_and_count(others)}, not trained on {chosen}; to include them, name the models.")
    return [f"hf://{model.ref}" if owner else model.ref for model in matching]


def _first_and_count(models: Sequence[Listed]) -> str:
    return models[0].ref if len(models) == 1 else f"{models[0].ref} and {len(models) - 1} more"
