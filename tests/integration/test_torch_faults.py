"""A real engine on tiny torch models: folders, adapters and questions that can't be used, each refused in
words, and the next question answered."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.fingerprint import package_fingerprint
from hexcore_engine.client.supervisor import stop_engine
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.models.adapter_files import WEIGHTS_NAME
from hexcore_engine.models.cross_expert import GATE_NAME
from hexcore_engine.models.torch_folder import INDEX_NAME
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.records import MODE_NAMES
from hexcore_engine.settings import Settings
from tests.integration.parts import QUESTION, Run, answer_to
from tests.unit.small_adapters import change_manifest, make_adapter, rehash
from tests.unit.tiny_models import make_llama

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow
CONTEXT_TOKENS = 4096


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that writes something else for every adapter; nothing may be written into it."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    return make_llama(folder, context_tokens=CONTEXT_TOKENS, spread=0.25)


@pytest.fixture(scope="module")
def tiny_home(llama: Path, digest_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    """A home that answers with the tiny model, and its engine, shared by this file's tests."""
    package_fingerprint.cache_clear()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEXCORE_HOME", str(tmp_path_factory.mktemp("tiny") / "home"))
        environment.setenv("HEXCORE_OFFLINE", "1")
        environment.setenv("HEXCORE_MODEL_PATH", str(llama))
        environment.setenv("HEXCORE_MODEL_QUANTIZATION", "none")
        paths = default_paths()
        shutil.copytree(digest_folder, paths.knowledge_dir)
        yield paths
        asyncio.run(stop_engine(paths))


@pytest.fixture
async def tiny_client(tiny_home: Paths) -> AsyncIterator[EngineClient]:
    """A client of an engine that has the tiny model loaded."""
    connected = await EngineClient.connect(tiny_home, Settings(), client_name="test")
    await connected.call(requests.LoadModel())
    yield connected
    await connected.close()


async def answered(client: EngineClient, **options: Any) -> events.AnswerOutcome:
    """The next question, answered by the tiny model."""
    outcome = await answer_to(client, max_tokens=4, **options)
    assert isinstance(outcome, events.AnswerCompleted), outcome
    assert (outcome.model, outcome.stop_reason) == ("llama", "length")
    return outcome


async def refused(client: EngineClient, request: requests.Request) -> str:
    """The code of what a request was refused with; there is always something to do."""
    event = [event async for event in client.stream(request)][-1]
    assert isinstance(event, events.RequestFailed | events.AnswerFailed), event
    assert event.error.message
    assert event.error.remedy
    return f"{event.error.code} {event.error.message}"


# -- models


def miss_a_shard(folder: Path) -> None:
    (folder / INDEX_NAME).write_text(json.dumps({"weight_map": {"lm_head": "model-00002.safetensors"}}))


def add_a_pickle(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")


def have_another_tokenizer(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))


def lose_the_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def hold_no_numbers(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"].fill_(float("nan"))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


MODEL_FAULTS: list[tuple[Callable[[Path], None], str, str]] = [
    (miss_a_shard, "HX-MODEL", "model-00002.safetensors is missing"),
    (add_a_pickle, "HX-MODEL", "pickled weights"),
    (have_another_tokenizer, "HX-MODEL", "not its own"),
    (lose_the_template, "HX-MODEL", "no chat template"),
    (hold_no_numbers, "HX-DECODER", "numbers that are none"),
]


async def test_a_model_that_cant_be_used_is_refused_and_the_one_before_goes_on(
    tiny_client: EngineClient, tmp_path: Path
) -> None:
    await answered(tiny_client)
    for harm, code, said in MODEL_FAULTS:
        folder = make_llama(tmp_path / harm.__name__, context_tokens=CONTEXT_TOKENS)
        harm(folder)
        told = await refused(tiny_client, requests.LoadModel(str(folder)))
        assert told.startswith(code), told
        assert said in told
        await answered(tiny_client)


async def test_a_configured_model_that_cant_be_used_leaves_the_evidence_and_is_said(
    home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_llama(tmp_path / "bare", template=None)
    monkeypatch.setenv("HEXCORE_MODEL_PATH", str(folder))
    client = await EngineClient.connect(home, Settings(), client_name="test")
    for _ in range(2):
        outcome = await answer_to(client)
        assert (outcome.stop_reason, outcome.response) == ("no_model", "")
        assert any("no chat template" in note and "instruct model" in note for note in outcome.notes)
    await client.close()


async def test_numbers_that_are_none_in_mid_question_end_it_and_the_next_is_answered(
    tiny_client: EngineClient, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make_llama(tmp_path / "llama", context_tokens=CONTEXT_TOKENS)
    # One sign that no prompt holds but the question has no number; what is written has one for each.
    (token,) = AutoTokenizer.from_pretrained(folder)("~")["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.model.embed_tokens.weight.data[token].fill_(float("nan"))
    model.save_pretrained(folder)
    loaded = await tiny_client.call(requests.LoadModel(str(folder)))
    assert isinstance(loaded, events.ModelLoaded)
    await answered(tiny_client)
    for _ in range(2):
        told = await refused(tiny_client, requests.AskQuestion(f"{QUESTION} ~", max_tokens=4))
        assert told.startswith("HX-DECODER")
        assert "numbers that are none" in told
        await answered(tiny_client)


# -- questions


async def test_a_prompt_that_fills_the_context_is_refused_and_one_token_less_is_answered(
    tiny_client: EngineClient, llama: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    # Evidence would make room by going, a long question by being cut: this one has none and is short.
    question = "qqxyzzy"
    sent = messages_for((), user_message(question, ("EXPLAIN",), ()))
    conversation = [{"role": message.role, "content": message.content} for message in sent]
    tokenizer = AutoTokenizer.from_pretrained(llama)
    num_tokens = len(tokenizer.apply_chat_template(conversation, add_generation_prompt=True)["input_ids"])
    asked = requests.AskQuestion(question, mode="EXPLAIN", max_tokens=1)
    for context_tokens, fits in ((num_tokens + 1, True), (num_tokens, False), (num_tokens - 1, False)):
        folder = make_llama(tmp_path / str(context_tokens), context_tokens=context_tokens)
        await tiny_client.call(requests.LoadModel(str(folder)))
        if fits:
            outcome = await answer_to(tiny_client, question, mode="EXPLAIN", max_tokens=1)
            assert outcome.usage is not None
            assert (outcome.usage.prompt_tokens, outcome.usage.generated_tokens) == (num_tokens, 1)
        else:
            assert (await refused(tiny_client, asked)).startswith("HX-CONTEXT")
            outcome = await answer_to(tiny_client, "q", mode="EXPLAIN", max_tokens=1)
            assert outcome.usage is not None
            assert outcome.usage.generated_tokens == 1


async def test_a_question_stopped_before_its_first_token_and_twice_leaves_the_engine_well(
    tiny_client: EngineClient,
) -> None:
    stream = tiny_client.stream(requests.AskQuestion(QUESTION, max_tokens=500))
    accepted = await anext(stream)
    assert isinstance(accepted, events.QuestionAccepted)
    stops = [tiny_client.call(requests.StopAnswer(accepted.question_id)) for _ in range(2)]
    assert all(isinstance(event, events.StopAccepted) for event in await asyncio.gather(*stops))
    outcome = [event async for event in stream][-1]
    assert isinstance(outcome, events.AnswerStopped)
    assert (outcome.stop_reason, outcome.response) == ("stopped", "")
    await answered(tiny_client)


@pytest.mark.parametrize(
    ("budgets", "code"),
    [({"latency_budget_ms": 0.0}, "HX-LATENCY"), ({"memory_budget_mb": 0.0}, "HX-MEMORY")],
)
async def test_a_budget_of_nothing_is_refused(
    tiny_client: EngineClient, budgets: dict[str, float], code: str
) -> None:
    told = await refused(tiny_client, requests.AskQuestion(QUESTION, **budgets))  # type: ignore[arg-type]
    assert told.startswith(code)
    await answered(tiny_client)


# -- adapters


def be_for_another_base(folder: Path) -> None:
    change_manifest(folder, base_model_hash="f" * 64)


def have_another_hash(folder: Path) -> None:
    change_manifest(folder, sha256="0" * 64)


def hold_a_nan(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS_NAME).read_bytes())
    content[-4:] = torch.tensor(float("nan")).numpy().tobytes()
    (folder / WEIGHTS_NAME).write_bytes(bytes(content))
    rehash(folder)


ADAPTER_FAULTS: list[tuple[Callable[[Path], None], str]] = [
    (be_for_another_base, "made for another model"),
    (have_another_hash, "sha256 differs"),
    (hold_a_nan, "numbers that are none"),
]


@pytest.fixture
def adapters(tiny_home: Paths, llama: Path) -> Iterator[Path]:
    """The tiny home's folder of adapters, one for each mode."""
    for seed, mode in enumerate(MODE_NAMES):
        make_adapter(tiny_home.adapters_dir / mode.lower(), llama, mode, seed=seed)
    yield tiny_home.adapters_dir
    shutil.rmtree(tiny_home.adapters_dir)


async def test_an_adapter_that_cant_be_used_leaves_the_base_says_why_and_the_next_is_used(
    adapters: Path, llama: Path, tiny_client: EngineClient
) -> None:
    for harm, said in ADAPTER_FAULTS:
        harm(adapters / "reason")
        notes = (await answered(tiny_client, mode="REASON")).notes
        assert "No adapter for REASON; the base answered with the mode's instructions." in notes
        assert any(said in note for note in notes), notes
        assert (
            "The adapter explain for EXPLAIN answered." in (await answered(tiny_client, mode="EXPLAIN")).notes
        )
        make_adapter(adapters / "reason", llama, "REASON")
        assert "The adapter reason for REASON answered." in (await answered(tiny_client, mode="REASON")).notes


def notes_of(done: object) -> list[str]:
    document = json.loads(done.stdout)  # type: ignore[attr-defined]
    assert done.returncode == 0, document  # type: ignore[attr-defined]
    return list(document["metadata"]["notes"])


def test_the_command_lets_experts_write_together_or_says_why_not(adapters: Path, hexcore: Run) -> None:
    words = ("ask", QUESTION, "--max-tokens", "4", "--json")
    ranked = json.loads(hexcore("route", QUESTION, "--json").stdout)["ranked"]
    first, second = (str(entry["mode"]) for entry in ranked[:2])
    assert f"The adapter {first.lower()} for {first} answered." in notes_of(hexcore(*words, "--experts", "1"))
    assert any(
        note.startswith(f"Mixed by routing confidence: {first}") and second in note
        for note in notes_of(hexcore(*words, "--experts", "2"))
    )
    gate = adapters / GATE_NAME
    gate.write_bytes(b"unproven")
    assert_refused(hexcore(*words, "--experts", "2"), "no run card")
    gate.unlink()
    be_for_another_base(adapters / second.lower())
    assert_refused(hexcore(*words, "--experts", "2"), f"{second} has no adapter")
    assert f"The adapter {first.lower()} for {first} answered." in notes_of(hexcore(*words))


def assert_refused(done: object, said: str) -> None:
    assert done.returncode == 4  # type: ignore[attr-defined]
    error = json.loads(done.stdout)["error"]  # type: ignore[attr-defined]
    assert error["code"] == "HX-ADAPTER"
    assert said in error["message"]
    assert error["remedy"]


async def test_where_routing_is_unsure_two_write_unless_the_setting_says_one(
    adapters: Path, tiny_client: EngineClient, home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure = "my nephew wants to get the stack into his head"
    together = (await answered(tiny_client, question=unsure)).notes
    assert any(note.startswith("Mixed by routing confidence") for note in together)
    shutil.copytree(adapters, home.adapters_dir)
    monkeypatch.setenv("HEXCORE_ANSWER_EXPERTS", "one")
    client = await EngineClient.connect(home, Settings(), client_name="test")
    (note,) = [note for note in (await answered(client, question=unsure)).notes if "adapter" in note]
    assert "Mixed" not in note
    assert note.endswith("answered.")
    await client.close()
