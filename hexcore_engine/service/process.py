"""Entry point of `hexcore-engine`: the engine process itself, or with `--stdio` a bridge to it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from hexcore_engine.errors import HexcoreError
from hexcore_engine.paths import Paths, default_paths

if TYPE_CHECKING:
    from hexcore_engine.settings import Settings

logger = logging.getLogger(__name__)
USAGE = """usage: hexcore-engine [--stdio]

Runs Hexcore's engine in the foreground; clients start one by themselves, detached.

  --stdio   join or start this user's engine and copy its bytes over stdin and stdout, for
            `ssh box hexcore-engine --stdio`; owns nothing, so a dropped line costs nothing"""


def main() -> int:
    """Run and return the exit code; 0 also when another engine already runs."""
    words = sys.argv[1:]
    if words not in ([], ["--stdio"]):
        sys.stderr.write(USAGE + "\n")
        return 0 if words in (["-h"], ["--help"]) else 2
    try:
        paths = default_paths()
        if words:
            from hexcore_engine.service.stdio_bridge import copy_bytes

            return asyncio.run(copy_bytes(paths))
        return run_engine(paths)
    except HexcoreError as error:
        sys.stderr.write(f"{error.message} {error.remedy}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def run_engine(paths: Paths) -> int:
    """Hold the lock and serve until told to leave."""
    from hexcore_engine.client.run_folder import ensure_run_folder
    from hexcore_engine.settings import load_settings
    from hexcore_engine.utils.locks import try_lock
    from hexcore_engine.utils.logging import log_to_file

    ensure_run_folder(paths)
    lock = try_lock(paths.engine_lock_file)
    if lock is None:
        return 0
    # The end of a terminal or a line of ssh is no reason to end an answer.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to_file(paths.engine_log_file)
    try:
        settings = load_settings(paths.settings_file)
        asyncio.run(_serve(paths, settings))
    finally:
        os.close(lock)
    return 0


async def _serve(paths: Paths, settings: Settings) -> None:
    from hexcore_engine.service.engine import Engine

    await Engine(paths, settings).serve()


if __name__ == "__main__":
    sys.exit(main())
