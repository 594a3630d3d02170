"""What torture tests share: they run only when asked for, print their seed, and end with a table of what was
tried and lost.

`HEXCORE_TORTURE=1` or `-m torture` asks for them; `HEXCORE_TORTURE_SEED` repeats a run,
`HEXCORE_TORTURE_SCALE` (a share of 1) makes it shorter.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import digest_folder, hexcore, home, model_home, scripted_home
from tests.torture.tally import SEED_VARIABLE, Tally, table_of

# Fixtures of the real engine, used here too.
__all__ = ["digest_folder", "hexcore", "home", "model_home", "scripted_home"]

FOLDER = Path(__file__).parent
SEED = int(os.environ.get(SEED_VARIABLE, "") or random.randrange(10**9))
_tallies: list[Tally] = []
_others: list[pytest.TestReport] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave torture out unless it is asked for."""
    if os.environ.get("HEXCORE_TORTURE") == "1" or "torture" in str(config.option.markexpr):
        return
    left_out = [item for item in items if item.get_closest_marker("torture")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chance that the run's seed and the test's name repeat."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts what this test tries; what it loses fails it at its end."""
    counted = Tally(request.node.name, SEED)
    _tallies.append(counted)
    yield counted
    counted.settle()


class _Reports:
    """Remembers tests of other folders that run along, and tests that broke off. Registered by name: pytest
    asks a conftest about the tests below its own folder only."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a report for the table."""
        counted = {tally.name: tally for tally in _tallies}
        name = report.nodeid.rpartition("::")[2]
        if report.when == "call" and name not in counted:
            _others.append(report)
        elif report.when == "call" and report.failed:
            counted[name].broken = True


def pytest_configure(config: pytest.Config) -> None:
    """Have all reports remembered."""
    config.pluginmanager.register(_Reports(), "torture-reports")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was tried and what was lost."""
    if not _tallies:
        return
    terminalreporter.section(f"tried and lost, {SEED_VARIABLE}={SEED}")
    for line in table_of(_tallies, _others):
        terminalreporter.write_line(line)
