"""What the pages promise: their commands exist, and their messages are those that are shown."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine import errors
from hexcore_engine.cli.command import CommandParser, add_json
from hexcore_engine.cli.main import COMMANDS, main
from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import default_paths

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in DOCS.rglob("*.md") if page != DOCS / "reference" / "commands.md"),
]
TROUBLESHOOTING = (DOCS / "guides" / "troubleshooting.md").read_text("utf-8")
# Shapes of commands, not commands.
SHAPES = ("hexcore COMMAND", "hexcore <", "hexcore ...", "hexcore …")


def shown_commands() -> list[tuple[str, str]]:
    """Each `hexcore …` of each page, with the page's name."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        for line in (*lines, *inline):
            command = re.search(r"^(?:\w+=\S+ |ssh (?:-\w+ )*box )*(hexcore .*)", line)
            if command and not command[1].startswith(SHAPES):
                found.append((str(page.relative_to(ROOT)), command[1]))
    return found


@pytest.mark.parametrize(("page", "command"), shown_commands())
def test_each_command_that_is_shown_is_understood(page: str, command: str) -> None:
    assert not re.search(r"[<>|]", re.sub(r"\"[^\"]*\"|'[^']*'", "", command)), (
        "a shell reads that as its own"
    )
    words = shlex.split(command, comments=True)[1:]
    if words == ["--help"] or words[0] in ("--about", "--version"):
        return
    assert words[0] in COMMANDS
    parser = CommandParser(prog=f"hexcore {words[0]}")
    add_json(parser)
    importlib.import_module(f"hexcore_engine.cli.{words[0]}").configure(parser)
    parsed = parser.parse_words([word for word in words[1:] if word != "--help"])
    for action in parser._actions:
        if action.dest in ("action", "what"):
            assert re.search(rf"\b{re.escape(getattr(parsed, action.dest))}\b", str(action.help))


def test_pages_show_commands() -> None:
    assert len(shown_commands()) > 30


def test_every_code_that_is_named_exists() -> None:
    codes = {kind.code for kind in errors._all_kinds(errors.HexcoreError)}
    for page in PAGES:
        assert set(re.findall(r"HX-[A-Z-]+[A-Z]", page.read_text("utf-8"))) <= codes, page


def damaged(home: Path) -> list[str]:
    """A knowledge file with other bytes at its beginning."""
    build_demo(home / "knowledge")
    (file,) = (home / "knowledge").glob("knowledge-*.sqlite")
    with file.open("r+b") as stream:
        stream.write(b"no file of ours")
    return ["card", "Nettle Adder"]


def of_another_version(home: Path) -> list[str]:
    """A knowledge file with the number of another form."""
    import sqlite3

    build_demo(home / "knowledge")
    (file,) = (home / "knowledge").glob("knowledge-*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    return ["card", "Nettle Adder"]


def no_rules_file(home: Path) -> list[str]:
    """A text that is none of the rules."""
    file = home / "page.txt"
    file.write_text("a recipe for soup\n")
    return ["data", "import", str(file)]


def misspelt_section(home: Path) -> list[str]:
    """A settings file with a section that does not exist."""
    (home / "config").mkdir()
    (home / "config" / "settings.toml").write_text("[modle]\n")
    return ["models"]


def misspelt_key(home: Path) -> list[str]:
    """A settings file with a key that does not exist."""
    (home / "config").mkdir()
    (home / "config" / "settings.toml").write_text('[model]\npat = "x"\n')
    return ["models"]


def open_to_others(home: Path) -> list[str]:
    """The engine's folder, readable by everybody."""
    default_paths().run_dir.mkdir()
    default_paths().run_dir.chmod(0o755)
    return ["engine", "status"]


def dead_command(home: Path) -> list[str]:
    """A command that leads to no engine."""
    (home / "config").mkdir()
    (home / "config" / "settings.toml").write_text('[engine]\ncommand = "false"\n')
    return ["sessions"]


CAUSES: list[tuple[Callable[[Path], list[str]], str]] = [
    (lambda home: ["card", "Nettle Adder"], "HX-KNOWLEDGE"),
    (lambda home: ["models", "use", str(home / "none.gguf")], "HX-MODEL"),
    (damaged, "HX-CORRUPT"),
    (of_another_version, "HX-OUTDATED"),
    (no_rules_file, "HX-IMPORT"),
    (misspelt_section, "HX-SETTINGS"),
    (misspelt_key, "HX-SETTINGS"),
    (open_to_others, "HX-UNREACHABLE"),
    (dead_command, "HX-UNREACHABLE"),
]


@pytest.mark.parametrize(("cause", "code"), CAUSES)
def test_the_page_of_troubles_heads_with_what_is_really_shown(
    cause: Callable[[Path], list[str]],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    assert main(cause(tmp_path)) != 0
    shown, remedy = capsys.readouterr().err.strip().splitlines()[-2:]
    assert remedy.endswith(f"[{code}]")
    headings = [line for line in TROUBLESHOOTING.splitlines() if line.startswith("###") and code in line]
    assert any(fits(quoted, shown) for heading in headings for quoted in quotes(heading)), shown


def quotes(heading: str) -> list[str]:
    """The messages a heading quotes; a message may hold quotes of its own."""
    quoted = heading.removeprefix("### ").rsplit(" (HX", 1)[0]
    return [part.strip('"') for part in quoted.split('" or "')]


def fits(quoted: str, shown: str) -> bool:
    """Whether `shown` is what `quoted` says, `…` standing for anything."""
    pattern = ".*".join(re.escape(part) for part in quoted.split("…"))
    return re.match(pattern, shown) is not None
