"""Escape untrusted text for Markdown."""

import re
from html import escape


def plain_markdown(text: str) -> str:
    """An untrusted text on one line, escaped for HTML, for Markdown, and for Markdown tables.

    Args:
        text: the untrusted text.
    """
    text = "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))
    return re.sub(r"([\\`*_\[\]!~])", r"\\\1", escape(text)).replace("|", "&#124;")
