"""A Hugging Face Hub on this machine: the genuine client talks HTTP to it, and never knows.

It answers every call that the program makes of huggingface_hub, timm and datasets, except for the xet protocol, which
the tests switch off. Large files redirect to the same server under another host name, as the real Hub redirects to its
CDN, so a client that sends its token there is found out.
"""

import base64
import json
import re
import threading
import traceback
from dataclasses import dataclass
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hubstore import Collection, Repo, User, card_errors, digest, git_hash, is_large, stamp

# Asked by the client beside the point, and not answered.
HARMLESS = re.compile(r"/api/(telemetry|agent-harnesses)|/api/(models|datasets)/[^/]+/[^/]+/(xet|parquet)|/api/event")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    host: str
    authorized: bool


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status, code=None, message=None, body=None, commit=None):
        self.status, self.code, self.message, self.body, self.commit = status, code, message, body, commit


class LocalHub:
    page_size = 100
    # A file larger than this is uploaded in parts of this size.
    part_size = 3_000_000

    def __init__(self):
        self._lock = threading.RLock()
        self._server = None
        self.clear()

    def clear(self):
        self.users = {"hf_me": User("me", ("lab",)), "hf_reader": User("reader", can_write=False)}
        self.repos, self.collections, self.blobs, self.parts = {}, {}, {}, {}
        self.requests, self.errors, self._faults, self._cuts, self._corruptions = [], [], [], [], []

    def start(self):
        hub = self
        self._handler = type("Handler", (_Handler,), {"hub": hub})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def seed(self, repo_id, files, *, kind="model", private=False, gated=False, branch="main", tag=None):
        """Commit files, without HTTP; the repository is made if needed."""
        with self._lock:
            repo = self.repos.setdefault((kind, repo_id), Repo(repo_id, kind, private, gated))
            before = repo.at(branch)
            encoded = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
            oid = repo.commit((before.files if before else {}) | encoded, "seed", branch)
            if tag:
                repo.tags[tag] = oid
            return oid

    def repo(self, repo_id, kind="model"):
        return self.repos[kind, repo_id]

    def files(self, repo_id, revision="main", kind="model"):
        return self.repos[kind, repo_id].at(revision).files

    def commits(self, repo_id, branch="main", kind="model"):
        return list(self.repos[kind, repo_id].history(branch))

    def fault(self, method, pattern, status, times=1, *, code=None, message=None):
        """Answer the next requests that match with this status; always if times is None."""
        self._faults.append([method, re.compile(pattern), status, times, code, message])

    def cut(self, pattern, after_bytes, times=1):
        """End the next answers to GETs that match after so many bytes of their body."""
        self._cuts.append([re.compile(pattern), after_bytes, times])

    def corrupt(self, pattern, times=1):
        """Change one byte of the next answers to GETs that match."""
        self._corruptions.append([re.compile(pattern), None, times])

    def asked(self, pattern, method=None):
        """The requests so far whose path matches."""
        return [r for r in self.requests if re.search(pattern, r.path) and method in (None, r.method)]

    def _take(self, rules, path):
        with self._lock:
            for rule in rules:
                if rule[0].search(path) and (rule[2] is None or rule[2] > 0):
                    if rule[2] is not None:
                        rule[2] -= 1
                    return rule
        return None

    def _fault_for(self, method, path):
        with self._lock:
            for fault in self._faults:
                if fault[0] == method and fault[1].search(path) and fault[3] != 0:
                    if fault[3] is not None:
                        fault[3] -= 1
                    return RefusalError(fault[2], fault[4], fault[5])
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: LocalHub

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        self.route, self.query = split.path, parse_qs(split.query, keep_blank_values=True)
        host = self.headers.get("Host", "").split(":")[0]
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.hub.requests.append(Request(self.command, self.path, host, bool(token)))
        try:
            if refused := self.hub._fault_for(self.command, self.path):
                raise refused
            self.user = self._user(token)
            self._dispatch()
        except RefusalError as refused:
            self._refuse(refused)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception:
            self.hub.errors.append(f"{self.command} {self.path}\n{traceback.format_exc()}")
            self._refuse(RefusalError(500, message="the local Hub failed"))

    def _user(self, token):
        if not token:
            return None
        if token not in self.hub.users:
            raise RefusalError(401, message="Invalid credentials in Authorization header")
        return self.hub.users[token]

    def _dispatch(self):
        for methods, pattern, name in ROUTES:
            match = re.fullmatch(pattern, self.route)
            if match and self.command in methods.split():
                found = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
                with self.hub._lock:
                    getattr(self, name)(**found)
                return
        if not HARMLESS.match(self.route):
            self.hub.errors.append(f"no route for {self.command} {self.path}")
        raise RefusalError(404)

    # What is sent back.

    def _refuse(self, refused):
        headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message, "X-Repo-Commit": refused.commit}
        body = refused.body or {"error": refused.message or refused.code or "refused"}
        self._json(body, refused.status, {name: value for name, value in headers.items() if value})

    def _json(self, data, status=200, headers=None):
        self._bytes(json.dumps(data).encode(), status, {"Content-Type": "application/json"} | (headers or {}))

    def _bytes(self, data, status=200, headers=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub._take(self.hub._corruptions, self.path) and data:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if cut := self.hub._take(self.hub._cuts, self.path):
            data = data[: cut[1]]
            self.close_connection = True
        self.wfile.write(data)

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
