"""How far a download is: a bar on a terminal, a line elsewhere."""

from __future__ import annotations

import pytest

from hexcore_engine.data.progress import BarProgress, QuietProgress

Output = pytest.CaptureFixture[str]


def advance(progress: BarProgress | QuietProgress) -> None:
    with progress.step("moss", 4_000_000) as step:
        step.advance_to(1_000_000)
        step.advance_to(4_000_000)


def test_a_terminal_shows_a_bar_that_fills(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    advance(BarProgress())
    shown = capsys.readouterr()
    assert not shown.out
    assert "fetching moss" in shown.err
    assert "4.0/4.0 MB" in shown.err


def test_elsewhere_there_is_one_line_and_stdout_stays_for_results(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    advance(BarProgress())
    assert capsys.readouterr() == ("", "fetching moss (4 MB)\n")


def test_quiet_progress_says_nothing(capsys: Output) -> None:
    quiet = QuietProgress()
    quiet.say("unpacking")
    advance(quiet)
    assert capsys.readouterr() == ("", "")
