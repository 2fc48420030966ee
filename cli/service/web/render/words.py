"""Words of the pages about jobs and times."""

from datetime import UTC, datetime
from math import floor

from cards.words.legible import percent, printable
from cli.service.store.history import MeasuredAccuracy
from cli.service.store.records import Job, Kind, PinnedModel, State
from zoo.hub.catalog import Listed

STATES = {
    State.queued: "Waiting",
    State.running: "Running",
    State.done: "Done",
    State.failed: "Failed",
    State.cancelled: "Cancelled",
}
KINDS = {Kind.comparison: "Two models", Kind.matrix: "Several models"}
MINUTE, HOUR, DAY = 60, 3600, 86400
# An estimate from less says little: the first tenth is loading.
LEAST_PROGRESS, LEAST_SECONDS = 0.1, 2
SHORT_COMMIT = 7


def title(job: Job) -> str:
    """What a job compares, in a few words, such as `resnet14 and resnet74`."""
    names = [printable(model.name) for model in job.question.models]
    return f"{names[0]} and {names[1]}" if job.question.kind == Kind.comparison else f"{len(names)} models"


def version(model: PinnedModel | MeasuredAccuracy) -> str:
    """What identifies the weights of a model: the start of its commit, or of the hash of a local file."""
    return f"commit {model.commit[:SHORT_COMMIT]}" if model.commit else f"sha256 {model.sha256[:SHORT_COMMIT]}"


def listed_facts(model: Listed) -> tuple[tuple[str, str], ...]:
    """What a catalog says of a model, as pairs of a label and a text."""
    size = [
        f"{name} {value:g}" for name, value in (("depth", model.depth), ("width", model.width)) if value is not None
    ]
    facts = (
        ("Architecture", ", ".join([*([model.architecture] if model.architecture else []), *size])),
        ("Parameters", "" if model.parameters is None else f"{model.parameters:,}"),
        ("Trained on", " ".join(filter(None, [_share(model.subset), model.dataset]))),
        ("Test accuracy", "" if model.accuracy is None else f"{percent(model.accuracy)} %"),
        ("Updated", "" if model.updated is None else when(datetime.fromisoformat(model.updated))),
    )
    return tuple(fact for fact in facts if fact[1])


def when(moment: datetime) -> str:
    """A moment, such as `28 Nov 2026, 12:05 UTC`."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago a moment was, such as `5 minutes ago`; its date if it was more than a day ago.

    Args:
        moment: in UTC.
        now: the present; None for the clock's.
    """
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < MINUTE:
        return "just now"
    if seconds < DAY:
        size, unit = (MINUTE, "minute") if seconds < HOUR else (HOUR, "hour")
        return f"{_counted(int(seconds // size), unit)} ago"
    return f"{moment.day} {moment:%b %Y}"


def time_left(job: Job, now: datetime | None = None) -> str:
    """Estimate from the progress so far, such as `about 2 minutes left`; empty while it is too early to say.

    Args:
        job: the job.
        now: the present; None for the clock's.
    """
    if job.state != State.running or job.started is None or job.progress < LEAST_PROGRESS:
        return ""
    elapsed = ((now or datetime.now(UTC)) - job.started).total_seconds()
    if elapsed < LEAST_SECONDS:
        return ""
    return f"{_rough(elapsed * (1 - job.progress) / job.progress)} left"


def percentage(job: Job) -> str:
    """The progress of a job, rounded down, so that 100 % means done."""
    return f"{floor(100 * job.progress)} %"


def took(job: Job) -> str:
    """How long the last run took, such as `42 seconds`; empty if it has not ended."""
    if job.started is None or job.finished is None:
        return ""
    seconds = (job.finished - job.started).total_seconds()
    return _counted(max(1, round(seconds)), "second") if seconds < 2 * MINUTE else _rough(seconds)


def _share(subset: str | None) -> str:
    """Which part of the images a model was trained on; empty for all."""
    return f"{subset} of" if subset not in (None, "1") else ""


def _rough(seconds: float) -> str:
    if seconds < 10:
        return "a few seconds"
    if seconds < 1.5 * MINUTE:
        return f"about {round(seconds, -1):.0f} seconds"
    size, unit = (MINUTE, "minute") if seconds < 1.5 * HOUR else (HOUR, "hour")
    return f"about {_counted(round(seconds / size), unit)}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
