"""Model folders of a few kilobytes, made in the test itself: random weights, a tokenizer of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = (
    "A creature with trample deals what is left of its damage to the player. [702.19b] [510.1c] "
    "Tokens cease to exist; a copy copies what is printed. Damage stays until the turn ends. "
)


def make_tokenizer(folder: Path, template: str | None = TEMPLATE, size: int = 384) -> int:
    """Train a byte-level tokenizer on a few words; returns the number of its tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    wrapped.chat_template = template
    wrapped.save_pretrained(folder)
    return len(wrapped)


def make_llama(
    folder: Path,
    seed: int = 0,
    context_tokens: int = 256,
    template: str | None = TEMPLATE,
    num_layers: int = 2,
    head_dim: int = 16,
    spread: float = 0.02,
) -> Path:
    """Make a Llama-shaped model in fp32; with a wide `spread` of its weights it does not repeat one token."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    size = make_tokenizer(folder, template)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=num_layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=head_dim,
        max_position_embeddings=context_tokens,
        tie_word_embeddings=True,
        initializer_range=spread,
        eos_token_id=2,
        pad_token_id=0,
        bos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = 2
    model.save_pretrained(folder)
    return folder


def make_mixtral(folder: Path, context_tokens: int = 256) -> Path:
    """Make a Mixtral-shaped model whose experts transformers keeps in fused tensors."""
    return make_mixture(folder, "mixtral", context_tokens, num_local_experts=4)


def make_mixture(folder: Path, kind: str, context_tokens: int = 256, **config: Any) -> Path:
    """Make a mixture of experts of any kind transformers knows; two of its experts see each token."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        "vocab_size": make_tokenizer(folder),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_experts_per_tok": 2,
        "max_position_embeddings": context_tokens,
        "eos_token_id": 2,
    }
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **given | config)).save_pretrained(folder)
    return folder


def make_header_only(folder: Path, shards: tuple[str, ...] = ("model.safetensors",)) -> Path:
    """Make a folder that looks like a model to whoever reads headers alone; needs no torch."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps({"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "vocab_size": 100})
    )
    (folder / "tokenizer.json").write_text("{}")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    for name in shards:
        (folder / name).write_bytes(len(header).to_bytes(8, "little") + header + bytes(24))
    return folder
