"""A real PostgreSQL server for tests, and the fixture `database`.

`python -m tests.support.postgres FOLDER PORT OWNER` runs a server until the process OWNER is gone.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from cli.service.store.database import open_database
from tests.support.processes import until
from tests.support.shared import make_once

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), default=None)
needs_postgres = pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed")


def as_server():
    """Options that start a process as a user who may run the server, since root may not."""
    if os.getuid():
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


class Server:
    """A PostgreSQL server on this machine that can be killed and started again.

    Args:
        folder: where the databases are; None for a new temporary folder.
        port: the port; None for a free one.
    """

    def __init__(self, folder=None, port=None):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="postgresql-"))
        self.port = int(port or free_port())
        if folder is None:
            if not os.getuid():
                os.chown(self.folder, as_server()["user"], as_server()["group"])
            self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")

    def _run(self, program, *arguments):
        subprocess.run(
            [PROGRAMS / program, "-D", self.folder, *arguments], check=True, capture_output=True, **as_server()
        )

    def start(self):
        """Start the server and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder}
        options |= {"fsync": "off", "max_connections": 200}
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        command = [PROGRAMS / "postgres", "-D", self.folder, *settings]
        self.process = None
        while not self.answers():
            # It refuses to start while processes of a killed server end.
            if self.process is None or self.process.poll() is not None:
                quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                self.process = subprocess.Popen(command, **quiet, **as_server())
            time.sleep(0.05)
        return self

    def answers(self):
        """Whether the server takes connections."""
        try:
            psycopg.connect(self.address("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self):
        """End all connections and stop the server."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def kill(self):
        """Kill the server; its other processes end when they notice."""
        self.process.kill()
        self.process.wait()

    def remove(self):
        """Stop the server and delete its databases."""
        self.stop()
        shutil.rmtree(self.folder)

    def address(self, name):
        """Where psycopg finds a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create(self):
        """SQLAlchemy URL of a new database, which is empty."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def drop(self, url):
        """Delete a database, also if it is open."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A server that all tests of a run share, each with databases of its own."""
    if PROGRAMS is None:
        pytest.skip("PostgreSQL is not installed")

    def start(folder):
        server = Server()
        # The first xdist worker that needs the server may end before the others, so it belongs to their parent.
        owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
        command = [sys.executable, "-m", "tests.support.postgres", server.folder, str(server.port), str(owner)]
        subprocess.run(["setsid", "--fork", *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(server.answers, 30)
        (folder / "address").write_text(f"{server.folder} {server.port}")

    address = make_once(tmp_path_factory, "postgresql", start) / "address"
    return Server(*address.read_text().split())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'service.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url):
    """An open database of each kind."""
    database = open_database(database_url)
    yield database
    database.close()


def main(folder, port, owner):
    """Run a server as long as another process runs."""
    server = Server(folder, port).start()
    while Path(f"/proc/{owner}").exists():
        time.sleep(0.5)
    server.remove()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
