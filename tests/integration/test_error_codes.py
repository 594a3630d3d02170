"""Each code of the error tree, brought about through the command line by a real cause, and read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from hexcore_engine import errors
from hexcore_engine.client.run_folder import ensure_run_folder
from hexcore_engine.client.supervisor import engine_status
from hexcore_engine.data.demo import build_demo
from hexcore_engine.data.vectors import LOCK_NAME
from hexcore_engine.knowledge.store.integrity import digest_of
from hexcore_engine.knowledge.store.pointer import read_pointer, write_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.sessions.store import SessionStore
from hexcore_engine.utils.locks import try_lock
from tests.integration.faulty_server import faulty_server
from tests.integration.parts import HEXCORE, QUESTION, SLOW_TEXT, Run, wait_until
from tests.unit.test_documentation import TROUBLESHOOTING, fits, quotes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]


@dataclass
class Machine:
    """Where a cause is laid out: a home with our digest and the scripted model, and the program."""

    paths: Paths
    hexcore: Run
    environment: pytest.MonkeyPatch
    folder: Path

    def set(self, name: str, value: str) -> None:
        """Set a variable for every program that follows."""
        self.environment.setenv(name, value)


@pytest.fixture
def machine(scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(scripted_home, hexcore, monkeypatch, tmp_path)


def newer_engine(machine: Machine) -> Done:
    """The engine of another machine is newer and answers with a code that is not known here."""
    peer = machine.folder / "peer.py"
    peer.write_text(
        "import sys\n"
        "from hexcore_engine.protocol.codec import HEADER, PROTOCOL_VERSION, Envelope, encode_frame\n"
        "from hexcore_engine.protocol.codec import decode_payload, frame_size\n"
        "from hexcore_engine.protocol.events import RequestFailed, Welcomed\n"
        "from hexcore_engine.protocol.records import ErrorRecord\n"
        "answers = [Welcomed(PROTOCOL_VERSION, '', 1, '9', None),\n"
        "           RequestFailed(ErrorRecord('HX-TOMORROW', 'It broke.', 'Mend it.'))]\n"
        "for answer in answers:\n"
        "    asked = decode_payload(sys.stdin.buffer.read(frame_size(sys.stdin.buffer.read(HEADER.size))))\n"
        "    sys.stdout.buffer.write(encode_frame(Envelope(asked.request_id, answer)))\n"
        "    sys.stdout.buffer.flush()\n"
    )
    machine.set("HEXCORE_ENGINE_COMMAND", f"{sys.executable} {peer}")
    return machine.hexcore("sessions", "--json")


def damaged_installation(machine: Machine, file: str, *words: str) -> Done:
    """One file of the installed package is cut short."""
    copy = machine.folder / "installed"
    shutil.copytree(
        ROOT / "hexcore_engine", copy / "hexcore_engine", ignore=shutil.ignore_patterns("__pycache__")
    )
    (copy / "hexcore_engine" / file).write_text("def")
    machine.set("PYTHONPATH", str(copy))
    return machine.hexcore(*words, cwd=machine.folder)


def damaged_command(machine: Machine) -> Done:
    return damaged_installation(machine, "cli/glossary.py", "glossary", "trample", "--json")


def damaged_engine(machine: Machine) -> Done:
    machine.hexcore("ask", QUESTION)
    machine.hexcore("engine", "stop")
    return damaged_installation(machine, "sessions/export.py", "sessions", "export", "last", "--json")


def leaving_engine(machine: Machine) -> Done:
    """Something holds the engine's lock and listens nowhere."""
    ensure_run_folder(machine.paths)
    lock = try_lock(machine.paths.engine_lock_file)
    assert lock is not None
    try:
        return machine.hexcore("engine", "stop", "--json")
    finally:
        os.close(lock)


def damaged_lists(machine: Machine) -> Done:
    """Valid for SQLite and with its hash, but what the retriever reads of it was changed by hand."""
    (file,) = machine.paths.knowledge_dir.glob("rules-*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE postings SET data = substr(data, 1, 3)")
    connection.close()
    pointer = read_pointer(machine.paths.knowledge_dir)
    assert pointer is not None
    digests = {**pointer.digests, file.name: digest_of(file)}
    write_pointer(machine.paths.knowledge_dir, replace(pointer, digests=digests))
    return machine.hexcore("ask", QUESTION, "--no-model", "--json")


def unknown_command(machine: Machine) -> Done:
    return machine.hexcore("rul", "702.2", "--json")


def misspelt_setting(machine: Machine) -> Done:
    machine.paths.config_dir.mkdir()
    machine.paths.settings_file.write_text("[modle]\n")
    return machine.hexcore("models", "--json")


def no_examples(machine: Machine) -> Done:
    """Our own words have no examples to measure with."""
    return machine.hexcore("eval", "--examples", "--json")


def no_model_file(machine: Machine) -> Done:
    return machine.hexcore("ask", QUESTION, "--model", str(machine.folder / "none.gguf"), "--json")


def no_cards(machine: Machine) -> Done:
    return machine.hexcore("card", "Nettle Adder", "--json")


def vectors_twice(machine: Machine) -> Done:
    """Another process builds the vectors."""
    lock = try_lock(machine.paths.knowledge_dir / LOCK_NAME)
    assert lock is not None
    try:
        return machine.hexcore("data", "vectors", "--json")
    finally:
        os.close(lock)


def update_offline(machine: Machine) -> Done:
    return machine.hexcore("data", "update", "--json")


def no_rules_file(machine: Machine) -> Done:
    file = machine.folder / "page.txt"
    file.write_text("a recipe for soup\n")
    return machine.hexcore("data", "import", str(file), "--json")


def home_is_a_file(machine: Machine) -> Done:
    """What should be a folder is a file of somebody else's."""
    file = machine.folder / "taken"
    file.write_text("")
    machine.set("HEXCORE_HOME", str(file / "home"))
    return machine.hexcore("setup", "--rules", "none", "--json")


def damaged_knowledge(machine: Machine) -> Done:
    build_demo(machine.paths.knowledge_dir)
    for file in machine.paths.knowledge_dir.glob("knowledge-*.sqlite"):
        file.write_bytes(b"no file of ours" * 100)
    return machine.hexcore("card", "Nettle Adder", "--json")


def older_knowledge(machine: Machine) -> Done:
    build_demo(machine.paths.knowledge_dir)
    for file in machine.paths.knowledge_dir.glob("knowledge-*.sqlite"):
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 1")
        connection.close()
    return machine.hexcore("card", "Nettle Adder", "--json")


def router_without_weights(machine: Machine) -> Done:
    return damaged_installation(machine, "models/weights/router.npz", "route", QUESTION, "--json")


def no_such_conversation(machine: Machine) -> Done:
    return machine.hexcore("sessions", "show", "nope", "--json")


def dead_command(machine: Machine) -> Done:
    machine.set("HEXCORE_ENGINE_COMMAND", "false")
    return machine.hexcore("sessions", "--json")


def killed_engine(machine: Machine) -> Done:
    machine.set("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    words = [*HEXCORE, "ask", QUESTION, "--json"]
    asking = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def writing() -> int | None:
        status = asyncio.run(engine_status(machine.paths))
        return status.pid if status is not None and status.generated_tokens > 5 else None

    os.kill(wait_until(writing) or 0, signal.SIGKILL)
    out, err = asking.communicate(timeout=20)
    return Done(words, asking.returncode, out, err)


def endless_conversation(machine: Machine) -> Done:
    """More than a frame of the protocol holds."""
    store = SessionStore(machine.paths.sessions_file)
    session = store.create("long")
    for _ in range(9):
        turn = store.begin_turn(session, "Go on?")
        store.update_turn(turn, response="word " * 200_000, stop_reason="end")
    store.close()
    return machine.hexcore("sessions", "export", session, "--json")


def failing_decoder(machine: Machine) -> Done:
    machine.set("HEXCORE_SCRIPTED_FAIL_AFTER", "3")
    return machine.hexcore("ask", QUESTION, "--json")


def tiny_context(machine: Machine) -> Done:
    """A server's model that holds fewer tokens than any prompt has."""
    with faulty_server() as server:
        server.models = (200, json.dumps({"data": [{"id": "own", "max_model_len": 40}]}).encode())
        return machine.hexcore("ask", QUESTION, "--model", server.address, "--json")


def foreign_adapter(machine: Machine) -> Done:
    """Weights of no adapter, for a model that torch runs."""
    base = machine.folder / "base"
    base.mkdir()
    (base / "config.json").write_text('{"model_type": "llama"}')
    header = b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (base / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    (base / "tokenizer.json").write_text("{}")
    adapter = machine.folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "SOUP"}')
    words = ("models", "add-adapter", str(adapter), "--mode", "REASON", "--base", str(base))
    return machine.hexcore(*words, "--json")


def experts_stay_whole(machine: Machine) -> Done:
    """A mixture of experts of a kind that can't be made 4-bit, asked to be so."""
    pytest.importorskip("torch", reason="the torch extra is not installed")
    from tests.unit.tiny_models import make_mixture

    sizes = {"num_experts": 4, "moe_intermediate_size": 128, "shared_expert_intermediate_size": 128}
    folder = make_mixture(machine.folder / "mixture", "qwen2_moe", **sizes)
    options = ("--model", str(folder), "--decoder", "torch", "--quantization", "4bit")
    return machine.hexcore("ask", QUESTION, *options, "--json", timeout=180)


def no_time(machine: Machine) -> Done:
    """The first answer measures the speed; the next one is held to a millisecond."""
    machine.set("HEXCORE_ENGINE_LATENCY_BUDGET_MS", "1")
    machine.hexcore("ask", QUESTION)
    return machine.hexcore("ask", QUESTION, "--json")


def no_memory(machine: Machine) -> Done:
    machine.environment.delenv("HEXCORE_MODEL_PATH")
    machine.set("HEXCORE_ENGINE_MEMORY_BUDGET_MB", "1")
    return machine.hexcore("ask", QUESTION, "--json", timeout=120)


# Words that were made up here, not Hexcore's.
OF_THE_TEST = ("It broke. [HX-TOMORROW]", "The scripted model was told to fail here.")
Cause = Callable[[Machine], Done]
CAUSES: list[tuple[Cause, type[errors.HexcoreError]]] = [
    (newer_engine, errors.HexcoreError),
    (damaged_command, errors.HexcoreError),
    (unknown_command, errors.UsageError),
    (misspelt_setting, errors.SettingsError),
    (no_examples, errors.NotSetUpError),
    (no_model_file, errors.ModelMissingError),
    (no_cards, errors.KnowledgeMissingError),
    (update_offline, errors.DownloadError),
    (no_rules_file, errors.ImportFileError),
    (home_is_a_file, errors.StorageError),
    (damaged_lists, errors.KnowledgeRetrievalError),
    (damaged_knowledge, errors.KnowledgeCorruptError),
    (older_knowledge, errors.KnowledgeOutdatedError),
    (router_without_weights, errors.RoutingError),
    (no_such_conversation, errors.SessionError),
    (damaged_engine, errors.EngineError),
    (dead_command, errors.EngineUnreachableError),
    (killed_engine, errors.EngineLostError),
    (leaving_engine, errors.EngineUnreachableError),
    (endless_conversation, errors.ProtocolError),
    (failing_decoder, errors.DecoderError),
    (tiny_context, errors.ContextOverflowError),
    (foreign_adapter, errors.ExpertAdapterError),
    (experts_stay_whole, errors.DeviceMappingError),
    (no_time, errors.LatencyBudgetError),
]


def has_a_heading(message: str, code: str) -> bool:
    """Whether the page of troubles heads a paragraph with this message and code."""
    headings = [line for line in TROUBLESHOOTING.splitlines() if line.startswith("###") and code in line]
    return any(fits(quoted, message) for heading in headings for quoted in quotes(heading))


def check(done: Done, kind: type[errors.HexcoreError]) -> None:
    """The exit code, one JSON document with code, message and remedy, a paragraph on the page of troubles."""
    assert "Traceback" not in done.stderr
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (kind.exit_code, kind.code), error
    assert has_a_heading(error["message"], kind.code) or error["message"] in OF_THE_TEST, error
    assert error["remedy"].endswith((".", "`", "?"))


@pytest.mark.parametrize(("cause", "kind"), CAUSES)
def test_a_code_is_shown_for_its_cause(
    cause: Cause, kind: type[errors.HexcoreError], machine: Machine
) -> None:
    check(cause(machine), kind)


def test_a_model_that_exceeds_its_memory_budget_is_refused_with_the_code(
    model_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "embedded")
    check(no_memory(Machine(model_home, hexcore, monkeypatch, tmp_path)), errors.MemoryError)


def test_vectors_that_are_being_built_are_not_built_twice(machine: Machine, sentence_model: Path) -> None:
    shutil.copytree(sentence_model / "models", machine.paths.models_dir, copy_function=os.link)
    check(vectors_twice(machine), errors.DataError)


def test_every_code_has_a_cause() -> None:
    apart = {errors.MemoryError.code, errors.DataError.code}
    caused = {kind.code for _, kind in CAUSES} | apart
    codes = {kind.code for kind in errors._all_kinds(errors.HexcoreError)}
    assert caused == codes
    headed = {code for code in codes if re.search(rf"^###.*\({code}\)$", TROUBLESHOOTING, re.MULTILINE)}
    assert headed == codes
