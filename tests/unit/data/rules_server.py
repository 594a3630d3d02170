"""A local web server that plays the official rules page, well or badly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.unit.data.local_server import serving

Answer = tuple[int, str, bytes]  # status, content type, body

PAGE = b'<a href="/files/OwnRules%2020240101.txt">old</a> <a href="files/Own Rules 20250101.txt">new</a>'


class RulesServer:
    """Answers by path; `requests` holds the paths asked for and `agents` who asked.

    `cut` sends half of what the length promises; `release` lets paths in `stuck` go on.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.cut: set[str] = set()
        self.stuck: set[str] = set()
        self.release = threading.Event()
        self.address = ""

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.requests.append(handler.path)
        self.agents.add(handler.headers.get("User-Agent", ""))
        status, kind, body = self.answers.get(handler.path, (404, "text/plain", b"no such page"))
        if handler.path in self.stuck:
            self.release.wait(30)
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if handler.path in self.cut else body)


@contextmanager
def rules_server() -> Iterator[RulesServer]:
    """Run such a server on a free port of this machine."""
    served = RulesServer()
    with serving(served.respond) as served.address:
        try:
            yield served
        finally:
            served.release.set()
