"""Events of the Hub lead to comparisons of commits, whose verdicts are posted in the Community tab."""

from dataclasses import replace
from hashlib import sha1

import pytest
from pydantic import ValidationError

from cli.service.errors import ForbiddenError, UnauthorizedError, UnavailableError
from cli.service.hub.checks import TITLE, comment, report_check
from cli.service.hub.events import NO_COMMIT, Event, check_secret, receive
from cli.service.settings import Limits, Settings
from cli.service.store import history, queue, watches
from cli.service.store.records import Answer, Job, Kind, PinnedModel, Priority, Question, State, Watch
from tests.support.samples import comparison

MODEL = "me/net"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "data/cache"))
    return Settings(tmp_path / "data", report_to_hub=True, webhook_secret="open sesame")


@pytest.fixture
def database_url(settings):
    return settings.database_url


@pytest.fixture
def commits(hub, model_folder):
    """Two commits of a model, the second with other weights."""
    files = [
        {path.name: path.read_bytes() for path in model_folder(depth).iterdir() if path.is_file()} for depth in (8, 14)
    ]
    return tuple(hub.seed(MODEL, each) for each in files)


@pytest.fixture
def watch(database):
    watch = Watch(MODEL, "digits", ("agreement>=0.99", "agreement >= 0.1"), "ann")
    watches.add(database, watch)
    return watch


def event(hub, *commits, **changes):
    return Event.model_validate(hub.event(MODEL, *commits, **changes))


def test_commit_of_a_watched_model_is_compared_with_the_one_before(hub, settings, database, commits, watch):
    received = receive(event(hub, *commits), settings, database)
    job = history.find(database, received.id)
    assert (received.state, job.priority, job.users) == (State.queued, Priority.batch, ("ann",))
    assert [model.commit for model in job.question.models] == list(commits)
    assert [model.name for model in job.question.models] == [f"{MODEL}@{commit[:7]}" for commit in commits]
    assert watches.find(database, MODEL).commit == commits[1]
    # Metadata is enough.
    assert not hub.asked(r"\.safetensors", "GET")


def test_event_that_comes_twice_leads_to_one_comparison(hub, settings, database, commits, watch):
    first, again = (receive(event(hub, *commits), settings, database) for _ in range(2))
    assert first == again
    assert sum(history.counts(database).values()) == 1


def test_an_old_event_that_comes_again_does_not_take_the_place_of_a_later_one(hub, settings, database, commits, watch):
    old = event(hub, *commits)
    receive(old, settings, database)
    latest = hub.seed(MODEL, {"notes.txt": "x"})
    receive(event(hub, commits[1], latest), settings, database)
    receive(old, settings, database)
    assert watches.find(database, MODEL).commit == latest


def test_models_of_a_watched_owner_are_watched_from_their_first_commit_on(hub, settings, database, commits):
    settings = replace(settings, watch=("me",), watch_dataset="digits", require=("agreement>=0.5",))
    assert receive(event(hub, *commits), settings, database).state == State.queued
    assert watches.find(database, MODEL).require == ("agreement>=0.5",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"branch": "dev"}, "main branch"),
        ({"scope": "discussion"}, "only commits"),
        ({"action": "delete", "scope": "repo"}, "only commits"),
        ({"kind": "dataset"}, "nobody watches"),
    ],
)
def test_other_events_are_ignored_with_a_reason(hub, settings, database, commits, watch, changes, reason):
    received = receive(event(hub, *commits, **changes), settings, database)
    assert received.state == "ignored" and reason in received.reason


def test_first_commit_and_deleted_branch_are_ignored(hub, settings, database, commits, watch):
    for before, after in ((NO_COMMIT, commits[0]), (None, commits[0]), (commits[0], NO_COMMIT), (commits[0], None)):
        assert receive(event(hub, before, after), settings, database).state == "ignored"


def test_unwatched_model_is_ignored(hub, settings, database, commits):
    assert receive(event(hub, *commits), settings, database).reason == "nobody watches this repository."


def test_commit_without_weights_is_ignored_with_a_reason(hub, settings, database, commits, watch):
    hub.seed("me/empty", {".gitattributes": ""})
    watches.add(database, Watch("me/empty", "digits", (), "ann"))
    before = hub.commits("me/empty")[0].oid
    after = hub.seed("me/empty", {"notes.txt": "x"})
    received = receive(Event.model_validate(hub.event("me/empty", before, after)), settings, database)
    assert received.state == "ignored" and "expected weights" in received.reason


def test_deleted_repository_is_ignored_with_a_reason(hub, settings, database, commits, watch):
    del hub.repos["model", MODEL]
    received = receive(event(hub, *commits), settings, database)
    assert received.state == "ignored" and MODEL in received.reason


def test_event_while_the_hub_is_down_has_to_come_again(hub, settings, database, commits, watch):
    hub.fault("GET", "/api/models", 503, times=None)
    with pytest.raises(UnavailableError):
        receive(event(hub, *commits), settings, database)
    assert sum(history.counts(database).values()) == 0


def test_secret_has_to_be_the_right_one(settings):
    check_secret("open sesame", settings)
    for secret in (None, "", "open", "öpen sesame", "open sesame "):
        with pytest.raises(UnauthorizedError):
            check_secret(secret, settings)
    with pytest.raises(ForbiddenError, match="ZOO_SERVE_WEBHOOK_SECRET"):
        check_secret("open sesame", replace(settings, webhook_secret=None))


@pytest.mark.parametrize(
    "damage",
    [
        {"event": None},
        {"repo": {"type": "model"}},
        {"repo": {"type": "model", "name": "x" * 300}},
        {"repo": {"type": "model", "name": "me/\x00"}},
        {"updatedRefs": [{"ref": "refs/heads/main", "newSha": "HEAD; rm"}]},
        {"updatedRefs": [{"ref": "a"}] * 1001},
    ],
)
def test_malformed_event_is_refused(hub, commits, damage):
    with pytest.raises(ValidationError):
        Event.model_validate(hub.event(MODEL, *commits) | damage)


def question(commits):
    models = tuple(
        PinnedModel(f"{MODEL}@{commit[:7]}", f"hf://{MODEL}@{commit}", commit, "0" * 64) for commit in commits
    )
    return Question(Kind.comparison, models, "digits", "digits", {}, sha1("".join(commits).encode()).hexdigest())


@pytest.fixture
def finished(database, settings, watch):
    """A function that computes a check: its two commits, and whether it fails."""

    def finish(before, after, error=None) -> Job:
        watches.advance(database, MODEL, after, watches.find(database, MODEL).discussion)
        job, _ = queue.submit(database, question((before, after)), "ann", Priority.batch, Limits())
        queue.claim(database, "worker")
        if error:
            queue.fail(database, job.id, "worker", error)
        else:
            settings.report(job.id).mkdir(parents=True)
            (settings.report(job.id) / "result.json").write_text(comparison().to_json())
            verdict = "Same predictions on *most* images."
            queue.finish(database, job.id, "worker", Answer(verdict, 0.5, (0.9, 0.8), 1))
        return history.find(database, job.id)

    return finish


def posted(hub):
    return [(one.title, [each.text for each in one.comments]) for one in hub.discussions.get(MODEL, [])]


def test_verdict_is_posted_once_and_replaced_by_the_next_one(hub, settings, database, commits, finished):
    report_check(finished(*commits), settings, database)
    third = hub.seed(MODEL, {"notes.txt": "x"})
    report_check(finished(commits[1], third), settings, database)
    ((title, (text,)),) = posted(hub)
    assert title == TITLE
    assert f"`{commits[1][:7]}` → `{third[:7]}` on digits" in text
    assert r"Same predictions on \*most\* images." in text
    assert watches.find(database, MODEL).discussion == 1


def test_conditions_are_passed_or_failed(hub, settings, commits, watch, finished):
    settings = replace(settings, url="https://me-service.hf.space")
    job = finished(*commits)
    text = comment(job, watch, settings)
    agreement = comparison().disagreement.agreement
    assert 0.1 <= agreement < 0.99
    assert "| agreement&gt;=0.99 | **failed**: agreement is " in text
    assert "| agreement &gt;= 0.1 | passed |" in text
    assert f"[Full report](https://me-service.hf.space/comparisons/{job.id})" in text


def test_failed_comparison_is_posted_with_its_reason(hub, settings, database, commits, finished):
    report_check(finished(*commits, error="the images are | gone"), settings, database)
    assert "The commits were not compared: the images are &#124; gone" in posted(hub)[0][1][0]


def test_older_comparison_does_not_replace_a_newer_one(hub, settings, database, commits, finished):
    job = finished(*commits)
    watches.advance(database, MODEL, "f" * 40, None)
    report_check(job, settings, database)
    assert posted(hub) == []


def test_nothing_is_posted_unless_the_operator_allows_it(hub, settings, database, commits, finished):
    report_check(finished(*commits), replace(settings, report_to_hub=False), database)
    assert posted(hub) == []


def test_comparisons_of_different_models_are_not_posted(hub, settings, database, commits, finished):
    job = finished(*commits)
    other = replace(job.question.models[0], name="you/other")
    job = replace(job, question=replace(job.question, models=(other, job.question.models[1])))
    report_check(job, settings, database)
    assert posted(hub) == []
