"""Metrics in Prometheus' format, and the log line of every request."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cli.service.errors import UnavailableError
from cli.service.logs import log, logger
from cli.service.store.database import Database
from cli.service.store.history import counts
from cli.service.web.errors import INTERNAL, answer

METHODS = ("GET", "HEAD", "POST", "DELETE")
# Upper ends of the bins of answer times, in seconds.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
LONGEST_PATH, LONGEST_ADDRESS = 200, 50


class Metrics:
    """What a service counts.

    Args:
        database: its jobs are counted when the metrics are read.
    """

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter("zoo_requests", "Answered requests.", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram(
            "zoo_request_seconds", "Time to answer requests.", labels, buckets=SECONDS, registry=self.registry
        )
        self.registry.register(_Jobs(database))
        ProcessCollector(registry=self.registry)

    def count(self, request: Request, status: int, seconds: float) -> None:
        """Count a request. All unknown paths and methods count as one, so that nobody can fill the memory."""
        method = request.method if request.method in METHODS else "other"
        route = getattr(request.scope.get("route"), "path", "other")
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True)
class _Jobs(Collector):
    """Jobs by state, and whether the database answers."""

    database: Database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count the jobs of the database."""
        jobs = GaugeMetricFamily("zoo_jobs", "Jobs by state.", labels=["state"])
        try:
            states = counts(self.database)
        except UnavailableError:
            states = None
        yield GaugeMetricFamily("zoo_database_up", "Whether the database answers.", value=states is not None)
        for state, number in (states or {}).items():
            jobs.add_metric([state], number)
        yield jobs

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing, so that the database is not read before the first request."""
        return []


@dataclass(frozen=True)
class Observer:
    """ASGI middleware that logs and counts every request, and answers those that a bug ends.

    Args:
        app: the app behind it.
        metrics: counts the requests.
    """

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, started, status = Request(scope), time.perf_counter(), 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            logger.exception("bug", extra={"fields": {"path": scope["path"][:LONGEST_PATH]}})
            # An answer that has begun cannot become another.
            if not status:
                await answer(request, 500, INTERNAL)(scope, receive, watch)
        finally:
            self._record(request, status, time.perf_counter() - started)

    def _record(self, request: Request, status: int, seconds: float) -> None:
        self.metrics.count(request, status, seconds)
        log(
            "request",
            logging.WARNING if status >= 500 else logging.INFO,
            method=request.method[:20],
            path=request.scope["path"][:LONGEST_PATH],
            status=status,
            seconds=round(seconds, 4),
            user=request.scope.get("state", {}).get("user", ""),
            address=request.client.host[:LONGEST_ADDRESS] if request.client else None,
        )
