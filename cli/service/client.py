"""Ask a service to compare two models: `compare A B --server URL`."""

import os
import time
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cli.cache.results import Image, ResultWithImages
from cli.service.settings import TOKEN
from cli.terminal.analysis_options import PairOptions
from cli.terminal.options import ImageOptions
from zoo.errors import UsageError, ZooError

if TYPE_CHECKING:
    from httpx2 import Client, Response

    from compare.result.comparison import Comparison

# Seconds between two looks at the progress, to wait for an answer, and to wait for a service that restarts.
EVERY, TIMEOUT, PATIENCE = 0.5, 60.0, 60.0
Content = TypeVar("Content")


class _Submitted(msgspec.Struct):
    id: str


class _Job(msgspec.Struct):
    state: str
    progress: float
    phase: str
    error: str | None = None


class _Error(msgspec.Struct):
    error: str


def compared_by_server(
    url: str, a: str, b: str, dataset: str | None, images: ImageOptions, options: PairOptions
) -> "ResultWithImages[Comparison]":
    """Let a service compare two models, and wait for the result. Ctrl-C cancels the comparison there.

    Args:
        url: address of the service, such as `http://127.0.0.1:8000`. The token in `ZOO_SERVE_TOKEN` is sent to it.
        a: Hub id of a model, or its name on the server.
        b: the other model.
        dataset: name of the dataset; None for the one that the first model was trained on.
        images: how the images are used.
        options: how to compare the models.

    Returns:
        The comparison and the images that its reports show, as `cli.compute.pair.compared` returns them.

    Raises:
        ZooError: the service refuses, fails, or does not answer.
    """
    from httpx2 import Client

    from compare.result.comparison import Comparison

    for model in (a, b):
        if "/" in model and Path(model).is_dir():
            raise UsageError(f"{model} is a folder of this machine; --server takes Hub ids, and names on the server.")
    body = {"a": a, "b": b, "dataset": dataset, "options": _set(images) | _set(options)}
    token = os.environ.get(TOKEN)
    with Client(
        base_url=_checked(url), timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"} if token else {}
    ) as client:
        service = _Service(url, client)
        path = f"/api/comparisons/{service.read('POST', '/api/comparisons', _Submitted, body).id}"
        try:
            _wait(service, path)
        except KeyboardInterrupt:
            with suppress(ZooError):
                service.request("DELETE", path)
            raise
        result = Comparison.from_json(service.request("GET", f"{path}/result").text)
        shown = service.read("GET", f"{path}/images", dict[int, Image])
    models = replace(result.models, a=replace(result.models.a, ref=a), b=replace(result.models.b, ref=b))
    return ResultWithImages(replace(result, models=models), shown)


@dataclass(frozen=True)
class _Service:
    """A service that answers with JSON.

    Args:
        url: its address, for messages.
        client: a client of this address.
    """

    url: str
    client: "Client"

    def read(self, method: str, path: str, kind: type[Content], body: object = None) -> Content:
        """Send a request, and read its answer as a type."""
        answer = self.request(method, path, body)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._not_a_service(answer) from error

    def request(self, method: str, path: str, body: object = None) -> "Response":
        """Send a request.

        Raises:
            ZooError: the service does not answer, or refuses, in its own words.
        """
        from httpx2 import HTTPError

        try:
            answer = self.client.request(method, path, json=body)
        except HTTPError as error:
            raise _UnreachableError(
                f"no answer from {self.url} ({type(error).__name__}); check the address, and whether `zoo serve` runs."
            ) from error
        if answer.is_success:
            return answer
        if answer.status_code == HTTPStatus.UNAUTHORIZED and not os.environ.get(TOKEN):
            raise ZooError(f"{self.url} needs a token; set {TOKEN} to it.")
        try:
            message = msgspec.json.decode(answer.content, type=_Error).error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._not_a_service(answer) from error
        raise (_UnreachableError if answer.status_code == 503 else ZooError)(message)

    def _not_a_service(self, answer: "Response") -> ZooError:
        return ZooError(f"{self.url} is not the address of `zoo serve` (status {answer.status_code}); check it.")


class _UnreachableError(ZooError):
    """The service does not answer now, but may do so later."""


def _wait(service: _Service, path: str) -> None:
    """Wait until a comparison is done, with a progress bar.

    Raises:
        ZooError: it failed, was cancelled, or the service stopped.
    """
    from cli.terminal.progress import progress_bar

    with progress_bar() as progress:
        task = progress.add_task("waiting", total=1.0, facts="")
        while (job := _look(service, path)).state in ("queued", "running"):
            progress.update(task, description=job.phase or job.state, completed=job.progress)
            time.sleep(EVERY)
    if job.state != "done":
        raise ZooError(job.error or f"the comparison was {job.state} on the server.")


def _look(service: _Service, path: str) -> _Job:
    """Read how far a comparison is, with patience for a service that restarts."""
    start = time.monotonic()
    while True:
        try:
            return service.read("GET", path, _Job)
        except _UnreachableError:
            if time.monotonic() - start > PATIENCE:
                raise
            time.sleep(EVERY)


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--server takes an address such as http://127.0.0.1:8000, got {url!r}.")
    return url


def _set(options: Any) -> dict[str, Any]:
    """The options that differ from their defaults."""
    return {
        field.name: value
        for field in fields(options)
        if (value := getattr(options, field.name))
        != (field.default if field.default_factory is MISSING else field.default_factory())
    }
