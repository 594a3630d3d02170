"""How far loading is: from what was read, and from the last load."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexcore_engine.models.load_times import MOST_MODELS, LoadTimes, LoadWatch

KNOWN = {"starting": 2.0, "reading": 6.0, "warming": 2.0}


class Clock:
    """A clock that is set by hand, seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_first_load_knows_its_time_alone() -> None:
    clock = Clock()
    watch = LoadWatch({}, clock)
    watch.begin("reading")
    watch.reached(0.5)
    clock.now += 4
    assert watch.progress() == ("reading", 4.0, None)


def test_a_second_load_tells_its_share_of_the_first_ones_time() -> None:
    clock = Clock()
    watch = LoadWatch(KNOWN, clock)
    watch.begin("starting")
    clock.now += 1
    assert watch.progress().share == pytest.approx(0.1)
    watch.begin("reading")
    clock.now += 3
    assert watch.progress().share == pytest.approx(0.5)


def test_what_is_counted_stands_above_the_clock() -> None:
    clock = Clock()
    watch = LoadWatch(KNOWN, clock)
    watch.begin("starting")
    clock.now += 2
    watch.begin("reading")
    clock.now += 60
    watch.reached(0.25)
    assert watch.progress().share == pytest.approx((2 + 0.25 * 6) / 10)


def test_a_share_never_falls_and_a_late_stage_says_nothing_of_the_rest() -> None:
    clock = Clock()
    watch = LoadWatch(KNOWN, clock)
    watch.begin("reading")
    clock.now += 6
    share = watch.progress().share
    assert share is not None
    watch.reached(0.1)
    assert watch.progress().share == share
    late = LoadWatch(KNOWN, clock)
    late.begin("starting")
    clock.now += 30
    assert late.progress() == ("starting", 30.0, None)


def test_a_stage_nobody_knows_says_nothing_of_the_rest() -> None:
    watch = LoadWatch(KNOWN)
    watch.begin("fetching")
    assert watch.progress().share is None


def test_times_are_kept_by_model_and_the_oldest_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "models" / "load-times.json"
    clock = Clock()
    watch = LoadWatch({}, clock)
    watch.begin("reading")
    clock.now += 2
    watch.begin("warming")
    clock.now += 1
    LoadTimes(file).remember("first", watch.finish())
    assert LoadTimes(file).of("first") == {"reading": 2.0, "warming": 1.0}
    for number in range(MOST_MODELS):
        LoadTimes(file).remember(f"model {number}", {"reading": 1.0})
    assert LoadTimes(file).of("first") == {}
    assert LoadTimes(file).of("model 0") == {"reading": 1.0}


@pytest.mark.parametrize(
    "text", ["", "[]", "nothing", '{"first": 3}', '{"first": {"reading": "long"}}', "[" * 9999]
)
def test_a_spoilt_file_is_as_good_as_none_and_mended_by_the_next_load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "load-times.json"
    file.write_text(text, "utf-8")
    times = LoadTimes(file)
    assert times.of("first") == {}
    times.remember("first", {"reading": 1.0})
    assert times.of("first") == {"reading": 1.0}


def test_a_folder_that_can_not_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", "utf-8")
    times = LoadTimes(tmp_path / "models" / "load-times.json")
    times.remember("first", {"reading": 1.0})
    assert times.of("first") == {}
