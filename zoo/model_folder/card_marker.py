"""Parts of a model card, as bytes: text that this program generates, and text of the user below a marker."""

import re

# Placeholder in the examples of a card until the model has a repository.
NO_OWNER = "OWNER/MODEL"
# Separates generated text from text of the user.
MARKER = "<!-- Text below this line is yours: `zoo card` keeps it. -->"
_NAMED = re.compile(rb'"hf-hub:([\w.-]+/[\w.-]+)"')
_LICENSE = re.compile(rb"^license: ([\w.-]+)\r?$", re.MULTILINE)


def own_text(card: bytes) -> bytes | None:
    """Text of the user below the marker, including the line break after it; None if the card has no marker."""
    _, marker, below = card.partition(MARKER.encode())
    return below if marker else None


def named_repo(card: bytes) -> str | None:
    """The repository that the examples of a card name, if any."""
    match = _NAMED.search(card)
    return match[1].decode() if match else None


def named_license(card: bytes) -> str | None:
    """The license in the metadata of a card, if any."""
    match = _LICENSE.search(card)
    return match[1].decode() if match else None


def for_repo(card: bytes, repo_id: str) -> bytes:
    """Change the repository in the examples of a card; a card without marker is returned unchanged.

    Args:
        card: content of the card.
        repo_id: repository `owner/name`.
    """
    generated, marker, user_text = card.partition(MARKER.encode())
    old_repo = named_repo(generated)
    if not marker or old_repo is None:
        return card
    name = rb"(?<![\w./-])" + re.escape(old_repo.encode()) + rb"(?![\w./-])"
    return re.sub(name, repo_id.encode(), generated) + marker + user_text
