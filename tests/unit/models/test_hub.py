from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hexcore_engine.errors import DownloadError, ModelMissingError, StorageError, UsageError
from hexcore_engine.models.catalog import describe, list_models, model_folder, use_model
from hexcore_engine.models.hub import fetch, hub_folder, is_hub_id, look_up
from hexcore_engine.settings import load_settings
from tests.conftest import paths_of
from tests.unit.models.hub_server import HubServer, hub_server
from tests.unit.tiny_models import make_header_only

HUB_ID = "lantern-lab/Mossback-1B"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    pytest.importorskip("huggingface_hub", reason="the torch extra is not installed")
    folder = make_header_only(tmp_path / "served", ("model-1.safetensors", "consolidated.safetensors"))
    (folder / "README.md").write_text("words")
    (folder / "modeling.py").write_text("raise SystemExit")
    with hub_server(HUB_ID, folder) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield server


@pytest.mark.slow
def test_a_model_is_fetched_once_without_what_is_no_part_of_it(hub: HubServer, tmp_path: Path) -> None:
    folder = fetch(look_up(HUB_ID), tmp_path / "models")
    assert folder == hub_folder(HUB_ID, tmp_path / "models")
    assert {file.name for file in folder.iterdir()} == {
        "model-1.safetensors",
        "config.json",
        "tokenizer.json",
    }
    assert hub.fetched() == {"model-1.safetensors", "config.json", "tokenizer.json"}


@pytest.mark.slow
def test_an_interrupted_fetch_goes_on_where_it_stopped(hub: HubServer, tmp_path: Path) -> None:
    header = b'{"w": {"dtype": "U8", "shape": [24000000], "data_offsets": [0, 24000000]}}'
    whole = len(header).to_bytes(8, "little") + header + bytes(24_000_000)
    (hub.folder / "model-1.safetensors").write_bytes(whole)
    # The client keeps what came in pieces of 10 MiB.
    hub.cut["model-1.safetensors"] = 22_000_000
    folder = fetch(look_up(HUB_ID), tmp_path / "models")
    assert (folder / "model-1.safetensors").read_bytes() == whole
    assert "bytes=20971520-" in {wanted for _, _, wanted in hub.asked}


@pytest.mark.slow
def test_pickles_alone_are_not_fetched(hub: HubServer) -> None:
    for file in hub.folder.glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    with pytest.raises(ModelMissingError, match="no safetensors"):
        look_up(HUB_ID)
    assert hub.fetched() == set()


@pytest.mark.slow
def test_what_the_hub_refuses_is_said(hub: HubServer) -> None:
    hub.status, hub.headers = 401, {"X-Error-Code": "RepoNotFound"}
    with pytest.raises(ModelMissingError, match="no model lantern-lab"):
        look_up(HUB_ID)
    hub.status, hub.headers = 403, {"X-Error-Code": "GatedRepo"}
    with pytest.raises(ModelMissingError, match="accepted its terms") as caught:
        look_up(HUB_ID)
    assert "HF_TOKEN" in caught.value.remedy


@pytest.mark.slow
def test_a_hub_that_can_not_be_reached_is_said(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="could not be fetched"):
        look_up(HUB_ID)


@pytest.mark.slow
def test_a_disk_without_room_is_said_before_anything_is_fetched(hub: HubServer, tmp_path: Path) -> None:
    found = look_up(HUB_ID)
    large = type(found)(found.hub_id, found.revision, (*found.files, ("model-2.safetensors", 10**18)))
    with pytest.raises(StorageError, match=r"GB are free"):
        fetch(large, tmp_path / "models")
    assert hub.fetched() == set()


def test_what_is_no_hub_id_is_refused(tmp_path: Path) -> None:
    assert is_hub_id(HUB_ID)
    for location in ("mossback", "/a/b", "a/b/c", "http://a/b", "../b", str(tmp_path)):
        assert not is_hub_id(location)
    with pytest.raises(UsageError, match="no hub id"):
        look_up("mossback")


def test_a_model_that_was_not_fetched_is_named_with_the_command(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    with pytest.raises(ModelMissingError, match=HUB_ID) as caught:
        model_folder(HUB_ID, paths)
    assert f"hexcore models get {HUB_ID}" in caught.value.remedy


def test_a_fetched_model_is_listed_and_chosen_by_its_id(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the torch extra is not installed")
    paths = paths_of(tmp_path / "home")
    make_header_only(hub_folder(HUB_ID, paths.models_dir))
    make_header_only(paths.models_dir / "interrupted.part")
    assert use_model(paths, HUB_ID).decoder == "torch"
    settings = load_settings(paths.settings_file, {})
    assert settings.model.path == HUB_ID
    assert describe(settings.model, paths).num_parameters == 6
    listed = [model.location for model in list_models(settings, paths)]
    assert listed[0] == HUB_ID
    assert not any("interrupted" in location for location in listed)
