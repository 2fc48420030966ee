"""One discussion per repository, whose first comment is replaced."""

import pytest

from tests.support.hub.discussions import Discussion
from zoo.errors import ZooError
from zoo.hub.community.discussion import write_discussion

TITLE = "Comparison of commits"


@pytest.fixture
def repo(hub):
    hub.seed("me/net", {"config.json": "{}"})
    return "me/net"


def texts(hub, repo):
    return [(one.number, one.title, [comment.text for comment in one.comments]) for one in hub.discussions[repo]]


def test_later_texts_replace_the_first_comment(hub, repo):
    number = write_discussion(repo, TITLE, "first")
    assert write_discussion(repo, TITLE, "second", number) == number
    assert texts(hub, repo) == [(number, TITLE, ["second"])]


def test_discussion_is_found_by_its_title_among_several_pages(hub, repo):
    for number in range(1, 5):
        hub.discussions.setdefault(repo, []).append(Discussion(repo, number, f"topic {number}", "me"))
        hub.discussions[repo][-1].say("me", "hello")
    number = write_discussion(repo, TITLE, "first")
    assert write_discussion(repo, TITLE, "second") == number == 5
    assert len(hub.discussions[repo]) == 5


def test_unchanged_text_is_not_written_again(hub, repo):
    number = write_discussion(repo, TITLE, "same\n")
    write_discussion(repo, TITLE, "same", number)
    assert not hub.asked("/edit", "POST")


def test_deleted_discussion_is_opened_again(hub, repo):
    number = write_discussion(repo, TITLE, "first")
    hub.discussions[repo].clear()
    assert write_discussion(repo, TITLE, "second", number + 7) == 1
    assert texts(hub, repo) == [(1, TITLE, ["second"])]


def test_discussions_of_others_stay_as_they_are(hub, repo):
    hub.discussions[repo] = [Discussion(repo, 1, TITLE, "somebody")]
    hub.discussions[repo][0].say("somebody", "mine")
    assert write_discussion(repo, TITLE, "ours", 1) == 2
    assert hub.discussions[repo][0].comments[0].text == "mine"


def test_hidden_comment_is_not_edited(hub, repo):
    number = write_discussion(repo, TITLE, "first")
    hub.discussions[repo][0].comments[0].hidden = True
    assert write_discussion(repo, TITLE, "second", number) == number + 1


@pytest.mark.parametrize(
    ("repo_id", "expected"),
    [("me/none", "not on "), ("resnet", "expected a repository as OWNER/NAME"), ("a/b/c", "invalid name")],
)
def test_unknown_repository_is_one_line(hub, repo_id, expected):
    with pytest.raises(ZooError, match=expected):
        write_discussion(repo_id, TITLE, "text")


def test_server_error_is_one_line(hub, repo):
    hub.fault("POST", "/discussions", 403, times=None, message="discussions are disabled")
    with pytest.raises(ZooError, match="discussions are disabled"):
        write_discussion(repo, TITLE, "text")
