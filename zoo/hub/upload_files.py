"""Select the files of a model folder that a push uploads, without secrets and pickles."""

import pickletools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from zipfile import is_zipfile

from zoo.errors import ZooError
from zoo.model_folder.folder import CARD, CONFIG, EPOCHS, RECORD, WEIGHTS
from zoo.model_folder.weights import config_files, weight_files

# Files of a model besides weights and configuration, and its snapshots.
_NEEDED = re.compile(
    rf"{EPOCHS}/\d+/({re.escape(CONFIG)}|{re.escape(WEIGHTS)}|{re.escape(RECORD)}|{re.escape(CARD)})"
    rf"|{re.escape(RECORD)}|{re.escape(CARD)}|(LICENSE|NOTICE|CITATION)(\.(md|txt|cff))?"
)
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_SECRET_NAME = re.compile(
    r"(secrets?|tokens?|credentials?|passwords?|passphrases?|(api|access|private)[-_ .]?keys?)([^a-z]|$)"
    r"|(^|[^a-z])((dot)?env|creds?|passwd|htpasswd|netrc|pgpass|npmrc|pypirc|kube[-_.]?config|service[-_]?account"
    r"|auth|wallet|keychain|id_(rsa|dsa|ecdsa|ed25519))([^a-z]|$)"
    r"|\.(pem|key|p8|p12|pfx|kdbx?|keystore|jks|ppk|gpg|pgp|asc|ovpn)$"
)
# Tokens of Hugging Face, GitHub, GitLab, Amazon, Google, OpenAI, Slack, npm, and Stripe; signed tokens (JWT).
_SECRET = re.compile(
    rb"\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}|\bglpat-[\w-]{20,}|\bA[KS]IA[0-9A-Z]{16}\b"
    rb"|\bAIza[\w-]{35}|\bsk-[\w-]{32,}|\bxox[abeprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/\w"
    rb"|\bnpm_[A-Za-z0-9]{36}|\b[rs]k_live_\w{16,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    # Private keys, and passwords in addresses and settings.
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY|PuTTY-User-Key-File|\"service_account\"|://[^/\s:@]{1,64}:[^/\s:@]{3,64}@"
    rb"|(?i:secret|passw(?:or)?d|api_?key|access_?key|auth_?token)\w{0,32}[\"']?\s{0,4}[:=]\s{0,4}[\"']?[^\s\"'<>{}()$\[]{6,}"
)
# Files larger than this are not searched for secrets, and bytes at the beginning of a file in which pickles are found;
# larger pickles are recognised by their first bytes.
_SEARCHED, _PICKLED = 2**26, 2**20
# First bytes of archives, and of files compressed by gzip, bzip2, xz, zstd, and lz4.
_ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
# Arrays of numpy and files of HDF5 may hold pickles.
_ARRAYS = (b"\x93NUMPY", b"\x89HDF")


@dataclass(frozen=True)
class Selection:
    """Files of a model folder.

    Args:
        files: files to upload, by name relative to the folder, with `/` between folders.
        left_out: reasons why other files are not uploaded, by name; files that nobody would expect are not listed.
    """

    files: Mapping[str, Path]
    left_out: Mapping[str, str]


def select_files(folder: Path, include: Sequence[str] = ()) -> Selection:
    """Select the files to upload: those that a model needs, its pictures, and those that the user names.

    Files that look like secrets or pickles, hidden files, and hard links are uploaded only if the user gives their
    exact names. Symlinks are never uploaded.

    Args:
        folder: a model folder.
        include: names of further files relative to the folder, or patterns such as `reports/*`.

    Raises:
        ZooError: a name or pattern fits no file, or a file that the model needs holds a secret.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if not path.is_dir()}
    model = {path.name for path in (*weight_files(folder), *config_files(folder))}
    needed = {name for name in paths if name in model or _NEEDED.fullmatch(name)}
    for pattern in include:
        if not any(fnmatchcase(name, pattern) for name in paths):
            raise ZooError(f"--include {pattern} fits no file in {folder}; give a name relative to it, or a pattern.")
    files, left_out = {}, {}
    for name, path in paths.items():
        reason = _reason(name, path, name in needed, include)
        if reason is None:
            files[name] = path
        elif name in needed:
            raise ZooError(f"{path} {reason}; repair it, or add --include {name} if it may be published.")
        else:
            left_out[name] = reason
    return Selection(files, left_out)


def _reason(name: str, path: Path, needed: bool, include: Sequence[str]) -> str | None:
    """Why a file is not uploaded; None if it is."""
    if path.is_symlink() or not path.is_file():
        return "is a link or no file"
    if name in include:
        return None
    if any(part.startswith(".") for part in name.split("/")):
        return "is hidden"
    chosen = needed or name.lower().endswith(_PICTURES) or any(fnmatchcase(name, pattern) for pattern in include)
    return _danger(name, path, needed) if chosen else "is not part of the model"


def _danger(name: str, path: Path, needed: bool) -> str | None:
    """Why a file must be named by the user to be uploaded; None if it need not be."""
    if needed and name.endswith(".safetensors"):
        return None
    if path.stat().st_nlink > 1 and not needed:
        return "is a hard link to a file elsewhere"
    if path.stat().st_size > _SEARCHED:
        return "is too large to be searched for secrets"
    data = path.read_bytes()
    # Without zeros, UTF-16 is searched, too.
    if _SECRET_NAME.search(name.lower()) or _SECRET.search(data) or _SECRET.search(data.replace(b"\0", b"")):
        return "looks like a secret"
    return "looks like a pickle or an archive" if _is_archive(data) or _is_pickle(data[:_PICKLED]) else None


def _is_archive(data: bytes) -> bool:
    return data.startswith(_ARCHIVES + _COMPRESSED + _ARRAYS) or data[257:262] == b"ustar" or is_zipfile(BytesIO(data))


def _is_pickle(data: bytes) -> bool:
    """Whether data are a pickle of any protocol, or begin like one."""
    if data[:1] == b"\x80" and data[1:2] <= b"\x09":
        return True
    try:
        operations = list(pickletools.genops(BytesIO(data)))
    except Exception:
        # The parsers of single opcodes raise errors of many classes on data that are no pickle.
        return False
    return len(operations) > 2 and operations[-1][2] == len(data.rstrip()) - 1
