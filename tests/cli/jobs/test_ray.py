"""Who can connect to the cluster of `--ray local`."""

import os
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.support.processes import ONE_CLUSTER

START = """
import os
from cli.jobs.ray import _connect

ray = _connect("local")
print(ray.get_runtime_context().gcs_address, os.environ["RAY_AUTH_TOKEN"], flush=True)
input()
ray.shutdown()
"""
CONNECT = """
import sys
from ray._raylet import GcsClient

GcsClient(address=sys.argv[1]).internal_kv_keys(b"", b"", timeout=5)
"""


def environment(home):
    return {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {"HOME": str(home)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address and token of a running cluster, and the home folder of who started it."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-c", START]
    process = subprocess.Popen(command, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield (*process.stdout.readline().split(), home)
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def outer_address():
    """An address of this machine that other machines may reach, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        # Nothing is sent.
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


@ONE_CLUSTER
@pytest.mark.slow
def test_other_machines_cannot_reach_a_local_cluster(cluster):
    host, port = cluster[0].split(":")
    assert host == "127.0.0.1"
    socket.create_connection((host, int(port)), timeout=5).close()
    if outer_address():
        with pytest.raises(OSError):
            socket.create_connection((outer_address(), int(port)), timeout=5)


@ONE_CLUSTER
@pytest.mark.slow
def test_a_local_cluster_requires_its_token_which_is_written_nowhere(cluster):
    address, token, home = cluster

    def connect(**variables):
        command = [sys.executable, "-c", CONNECT, address]
        return subprocess.run(command, env=environment(home) | variables, capture_output=True, text=True).stderr

    assert "AuthenticationError" in connect()
    assert "AuthenticationError" in connect(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64)
    assert connect(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token) == ""
    assert not list(home.rglob("auth_token"))
