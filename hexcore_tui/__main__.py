"""Entry point of `hexcore-tui`: reads the options without loading the screen library, then opens the app."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hexcore_engine import FAN_CONTENT_NOTICE, __version__
from hexcore_engine.errors import HexcoreError

if TYPE_CHECKING:
    import argparse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `hexcore-tui` and return its exit code: 0 left by the user, 2 wrong use, 4 failed."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if not given:
            return _open_app(plain=False)
        return _do(_parse(given))
    except HexcoreError as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}  [{error.code}]\n")
        return error.exit_code


def _do(options: argparse.Namespace) -> int:
    if options.about:
        sys.stdout.write(f"hexcore {__version__}\n{FAN_CONTENT_NOTICE}\n")
        return 0
    if options.screenshot is not None:
        from hexcore_tui.demo_pictures import draw_pictures

        draw_pictures({"chat": options.screenshot})
        return 0
    if options.demo:
        from hexcore_tui.demo import run_demo

        return run_demo()
    return _open_app(plain=options.plain)


def options_parser() -> argparse.ArgumentParser:
    """Return the parser of the options; the documentation is made from it."""
    # Not for the first frame: most people give none.
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(
        prog="hexcore-tui",
        description="Ask rules questions, look up cards and rules, and see what the model costs.",
    )
    parser.add_argument(
        "--demo", action="store_true", help="try the app with invented cards and a scripted model"
    )
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE.svg", help="with --demo: write a picture and leave"
    )
    parser.add_argument(
        "--plain", action="store_true", help="lines only, for screen readers; needs no terminal that can draw"
    )
    parser.add_argument("--about", action="store_true", help="say what this is, and leave")
    parser.add_argument("--version", "-V", action="version", version=f"hexcore {__version__}")
    return parser


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = options_parser()
    options = parser.parse_args(arguments)
    if options.screenshot and not options.demo:
        parser.error("--screenshot needs --demo")
    return options


def _open_app(*, plain: bool) -> int:
    from hexcore_engine.paths import default_paths
    from hexcore_engine.settings import load_settings

    if plain or (os.environ.get("TERM") == "dumb" and sys.stdin.isatty()):
        from hexcore_tui.plain import run_plain

        paths = default_paths()
        return run_plain(paths, load_settings(paths.settings_file))
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        sys.stderr.write(
            "hexcore-tui needs a terminal.\nWithout one, use `hexcore ask`; see `hexcore --help`.\n"
        )
        return 2
    from hexcore_tui import collector
    from hexcore_tui.display_profile import apply_profile, choose_profile

    collector.postpone()
    paths = default_paths()
    settings = load_settings(paths.settings_file)
    profile = choose_profile(settings.screen.profile, os.environ)
    apply_profile(profile, os.environ)
    # Only now: the screen library reads those variables when it is imported.
    from hexcore_tui.app import run_app

    return run_app(paths, settings, profile)


if __name__ == "__main__":
    sys.exit(main())
