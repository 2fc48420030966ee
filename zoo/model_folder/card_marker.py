"""The text of a model card: what this program wrote, and below a marker what a person did. Bytes, to the last one."""

import re

# Stands in a card for the owner, until the model has a repository.
NO_OWNER = "OWNER/MODEL"
# Stands in a card above what a person wrote.
MARKER = "<!-- Text below this line is yours: `zoo card` keeps it. -->"
_NAMED = re.compile(rb'"hf-hub:([\w.-]+/[\w.-]+)"')
_LICENSE = re.compile(rb"^license: ([\w.-]+)\r?$", re.MULTILINE)


def own_text(card: bytes) -> bytes | None:
    """What a person wrote below the marker, line break after it included; None if the card has no marker."""
    _, marker, below = card.partition(MARKER.encode())
    return below if marker else None


def named_repo(card: bytes) -> str | None:
    """The repository that the examples of a card name, if any."""
    found = _NAMED.search(card)
    return found[1].decode() if found else None


def named_license(card: bytes) -> str | None:
    """The licence in a card's metadata, if any."""
    found = _LICENSE.search(card)
    return found[1].decode() if found else None


def for_repo(card: bytes, repo_id: str) -> bytes:
    """The card with examples that name this repository; a card that this program did not write stays as it is.

    Args:
        card: names another repository, or none.
        repo_id: `owner/name`.
    """
    ours, marker, theirs = card.partition(MARKER.encode())
    before = named_repo(ours)
    if not marker or before is None:
        return card
    name = rb"(?<![\w./-])" + re.escape(before.encode()) + rb"(?![\w./-])"
    return re.sub(name, repo_id.encode(), ours) + marker + theirs
