"""A local web server that plays Scryfall's bulk files, well or badly."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.unit.data.local_server import serving

LIST = "/bulk-data"


@dataclass
class Served:
    """One request as it came: path and headers."""

    path: str
    headers: dict[str, str]


@dataclass
class BulkServer:
    """Serves the list and the files in it.

    Misbehaviour by path: `cut` sends so many bytes of the first answers, `statuses` answers with these codes
    first, `kinds` and `bodies` send something else, `no_ranges` ignores ranges.
    """

    address: str = ""
    requests: list[Served] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    cut: dict[str, list[int]] = field(default_factory=dict)
    statuses: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    no_ranges: bool = False

    def put(self, kind: str, entries: Any, updated_at: str, *, zipped: bool = True) -> None:
        """List a file of that kind; bytes are taken as they are."""
        content = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
        path = f"/file/{kind}.json"
        self.files[path] = gzip.compress(content, mtime=0) if zipped else content
        others = [one for one in self.listed if one["type"] != kind]
        self.listed = [
            *others,
            {"object": "bulk_data", "type": kind, "updated_at": updated_at, "size": len(content),
             "download_uri": f"{self.address}{path}", "content_encoding": "gzip"},
        ]  # fmt: skip

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.requests]

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path = handler.path
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append(Served(path, headers))
        if self.statuses.get(path):
            status, extra = self.statuses[path].pop(0)
            self._send(handler, status, b"{}", extra)
            return
        body = (
            json.dumps({"object": "list", "data": self.listed}).encode()
            if path == LIST
            else self.files.get(path)
        )
        body = self.bodies.get(path, body)
        if body is None:
            self._send(handler, 404, b"{}", {})
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        sent = {"ETag": etag, "Content-Type": self.kinds.get(path, "application/json")}
        if headers.get("if-none-match") == etag:
            self._send(handler, 304, b"", sent)
        else:
            self._send_part(handler, path, body, sent, headers)

    def _send_part(
        self,
        handler: BaseHTTPRequestHandler,
        path: str,
        body: bytes,
        sent: dict[str, str],
        asked: dict[str, str],
    ) -> None:
        if body.startswith(b"\x1f\x8b"):
            sent["Content-Encoding"] = "gzip"
        start = 0
        if "range" in asked and not self.no_ranges and asked.get("if-range") == sent["ETag"]:
            start = int(asked["range"].removeprefix("bytes=").removesuffix("-"))
            sent["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        cut = self.cut[path].pop(0) if self.cut.get(path) else None
        self._send(handler, 206 if start else 200, body[start:], sent, cut)

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: dict[str, str],
        cut: int | None = None,
    ) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:cut])
        if cut is not None:
            handler.close_connection = True


@contextmanager
def bulk_server() -> Iterator[BulkServer]:
    """Run such a server on a free port of this machine."""
    served = BulkServer()
    with serving(served.respond, "HTTP/1.1") as served.address:
        yield served
