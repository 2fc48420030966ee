"""`zoo serve`: the comparison service."""

import os
import signal
from importlib.util import find_spec
from typing import Annotated

import typer

from cli.service.options import ContentOptions, LimitOptions, WatchOptions, WebOptions, WorkOptions
from cli.service.settings import TOKEN, WEBHOOK_SECRET, Settings
from cli.terminal import options
from cli.terminal.command_options import expand_options
from cli.terminal.output import interruptible, say, show_commit
from zoo.errors import UsageError, ZooError

PACKAGES = ("alembic", "fastapi", "prometheus_client", "sqlalchemy", "uvicorn")


@expand_options
def serve(
    *,
    web: WebOptions,
    content: ContentOptions,
    work: WorkOptions,
    watching: WatchOptions,
    limits: LimitOptions,
    push_space: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME", help="Publish the service as a Docker Space, and do not start it.", show_default=False
        ),
    ] = None,
    private: options.Private = False,
    verbosity: options.Verbosity,
) -> None:
    """Start a service for comparing models: pages and a REST API.

    Ctrl-C stops it. Comparisons that are not done go on at the next start.

    Example: zoo serve --models models --workers 2
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ZooError(f"zoo serve needs {', '.join(missing)}; run: pip install 'resnet-zoo[serve]'")
    if push_space is not None:
        _push(push_space, private)
        return
    if private:
        raise UsageError("--private needs --push-space OWNER/NAME.")
    _serve(_settings(web, content, work, watching, limits), watching)


def _settings(
    web: WebOptions, content: ContentOptions, work: WorkOptions, watching: WatchOptions, limits: LimitOptions
) -> Settings:
    from cli.service.server import check_host, read_tokens

    tokens = read_tokens(web.token_file, os.environ.get(TOKEN))
    check_host(web.host, tokens)
    return Settings(
        data=work.folder,
        database=work.database,
        models=content.models,
        datasets=content.datasets,
        host=web.host,
        port=web.port,
        url=web.address,
        workers=work.workers,
        ray=work.ray,
        job_timeout=work.job_timeout,
        tokens=tokens,
        allow_private=web.allow_private,
        watch=tuple(watching.watch),
        watch_dataset=watching.watch_dataset,
        report_to_hub=watching.report_to_hub,
        require=tuple(watching.require),
        webhook_secret=os.environ.get(WEBHOOK_SECRET) or None,
        limits=limits.limits,
    )


def _serve(settings: Settings, watching: WatchOptions) -> None:
    from cli.service.server import serve as serve_until_stopped

    watching.check(settings)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve_until_stopped(settings)
    except KeyboardInterrupt:
        say("Stopped. Comparisons that are not done go on at the next start.")
    finally:
        signal.signal(signal.SIGTERM, before)


def _push(repo_id: str, private: bool) -> None:
    from cli.service.hub.space import push_service

    with interruptible("the upload may be incomplete. Push again"):
        pushed = push_service(repo_id, private=private)
    show_commit(pushed.url, pushed.commit, pushed.changed)
