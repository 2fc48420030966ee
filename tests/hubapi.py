"""What the local Hub answers to each call: one method per route of the real one.

The methods are mixed into a request handler, which has `hub`, `user`, `query`, `body`, and sends with `_json` and
`_bytes`.
"""

import base64
import json
import re
from hashlib import sha1, sha256
from urllib.parse import parse_qs, urlsplit

from tests.hubstore import Collection, Repo, card_errors, digest, git_hash, is_large, stamp


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status, code=None, message=None, body=None, commit=None):
        self.status, self.code, self.message, self.body, self.commit = status, code, message, body, commit


class HubApi:
    # Who may do what.

    def _repo(self, repo_id, kind="models", write=False):
        repo = self.hub.repos.get((kind[:-1], repo_id))
        owner = repo_id.split("/")[0]
        hidden = repo is None or (repo.private and not (self.user and owner in (self.user.name, *self.user.orgs)))
        if hidden:
            raise RefusalError(404 if self.user else 401, "RepoNotFound", "Repository not found")
        if write and not (self.user and self.user.may_write(owner)):
            raise RefusalError(403, message="you do not have write access to this repository")
        return repo

    def _at(self, repo, revision):
        commit = repo.at(revision)
        if commit is None:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _needs_user(self):
        if self.user is None:
            raise RefusalError(401, message="Invalid username or password.")
        return self.user

    # Users and repositories.

    def whoami(self):
        if self.user is None:
            raise RefusalError(401, message="Invalid user token.")
        orgs = [{"name": name} for name in self.user.orgs]
        self._json({"type": "user", "name": self.user.name, "orgs": orgs, "auth": {"type": "access_token"}})

    def create_repo(self):
        asked, user = json.loads(self.body), self._needs_user()
        owner, kind = asked.get("organization") or user.name, asked.get("type") or "model"
        repo_id = f"{owner}/{asked['name']}"
        url = f"{self.hub.url}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
        if not user.may_write(owner):
            raise RefusalError(403, message=f"You don't have the rights to create a model under the namespace {owner}")
        if (kind, repo_id) in self.hub.repos:
            raise RefusalError(409, message="You already created this model repo", body={"url": url, "error": "exists"})
        private = asked.get("private") or asked.get("visibility") == "private"
        repo = self.hub.repos[kind, repo_id] = Repo(repo_id, kind, bool(private))
        repo.commit({".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        self._json({"url": url})

    def delete_repo(self):
        asked = json.loads(self.body)
        repo_id = f"{asked.get('organization') or self._needs_user().name}/{asked['name']}"
        self._repo(repo_id, write=True)
        del self.hub.repos[asked.get("type") or "model", repo_id]
        self._json({})

    def settings(self, kind, repo_id):
        repo, asked = self._repo(repo_id, kind, write=True), json.loads(self.body)
        repo.gated = asked.get("gated", repo.gated)
        repo.private = asked.get(
            "private", asked.get("visibility") == "private" if "visibility" in asked else repo.private
        )
        self._json({})

    def validate_yaml(self):
        errors = [{"message": message} for message in card_errors(json.loads(self.body)["content"])]
        self._json({"errors": errors, "warnings": []}, 400 if errors else 200)

    def list_repos(self, kind):
        names = {"author": self.query.get("author", [None])[0], "search": self.query.get("search", [""])[0]}
        wanted = set(self.query.get("filter", []))
        shown = [
            repo
            for (its_kind, _), repo in self.hub.repos.items()
            if its_kind == kind[:-1]
            and names["author"] in (None, repo.owner)
            and names["search"] in repo.repo_id
            and wanted <= set(repo.tags_of_card(repo.at("main")))
            and (not repo.private or (self.user and repo.owner in (self.user.name, *self.user.orgs)))
        ]
        shown.sort(key=lambda repo: repo.at("main").date, reverse=True)
        start = int(self.query.get("cursor", ["0"])[0])
        stop = start + min(self.hub.page_size, int(self.query.get("limit", ["1000"])[0]))
        link = {}
        if stop < len(shown):
            rest = re.sub(r"&?cursor=\d+", "", urlsplit(self.path).query)
            link = {"Link": f'<{self.hub.url}{self.route}?{rest}&cursor={stop}>; rel="next"'}
        self._json([self._info(repo, repo.at("main")) for repo in shown[start:stop]], headers=link)

    def info(self, kind, repo_id, revision="main"):
        repo = self._repo(repo_id, kind)
        self._json(self._info(repo, self._at(repo, revision)))

    def _info(self, repo, commit):
        card = repo.card(commit)
        return {
            "_id": sha1(repo.repo_id.encode()).hexdigest()[:24],
            "id": repo.repo_id,
            "modelId": repo.repo_id,
            "author": repo.owner,
            "sha": commit.oid,
            "lastModified": stamp(commit.date),
            "createdAt": stamp(repo.created),
            "private": repo.private,
            "gated": "auto" if repo.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": repo.tags_of_card(commit),
            "cardData": card,
            "siblings": [self._sibling(path, data) for path, data in commit.files.items()],
            **{name: card[name] for name in ("library_name", "pipeline_tag") if name in card},
        }

    def _sibling(self, path, data):
        lfs = {"sha256": sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return {"rfilename": path, "size": len(data), "blobId": git_hash(data)} | (
            {"lfs": lfs} if is_large(path, len(data)) else {}
        )

    # Trees, branches and tags.

    def tree(self, kind, repo_id, revision, folder=""):
        repo = self._repo(repo_id, kind)
        commit = self._at(repo, revision)
        inside = f"{folder}/" if folder else ""
        paths = [path for path in commit.files if path.startswith(inside)]
        if not paths:
            raise RefusalError(404, "EntryNotFound", "no such folder", commit=commit.oid)
        deep = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        folders = {path[: m.start()] for path in paths for m in re.finditer("/", path) if m.start() >= len(inside)}
        flat = [path for path in (*sorted(folders), *paths) if deep or "/" not in path[len(inside) :]]
        self._json([self._entry(commit, path) for path in flat])

    def _entry(self, commit, path):
        if path not in commit.files:
            return {"type": "directory", "path": path, "oid": sha1(path.encode()).hexdigest()}
        data = commit.files[path]
        lfs = {"oid": sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        entry = {"type": "file", "path": path, "size": len(data), "oid": git_hash(data)}
        return entry | ({"lfs": lfs} if is_large(path, len(data)) else {})

    def paths_info(self, kind, repo_id, revision):
        commit = self._at(self._repo(repo_id, kind), revision)
        asked = parse_qs(self.body.decode()).get("paths", [])
        if self.headers.get("Content-Type", "").startswith("application/json"):
            asked = json.loads(self.body)["paths"]
        self._json([self._entry(commit, path) for path in asked if path in commit.files])

    def refs(self, kind, repo_id):
        repo = self._repo(repo_id, kind)

        def listed(names, place):
            return [{"name": n, "ref": f"refs/{place}/{n}", "targetCommit": oid} for n, oid in names.items()]

        self._json({"branches": listed(repo.branches, "heads"), "converts": [], "tags": listed(repo.tags, "tags")})

    def commits(self, kind, repo_id, revision):
        repo = self._repo(repo_id, kind)
        self._at(repo, revision)
        self._json(
            [
                {"id": c.oid, "title": c.title, "message": "", "date": stamp(c.date), "authors": [{"user": repo.owner}]}
                for c in repo.history(revision)
            ]
        )

    def tag(self, kind, repo_id, name):
        repo = self._repo(repo_id, kind, write=True)
        if self.command == "DELETE":
            del repo.tags[name]
            return self._json({})
        tag = json.loads(self.body)["tag"]
        if tag in repo.tags:
            raise RefusalError(409, message="Tag reference exists already")
        repo.tags[tag] = self._at(repo, name).oid
        return self._json({})

    def branch(self, kind, repo_id, name):
        repo = self._repo(repo_id, kind, write=True)
        if self.command == "DELETE":
            del repo.branches[name]
            return self._json({})
        if name in repo.branches:
            raise RefusalError(409, message="Reference already exists")
        start = (json.loads(self.body or b"{}") or {}).get("startingPoint") or "main"
        repo.branches[name] = self._at(repo, start).oid
        return self._json({})

    # Uploads.

    def preupload(self, kind, repo_id, revision):
        repo = self._repo(repo_id, kind, write=True)
        held = self._at(repo, revision).files
        self._json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if is_large(file["path"], file["size"]) else "regular",
                        "shouldIgnore": False,
                        "oid": digest(file["path"], held[file["path"]]) if file["path"] in held else None,
                    }
                    for file in json.loads(self.body)["files"]
                ]
            }
        )

    def lfs_batch(self, repo_id, prefix=""):
        self._repo(repo_id, prefix.strip("/") or "models", write=True)
        objects = [self._instructions(asked) for asked in json.loads(self.body)["objects"]]
        self._json({"transfer": "basic", "objects": objects})

    def _instructions(self, asked):
        oid, size = asked["oid"], asked["size"]
        if oid in self.hub.blobs:
            return {"oid": oid, "size": size}
        store = f"http://localhost:{self.hub.port}/lfs"
        upload = {"href": f"{store}/{oid}", "header": {}}
        if size > self.hub.part_size:
            parts = range(1, -(-size // self.hub.part_size) + 1)
            header = {"chunk_size": str(self.hub.part_size)} | {f"{n:05}": f"{store}/{oid}/{n}" for n in parts}
            upload = {"href": f"{store}/{oid}/join", "header": header}
        verify = {"href": f"{self.hub.url}/lfs-verify", "header": {}}
        return {"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}

    def lfs_put(self, oid, part=None):
        if part is not None:
            self.hub.parts[oid, int(part)] = self.body
        elif sha256(self.body).hexdigest() != oid:
            raise RefusalError(400, message="content does not match its hash")
        else:
            self.hub.blobs[oid] = self.body
        self._bytes(b"", headers={"ETag": f'"{sha1(self.body).hexdigest()}"'})

    def lfs_join(self, oid):
        numbers = [part["partNumber"] for part in json.loads(self.body)["parts"]]
        self.hub.blobs[oid] = b"".join(self.hub.parts.pop((oid, number)) for number in numbers)
        self._json({})

    def lfs_verify(self):
        asked = json.loads(self.body)
        if len(self.hub.blobs.get(asked["oid"], b"")) != asked["size"]:
            raise RefusalError(404, message="object is not there")
        self._json({})

    def commit(self, kind, repo_id, revision):
        repo = self._repo(repo_id, kind, write=True)
        if revision not in repo.branches:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        parent = header.get("parentCommit")
        if parent and not repo.branches[revision].startswith(parent):
            raise RefusalError(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(repo.at(revision).files)
        for line in lines:
            self._apply(files, line["key"], line["value"])
        oid = repo.commit(files, header["summary"], revision)
        self._json({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{repo_id}/commit/{oid}"})

    def _apply(self, files, key, value):
        if key == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            files[value["path"]] = self.hub.blobs[value["oid"]]
        elif key == "deletedFile":
            del files[value["path"]]
        elif key == "deletedFolder":
            for path in [path for path in files if path.startswith(value["path"].rstrip("/") + "/")]:
                del files[path]

    # Downloads.

    def resolve(self, repo_id, revision, path, prefix=""):
        repo = self._repo(repo_id, prefix.strip("/") or "models")
        commit = self._at(repo, revision)
        if repo.gated and not (self.user and self.user.may_write(repo.owner)):
            raise RefusalError(403, "GatedRepo", "Access to model is restricted", commit=commit.oid)
        if path not in commit.files:
            raise RefusalError(404, "EntryNotFound", "Entry not found", commit=commit.oid)
        data = commit.files[path]
        etag = f'"{digest(path, data)}"'
        headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
        if not is_large(path, len(data)):
            return self._part_of(data, headers | {"ETag": etag})
        oid = etag.strip('"')
        self.hub.blobs[oid] = data
        linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data)), "ETag": etag}
        # Another origin, as the real Hub's CDN is.
        place = {"Location": f"http://localhost:{self.hub.port}/lfs/{oid}"}
        return self._bytes(b"", 302, headers | linked | place)

    def lfs_get(self, oid):
        self._part_of(self.hub.blobs[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})

    def _part_of(self, data, headers):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            return self._bytes(data, headers=headers)
        start, stop = int(wanted[1]), int(wanted[2] or len(data) - 1) + 1
        part = data[start:stop]
        if not part:
            raise RefusalError(416)
        span = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
        return self._bytes(part, 206, headers | {"Content-Range": span})

    # Collections.

    def make_collection(self):
        asked, user = json.loads(self.body), self._needs_user()
        if not user.may_write(asked["namespace"]):
            raise RefusalError(403, message="not your namespace")
        name = re.sub(r"\W+", "-", asked["title"].lower())
        slug = f"{asked['namespace']}/{name}-{sha1(asked['title'].encode()).hexdigest()[:24]}"
        if slug in self.hub.collections:
            raise RefusalError(409, message="exists", body={"slug": slug, "error": "exists"})
        made = Collection(slug, asked["title"], asked["namespace"], asked.get("private", False))
        self.hub.collections[slug] = made
        self._json(made.to_json())

    def collection(self, slug):
        if slug not in self.hub.collections:
            raise RefusalError(404, message="Collection not found")
        self._json(self.hub.collections[slug].to_json())

    def add_item(self, slug):
        found, item = self.hub.collections[slug], json.loads(self.body)["item"]["id"]
        if not self._needs_user().may_write(found.owner):
            raise RefusalError(403, message="not your collection")
        if item in found.items:
            raise RefusalError(409, message="already there")
        found.items.append(item)
        self._json(found.to_json())


_REPO = r"(?P<repo_id>[^/]+/[^/]+)"
_API = rf"/api/(?P<kind>models|datasets)/{_REPO}"
_SLUG = r"(?P<slug>[^/]+/[^/]+)"
ROUTES = (
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create_repo"),
    ("DELETE", r"/api/repos/delete", "delete_repo"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("GET", r"/api/(?P<kind>models|datasets)", "list_repos"),
    ("GET", _API, "info"),
    ("GET", _API + r"/revision/(?P<revision>[^/]+)", "info"),
    ("PUT", _API + r"/settings", "settings"),
    ("GET", _API + r"/tree/(?P<revision>[^/]+)(/(?P<folder>.+))?", "tree"),
    ("POST", _API + r"/paths-info/(?P<revision>[^/]+)", "paths_info"),
    ("GET", _API + r"/refs", "refs"),
    ("GET", _API + r"/commits/(?P<revision>[^/]+)", "commits"),
    ("POST DELETE", _API + r"/tag/(?P<name>[^/]+)", "tag"),
    ("POST DELETE", _API + r"/branch/(?P<name>[^/]+)", "branch"),
    ("POST", _API + r"/preupload/(?P<revision>[^/]+)", "preupload"),
    ("POST", _API + r"/commit/(?P<revision>[^/]+)", "commit"),
    ("POST", rf"/(?P<prefix>datasets/)?{_REPO}\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]+)(/(?P<part>\d+))?", "lfs_put"),
    ("POST", r"/lfs/(?P<oid>[0-9a-f]+)/join", "lfs_join"),
    ("POST", r"/lfs-verify", "lfs_verify"),
    ("GET HEAD", r"/lfs/(?P<oid>[0-9a-f]+)", "lfs_get"),
    ("POST", r"/api/collections", "make_collection"),
    ("GET", rf"/api/collections/{_SLUG}", "collection"),
    ("POST", rf"/api/collections/{_SLUG}/items", "add_item"),
    ("GET HEAD", rf"/(?P<prefix>datasets/)?{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)
