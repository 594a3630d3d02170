from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    Expert,
    StopSignal,
)

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder  # noqa: E402
from hexcore_engine.models.adapter_files import MANIFEST_NAME, WEIGHTS_NAME, read_adapter  # noqa: E402
from hexcore_engine.models.cross_expert import CARD_NAME, GATE_NAME  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from hexcore_engine.protocol.records import ModeName  # noqa: E402
from tests.unit.small_adapters import (  # noqa: E402
    change_manifest,
    make_adapter,
    write_safetensors,
)
from tests.unit.tiny_models import make_llama  # noqa: E402

QUESTION = (ChatMessage("system", "Answer."), ChatMessage("user", "[702.19b] damage is left. What then?"))
LORAS = (Expert("REASON", 0.6), Expert("EXPLAIN", 0.4))
ACTIVATED = (Expert("TEACH", 0.6), Expert("PREDICT", 0.4))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("models") / "llama", spread=0.25)


@pytest.fixture(scope="module")
def loaded(base: Path) -> LoadedTorchModel:
    return load_torch_model(base, "none", device_map="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def invocation(loaded: LoadedTorchModel) -> tuple[int, ...]:
    """What begins every answer of the chat template."""
    return tuple(loaded.tokenizer.encode("<|im_start|>assistant\n", add_special_tokens=False))


@pytest.fixture(scope="module")
def adapters(base: Path, invocation: tuple[int, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    make_adapter(folder / "judge", base, "REASON", seed=1)
    make_adapter(folder / "clerk", base, "EXPLAIN", seed=2)
    make_adapter(folder / "teacher", base, "TEACH", seed=3, invocation=invocation)
    make_adapter(folder / "seer", base, "PREDICT", seed=4, invocation=invocation)
    return folder


@pytest.fixture
def make_decoder(loaded: LoadedTorchModel, adapters: Path) -> Iterator[Callable[..., TorchDecoder]]:
    made: list[TorchDecoder] = []

    def make(**options: Any) -> TorchDecoder:
        given: dict[str, Any] = {
            "context_tokens": 256,
            "threads": 1,
            "prompt_cache_mb": 16,
            "drafting": False,
            "adapters_dir": adapters,
        }
        made.append(TorchDecoder(loaded, **(given | options)))
        return made[-1]

    yield make
    for decoder in made:
        decoder.expert_manager.close()


def run(
    decoder: TorchDecoder, experts: tuple[Expert, ...], num_tokens: int = 20, **options: Any
) -> tuple[str, DecodeFinished]:
    messages = options.pop("messages", QUESTION)
    request = DecodeRequest(messages, num_tokens, experts=experts, **options)
    pieces = list(decoder.generate(request, StopSignal()))
    assert isinstance(pieces[-1], DecodeFinished)
    return "".join(piece.text for piece in pieces if isinstance(piece, DecodedText)), pieces[-1]


def plain_greedy(decoder: TorchDecoder, mode: ModeName, num_tokens: int) -> str:
    """The likeliest tokens by whole forwards; an adapter acts from where it is invoked."""
    manager = decoder.expert_manager
    (adapter,) = manager.load(mode)
    tokens = decoder._encode(QUESTION)
    prompt = len(tokens)
    begin = prompt - len(adapter.manifest.invocation_tokens) if adapter.manifest.kind == "alora" else 0
    with torch.inference_mode():
        for _ in range(num_tokens):
            output = manager.run([adapter], [len(tokens) - begin], input_ids=torch.tensor([tokens]))
            tokens.append(int(output.logits[0, -1].argmax()))
    return str(decoder.tokenizer.decode(tokens[prompt:], skip_special_tokens=True)).rstrip("\ufffd")


@pytest.mark.parametrize("mode", ["REASON", "TEACH"])
def test_an_adapter_writes_what_whole_forwards_give(mode: ModeName, make_decoder: Any) -> None:
    decoder = make_decoder(prefill_chunk=7, drafting=True)
    text, end = run(decoder, (Expert(mode),))
    assert text == plain_greedy(decoder, mode, end.generated_tokens)
    assert text != run(make_decoder(), ())[0]


def test_each_answer_says_who_wrote_it(make_decoder: Any) -> None:
    decoder = make_decoder()
    assert run(decoder, ())[1].notes == ()
    assert run(decoder, (Expert("REASON"),))[1].notes == ("The adapter judge for REASON answered.",)
    base = "No adapter for RETROSPECT; the base answered with the mode's instructions."
    assert run(decoder, (Expert("RETROSPECT"),))[1].notes == (base,)
    mixed = run(decoder, LORAS)[1].notes
    assert mixed == ("Mixed by routing confidence: REASON 60%, EXPLAIN 40%.",)
    one = run(decoder, (Expert("REASON", 0.6), Expert("RETROSPECT", 0.4)))[1].notes
    assert one == ("The adapter judge for REASON answered.",)
    nobody = run(make_decoder(adapters_dir=None), LORAS)
    assert nobody[1].notes == ("No adapter for REASON; the base answered with the mode's instructions.",)
    assert nobody[0] == run(decoder, ())[0]


@pytest.mark.parametrize("pair", [LORAS, ACTIVATED, (LORAS[0], ACTIVATED[0])])
def test_all_weight_on_one_is_that_adapter_token_for_token(
    pair: tuple[Expert, ...], make_decoder: Any
) -> None:
    for place, expert in enumerate(pair):
        alone = run(make_decoder(), (Expert(expert.mode),), repetition_penalty=1.15)
        weighed = tuple(Expert(other.mode, float(at == place)) for at, other in enumerate(pair))
        mixed = run(make_decoder(prefill_chunk=8), weighed, repetition_penalty=1.15)
        assert mixed[0] == alone[0]


@pytest.mark.parametrize("pair", [LORAS, ACTIVATED, (LORAS[0], ACTIVATED[0])])
def test_a_mixture_is_the_weighed_sum_of_its_experts_logits(
    pair: tuple[Expert, ...], make_decoder: Any
) -> None:
    decoder = make_decoder(drafting=True)
    text, end = run(decoder, pair)
    manager = decoder.expert_manager
    tokens = decoder._encode(QUESTION)
    prompt = len(tokens)
    rows = manager.load(*(expert.mode for expert in pair))
    begins = [prompt - len(adapter.manifest.invocation_tokens) for adapter in rows]
    with torch.inference_mode():
        for _ in range(end.generated_tokens):
            logits = sum(
                expert.weight
                * manager.run([row], [len(tokens) - begin], input_ids=torch.tensor([tokens])).logits[0, -1]
                for expert, row, begin in zip(pair, rows, begins, strict=True)
            )
            tokens.append(int(logits.argmax()))
    expected = decoder.tokenizer.decode(tokens[prompt:], skip_special_tokens=True)
    assert text == expected.rstrip("\ufffd")


def test_the_cache_of_one_expert_is_never_served_to_another(make_decoder: Any) -> None:
    decoder = make_decoder()
    fresh = {mode: run(make_decoder(), (Expert(mode),))[0] for mode in ("REASON", "EXPLAIN")}
    for mode in ("REASON", "EXPLAIN", "REASON"):
        text, end = run(decoder, (Expert(mode),))
        assert text == fresh[mode]
    assert end.cached_tokens == end.prompt_tokens - 1
    for experts in ((), (Expert("EXPLAIN"),), (Expert("TEACH"),), LORAS):
        decoder = make_decoder()
        run(decoder, (Expert("REASON"),))
        assert run(decoder, experts)[1].cached_tokens == 0, experts


def test_an_adapter_with_other_weights_is_never_served_the_old_ones_cache(
    make_decoder: Any, base: Path, tmp_path: Path
) -> None:
    make_adapter(tmp_path / "a", base, "REASON", seed=1)
    decoder = make_decoder(adapters_dir=tmp_path)
    first, _ = run(decoder, (Expert("REASON"),))
    make_adapter(tmp_path / "a", base, "REASON", seed=9)
    second, end = run(decoder, (Expert("REASON"),))
    assert end.cached_tokens == 0
    assert second == run(make_decoder(adapters_dir=tmp_path), (Expert("REASON"),))[0]
    assert second != first


def test_activated_adapters_share_what_the_base_computed(
    make_decoder: Any, invocation: tuple[int, ...]
) -> None:
    decoder = make_decoder()
    run(decoder, ())
    for mode in ("TEACH", "PREDICT"):
        text, end = run(decoder, (Expert(mode),))
        assert end.cached_tokens == end.prompt_tokens - len(invocation)
        assert text == run(make_decoder(), (Expert(mode),))[0]
        again, end = run(decoder, (Expert(mode),))
        assert (again, end.cached_tokens) == (text, end.prompt_tokens - 1)
    together, end = run(decoder, ACTIVATED)
    assert end.cached_tokens == end.prompt_tokens - len(invocation)
    assert together == run(make_decoder(), ACTIVATED)[0]
    base, end = run(decoder, ())
    assert end.cached_tokens == end.prompt_tokens - 1
    assert base == run(make_decoder(), ())[0]


def test_a_follow_up_is_the_same_with_and_without_what_was_kept(make_decoder: Any) -> None:
    decoder = make_decoder()
    for experts in ((Expert("TEACH"),), ACTIVATED, LORAS, (Expert("REASON"),)):
        first, _ = run(decoder, experts)
        longer = (*QUESTION, ChatMessage("assistant", first), ChatMessage("user", "And then?"))
        warm, end = run(decoder, experts, messages=longer)
        cold, _ = run(make_decoder(), experts, messages=longer)
        assert warm == cold
        assert end.cached_tokens > 10


def test_an_activated_adapter_that_is_not_invoked_leaves_the_answer_to_the_base(
    make_decoder: Any, base: Path, tmp_path: Path
) -> None:
    make_adapter(tmp_path / "deaf", base, "TEACH", invocation=(350, 351, 352))
    decoder = make_decoder(adapters_dir=tmp_path)
    text, end = run(decoder, (Expert("TEACH"),))
    assert text == run(make_decoder(), ())[0]
    assert "the base answered" in end.notes[0]
    assert "is not invoked" in end.notes[1]


def test_one_expert_runs_one_row_and_no_gate(make_decoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = make_decoder()
    rows: list[int] = []
    forward = decoder.expert_manager.run

    def counted(adapters: Any, active: Any, **inputs: Any) -> Any:
        assert "output_hidden_states" not in inputs
        rows.append(len(adapters))
        return forward(adapters, active, **inputs)

    monkeypatch.setattr(decoder.expert_manager, "run", counted)
    monkeypatch.setattr("hexcore_engine.inference.decoders.writers.load_gate", None)
    run(decoder, (Expert("REASON"),))
    assert set(rows) == {1}


def write_gate(folder: Path, weight: Any, **changes: Any) -> None:
    write_safetensors(folder / GATE_NAME, {"weight": weight, "bias": numpy.zeros(len(weight))})
    chosen = {adapter.mode: adapter for adapter in map(read_adapter, sorted(folder.glob("*/")))}
    card = {
        "base_model_hash": chosen["REASON"].manifest.base_model_hash,
        "sha256": hashlib.sha256((folder / GATE_NAME).read_bytes()).hexdigest(),
        "modes": ["REASON", "EXPLAIN"],
        "adapters": {mode: adapter.manifest.sha256 for mode, adapter in chosen.items()},
        "num_tokens": 100,
        "nats_per_token": {"gate": 1.0, "best_single": 1.2, "uniform": 1.3},
    }
    (folder / CARD_NAME).write_text(json.dumps(card | changes))


def test_a_gate_at_zero_writes_what_the_prior_writes_and_a_trained_one_does_not(
    make_decoder: Any, base: Path, tmp_path: Path
) -> None:
    make_adapter(tmp_path / "judge", base, "REASON", seed=1)
    make_adapter(tmp_path / "clerk", base, "EXPLAIN", seed=2)
    prior, _ = run(make_decoder(adapters_dir=tmp_path), LORAS)
    write_gate(tmp_path, numpy.zeros((2, 64)))
    decoder = make_decoder(adapters_dir=tmp_path)
    gated, end = run(decoder, LORAS)
    assert gated == prior
    assert "trained gate" in end.notes[0]
    assert decoder.cross_expert.is_gated
    # The base ran along, so its prompt is computed.
    assert run(decoder, ())[1].cached_tokens > 0
    write_gate(tmp_path, numpy.array([[8.0] * 64, [-8.0] * 64]))
    assert run(make_decoder(adapters_dir=tmp_path), LORAS)[0] != prior


def test_a_gate_that_did_not_win_is_refused_in_the_notes(
    make_decoder: Any, base: Path, tmp_path: Path
) -> None:
    make_adapter(tmp_path / "judge", base, "REASON", seed=1)
    make_adapter(tmp_path / "clerk", base, "EXPLAIN", seed=2)
    prior, _ = run(make_decoder(adapters_dir=tmp_path), LORAS)
    scores = {"gate": 1.25, "best_single": 1.2, "uniform": 1.3}
    write_gate(tmp_path, numpy.ones((2, 64)), nats_per_token=scores)
    text, end = run(make_decoder(adapters_dir=tmp_path), LORAS)
    assert text == prior
    assert end.notes[0].startswith("Mixed by routing confidence")
    assert "does not beat the best single expert" in end.notes[1]


def nan_weights(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS_NAME).read_bytes())
    content[-4:] = numpy.float32(numpy.nan).tobytes()
    (folder / WEIGHTS_NAME).write_bytes(bytes(content))
    change_manifest(folder, sha256=hashlib.sha256(content).hexdigest())


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: change_manifest(folder, base_model_hash="f" * 64), "made for another model"),
    (lambda folder: change_manifest(folder, sha256="0" * 64), "sha256 differs"),
    (nan_weights, "numbers that are none"),
    (lambda folder: (folder / "weights.pkl").write_bytes(b"\x80\x04."), "pickled"),
    (
        lambda folder: (folder / WEIGHTS_NAME).write_bytes((folder / WEIGHTS_NAME).read_bytes()[:99]),
        "cut short",
    ),
    (lambda folder: (folder / MANIFEST_NAME).unlink(), ""),
]


@pytest.mark.parametrize(("break_it", "reason"), FAULTS)
def test_with_a_broken_adapter_the_base_answers_and_says_so_and_so_does_the_next_question(
    break_it: Callable[[Path], object], reason: str, make_decoder: Any, base: Path, tmp_path: Path
) -> None:
    make_adapter(tmp_path / "a", base, "REASON", seed=1)
    make_adapter(tmp_path / "b", base, "EXPLAIN", seed=2)
    decoder = make_decoder(adapters_dir=tmp_path)
    whole, _ = run(decoder, (Expert("REASON"),))
    break_it(tmp_path / "a")
    text, end = run(decoder, (Expert("REASON"),))
    assert text == run(make_decoder(), ())[0] != whole
    assert end.notes[0] == "No adapter for REASON; the base answered with the mode's instructions."
    assert reason in " ".join(end.notes)
    assert run(decoder, (Expert("EXPLAIN"),))[1].notes == ("The adapter b for EXPLAIN answered.",)
    make_adapter(tmp_path / "a", base, "REASON", seed=1)
    (tmp_path / "a" / "weights.pkl").unlink(missing_ok=True)
    assert run(decoder, (Expert("REASON"),))[0] == whole


@pytest.mark.parametrize("experts", [LORAS, ACTIVATED])
def test_a_mixture_goes_on_after_memory_ran_out(
    experts: tuple[Expert, ...], make_decoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = run(make_decoder(), experts)
    decoder = make_decoder(prefill_chunk=16)
    forward, calls = decoder.expert_manager.run, []

    def sometimes(adapters: Any, active: Any, **inputs: Any) -> Any:
        calls.append(1)
        output = forward(adapters, active, **inputs)
        if len(calls) == 3:
            raise torch.OutOfMemoryError("out of memory")
        return output

    monkeypatch.setattr(decoder.expert_manager, "run", sometimes)
    assert run(decoder, experts)[0] == expected


def test_memory_counts_loaded_adapters(make_decoder: Any) -> None:
    decoder = make_decoder()
    before = decoder.memory().weights_bytes
    run(decoder, (Expert("REASON"),))
    assert decoder.memory().weights_bytes == before + decoder.expert_manager.loaded_bytes > before
