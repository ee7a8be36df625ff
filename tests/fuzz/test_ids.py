"""Ids with a model in them: whatever a decoder of LiteLLM reads, `names_in` reads as well."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator

import pytest

from litellm_homelab.formats.encoded_ids import names_in, opaque
from tests.fuzz import mutations, steps
from tests.fuzz.decoders import KNOWN, installed, models, providers

PLAIN = (
    "litellm:file-abc123;model,back",
    "litellm:batch_abc123;model,a,back",
    "litellm_proxy:text/plain;unified_id,c;target_model_names,main, back;llm_output_file_model_id,back",
    "litellm_proxy:vector_store;unified_id,c484;target_model_names,back;resource_id,vs_1;model_id,back",
    "litellm_proxy;model_id:back;llm_batch_id:batch_abc123",
    "litellm_proxy:passthrough;provider:openai;unified_id,c484;raw_id,file-x",
    "litellm:custom_llm_provider:openai;model_id:back;response_id:resp_abc123",
    "litellm:custom_llm_provider:openai;model_id:;response_id:resp_abc123",
    "litellm:custom_llm_provider:anthropic;model_id:None;container_id:cntr_abc123",
    "litellm:custom_llm_provider:openai;model_id:ba:c,k;video_id:abc123",
    "litellm:custom_llm_provider:openai;model_id:back;character_id:abc123",
    "litellm:model_id:back;item_id:rs_abc123",
    "back;rs_abc123",
    "anything;back;more",
    "model_id:back",
)
"""What stands below the base64."""
KINDS = ("", "file-", "batch_", "resp_", "video_", "cntr_", "character_", "encitem_", "litellm_enc:")
INPUTS = 50_000


def encoded(seed: int) -> Iterator[str]:
    """Ids of every kind: what stands below the base64 mutated, and of every third one the id as well."""
    chance = random.Random(seed)
    for number, plain in enumerate(mutations(PLAIN, INPUTS, seed=seed)):
        raw = plain.encode("utf-8", "replace")
        made = base64.b64encode(raw) if chance.random() < 0.5 else base64.urlsafe_b64encode(raw)
        text = made.decode() if chance.random() < 0.5 else made.decode().rstrip("=")
        kind = chance.choice(KINDS)
        whole = kind + text + (";ciphertext" if kind.endswith(":") else "")
        if number % 3 == 0:
            at, piece = chance.randint(0, len(whole)), chance.choice([*KINDS, "!", "=", "-", ".", "é"])
            whole = whole[:at] + piece + whole[at:]
        yield whole


def test_no_decoder_reads_more() -> None:
    """Every model, and the provider where there is no model, is in `names_in`; nothing raises."""
    read = 0
    for number, text in enumerate(encoded(1)):
        names = names_in(text)
        found = {name for name in models(text) if not name.startswith("unified_id,")}  # no deployment's id
        read += bool(found)
        assert found <= set(names), (number, text, found)
        assert not providers(text) or names, (number, text)
        assert names_in(opaque(text)) == (), (number, text)
    assert read > INPUTS / 10


def test_every_decoder_of_litellm_is_known() -> None:
    """A new LiteLLM with another decoder fails here until `decoders.py` and `encoded_ids.py` know it."""
    assert installed() == KNOWN


@pytest.mark.parametrize(
    "unit",
    ["model_id:", "target_model_names,", ";model,x", "a;", ",", "resp_", "encitem_", "litellm_enc:", "="],
)
@pytest.mark.parametrize("kind", ["", "encitem_", "resp_", "litellm_enc:"])
def test_work_is_linear(unit: str, kind: str) -> None:
    """Twice as long an id is at most twice the work."""

    def work(times: int) -> int:
        text = kind + base64.b64encode((unit * times).encode()).decode() + ";"
        return steps(lambda: names_in(text))

    assert work(8_000) <= 2.1 * work(4_000) + 100
