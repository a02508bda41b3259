"""A hub of one's own: the few endpoints that huggingface_hub needs to push a small model and load it again."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

# From the hub's model card specification (huggingface/hub-docs, modelcard.md).
_LICENSES = {"other", "mit", "apache-2.0", "cc-by-4.0", "unknown"}
_LICENSE_ID = re.compile(r"[a-z0-9.-]+")


class Hub:
    """The repositories: path → content, by `user/name`. A push replaces what it names."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.endpoint = ""

    def commit(self, repo: str) -> str:
        """The sha of the repository's content."""
        return hashlib.sha1(repr(sorted(self.files[repo].items())).encode()).hexdigest()


def card_problem(readme: str) -> str | None:
    """What the hub would refuse in a card's front matter, or None."""
    found = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    data = yaml.safe_load(found[1]) if found else None
    if not isinstance(data, dict):
        return "no metadata"
    if data.get("license") not in _LICENSES:
        return f"license {data.get('license')!r} is not one of the hub's"
    if data["license"] == "other" and not _LICENSE_ID.fullmatch(str(data.get("license_name") or "!")):
        return "license: other needs a license_name of lower-case letters, digits, dots and dashes"
    if not all(isinstance(tag, str) for tag in data.get("tags", [])):
        return "tags must be texts"
    return None


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer hf_test":
            return self._json({"error": "Invalid username or password."}, 401)
        if self.path == "/api/repos/create":
            given = json.loads(body)
            repo = f"{given.get('organization') or 'tester'}/{given['name']}"
            self.hub.files.setdefault(repo, {})
            return self._json({"url": f"{self.hub.endpoint}/{repo}", "id": "1"})
        if self.path == "/api/validate-yaml":
            problem = card_problem(json.loads(body)["content"])
            found = {"errors": [{"message": problem}] if problem else [], "warnings": []}
            return self._json(found, 400 if problem else 200)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/main", self.path):
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            return self._json({"files": [file | {"shouldIgnore": False, "oid": None} for file in files]})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", self.path):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.hub.files[found[1]][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            sha = self.hub.commit(found[1])
            return self._json({"commitUrl": f"{self.hub.endpoint}/{found[1]}/commit/{sha}", "commitOid": sha})
        return self._json({"error": f"no such endpoint: {self.path}"}, 404)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = re.match(r"/(?:api/models/)?([^/]+/[^/]+)/(revision|tree|resolve)/([^/]+)/?(.*)", path)
        if found is None or found[1] not in self.hub.files:
            return self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        files, sha = self.hub.files[found[1]], self.hub.commit(found[1])
        if found[2] == "revision":
            names = [{"rfilename": name} for name in files]
            return self._json({"id": found[1], "sha": sha, "siblings": names, "private": False, "tags": []})
        if found[2] == "tree":
            listed = [{"type": "file", "path": n, "size": len(c), "oid": _blob(c)} for n, c in files.items()]
            return self._json(listed)
        if found[4] not in files:
            return self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
        content = files[found[4]]
        return self._send(content, 200, {"ETag": f'"{_blob(content)}"', "X-Repo-Commit": sha})

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _blob(content: bytes) -> str:
    """git's object id of a file's content."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextmanager
def serve_hub(patch: pytest.MonkeyPatch, cache: Path) -> Iterator[Hub]:
    """A hub on a free port that huggingface_hub takes for the only one until the block ends, with `cache` for its own.

    The only token that it takes is `hf_test`.
    """
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    # HF_ENDPOINT and HF_HUB_CACHE are read once, when huggingface_hub is imported: into these.
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    constants = {"ENDPOINT": hub.endpoint, "HUGGINGFACE_CO_URL_TEMPLATE": template, "HF_HUB_CACHE": str(cache)}
    for name, value in constants.items():
        patch.setattr(f"huggingface_hub.constants.{name}", value)
    patch.setenv("HF_TOKEN", "hf_test")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
