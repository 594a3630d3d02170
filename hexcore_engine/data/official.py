"""The official rules file, from the page that links it: tried once, briefly, checked before it is
imported."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from urllib.parse import unquote

import httpx

from hexcore_engine import __version__
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.errors import DownloadError
from hexcore_engine.knowledge.rules.release import ImportReport
from hexcore_engine.knowledge.store.builder import storage_errors
from hexcore_engine.paths import Paths
from hexcore_engine.utils.validation import clean_line

USER_AGENT = f"hexcore/{__version__}"
CONNECT_TIMEOUT_S = 10.0
WHOLE_TIMEOUT_S = 30.0
# The files are about 1 MB; UTF-16 ones twice that.
MAX_FILE_BYTES = 16 * 1024 * 1024
_LINK = re.compile(r"""href\s*=\s*["']([^"'<>]+?\.txt)["']""", re.IGNORECASE)
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml)", re.IGNORECASE)


def fetch_official_rules(
    page: str, paths: Paths, *, whole_timeout_s: float = WHOLE_TIMEOUT_S
) -> ImportReport:
    """Find the newest rules file on `page`, fetch it, and import it.

    Raises:
        DownloadError: when the page or the file can't be had in time, or is not what it should be.
        ImportFileError: when the file is no rules file.
        StorageError: when the disk refuses.
    """
    content = _within(whole_timeout_s, lambda deadline: _fetch(page, deadline))
    file = paths.downloads_dir / f"official-{os.getpid()}-{secrets.token_hex(4)}.txt"
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.write_bytes(content)
            return import_and_keep(paths, file)
        finally:
            file.unlink(missing_ok=True)


def newest_link(html: str) -> str | None:
    """Return the rules text file a page links; the one whose name holds the latest date where there are
    several."""
    links = [link for link in _LINK.findall(html) if "rules" in unquote(link).lower()]
    return max(links, key=lambda link: re.findall(r"\d{8}", unquote(link))[-1:] or [""], default=None)


def _fetch(page: str, deadline: float) -> bytes:
    headers = {"User-Agent": USER_AGENT, "Accept": "text/html, text/plain"}
    try:
        with httpx.Client(headers=headers, timeout=CONNECT_TIMEOUT_S, follow_redirects=True) as client:
            html = _read(client, page, deadline).decode("utf-8", "replace")
            link = newest_link(html)
            if link is None:
                raise DownloadError(f"The rules page {page} links no rules text file.")
            address = str(httpx.URL(page).join(link.replace(" ", "%20")))
            content = _read(client, address, deadline)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"The official rules were not reached: {_reason(error)}.") from error
    if _HTML.match(content):
        raise DownloadError(f"{address} sent a web page where the rules text belongs.")
    return content


def _read(client: httpx.Client, address: str, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    with client.stream("GET", address) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            size += len(chunk)
            chunks.append(chunk)
            if size > MAX_FILE_BYTES:
                raise DownloadError(f"{address} is larger than any rules file.")
            if time.monotonic() > deadline:
                raise DownloadError(f"{address} took too long.")
    return b"".join(chunks)


def _within(timeout_s: float, work: Callable[[float], bytes]) -> bytes:
    """Run `work` for `timeout_s` at most: looking up a host name obeys no time-out of the HTTP client."""
    results: SimpleQueue[bytes | Exception] = SimpleQueue()
    deadline = time.monotonic() + timeout_s

    def run() -> None:
        try:
            results.put(work(deadline))
        except Exception as error:
            results.put(error)

    threading.Thread(target=run, name="official-rules", daemon=True).start()
    try:
        result = results.get(timeout=timeout_s)
    except Empty:
        message = f"The official rules did not arrive within {timeout_s:.0f} s."
        raise DownloadError(message) from None
    if isinstance(result, Exception):
        raise result
    return result


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the page answered {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return clean_line(str(error)) or type(error).__name__
