from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.service.store.records import Job, Kind, PinnedModel, Priority, State
from cli.service.web.render.words import ago, listed_facts, percentage, time_left, title, took, version, when
from tests.support.service import question
from zoo.hub.catalog import Listed

NOW = datetime(2026, 3, 9, 12, 5, tzinfo=UTC)


def job(state=State.running, progress=0.5, seconds=60, **question_options):
    asked = question(**question_options)
    started = NOW - timedelta(seconds=seconds)
    return Job(
        *(asked.id, asked, state, Priority.interactive, progress, "comparing", None, None, ("me",), 1, started),
        *(started, None),
    )


@pytest.mark.parametrize(
    ("progress", "seconds", "words"),
    [
        (0.5, 4, "a few seconds left"),
        (0.5, 43, "about 40 seconds left"),
        (0.25, 60, "about 3 minutes left"),
        (0.4, 40, "about 60 seconds left"),
        (0.1, 1200, "about 3 hours left"),
        (0.09, 600, ""),
        (0.5, 1, ""),
    ],
)
def test_the_time_left_is_in_proportion_to_what_is_left(progress, seconds, words):
    assert time_left(job(progress=progress, seconds=seconds), NOW) == words


def test_only_running_jobs_have_time_left():
    assert [time_left(job(state), NOW) for state in State] == ["", "about 60 seconds left", "", "", ""]


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "8 Mar 2026"),
    ],
)
def test_ages_are_rounded_down(age, words):
    assert ago(NOW - age, NOW) == words


def test_moments_name_their_time_zone():
    assert when(NOW) == "9 Mar 2026, 12:05 UTC"


def test_a_job_says_how_long_it_took():
    finished = replace(job(State.done, seconds=100), finished=NOW)
    assert took(finished) == "100 seconds"
    assert took(replace(finished, started=NOW - timedelta(minutes=5))) == "about 5 minutes"
    assert took(job()) == ""


def test_nothing_is_done_before_it_is():
    assert percentage(job(progress=0.999)) == "99 %"


def test_a_title_names_two_models_and_counts_more():
    assert title(job(a="me/a", b="me/b\nc")) == "me/a and me/b?c"
    assert title(job(kind=Kind.matrix)) == "2 models"


def test_weights_are_named_by_their_commit_or_by_their_hash():
    assert version(PinnedModel("me/a", "", "0123456789", "abc")) == "commit 0123456"
    assert version(PinnedModel("a", "", None, "abcdefghi")) == "sha256 abcdefg"


def test_facts_that_are_not_known_are_left_out():
    assert listed_facts(Listed("me/a", "hub")) == ()
    known = Listed("a", "folder", "cifar_resnet", 14, 0.5, "digits", "1/4", 0, 0.961, 12_345)
    assert dict(listed_facts(known)) == {
        "Architecture": "cifar_resnet, depth 14, width 0.5",
        "Parameters": "12,345",
        "Trained on": "1/4 of digits",
        "Test accuracy": "96.1 %",
    }
    assert listed_facts(Listed("a", "folder", dataset="digits", subset="1")) == (("Trained on", "digits"),)
