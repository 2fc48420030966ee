"""The section of a model card about a report."""

import re

from cards.words.markdown import plain_markdown

# A file name of this length works on every system.
LONGEST = 80


def slug(title: str) -> str:
    """Name of the report's folder: lower-case letters, digits, and hyphens.

    Args:
        title: title of the report.

    Example:
        >>> slug("shallow compared with deep")
        'shallow-compared-with-deep'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:LONGEST] or "report"


def with_report(card: bytes, title: str, verdict: str) -> bytes:
    """Add the section about a report to a card, or replace the section about a report with the same title.

    All other bytes of the card are unchanged.

    Args:
        card: the card as UTF-8; may be empty.
        title: title of the report.
        verdict: summary of the report.

    Returns:
        The card with the section.
    """
    begin, end = (f"<!-- {word} {slug(title)} -->".encode() for word in ("report", "end of report"))
    section = begin + b"\n" + _section(title, verdict).encode() + end
    before, opened, rest = card.partition(begin)
    _, closed, after = rest.partition(end)
    if opened and closed:
        return before + section + after
    gap = b"" if not card else b"\n" if card.endswith(b"\n") else b"\n\n"
    return card + gap + section + b"\n"


def _section(title: str, verdict: str) -> str:
    place = f"reports/{slug(title)}/report"
    return (
        f"## {plain_markdown(title)}\n\n{plain_markdown(verdict)}\n\n![Picture of the report]({place}.png)\n\n"
        f"[Full report]({place}.html) (download it and open it in a browser), [numbers as JSON]({place}.json).\n"
    )
