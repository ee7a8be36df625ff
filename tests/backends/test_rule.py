"""Which backend a deployment belongs to."""

from __future__ import annotations

import pytest

from litellm_homelab.backends.rule import Backends, Place, Server, place
from litellm_homelab.config.sections import BackendSection

BACKENDS = Backends(
    {
        "gpu": BackendSection(at=["http://127.0.0.1:8000", "http://10.0.0.7:8000/llm"]),
        "groq": BackendSection(groups=["groq/llama", "free/*"]),
    }
)


@pytest.mark.parametrize(
    ("group", "provider", "url", "backend"),
    [
        ("main", "openai", "http://127.0.0.1:8000/v1", "gpu"),
        ("main", "openai", "http://localhost:8000/v1", "gpu"),
        ("main", "openai", "http://127.0.0.1:8001/v1", "http://loopback:8001"),
        ("main", "openai", "https://127.0.0.1:8000/v1", "https://loopback:8000"),
        ("main", "openai", "http://10.0.0.7:8000/llm/v1", "gpu"),
        ("main", "openai", "http://10.0.0.7:8000/llm2/v1", "http://10.0.0.7:8000"),
        ("groq/llama", "groq", "", "groq"),
        ("free/anything", "groq", "", "groq"),
        ("other", "groq", "", "groq"),
        ("local", "ollama", "", "http://loopback:11434"),
    ],
)
def test_a_deployment_belongs_to_one_backend(group: str, provider: str, url: str, backend: str) -> None:
    """By scheme, host, port and whole segments of the path; by group; by default one for each origin."""
    assert BACKENDS.of(Server(group, provider, url)) == backend


def test_each_account_of_a_provider_is_a_backend() -> None:
    """Deployments without an address share a backend by provider and credential; no key is in its name."""
    one, same, other = (Server(name, "groq", credential=key) for name, key in zip("abc", "xxy", strict=True))
    assert BACKENDS.of(one) == BACKENDS.of(same) != BACKENDS.of(other)
    assert BACKENDS.of(one).startswith("groq#")
    assert BACKENDS.of(Server("d", "groq", credential="sk-very-secret")).find("secret") == -1


@pytest.mark.parametrize(
    "url", ["", "gpu", "ftp://gpu", "http://gpu/?a=b", "http://user:pass@gpu", "http://gpu/../x"]
)
def test_what_is_not_an_address_is_nowhere(url: str) -> None:
    """Only http and https, without a query, a user or dot segments."""
    assert place(url) is None


def test_a_place_covers_what_is_below_it() -> None:
    """Itself and what is below, never what merely begins with the same letters."""
    above, below, beside = (Place(("http", "gpu", 1), path) for path in ((), ("a",), ("ab",)))
    assert above.covers(below)
    assert above.covers(above)
    assert not below.covers(above)
    assert not below.covers(beside)
