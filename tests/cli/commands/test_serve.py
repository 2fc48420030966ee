"""Wrong calls of `zoo serve` and what an operator's options mean; nothing is started or written."""

import socket

import pytest

from cli.commands import serve
from cli.service import options, server
from cli.service.server import check_host, read_tokens
from cli.service.settings import Settings
from zoo.errors import UsageError, ZooError


@pytest.fixture
def call(run, here, monkeypatch):
    """Runs `zoo serve` in an empty folder; gives exit code and error. Nothing may be left in the folder."""
    monkeypatch.delenv("ZOO_SERVE_TOKEN", raising=False)

    def call(*arguments):
        # Port 8000 may be in use.
        ran = run("zoo", "serve", "--port", "0", "--data", "data", *arguments)
        assert list(here.iterdir()) == []
        return ran.code, ran.stderr.strip()

    return call


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--port", "99999"), 2, "Input should be less than or equal to 65535"),
        (("--workers", "0"), 2, "Input should be greater than or equal to 1"),
        (("--job-timeout", "0"), 2, "Input should be greater than or equal to 1"),
        (("--host", "0.0.0.0"), 2, "--host 0.0.0.0 lets other machines in, which needs a token; set ZOO_SERVE_TOKEN"),
        (("--dataset", "pets"), 2, "--dataset takes NAME=PATH"),
        (("--dataset", "a/b=."), 2, "--dataset takes NAME=PATH"),
        (("--dataset", "pets=nowhere"), 1, "--dataset pets=nowhere: there is no folder nowhere; correct the path."),
        (("--dataset", "pets="), 2, "--dataset takes NAME=PATH"),
        (("--dataset", "digits=."), 2, "--dataset digits=.: digits is the name of another dataset; choose another"),
        (("--dataset", "imagenet-1k=."), 2, "is the name of another dataset"),
        (("--dataset", "pets=.", "--dataset", "pets=.."), 2, "--dataset names 'pets' more than once"),
        (("--job-timeout", "inf"), 2, "--job-timeout"),
        (("--limit-disk", "inf"), 2, "--limit-disk"),
        (("--require", "agreement"), 2, "agreement"),
        (("--url", "me-service.hf.space"), 2, "--url takes an address such as https://me-service.hf.space"),
        (("--watch", "me/model"), 2, "--watch takes an OWNER on the Hub"),
        (("--watch-dataset", "pets"), 1, "there is no dataset 'pets' on this server; choose digits"),
        (("--private",), 2, "--private needs --push-space OWNER/NAME."),
        (("--token-file", "none"), 1, "cannot read the tokens in none"),
        (("--database", "mysql://me:secret@host/db"), 1, "expected a database as sqlite:///FILE or postgresql"),
    ],
)
def test_a_wrong_call_ends_with_one_line(call, arguments, code, words):
    found, text = call(*arguments)
    assert found == code
    assert words in text
    assert "secret" not in text


def test_a_port_in_use_is_an_error(call):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        expected = f"Error: port {port} of 127.0.0.1 is in use; choose another --port, or 0 for a free one."
        assert call("--port", port) == (1, expected)


def test_missing_packages_are_named(call, monkeypatch):
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == "fastapi" else name)
    assert call() == (1, "Error: zoo serve needs fastapi; run: pip install 'resnet-zoo[serve]'")


def test_an_owner_is_watched_only_with_a_secret(tmp_path, capsys):
    options.WatchOptions(watch=["me"]).check(Settings(tmp_path))
    assert "ZOO_SERVE_WEBHOOK_SECRET" in capsys.readouterr().err
    options.WatchOptions(watch=["me"]).check(Settings(tmp_path, webhook_secret="secret"))
    assert capsys.readouterr().err == ""


def test_verdicts_are_posted_only_with_a_token_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(ZooError, match="hf auth login"):
        options.WatchOptions(report_to_hub=True).check(Settings(tmp_path))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_the_own_machine_needs_no_token(host):
    check_host(host, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_machines_need_a_token(host):
    check_host(host, {"secret": "user"})
    with pytest.raises(UsageError):
        check_host(host, {})


def test_tokens_are_those_of_the_file_and_of_the_environment(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("# team\nann  one\n\n  # bob nine\nbob two\nthree\n")
    assert read_tokens(file, "four") == {"one": "ann", "two": "bob", "three": "user", "four": "user"}
    assert read_tokens(None, None) == read_tokens(None, "") == {}


@pytest.mark.parametrize("text", ["", "# one", "a b c", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_wrong_tokens_are_refused(tmp_path, text):
    file = tmp_path / "tokens"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ZooError):
        read_tokens(file, None)


def test_the_address_is_what_people_type():
    for host, name in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        try:
            listener = server._listen(host, 0)
        except ZooError:
            # Not every machine has IPv6.
            continue
        with listener:
            assert server._url(host, listener) == f"http://{name}:{listener.getsockname()[1]}"
