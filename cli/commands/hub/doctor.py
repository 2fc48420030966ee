"""`zoo doctor`: check the installation."""

from typing import TYPE_CHECKING

from cli.inputs.installation import Finding, check_installation
from cli.terminal.output import plain, plain_table, show, show_lines

if TYPE_CHECKING:
    from rich.table import Table


def doctor() -> None:
    """Check the installation.

    Reports versions, device, Hub login, and cache, with advice for each problem.

    Example: zoo doctor
    """
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("checking the installation") if console.is_terminal else console:
        findings = list(check_installation())
    show_lines(_table(findings))
    problems = sum(bool(finding.advice) for finding in findings)
    show(f"\n{problems} {'problem' if problems == 1 else 'problems'} found." if problems else "\nNo problems found.")


def _table(findings: list[Finding]) -> "Table":
    from rich.text import Text

    table = plain_table("", ("", "", ""), ())
    table.show_header = False
    table.columns[1].overflow = "fold"
    for finding in findings:
        mark = Text("!" if finding.advice else "", style="bold red")
        table.add_row(plain(finding.subject), plain(finding.state), mark + Text(" ") + plain(finding.advice))
    return table
