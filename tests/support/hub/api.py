"""Responses of the local Hub: one method per route of the real Hub.

The class is a mixin of a request handler that has `hub`, `user`, `query`, and `body`, and sends with `_json` and
`_bytes`.
"""

import base64
import json
import re
from hashlib import sha1, sha256
from urllib.parse import parse_qs, quote, urlsplit

from tests.support.hub.collections import CollectionApi
from tests.support.hub.discussions import DiscussionApi
from tests.support.hub.store import SDKS, RefusalError, Repo, blob_id, card_errors, digest, is_large, pointer, stamp

# Fields of a model in a list, unless the request names others.
BRIEF = {"_id", "id", "modelId", "private", "downloads", "likes", "tags", "createdAt", "library_name", "pipeline_tag"}
FULL = BRIEF | {"author", "sha", "lastModified", "gated", "disabled", "siblings"}


class HubApi(CollectionApi, DiscussionApi):
    # Permissions.

    def _repo(self, repo_id, kind="models", write=False):
        repo = self.hub.repos.get((kind[:-1], repo_id))
        owner = repo_id.split("/")[0]
        if repo is None or (repo.private and not self._belongs(owner)):
            raise RefusalError(404 if self.user else 401, "RepoNotFound", "Repository not found")
        if write and not self._needs_user().may_write(owner):
            raise RefusalError(403, message="you do not have write access to this repository")
        return repo

    def _at(self, repo, revision):
        commit = repo.at(revision)
        if commit is None:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _belongs(self, owner):
        return self.user is not None and owner in (self.user.name, *self.user.orgs)

    def _asked(self, name, default=None):
        return self.query.get(name, [default])[0]

    def _needs_user(self):
        if self.user is None:
            raise RefusalError(401, message="Invalid username or password.")
        return self.user

    # Users and repositories.

    def whoami(self):
        if self.user is None:
            raise RefusalError(401, message="Invalid user token.")
        orgs = [{"name": name} for name in self.user.orgs]
        token = {"displayName": "a token", "role": self.user.role}
        auth = {"type": "access_token", "accessToken": token}
        self._json({"type": "user", "name": self.user.name, "orgs": orgs, "auth": auth})

    def create_repo(self):
        asked, user = json.loads(self.body), self._needs_user()
        owner, kind = asked.get("organization") or user.name, asked.get("type") or "model"
        repo_id = f"{owner}/{asked['name']}"
        url = f"{self.hub.url}/{'' if kind == 'model' else f'{kind}s/'}{repo_id}"
        if kind == "space" and asked.get("sdk") not in SDKS:
            raise RefusalError(400, message=f'"sdk" must be one of {", ".join(SDKS)}')
        if not user.may_write(owner):
            raise RefusalError(403, message=f"You don't have the rights to create a model under the namespace {owner}")
        if (kind, repo_id) in self.hub.repos:
            raise RefusalError(409, message="You already created this model repo", body={"url": url, "error": "exists"})
        private = asked.get("private") or asked.get("visibility") == "private"
        repo = self.hub.repos[kind, repo_id] = Repo(repo_id, kind, bool(private))
        card = {"README.md": f"---\nsdk: {asked['sdk']}\n---\n".encode()} if kind == "space" else {}
        repo.commit({".gitattributes": b"*.safetensors filter=lfs\n"} | card, "initial commit")
        self._json({"url": url})

    def delete_repo(self):
        asked = json.loads(self.body)
        repo_id = f"{asked.get('organization') or self._needs_user().name}/{asked['name']}"
        kind = asked.get("type") or "model"
        self._repo(repo_id, f"{kind}s", write=True)
        del self.hub.repos[kind, repo_id]
        self._json({})

    def settings(self, kind, repo_id):
        repo, asked = self._repo(repo_id, kind, write=True), json.loads(self.body)
        repo.gated = asked.get("gated", repo.gated)
        repo.private = asked.get(
            "private", asked.get("visibility") == "private" if "visibility" in asked else repo.private
        )
        self._json({})

    def validate_yaml(self):
        asked = json.loads(self.body)
        errors = [{"message": message} for message in card_errors(asked["content"], asked.get("repoType", "model"))]
        self._json({"errors": errors, "warnings": []}, 400 if errors else 200)

    def list_repos(self, kind):
        author, search = self._asked("author"), self._asked("search", "").lower()
        wanted = set(self.query.get("filter", []))
        shown = [
            repo
            for (its_kind, _), repo in self.hub.repos.items()
            if its_kind == kind[:-1]
            and repo.at("main")
            and author in (None, repo.owner)
            and search in repo.repo_id.lower()
            and wanted <= set(repo.tags_of_card(repo.at("main")))
            and (not repo.private or self._belongs(repo.owner))
        ]
        shown.sort(key=lambda repo: repo.at("main").date, reverse=True)
        if self._asked("sort") == "createdAt":
            shown.sort(key=lambda repo: repo.created, reverse=True)
        start = int(self._asked("cursor", "0"))
        stop = start + min(self.hub.page_size, int(self._asked("limit", "1000")))
        link = {}
        if stop < len(shown):
            rest = re.sub(r"&?cursor=\d+", "", urlsplit(self.path).query)
            link = {"Link": f'<{self.hub.url}{self.route}?{rest}&cursor={stop}>; rel="next"'}
        kept = (FULL if "full" in self.query else BRIEF) | ({"cardData"} & self.query.keys())
        self._json([self._picked(self._info(repo, repo.at("main")), kept) for repo in shown[start:stop]], headers=link)

    def _picked(self, info, kept):
        """Only the fields that the request names, if it names any."""
        if "expand" in self.query:
            kept = {"_id", "id", *self.query["expand"]}
        return {name: value for name, value in info.items() if name in kept}

    def info(self, kind, repo_id, revision="main"):
        repo = self._repo(repo_id, kind)
        info = self._info(repo, self._at(repo, revision))
        self._json(self._picked(info, info.keys()))

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
            **{name: card[name] for name in ("library_name", "pipeline_tag", "sdk") if name in card},
        }

    def _sibling(self, path, data):
        if "blobs" not in self.query:
            return {"rfilename": path}
        lfs = {"sha256": sha256(data).hexdigest(), "size": len(data), "pointerSize": len(pointer(data))}
        return {"rfilename": path, "size": len(data), "blobId": blob_id(path, data)} | (
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
        lfs = {"oid": sha256(data).hexdigest(), "size": len(data), "pointerSize": len(pointer(data))}
        entry = {"type": "file", "path": path, "size": len(data), "oid": blob_id(path, data)}
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
            self._drop(repo.tags, name, "RevisionNotFound", f"Invalid rev id: {name}")
            return self._json({})
        tag = json.loads(self.body)["tag"]
        if tag in repo.tags:
            raise RefusalError(409, message="Tag reference exists already")
        repo.tags[tag] = self._at(repo, name).oid
        return self._json({})

    def _drop(self, held, name, code, message):
        if name not in held:
            raise RefusalError(404, code, message)
        del held[name]

    def branch(self, kind, repo_id, name):
        repo = self._repo(repo_id, kind, write=True)
        if self.command == "DELETE":
            if name == "main":
                raise RefusalError(403, message="The main branch cannot be deleted")
            self._drop(repo.branches, name, "RevisionNotFound", f"Invalid rev id: {name}")
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
            if value["oid"] not in self.hub.blobs:
                raise RefusalError(400, message="LFS pointer pointed to a file that does not exist")
            files[value["path"]] = self.hub.blobs[value["oid"]]
        elif key == "deletedFile":
            self._drop(files, value["path"], "EntryNotFound", "A file with this name doesn't exist")
        elif key == "deletedFolder":
            for path in [path for path in files if path.startswith(value["path"].rstrip("/") + "/")]:
                del files[path]

    # Downloads.

    def resolve(self, repo_id, revision, path, prefix=""):
        repo = self._repo(repo_id, prefix.strip("/") or "models")
        commit = self._at(repo, revision)
        if repo.gated and not self._belongs(repo.owner):
            status = 403 if self.user else 401
            raise RefusalError(status, "GatedRepo", "Access to model is restricted", commit=commit.oid)
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
        # On another origin, like the CDN of the real Hub.
        place = {"Location": f"http://localhost:{self.hub.port}/lfs/{oid}/{quote(path)}"}
        return self._bytes(b"", 302, headers | linked | place)

    def lfs_get(self, oid, path):
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
