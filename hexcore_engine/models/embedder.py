"""Meanings of sentences as vectors: MiniLM from its safetensors, run by torch on the processor.

The network is written out here: it has six layers, and importing transformers for it would cost four seconds
and 150 MB. `tokenizers` comes with the extra `torch`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.models.int8_linear import Int8Linear, cpu_has_fast_int8
from hexcore_engine.utils.validation import clean_line

Floats = NDArray[np.float32]
T = TypeVar("T")

WIDTH = 384
WEIGHTS_NAME = "model.safetensors"
TOKENIZER_NAME = "tokenizer.json"
_LIBRARIES = ("torch", "safetensors", "tokenizers")
_NUM_LAYERS = 6
_NUM_HEADS = 12
_NORM_EPSILON = 1e-12
# The model was trained on texts no longer than this; the rest of a longer one is not read.
_MAX_TOKENS = 256
_BATCH_TOKENS = 2048


def missing_libraries() -> list[str]:
    """Return which parts of the extra `torch` the embedder lacks."""
    return [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]


class SentenceEmbedder:
    """MiniLM-L6: texts of near meaning have vectors of high inner product. Safe to use from several
    threads: it computes on one of its own."""

    def __init__(self, folder: Path, threads: int = 1, *, rounded: bool = False) -> None:
        """Load WEIGHTS_NAME and TOKENIZER_NAME of a folder; takes a second or two. torch computes on
        `threads` processors. With `rounded`, and where the processor is fast at it, in 8-bit integers: a
        vector takes 40 % of the time and is like the exact one to 0.996.

        Raises:
            ModelMissingError: when a library or a file is absent, or a file is damaged.
        """
        missing = missing_libraries()
        if missing:
            raise ModelMissingError(
                f"Vectors need {' and '.join(missing)}, which is not installed.",
                "Install it with `make setup EXTRAS=torch`.",
            )
        try:
            self._tokenizer, self._weights = _read(folder)
        except Exception as error:
            # The libraries raise errors of their own without a common base.
            raise ModelMissingError(
                f"The sentence model in {folder} can't be read: {clean_line(str(error))}.",
                "Run `hexcore setup`; it fetches what is missing or damaged.",
            ) from error
        if rounded and cpu_has_fast_int8():
            _round(self._weights)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")
        _limit_threads(self._executor, threads)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 for each text, [len(texts), WIDTH]; texts of like length are computed
        together."""
        return self.run(lambda: self._embed(texts))

    def run(self, work: Callable[[], T]) -> T:
        """Do work on its thread and return what it gave."""
        return self._executor.submit(work).result()

    def close(self) -> None:
        """End its thread."""
        self._executor.shutdown()

    def _embed(self, texts: Sequence[str]) -> Floats:
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(encoded), WIDTH), dtype=np.float32)
        for batch in _batches(encoded):
            vectors[batch] = self._embed_batch([encoded[place] for place in batch])
        return vectors

    def _embed_batch(self, rows: Sequence[Sequence[int]]) -> Floats:
        import torch

        longest = max(len(row) for row in rows)
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        present = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
        with torch.inference_mode():
            states = _states(self._weights, tokens, present)
            kept = states * present[:, :, None]
            means = kept.sum(dim=1) / present.sum(dim=1, keepdim=True)
            found: Floats = torch.nn.functional.normalize(means, dim=1).numpy()
        return found


def _limit_threads(executor: ThreadPoolExecutor, threads: int) -> None:
    """Let torch use so many threads when called by the executor's, and as many as before when called by
    others, a torch decoder among them. Two that wait for each other on busy cores burn ten times the time.

    torch 2.13: a thread takes over what was set last, anywhere, when it first asks; from then on its own
    number holds.
    """
    import torch

    before = torch.get_num_threads()
    executor.submit(torch.get_num_threads).result()
    executor.submit(torch.set_num_threads, threads).result()
    torch.set_num_threads(before)


def _read(folder: Path) -> tuple[Any, dict[str, Any]]:
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_NAME))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    weights = load_file(folder / WEIGHTS_NAME)
    last = f"encoder.layer.{_NUM_LAYERS - 1}.output.dense.weight"
    if weights[last].shape[0] != WIDTH:
        raise ValueError(f"its vectors are not {WIDTH} wide")
    return tokenizer, weights


def _batches(encoded: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of texts by length, in batches of at most _BATCH_TOKENS with padding."""
    batches: list[list[int]] = []
    for place in sorted(range(len(encoded)), key=lambda place: len(encoded[place])):
        if not batches or (len(batches[-1]) + 1) * len(encoded[place]) > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(place)
    return batches


def _states(weights: dict[str, Any], tokens: Any, present: Any) -> Any:
    """Last hidden states [text, token, WIDTH]; padding is where `present` is False."""
    embeddings = "embeddings.{}_embeddings.weight".format
    states = (
        weights[embeddings("word")][tokens]
        + weights[embeddings("position")][: tokens.shape[1]]
        + weights[embeddings("token_type")][0]
    )
    states = _normed(weights, "embeddings.LayerNorm", states)
    for number in range(_NUM_LAYERS):
        states = _layer(weights, f"encoder.layer.{number}", states, present[:, None, None, :])
    return states


def _layer(weights: dict[str, Any], name: str, states: Any, present: Any) -> Any:
    from torch.nn import functional

    def heads(part: str) -> Any:
        projected = _linear(weights, f"{name}.attention.self.{part}", states)
        return projected.unflatten(-1, (_NUM_HEADS, -1)).transpose(1, 2)

    attended = functional.scaled_dot_product_attention(
        heads("query"), heads("key"), heads("value"), attn_mask=present
    )
    joined = _linear(weights, f"{name}.attention.output.dense", attended.transpose(1, 2).flatten(2))
    states = _normed(weights, f"{name}.attention.output.LayerNorm", joined + states)
    inner = functional.gelu(_linear(weights, f"{name}.intermediate.dense", states))
    outer = _linear(weights, f"{name}.output.dense", inner)
    return _normed(weights, f"{name}.output.LayerNorm", outer + states)


def _round(weights: dict[str, Any]) -> None:
    """Put an Int8Linear in the place of each weight that `_linear` takes."""
    suffix = ".dense.weight", ".query.weight", ".key.weight", ".value.weight"
    for name in [name for name in weights if name.startswith("encoder.") and name.endswith(suffix)]:
        weights[name] = Int8Linear(weights[name], weights[name.removesuffix("weight") + "bias"])


def _linear(weights: dict[str, Any], name: str, states: Any) -> Any:
    from torch.nn import functional

    weight = weights[f"{name}.weight"]
    if isinstance(weight, Int8Linear):
        return weight(states)
    return functional.linear(states, weight, weights[f"{name}.bias"])


def _normed(weights: dict[str, Any], name: str, states: Any) -> Any:
    from torch.nn import functional

    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return functional.layer_norm(states, (WIDTH,), weight, bias, _NORM_EPSILON)
