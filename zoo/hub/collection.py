"""Collections on the Hub: a grid of models, browsable where its users already look."""

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.hub.client import logged_in
from zoo.hub.errors import hub_errors
from zoo.hub.ref import HubRef, parse_ref

# The Hub's own limit.
MAX_TITLE = 60


@dataclass(frozen=True)
class Collected:
    """What became of a collection.

    Args:
        url: its address.
        models: how many were to be in it.
        new: how many of them were not.
    """

    url: str
    models: int
    new: int


def collect(owner: str, title: str, refs: Sequence[str], *, private: bool = False) -> Collected:
    """Put models into a collection, which is made if its owner has none of this title; models already in it stay.

    Args:
        owner: a user or organisation that this user may write to.
        title: of the collection, such as `ResNets on digits`.
        refs: Hub ids.
        private: whether a new collection is for its owner's eyes alone.

    Returns:
        Where it is, and what is new in it.

    Raises:
        ZooError: a model is not on the Hub, which is found out before anything is made, or this user may not do that.
    """
    if not 1 <= len(title) <= MAX_TITLE:
        raise ZooError(f"expected a title of 1 to {MAX_TITLE} characters, got {len(title)}; choose another.")
    ids = list(dict.fromkeys(map(_hub_id, refs)))
    client = logged_in(f"{owner}/collection", what=owner)
    for repo_id in ids:
        with hub_errors(repo_id):
            client.model_info(repo_id)
    with hub_errors(f"{owner}/{title}"):
        made = client.create_collection(title, namespace=owner, private=private, exists_ok=True)
        held = {item.item_id for item in made.items}
        for repo_id in ids:
            client.add_collection_item(made.slug, repo_id, "model", exists_ok=True)
    return Collected(made.url, len(ids), len(set(ids) - held))


def _hub_id(ref: str) -> str:
    place = parse_ref(ref)
    if isinstance(place, HubRef) and place.revision is not None:
        raise ZooError(f"a collection holds models, not revisions: write {place.repo_id}, got {ref}.")
    if not isinstance(place, HubRef):
        raise ZooError(
            f"expected models on the Hub, got the folder {ref}; publish it with `zoo push {ref} OWNER/NAME`."
        )
    return place.repo_id
