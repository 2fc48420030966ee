"""The content of a Hub, without HTTP: repositories with commits, branches and tags; collections; users."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import yaml

LARGE = (".safetensors", ".png", ".parquet", ".bin", ".pt")
# A part of the list of the Hub.
LICENSES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "openrail"),
    *("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "unlicense", "other", "unknown"),
)

SDKS = ("gradio", "docker", "static")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


def now():
    return datetime.now(UTC)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def is_large(path, size):
    return path.endswith(LARGE) or size > 10_000_000


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def digest(path, data):
    """The hash by which the Hub identifies the content of a file."""
    return hashlib.sha256(data).hexdigest() if is_large(path, len(data)) else git_hash(data)


def pointer(data):
    """The pointer that git stores for a large file."""
    oid = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()


def blob_id(path, data):
    """The git object id of a file."""
    return git_hash(pointer(data) if is_large(path, len(data)) else data)


def front_matter(text):
    """The YAML metadata of a card, or None. Raises ValueError if it is not a mapping."""
    if not text.startswith("---\n"):
        return None
    try:
        data = yaml.safe_load(text[4:].split("\n---", 1)[0])
    except yaml.YAMLError as error:
        raise ValueError(f"YAML metadata is invalid: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("YAML metadata must be a mapping")
    return data


def card_errors(text, kind="model"):
    """The reasons for which the Hub would reject a card."""
    try:
        data = front_matter(text) or {}
    except ValueError as error:
        return [str(error)]
    if kind == "space":
        return list(_space_errors(data))
    license_name = data.get("license", LICENSES[0])
    return [] if license_name in LICENSES else [f'"license" must be one of {", ".join(LICENSES)}']


def _space_errors(data):
    if data.get("sdk") not in SDKS:
        yield f'"sdk" must be one of {", ".join(SDKS)}'
    for name in ("colorFrom", "colorTo"):
        if data.get(name, COLOURS[0]) not in COLOURS:
            yield f'"{name}" must be one of {", ".join(COLOURS)}'
    if len(data.get("short_description", "")) > 60:
        yield '"short_description" length must be less than or equal to 60 characters long'


@dataclass(frozen=True)
class User:
    name: str
    orgs: tuple[str, ...] = ()
    role: str = "write"

    def may_write(self, owner):
        return self.role == "write" and owner in (self.name, *self.orgs)


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    date: datetime
    files: dict[str, bytes]
    parent: str | None


@dataclass
class Repo:
    repo_id: str
    kind: str = "model"
    private: bool = False
    gated: bool = False
    created: datetime = field(default_factory=now)
    all_commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self):
        return self.repo_id.split("/")[0]

    def commit(self, files, title, branch="main"):
        """Add a commit whose tree is `files`."""
        parent = self.branches.get(branch)
        date = now()
        if parent:
            date = max(date, self.all_commits[parent].date + timedelta(seconds=1))
        tree = "".join(f"{path}{digest(path, data)}" for path, data in sorted(files.items()))
        oid = hashlib.sha1(f"{self.repo_id}{parent}{date}{title}{tree}".encode()).hexdigest()
        self.all_commits[oid] = Commit(oid, title, date, dict(files), parent)
        self.branches[branch] = oid
        return oid

    def at(self, revision):
        """The commit of a branch, tag, or full hash, or None."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.all_commits.get(oid)

    def history(self, revision):
        commit = self.at(revision)
        while commit:
            yield commit
            commit = self.all_commits.get(commit.parent)

    def card(self, commit):
        try:
            return front_matter(commit.files.get("README.md", b"").decode()) or {}
        except ValueError:
            return {}

    def tags_of_card(self, commit):
        card = self.card(commit)
        datasets = card.get("datasets", [])
        return [
            *card.get("tags", []),
            *(f"license:{card[name]}" for name in ("license",) if name in card),
            *(f"dataset:{name}" for name in ([datasets] if isinstance(datasets, str) else datasets)),
            *(card[name] for name in ("library_name", "pipeline_tag") if name in card),
        ]


def item_id(item):
    return hashlib.sha1(item.encode()).hexdigest()[:24]


@dataclass
class Collection:
    slug: str
    title: str
    owner: str
    private: bool
    description: str | None = None
    items: list[str] = field(default_factory=list)

    def to_json(self):
        items = [
            {"_id": item_id(item), "id": item, "type": "model", "position": i, "repoType": "model"}
            for i, item in enumerate(self.items)
        ]
        facts = {"lastUpdated": stamp(now()), "position": 0, "theme": "blue", "upvotes": 0, "isUpvotedByUser": False}
        return {
            "slug": self.slug,
            "title": self.title,
            "owner": {"name": self.owner, "type": "user"},
            "private": self.private,
            "description": self.description,
            "items": items,
            **facts,
        }


class RefusalError(Exception):
    """An error response of the local Hub."""

    def __init__(self, status, code=None, message=None, body=None, commit=None, headers=None):
        self.status, self.code, self.message, self.body, self.commit = status, code, message, body, commit
        self.headers = headers or {}
