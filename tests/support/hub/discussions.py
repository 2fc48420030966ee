"""Responses of the local Hub about discussions; a mixin of the request handler, like `tests.support.hub.api`."""

import json
from dataclasses import dataclass, field
from hashlib import sha1

from tests.support.hub.store import RefusalError, now, stamp


@dataclass
class Comment:
    id: str
    author: str
    text: str
    edits: int = 0
    hidden: bool = False

    def to_json(self):
        latest = {"raw": self.text, "html": self.text, "updatedAt": stamp(now()), "author": {"name": self.author}}
        data = {"edited": self.edits > 0, "hidden": self.hidden, "latest": latest, "history": []}
        return {
            "id": self.id,
            "type": "comment",
            "author": {"name": self.author},
            "createdAt": stamp(now()),
            "data": data,
        }


@dataclass
class Discussion:
    repo_id: str
    number: int
    title: str
    author: str
    status: str = "open"
    comments: list[Comment] = field(default_factory=list)

    def say(self, author, text):
        identity = sha1(f"{self.repo_id}{self.number}{len(self.comments)}".encode()).hexdigest()[:24]
        self.comments.append(Comment(identity, author, text))
        return self.comments[-1]

    def to_json(self):
        return {
            "title": self.title,
            "num": self.number,
            "author": {"name": self.author},
            "createdAt": stamp(now()),
            "status": self.status,
            "repo": {"name": self.repo_id, "type": "model"},
            "isPullRequest": False,
        }


class DiscussionApi:
    def _discussions(self, repo_id, kind):
        self._repo(repo_id, kind)
        return self.hub.discussions.setdefault(repo_id, [])

    def _discussion(self, kind, repo_id, number):
        found = next((one for one in self._discussions(repo_id, kind) if one.number == int(number)), None)
        if found is None:
            raise RefusalError(404, message="Discussion not found")
        return found

    def list_discussions(self, kind, repo_id):
        found = self._discussions(repo_id, kind)
        if author := self._asked("author"):
            found = [one for one in found if one.author == author]
        # Pages of two, so that clients turn pages.
        start = 2 * int(self._asked("p", "0"))
        page = [one.to_json() for one in found[start : start + 2]]
        self._json({"discussions": page, "count": len(found), "start": start})

    def make_discussion(self, kind, repo_id):
        asked, user, found = json.loads(self.body), self._needs_user(), self._discussions(repo_id, kind)
        # Numbers are shared with deleted discussions.
        number = 1 + max((one.number for one in found), default=0)
        found.append(Discussion(repo_id, number, asked["title"], user.name))
        found[-1].say(user.name, asked["description"])
        self._json({"num": number})

    def discussion(self, kind, repo_id, number):
        found = self._discussion(kind, repo_id, number)
        self._json(found.to_json() | {"events": [comment.to_json() for comment in found.comments]})

    def edit_comment(self, kind, repo_id, number, comment):
        found = next(one for one in self._discussion(kind, repo_id, number).comments if one.id == comment)
        if found.author != self._needs_user().name:
            raise RefusalError(403, message="not your comment")
        found.text, found.edits = json.loads(self.body)["content"], found.edits + 1
        self._json({"updatedComment": found.to_json()})
