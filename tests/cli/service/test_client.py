"""`compare A B --server URL`: a service computes, and the output is the same."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import cli.service.client
from cli.service.settings import Settings
from cli.service.store import history, queue
from cli.service.store.database import open_database
from cli.service.store.records import State
from tests.support.postgres import free_port
from tests.support.processes import Zoo, until
from tests.support.web import serving

pytestmark = pytest.mark.slow
BRIEF = ("--max-examples", 60, "--layers", "blocks", "--baseline-seeds", 1, "--measure", "knn")


@pytest.fixture
def settings(tmp_path, folders):
    return Settings(tmp_path / "data", models=folders[0].parent)


@pytest.fixture
def database_url(settings):
    return settings.database_url


@pytest.fixture
def url(settings, database):
    """Address of a service without workers that has the models `a` and `b`."""
    with serving(settings, database) as client:
        yield str(client.base_url)


@pytest.fixture
def meanwhile(database):
    """Runs an action in a thread on the next job that is submitted."""
    threads = []

    def meanwhile(action):
        thread = threading.Thread(target=lambda: action(until(lambda: queue.claim(database, "worker"))))
        threads.append(thread)
        thread.start()

    yield meanwhile
    for thread in threads:
        thread.join()


def outputs(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_output_is_that_of_computing_here(folders, tmp_path, run, monkeypatch):
    def compare(out, *options):
        out.mkdir()
        names = {"--json": "r.json", "--html": "r.html", "--png": "r.png", "--svg": "r.svg", "--export": "r.csv"}
        files = [text for option, name in names.items() for text in (option, out / name)]
        done = run("compare", "a", "b", *BRIEF, "--full", "--require", "agreement>=0.999", *files, *options)
        assert done.code == 3, done.stderr
        return done.stdout, outputs(out)

    monkeypatch.chdir(folders[0].parent)
    here = compare(tmp_path / "here")
    server = Zoo(tmp_path, "serve", "--port", 0, "--models", folders[0].parent, "--data", tmp_path / "data")
    try:
        there = compare(tmp_path / "there", "--server", server.stdout.readline().strip())
    finally:
        server.terminate()
        server.tell()
    assert there == here


def test_the_server_refuses_in_its_words(url, run):
    refused = run("compare", "a", "c", "--server", url)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: there is no model 'c' on this server")
    assert run("compare", "a", "b", "--server", url, "--null", 5).stderr.startswith("Error: a null distribution needs")


def test_a_failure_is_told_in_the_words_of_the_server(url, run, database, meanwhile):
    meanwhile(lambda job: queue.fail(database, job.id, "worker", "b does not fit the images."))
    failed = run("compare", "a", "b", "--server", url)
    assert (failed.code, failed.stdout, failed.stderr) == (1, "", "Error: b does not fit the images.\n")


def test_a_comparison_that_somebody_cancels_ends(url, run, database, meanwhile):
    meanwhile(lambda job: queue.cancel(database, job.id, "local"))
    cancelled = run("compare", "a", "b", "--server", url)
    assert (cancelled.code, cancelled.stderr) == (1, "Error: the comparison was cancelled on the server.\n")


def test_an_interruption_cancels_the_comparison(url, run, database, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.service.client, "_look", interrupt)
    stopped = run("compare", "a", "b", "--server", url)
    assert (stopped.code, stopped.stderr) == (1, "Error: interrupted; nothing was written.\n")
    assert [job.state for job in history.search(database, history.Search()).jobs] == [State.cancelled]


def test_a_service_that_restarts_is_waited_for(settings, database, run, monkeypatch):
    looks, look = [], cli.service.client._Service.request

    def request(service, method, path, body=None):
        looks.append(path)
        if len(looks) == 2:
            raise cli.service.client._UnreachableError("the database does not answer.")
        if len(looks) == 3:
            queue.fail(database, queue.claim(database, "worker").id, "worker", "b does not fit.")
        return look(service, method, path, body)

    monkeypatch.setattr(cli.service.client._Service, "request", request)
    with serving(settings, database) as client:
        assert run("compare", "a", "b", "--server", client.base_url).stderr == "Error: b does not fit.\n"
    assert len(looks) == 3


def test_only_options_that_differ_from_their_defaults_are_sent(url, run, database, meanwhile):
    jobs = []
    meanwhile(lambda job: (jobs.append(job), queue.fail(database, job.id, "worker", "enough")))
    run(
        "compare",
        "a",
        "b",
        "--server",
        url,
        "--seed",
        0,
        "--baseline",
        "none",
        "--measure",
        "knn",
        "--dataset",
        "mnist5k",
    )
    assert jobs[0].question.options == {"baseline": "none", "measures": ["knn"]}
    assert jobs[0].question.dataset == "mnist5k"


def test_the_token_is_sent(tmp_path, folders, run, monkeypatch):
    settings = Settings(tmp_path / "data", models=folders[0].parent, tokens={"secret": "me"})
    database = open_database(settings.database_url)
    with serving(settings, database) as client:
        monkeypatch.delenv("ZOO_SERVE_TOKEN", raising=False)
        assert "needs a token; set ZOO_SERVE_TOKEN" in run("compare", "a", "c", "--server", client.base_url).stderr
        monkeypatch.setenv("ZOO_SERVE_TOKEN", "secret")
        assert "there is no model 'c'" in run("compare", "a", "c", "--server", client.base_url).stderr
    database.close()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--server", "localhost:8000"), 2, "--server takes an address such as http://127.0.0.1:8000, got 'localhost"),
        (("--server", "http://localhost", "--device", "cpu"), 2, "--device and --no-cache are for this machine"),
        (("--server", "http://localhost", "--no-cache"), 2, "--device and --no-cache are for this machine"),
        (
            ("--server", f"http://127.0.0.1:{free_port()}"),
            1,
            "(ConnectError); check the address, and whether `zoo serve`",
        ),
    ],
)
def test_wrong_calls_are_refused(run, options, code, message):
    refused = run("compare", "a", "b", *options)
    assert (refused.code, refused.stdout) == (code, "")
    assert message in refused.stderr


def test_a_folder_of_this_machine_is_no_name_on_the_server(here, run):
    (here / "models/mine").mkdir(parents=True)
    refused = run("compare", "models/mine", "b", "--server", "http://localhost")
    assert refused.code == 2
    assert "models/mine is a folder of this machine" in refused.stderr


@pytest.mark.parametrize("status", [200, 404])
def test_another_server_is_recognised(run, status):
    class Other(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(["hello"]).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        refused = run("compare", "a", "b", "--server", f"http://127.0.0.1:{server.server_address[1]}")
    assert refused.code == 1
    assert f"is not the address of `zoo serve` (status {status})" in refused.stderr
