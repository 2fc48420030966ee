"""Turn a request into a question: models and dataset at fixed commits, and the key of the result in the cache."""

from dataclasses import replace

from cli.cache.results import cache_key
from cli.compute.matrix import check_several
from cli.compute.plan import plan_of
from cli.inputs.prepare import training_dataset
from cli.service.errors import UnusableError
from cli.service.questions.ask import AskComparison, AskMatrix
from cli.service.questions.datasets import bounded, find_dataset
from cli.service.questions.failures import service_errors
from cli.service.questions.models import find_model
from cli.service.questions.options import image_options, similarity_options
from cli.service.settings import Settings
from cli.service.store.records import Kind, Question
from zoo.data.sources import identity


def resolve(ask: AskComparison | AskMatrix, settings: Settings) -> Question:
    """Find the models and the dataset of a request. Reads the Hub's metadata, and downloads no weights.

    Args:
        ask: the request.
        settings: settings of the service.

    Returns:
        The question. Its key is that of `compare` or `zoo matrix` with the same models and options, so a result that
        the command line computed with the same cache folder answers it.

    Raises:
        ServiceError: a model or dataset does not exist, may not be compared here, or is too large; or an option is out
            of range.
        UnavailableError: the Hub does not answer.
    """
    values = ask.options.model_dump(exclude_unset=True)
    kind = Kind.comparison if isinstance(ask, AskComparison) else Kind.matrix
    with service_errors("options"):
        options = similarity_options(kind, values)
        plan_of(options)
    _check_number(ask, settings.limits.matrix_models)
    models = tuple(find_model(name, settings) for name in ask.names)
    images = image_options(values)
    with service_errors("dataset"):
        data = find_dataset(ask.dataset or training_dataset(models), images.split, settings)
    images = replace(images, max_examples=bounded(images, data, settings.limits.images))
    if images.max_examples is not None:
        values["max_examples"] = images.max_examples
    with service_errors(data.name):
        command = "compare" if kind == Kind.comparison else "matrix"
        key = cache_key(command, models, identity(data.ref, images.split), images, options)
    return Question(kind, tuple(model.pinned for model in models), data.name, data.ref, values, key)


def cached(question: Question, settings: Settings) -> bool:
    """Whether the cache holds the result of a question, so that a worker answers it without computing anything."""
    return (settings.cache / "results" / f"{question.key}.json").is_file()


def _check_number(ask: AskComparison | AskMatrix, most: int) -> None:
    """Check the number of models of a matrix.

    Raises:
        UnusableError: there are too many.
        ServiceError: there are too few, or one is repeated.
    """
    if isinstance(ask, AskMatrix):
        with service_errors("models"):
            check_several(ask.names)
        if len(ask.names) > most:
            raise UnusableError(f"expected at most {most} models on this server, got {len(ask.names)}.")
