"""The official rules page, played by a local server, well and badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine import __version__
from hexcore_engine.data import official
from hexcore_engine.data.official import fetch_official_rules, newest_link
from hexcore_engine.data.rules_files import kept_file
from hexcore_engine.errors import DownloadError, ImportFileError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.paths import Paths
from tests.conftest import paths_of
from tests.unit.data.own_rules import own_rules
from tests.unit.data.rules_server import PAGE, RulesServer, rules_server

NEWEST = "/rules/files/Own%20Rules%2020250101.txt"


@pytest.fixture
def server() -> Iterator[RulesServer]:
    with rules_server() as served:
        served.answers["/rules/page"] = (200, "text/html", PAGE)
        served.answers[NEWEST] = (200, "text/plain", own_rules())
        yield served


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_of(tmp_path)


def fetch(server: RulesServer, paths: Paths, **options: float) -> None:
    report = fetch_official_rules(f"{server.address}/rules/page", paths, **options)
    assert report.rules == 3


def test_the_newest_linked_file_is_imported_and_kept(server: RulesServer, paths: Paths) -> None:
    fetch(server, paths)
    assert server.requests == ["/rules/page", NEWEST]
    assert server.agents == {f"hexcore/{__version__}"}
    assert kept_file(paths, "2025-01-02").read_bytes() == own_rules()
    knowledge = Knowledge(paths.knowledge_dir)
    release = knowledge.release()
    assert release is not None
    assert (release.effective, release.official) == ("2025-01-02", True)
    knowledge.close()


@pytest.mark.parametrize(
    ("html", "link"),
    [
        ("", None), ("<a href='notes.txt'>notes</a>", None), ("<a href=rules.pdf>rules</a>", None),
        ("<A HREF='Rules.TXT'>rules</A>", "Rules.TXT"),
        ('<a href="Rules20240101.txt"></a><a href="Rules20230101.txt"></a>', "Rules20240101.txt"),
    ],
)  # fmt: skip
def test_the_link_is_found_on_the_page(html: str, link: str | None) -> None:
    assert newest_link(html) == link


def test_a_page_that_is_gone_or_links_nothing_is_said(server: RulesServer, paths: Paths) -> None:
    server.answers["/rules/page"] = (404, "text/html", b"gone")
    with pytest.raises(DownloadError, match="404"):
        fetch(server, paths)
    server.answers["/rules/page"] = (200, "text/html", b"<p>soon</p>")
    with pytest.raises(DownloadError, match="links no rules text file"):
        fetch(server, paths)


def test_html_in_place_of_the_text_is_refused(server: RulesServer, paths: Paths) -> None:
    server.answers[NEWEST] = (200, "text/plain", b"\xef\xbb\xbf\r\n <!DOCTYPE html><p>Log in first.</p>")
    with pytest.raises(DownloadError, match="web page"):
        fetch(server, paths)


def test_a_transfer_that_is_cut_is_refused(server: RulesServer, paths: Paths) -> None:
    server.cut.add(NEWEST)
    with pytest.raises(DownloadError):
        fetch(server, paths)
    assert not paths.knowledge_dir.exists()


def test_text_cut_by_its_sender_is_refused_and_the_old_release_stays(
    server: RulesServer, paths: Paths
) -> None:
    fetch(server, paths)
    later = own_rules("March 3, 2025")
    server.answers[NEWEST] = (200, "text/plain", later[: len(later) - 120])
    with pytest.raises(ImportFileError):
        fetch(server, paths)
    knowledge = Knowledge(paths.knowledge_dir)
    release = knowledge.release()
    assert release is not None
    assert release.effective == "2025-01-02"
    knowledge.close()
    assert [file.name for file in paths.downloads_dir.iterdir()] == ["rules-2025-01-02.txt"]


def test_an_oversize_answer_is_refused(
    server: RulesServer, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "MAX_FILE_BYTES", 2000)
    server.answers[NEWEST] = (200, "text/plain", b"x" * 3000)
    with pytest.raises(DownloadError, match="larger than any rules file"):
        fetch(server, paths)


def test_a_server_that_says_nothing_is_left_in_time(server: RulesServer, paths: Paths) -> None:
    server.stuck.add(NEWEST)
    started = time.monotonic()
    with pytest.raises(DownloadError, match="did not arrive within"):
        fetch(server, paths, whole_timeout_s=0.5)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "page", ["http://127.0.0.1:9/rules", "http://no-such-host.invalid/", "not an address"]
)
def test_an_unreachable_page_is_said_in_words(paths: Paths, page: str) -> None:
    with pytest.raises(DownloadError, match="not reached"):
        fetch_official_rules(page, paths)
