"""Downloading large files politely: one try a connection at a time, continued where it broke off, and not
before a source that asked for patience got it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from hexcore_engine import __version__
from hexcore_engine.data.progress import Step
from hexcore_engine.errors import DownloadError
from hexcore_engine.knowledge.store.builder import storage_errors
from hexcore_engine.utils.validation import clean_line

USER_AGENT = f"hexcore/{__version__}"
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
LOCK_OUT_S = 30.0
LONGEST_LOCK_OUT_S = 3600.0
# The sources allow ten requests a second.
_SHORTEST_PAUSE_S = 0.1
_TRIES = 3
LATER = "Try again later; the data in use is untouched."
LARGEST_BYTES = 1024 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")


class LockedOutError(DownloadError):
    """The source asks for patience until `until`, in seconds since 1970."""

    def __init__(self, host: str, until: float) -> None:
        wait_s = max(1, round(until - time.time()))
        super().__init__(
            f"{host} asks not to be asked again for {wait_s} s.", f"Wait {wait_s} s, then run it again."
        )
        self.until = until


@dataclass(frozen=True)
class Document:
    """A small document, and the tag that names this version of it."""

    content: bytes
    etag: str


@dataclass
class Downloader:
    """Requests of one update. Use as a context manager."""

    accept: str = "application/json"
    pause_s: float = _SHORTEST_PAUSE_S
    _client: httpx.Client | None = field(default=None, init=False)
    _asked_at: float = field(default=0.0, init=False)

    def __enter__(self) -> Downloader:
        headers = {"User-Agent": USER_AGENT, "Accept": self.accept, "Accept-Encoding": "gzip"}
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        self._client = httpx.Client(headers=headers, timeout=timeout, follow_redirects=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()

    def get(self, address: str, largest_bytes: int, etag: str = "") -> Document | None:
        """A small document, read whole; None when it is still the one `etag` names.

        Raises:
            DownloadError: when it can't be had.
        """
        try:
            with self._request(address, {"If-None-Match": etag} if etag else {}) as response:
                if response.status_code == httpx.codes.NOT_MODIFIED:
                    return None
                chunks: list[bytes] = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if sum(map(len, chunks)) > largest_bytes:
                        raise DownloadError(f"{address} sent more than belongs there.", LATER)
                return Document(b"".join(chunks), response.headers.get("etag", ""))
        except httpx.HTTPError as error:
            raise _not_reached(address, error) from error

    def fetch(self, address: str, target: Path, step: Step) -> None:
        """Fetch a file as it is sent, compressed or not; what arrived before is continued if the source still
        has the same file.

        Raises:
            DownloadError: when it is cut off again and again, or is no JSON; the part is kept for next time.
            StorageError: when the disk refuses.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                self._fetch_once(address, target, step)
                return
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout) as error:
                if attempt == _TRIES:
                    num_bytes = target.stat().st_size if target.exists() else 0
                    raise DownloadError(
                        f"{_host(address)} broke off after {num_bytes:,} bytes: {reason_of(error)}.",
                        "Run it again; it goes on where it stopped.",
                    ) from error
            except httpx.HTTPError as error:
                raise _not_reached(address, error) from error

    def _fetch_once(self, address: str, target: Path, step: Step) -> None:
        validator_file = _validator_file(target)
        have = target.stat().st_size if target.exists() else 0
        validator = (
            validator_file.read_text("utf-8", "replace").strip() if have and validator_file.exists() else ""
        )
        headers = {"Range": f"bytes={have}-", "If-Range": validator} if validator else {}
        with self._request(address, headers) as response:
            nothing_left = response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
            if not nothing_left:
                self._write_rest(response, target, have, step)
        if nothing_left:
            # All of it had arrived before we were ended, and whether it is whole can't be asked any more.
            with storage_errors(target):
                target.unlink(missing_ok=True)
                validator_file.unlink(missing_ok=True)
            self._fetch_once(address, target, step)

    def _write_rest(self, response: httpx.Response, target: Path, have: int, step: Step) -> None:
        validator_file = _validator_file(target)
        start = _start_of(response)
        if start not in (0, have):
            raise DownloadError(
                f"{_host(str(response.url))} sent another part of the file than was asked for.", LATER
            )
        with storage_errors(target):
            validator_file.write_text(_validator(response), "utf-8")
            _write(response, target, start, step)
            validator_file.unlink(missing_ok=True)

    @contextmanager
    def _request(self, address: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        if self._client is None:
            raise RuntimeError("used outside of its context")
        time.sleep(max(0.0, self._asked_at + self.pause_s - time.monotonic()))
        self._asked_at = time.monotonic()
        try:
            with self._client.stream("GET", address, headers=headers) as response:
                _check_status(response, address)
                yield response
        except httpx.InvalidURL as error:
            raise _not_reached(address, error) from error


def _validator_file(target: Path) -> Path:
    """Where it stands which version of a file the part belongs to."""
    return target.with_name(f"{target.name}.validator")


def _check_status(response: httpx.Response, address: str) -> None:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise LockedOutError(_host(address), time.time() + _wait_s(response))
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return
    if (
        response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
        and "range" in response.request.headers
    ):
        return
    response.raise_for_status()
    if "html" in response.headers.get("content-type", "").casefold():
        raise DownloadError(f"{_host(address)} sent a web page where JSON belongs.", LATER)


def _wait_s(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    return min(float(told), LONGEST_LOCK_OUT_S) if told.isdecimal() and int(told) else LOCK_OUT_S


def _start_of(response: httpx.Response) -> int:
    """Where in the file the body begins."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    found = _RANGE.match(response.headers.get("content-range", ""))
    return int(found[1]) if found else -1


def _validator(response: httpx.Response) -> str:
    """What names this version of the file for a later request to go on; weak tags may not."""
    etag: str = response.headers.get("etag", "")
    if etag and not etag.startswith("W/"):
        return etag
    modified: str = response.headers.get("last-modified", "")
    return modified


def _write(response: httpx.Response, target: Path, start: int, step: Step) -> None:
    size = start
    with target.open("ab" if start else "wb") as out:
        for chunk in response.iter_raw():
            if size == 0 and _HTML.match(chunk):
                raise DownloadError("What came is a web page where JSON belongs.", LATER)
            size += len(chunk)
            if size > LARGEST_BYTES:
                raise DownloadError("What came is larger than any card file.", LATER)
            out.write(chunk)
            step.advance_to(size)


def _not_reached(address: str, error: Exception) -> DownloadError:
    return DownloadError(f"{_host(address)} was not reached: {reason_of(error)}.", LATER)


def _host(address: str) -> str:
    try:
        return httpx.URL(address).host or clean_line(address)[:80]
    except (httpx.InvalidURL, ValueError):
        return clean_line(address)[:80]


def reason_of(error: Exception) -> str:
    """Why a request failed, in words."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {READ_TIMEOUT_S:.0f} s"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return clean_line(str(error)) or type(error).__name__
