"""What every command of `hexcore` shares: its parser, its output and its way to fail.

A command is a module with `configure(parser)` and `run(arguments, context) -> exit code`.
"""

from __future__ import annotations

import argparse
import codecs
import difflib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from hexcore_engine.errors import HexcoreError, UsageError
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.protocol.records import to_builtins
from hexcore_engine.settings import Settings
from hexcore_engine.utils.validation import clean_text, escape_in_json

Name = TypeVar("Name", bound=str)
# More than there are rules or cards, and less than an index can count.
MOST_RESULTS = 1_000_000


@dataclass
class Output:
    """stdout is data, stderr is narration. With `as_json` exactly one JSON document is printed."""

    as_json: bool = False
    printed: bool = field(default=False, init=False)

    def result(self, document: Any, text: str) -> None:
        """Print the command's result: `document` (records and containers of them) as JSON, or `text`."""
        shown = _json_line(document) if self.as_json else _text_lines(text)
        # Not before: of a document that can't be written as JSON at least the error is. Not after: a stdout
        # that failed is not written to again.
        self.printed = True
        sys.stdout.write(shown)
        sys.stdout.flush()

    def narrate(self, text: str) -> None:
        """Say something beside the result."""
        sys.stderr.write(clean_text(text).rstrip("\n") + "\n")
        sys.stderr.flush()

    def failure(self, error: HexcoreError, partial: dict[str, Any] | None = None) -> None:
        """Print an error for people, or as JSON beside whatever partial fields exist."""
        details = {"code": error.code, "message": error.message, "remedy": error.remedy}
        if self.as_json and not self.printed:
            self.result({**(partial or {}), "error": details}, "")
        else:
            self.narrate(f"{error.message}\n{error.remedy}  [{error.code}]")


def _text_lines(text: str) -> str:
    return clean_text(text).rstrip("\n") + "\n" if text else ""


def _json_line(document: Any) -> str:
    # A terminal that lacks letters gets them escaped: the values stay the same.
    lacks_letters = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
    return escape_in_json(json.dumps(to_builtins(document), ensure_ascii=lacks_letters)) + "\n"


@dataclass(frozen=True)
class Context:
    """What a command is given beside its arguments."""

    paths: Paths
    settings: Settings
    output: Output
    # Why the settings are the defaults, for what works without the user's own.
    settings_error: HexcoreError | None = None


class CommandParser(argparse.ArgumentParser):
    """An argument parser that takes queries verbatim.

    A word is an option only when it is one of the command's own; an unknown word is an error only when it
    starts with `--`. So `hexcore cards -t:land !fire` needs no quoting tricks.
    """

    def __init__(self, **options: Any) -> None:
        self._takes_value: dict[str, bool] = {}
        super().__init__(allow_abbrev=False, **options)

    def add_argument(self, *names: Any, **options: Any) -> Any:
        """Like argparse's, and remembers which options take a value."""
        if names and isinstance(names[0], str) and names[0].startswith("-"):
            plain = options.get("action") in ("store_true", "store_false", "help", "version", "count")
            for name in names:
                self._takes_value[name] = not plain
        return super().add_argument(*names, **options)

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse `words`, options and verbatim words in any order; after `--` all are verbatim."""
        options: list[str] = []
        verbatim: list[str] = []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            name = word.split("=", 1)[0] if word.startswith("--") else word
            if word == "--":
                verbatim.extend(queue)
                break
            if name in self._takes_value:
                options.append(word)
                if self._takes_value[name] and "=" not in word and queue:
                    options.append(queue.pop(0))
            elif word.startswith("--"):
                raise UsageError(f"There is no option {name}.", self._nearest_option(name))
            else:
                verbatim.append(word)
        return self.parse_args([*options, *(["--", *verbatim] if verbatim else [])])

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving, so that `--json` can answer in JSON."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")

    def _nearest_option(self, name: str) -> str:
        near = difflib.get_close_matches(name, list(self._takes_value), n=1)
        return f"Did you mean {near[0]}?" if near else f"See `{self.prog} --help`."


def unforeseen(error: Exception) -> HexcoreError:
    """Write where it happened into the log, without its words, and say what a person can do."""
    import logging
    import traceback

    from hexcore_engine.utils.logging import log_to_file

    file = default_paths().commands_log_file
    log_to_file(file)
    place = "".join(traceback.format_tb(error.__traceback__))
    logging.getLogger(__name__).error("a command failed with %s\n%s", type(error).__name__, place)
    return HexcoreError(
        f"Hexcore failed in a way nobody foresaw: {type(error).__name__}: {error}.",
        f"Install it again where it may be damaged, else please report it with the last lines of {file}.",
    )


def joined(words: Sequence[str]) -> str:
    """Return the words of a query as one text; bytes that are no text become "?"."""
    return " ".join(words).encode("utf-8", "replace").decode("utf-8")


def one_of(kind: str, word: str, known: Sequence[Name]) -> Name:
    """Return the name of `known` that a person wrote, in letters of either size.

    Raises:
        UsageError: when it is none of them, naming them all.
    """
    found = next((name for name in known if name.lower() == word.lower()), None)
    if found is None:
        raise UsageError(f"There is no {kind} {word!r}.", nearest_of(word, [name.lower() for name in known]))
    return found


def nearest_of(word: str, known: Sequence[str]) -> str:
    """Return the remedy for a word that is none of `known`: the nearest, and all of them."""
    near = difflib.get_close_matches(word.lower(), known, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Known: {', '.join(known)}."


def whole_number(most: int) -> Callable[[str], int]:
    """Return what reads an option's number from 1 to `most`, for `type=`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= most:
            shown = text if len(text) < 30 else f"{text[:30]}…"
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most:,} is wanted, not {shown!r}")
        return number

    return read


def add_json(parser: CommandParser) -> None:
    """Add `--json`, which every command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
