"""The account of a quota's key: which key goes to which address, and what the server receives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.policies import quotas
from litellm_homelab.adapter.policies.quota_keys import KeyReader, accounts
from litellm_homelab.backends.rule import Backends
from litellm_homelab.config.sections import QuotaSection
from litellm_homelab.quotas.book import Book
from litellm_homelab.quotas.rule import Quotas
from litellm_homelab.state.memory import MemoryStore
from litellm_homelab.testing.mock_proxy import MASTER_KEY
from tests.adapter.backends.test_directory import Router
from tests.adapter.lane import document, group, proxy_on
from tests.adapter.recording_server import recording_server
from tests.quotas.test_book import Seen

ENVIRONMENT = {
    "LITELLM_MASTER_KEY": "sk-master",
    "AAA_API_KEY": "aaa-of-another",
    "OPENAI_API_KEY": "sk-of-openai",
    "GITHUB_TOKEN": "of-github",
    "OPENROUTER_API_KEY": "sk-or-env",
}
OWN = {"api_key": "sk-or-own"}
OPENROUTER = "https://openrouter.ai/api/v1"
LOCAL = "http://127.0.0.1:9/v1"
AT_OPENROUTER = "https://openrouter.ai:443/api/v1/key"


@pytest.fixture(autouse=True)
def only_these_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of the environment, none of which belongs to a server of this machine."""
    for name in os.environ:
        if name.endswith(("_KEY", "_TOKEN", "_API_BASE", "_BASE_URL")):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def directory_of(router: Callable[[], Any], names: Iterable[str] = ()) -> Directory:
    """What is known of a router's deployments."""
    deployments = Deployments(router, names)
    return Directory(Backends({}), Targets(deployments, ()), deployments)


def asked(
    *params: dict[str, Any],
    names: Iterable[str] = ("main",),
    router: Callable[[], Any] | None = None,
    **quota: Any,
) -> list[tuple[str, str]]:
    """Which addresses are asked with which key, for deployments of `main` whose quota is OpenRouter's."""
    directory = directory_of(router or (lambda: Router(*params)), names)
    section = QuotaSection.model_validate({"groups": ["main"], "preset": "openrouter-free", **quota})
    return [(one.url, one.key) for one in accounts(Quotas({"free": section}), directory)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"model": "openrouter/m", **OWN}, [(AT_OPENROUTER, "sk-or-own")], id="own key"),
        pytest.param({"model": "openrouter/m"}, [(AT_OPENROUTER, "sk-or-env")], id="the environment's key"),
        pytest.param(
            {"model": "openai/m", "api_base": OPENROUTER}, [(AT_OPENROUTER, "sk-or-env")], id="compatible"
        ),
        pytest.param(
            {"model": "openai/m", "api_base": LOCAL, **OWN}, [(f"{LOCAL}/key", "sk-or-own")], id="own address"
        ),
        pytest.param({"model": "openai/m", "api_base": LOCAL}, [], id="no key, own address"),
        pytest.param({"model": "hosted_vllm/m", "api_base": LOCAL}, [], id="no key, a placeholder"),
        pytest.param({"model": "openrouter/m", "api_base": LOCAL}, [], id="no key, a relay"),
        pytest.param({"model": "openai/m"}, [], id="no key, OpenAI"),
        pytest.param({"model": "openai/m", **OWN}, [], id="another provider's address"),
        pytest.param({"model": "groq/m", **OWN}, [], id="another provider"),
        pytest.param(
            {"model": "openai/m", "api_base": "https://openrouter.ai.example/api/v1"}, [], id="a similar host"
        ),
    ],
)
def test_a_key_goes_where_it_belongs(params: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """The deployment's own to its own address, the environment's to OpenRouter alone, and no other key."""
    assert asked(params) == expected


def test_a_key_goes_nowhere_where_its_address_is_not_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM reads one of two variables; the other server does not get the key."""
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    assert asked({"model": "openai/m", **OWN}) == [("http://127.0.0.1:1/v1/key", "sk-or-own")]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:2/v1")
    assert asked({"model": "openai/m", **OWN}) == []


def test_a_key_is_that_of_the_deployment_at_its_address() -> None:
    """The first deployment of the quota that has both; another one's key is not taken for it."""
    local = {"model": "openai/m", "api_base": LOCAL}
    found = asked(local, {"model": "openrouter/m", **OWN})
    assert found == [(AT_OPENROUTER, "sk-or-own")]


@pytest.mark.parametrize("groups", ["or/*", "or/m", "*"])
@pytest.mark.parametrize("names", [["or/m"], []], ids=["in the showroom", "not named"])
def test_names_below_a_wildcard_group_count(groups: str, names: list[str]) -> None:
    """A quota may name the wildcard group or a name below it."""
    router = Router({"model": "openrouter/*", **OWN})
    router.model_list[0]["model_name"] = "or/*"
    expected = [(AT_OPENROUTER, "sk-or-own")] if names or groups != "or/m" else []
    assert asked(names=names, router=lambda: router, groups=[groups]) == expected


def test_a_quota_that_does_not_learn_is_not_asked_for() -> None:
    """Nor does another preset ask at an unknown address."""
    assert asked({"model": "openrouter/m"}, learn=False) == []
    assert asked({"model": "openai/m", "api_base": LOCAL, **OWN}, preset="cohere-free") == []


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError(""), httpx.InvalidURL(""), TimeoutError(), OSError(), UnicodeError()],
    ids=lambda error: type(error).__name__,
)
async def test_an_account_that_cannot_be_read_keeps_no_other_back(error: Exception) -> None:
    """The next quota's account is read all the same."""
    params = [{"model": "openai/m", "api_base": f"http://127.0.0.1:{port}/v1", **OWN} for port in (1, 2)]
    router = Router(*params)
    router.model_list[1]["model_name"] = "other"
    found = Quotas(
        {
            name: QuotaSection.model_validate({"groups": [name], "preset": "openrouter-free"})
            for name in ("main", "other")
        }
    )
    seen: list[str] = []

    async def fetch(one: probing.Asked) -> tuple[int, bytes]:
        seen.append(one.url)
        raise error

    probing.fetch_with(fetch)
    try:
        book = Book(found.all, MemoryStore(), Seen())
        await KeyReader(found, directory_of(lambda: router), book).read_if_due()
    finally:
        probing.fetch_with(None)
    assert seen == ["http://127.0.0.1:1/v1/key", "http://127.0.0.1:2/v1/key"]


async def test_a_slow_account_delays_no_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used is shown meanwhile: windows reset without a request."""
    monkeypatch.setattr(quotas, "LOOK_SECONDS", 0.01)
    found = document([group("cloud", api_key="sk-or-own")], {}, internal=())
    found["homelab"]["quotas"] = {"free": {"groups": ["cloud"], "preset": "openrouter-free"}}
    is_asked, ends, looks = asyncio.Event(), asyncio.Event(), asyncio.Queue[None]()

    async def fetch(_: probing.Asked) -> tuple[int, bytes]:
        is_asked.set()
        await ends.wait()
        return 500, b""

    async def look(_: Book) -> None:
        looks.put_nowait(None)

    async with proxy_on(tmp_path, found) as gateway:
        probing.fetch_with(fetch)
        monkeypatch.setattr(Book, "look", look)
        await gateway.chat("cloud")
        async with asyncio.timeout(60):
            await is_asked.wait()
            while not looks.empty():
                looks.get_nowait()
            await looks.get()
            await looks.get()
        ends.set()


async def test_the_server_receives_no_other_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without a key of its own gets neither the master key nor another of the environment."""
    monkeypatch.setattr(quotas, "LOOK_SECONDS", 0.01)
    monkeypatch.delenv("OPENAI_API_KEY")  # the start refuses to send it there
    with recording_server() as bare, recording_server() as keyed:
        groups = [
            group("bare", api_base=bare.url, api_key=None),
            group("keyed", api_base=keyed.url, api_key=OWN["api_key"]),
        ]
        found = document(groups, {}, internal=())
        found["homelab"]["quotas"] = {
            name: {"groups": [name], "preset": "openrouter-free"} for name in ("bare", "keyed")
        }
        async with proxy_on(tmp_path, found) as gateway:
            probing.fetch_with(probing.fetch)
            await gateway.chat("bare")
            async with asyncio.timeout(60):
                while not keyed.requests:  # noqa: ASYNC110 - no event there
                    await asyncio.sleep(0.01)
    assert bare.requests == []
    assert [one.splitlines()[0] for one in keyed.requests] == ["/v1/key"]
    assert "Bearer sk-or-own" in keyed.requests[0]
    for value in (*ENVIRONMENT.values(), MASTER_KEY):
        assert value not in keyed.requests[0]
