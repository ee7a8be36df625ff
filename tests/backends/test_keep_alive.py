"""How long an Ollama keeps a model: what it takes, and where."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.backends import keep_alive


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        *((one, one) for one in (0, -1, 3600, "30m", "1h30m", "-5m", "1.5h", "500ms")),
        *(("-1", -1), ("0", 0)),
    ],
)
def test_what_ollama_takes(written: object, sent: object) -> None:
    """Seconds and Go's durations; a number that an environment variable has as text is a number."""
    assert keep_alive.read(written) == sent


@pytest.mark.parametrize(
    "written", ["", "soon", "30 m", "m", "1d", "1:30", "-", True, 1.5, None, 10**10, "9" * 11, []]
)
def test_what_it_would_refuse(written: object) -> None:
    """Ollama answers such a request with an error, so the start says it."""
    with pytest.raises(ValueError, match="expected seconds or a duration"):
        keep_alive.read(written)


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m"},
        {"model": "m", "options": {"temperature": 0}},
        {"model": "m", "keep_alive": -1, "options": {"temperature": 0, "keep_alive": "9h"}},
    ],
)
def test_it_goes_beside_the_model(body: dict[str, Any]) -> None:
    """Whatever the client asked for, and not among the options, where Ollama does not read it."""
    keep_alive.put_into(body, "30m")
    assert body["keep_alive"] == "30m"
    assert "keep_alive" not in body.get("options", {})
