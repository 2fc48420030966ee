"""Render the templates of the pages. All text is escaped."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import cards.page
from cards.words.legible import percent, printable
from cli.service.store.records import Kind, State
from cli.service.web.render.words import KINDS, STATES, ago, time_left, title, took, version, when

# Files that browsers load besides the pages, with their types.
STATIC = {"service.css": "text/css", "service.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def static_file(name: str) -> bytes:
    """Contents of a file of `STATIC`. The styles begin with those of reports.

    Args:
        name: one of the names in `STATIC`.
    """
    content = files(__package__).joinpath("static", name).read_bytes()
    if name.endswith(".css"):
        return files(cards.page).joinpath("templates", "page.css").read_bytes() + content
    return content


def html(template: str, **values: Any) -> str:
    """Render a template.

    Args:
        template: name of the file.
        values: what the template names.
    """
    text: str = _templates().get_template(template).render(**values)
    return text


@cache
def _address(name: str) -> str:
    """Address of a static file, which changes with its contents, so that browsers may cache it for good."""
    return f"/static/{name}?v={hashlib.sha256(static_file(name)).hexdigest()[:12]}"


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"ago": ago, "percent": percent, "printable": printable, "time_left": time_left}
    templates.filters |= {"title_of": title, "took": took, "version": version, "when": when}
    templates.globals |= {"STATES": STATES, "KINDS": KINDS, "State": State, "Kind": Kind, "static": _address}
    return templates
