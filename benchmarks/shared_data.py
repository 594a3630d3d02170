"""Where files lie that measurements need and the source does not hold: official rules, sets of questions."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "HEXCORE_TEST_DATA"
TEST_DATA = Path(os.environ.get(VARIABLE) or Path(__file__).resolve().parents[2] / "shared" / "data")
