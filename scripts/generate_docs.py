"""Write the reference pages from the code itself: `python scripts/generate_docs.py [--check]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from hexcore_engine import errors
from hexcore_engine.cli.command import CommandParser
from hexcore_engine.cli.main import COMMANDS
from hexcore_engine.service.process import USAGE as ENGINE_USAGE
from hexcore_engine.settings import SettingField, sections, setting_fields
from hexcore_tui.__main__ import options_parser
from hexcore_tui.actions import ACTIONS, SCOPE_TITLES, keys_text
from hexcore_tui.widgets.chat.marks import MARKS
from hexcore_tui.widgets.chat.prompt_commands import SLASH_COMMANDS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"

COMMANDS_HEAD = """# Commands

`hexcore COMMAND [OPTIONS] [WORDS]`. stdout is data, stderr is narration. `--json`, which every command
takes, prints one JSON document on every exit (`route --json -` one a line); a failure is
`{"error": {"code", "message", "remedy"}}` beside whatever partial fields exist. `--help` says what stands
here.

Words of queries are taken as they are, a leading `-` or `!` included; an unknown option is an error only
when it starts with `--`. After `--` everything is a word.

| exit code | |
|---|---|
| 0 | found or answered |
| 1 | nothing found, not running, a problem that `doctor` found, or an aim that `bench` missed |
| 2 | wrong use |
| 3 | not set up |
| 4 | the engine, a source or the disk failed |

`hexcore --version` and `hexcore --about` say what this is.
"""

SETTINGS_HEAD = """# Settings

One TOML file, `settings.toml` in the folder your platform keeps settings in (`~/.config/hexcore` on Linux,
`~/Library/Application Support/hexcore` on macOS), or `config/settings.toml` below `HEXCORE_HOME`;
`hexcore doctor` names it.
`hexcore models use` and the app write into it and keep your comments. A variable `HEXCORE_<SECTION>_<KEY>`
counts more than the file. An unknown key is an error that names the nearest known one.

| variable | |
|---|---|
| `HEXCORE_HOME` | everything lies below this folder: data, models, conversations, settings, logs |
| `HEXCORE_OFFLINE` | `1` never fetches anything; a model server is still spoken to |
| `HEXCORE_API_KEY` | key of a model server, unless `[model] api_key_variable` names another variable |
"""

KEYS_SECTION = """## [keys]

Keys of your own: the name of an action as [Keys](keys.md) lists it, and its keys, comma-separated; `""` takes
its key away. `"rules.back"` means that place alone, `back` every place that has one. A line that can't be
followed is said when the app starts, with the nearest good word; the others count.

```toml
[keys]
go_cards = "f12"
copy_answer = "f8, ctrl+y"
"rules.back" = "alt+b"
```
"""


def commands_page() -> str:
    """Every command with its options."""
    parts = [COMMANDS_HEAD]
    for name, summary in COMMANDS.items():
        parser = CommandParser(prog=f"hexcore {name}", description=summary)
        importlib.import_module(f"hexcore_engine.cli.{name}").configure(parser)
        parts += _command_parts(parser, f"{summary[0].upper()}{summary[1:]}.")
    app = options_parser()
    parts += _command_parts(app, app.description or "")
    parts += ["## hexcore-engine\n", f"```\n{ENGINE_USAGE}\n```\n"]
    return "\n".join(parts)


def _command_parts(parser: argparse.ArgumentParser, summary: str) -> list[str]:
    rows = list(_option_rows(parser))
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    return [f"## {parser.prog}\n", f"{summary}\n", f"```\n{_usage(parser)}\n```\n", *table]


def _usage(parser: argparse.ArgumentParser) -> str:
    words = [_argument_name(action) for action in parser._actions if not action.option_strings]
    options = ["[OPTIONS]"] if any(action.option_strings for action in parser._actions) else []
    return " ".join([parser.prog, *options, *words])


def _argument_name(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest).upper()
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(str(action.nargs), name)


def _option_rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest).upper()
        value = f" {action.metavar}" if action.option_strings and action.metavar else ""
        yield f"| `{names}{value}` | {_cell(action.help or '')} |"


def settings_page() -> str:
    """Every key of every section."""
    parts = [SETTINGS_HEAD]
    for name, kind in sections().items():
        parts += [f"## [{name}]\n", f"{(kind.__doc__ or '').strip()}\n"]
        parts += ["| key | default | values | | counts |", "|---|---|---|---|---|"]
        parts += [_setting_row(field) for field in setting_fields() if field.section == name]
        parts.append("")
    return "\n".join([*parts, KEYS_SECTION])


def _setting_row(field: SettingField) -> str:
    default = "empty" if field.default == "" else f"`{field.default}`"
    values = ", ".join(f"`{word}`" for word in field.choices) or field.values
    return f"| `{field.name}` | {default} | {_cell(values)} | {_cell(field.description)} | {field.effect} |"


def keys_page() -> str:
    """Every key of the app, by the place where it works."""
    parts = [
        "# Keys\n",
        "`^P` is Ctrl and P together. F1 shows this page in the app, `?` the keys of where you are. Names",
        "are for [[keys] of the settings](settings.md#keys), which changes any of them.\n",
    ]
    for scope, title in SCOPE_TITLES.items():
        actions = [action for action in ACTIONS if action.scope == scope]
        if actions:
            parts += [f"## {title}\n", "| key | name | |", "|---|---|---|"]
            parts += [
                f"| {_keys(action.key)} | `{action.setting_name}` | {_cell(action.help)} |"
                for action in actions
            ]
            parts.append("")
    parts += _table("Typed in the question field", "word", [(f"`{a}`", b) for a, b in SLASH_COMMANDS])
    marks = [(f"{mark.symbol} {mark.word}", mark.meaning) for mark in MARKS.values()]
    parts += _table("Marks on rule numbers", "mark", marks)
    return "\n".join(parts)


def _table(title: str, left: str, rows: list[tuple[str, str]]) -> list[str]:
    head = [f"## {title}\n", f"| {left} | |", "|---|---|"]
    return [*head, *(f"| {first} | {_cell(second)} |" for first, second in rows), ""]


def _keys(keys: str) -> str:
    return " or ".join(f"`{keys_text(key)}`" for key in keys.split(",") if key) or "in the palette"


def errors_page() -> str:
    """Every error with its code, exit code and remedy."""
    parts = [
        "# Errors\n",
        "A message says what happened and why, the line below it what to do, and the code. Codes",
    ]
    parts += [
        "stay the same between versions. The remedy is the usual one; a message may have a closer one.\n"
    ]
    parts += ["Programs catch a kind with all below it:\n", f"```\n{_drawing()}\n```\n"]
    parts += ["| code | exit | what it means | what to do |", "|---|---|---|---|"]
    for kind in _tree(errors.HexcoreError):
        meaning = (kind.__doc__ or "").split("\n\n")[0]
        parts.append(
            f"| `{kind.code}` | {kind.exit_code} | {_cell(meaning)} | {_cell(kind.default_remedy)} |"
        )
    return "\n".join([*parts, ""])


def _drawing() -> str:
    """The tree, drawn from the classes."""
    return "\n".join(_branches(errors.HexcoreError, ""))


def _branches(kind: type[errors.HexcoreError], lead: str) -> Iterator[str]:
    if not lead:
        yield f"{kind.__name__:<34}{kind.code}"
    children = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    for child in children:
        last = child is children[-1]
        drawn = f"{lead}{'└── ' if last else '├── '}{child.__name__}"
        yield f"{drawn:<34}{child.code}"
        yield from _branches(child, lead + ("    " if last else "│   "))


def _tree(kind: type[errors.HexcoreError]) -> Iterator[type[errors.HexcoreError]]:
    """The classes of `errors`: others only give one of its codes a constructor of their own."""
    if kind.__module__ == errors.__name__:
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
