"""Names with control codes reach no terminal and no page as they are."""

import re
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from cards.results.show import as_html, as_page, as_text
from cli.report.kinds import ReportOptions, kind_of
from cli.terminal.output import show_path
from tests.support.strange_names import KINDS, STRANGE, with_strange_names

pytestmark = pytest.mark.slow

CODES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# The library that draws charts has some in its own code.
LIBRARY = re.compile(r"<script>.{100000,}?</script>", re.DOTALL)


@pytest.mark.parametrize("kind", KINDS)
def test_reports_and_pages_hold_no_control_codes(kind):
    result = with_strange_names(KINDS[kind]())
    result = replace(result, notes=(STRANGE,), dataset=replace(result.dataset, name=STRANGE))
    console = Console(width=80, color_system=None)
    with console.capture() as shown:
        console.print(kind_of(result).report(result, ReportOptions(full=True)))
    page = LIBRARY.sub("", as_page(result).decode())
    for text in (shown.get(), as_text(result), as_html(result), page):
        assert "?[31m" in text
        assert not CODES.search(text)


def test_paths_are_exact_for_scripts_and_clean_on_terminals(tmp_path, capsys, monkeypatch):
    show_path(tmp_path / "\x1b[31m")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_path(tmp_path / "\x1b[31m")
    assert capsys.readouterr().out == f"{tmp_path}/\x1b[31m\n{tmp_path}/?[31m\n"
