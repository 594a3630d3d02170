"""Damaged knowledge files: kept aside for their owner to look at, and forgotten, so that they are built
anew."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from msgspec.structs import replace

from hexcore_engine.errors import KnowledgeCorruptError
from hexcore_engine.knowledge.store.builder import import_lock, publish, storage_errors
from hexcore_engine.knowledge.store.integrity import damage_of
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, Pointer, read_pointer


def keep_damaged_aside(folder: Path) -> tuple[str, ...]:
    """Rename each damaged file of a knowledge folder to `*.damaged`; return what they held, in words.

    Raises:
        StorageError: when the folder can't be written.
    """
    try:
        if not _damaged(folder, read_pointer(folder)):
            return ()
    except KnowledgeCorruptError:
        pass
    with import_lock(folder):
        # Read again: another import may have published while this one waited for it.
        return _keep_aside(folder)


def _keep_aside(folder: Path) -> tuple[str, ...]:
    try:
        pointer = read_pointer(folder)
    except KnowledgeCorruptError:
        return ("the list of files in use",) if _rename(folder / POINTER_NAME) else ()
    damaged = _damaged(folder, pointer)
    if pointer is None or not damaged:
        return ()
    for name in damaged:
        _rename(folder / name)
    releases = tuple(entry for entry in pointer.releases if entry.file not in damaged)
    changed = replace(
        pointer,
        generation=pointer.generation + 1,
        cards_file=_whole(pointer.cards_file, damaged),
        previous_cards_file=_whole(pointer.previous_cards_file, damaged),
        releases=releases,
    )
    publish(folder, changed)
    return tuple(_contents(pointer, name) for name in damaged)


def _damaged(folder: Path, pointer: Pointer | None) -> list[str]:
    if pointer is None:
        return []
    return [name for name in pointer.files if damage_of(folder / name, pointer.digests.get(name))]


def _whole(name: str | None, damaged: list[str]) -> str | None:
    return None if name in damaged else name


def _contents(pointer: Pointer, name: str) -> str:
    keys = [entry.key for entry in pointer.releases if entry.file == name]
    return f"rules {keys[0]}" if keys else "cards"


def _rename(file: Path) -> bool:
    with storage_errors(file.parent), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        file.rename(file.with_name(f"{file.name}.{secrets.token_hex(2)}.damaged"))
        return True
    return False
