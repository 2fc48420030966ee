"""Files that look like secrets, pickles, or archives are left out of an upload unless they are named exactly."""

import gzip
import io
import pickle
import zipfile

import numpy as np
import pytest

from zoo.hub.upload_files import _SEARCHED, select_files

NAMES = [
    *("_netrc", "netrc.txt", "id_rsa.bak", "id_ed25519.pub", "token.TXT", "mytoken.txt", "HF_TOKEN", "access-token.md"),
    *(
        "credentials.json",
        "Credentials",
        "aws_creds.csv",
        "apikey.txt",
        "api_key.json",
        "API-KEYS.yml",
        "private.key.txt",
    ),
    *("client_secret_1.json", "secrets.yaml", "passphrase.txt", "old-passwords.csv", "ENV", "prod.env.local", "dotenv"),
    *("service-account.json", "kube.config", "kubeconfig", "auth.json", "pgpass.conf", "wallet.dat", "login.keychain"),
    *("x.pem", "x.P8", "x.kdb", "x.ovpn", "x.jks", "x.pgp", "sub/token.txt"),
]
# In two parts, so that no scanner takes this file for a leak.
CONTENTS = {
    "amazon": ("aws_secret_access_", "key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "amazon, temporary": ("ASIA", "IOSFODNN7EXAMPLE"),
    "github": ("github_pat_", "11AAAAAAA0abcdefghijkl_mnopqrst"),
    "gitlab": ("glpat-", "abcdefghij0123456789"),
    "google": ("AIza", "SyA-1234567890abcdefghijklmnopqrstu"),
    "google, account": ('{"type": "service', '_account"}'),
    "slack": ("https://hooks.slack.", "com/services/T00000000/B00000000/XXXX"),
    "npm": ("npm_", "abcdefghijklmnopqrstuvwxyz0123456789"),
    "stripe": ("sk_live_", "abcdefghijklmnopqrstuvwx"),
    "wandb": ("WANDB_API_", "KEY=0123456789abcdef"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0", ".dozjgNryP4J3jVmNHl0w5N"),
    "address": ("postgres://user:hunt", "er2@host/db"),
    "setting": ("pass", "word: hunter22"),
    "json": ('{"api_', 'key": "0123456789"}'),
    "pgp": ("-----BEGIN PGP PRIVATE", " KEY BLOCK-----"),
    "putty": ("PuTTY-User-", "Key-File-2: ssh-rsa"),
    "late": (2**21 * "x" + " AKIA", "IOSFODNN7EXAMPLE"),
}


def zipped(before=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")
    return before + file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object))
    return file.getvalue()


ARCHIVES = {
    "gzip": gzip.compress(pickle.dumps([1])),
    "zip": zipped(),
    "zip after a script": zipped(b"#!/bin/sh\n"),
    "tar": bytes(257) + b"ustar\0" + bytes(249),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(9),
    "rar": b"Rar!\x1a\x07" + bytes(9),
    "numpy": array(),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(9),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.safetensors").touch()
    return tmp_path


def reason(folder, name, data):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    selection = select_files(folder, ["*"])
    assert name in select_files(folder, [name]).files
    return selection.left_out.get(name)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(folder, name):
    assert reason(folder, name, b"x") == "looks like a secret"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_secrets_in_text(folder, kind, encoding):
    assert reason(folder, "notes.txt", "".join(CONTENTS[kind]).encode(encoding)) == "looks like a secret"


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives_and_files_that_hold_pickles(folder, kind):
    assert reason(folder, "picture.png", ARCHIVES[kind]) == "looks like a pickle or an archive"


def test_a_file_that_is_too_large_to_be_searched(folder):
    with (folder / "map.png").open("wb") as file:
        file.truncate(_SEARCHED + 1)
    assert select_files(folder).left_out == {"map.png": "is too large to be searched for secrets"}


@pytest.mark.parametrize("name", ["tokenizer.json", "environment.yml", "author.md", "secretary.txt", "keynote.txt"])
def test_other_names(folder, name):
    assert reason(folder, name, b"Its secret is depth; see https://me@example.com/x:8080 (password: none).") is None
