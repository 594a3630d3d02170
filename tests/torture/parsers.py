"""Every reader of bytes from outside, with a good example of what it reads: the same for each fuzzer.

A reader gets bytes and may raise what its border promises, and nothing else.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hexcore_engine.data.card_readers import read_json
from hexcore_engine.data.json_stream import open_json
from hexcore_engine.data.packaged import read_packaged_cards
from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.decoders.openai_wire import read_chunk, refused
from hexcore_engine.knowledge.index.vector_file import read_vectors, write_vectors
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.decoding import decode_rules_text
from hexcore_engine.knowledge.rules.parser import parse_rules_text
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, Pointer, read_pointer, write_pointer
from hexcore_engine.models.adapter_files import MANIFEST_NAME, read_adapter
from hexcore_engine.models.gguf import read_gguf_header
from hexcore_engine.models.safetensors_file import DamagedFileError, read_header
from hexcore_engine.models.torch_folder import read_torch_folder
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.codec import HEADER, Envelope, decode_payload, encode_frame, frame_size
from hexcore_engine.settings import load_settings
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.themes import read_theme, shipped_themes_dir
from tests.torture.small_gguf import write_small_gguf
from tests.unit.data.own_card_files import atomic_face, atomic_file, scryfall_card, scryfall_ruling, two_faced
from tests.unit.data.own_rules import own_rules
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.index.test_vector_file import own_vectors
from tests.unit.tiny_models import make_header_only

SETTINGS = b'[model]\npath = "embedded"\nthreads = 2\n[answer]\ntemperature = 0.5\n[keys]\nhelp = "f1"\n'
CHUNK = (
    b'{"choices": [{"delta": {"content": "It glows"}, "finish_reason": null}], "usage": {"prompt_tokens": 3}}'
)
QUERY = b't:otter (c>=ug or -o:/gl[ow]+s{1,2}/) mv<4 "moss lantern" order:cmc name:"x y"'


@dataclass(frozen=True)
class Parser:
    """`read` takes bytes; `allowed` is what it may raise beside `HexcoreError`."""

    read: Callable[[bytes], Any]
    example: bytes
    allowed: tuple[type[Exception], ...] = ()

    def survives(self, content: bytes) -> None:
        """Read; anything but a result or a promised error is raised."""
        try:
            self.read(content)
        except HexcoreError as error:
            if not error.message or not error.remedy:
                raise AssertionError("an error says too little") from error
        except self.allowed:
            pass


@cache
def folder() -> Path:
    """A folder for files that are read from disk; one a process."""
    return Path(tempfile.mkdtemp(prefix="hexcore-fuzz-"))


def _file(name: str, content: bytes) -> Path:
    file = folder() / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def _frame(content: bytes) -> None:
    size = frame_size(content[: HEADER.size])
    envelope = decode_payload(content[HEADER.size :][:size])
    assert decode_payload(encode_frame(envelope)[HEADER.size :]) == envelope


def _rules(content: bytes) -> None:
    parse_rules_text(decode_rules_text(content, "fuzzed.txt"), "fuzzed.txt")


def _cards(content: bytes) -> None:
    with open_json(_file("fuzzed.json", content)) as stream:
        opened = read_json(stream)
        for _ in (*opened.cards, *opened.rulings):
            pass


@cache
def _meadow() -> Knowledge:
    publish_own(folder() / "meadow", [own_card(f"Moss {number}") for number in range(20)])
    return Knowledge(folder() / "meadow")


def _query(content: bytes) -> None:
    found = _meadow().search_cards(content.decode("utf-8", "surrogateescape")[:300])
    assert found.error is not None or found.reading


def _look_up(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")[:300]
    knowledge = _meadow()
    knowledge.card(text)
    knowledge.complete_names(text)
    knowledge.nearest_rules(text)


def _adapter(content: bytes) -> None:
    read_adapter(_file(f"adapter/{MANIFEST_NAME}", content).parent)


def _config(content: bytes) -> None:
    model = make_header_only(folder() / "model")
    (model / "config.json").write_bytes(content)
    found = read_torch_folder(model)
    assert found.context_tokens is not None
    found.kv_bytes_per_token()
    found.step_bytes(8)


def _chunk(content: bytes) -> None:
    refused(500, content)
    read_chunk(content.decode("utf-8", "replace"))


def _clean(content: bytes) -> None:
    cleaned = clean_text(content.decode("utf-8", "surrogateescape"))
    assert clean_text(cleaned) == cleaned
    assert "\x1b" not in cleaned


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _written(write: Callable[[Path], object]) -> bytes:
    file = folder() / "example"
    write(file)
    return file.read_bytes()


def _pointer_example() -> bytes:
    write_pointer(folder(), Pointer(3, "knowledge-3.sqlite"))
    return (folder() / POINTER_NAME).read_bytes()


@cache
def parsers() -> dict[str, Parser]:
    """All of them, by what they read."""
    ask = Envelope(7, requests.AskQuestion("Does it glow?", mode="TEACH", max_tokens=5))
    text = Envelope(1, events.TextStreamed("q", 3, "It does [702.2]."))
    scryfall = [scryfall_card("Moss"), two_faced("Lamp", "Wolf"), scryfall_card("Fern", cmc=1.5)]
    header = _json({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}})
    return {
        "frame of a request": Parser(_frame, encode_frame(ask)),
        "frame of an event": Parser(_frame, encode_frame(text)),
        "rules file": Parser(_rules, own_rules()),
        "rules file in UTF-16": Parser(_rules, own_rules().decode().encode("utf-16")),
        "Scryfall cards": Parser(_cards, _json(scryfall)),
        "Scryfall rulings": Parser(_cards, _json([scryfall_ruling("Moss", "It glows.")])),
        "MTGJSON cards": Parser(_cards, _json(atomic_file({"Moss": [atomic_face("Moss")]}))),
        "card query": Parser(_query, QUERY),
        "card name": Parser(_look_up, "Lim-Dûl’s Moss // 702.19b".encode()),
        "GGUF": Parser(
            lambda content: read_gguf_header(_file("fuzzed.gguf", content)), _written(write_small_gguf)
        ),
        "safetensors": Parser(
            lambda content: read_header(_file("fuzzed.safetensors", content)),
            len(header).to_bytes(8, "little") + header + bytes(24),
            (DamagedFileError,),
        ),
        "settings": Parser(lambda content: load_settings(_file("settings.toml", content), {}), SETTINGS),
        "theme": Parser(
            lambda content: read_theme(_file("own.toml", content)),
            (shipped_themes_dir() / "hexcore-dark.toml").read_bytes(),
        ),
        "adapter's manifest": Parser(_adapter, _json({"mode": "TEACH", "kind": "lora", "rank": 4})),
        "model's config": Parser(_config, _json({"num_hidden_layers": 2, "hidden_size": 64, "head_dim": 8})),
        "pointer": Parser(
            lambda content: read_pointer(_file(f"pointed/{POINTER_NAME}", content).parent), _pointer_example()
        ),
        "vectors": Parser(
            lambda content: read_vectors(_file("own.vectors", content)),
            _written(lambda file: write_vectors(file, own_vectors(4))),
        ),
        "packaged cards": Parser(
            lambda content: read_packaged_cards(_file("fuzzed.whl", content)), _written(_packaged_example)
        ),
        "model server's words": Parser(_chunk, CHUNK),
        "text for a screen": Parser(_clean, "a\x1b[31mred\x1b]0;own\x07\u202eé\r\n".encode()),
    }


def _packaged_example(file: Path) -> None:
    import zipfile

    from tests.unit.data.own_package import card_row

    with closing(zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)) as archive:
        archive.writestr("mtg/_data/oracle_corpus.json", json.dumps([card_row("Moss"), card_row("Fern")]))
