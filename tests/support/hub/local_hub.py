"""A local Hugging Face Hub, with which the real huggingface_hub client talks over HTTP.

It answers all requests that the project makes through huggingface_hub, timm, and datasets, except for the xet protocol,
which the tests switch off. Large files redirect to the same server under another host name, as the real Hub redirects
to its CDN, so that tests notice a client that sends its token there.
"""

import json
import re
import threading
import traceback
from dataclasses import dataclass
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.hub.api import HubApi
from tests.support.hub.routes import ROUTES
from tests.support.hub.store import RefusalError, Repo, User

# Requests of the client that do not matter here.
HARMLESS = re.compile(
    r"/api/(telemetry|agent-harnesses)|/api/(models|datasets|spaces)/[^/]+/[^/]+/(xet|parquet)|/api/event"
)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    host: str
    authorized: bool


class LocalHub:
    page_size = 100
    # Larger files are uploaded in parts of this size.
    part_size = 3_000_000

    def __init__(self):
        self._lock = threading.RLock()
        self._server = None
        self.clear()

    def clear(self):
        self.users = {"hf_me": User("me", ("lab",)), "hf_reader": User("reader", role="read")}
        self.repos, self.collections, self.discussions, self.blobs, self.parts = {}, {}, {}, {}, {}
        self.requests, self.errors, self._faults, self._cuts, self._corruptions = [], [], [], [], []
        self._meanwhile = []

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
        """Commit files without HTTP, and create the repository if needed."""
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

    def event(self, repo_id, before, after, *, branch="main", action="update", scope="repo.content", kind="model"):
        """The body that the Hub sends to webhooks when a repository changes."""
        repo = self.repos.get((kind, repo_id))
        head = repo.branches.get("main", after) if repo else after
        owner = {"id": sha1(repo_id.split("/")[0].encode()).hexdigest()[:24]}
        return {
            "event": {"action": action, "scope": scope},
            "repo": {
                "type": kind,
                "name": repo_id,
                "id": sha1(repo_id.encode()).hexdigest()[:24],
                "private": bool(repo and repo.private),
                "url": {"web": f"{self.url}/{repo_id}", "api": f"{self.url}/api/{kind}s/{repo_id}"},
                "owner": owner,
                "headSha": head,
            },
            "updatedRefs": [{"ref": f"refs/heads/{branch}", "oldSha": before, "newSha": after}],
            "webhook": {"id": "6390e855e30d9209411de93b", "version": 3},
        }

    def fault(self, method, pattern, status, times=1, *, code=None, message=None, headers=None):
        """Answer the next `times` matching requests with this status; None for all."""
        self._faults.append([method, re.compile(pattern), status, times, code, message, headers])

    def meanwhile(self, method, pattern, action):
        """Run an action of another user just before the next matching request is answered."""
        self._meanwhile.append((method, re.compile(pattern), action))

    def _let_others_act(self, method, path):
        with self._lock:
            due = [entry for entry in self._meanwhile if entry[0] == method and entry[1].search(path)]
            self._meanwhile = [entry for entry in self._meanwhile if entry not in due]
            for _, _, action in due:
                action()

    def cut(self, pattern, after_bytes, times=1):
        """Cut the body of the next matching GET responses after some bytes."""
        self._cuts.append([re.compile(pattern), after_bytes, times])

    def corrupt(self, pattern, times=1):
        """Change one byte of the next matching GET responses."""
        self._corruptions.append([re.compile(pattern), None, times])

    def asked(self, pattern, method=None):
        """All requests so far whose path matches."""
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
                    return RefusalError(fault[2], fault[4], fault[5], headers=fault[6])
        return None


class _Handler(HubApi, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: in two, the second waits 40 ms for the client to acknowledge the first.
    wbufsize = -1
    hub: LocalHub

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802
        self._serve()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        self.route, self.query = split.path, parse_qs(split.query, keep_blank_values=True)
        host = self.headers.get("Host", "").split(":")[0]
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.hub.requests.append(Request(self.command, self.path, host, bool(token)))
        if token and host == "localhost":
            self.hub.errors.append(f"the token came to the other origin: {self.command} {self.path}")
        try:
            if refused := self.hub._fault_for(self.command, self.path):
                raise refused
            self.hub._let_others_act(self.command, self.path)
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

    # Responses.

    def _refuse(self, refused):
        headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message, "X-Repo-Commit": refused.commit}
        headers |= refused.headers
        body = refused.body or {"error": refused.message or refused.code or "refused"}
        self._json(body, refused.status, {name: value for name, value in headers.items() if value})

    def _json(self, data, status=200, headers=None):
        self._bytes(json.dumps(data).encode(), status, {"Content-Type": "application/json"} | (headers or {}))

    def _bytes(self, data, status=200, headers=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        # Cuts and corruptions do not apply to redirects and errors.
        if self.command == "GET" and status in (200, 206) and data:
            data = self._damaged(data)
        if self.command != "HEAD":
            self.wfile.write(data)

    def _damaged(self, data):
        if self.hub._take(self.hub._corruptions, self.path):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if cut := self.hub._take(self.hub._cuts, self.path):
            data = data[: cut[1]]
            self.close_connection = True
        return data
