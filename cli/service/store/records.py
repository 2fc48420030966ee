"""What the store takes and returns: frozen values that do not need an open database."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """The state of a job."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended. It may still be queued again."""
        return self in (State.done, State.failed, State.cancelled)


class Kind(StrEnum):
    """What a job computes."""

    comparison = "comparison"
    matrix = "matrix"


class Priority(IntEnum):
    """Which jobs go first."""

    interactive = 0
    batch = 1


@dataclass(frozen=True)
class PinnedModel:
    """A model of a question, at one commit.

    Args:
        name: how people name it: a Hub id `owner/name`, with `@revision` if one was given, or a name below `--models`.
        ref: the reference that a worker opens: `hf://owner/name@COMMIT`, or a path. Never shown.
        commit: commit on the Hub; None for a local model.
        sha256: hash of the weights.
    """

    name: str
    ref: str
    commit: str | None
    sha256: str


@dataclass(frozen=True)
class Question:
    """What a job answers. Two equal questions are one job.

    Args:
        kind: comparison of two models, or matrix of several.
        models: the models, in order.
        dataset: how people name the dataset.
        dataset_ref: what a worker opens. Never shown.
        options: all options that were set, by the names of the command line with underscores.
        key: key of the result in the cache, see `cli.cache.results.cache_key`.
    """

    kind: Kind
    models: tuple[PinnedModel, ...]
    dataset: str
    dataset_ref: str
    options: Mapping[str, Any]
    key: str

    @property
    def id(self) -> str:
        """16 hexadecimal digits: the same for the same question, on every server."""
        names = [self.kind, [model.name for model in self.models], self.dataset, self.key]
        return hashlib.sha256(msgspec.json.encode(names)).hexdigest()[:16]


@dataclass(frozen=True)
class Answer:
    """What is known of a finished job without opening its files.

    Args:
        verdict: a few sentences, from `cli.report.kinds.ResultKind.verdict`.
        agreement: fraction of images on which two models predict the same; None if unknown.
        accuracies: accuracy of each model, in the order of the question; None where unknown.
        size: bytes of the stored files.
    """

    verdict: str
    agreement: float | None
    accuracies: tuple[float | None, ...]
    size: int


@dataclass(frozen=True)
class Job:
    """A question and what became of it.

    Args:
        id: see `Question.id`.
        question: the question.
        state: its state.
        priority: interactive jobs run before batch jobs.
        progress: fraction done, from 0 to 1.
        phase: what the worker does, such as `comparing`; empty before it starts.
        error: one line on why it failed; None otherwise.
        answer: what is known of the result; None before it is done.
        users: names of the users who wait for it, or waited.
        attempts: how often a worker began it.
        created: when it was first asked, in UTC.
        started: when a worker last began it.
        finished: when it ended.
    """

    id: str
    question: Question
    state: State
    priority: Priority
    progress: float
    phase: str
    error: str | None
    answer: Answer | None
    users: tuple[str, ...]
    attempts: int
    created: datetime
    started: datetime | None
    finished: datetime | None


@dataclass(frozen=True)
class Watch:
    """A model on the Hub that is compared with its earlier commit on every push.

    Args:
        model: Hub id.
        dataset: dataset to compare on; None for the one that it was trained on.
        require: conditions, such as `agreement>=0.98`.
        user: who watches it.
        commit: the commit that was compared last, or that it had when the watch began.
        discussion: number of the discussion in the Community tab; None before the first report.
    """

    model: str
    dataset: str | None
    require: tuple[str, ...]
    user: str
    commit: str | None = None
    discussion: int | None = None
