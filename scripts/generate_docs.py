"""Write the reference pages from the code itself: `python scripts/generate_docs.py [--check]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec

from hexcore_engine import errors
from hexcore_engine.cli.command import CommandParser, add_json
from hexcore_engine.cli.main import COMMANDS
from hexcore_engine.settings import Settings
from hexcore_tui.actions import ACTIONS, SCOPE_TITLES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


def commands_page() -> str:
    """Every command with its options."""
    parts = ["# Commands\n", "Exit codes: 0 found or answered, 1 nothing found or not running, 2 wrong use,"]
    parts += ["3 not set up, 4 the engine failed. `--json` prints one JSON document on every exit.\n"]
    for name, summary in COMMANDS.items():
        parser = CommandParser(prog=f"hexcore {name}", description=summary)
        add_json(parser)
        importlib.import_module(f"hexcore_engine.cli.{name}").configure(parser)
        parts += [f"## hexcore {name}\n", f"{summary[0].upper()}{summary[1:]}.\n"]
        parts += ["| | |", "|---|---|", *_option_rows(parser), ""]
    return "\n".join(parts)


def _option_rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest).upper()
        value = f" {action.metavar}" if action.option_strings and action.metavar else ""
        yield f"| `{names}{value}` | {_cell(action.help or '')} |"


def settings_page() -> str:
    """Every key of every section."""
    parts = [
        "# Settings\n",
        "One TOML file, which `hexcore doctor` names. A variable `HEXCORE_<SECTION>_<KEY>`",
    ]
    parts += ["counts more than the file; an unknown key is named with the nearest known one.\n"]
    for section in msgspec.structs.fields(Settings):
        kind = section.type
        parts += [
            f"## [{section.name}]\n",
            f"{(kind.__doc__ or '').strip()}\n",
            "| key | default | |",
            "|---|---|---|",
        ]
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            parts.append(
                f"| `{field.name}` | `{field.default!r}` | {_cell(_description(hints[field.name]))} |"
            )
        parts.append("")
    return "\n".join(parts)


def _description(hint: object) -> str:
    if get_origin(hint) is not Annotated:
        return ""
    return next((meta.description or "" for meta in get_args(hint)[1:] if isinstance(meta, msgspec.Meta)), "")


def keys_page() -> str:
    """Every key of the app, by the place where it works."""
    parts = ["# Keys\n"]
    for scope, title in SCOPE_TITLES.items():
        actions = [action for action in ACTIONS if action.scope == scope]
        if actions:
            parts += [f"## {title}\n", "| key | what it does |", "|---|---|"]
            parts += [f"| {_keys(action.key)} | {_cell(action.help)} |" for action in actions]
            parts.append("")
    return "\n".join(parts)


def _keys(keys: str) -> str:
    shown = [key.replace("question_mark", "?") for key in keys.split(",") if key]
    return ", ".join(f"`{key}`" for key in shown) or "in the palette"


def errors_page() -> str:
    """Every error with its code, exit code and remedy."""
    parts = ["# Errors\n", "| code | exit | what it means | what to do |", "|---|---|---|---|"]
    for kind in _tree(errors.HexcoreError):
        meaning = (kind.__doc__ or "").split("\n\n")[0]
        parts.append(
            f"| `{kind.code}` | {kind.exit_code} | {_cell(meaning)} | {_cell(kind.default_remedy)} |"
        )
    return "\n".join([*parts, ""])


def _tree(kind: type[errors.HexcoreError]) -> Iterator[type[errors.HexcoreError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {"commands": commands_page, "settings": settings_page, "keys": keys_page, "errors": errors_page}


def main() -> int:
    """Write the pages, or with --check name the stale ones; 1 when there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the pages are fresh")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, page in PAGES.items():
        file = FOLDER / f"{name}.md"
        text = page().rstrip() + "\n"
        if check and (not file.is_file() or file.read_text("utf-8") != text):
            stale.append(str(file.relative_to(FOLDER.parent.parent)))
        elif not check:
            file.write_text(text, "utf-8")
    for name in stale:
        print(f"{name} is stale: `python scripts/generate_docs.py` writes it anew")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
