"""
Whatever a person writes into a file of ours, the answer is settings or a list of problems.

250,000 inputs, the same ones in every run. Each part has the share that its cost allows: a YAML text takes a
thousand times as long as a URL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from litellm_homelab.access import openings, table
from litellm_homelab.config import (
    address_checks,
    deployments,
    leads,
    loading,
    references,
    state_url,
    yaml_text,
)
from litellm_homelab.config.settings import Known, SettingsError
from litellm_homelab.config.wording import hide_keys, quoted
from litellm_homelab.optillm.addresses import address_of
from litellm_homelab.showroom import handles, registry
from tests.fuzz import mutations
from tests.fuzz.documents import documents

ENVIRON = {"SET": "value", "X": "http://127.0.0.1:1/v1", "OPENAI_API_KEY": "sk-of-the-environment"}
KNOWN = Known(retry_policy=frozenset({"TimeoutErrorRetries"}))
GOLDEN = sorted((Path(__file__).parents[1] / "settings").glob("*.txt"))
ROUTERS = [
    text
    for path in GOLDEN
    if len(text := path.read_text(encoding="utf-8").split("\n----------\n")[0].split("\n===")[0]) < 900
]
PIECES = [piece for text in ROUTERS for piece in text.split("\n") if piece.strip()]
URLS = [
    *("memory://", "sqlite:///homelab.db", "sqlite:////var/lib/homelab.db", "redis://user:pass@host:6379/0"),
    *("redis://[::1]:6379/15", "http://127.0.0.1:8080/v1", "https://user:pw@gpu.lan:8443/a/b?c=d#e"),
    "127.1:80",
]
REFERENCES = [
    *("os.environ/NAME", "os.environ.NAME", "${NAME}", "http://$HOST:8080/v1", "os.getenv('NAME')"),
    "{{ X }}",
]
HANDLES = [
    '{"handle": "main", "kind": "chat", "notes": "x"}',
    '{"handle": "mlx-qwen3-30b-4bit-instruct"}\n\n{"handle": "deep"}',
]
REGISTRY = [
    '{"version": 2, "models": {"main": {"cache_path": "/srv/models/main", "context_length": 8}}}',
    '{"version": 2, "models": {"a/b": {"source_path": "x", "format": "mlx", "more": [1, {"y": null}]}}}',
]
PATTERNS = ["/v1/chat/completions", "/v1/*", "/vllm/{endpoint:path}", "/v1/[a-c]*", "/models/?", "*"]
AUTO = ['{"routes": [{"name": "main", "utterances": ["hello", "there"]}], "encoder": {"type": "openai"}}']


def problems_of(load: Callable[[], object]) -> list[str]:
    """What is wrong, as one printable line each; empty for good settings."""
    try:
        load()
    except SettingsError as error:
        return [*error.problems] or ["an error without a problem\n"]
    return []


def load_yaml(text: str) -> None:
    """NotReadable and no other exception."""
    with suppress(yaml_text.NotReadable):
        yaml_text.load(text)


def load_router(text: str) -> None:
    """Settings, or SettingsError with one printable line for each problem."""
    found = problems_of(lambda: loading.parse(text, path="router.yaml", environ=ENVIRON, known=KNOWN))
    assert all(problem.isprintable() for problem in found)


def parse_state(text: str) -> None:
    """A location, or ValueError with what is valid, and no password."""
    said = "valid: "
    try:
        state_url.parse(text, Path())
    except ValueError as error:
        said = str(error)
    assert "valid: " in said
    assert "pass@" not in said


def parse_reference(text: str) -> None:
    """A reference, a suggestion, or nothing; what is written in its place is never empty."""
    references.resolve(text, ENVIRON)
    for whole in (False, True):
        right = references.meant(text, whole=whole)
        assert right is None or right.startswith(references.ENV_PREFIX)
    list(references.late_values({text: text}, ENVIRON))
    assert quoted(text)
    hide_keys(text)


def parse_address(text: str) -> None:
    """An address, or none; and whether it is one in an `api_base`."""
    address_of(text)
    made = deployments.read([{"litellm_params": {"model": text, "api_base": text, text: text}}], [], ENVIRON)
    for deployment in made:
        list(address_checks._address(deployment, {}))
        address_checks.misspelt(text, deployment.params)
        list(leads.of_deployments([deployment], ENVIRON))


def parse_handles(text: str) -> None:
    """Handles, or problems."""
    found, problems = handles.parse(text, "file")
    assert all(found) or problems
    for name in found:
        handles.naming_problem(name)


def parse_registry(text: str) -> None:
    """Entries, or problems; each entry's path can be compared with the roots."""
    for entry in registry.parse(text, "file")[0].values():
        registry.inside(entry.path, ["/srv/models"], Path("/x"))


def parse_routes(text: str) -> None:
    """Whom a route is for, whether a pattern means it, and what is wrong with the pattern."""
    table.access(table.Route("GET", text), table.reviewed())
    table.matches("/v1/chat/completions", [text])
    openings._open_problem(text, frozenset({"/a", "/v1/models"}))


def parse_auto_router(text: str) -> None:
    """Targets, or none."""
    params = {"model": "auto_router/x", "auto_router_config": text}
    found = deployments.read([{"model_name": "main", "litellm_params": params}], None, ENVIRON)
    list(leads.of_deployments(found, ENVIRON))


@pytest.mark.parametrize(
    ("parse", "seeds", "count"),
    [
        pytest.param(load_yaml, PIECES, 6_000, id="yaml"),
        pytest.param(load_router, ROUTERS, 600, id="router"),
        pytest.param(parse_state, URLS, 80_000, id="state"),
        pytest.param(parse_reference, [*REFERENCES, *URLS], 40_000, id="reference"),
        pytest.param(parse_address, [*URLS, *REFERENCES], 10_000, id="address"),
        pytest.param(parse_handles, HANDLES, 60_000, id="handles"),
        pytest.param(parse_registry, REGISTRY, 40_000, id="registry"),
        pytest.param(parse_routes, PATTERNS, 400, id="routes"),
        pytest.param(parse_auto_router, AUTO, 15_000, id="auto router"),
    ],
)
def test_no_text_makes_a_parser_break(parse: Callable[[str], None], seeds: Sequence[str], count: int) -> None:
    """Each parser answers or raises what its docstring says, for every mutation of good and bad inputs."""
    for text in mutations(seeds, count):
        try:
            parse(text)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {text!r}") from error


def test_no_document_makes_the_checks_break() -> None:
    """Settings of the right names with values of every kind give settings or problems."""
    for document in documents(3_500):
        try:
            found = problems_of(
                partial(loading.check, document, path="router.yaml", environ=ENVIRON, known=KNOWN)
            )
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {document!r}") from error
        assert all(problem.isprintable() for problem in found)
