"""Writes a tiny but real model folder; run by the interpreter that has mlx, never imported by a test.

Two llama layers with random weights (230 kB): it speaks nonsense, through the real tokenizer, chat template
and sampler.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlx.core as mx
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY = 32, 2, 4, 64, 400
SPECIAL = ("<|user|>", "<|assistant|>", "<|system|>", "<|end|>")
SENTENCES = (
    "The gateway shows its handles and hides what stands behind them.",
    "A question comes in, an answer goes out, and nobody asks who gave it.",
    "Small models speak in short words; this one was never taught any.",
    "Hello. What is the weather like today? The sun is out, and it is warm.",
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_model(folder: Path) -> None:
    """Write config, weights, tokenizer and chat template into `folder`."""
    tokenizer = _tokenizer()
    size = tokenizer.get_vocab_size()
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "config.json", _config(size, tokenizer.token_to_id("<|end|>")))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|end|>",
            "chat_template": CHAT_TEMPLATE,
            "model_max_length": 2048,
        },
    )
    mx.save_safetensors(str(folder / "model.safetensors"), _weights(size), metadata={"format": "mlx"})


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def _config(vocabulary: int, end: int | None) -> dict[str, object]:
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "intermediate_size": FEED_FORWARD,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "rms_norm_eps": 1e-5,
        "vocab_size": vocabulary,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "eos_token_id": end,
    }


def _weights(vocabulary: int) -> dict[str, mx.array]:
    mx.random.seed(0)
    shapes = {"model.embed_tokens.weight": (vocabulary, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        shapes |= {f"{prefix}.self_attn.{name}_proj.weight": (HIDDEN, HIDDEN) for name in "qkvo"}
        shapes |= {f"{prefix}.mlp.{name}_proj.weight": (FEED_FORWARD, HIDDEN) for name in ("gate", "up")}
        shapes[f"{prefix}.mlp.down_proj.weight"] = (HIDDEN, FEED_FORWARD)
        shapes |= {f"{prefix}.{name}_layernorm.weight": (HIDDEN,) for name in ("input", "post_attention")}
    return {
        name: mx.ones(shape) if len(shape) == 1 else mx.random.normal(shape) * 0.2
        for name, shape in shapes.items()
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
