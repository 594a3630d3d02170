"""A local web server that plays the hub for one model folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REVISION = "a" * 40


@dataclass
class HubServer:
    """Serves the files of `folder` as the model `hub_id`. `cut` sends so many bytes of a file once; `status`
    answers every question about the model with that code."""

    hub_id: str
    folder: Path
    address: str = ""
    cut: dict[str, int] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def fetched(self) -> set[str]:
        """Names of the files that were sent, wholly or in part."""
        return {
            path.rsplit("/", 1)[-1]
            for method, path, _ in self.asked
            if method == "GET" and "/resolve/" in path
        }

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path = urlsplit(handler.path).path
        self.asked.append((handler.command, path, handler.headers.get("Range", "")))
        if path.startswith(f"/api/models/{self.hub_id}") and self.status == 200:
            document = self._tree() if "/tree/" in path else self._model()
            self._send(handler, json.dumps(document).encode(), {"Content-Type": "application/json"})
        elif path.startswith(f"/{self.hub_id}/resolve/{REVISION}/"):
            self._send_file(handler, path.rsplit("/", 1)[-1])
        else:
            handler.send_response(self.status if self.status != 200 else 404)
            for name, value in self.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.iterdir() if file.is_file())

    def _model(self) -> dict[str, Any]:
        siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in self._files()]
        return {"id": self.hub_id, "sha": REVISION, "siblings": siblings, "private": False, "tags": []}

    def _tree(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _etag(file)}
            for file in self._files()
        ]

    def _send_file(self, handler: BaseHTTPRequestHandler, name: str) -> None:
        file = self.folder / name
        content = file.read_bytes()
        begin = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{_etag(file)}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        cut = self.cut.pop(name, None) if handler.command == "GET" else None
        self._send(handler, content[begin:], headers, 206 if begin else 200, cut)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        content: bytes,
        headers: dict[str, str],
        status: int = 200,
        cut: int | None = None,
    ) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content[:cut])
        if cut is not None:
            handler.close_connection = True


def _etag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()


@contextmanager
def hub_server(hub_id: str, folder: Path) -> Iterator[HubServer]:
    """Serve until left."""
    hub = HubServer(hub_id, folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.respond(self)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
