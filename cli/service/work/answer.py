"""Compute the answer to a question, by the same functions as the commands, and write its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.inputs.prepare import look_up, prepare
from cli.inputs.request import Request
from cli.service.questions.options import image_options, similarity_options
from cli.service.store.records import Answer, PinnedModel, Question
from cli.service.work.job_file import JobFile
from cli.service.work.progress import WRITING, reporting
from cli.terminal.analysis_options import PairOptions
from cli.terminal.output import phase
from zoo.base.files import replace_folder
from zoo.data.sources import identity
from zoo.errors import ZooError

if TYPE_CHECKING:
    from cli.cache.results import Image
    from compare.result.comparison import Comparison
    from compare.result.matrix import ModelMatrix
    from zoo.hub.find import FoundModel

# The files of an answer. The last one is `cli.service.store.records.Answer`.
RESULT, PAGE, PICTURE, IMAGES, SUMMARY = "result.json", "page.html", "picture.png", "images.json", "answer.json"
# How much of the processor other processes get first: answers to people who read are more urgent.
NICENESS = 5


@dataclass(frozen=True)
class Answered:
    """A result, and the images that its page shows by their index."""

    result: "Comparison | ModelMatrix"
    images: "Mapping[int, Image]"


def answer(path: Path) -> None:
    """Compute the answer to the question of a job file, and write its files.

    Args:
        path: the job file. The process ends when the file is removed.

    Raises:
        ZooError: the models do not fit the images, or have changed; or the files cannot be written.
    """
    job = JobFile.read(path)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ["ZOO_CACHE"] = str(job.cache)
    if not job.allow_private:
        os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    with reporting(path, job.question.options.get("baseline") != "none"):
        answered = compute(job.question)
        with phase(WRITING):
            _write(answered, job.report)


def compute(question: Question) -> Answered:
    """Compute the answer to a question, or take it from the cache.

    Raises:
        ZooError: the models do not fit the images, or have changed.
    """
    from cli.compute.matrix import related
    from cli.compute.pair import compared
    from cli.jobs.engine import Engine

    options = similarity_options(question.kind, question.options)
    request = _request(question, options.layers)
    if isinstance(options, PairOptions):
        computed = compared(request, options)
        return Answered(_with_dataset(computed.result, question), computed.images)
    return Answered(_with_dataset(related(request, options, Engine()), question), {})


def _request(question: Question, layers: str | None) -> Request:
    """The models of a question under the names that people gave them, and the images."""
    refs = [model.ref for model in question.models]
    found, dataset = look_up(refs, question.dataset_ref)
    models = tuple(map(_named, found, question.models))
    images = image_options(question.options)
    return Request(
        models,
        dataset,
        identity(dataset, images.split),
        images,
        lambda: prepare(models, dataset, images, layers or "all"),
    )


def _named(found: "FoundModel", model: PinnedModel) -> "FoundModel":
    if found.sha256 != model.sha256:
        raise ZooError(f"{model.name} has changed since this comparison was started; compare again.")
    return replace(found, ref=model.name, name=model.name)


def _with_dataset(result: "Comparison | ModelMatrix", question: Question) -> "Comparison | ModelMatrix":
    """The result with the name that people know its dataset by, if that was registered for a folder."""
    if question.dataset == question.dataset_ref:
        return result
    return replace(result, dataset=replace(result.dataset, name=question.dataset))


def _write(answered: Answered, folder: Path) -> None:
    """Write all files of an answer at once."""
    try:
        with replace_folder(folder, lambda out: None) as temporary:
            summary = _write_files(answered, temporary)
            (temporary / SUMMARY).write_bytes(msgspec.json.encode(summary))
    except (OSError, ZooError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        reason = cause.strerror if isinstance(cause, OSError) else error
        raise ZooError(
            f"the server cannot store the result ({reason}); its operator has to free some space."
        ) from error


def _write_files(answered: Answered, folder: Path) -> Answer:
    """Write the result, the page, the picture, and the images, and summarize them."""
    from cli.report.kinds import ReportOptions, kind_of

    result, options = answered.result, ReportOptions(images=answered.images)
    kind = kind_of(result)
    (folder / RESULT).write_text(f"{result.to_json()}\n", encoding="utf-8")
    (folder / PAGE).write_bytes(kind.page(result, options))
    (folder / PICTURE).write_bytes(kind.picture(result, "png", options))
    (folder / IMAGES).write_bytes(msgspec.json.encode(answered.images))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Answer(kind.verdict(result), _agreement(result), _accuracies(result), size)


def _agreement(result: "Comparison | ModelMatrix") -> float | None:
    disagreement = getattr(result, "disagreement", None)
    return disagreement.agreement if disagreement else None


def _accuracies(result: "Comparison | ModelMatrix") -> tuple[float | None, ...]:
    models = result.models if isinstance(result.models, tuple) else (result.models.a, result.models.b)
    return tuple(model.accuracy for model in models)
