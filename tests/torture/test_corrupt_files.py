"""Every file the program keeps, with one byte changed: the right answer or an error with a remedy."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy
import pytest

from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.errors import HexcoreError
from hexcore_engine.knowledge.index.ranker import FOLDER as RANKER_FOLDER
from hexcore_engine.knowledge.index.ranker import WEIGHTS_NAME as RANKER_NAME
from hexcore_engine.knowledge.index.ranker import load_ranker
from hexcore_engine.knowledge.index.vector_file import read_vectors, vectors_file, write_vectors
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.integrity import damage_of
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, read_pointer
from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME, read_adapter
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.router import FOLDER as ROUTER_FOLDER
from hexcore_engine.models.router import WEIGHTS_NAME as ROUTER_NAME
from hexcore_engine.models.router_model import load_model
from hexcore_engine.models.torch_folder import describe_torch_folder, read_torch_folder
from hexcore_engine.paths import Paths
from hexcore_engine.sessions.store import SessionStore
from hexcore_engine.settings import load_settings
from hexcore_engine.utils.locks import lock_holder, try_lock
from hexcore_tui.themes import read_theme, shipped_themes_dir
from tests.conftest import paths_of
from tests.torture.small_gguf import write_small_gguf
from tests.torture.spoiling import Kept, spoil_each
from tests.torture.tally import Tally, scaled
from tests.unit.data.own_rules import own_rules
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.index.test_vector_file import own_vectors
from tests.unit.small_adapters import make_adapter
from tests.unit.tiny_models import make_header_only

pytestmark = pytest.mark.torture

SAMPLED = 500
NUM_SESSIONS, NUM_TURNS = 8, 4
SETTINGS = """# ours
[model]
path = "embedded"
threads = 2
[answer]
max_tokens = 120
temperature = 0.5
[screen]
theme = "hexcore-dark"
motion = "vim"
[keys]
help = "f1"
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home with rules and cards in our own words."""
    paths = paths_of(tmp_path / "home")
    source = tmp_path / "rules.txt"
    source.write_bytes(own_rules())
    import_and_keep(paths, source)
    publish_own(paths.knowledge_dir, [own_card(f"Moss {number}") for number in range(60)])
    return paths


def looked_up(paths: Paths) -> tuple[Any, ...]:
    """What look-ups say of rules and cards."""
    with closing(Knowledge(paths.knowledge_dir)) as knowledge:
        rules = [knowledge.rule(number) for number in ("100", "100.1", "100.1a", "100.2")]
        found = knowledge.search_rules("lantern"), knowledge.glossary("lantern"), knowledge.release()
        cards = knowledge.card("Moss 3"), knowledge.search_cards("moss o:glows").total
        return (*rules, *found, *cards, knowledge.status().num_cards)


def test_a_changed_byte_of_the_pointer_makes_no_other_files_the_ones_in_use(
    paths: Paths, chance: random.Random, tally: Tally
) -> None:
    spoil_each(Kept("pointer", paths.knowledge_dir / POINTER_NAME, lambda: looked_up(paths)), chance, tally)


def test_a_changed_byte_of_the_rules_is_never_another_rule(
    paths: Paths, chance: random.Random, tally: Tally
) -> None:
    pointer = read_pointer(paths.knowledge_dir)
    entry = pointer.current_release() if pointer else None
    assert entry is not None
    file = paths.knowledge_dir / entry.file
    spoil_each(Kept("rules", file, lambda: looked_up(paths), SAMPLED), chance, tally)


def test_a_changed_byte_of_the_cards_is_named_or_found_by_the_doctor(
    paths: Paths, chance: random.Random, tally: Tally
) -> None:
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.cards_file is not None
    file = paths.knowledge_dir / pointer.cards_file
    digest = pointer.digests[pointer.cards_file]

    def found_by_doctor(_right: Any, _got: Any) -> bool:
        return damage_of(file, digest) is not None

    spoil_each(Kept("cards", file, lambda: looked_up(paths), SAMPLED, found_by_doctor), chance, tally)


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    """A file of conversations, closed."""
    file = tmp_path / "sessions.sqlite"
    store = SessionStore(file)
    for session in range(NUM_SESSIONS):
        session_id = store.create(f"About lantern {session}")
        for number in range(NUM_TURNS):
            turn = store.begin_turn(session_id, f"Does lantern {number} glow?")
            store.update_turn(
                turn, response=f"It does [702.{number}]. " * 30, stop_reason="end", notes=("n",)
            )
    store.close()
    return file


def read_conversations(file: Path) -> list[list[tuple[str, str]]] | str:
    """Questions and answers by conversation, or that the file was kept aside."""
    with closing(SessionStore(file)) as store:
        if store.damaged_file is not None:
            return "kept aside"
        store.search("glow")
        listed = store.list_sessions()
        return [[(t.question, t.response) for t in store.turns(entry.session_id)] for entry in listed]


def test_a_changed_byte_of_the_conversations_hides_at_most_one_and_deletes_none(
    conversations: Path, chance: random.Random, tally: Tally
) -> None:
    good, right = conversations.read_bytes(), read_conversations(conversations)
    counts = {"named": 0, "kept aside": 0, "with one letter changed": 0}
    for place in sorted(chance.sample(range(len(good)), min(len(good), scaled(SAMPLED)))):
        spoilt = bytearray(good)
        spoilt[place] ^= chance.randrange(1, 256)
        for file in conversations.parent.glob(f"{conversations.name}*"):
            file.unlink()
        conversations.write_bytes(spoilt)
        tally.tried("changed bytes")
        try:
            got = read_conversations(conversations)
        except HexcoreError as error:
            counts["named"] += 1
            tally.expect(error.remedy and len(error.message) < 400, f"byte {place}: {error!r}")
        except Exception as error:
            tally.lost(f"byte {place}: {error!r}")
        else:
            if got == "kept aside":
                counts["kept aside"] += 1
                kept = [file.read_bytes() for file in conversations.parent.glob("*.damaged")]
                tally.expect(bytes(spoilt) in kept, f"byte {place}: the damaged file was not kept")
            elif got != right:
                counts["with one letter changed"] += 1
                # An index may not find one conversation's turns any more; all of them are in the file.
                least = (NUM_SESSIONS - 1) * NUM_TURNS
                tally.expect(turns_kept(right, got) >= least, f"byte {place}: turns lost")
        tally.expect(list(conversations.parent.glob(f"{conversations.name}*")), f"byte {place}: deleted")
    tally.note(", ".join(f"{count} {what}" for what, count in counts.items()))


def turns_kept(right: Any, got: Any) -> int:
    """How many turns stand there as they were said."""
    said = {turn for session in right for turn in session}
    return sum(turn in said for session in got for turn in session)


def test_a_changed_byte_of_a_text_file_is_named_or_another_valid_value(
    tmp_path: Path, chance: random.Random, tally: Tally
) -> None:
    settings, theme = tmp_path / "settings.toml", tmp_path / "own.toml"
    settings.write_text(SETTINGS)
    shutil.copyfile(shipped_themes_dir() / "hexcore-dark.toml", theme)
    model = make_header_only(tmp_path / "model")
    adapter = make_adapter(tmp_path / "adapter", model)

    def valid(_right: Any, _got: Any) -> bool:
        # A person may have written it; nothing else says what belongs there.
        return True

    def described() -> Any:
        found = read_torch_folder(model)
        return found.kv_bytes_per_token(), found.step_bytes(8), describe_torch_folder(model)

    for kept in (
        Kept("settings", settings, lambda: load_settings(settings, {}), may_differ=valid),
        Kept("theme", theme, lambda: vars(read_theme(theme)), may_differ=valid),
        Kept("model's config", model / "config.json", described, may_differ=valid),
        Kept("model's weights", model / "model.safetensors", described, may_differ=valid),
        Kept("adapter's manifest", adapter / MANIFEST_NAME, lambda: read_adapter(adapter), may_differ=valid),
        Kept("adapter's weights", adapter / WEIGHTS_NAME, lambda: read_adapter(adapter), SAMPLED),
    ):
        spoil_each(kept, chance, tally)


def test_a_changed_byte_of_a_model_file_is_named_or_another_valid_header(
    tmp_path: Path, chance: random.Random, tally: Tally
) -> None:
    file = write_small_gguf(tmp_path / "pebble.gguf")

    def header_of() -> Any:
        header = read_gguf_header(file)
        return header, header.kv_cache_bytes(512)

    spoil_each(Kept("GGUF header", file, header_of, may_differ=lambda right, got: True), chance, tally)


def test_a_changed_byte_of_vectors_or_weights_is_never_used(
    tmp_path: Path, chance: random.Random, tally: Tally
) -> None:
    vectors = vectors_file(tmp_path, "rules-own-1.sqlite")
    write_vectors(vectors, own_vectors())
    router, ranker = tmp_path / ROUTER_NAME, tmp_path / RANKER_NAME
    shutil.copyfile(ROUTER_FOLDER / ROUTER_NAME, router)
    shutil.copyfile(RANKER_FOLDER / RANKER_NAME, ranker)
    # Without weights the fused order stands, which its reasons say.
    no_ranker = load_ranker(tmp_path / "nowhere")
    for kept in (
        Kept("vectors", vectors, lambda: comparable(read_vectors(vectors)), SAMPLED),
        Kept("router's weights", router, lambda: comparable(load_model(router)), SAMPLED // 2),
        Kept(
            "ranker's weights",
            ranker,
            lambda: comparable(load_ranker(tmp_path)),
            SAMPLED // 2,
            lambda right, got: got == comparable(no_ranker),
        ),
    ):
        spoil_each(kept, chance, tally)


def comparable(value: Any) -> Any:
    """Arrays as their bytes, records as their fields."""
    if isinstance(value, numpy.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if hasattr(value, "__dataclass_fields__"):
        return {name: comparable(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@pytest.fixture
def held_lock(tmp_path: Path) -> Callable[[], Any]:
    """A lock file that is held, and who holds it."""
    file = tmp_path / "engine.lock"
    descriptor = try_lock(file)
    assert descriptor is not None
    return lambda: lock_holder(file)


def test_a_changed_byte_of_a_lock_lets_nobody_else_in(
    tmp_path: Path, held_lock: Callable[[], Any], chance: random.Random, tally: Tally
) -> None:
    file = tmp_path / "engine.lock"

    def read() -> bool:
        held_lock()
        return try_lock(file) is None

    spoil_each(Kept("lock", file, read), chance, tally)
