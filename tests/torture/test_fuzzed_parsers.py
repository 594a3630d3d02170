"""Readers of bytes from outside, fed with changed examples and with noise: a result or a named error."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.torture.conftest import SEED
from tests.torture.parsers import parsers
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

NUM_EXAMPLES = 1500
ATHERIS_S = 40
# What often breaks a reader.
PIECES = [b"", b"\x00", b"\xff" * 8, b"[" * 3000, b'{"a":' * 3000, b"\x91" * 5000, b"9" * 400, b"-1", b"null"]
PIECES += [b"1e999", b"\\ud800", b'"', b"\xed\xa0\x80", b"\x80" * 4, b"\n" * 50, b"(" * 400, b"NaN", b"\x1b["]
Change = tuple[float, float, bytes]
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.one_of(st.sampled_from(PIECES), st.binary(max_size=12))),
    min_size=1,
    max_size=6,
)


def changed(example: bytes, changes: list[Change]) -> bytes:
    """Replace parts: where each begins and how long it is are shares of the whole."""
    for start, length, piece in changes:
        begin = int(start * len(example))
        end = begin + int(length * length * len(example))
        example = example[:begin] + piece + example[end + len(piece) % 2 :]
    return example


@pytest.mark.parametrize("name", list(parsers()))
def test_no_bytes_break_a_reader(name: str, tally: Tally) -> None:
    parser = parsers()[name]
    count = scaled(NUM_EXAMPLES)

    @seed(SEED)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(CHANGES.map(lambda changes: changed(parser.example, changes)), st.binary(max_size=300)))
    def feed(content: bytes) -> None:
        tally.tried("inputs")
        parser.survives(content)

    feed()


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_no_bytes_found_by_coverage_break_a_reader(tally: Tally) -> None:
    seconds = scaled(ATHERIS_S)
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.coverage_fuzzer", str(seconds), str(SEED % 2**31)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds * 4 + 120,
        check=False,
    )
    runs = [line for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units:")]
    tally.tried("inputs chosen by coverage", int(runs[0].split()[-1]) if runs else 0)
    tally.expect(done.returncode == 0, f"{done.stdout[-1500:]}{done.stderr[-1500:]}")
    tally.expect(runs, f"nothing was tried: {done.stderr[-500:]}")
