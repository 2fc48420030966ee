"""Text from elsewhere in Markdown."""

import re
from html import escape


def plain_markdown(text: str) -> str:
    """Text on one line, without effect as HTML, as Markdown or in its tables."""
    text = "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))
    return re.sub(r"([\\`*_\[\]!~])", r"\\\1", escape(text)).replace("|", "&#124;")
