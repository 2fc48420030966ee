"""`zoo answer FILE`: compute the answer to a question of the service in another process."""

from pathlib import Path
from typing import Annotated

import typer


def answer(file: Annotated[Path, typer.Argument(metavar="FILE", help="Job file.")]) -> None:
    """Compute the answer to a question of the service in another process.

    SIGTERM ends it at once: files are written in one step, at the end.
    """
    from cli.service.work.answer import answer as answer_job

    answer_job(file)
