"""The meadow as loaded cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.knowledge.lookup import Knowledge
from tests.unit.knowledge.cards.own_cards import publish_own
from tests.unit.knowledge.cards.query.meadow import MEADOW

Search = Callable[[str], CardSearch]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    folder = tmp_path_factory.mktemp("meadow")
    publish_own(folder, MEADOW)
    knowledge = Knowledge(folder)
    yield lambda query: knowledge.search_cards(query, 50)
    knowledge.close()
