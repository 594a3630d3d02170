"""Loading a model beside a question: who waits hears how far it is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.inference.decoders import factory
from hexcore_engine.inference.decoders.base import Decoder, OpeningStopped, StopSignal
from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.models.load_times import LoadWatch
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import ModelLoading
from hexcore_engine.service import model_host
from hexcore_engine.service.model_host import ModelHost
from hexcore_engine.settings import Settings

STAGES = ("reading the weights", "warming up")


class SlowModel:
    """Opens the scripted decoder once it is let; tells its stages."""

    def __init__(self) -> None:
        self.may_finish = threading.Event()

    def open(self, *_: Any, watch: LoadWatch) -> Decoder:
        watch.begin(STAGES[0])
        watch.reached(0.5)
        self.may_finish.wait(30)
        watch.begin(STAGES[1])
        return ScriptedDecoder()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowModel:
    slow = SlowModel()
    monkeypatch.setattr(factory, "open_decoder", slow.open)
    monkeypatch.setattr(model_host, "TELL_AFTER_S", 0.05)
    monkeypatch.setattr(model_host, "TELL_EVERY_S", 0.05)
    return slow


@pytest.fixture
def host(tmp_path: Path) -> ModelHost:
    paths = Paths(home=tmp_path, config_dir=tmp_path / "config", log_dir=tmp_path / "log")
    return ModelHost(paths, Settings())


def test_a_question_hears_how_far_its_model_is_and_by_the_second_load_what_is_left(
    host: ModelHost, slow: SlowModel
) -> None:
    heard: list[ModelLoading] = []

    def tell(event: ModelLoading) -> None:
        heard.append(event)
        if len(heard) % 3 == 0:
            slow.may_finish.set()

    host.open(StopSignal(), tell)
    first, heard[:] = tuple(heard), []
    assert [event.stage for event in first] == [STAGES[0]] * len(first)
    assert {event.share for event in first} == {None}
    assert [event.elapsed_s for event in first] == sorted(event.elapsed_s for event in first)
    assert host.loading() is None
    slow.may_finish.clear()
    host.unload().result()
    host.open(StopSignal(), tell)
    assert len(heard) >= 3
    assert all(event.share is not None and 0.4 < event.share <= 0.5 for event in heard)
    host.close()


def test_a_model_that_is_there_is_told_nothing_about(host: ModelHost, slow: SlowModel) -> None:
    heard: list[ModelLoading] = []
    slow.may_finish.set()
    host.open(StopSignal(), heard.append)
    host.open(StopSignal(), heard.append)
    assert heard == []
    host.close()


def test_a_model_whose_runner_is_gone_is_loaded_again_when_it_is_asked_for(
    host: ModelHost, slow: SlowModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.may_finish.set()
    host.switch("scripted", None).result(10)
    first = host.open(StopSignal(), lambda event: None)
    monkeypatch.setattr(first, "is_usable", lambda: False)
    host.switch("scripted", None).result(10)
    assert host.open(StopSignal(), lambda event: None) is not first


def test_whoever_stops_does_not_wait_for_the_model(host: ModelHost, slow: SlowModel) -> None:
    stop = StopSignal()
    with pytest.raises(OpeningStopped):
        host.open(stop, lambda _: stop.set())
    slow.may_finish.set()
    host.close()
