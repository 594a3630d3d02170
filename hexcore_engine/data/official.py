"""The official rules file, from the page that links it: tried once, briefly, checked before it is
imported."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote

import httpx

from hexcore_engine import __version__
from hexcore_engine.errors import DownloadError
from hexcore_engine.knowledge.rules.release import ImportReport, import_rules_file

USER_AGENT = f"hexcore/{__version__}"
CONNECT_TIMEOUT_S = 10.0
WHOLE_TIMEOUT_S = 30.0
# The files are about 1 MB; UTF-16 ones twice that.
MAX_FILE_BYTES = 16 * 1024 * 1024
_LINK = re.compile(r"""href\s*=\s*["']([^"'<>]+?\.txt)["']""", re.IGNORECASE)
LATER = "Later: `hexcore setup --rules FILE` with a rules text file you downloaded."


def fetch_official_rules(page: str, knowledge_folder: Path) -> ImportReport:
    """Find the newest rules file on `page`, fetch it, and import it.

    Raises:
        DownloadError: when the page or the file can't be had in time, or is not what it should be.
        ImportFileError: when the file is no rules file.
    """
    deadline = time.monotonic() + WHOLE_TIMEOUT_S
    timeout = httpx.Timeout(CONNECT_TIMEOUT_S)
    headers = {"User-Agent": USER_AGENT, "Accept": "text/html, text/plain"}
    try:
        with httpx.Client(headers=headers, timeout=timeout, follow_redirects=True) as client:
            html = _read(client, page, deadline).decode("utf-8", "replace")
            link = newest_link(html)
            if link is None:
                raise DownloadError(f"The rules page {page} links no rules text file.", LATER)
            address = str(httpx.URL(page).join(link.replace(" ", "%20")))
            content = _read(client, address, deadline)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"The official rules page was not reached: {_reason(error)}.", LATER) from error
    with tempfile.TemporaryDirectory(prefix="hexcore-rules-") as folder:
        file = Path(folder) / "rules.txt"
        file.write_bytes(content)
        return import_rules_file(knowledge_folder, file)


def newest_link(html: str) -> str | None:
    """Return the rules text file a page links; the one whose name holds the latest date where there are
    several."""
    links = [link for link in _LINK.findall(html) if "rules" in unquote(link).lower()]
    return max(links, key=lambda link: re.findall(r"\d{8}", unquote(link))[-1:] or [""], default=None)


def _read(client: httpx.Client, address: str, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    with client.stream("GET", address) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            size += len(chunk)
            chunks.append(chunk)
            if size > MAX_FILE_BYTES:
                raise DownloadError(f"{address} is larger than any rules file.", LATER)
            if time.monotonic() > deadline:
                raise DownloadError(f"{address} took longer than {WHOLE_TIMEOUT_S:.0f} s.", LATER)
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return type(error).__name__
