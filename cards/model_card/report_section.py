"""The section of a model card that tells of a report."""

import re

from cards.words.markdown import plain_markdown

# So long a slug is still a file name on every system.
LONGEST = 80


def slug(title: str) -> str:
    """A name for the report's folder: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:LONGEST] or "report"


def with_report(card: bytes, title: str, verdict: str) -> bytes:
    """A card with a section on a report, at its end or in the place of the one it has on a report of this title.

    Everything else stays as it is, to the byte.

    Args:
        card: UTF-8; may be empty.
        title: of the report.
        verdict: what it found, in words.
    """
    begin, end = (f"<!-- {word} {slug(title)} -->".encode() for word in ("report", "end of report"))
    section = begin + b"\n" + _section(title, verdict).encode() + end
    before, found, rest = card.partition(begin)
    _, closed, after = rest.partition(end)
    if found and closed:
        return before + section + after
    gap = b"" if not card else b"\n" if card.endswith(b"\n") else b"\n\n"
    return card + gap + section + b"\n"


def _section(title: str, verdict: str) -> str:
    place = f"reports/{slug(title)}/report"
    return (
        f"## {plain_markdown(title)}\n\n{plain_markdown(verdict)}\n\n![Its picture]({place}.png)\n\n"
        f"[The whole report]({place}.html), a page to download and open, and [its numbers]({place}.json).\n"
    )
