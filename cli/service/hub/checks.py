"""Checks of watched models: two commits are compared, and the verdict is posted where the model is."""

from dataclasses import replace

from cards.words.markdown import plain_markdown
from cli.service.errors import NotFoundError
from cli.service.questions.ask import AskComparison
from cli.service.questions.resolve import resolve
from cli.service.settings import Settings
from cli.service.store import queue, watches
from cli.service.store.database import Database
from cli.service.store.records import Job, Priority, State, Watch

TITLE = "Comparison of the last two commits"
# Hexadecimal digits of a commit that are shown.
SHORT = 7


def begin_check(watch: Watch, before: str, after: str, settings: Settings, database: Database) -> Job:
    """Queue the comparison of two commits of a watched model.

    Args:
        watch: the watched model.
        before: hash of the earlier commit.
        after: hash of the later commit.
        settings: settings of the service.
        database: the database.

    Raises:
        ServiceError: a commit cannot be compared, such as the first one, which has no weights.
        UnavailableError: the database or the Hub does not answer.
    """
    asked = AskComparison(a=f"{watch.model}@{before}", b=f"{watch.model}@{after}", dataset=watch.dataset)
    question = resolve(asked, settings)
    models = tuple(replace(model, name=f"{watch.model}@{str(model.commit)[:SHORT]}") for model in question.models)
    job, is_new = queue.submit(database, replace(question, models=models), watch.user, Priority.batch, settings.limits)
    # An old event that comes again must not take the place of later ones.
    if is_new or watch.commit in (None, before):
        watches.advance(database, watch.model, after, watch.discussion)
    return job


def report_check(job: Job, settings: Settings, database: Database) -> None:
    """Post the outcome of a comparison in the Community tab, if it is the last one of a watched model.

    Args:
        job: a comparison that is done or has failed.
        settings: settings of the service.
        database: the database.

    Raises:
        ZooError: the Hub does not accept the comment.
    """
    from zoo.hub.community.discussion import write_discussion

    watch = _watch_of(job, database) if settings.report_to_hub else None
    if watch is None or job.state not in (State.done, State.failed):
        return
    number = write_discussion(watch.model, TITLE, comment(job, watch, settings), watch.discussion)
    watches.advance(database, watch.model, str(watch.commit), number)


def _watch_of(job: Job, database: Database) -> Watch | None:
    """The watch whose last check is this job; None if there is none, or a later commit was pushed."""
    names = {model.name.partition("@")[0] for model in job.question.models}
    if len(names) != 1:
        return None
    try:
        watch = watches.find(database, names.pop())
    except NotFoundError:
        return None
    return watch if watch.commit == job.question.models[-1].commit else None


def comment(job: Job, watch: Watch, settings: Settings) -> str:
    """The comment about a check, as Markdown.

    Args:
        job: a comparison that is done or has failed.
        watch: the watched model.
        settings: settings of the service.
    """
    before, after = (str(model.commit)[:SHORT] for model in job.question.models)
    lines = [f"`{before}` → `{after}` on {plain_markdown(job.question.dataset)}"]
    if job.answer is None:
        lines.append(f"The commits were not compared: {plain_markdown(str(job.error))}")
    else:
        lines.append(plain_markdown(job.answer.verdict))
        lines += _conditions(job, watch, settings)
    if settings.url:
        lines.append(f"[Full report]({settings.url}/comparisons/{job.id})")
    lines.append("*Posted by resnet-zoo, which replaces this text after every commit to the main branch.*")
    return "\n\n".join(lines)


def _conditions(job: Job, watch: Watch, settings: Settings) -> list[str]:
    """A table of the conditions, if there are any."""
    if not watch.require:
        return []
    from cli.report.requirement import parse_requirement
    from compare.result.comparison import Comparison

    result = Comparison.from_json((settings.report(job.id) / "result.json").read_text(encoding="utf-8"))
    failures = {text: parse_requirement(text).failure(result) for text in watch.require}
    rows = [f"| {plain_markdown(text)} | {_outcome(failure)} |" for text, failure in failures.items()]
    return ["\n".join(["| condition | |", "|---|---|", *rows])]


def _outcome(failure: str | None) -> str:
    return "passed" if failure is None else f"**failed**: {plain_markdown(failure)}"
