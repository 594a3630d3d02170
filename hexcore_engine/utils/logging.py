"""Logging for long-lived processes: one line a record, bounded on disk, never a question or an answer."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

MAX_LOG_BYTES = 1024 * 1024
FORMAT = "%(asctime)s pid=%(process)d %(levelname)s %(name)s %(message)s"


def log_to_file(file: Path, level: int = logging.INFO) -> None:
    """Send all records of this process to `file`, kept below two times `MAX_LOG_BYTES`.

    A folder that can't be written is no reason to fail: the records are dropped then.
    """
    root = logging.getLogger()
    root.setLevel(level)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.raiseExceptions = False
    root.handlers = [handler]
    # httpx logs each request's address at INFO; an address may name a person's own server.
    logging.getLogger("httpx").setLevel(logging.WARNING)
