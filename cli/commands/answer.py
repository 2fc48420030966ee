"""`zoo answer FILE`: compute the answer to a question of the service in another process."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.output import interruptible


def answer(file: Annotated[Path, typer.Argument(metavar="FILE", help="Job file.")]) -> None:
    """Compute the answer to a question of the service in another process."""
    from cli.service.work.answer import answer as answer_job

    with interruptible("nothing was written"):
        answer_job(file)
