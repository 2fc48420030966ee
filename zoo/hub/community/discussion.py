"""One discussion per repository in its Community tab, whose first comment is kept up to date."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.hub.client import account, logged_in
from zoo.hub.errors import hub_errors

if TYPE_CHECKING:
    from huggingface_hub import DiscussionComment, HfApi


def write_discussion(repo_id: str, title: str, text: str, number: int | None = None) -> int:
    """Write a text into the first comment of a discussion of a model repository.

    The discussion is opened by the first call. Later calls replace the text, so that a repository never fills with
    comments. A text that is the same as before is not written again.

    Args:
        repo_id: repository `owner/name`.
        title: title of the discussion. One of this title that the user opened is found again.
        text: the text as Markdown.
        number: number of the discussion, if it is known.

    Returns:
        The number of the discussion: another than the given one if that was deleted.

    Raises:
        ZooError: there is no token, or the user may not write to the repository's discussions.

    Example:
        >>> write_discussion("me/resnet14-w1-digits", "Commits", "Same on 98 % of images.")  # doctest: +SKIP
        1
    """
    client = logged_in(repo_id)
    me = account(client, repo_id).name
    with hub_errors(repo_id):
        for known in _numbers(client, repo_id, title, me, number):
            comment = _first_comment(client, repo_id, known, me)
            if comment is not None:
                if comment.content.strip() != text.strip():
                    client.edit_discussion_comment(repo_id, known, comment.id, text)
                return known
        return client.create_discussion(repo_id, title, description=text).num


def _numbers(client: "HfApi", repo_id: str, title: str, author: str, number: int | None) -> Iterator[int]:
    """Numbers of the discussions that may be the right one, the most likely first."""
    if number is not None:
        yield number
    for discussion in client.get_repo_discussions(repo_id, author=author, discussion_type="discussion"):
        if discussion.title == title and discussion.num != number:
            yield discussion.num


def _first_comment(client: "HfApi", repo_id: str, number: int, author: str) -> "DiscussionComment | None":
    """The first comment of a discussion; None if the discussion is gone, or someone else wrote the comment."""
    from huggingface_hub import DiscussionComment
    from huggingface_hub.errors import HfHubHTTPError

    try:
        events = client.get_discussion_details(repo_id, number).events
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code == 404:
            return None
        raise
    first = next((event for event in events if isinstance(event, DiscussionComment)), None)
    return first if first is not None and first.author == author and not first.hidden else None
