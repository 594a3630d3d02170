"""`hexcore data import|update|status|pin|rollback|remove|vectors`: where rules and cards come from, how old
they are, and which are in use."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.data.imports import CARDS, RULES, UPDATED, import_file, update_sources
from hexcore_engine.data.progress import BarProgress
from hexcore_engine.data.sources_in_use import (
    SourcesStatus,
    pin_release,
    remove_source,
    roll_back_cards,
    roll_back_rules,
    sources_status,
)
from hexcore_engine.errors import UsageError
from hexcore_engine.paths import named_path


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=list(ACTIONS), help="; ".join(ACTIONS_HELP))
    parser.add_argument("words", nargs="*", help="what the action takes: a file, a date, `rules` or `cards`")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do it; warnings about a file don't change the exit code."""
    return ACTIONS[arguments.action](arguments.words, context)


def _import(words: list[str], context: Context) -> int:
    if not words:
        raise UsageError("`hexcore data import` takes a file.", "hexcore data import FILE")
    report = import_file(context.paths, named_path(joined(words)), BarProgress())
    context.output.result(report.document, report.text)
    return 0


def _update(words: list[str], context: Context) -> int:
    """Ask the sources; one that can't be reached is reported and the other is asked."""
    wanted = _one_of(words, "update", UPDATED, default="")
    updates = {
        name: update_sources(context.paths, context.settings, BarProgress(), name)
        for name in ((wanted,) if wanted else UPDATED)
    }
    document = {name: update.document for name, update in updates.items()}
    failed = [name for name, update in updates.items() if update.error]
    if failed:
        document["error"] = document[failed[0]]["error"]
    context.output.result(document, "\n".join(update.text for update in updates.values()))
    return 4 if failed else 0


def _status(words: list[str], context: Context) -> int:
    _one_of(words, "status", (), default="")
    status = sources_status(context.paths)
    context.output.result(status, status_text(status))
    return 0 if status.rules or status.cards else 1


def _pin(words: list[str], context: Context) -> int:
    if len(words) != 1:
        raise UsageError("`hexcore data pin` takes the date of a release, or `none`.", "hexcore data status")
    current = pin_release(context.paths, words[0])
    pinned = current.key if current and words[0].lower() != "none" else None
    said = f"pinned {pinned}" if pinned else "nothing is pinned; the newest release is in use"
    context.output.result({"current": current.key if current else None, "pinned": pinned}, said)
    return 0


def _roll_back(words: list[str], context: Context) -> int:
    if _one_of(words, "rollback", (RULES, CARDS), default=RULES) == CARDS:
        roll_back_cards(context.paths)
        cards = sources_status(context.paths).cards
        context.output.result(
            {"cards": cards}, f"cards in use: {cards.source} ({cards.date})" if cards else ""
        )
        return 0
    entry = roll_back_rules(context.paths)
    said = f"rules in use: {entry.key}, pinned; `hexcore data pin none` goes back to the newest"
    context.output.result({"current": entry.key, "pinned": entry.key}, said)
    return 0


def _remove(words: list[str], context: Context) -> int:
    if len(words) != 1:
        raise UsageError(
            "`hexcore data remove` takes the date of a release, or `cards`.", "hexcore data status"
        )
    removed = remove_source(context.paths, words[0])
    context.output.result({"removed": removed}, f"removed {removed}")
    return 0


def _vectors(words: list[str], context: Context) -> int:
    """Build the vectors of the rules in use, here and now; what was begun before is gone on with."""
    _one_of(words, "vectors", (), default="")
    # Costs the start-up time of numpy, and of torch where there is something to build.
    from hexcore_engine.data.vectors import build, require_vectors
    from hexcore_engine.utils.device import default_threads

    require_vectors(context.paths, context.settings.data)
    told = BarProgress()
    done = build(
        context.paths,
        lambda progress: told.say(f"{progress.done:,} of {progress.total:,} texts"),
        default_threads(),
    )
    context.output.result({"texts": done.total}, f"{done.total:,} texts have vectors")
    return 0


def _one_of(words: list[str], action: str, known: tuple[str, ...], default: str) -> str:
    if not words:
        return default
    if len(words) > 1 or words[0] not in known:
        takes = f"takes {' or '.join(known)}" if known else "takes nothing more"
        raise UsageError(f"`hexcore data {action}` {takes}.", "See `hexcore data --help`.")
    return words[0]


def status_text(status: SourcesStatus) -> str:
    """Return what is loaded as text, the age of each source said."""
    lines = []
    for release in status.rules:
        marks = [*(["in use"] if release.current else []), *(["pinned"] if release.pinned else [])]
        mark = f"  ({', '.join(marks)})" if marks else ""
        lines.append(f"rules  {release.key:<12} {_age_text(release.age_days)}{mark}")
    if not status.rules:
        lines.append("rules  none; `hexcore data update rules`, or `hexcore data import FILE`")
    if status.cards:
        cards = status.cards
        back = ", those before are kept" if cards.can_roll_back else ""
        lines.append(
            f"cards  {cards.date or 'no date':<12} {_age_text(cards.age_days)}  "
            f"{cards.num_cards:,} from {cards.source}{back}"
        )
    else:
        lines.append("cards  none; `hexcore setup`, or `hexcore data update cards`")
    lines.append(f"digest {status.digest_entries:,} rules in our words, not official")
    return "\n".join([*lines, *(f"warning: {warning}" for warning in status.warnings)])


def _age_text(days: int | None) -> str:
    if days is None:
        return "age unknown"
    return f"{days:,} {'day' if days == 1 else 'days'} old"


ACTIONS: dict[str, Callable[[list[str], Context], int]] = {
    "import": _import,
    "update": _update,
    "status": _status,
    "pin": _pin,
    "rollback": _roll_back,
    "remove": _remove,
    "vectors": _vectors,
}
ACTIONS_HELP = (
    "import FILE: rules or cards you have",
    "update [rules|cards]: ask the sources",
    "status: what is loaded and how old it is",
    "pin DATE|none: keep one release in use",
    "rollback [rules|cards]: use those before",
    "remove DATE|cards",
    "vectors: prepare finding rules by meaning, which the engine does in the background too",
)
