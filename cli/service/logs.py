"""Logs of the service on stderr: one line of JSON per event; on a terminal, one for people per job and per problem."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any

from cards.words.legible import LONGEST_TEXT, printable
from zoo.errors import one_line

logger = logging.getLogger("cli.service")


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log an event.

    Args:
        event: what happened, such as `request`.
        level: level of the logging module.
        fields: facts about it, for JSON.
    """
    logger.log(level, event, extra={"fields": fields})


def log_job(job_id: str, names: str, state: str, worker: str, seconds: float, error: str | None) -> None:
    """Log that a job has ended.

    Args:
        job_id: its id.
        names: what it compares, for people.
        state: how it ended.
        worker: the worker that computed it.
        seconds: how long it took.
        error: why it failed; None otherwise.
    """
    fields = {"id": job_id, "state": state, "worker": worker, "seconds": round(seconds, 3), "error": error}
    reason = f": {error}" if error else ""
    readable = f"{names} {state} after {seconds:.1f} s{reason} (/comparisons/{job_id})"
    logger.info("job", extra={"fields": fields, "readable": readable})


def log_config(secrets: Iterable[str]) -> dict[str, Any]:
    """Configuration of the logging module, for `log_config` of uvicorn, whose own messages get the same form.

    Args:
        secrets: texts that never appear in a log, such as tokens.
    """
    lines = {"()": ReadableLines if sys.stderr.isatty() else JsonLines, "secrets": tuple(secrets)}
    filters = [is_for_people] if sys.stderr.isatty() else []
    to_stderr = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": filters}},
        # The observer logs requests, with more than uvicorn knows of them.
        "loggers": {logger.name: to_stderr, "uvicorn": to_stderr, "uvicorn.access": {"level": "CRITICAL"}},
    }


def is_for_people(record: logging.LogRecord) -> bool:
    """Whether a record is shown on a terminal: jobs and problems are, requests would be too many."""
    return hasattr(record, "readable") or record.levelno >= logging.WARNING


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: `time` in UTC, `level`, `event`, and the fields of the event.

    Args:
        secrets: texts that become `***`.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        # As they stand within a JSON text.
        self._secrets = [json.dumps(secret)[1:-1] for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        } | _facts(record)
        text = json.dumps(line, default=str)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class ReadableLines(logging.Formatter):
    """Formats a record as one line for people, such as `12:05:31 a and b done after 4.2 s (/comparisons/ID)`.

    Args:
        secrets: texts that become `***`.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """One line: the local time, and what happened."""
        problem = ", ".join([record.getMessage(), *(f"{name} {value}" for name, value in _facts(record).items())])
        text = getattr(record, "readable", f"{record.levelname.capitalize()}: {problem}")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        time = datetime.fromtimestamp(record.created)
        return f"{time:%H:%M:%S} {printable(text, LONGEST_TEXT)}"


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "fields", {})
    if record.exc_info and isinstance(error := record.exc_info[1], Exception):
        facts = facts | {"error": f"{type(error).__name__}: {one_line(error)}", "where": _places(error)}
    return facts


def _places(error: Exception) -> list[str]:
    """Where an error was raised, from the outermost call to the innermost, without folders of this machine."""
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
