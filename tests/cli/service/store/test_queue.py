import pytest

from cli.service.errors import ConflictError, ForbiddenError, NotFoundError, TooManyError
from cli.service.settings import Limits
from cli.service.store import history, queue
from cli.service.store.records import Answer, Priority, State
from tests.support.service import question

pytestmark = pytest.mark.slow

ANSWER = Answer("They differ.", 0.9, (0.8, None), 100)
LIMITS = Limits()


def submit(database, asked=None, user="me", priority=Priority.interactive, limits=LIMITS):
    return queue.submit(database, asked or question(), user, priority, limits)


def test_a_question_goes_through_the_queue(database):
    asked = question("me/a@v1", options={"measures": ["cka", "knn"], "permutations": 10})
    job, new = submit(database, asked)
    assert (job.id, job.question, job.state, job.users, new) == (asked.id, asked, State.queued, ("me",), True)
    running = queue.claim(database, "w")
    assert (running.id, running.state, running.attempts) == (job.id, State.running, 1)
    assert queue.renew(database, job.id, "w", 0.5, "comparing")
    assert (history.find(database, job.id).progress, history.find(database, job.id).phase) == (0.5, "comparing")
    assert queue.finish(database, job.id, "w", ANSWER)
    done = history.find(database, job.id)
    assert (done.state, done.answer, done.progress, done.question) == (State.done, ANSWER, 1, asked)
    assert job.created <= done.started <= done.finished
    assert done.created.tzinfo is not None
    assert queue.claim(database, "w") is None


def test_the_same_question_runs_once_for_all_users(database):
    first, _ = submit(database, priority=Priority.batch)
    second, new = submit(database, user="you")
    assert (second.id, new, second.users, second.priority) == (first.id, False, ("me", "you"), Priority.interactive)
    queue.claim(database, "w")
    assert submit(database, user="they")[1] is False
    queue.finish(database, first.id, "w", ANSWER)
    done, new = submit(database, user="late")
    assert (done.state, new) == (State.done, False)
    assert queue.claim(database, "w") is None


def test_interactive_questions_go_before_batch_and_then_the_oldest(database):
    order = []
    for name, priority in (("a", Priority.batch), ("b", Priority.interactive), ("c", Priority.interactive)):
        submit(database, question(name), priority=priority)
    while job := queue.claim(database, "w"):
        order.append(job.question.models[0].name)
    assert order == ["b", "c", "a"]


def test_two_names_of_one_question_do_not_run_at_the_same_time(database):
    submit(database, question("me/a@main", key="same"))
    submit(database, question("me/a@v1", key="same"))
    first = queue.claim(database, "w")
    assert queue.claim(database, "x") is None
    queue.finish(database, first.id, "w", ANSWER)
    assert queue.claim(database, "x").id != first.id


def test_a_job_of_a_dead_worker_is_taken_over_twice_and_then_fails(database):
    job, _ = submit(database)
    for attempt in (1, 2, 3):
        assert queue.claim(database, f"w{attempt}", lease=0).attempts == attempt
    assert queue.claim(database, "w4") is None
    failed = history.find(database, job.id)
    assert (failed.state, failed.error) == (State.failed, "its worker died 3 times")


def test_a_worker_that_lost_its_job_changes_nothing(database):
    job, _ = submit(database)
    queue.claim(database, "slow", lease=0)
    queue.claim(database, "fast")
    assert not queue.renew(database, job.id, "slow", 0.9, "late")
    assert not queue.finish(database, job.id, "slow", ANSWER)
    assert not queue.fail(database, job.id, "slow", "late")
    queue.release(database, job.id, "slow")
    assert history.find(database, job.id).state == State.running
    assert queue.finish(database, job.id, "fast", ANSWER)
    assert not queue.finish(database, job.id, "slow", ANSWER)


def test_a_worker_that_renews_in_time_keeps_its_job(database):
    job, _ = submit(database)
    queue.claim(database, "w", lease=0)
    assert queue.renew(database, job.id, "w", 0.1, "", lease=60)
    assert queue.claim(database, "x") is None


def test_reporting_the_same_end_twice_is_the_same_as_once(database):
    job, _ = submit(database)
    queue.claim(database, "w")
    assert queue.finish(database, job.id, "w", ANSWER)
    before = history.find(database, job.id)
    assert queue.finish(database, job.id, "w", Answer("other", None, (None, None), 1))
    assert not queue.fail(database, job.id, "w", "no")
    assert not queue.renew(database, job.id, "w", 0.1, "")
    assert history.find(database, job.id) == before


def test_a_released_job_is_queued_as_before(database):
    job, _ = submit(database)
    queue.claim(database, "w")
    queue.renew(database, job.id, "w", 0.5, "comparing")
    queue.release(database, job.id, "w")
    assert history.find(database, job.id) == job
    assert queue.claim(database, "w").attempts == 1


@pytest.mark.parametrize("end", ["failed", "cancelled", "removed"])
def test_what_has_no_answer_is_queued_again_under_its_id(database, end):
    job, _ = submit(database)
    queue.claim(database, "w")
    if end == "failed":
        queue.fail(database, job.id, "w", "out of memory")
        assert history.find(database, job.id).error == "out of memory"
    elif end == "cancelled":
        queue.cancel(database, job.id, "me")
    else:
        queue.finish(database, job.id, "w", ANSWER)
        history.forget_report(database, job.id)
        assert history.find(database, job.id).answer == Answer("They differ.", 0.9, (0.8, None), 0)
    again, new = submit(database, user="you")
    assert (again.id, again.created, new) == (job.id, job.created, True)
    assert (again.state, again.attempts, again.error, again.answer) == (State.queued, 0, None, None)
    assert again.users == ("me", "you")
    assert queue.claim(database, "w").attempts == 1


def test_a_job_is_cancelled_when_nobody_waits_for_it_any_more(database):
    job, _ = submit(database)
    submit(database, user="you")
    queue.claim(database, "w")
    assert queue.cancel(database, job.id, "me").state == State.running
    assert queue.cancel(database, job.id, "me").state == State.running
    assert queue.cancel(database, job.id, "you").state == State.cancelled
    assert not queue.renew(database, job.id, "w", 0.5, "")
    assert not queue.finish(database, job.id, "w", ANSWER)
    assert queue.claim(database, "w") is None


def test_only_those_who_asked_can_cancel_and_only_what_has_not_ended(database):
    job, _ = submit(database)
    with pytest.raises(ForbiddenError, match="only those who asked"):
        queue.cancel(database, job.id, "you")
    with pytest.raises(NotFoundError, match="there is no comparison '0'"):
        queue.cancel(database, "0", "me")
    queue.claim(database, "w")
    queue.finish(database, job.id, "w", ANSWER)
    with pytest.raises(ConflictError, match="this one is done"):
        queue.cancel(database, job.id, "me")


def test_what_failed_or_was_cancelled_can_be_retried(database):
    job, _ = submit(database)
    with pytest.raises(ConflictError, match="this one is queued"):
        queue.retry(database, job.id, "me", LIMITS)
    queue.cancel(database, job.id, "me")
    again = queue.retry(database, job.id, "you", LIMITS)
    assert (again.state, again.question) == (State.queued, job.question)
    with pytest.raises(ForbiddenError):
        queue.cancel(database, job.id, "they")
    assert queue.cancel(database, job.id, "you").state == State.cancelled


def test_each_user_and_all_together_have_a_limit(database):
    limits = Limits(queued=3, queued_per_user=2)
    first, _ = submit(database, question("a"), limits=limits)
    submit(database, question("b"), limits=limits)
    with pytest.raises(TooManyError, match="at most 2 queued comparisons per user") as refused:
        submit(database, question("c"), limits=limits)
    assert refused.value.retry_after > 0
    assert submit(database, question("b"), limits=limits)[1] is False
    submit(database, question("c"), "you", limits=limits)
    with pytest.raises(TooManyError, match="the queue is full"):
        submit(database, question("d"), "they", limits=limits)
    assert history.search(database, history.Search()).total == 3
    queue.cancel(database, first.id, "me")
    assert submit(database, question("d"), "they", limits=limits)[1] is True
    with pytest.raises(TooManyError, match="the queue is full"):
        queue.retry(database, first.id, "me", limits)
