"""Import one card file into HEXCORE_HOME: `python -m tests.integration.data.import_once FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.paths import default_paths

if __name__ == "__main__":
    import_cards(default_paths(), Path(sys.argv[1]), QuietProgress())
