"""Collections of models on the Hub."""

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.errors import UsageError, ZooError
from zoo.hub.client import logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef, parse_ref

# Limit of the Hub.
MAX_TITLE = 60


@dataclass(frozen=True)
class Collected:
    """Result of adding models to a collection.

    Args:
        url: URL of the collection.
        models: number of models.
        new: number of models that were not in the collection before.
    """

    url: str
    models: int
    new: int


def collect(owner: str, title: str, refs: Sequence[str], *, private: bool = False) -> Collected:
    """Add models to a collection; the collection is created if it does not exist.

    Args:
        owner: user or organisation that owns the collection.
        title: title of the collection, such as `ResNets on digits`.
        refs: Hub ids of the models.
        private: create a new collection as private.

    Returns:
        URL of the collection, and the number of new models.

    Raises:
        ZooError: a model is not on the Hub (checked before anything is created), or the user may not write to the
            collection.
    """
    if not 1 <= len(title) <= MAX_TITLE:
        raise UsageError(f"expected a title of 1 to {MAX_TITLE} characters, got {len(title)}; choose another.")
    ids = list(dict.fromkeys(map(_hub_id, refs)))
    client = logged_in(f"{owner}/collection", what=owner)
    for repo_id in ids:
        with hub_errors(repo_id):
            client.model_info(repo_id)
    with hub_errors(f"{owner}/{title}"):
        collection = client.create_collection(title, namespace=owner, private=private, exists_ok=True)
        before = {item.item_id for item in collection.items}
        for repo_id in ids:
            client.add_collection_item(collection.slug, repo_id, "model", exists_ok=True)
    return Collected(collection.url, len(ids), len(set(ids) - before))


def _hub_id(ref: str) -> str:
    place = parse_ref(ref)
    if isinstance(place, HubRef) and place.revision is not None:
        raise ZooError(f"expected a model without revision, such as {place.repo_id}, got {ref}; drop the revision.")
    if not isinstance(place, HubRef):
        raise ZooError(
            f"expected models on the Hub, got the folder {ref}; publish it with `zoo push {ref} OWNER/NAME`."
        )
    return place.repo_id
