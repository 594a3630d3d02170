"""Updates from Scryfall's bulk files are polite, and a bad answer never touches what is in use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine import __version__
from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.card_updates import update_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.errors import DownloadError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings, Settings
from tests.conftest import paths_of
from tests.unit.data.bulk_server import LIST, BulkServer, bulk_server
from tests.unit.data.own_card_files import scryfall_card, scryfall_ruling, write_json

CARDS, RULINGS = "/file/oracle_cards.json", "/file/rulings.json"
FIRST, SECOND = "2026-03-04T09:00:00.000+00:00", "2026-03-05T09:00:00.000+00:00"
NAMES = [f"Lantern {number}" for number in range(40)]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("HEXCORE_OFFLINE", raising=False)
    return paths_of(tmp_path / "home")


@pytest.fixture
def server() -> Iterator[BulkServer]:
    with bulk_server() as served:
        served.put("oracle_cards", [scryfall_card(name) for name in NAMES], FIRST)
        served.put("rulings", [scryfall_ruling(NAMES[0], "It burns.")], FIRST)
        yield served


def update(paths: Paths, server: BulkServer) -> list[tuple[str, bool]]:
    settings = Settings(data=DataSettings(cards_source=f"{server.address}{LIST}"))
    return [(report.kind, report.unchanged) for report in update_cards(paths, settings, QuietProgress())]


def forget_lock_out(paths: Paths) -> None:
    """Let the time that the source asked for be over."""
    state = paths.downloads_dir / "scryfall.json"
    state.write_text(state.read_text().replace('"not_before":', '"not_before":0,"was":'))


def loaded_names(paths: Paths) -> int:
    knowledge = Knowledge(paths.knowledge_dir)
    try:
        return knowledge.status().num_cards
    finally:
        knowledge.close()


def test_cards_and_rulings_are_fetched_checked_and_used(paths: Paths, server: BulkServer) -> None:
    assert update(paths, server) == [("cards", False), ("rulings", False)]
    assert server.paths() == [LIST, CARDS, RULINGS]
    for request in server.requests:
        assert request.headers["user-agent"] == f"hexcore/{__version__}"
        assert request.headers["accept"] == "application/json"
        assert "gzip" in request.headers["accept-encoding"]
    knowledge = Knowledge(paths.knowledge_dir)
    card = knowledge.card(NAMES[0])
    status = knowledge.status()
    knowledge.close()
    assert card is not None
    assert [ruling.text for ruling in card.rulings or ()] == ["It burns."]
    assert (status.num_cards, status.cards_source, status.cards_date) == (40, "Scryfall", "2026-03-04")
    assert sorted(file.name for file in paths.downloads_dir.iterdir()) == ["import.lock", "scryfall.json"]


def test_nothing_is_fetched_twice(paths: Paths, server: BulkServer) -> None:
    update(paths, server)
    generation = read_pointer(paths.knowledge_dir)
    assert update(paths, server) == [("cards", True), ("rulings", True)]
    assert server.paths()[3:] == [LIST]
    assert "if-none-match" in server.requests[3].headers
    assert read_pointer(paths.knowledge_dir) == generation


def test_only_what_changed_is_fetched(paths: Paths, server: BulkServer) -> None:
    update(paths, server)
    server.put("rulings", [scryfall_ruling(NAMES[1], "It blinks.")], SECOND)
    assert update(paths, server) == [("cards", True), ("rulings", False)]
    assert server.paths()[3:] == [LIST, RULINGS]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    paths: Paths, server: BulkServer, zipped: bool
) -> None:
    server.put("oracle_cards", [scryfall_card(name) for name in NAMES], FIRST, zipped=zipped)
    whole = len(server.files[CARDS])
    server.cut[CARDS] = [whole // 2, whole // 4]
    update(paths, server)
    asked = [request.headers.get("range") for request in server.requests if request.path == CARDS]
    assert asked == [None, f"bytes={whole // 2}-", f"bytes={whole // 2 + whole // 4}-"]
    assert loaded_names(paths) == 40


def test_what_arrived_is_kept_for_the_next_run(paths: Paths, server: BulkServer) -> None:
    server.cut[CARDS] = [100, 0, 0]
    with pytest.raises(DownloadError, match="broke off after 100 bytes"):
        update(paths, server)
    assert read_pointer(paths.knowledge_dir) is None
    update(paths, server)
    assert [request.headers.get("range") for request in server.requests if request.path == CARDS][
        -1
    ] == "bytes=100-"
    assert loaded_names(paths) == 40


def test_a_part_that_was_whole_already_is_fetched_anew(paths: Paths, server: BulkServer) -> None:
    server.cut[CARDS] = [100, 0, 0]
    with pytest.raises(DownloadError):
        update(paths, server)
    # A conforming server has nothing behind the last byte.
    server.statuses[CARDS] = [(416, {})]
    update(paths, server)
    asked = [request.headers.get("range") for request in server.requests if request.path == CARDS]
    assert asked[-2:] == ["bytes=100-", None]
    assert loaded_names(paths) == 40


def test_a_part_of_another_file_is_not_continued(paths: Paths, server: BulkServer) -> None:
    server.cut[CARDS] = [100, 0, 0]
    with pytest.raises(DownloadError):
        update(paths, server)
    server.put("oracle_cards", [scryfall_card(f"New {name}") for name in NAMES], SECOND)
    update(paths, server)
    assert loaded_names(paths) == 40
    server.put(
        "oracle_cards", [scryfall_card(f"Newer {name}") for name in NAMES], "2026-03-06T09:00:00+00:00"
    )
    server.cut[CARDS] = [100]
    server.no_ranges = True
    update(paths, server)
    assert loaded_names(paths) == 40


def test_who_is_locked_out_does_not_ask_again_before_the_time(paths: Paths, server: BulkServer) -> None:
    server.statuses[LIST] = [(429, {"Retry-After": "30"})]
    for _ in range(3):
        with pytest.raises(DownloadError, match=r"not to be asked again for (30|29|28) s"):
            update(paths, server)
    assert server.paths() == [LIST]
    forget_lock_out(paths)
    update(paths, server)
    assert loaded_names(paths) == 40


def test_a_clock_that_was_put_back_does_not_lock_out_for_years(paths: Paths, server: BulkServer) -> None:
    paths.downloads_dir.mkdir(parents=True)
    (paths.downloads_dir / "scryfall.json").write_text(f'{{"not_before": {time.time() + 1e8}}}')
    update(paths, server)
    assert loaded_names(paths) == 40


def test_a_lock_out_in_the_middle_keeps_what_was_fetched(paths: Paths, server: BulkServer) -> None:
    server.statuses[RULINGS] = [(429, {})]
    with pytest.raises(DownloadError, match="30 s"):
        update(paths, server)
    forget_lock_out(paths)
    update(paths, server)
    assert server.paths() == [LIST, CARDS, RULINGS, LIST, RULINGS]
    assert loaded_names(paths) == 40
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.generation == 1


def test_cards_imported_by_hand_meanwhile_are_replaced_by_the_update(
    paths: Paths, server: BulkServer, tmp_path: Path
) -> None:
    update(paths, server)
    other = write_json(tmp_path / "oracle-cards-20250101.json", [scryfall_card("Other")])
    import_cards(paths, other, QuietProgress())
    assert update(paths, server) == [("cards", False), ("rulings", True)]
    assert loaded_names(paths) == 40


@pytest.mark.parametrize("path", [LIST, CARDS, RULINGS])
@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_refusal_is_told_and_nothing_changes(
    paths: Paths, server: BulkServer, path: str, status: int
) -> None:
    update(paths, server)
    before = read_pointer(paths.knowledge_dir)
    server.put("oracle_cards", [scryfall_card("Other") for _ in NAMES], SECOND)
    server.put("rulings", [], SECOND)
    server.statuses[path] = [(status, {})]
    if path == RULINGS:
        server.put("oracle_cards", [scryfall_card(name) for name in NAMES], FIRST)
    with pytest.raises(DownloadError, match=f"answered {status}"):
        update(paths, server)
    assert read_pointer(paths.knowledge_dir) == before


PAGE = b"<!doctype html><title>Be right back</title>"
SPOILT = {
    "a list that is a page": (LIST, PAGE, "text/html"),
    "a list that says it is JSON and is a page": (LIST, PAGE, "application/json"),
    "a list of other types": (LIST, b'{"data": [{"type": 5, "updated_at": "x", "download_uri": "y"}]}', ""),
    "a list without cards": (LIST, b'{"data": []}', ""),
    "a list without end": (LIST, b" " * 2_000_000, ""),
    "cards that are a page": (CARDS, PAGE, "text/html"),
    "cards that say they are JSON and are a page": (CARDS, PAGE, "application/json"),
    "cards that end early": (CARDS, b'[{"object": "card", "name": "Wick"}, {"ob', ""),
    "no cards": (CARDS, b"[]", ""),
    "cards of other types": (CARDS, b'[{"object": "card", "name": "Wick", "cmc": "two"}]', ""),
    "far fewer cards": (CARDS, b'[{"object": "card", "name": "Wick", "oracle_id": "x"}]', ""),
    "rulings of other types": (RULINGS, b'[{"oracle_id": "x", "comment": "y", "published_at": 5}]', ""),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_not_as_it_should_be_is_refused_and_not_kept(
    paths: Paths, server: BulkServer, name: str
) -> None:
    update(paths, server)
    before = read_pointer(paths.knowledge_dir)
    path, body, kind = SPOILT[name]
    kinds = {CARDS: "oracle_cards", RULINGS: "rulings"}
    server.put(kinds.get(path, "oracle_cards"), [scryfall_card(name) for name in NAMES], SECOND)
    server.bodies[path] = body
    server.kinds[path] = kind or "application/json"
    with pytest.raises(DownloadError) as caught:
        update(paths, server)
    assert len(caught.value.message) < 500
    assert read_pointer(paths.knowledge_dir) == before
    del server.bodies[path], server.kinds[path]
    if path == RULINGS:
        server.put("rulings", [scryfall_ruling(NAMES[2], "Back.")], SECOND)
    assert [unchanged for _, unchanged in update(paths, server)].count(False) == 1
    assert loaded_names(paths) == 40


def test_nobody_there_is_said_without_waiting(paths: Paths) -> None:
    settings = Settings(data=DataSettings(cards_source="http://127.0.0.1:9/bulk-data"))
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 was not reached: no connection"):
        update_cards(paths, settings, QuietProgress())
    for address in ("nonsense", "http://[", "file:///etc/passwd"):
        with pytest.raises(DownloadError):
            update_cards(paths, Settings(data=DataSettings(cards_source=address)), QuietProgress())


def test_without_a_network_nothing_is_asked(
    paths: Paths, server: BulkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    with pytest.raises(DownloadError, match="HEXCORE_OFFLINE"):
        update(paths, server)
    assert server.requests == []
