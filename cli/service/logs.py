"""Logs of the service: one JSON line per event on stderr."""

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any

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


def log_config(secrets: Iterable[str]) -> dict[str, Any]:
    """Configuration of the logging module, for `log_config` of uvicorn, whose own messages become JSON lines too.

    Args:
        secrets: texts that never appear in a log, such as tokens.
    """
    json_lines = {"()": JsonLines, "secrets": tuple(secrets)}
    to_stderr = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": json_lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        # The observer logs requests, with more than uvicorn knows of them.
        "loggers": {logger.name: to_stderr, "uvicorn": to_stderr, "uvicorn.access": {"level": "CRITICAL"}},
    }


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
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        } | getattr(record, "fields", {})
        if record.exc_info and (isinstance(error := record.exc_info[1], Exception)):
            line |= {"error": f"{type(error).__name__}: {one_line(error)}", "where": _places(error)}
        text = json.dumps(line, default=str)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _places(error: Exception) -> list[str]:
    """Where an error was raised, from the outermost call to the innermost, without folders of this machine."""
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
