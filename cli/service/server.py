"""The server: a web server and its workers, until somebody stops it."""

import errno
import os
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from cli.service.logs import log_config
from cli.service.settings import TOKEN, Settings
from cli.service.store.database import open_database
from cli.service.web.app import create_app
from cli.service.web.security.connection import LONGEST_HEADERS, Connection
from cli.service.web.security.guard import is_loopback
from cli.service.work.supervisor import supervised
from cli.terminal.output import say
from zoo.base.files import writing
from zoo.errors import UsageError, ZooError

# The user of a token without a name.
NAMELESS = "user"
# Seconds for requests to end when the server is stopped. Pages that watch a comparison would wait longer.
PATIENCE = 1
# Files that the server may have open: every connection is one, and shells allow 1,024 or fewer.
OPEN_FILES = 4096


def serve(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM. Jobs that are not done then go on at the next start.

    Prints the address of the server on stdout.

    Raises:
        ZooError: the address is taken, the data folder cannot be written, or the database cannot be opened.
        KeyboardInterrupt: the server was stopped.
    """
    import uvicorn

    _allow_open_files()
    os.environ["ZOO_CACHE"] = str(settings.cache.absolute())
    with _listen(settings.host, settings.port) as listener:
        with writing(settings.data, "another --data"):
            database = open_database(settings.database_url)
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = uvicorn.Config(
            create_app(settings, database),
            log_config=log_config(tuple(filter(None, (*settings.tokens, settings.webhook_secret)))),
            http=Connection,
            h11_max_incomplete_event_size=LONGEST_HEADERS,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        # The first question would wait for it.
        threading.Thread(target=_import_torch, daemon=True).start()
        with supervised(settings):
            print(_url(settings.host, listener), flush=True)
            if not settings.models.is_dir():
                say(f"There is no folder {settings.models}, so only models on the Hub can be compared.")
            if sys.stderr.isatty():
                say("Open this address in a browser. Ctrl-C stops the service.")
            uvicorn.Server(config).run(sockets=[listener])


def read_tokens(file: Path | None, token: str | None) -> Mapping[str, str]:
    """The tokens that let people in.

    Args:
        file: file with a token in each line, after the name of its user if there are several users; None for no file.
            Lines that begin with `#` are comments.
        token: a further token, of the environment; None or empty for none.

    Returns:
        User names by token.

    Raises:
        ZooError: the file cannot be read, has no token, or a token has other characters than those of a header.
    """
    tokens = {token: NAMELESS} if token else {}
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ZooError(f"cannot read the tokens in {file} ({error}); choose another --token-file.") from error
        lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if not lines or any(len(words) > 2 for words in lines):
            raise ZooError(f"expected a token in each line of {file}, or a user and a token; correct --token-file.")
        tokens |= {words[-1]: words[0] if len(words) == 2 else NAMELESS for words in lines}
    if not all(text.isascii() and text.isprintable() and " " not in text for text in tokens):
        raise ZooError("expected tokens of ASCII letters, digits, and punctuation; choose other tokens.")
    return tokens


def check_host(host: str, tokens: Mapping[str, str]) -> None:
    """Check that a server that other machines can reach has a token.

    Raises:
        UsageError: it has none.
    """
    if not tokens and not is_loopback(host):
        raise UsageError(
            f"--host {host} lets other machines in, which needs a token; set {TOKEN}, or write one to a file "
            "and name it with --token-file."
        )


def _allow_open_files() -> None:
    """Raise the limit on open files as far as the system lets a user do that."""
    if sys.platform == "win32":
        return
    import resource

    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if highest == resource.RLIM_INFINITY else min(OPEN_FILES, highest)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))


def _import_torch() -> None:
    import compare.engine.plan  # noqa: F401


def _listen(host: str, port: int) -> socket.socket:
    """Listen on an address, before any work."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ZooError(f"cannot find the address {host} ({error.strerror}); correct --host.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ZooError(f"port {port} of {host} is in use; choose another --port, or 0 for a free one.") from error
        raise ZooError(f"cannot listen on port {port} of {host} ({error.strerror}); choose another.") from error
    return listener


def _url(host: str, listener: socket.socket) -> str:
    """The address that people type."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"
