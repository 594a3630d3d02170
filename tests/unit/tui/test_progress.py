from __future__ import annotations

import pytest

from hexcore_engine.protocol.progress import duration_words, progress_words
from hexcore_tui.widgets.shared.progress import Progress


def test_half_done_in_three_seconds_takes_about_three_more() -> None:
    assert progress_words(0.5, 3.0) == f"{'█' * 12}{'░' * 12} 50 %  about 3 s left"


def test_a_guess_waits_for_something_to_go_by() -> None:
    assert "left" not in progress_words(0.5, 0.2)
    assert "left" not in progress_words(0.001, 9.0)
    assert "left" not in progress_words(1.0, 9.0)


def test_work_of_unknown_length_says_how_long_it_has_taken() -> None:
    assert progress_words(None, 4.2) == "4 s so far"
    assert progress_words(None, 0.1) == ""


def test_the_next_part_is_timed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("hexcore_tui.widgets.shared.progress.time.monotonic", lambda: now[0])
    progress = Progress()
    now[0] = 100.0
    assert "100 %" in progress.words(1.0)
    assert "left" not in progress.words(0.1)
    now[0] = 102.0
    assert "about 2 s left" in progress.words(0.5)


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (125, "2 min 5 s")])
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
