"""How far our token loop is from one plain forward over the same tokens: the embedded model in fp32.

Each row of logits that a token is drawn from is compared: a prompt computed in small steps, one whose
beginning was kept, conversations that part after a common beginning, and tokens guessed from the prompt. At
temperature 0 the tokens must be those of transformers' own generate.
"""

from __future__ import annotations

from typing import Any

from benchmarks.compared_decoder import ComparedDecoder
from benchmarks.harness import Bench, Target
from benchmarks.prompts import counter, digest_passages, passages_from
from benchmarks.torch_models import converted_folder
from hexcore_engine.inference.decoders.base import ChatMessage
from hexcore_engine.inference.decoders.generation import end_tokens
from hexcore_engine.inference.prompt import messages_for, user_message
from hexcore_engine.models.loader import LoadedTorchModel, load_torch_model
from hexcore_engine.utils.device import default_threads

CONTEXT_TOKENS = 1024
EVIDENCE_TOKENS = 100
SMALL_STEP = 7
QUOTING = "Repeat all of the evidence above word for word, each rule with its number in brackets."

TARGETS = (
    Target("chunked, largest difference of a logit", 1e-3),
    Target("cached, largest difference of a logit", 1e-3),
    Target("forked, largest difference of a logit", 1e-3),
    Target("drafted, largest difference of a logit", 1e-3),
    Target("tokens that are generate's, share", 1, at_least=True),
    Target("tokens that are generate's, drafting, share", 1, at_least=True),
)


def measure(bench: Bench) -> dict[str, float]:
    """Answer in each way, and compare."""
    import torch

    folder = converted_folder(bench)
    loaded = load_torch_model(folder, "none", device_map="cpu", dtype=torch.float32)
    num_tokens = 24 if not bench.quick else 8
    chunked = _decoder(loaded, prefill_chunk=SMALL_STEP)
    prompt = _prompt(chunked, bench.rounds(EVIDENCE_TOKENS, quick=40))
    chunked.write(prompt, num_tokens)
    return {
        "chunked, largest difference of a logit": chunked.difference,
        "rows compared, chunked": chunked.compared,
        **_kept_and_forked(loaded, prompt, num_tokens),
        **_drafted(loaded, prompt, num_tokens),
    }


def _kept_and_forked(
    loaded: LoadedTorchModel, prompt: tuple[ChatMessage, ...], num_tokens: int
) -> dict[str, float]:
    decoder = _decoder(loaded)
    first = decoder.write(prompt, num_tokens)
    decoder.write(prompt, num_tokens)
    cached, forked = decoder.difference, []
    for question in ("And then?", "And with first strike?"):
        follow_up = (*prompt, ChatMessage("assistant", first), ChatMessage("user", question))
        decoder.write(follow_up, num_tokens)
        forked.append(decoder.difference)
    kept = decoder.kv_cache_manager.statistics()
    return {
        "cached, largest difference of a logit": cached,
        "forked, largest difference of a logit": max(forked),
        "prompt tokens that were kept, share": kept.reused_tokens / kept.prompt_tokens,
    }


def _drafted(loaded: LoadedTorchModel, prompt: tuple[ChatMessage, ...], num_tokens: int) -> dict[str, float]:
    plain, drafting = _decoder(loaded), _decoder(loaded, drafting=True)
    plain.write(prompt, num_tokens)
    drafting.write(prompt, num_tokens)
    theirs = _generate(plain, prompt, num_tokens)
    return {
        "drafted, largest difference of a logit": drafting.difference,
        "rows that were drafted": drafting.drafted,
        "tokens that are generate's, share": _share(plain.written, theirs),
        "tokens that are generate's, drafting, share": _share(drafting.written, theirs),
    }


def _share(ours: list[int], theirs: list[int]) -> float:
    """The share of the longer answer that is the same in the same places."""
    same = sum(own == their for own, their in zip(ours, theirs, strict=False))
    return same / max(len(ours), len(theirs))


def _generate(decoder: ComparedDecoder, prompt: tuple[ChatMessage, ...], num_tokens: int) -> list[int]:
    import torch

    ids = torch.tensor([decoder._encode(prompt)])
    with torch.inference_mode():
        written: Any = decoder.torch_model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=num_tokens, do_sample=False
        )
    ends = end_tokens(decoder._need())
    return [int(token) for token in written[0, ids.shape[1] :] if int(token) not in ends]


def _decoder(loaded: LoadedTorchModel, **options: Any) -> ComparedDecoder:
    return ComparedDecoder(loaded, context_tokens=CONTEXT_TOKENS, threads=default_threads(), **options)


def _prompt(decoder: ComparedDecoder, evidence_tokens: int) -> tuple[ChatMessage, ...]:
    """A question that is answered by quoting, so that there is something to guess."""
    passages = passages_from(digest_passages(), counter(decoder.count_tokens), evidence_tokens)
    return messages_for((), user_message(QUOTING, ("TEACH",), passages))
