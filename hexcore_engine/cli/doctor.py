"""`hexcore doctor`: what works here, what does not, and the remedy on each line."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError, distribution, requires

from hexcore_engine import __version__
from hexcore_engine.cli.command import CommandParser, Context, unforeseen
from hexcore_engine.cli.surroundings import Finding, clipboard, ssh, terminal
from hexcore_engine.errors import HexcoreError, KnowledgeCorruptError, StorageError
from hexcore_engine.protocol.records import to_builtins
from hexcore_engine.utils.memory import MemoryDriver
from hexcore_engine.utils.validation import clean_line

MIN_FREE_BYTES = 500_000_000


def configure(parser: CommandParser) -> None:
    """The command has no options of its own."""


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print all findings; 1 when one of them is a problem."""
    checks: tuple[Callable[[Context], Finding], ...] = (
        _version,
        _packages,
        _llama,
        _home,
        _settings,
        _files,
        _rules,
        _digest,
        _cards,
        _vectors,
        _model,
        _engine,
        _gpu,
        terminal,
        clipboard,
        ssh,
    )
    findings = [_safely(check, context) for check in checks]
    lines = []
    for finding in findings:
        lines.append(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.name:<10} {finding.detail}")
        if finding.remedy:
            lines.append(f"{'':<20} {finding.remedy}")
    ok = all(finding.ok for finding in findings)
    context.output.result({"ok": ok, "findings": to_builtins(findings)}, "\n".join(lines))
    return 0 if ok else 1


def _safely(check: Callable[[Context], Finding], context: Context) -> Finding:
    try:
        return check(context)
    except HexcoreError as error:
        broken = error
    except OSError as error:
        place = clean_line(str(error.filename)) if error.filename else "Something it needs"
        broken = StorageError(
            f"{place} can't be looked at: {error.strerror}.",
            "Make it and the folders it lies in readable, or set HEXCORE_HOME to a folder of yours.",
        )
    except Exception as error:
        broken = unforeseen(error)
    return Finding(check.__name__.strip("_"), False, broken.message, broken.remedy)


def _version(context: Context) -> Finding:
    detail = (
        f"hexcore {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    return Finding("version", sys.version_info >= (3, 11), detail)


def _packages(context: Context) -> Finding:
    # The plain requirements only: what depends on the machine or on an extra has a line of its own or none.
    required = [line for line in requires("hexcore") or () if ";" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        return Finding("packages", False, f"missing: {', '.join(missing)}", "Install Hexcore again with pip.")
    return Finding("packages", True, f"all {len(names)} installed")


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _llama(context: Context) -> Finding:
    if importlib.util.find_spec("xllamacpp") is not None:
        return Finding("llama.cpp", True, "installed")
    remedy = "Look-ups work without; for answers name a server: `hexcore models use http://host/v1`."
    return Finding("llama.cpp", False, "no build for this machine", remedy)


def _home(context: Context) -> Finding:
    home = context.paths.home
    place = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    free = shutil.disk_usage(place).free
    writable = place.is_dir() and os.access(place, os.W_OK)
    ok = writable and free > MIN_FREE_BYTES
    detail = f"{home}: {free / 1e9:.1f} GB free" + ("" if writable else ", not writable")
    return Finding(
        "home", ok, detail, "" if ok else "Set HEXCORE_HOME to a folder with room you can write to."
    )


def _settings(context: Context) -> Finding:
    if context.settings_error is not None:
        raise context.settings_error
    file = context.paths.settings_file
    return Finding("settings", True, str(file) if file.exists() else f"{file}: not there, the defaults hold")


def _files(context: Context) -> Finding:
    from hexcore_engine.knowledge.store.integrity import damage_of
    from hexcore_engine.knowledge.store.pointer import read_pointer

    folder = context.paths.knowledge_dir
    pointer = read_pointer(folder)
    files = pointer.files if pointer else ()
    damage = {name: damage_of(folder / name, pointer.digests.get(name)) for name in files} if pointer else {}
    found = [f"{name}: {reason}" for name, reason in damage.items() if reason]
    if found:
        return Finding("files", False, "; ".join(found), KnowledgeCorruptError.default_remedy)
    return Finding("files", True, f"{len(files)} knowledge files, every byte as it was written")


def _rules(context: Context) -> Finding:
    from hexcore_engine.knowledge.lookup import Knowledge

    with closing(Knowledge(context.paths.knowledge_dir)) as knowledge:
        release = knowledge.release()
    if release is None:
        return Finding("rules", False, "nothing is set up", "Run `hexcore setup`.")
    remedy = "" if release.official else "For the official text: `hexcore data import FILE`."
    return Finding("rules", True, f"{release.source}, {release.num_rules} rules", remedy)


def _digest(context: Context) -> Finding:
    from hexcore_engine.knowledge.digest.loader import load_digest
    from hexcore_engine.knowledge.lookup import Knowledge

    with closing(Knowledge(context.paths.knowledge_dir)) as knowledge:
        stale = knowledge.stale_entries()
    detail = f"{len(load_digest()):,} rules in our words"
    if stale:
        detail += f"; {len(stale)} written for another text of the rule: {', '.join(stale)}"
    return Finding("digest", True, detail)


def _cards(context: Context) -> Finding:
    from hexcore_engine.knowledge.lookup import Knowledge

    with closing(Knowledge(context.paths.knowledge_dir)) as knowledge:
        status = knowledge.status()
    if not status.num_cards:
        return Finding("cards", False, "none loaded", "Run `hexcore setup`.")
    detail = f"{status.num_cards:,} from {status.cards_source} ({status.cards_date})"
    old = [warning for warning in status.warnings if "older" in warning]
    return Finding("cards", True, "; ".join([detail, *old]))


def _vectors(context: Context) -> Finding:
    # Costs the start-up time of numpy.
    from hexcore_engine.data.vectors import describe

    state = describe(context.paths, context.settings.data)
    return Finding("vectors", True, state.detail, state.remedy)


def _model(context: Context) -> Finding:
    from hexcore_engine.models.catalog import describe

    record = describe(context.settings.model, context.paths)
    size = f", {record.weights_bytes / 1e6:,.0f} MB" if record.weights_bytes else ""
    return Finding("model", True, f"{record.name}{size}, run by {record.decoder}")


def _engine(context: Context) -> Finding:
    from hexcore_engine.client.run_folder import ensure_run_folder

    return Finding("engine", True, f"its folder {ensure_run_folder(context.paths)} is private")


def _gpu(context: Context) -> Finding:
    from hexcore_engine.utils.memory import SystemMemoryDriver

    driver = SystemMemoryDriver()
    try:
        return gpu_finding(driver)
    finally:
        driver.close()


def gpu_finding(driver: MemoryDriver, torch_installed: bool | None = None) -> Finding:
    """Say which devices there are, and the command where torch is missing for them."""
    from hexcore_engine.models.advice import missing_torch_note

    gpus = driver.gpus()
    names = ", ".join(gpu.name for gpu in gpus) or "none found; the model runs on the processor"
    return Finding("gpu", True, names, missing_torch_note(gpus, torch_installed))
