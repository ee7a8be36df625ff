"""No error tells a client to change the operator's settings."""

from __future__ import annotations

import re
from pathlib import Path

import litellm
import pytest

from litellm_homelab.answers.unsupported import is_advice, readable

LISTED = (
    "litellm.UnsupportedParamsError: lm_studio does not support parameters: ['verbosity'], for model=x. "
    "To drop these, set `litellm.drop_params=True` or for proxy:\n\n`litellm_settings:\n "
    "drop_params: true`\n. "
    "\n If you want to use these params dynamically send allowed_openai_params=['verbosity'] in "
    "your request."
)
TOGETHER = (
    "together_ai does not support parameters: response_format, for model=x. To drop it from the call, "
    "set `litellm.drop_params = True`."
)
DIMENSIONS = (
    "Setting dimensions is not supported for OpenAI `text-embedding-3` and later models. "
    "To drop it from the call, set `litellm.drop_params = True`."
)
O_SERIES = (
    "O-series models don't support temperature=0.2. Only temperature=1 is supported. To drop "
    "unsupported openai params from the call, set `litellm.drop_params = True`"
)


@pytest.mark.parametrize(
    ("text", "message", "param"),
    [
        (LISTED, "'verbosity' is not supported by this handle. Remove it.", "verbosity"),
        (
            LISTED.replace("['verbosity']", "['functions', 'store']"),
            "'functions', 'store' are not supported by this handle. Remove them.",
            "functions",
        ),
        (
            TOGETHER,
            "'response_format' is not supported by this handle. Remove it.",
            "response_format",
        ),
        (
            DIMENSIONS,
            "'dimensions' is not supported by this handle. Remove it.",
            "dimensions",
        ),
        (
            O_SERIES,
            "O-series models don't support temperature=0.2. Only temperature=1 is supported.",
            "temperature",
        ),
        (
            "To drop it, set `litellm.drop_params=True` or for proxy: `litellm_settings: drop_params: true`",
            "A parameter of this request is not supported by this handle.",
            None,
        ),
    ],
)
def test_what_a_client_reads(text: str, message: str, param: str | None) -> None:
    """The names of the parameters, or LiteLLM's own sentence about a value; nothing about settings."""
    assert is_advice(text)
    found = readable(text)
    assert (found.message, found.param) == (message, param)


def test_other_errors_are_left_alone() -> None:
    """A text that only has the word in it is not advice."""
    assert not is_advice("what is drop_params?")


def test_no_text_of_the_installed_litellm_keeps_its_advice() -> None:
    """Every text in LiteLLM's source that names the setting loses it."""
    texts = set()
    for file in Path(litellm.__file__).parent.rglob("*.py"):
        source = re.sub(r"[\"']\s*\n\s*f?[\"']", "", file.read_text(encoding="utf-8", errors="replace"))
        texts |= set(re.findall(r"f?\"([^\"\n]*drop_params ?= ?True[^\"\n]*)\"", source))
    said = {readable(text.replace("{", "").replace("}", "")).message for text in texts}
    assert len(texts) > 20
    assert [text for text in said if "drop_params" in text or "litellm_settings" in text] == []
