"""Set-up, imports and updates as a client of the real engine asks for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import DownloadError, ImportFileError, UsageError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.builder import import_lock
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from tests.integration.parts import answer_to
from tests.unit.data.own_card_files import scryfall_card, write_json
from tests.unit.data.own_rules import own_rules

pytestmark = pytest.mark.slow


async def test_files_are_imported_beside_the_answers_and_used_by_the_next(
    client: EngineClient, scripted_home: Paths, tmp_path: Path
) -> None:
    rules, cards = tmp_path / "rules.txt", tmp_path / "cards.json"
    rules.write_bytes(own_rules())
    write_json(cards, [scryfall_card("Moss Lantern", oracle_text="It glows.")])
    before = await answer_to(client, "What is a lantern?")
    assert before.rules_release is None
    for file in (rules, cards):
        told = [event async for event in client.stream(requests.ImportData(str(file)))]
        assert isinstance(told[-1], events.DataChanged)
        assert all(isinstance(event, events.DataProgressed) for event in told[:-1])
    assert "1 cards" in told[-1].text
    knowledge = Knowledge(scripted_home.knowledge_dir)
    assert knowledge.card("moss lantern") is not None
    knowledge.close()
    after = await answer_to(client, "What is a lantern?")
    assert after.rules_release == "2025-01-02"


async def test_what_can_not_be_imported_is_one_error_and_the_engine_goes_on(
    client: EngineClient, tmp_path: Path
) -> None:
    rubbish = tmp_path / "rubbish.txt"
    rubbish.write_bytes(b"nothing of rules")
    for name, kind in ((str(rubbish), ImportFileError), (str(tmp_path), ImportFileError), (" ", UsageError)):
        with pytest.raises(kind) as raised:
            await client.call(requests.ImportData(name))
        assert raised.value.remedy
    with pytest.raises(DownloadError, match="HEXCORE_OFFLINE"):
        await client.call(requests.UpdateData())
    assert (await answer_to(client)).stop_reason == "end"


async def test_an_import_that_waits_for_another_says_for_whom(
    client: EngineClient, scripted_home: Paths, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_bytes(own_rules())
    told: list[events.Event] = []
    with import_lock(scripted_home.knowledge_dir):
        stream = client.stream(requests.ImportData(str(rules)))
        async for event in stream:
            told.append(event)
            if isinstance(event, events.DataProgressed) and "Waiting" in event.text:
                break
    told += [event async for event in stream]
    assert f"another import (process {os.getpid()}, since " in told[0].text
    assert isinstance(told[-1], events.DataChanged)


async def test_set_up_says_what_is_ready_and_what_is_missing(client: EngineClient) -> None:
    done = await client.call(requests.RunSetup())
    assert isinstance(done, events.DataChanged)
    assert "ready    digest" in done.text
    assert "missing  cards" in done.text
