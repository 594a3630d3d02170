"""A model server that sends what a test wants, right or wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODELS = json.dumps({"object": "list", "data": [{"id": "own", "max_model_len": 2048}]}).encode()


def chunk(text: str | None = None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


WELL = chunk("The part ") + chunk("is [702.2c].") + chunk(finish="stop") + b"data: [DONE]\n\n"


class FaultyServer:
    """Answers `/v1/models` with `models`, and chat with `chat`, or hangs up after it without an end."""

    def __init__(self) -> None:
        self.models: tuple[int, bytes] = (200, MODELS)
        self.chat: tuple[int, bytes] = (200, WELL)
        self.hangs_up = False
        self.is_silent = False
        self.takes_grammar = True
        self.release = threading.Event()
        self.bodies: list[dict[str, object]] = []
        self.address = ""

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        if self.is_silent:
            self.release.wait(30)
            return
        status, body = self.models
        if handler.command == "POST":
            asked = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
            self.bodies.append(asked)
            status, body = self.chat
            if "grammar" in asked and not self.takes_grammar:
                status, body = 400, b'{"error": {"message": "extra fields not permitted: grammar"}}'
        handler.send_response(status)
        # More is promised than comes where it hangs up.
        cut = 100 if self.hangs_up and handler.command == "POST" else 0
        handler.send_header("Content-Length", str(len(body) + cut))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Run one on a free port, and end it."""
    faulty = FaultyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            faulty.respond(self)

        def do_POST(self) -> None:
            faulty.respond(self)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    faulty.address = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=lambda: http.serve_forever(poll_interval=0.05))
    thread.start()
    try:
        yield faulty
    finally:
        faulty.release.set()
        http.shutdown()
        http.server_close()
        thread.join()
