"""Events of the Hub: what they say, and which comparison follows from them."""

import hmac
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from cli.service.errors import ForbiddenError, NotFoundError, ServiceError, UnauthorizedError, UnavailableError
from cli.service.hub.checks import begin_check
from cli.service.questions.ask import ONE_LINE
from cli.service.settings import WEBHOOK_SECRET, Settings
from cli.service.store import watches
from cli.service.store.database import Database
from cli.service.store.records import Watch

Name = Annotated[str, Field(max_length=200, pattern=ONE_LINE)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
MAIN = "refs/heads/main"
# What the Hub sends in place of the commit of a branch that is new.
NO_COMMIT = "0" * 40
# User of the checks of watched owners.
HUB_USER = "the Hub"


class Kind(BaseModel):
    """What happened.

    Args:
        action: `create`, `update`, `delete`, or `move`.
        scope: what it happened to: `repo.content` for a commit.
    """

    action: Name
    scope: Name


class Repository(BaseModel):
    """The repository of an event.

    Args:
        type: `model`, `dataset`, or `space`.
        name: Hub id.
    """

    type: Name
    name: Name


class UpdatedRef(BaseModel):
    """A branch or tag whose commit changed.

    Args:
        ref: full name, such as `refs/heads/main`.
        oldSha: commit before; None if it is new.
        newSha: commit after; None if it was deleted.
    """

    ref: Name
    oldSha: Sha | None = None  # noqa: N815
    newSha: Sha | None = None  # noqa: N815


class Event(BaseModel):
    """An event of the Hub. Fields that are not used here are ignored.

    Source:
        https://huggingface.co/docs/hub/webhooks
    """

    event: Kind
    repo: Repository
    updatedRefs: Annotated[list[UpdatedRef], Field(max_length=1000)] = []  # noqa: N815


@dataclass(frozen=True)
class Received:
    """What the service did with an event.

    Args:
        state: state of the comparison; `ignored` if the event leads to none.
        id: id of the comparison; None if there is none.
        reason: why the event was ignored; None otherwise.
    """

    state: str | Literal["ignored"]
    id: str | None = None
    reason: str | None = None


def check_secret(secret: str | None, settings: Settings) -> None:
    """Check the secret of an event, in a time that does not depend on it.

    Args:
        secret: value of the header `X-Webhook-Secret`; None if it is missing.
        settings: settings of the service.

    Raises:
        ForbiddenError: the operator has not set a secret, so no event is accepted.
        UnauthorizedError: the secret is missing or wrong.
    """
    if settings.webhook_secret is None:
        raise ForbiddenError(f"this server takes no events; its operator has to set {WEBHOOK_SECRET}.")
    if secret is None or not hmac.compare_digest(secret.encode("latin-1"), settings.webhook_secret.encode()):
        raise UnauthorizedError("expected the webhook's secret in X-Webhook-Secret, got another or none.")


def receive(event: Event, settings: Settings, database: Database) -> Received:
    """Compare the new commit of a watched model with the one before.

    An event that is sent twice leads to one comparison.

    Args:
        event: an event whose secret was checked.
        settings: settings of the service.
        database: the database.

    Raises:
        UnavailableError: the database or the Hub does not answer; the event should be sent again.
    """
    watch = _watch(event.repo.name, settings, database) if event.repo.type == "model" else None
    if watch is None:
        return Received("ignored", reason="nobody watches this repository.")
    if (event.event.action, event.event.scope) != ("update", "repo.content"):
        return Received("ignored", reason="only commits are compared.")
    main = next((updated for updated in event.updatedRefs if updated.ref == MAIN), None)
    if main is None or main.newSha in (None, NO_COMMIT):
        return Received("ignored", reason="only commits to the main branch are compared.")
    if main.oldSha in (None, NO_COMMIT, main.newSha):
        return Received("ignored", reason="there is no earlier commit.")
    try:
        job = begin_check(watch, str(main.oldSha), str(main.newSha), settings, database)
    except UnavailableError:
        raise
    except ServiceError as error:
        return Received("ignored", reason=str(error))
    return Received(job.state, job.id)


def _watch(model: str, settings: Settings, database: Database) -> Watch | None:
    """The watch of a model, which is added if its owner is watched; None if nobody watches it."""
    try:
        return watches.find(database, model)
    except NotFoundError:
        if model.split("/")[0] not in settings.watch:
            return None
    watch = Watch(model, settings.watch_dataset, settings.require, HUB_USER)
    watches.add(database, watch)
    return watch
