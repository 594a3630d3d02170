from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.errors import ContextOverflowError, DecoderError
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    StopSignal,
)

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

from hexcore_engine.inference.decoders.factory import open_decoder  # noqa: E402
from hexcore_engine.inference.decoders.torch_decoder import TorchDecoder  # noqa: E402
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model  # noqa: E402
from hexcore_engine.settings import EngineSettings, ModelSettings  # noqa: E402
from tests.conftest import paths_of  # noqa: E402
from tests.unit.tiny_models import make_llama  # noqa: E402

QUESTION = (ChatMessage("system", "Answer."), ChatMessage("user", "[702.19b] damage is left. What then?"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTorchModel:
    folder = make_llama(tmp_path_factory.mktemp("models") / "llama")
    return load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32)


def make_decoder(loaded: LoadedTorchModel, **options: Any) -> TorchDecoder:
    given = {"context_tokens": 256, "threads": 1, "prompt_cache_mb": 16, "drafting": False} | options
    return TorchDecoder(loaded, **given)


def run(decoder: TorchDecoder, request: DecodeRequest, stop: StopSignal | None = None) -> tuple[str, Any]:
    pieces = list(decoder.generate(request, stop or StopSignal()))
    assert isinstance(pieces[-1], DecodeFinished)
    assert sum(isinstance(piece, DecodeFinished) for piece in pieces) == 1
    return "".join(piece.text for piece in pieces if isinstance(piece, DecodedText)), pieces[-1]


def plain_greedy(loaded: LoadedTorchModel, decoder: TorchDecoder, num_tokens: int) -> list[int]:
    """The likeliest tokens by whole forwards, no cache, no chunks."""
    tokens = decoder._encode(QUESTION)
    prompt_length = len(tokens)
    with torch.inference_mode():
        for _ in range(num_tokens):
            logits = loaded.model(input_ids=torch.tensor([tokens])).logits[0, -1]
            tokens.append(int(logits.argmax()))
    return tokens[prompt_length:]


def test_the_loop_writes_what_whole_forwards_give(loaded: LoadedTorchModel) -> None:
    decoder = make_decoder(loaded, prefill_chunk=7)
    text, end = run(decoder, DecodeRequest(QUESTION, 24))
    expected = plain_greedy(loaded, decoder, end.generated_tokens)
    assert text == decoder.tokenizer.decode(expected, skip_special_tokens=True)


def test_a_kept_prompt_changes_nothing_but_the_work(loaded: LoadedTorchModel) -> None:
    decoder = make_decoder(loaded)
    first, cold = run(decoder, DecodeRequest(QUESTION, 24))
    again, warm = run(decoder, DecodeRequest(QUESTION, 24))
    assert first == again
    assert (cold.cached_tokens, warm.cached_tokens) == (0, warm.prompt_tokens - 1)
    longer = (*QUESTION, ChatMessage("assistant", first), ChatMessage("user", "And then?"))
    _, follow_up = run(decoder, DecodeRequest(longer, 4))
    assert follow_up.cached_tokens >= cold.prompt_tokens
    assert run(make_decoder(loaded), DecodeRequest(longer, 4))[0] == run(decoder, DecodeRequest(longer, 4))[0]


@pytest.mark.parametrize("request_kwargs", [{}, {"temperature": 0.8, "seed": 5}, {"repetition_penalty": 1.2}])
def test_drafting_changes_no_token(loaded: LoadedTorchModel, request_kwargs: dict[str, Any]) -> None:
    request = DecodeRequest(QUESTION, 60, citable_rules=("702.19b",), **request_kwargs)
    plain = run(make_decoder(loaded), request)
    drafted = run(make_decoder(loaded, drafting=True), request)
    assert plain[0] == drafted[0]
    assert plain[1].generated_tokens == drafted[1].generated_tokens


def test_equal_seeds_write_equal_answers(loaded: LoadedTorchModel) -> None:
    def write(seed: int) -> str:
        request = DecodeRequest(QUESTION, 40, temperature=1.0, top_p=0.95, min_p=0.01, seed=seed)
        return run(make_decoder(loaded), request)[0]

    assert write(3) == write(3)
    assert len({write(seed) for seed in range(4)}) > 1


def test_a_stop_string_ends_the_answer_before_it(loaded: LoadedTorchModel) -> None:
    whole, _ = run(make_decoder(loaded), DecodeRequest(QUESTION, 30))
    stop = whole[len(whole) // 2 :][:3]
    text, end = run(make_decoder(loaded), DecodeRequest(QUESTION, 30, stop=(stop,)))
    assert text == whole[: whole.index(stop)]
    assert end.stop_reason == "end"


def test_stopped_before_the_first_token_nothing_is_written(loaded: LoadedTorchModel) -> None:
    stop = StopSignal()
    stop.set()
    stop.set()
    text, end = run(make_decoder(loaded), DecodeRequest(QUESTION, 30), stop)
    assert (text, end.stop_reason, end.generated_tokens) == ("", "stopped", 0)


def test_stopped_in_the_prompt_keeps_the_finished_chunks(loaded: LoadedTorchModel, monkeypatch: Any) -> None:
    decoder, stop = make_decoder(loaded, prefill_chunk=8), StopSignal()
    forward = decoder._forward

    def stop_after_one(*arguments: Any) -> Any:
        logits = forward(*arguments)
        stop.set()
        return logits

    monkeypatch.setattr(decoder, "_forward", stop_after_one)
    _, end = run(decoder, DecodeRequest(QUESTION, 30), stop)
    assert end.stop_reason == "stopped"
    monkeypatch.undo()
    _, again = run(decoder, DecodeRequest(QUESTION, 3))
    assert again.cached_tokens == 8


def test_closing_the_stream_keeps_what_was_computed(loaded: LoadedTorchModel) -> None:
    decoder = make_decoder(loaded)
    stream = decoder.generate(DecodeRequest(QUESTION, 30), StopSignal())
    next(stream)
    stream.close()
    _, again = run(decoder, DecodeRequest(QUESTION, 3))
    assert again.cached_tokens > 8


def test_a_prompt_of_the_context_length_is_refused_and_one_less_writes_one_token(
    loaded: LoadedTorchModel,
) -> None:
    length = make_decoder(loaded).count_tokens(QUESTION)
    with pytest.raises(ContextOverflowError, match="context"):
        run(make_decoder(loaded, context_tokens=length), DecodeRequest(QUESTION, 5))
    _, end = run(make_decoder(loaded, context_tokens=length + 1), DecodeRequest(QUESTION, 5))
    assert (end.generated_tokens, end.stop_reason) == (1, "length")


def test_numbers_that_are_none_are_named_and_the_next_question_is_answered(tmp_path: Path) -> None:
    broken = load_torch_model(make_llama(tmp_path / "m"), "none", device_map="cpu", dtype=torch.float32)
    decoder = make_decoder(broken, prompt_cache_mb=0)
    norm = broken.model.model.norm.weight
    kept = norm.detach().clone()
    norm.data.fill_(float("nan"))
    with pytest.raises(DecoderError, match="numbers that are none"):
        run(decoder, DecodeRequest(QUESTION, 3))
    norm.data.copy_(kept)
    assert run(decoder, DecodeRequest(QUESTION, 3))[1].generated_tokens == 3


def test_memory_counts_weights_and_kept_prompts(loaded: LoadedTorchModel) -> None:
    decoder = make_decoder(loaded)
    before = decoder.memory()
    run(decoder, DecodeRequest(QUESTION, 3))
    after = decoder.memory()
    assert before is not None
    assert after is not None
    assert (before.weights_bytes, before.kv_cache_bytes) == (loaded.weights_bytes, 0)
    assert after.kv_cache_bytes > 0
    decoder.close()
    assert decoder.memory() is None


def test_the_cache_stays_below_its_limit(loaded: LoadedTorchModel) -> None:
    decoder = make_decoder(loaded, prompt_cache_mb=1)
    for number in range(60):
        messages = (ChatMessage("user", f"{number} " + "damage " * 60),)
        run(decoder, DecodeRequest(messages, 1))
    assert 0 < decoder.kv_cache_manager.statistics().device_bytes <= 2**20


def test_a_model_whose_first_step_fails_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[TorchDecoder] = []

    def fail(decoder: TorchDecoder, prompt: object) -> None:
        raise DecoderError("It did not take the first step.")

    monkeypatch.setattr(TorchDecoder, "warm", fail)

    def close(decoder: TorchDecoder) -> None:
        closed.append(decoder)

    monkeypatch.setattr(TorchDecoder, "close", close)
    model = ModelSettings(path=str(make_llama(tmp_path / "llama")), decoder="torch", quantization="none")
    with pytest.raises(DecoderError, match="first step"):
        open_decoder(model, EngineSettings(), paths_of(tmp_path))
    assert len(closed) == 1
