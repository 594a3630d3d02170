"""Which models are taken, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.errors import HexcoreError, ModelMissingError
from hexcore_engine.models.catalog import decoder_of, describe, list_models, use_model
from hexcore_engine.settings import ModelSettings, Settings
from tests.conftest import paths_of

WITH_PASSWORD = "http://otter:lanternkey@127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    "address", [WITH_PASSWORD, "https://lanternkey@host/v1", "http://otter:lanternkey@[::1/v1"]
)
def test_an_address_with_a_password_is_refused_and_never_repeated(address: str, tmp_path: Path) -> None:
    paths = paths_of(tmp_path)
    with pytest.raises(ModelMissingError) as named:
        use_model(paths, address)
    assert not paths.settings_file.exists()
    assert "lanternkey" not in str(named.value) + str(named.value.remedy)
    assert "HEXCORE_API_KEY" in str(named.value.remedy)


def test_a_password_in_the_settings_is_neither_used_nor_listed(tmp_path: Path) -> None:
    paths = paths_of(tmp_path)
    settings = ModelSettings(path=WITH_PASSWORD)
    with pytest.raises(ModelMissingError, match="password"):
        describe(settings, paths)
    listed = list_models(Settings(model=settings), paths)
    assert not listed[0].available
    assert "lanternkey" not in repr(listed)
    with pytest.raises(HexcoreError) as refused:
        decoder_of(WITH_PASSWORD, "torch")
    assert "lanternkey" not in str(refused.value)
