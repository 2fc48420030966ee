import pytest

from cli.service.errors import NotFoundError, ServiceError
from cli.service.settings import Limits
from cli.service.store import history, queue
from cli.service.store.history import Search, Sort
from cli.service.store.records import Answer, Kind, Priority, State
from tests.support.service import question

pytestmark = pytest.mark.slow


@pytest.fixture
def answered(database):
    """Asks a question, answers it with an agreement, and gives its id."""

    def answered(asked, agreement=0.9, accuracies=(0.8, 0.7), size=100):
        job, _ = queue.submit(database, asked, "me", Priority.batch, Limits(queued=1000, queued_per_user=1000))
        assert queue.claim(database, "w").id == job.id
        queue.finish(database, job.id, "w", Answer("v", agreement, accuracies, size))
        return job.id

    return answered


def submitted(database, *asked):
    return [queue.submit(database, one, "me", Priority.batch, Limits())[0].id for one in asked]


def ids(database, **search):
    return [job.id for job in history.search(database, Search(**search)).jobs]


def test_words_are_searched_in_names_dataset_and_id_in_either_case(database):
    first, second = submitted(
        database, question("Me/ResNet_14", "me/b", "digits"), question("me/resnet-14", "you/c", "mnist5k")
    )
    assert ids(database, q="RESNET") == [second, first]
    assert ids(database, q="resnet digits") == [first]
    assert ids(database, q="you/c mnist") == [second]
    assert ids(database, q=first[:12]) == [first]
    assert ids(database, q="digits you") == []


def test_signs_with_a_meaning_in_sql_stand_for_themselves(database):
    first, _ = submitted(database, question("me/resnet_14%"), question("me/resnet-14x"))
    assert ids(database, q="t_1") == ids(database, q="14%") == [first]
    for strange in ("'", "\\", "\x00", "\ud800", "'; DROP TABLE jobs; --", "%"):
        assert ids(database, q=strange) == ([first] if strange == "%" else [])
        assert ids(database, model=strange) == []
        with pytest.raises(NotFoundError):
            history.find(database, strange)


def test_state_kind_and_model_narrow_a_search(database, answered):
    done = answered(question("me/a@v1"))
    matrix, queued = submitted(database, question("me/aa", kind=Kind.matrix), question("me/a"))
    assert ids(database, state=State.done) == [done]
    assert ids(database, kind=Kind.matrix) == [matrix]
    assert ids(database, model="me/a") == ids(database, model="me/a@main") == [queued, done]
    assert ids(database, model="me/b", state=State.queued) == [queued, matrix]
    assert [job.id for job in history.of_model(database, "me/a", 1)] == [queued]


@pytest.mark.parametrize("sort", Sort)
def test_pages_hold_every_job_once_in_order(database, answered, sort):
    agreements = {answered(question(f"m{number}"), agreement): agreement for number, agreement in enumerate(
        [0.5, None, 0.9, 0.5, 0.7, None, 0.5])}  # fmt: skip
    submitted(database, *(question(f"q{number}") for number in range(3)))
    jobs, cursor = [], None
    while cursor is not None or not jobs:
        page = history.search(database, Search(sort=sort, limit=2, cursor=cursor))
        assert page.total == 10
        jobs += page.jobs
        cursor = page.next_cursor
    assert len({job.id for job in jobs}) == len(jobs) == 10
    if sort is Sort.agreement:
        values = [agreements.get(job.id) for job in jobs]
    else:
        values = [getattr(job, sort) for job in jobs]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=True) + [None] * (10 - len(known))


def test_pages_stay_whole_while_jobs_are_added(database):
    first = submitted(database, *(question(f"m{number}") for number in range(4)))
    page = history.search(database, Search(limit=2))
    submitted(database, question("new"))
    rest = history.search(database, Search(limit=2, cursor=page.next_cursor))
    assert [job.id for job in (*page.jobs, *rest.jobs)] == first[::-1]
    assert rest.next_cursor is None


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "bnVsbA==", "WzEsMl0=", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwiMDEyMzQ1Njc4OWFiY2RlZiJd"]
)
@pytest.mark.parametrize("sort", Sort)
def test_a_malformed_cursor_is_refused(database, cursor, sort):
    with pytest.raises(ServiceError, match="expected a cursor from an earlier answer"):
        history.search(database, Search(cursor=cursor, sort=sort))


def test_the_trend_of_a_model_has_each_version_once(database, answered):
    commits = [question(a).models[0] for a in ("me/a@v1", "me/a@v2")]
    answered(question("me/a@v1"), accuracies=(0.5, 0.7))
    answered(question("me/a@v1", "me/c"), accuracies=(0.5, 0.6))
    answered(question("me/a@v2"), accuracies=(0.6, 0.7))
    answered(question("me/d", "me/a@v2", "mnist5k"), accuracies=(None, 0.9))
    submitted(database, question("me/a@v3"))
    points = history.trend(database, "me/a")
    assert [(point.sha256, point.accuracy, point.dataset) for point in points] == [
        (commits[0].sha256, 0.5, "digits"),
        (commits[1].sha256, 0.6, "digits"),
        (commits[1].sha256, 0.9, "mnist5k"),
    ]
    assert points[0].created == min(job.created for job in history.of_model(database, "me/a", 9))
    assert history.trend(database, "me/d") == ()


def test_jobs_are_counted_by_state(database, answered):
    answered(question("a"))
    submitted(database, question("b"), question("c"))
    queue.claim(database, "w")
    assert history.counts(database) == {
        State.queued: 1,
        State.running: 1,
        State.done: 1,
        State.failed: 0,
        State.cancelled: 0,
    }


def test_the_oldest_reports_go_first_until_the_others_fit(database, answered):
    first, second, third = (answered(question(name), size=100) for name in "abc")
    assert history.oldest_reports(database, 300) == ()
    assert history.oldest_reports(database, 299) == (first,)
    assert history.oldest_reports(database, 100) == (first, second)
    history.forget_report(database, first)
    assert history.oldest_reports(database, 200) == ()
    assert history.oldest_reports(database, 0) == (second, third)
