"""Backends that are away, over stock LiteLLM: who is asked, what is listed, what the client gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.middleware import waiting_comments
from litellm_homelab.adapter.policies.presence import PresencePolicy
from litellm_homelab.backends.presence import BackendState
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.answer import Answer
from tests.adapter.lane import TEXT, document, group, proxy_on

GPU, BOX, CLOUD = "http://127.0.0.1:8000", "http://127.0.0.1:9000", "https://api.example.com"
FAST = 0.2
"""Seconds between two probes of these tests."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}


def config(on_absent: str = "fallback", every: float = FAST, **gpu: Any) -> dict[str, Any]:
    """A handle on a GPU with a fallback elsewhere, one without, a pair on two servers, and one in a cloud."""
    models = [
        group("main", api_base=f"{GPU}/v1"),
        group("fast", api_base=f"{GPU}/v1"),
        group("spare", api_base=f"{BOX}/v1"),
        group("pair", "openai/pair-on-gpu", 0, api_base=f"{GPU}/v1"),
        group("pair", "openai/pair-on-box", 1, api_base=f"{BOX}/v1"),
        group("cloud", api_base=f"{CLOUD}/v1"),
    ]
    found = document(models, {}, internal=("spare",), fallbacks={"main": ["spare"]})
    presence = {"probe_seconds": every, "timeout_seconds": 1}
    found["homelab"]["backends"] = {
        "gpu": {"at": [GPU], "presence": {**presence, "on_absent": on_absent}, **gpu},
        "box": {"at": [BOX], "presence": presence},
        "cloud": {"at": [CLOUD], "presence": presence},
    }
    return found


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MockProxy]:
    """The mocked proxy on `config`."""
    async with proxy_on(tmp_path, config()) as found:
        yield found


async def until(condition: Callable[[], bool]) -> None:
    """Wait, at most a minute, until a condition is true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what the stand-ins have seen sets no event
            await asyncio.sleep(0.02)


async def probed(proxy: MockProxy, name: str) -> None:
    """Wait until a server has been asked twice more: what it says now is known by then."""
    seen = len(proxy.upstream(name).probes)
    await until(lambda: len(proxy.upstream(name).probes) >= seen + 2)


async def listed(proxy: MockProxy) -> list[str]:
    """The names that a client sees."""
    found = await proxy.get("/v1/models")
    return [one["id"] for one in found.json["data"]]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask, for at most a minute, until it is so."""
    for _ in range(1200):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to be so")


async def gone(proxy: MockProxy, name: str) -> None:
    """Wait until a name is not listed any more."""

    async def is_gone() -> bool:
        return name not in await listed(proxy)

    await eventually(is_gone)


async def back(proxy: MockProxy, name: str) -> None:
    """Wait until a name is listed again."""

    async def is_back() -> bool:
        return name in await listed(proxy)

    await eventually(is_back)


def down(proxy: MockProxy, *names: str) -> None:
    """The servers of these groups refuse connections."""
    for name in names:
        proxy.upstream(name).fails("down")


def state_of(backend: str) -> list[str]:
    """The states that the metrics show for a backend: one of them."""
    labels = [{"backend": backend, "state": one.value} for one in BackendState]
    return [one["state"] for one in labels if REGISTRY.get_sample_value("homelab_backend_state", one) == 1]


def groups(answer: Answer) -> list[str]:
    """The groups that were called."""
    return [call.backend for call in answer.calls]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", BODIES)
async def test_a_refused_connection_makes_a_backend_absent_for_the_next_request(
    tmp_path: Path, path: str, stream: bool
) -> None:
    """
    The first request falls back after a try, the second one without any.

    LiteLLM sends streamed completions when their first chunk is asked for, too late for a fallback (1.108.7).
    """
    is_late = stream and path == "/v1/completions"
    async with proxy_on(tmp_path, config(every=3600)) as proxy:
        down(proxy, "main", "fast")
        first, answer = [
            await proxy.post(path, {"model": "main", **BODIES[path], "stream": stream}) for _ in range(2)
        ]
        assert (first.status, answer.status) == (500 if is_late else 200, 200)
        assert set(groups(first)) == ({"main"} if is_late else {"main", "spare"})
        assert groups(answer) == ["spare"]
        assert state_of("gpu") == ["absent"]


@pytest.mark.parametrize("path", BODIES)
async def test_an_absent_handle_without_a_fallback_is_a_503(proxy: MockProxy, path: str) -> None:
    """It says so, when to try again, and calls nothing."""
    down(proxy, "main", "fast", "pair")
    await gone(proxy, "fast")
    answer = await proxy.post(path, {"model": "fast", **BODIES[path]})
    error = answer.json["error"]
    word = "api_error" if path == "/v1/messages" else "model_absent"  # Anthropic's for a 5xx
    assert (answer.status, error["type"]) == (503, word)
    assert "not running" in error["message"]
    assert answer.response.headers["retry-after"] == "1"
    assert "x-should-retry" not in answer.response.headers
    assert answer.calls == ()


async def test_refuse_ends_the_request(tmp_path: Path) -> None:
    """With `on_absent: refuse` no fallback answers in the place of what was asked for."""
    async with proxy_on(tmp_path, config("refuse")) as proxy:
        down(proxy, "main", "fast", "pair")
        await gone(proxy, "fast")
        answer = await proxy.chat("main")
        assert (answer.status, answer.json["error"]["type"]) == (503, "model_absent")
        assert answer.calls == ()


async def test_ignore_asks_anyway(tmp_path: Path) -> None:
    """With `on_absent: ignore` the state is only shown: the handle is listed and its server is asked."""
    async with proxy_on(tmp_path, config("ignore")) as proxy:
        down(proxy, "main", "fast")
        await asyncio.sleep(3 * FAST)
        assert "fast" in await listed(proxy)
        proxy.upstream("main").works()
        assert groups(await proxy.chat("main")) == ["main"]


async def test_a_handle_leaves_the_listing_and_comes_back(proxy: MockProxy) -> None:
    """A name is listed while anything of its chain is there."""
    everything = await listed(proxy)
    assert everything == ["main", "fast", "pair", "cloud"]
    down(proxy, "main", "fast", "pair")
    await gone(proxy, "fast")
    assert await listed(proxy) == ["main", "pair", "cloud"]
    for name in ("main", "fast", "pair"):
        proxy.upstream(name).works()
    await back(proxy, "fast")
    assert await listed(proxy) == everything
    assert (await proxy.chat("fast")).status == 200


async def test_of_two_servers_the_one_that_is_there_is_asked(tmp_path: Path) -> None:
    """Nothing is tried at the other one, whatever LiteLLM would choose, and no fallback is needed."""
    async with proxy_on(tmp_path, config(every=3600)) as proxy:
        down(proxy, "fast")
        await proxy.chat("fast")
        asked = [(await proxy.chat("pair")).calls for _ in range(6)]
        assert [call.json["model"] for calls in asked for call in calls if call.json] == ["pair-on-box"] * 6


async def test_a_cloud_is_never_probed(proxy: MockProxy) -> None:
    """Its state comes from what attempts meet."""
    await probed(proxy, "main")
    assert proxy.upstream("cloud").probes == []


async def test_a_clouds_absence_ends_by_itself(proxy: MockProxy) -> None:
    """There is no probe that would bring it back."""
    down(proxy, "cloud")
    assert (await proxy.chat("cloud")).status >= 500
    proxy.upstream("cloud").works()

    async def answers() -> bool:
        return (await proxy.chat("cloud")).status == 200

    await eventually(answers)


@pytest.mark.parametrize("kind", ["vllm", "ollama", "llama-swap", "lm-studio"])
async def test_a_model_that_is_not_there_any_more_is_absent(tmp_path: Path, kind: str) -> None:
    """The server is there and lists others: its other handles are served."""
    async with proxy_on(tmp_path, config(kind=kind)) as proxy:
        proxy.upstream("fast").is_gone = True
        await gone(proxy, "fast")
        answer = await proxy.chat("fast")
        assert (answer.status, answer.json["error"]["type"]) == (503, "model_absent")
        assert groups(await proxy.chat("main")) == ["main"]


@pytest.mark.parametrize("kind", ["openai", "mlx"])
async def test_a_list_that_is_not_complete_says_nothing_of_a_model(tmp_path: Path, kind: str) -> None:
    """mlx_lm.server lists what is in its cache folder, and serves others as well."""
    async with proxy_on(tmp_path, config(kind=kind)) as proxy:
        proxy.upstream("fast").is_gone = True
        await probed(proxy, "main")
        assert groups(await proxy.chat("fast")) == ["fast"]


async def test_one_probe_for_each_interval(tmp_path: Path) -> None:
    """Three handles on one server are one question."""
    async with proxy_on(tmp_path, config(every=0.5)) as proxy:
        await until(lambda: len(proxy.upstream("main").probes) >= 1)
        before = len(proxy.upstream("main").probes)
        await asyncio.sleep(1.6)
        assert len(proxy.upstream("main").probes) - before <= 4
        assert set(proxy.upstream("main").probes) == {"/v1/models"}


# --- waking ------------------------------------------------------------------------------------------

WAKE = {"mac": "02:00:00:00:00:01", "wait_seconds": 30, "cooldown_seconds": 30}


async def asleep(proxy: MockProxy) -> None:
    """The GPU box is asleep, and that is known."""
    down(proxy, "main", "fast", "pair")
    await until(lambda: state_of("gpu") == ["absent"])


async def wakes_up(proxy: MockProxy, after: float) -> None:
    """It is there again, some time after it was woken."""
    await until(lambda: bool(proxy.wakes))
    await asyncio.sleep(after)
    for name in ("main", "fast", "pair"):
        proxy.upstream(name).works()


@pytest.mark.parametrize("path", BODIES)
async def test_twenty_wait_for_one_wake(tmp_path: Path, path: str) -> None:
    """All are served; a second request within the cooldown sends no second packet."""
    async with proxy_on(tmp_path, config("wake", wake=WAKE)) as proxy:
        await asleep(proxy)
        waking = asyncio.create_task(wakes_up(proxy, 0.5))
        answers = await asyncio.gather(
            *(proxy.post(path, {"model": "fast", **BODIES[path]}) for _ in range(20))
        )
        await waking
        assert [answer.status for answer in answers] == [200] * 20
        assert proxy.wakes == ["gpu"]
        assert float(answers[0].response.headers["x-homelab-queue-seconds"]) >= 0.4
        assert len(proxy.upstream("fast").requests) == 20


async def test_a_stream_that_waits_for_a_wake_gets_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes come before the server does."""
    monkeypatch.setattr(waiting_comments, "SECONDS", 0.1)
    async with proxy_on(tmp_path, config("wake", wake=WAKE)) as proxy:
        await asleep(proxy)
        waking = asyncio.create_task(wakes_up(proxy, 0.6))
        answer = await proxy.chat("fast", stream=True)
        await waking
        assert answer.status == 200
        assert answer.text.startswith(": waiting\n\n")
        assert answer.text.count(waiting_comments.COMMENT.decode()) >= 2
        assert answer.text.endswith("data: [DONE]\n\n")


async def test_a_request_without_a_fallback_waits(tmp_path: Path) -> None:
    """`meanwhile: fallback` says nothing of handles that have none."""
    async with proxy_on(tmp_path, config("wake", wake={**WAKE, "meanwhile": "fallback"})) as proxy:
        await asleep(proxy)
        waking = asyncio.create_task(wakes_up(proxy, 0.3))
        answer = await proxy.chat("fast")
        await waking
        assert (answer.status, groups(answer)) == (200, ["fast"])


async def test_a_handle_that_can_be_woken_is_listed(tmp_path: Path) -> None:
    """Clients may ask for it."""
    async with proxy_on(tmp_path, config("wake", wake=WAKE)) as proxy:
        await asleep(proxy)
        assert await listed(proxy) == ["main", "fast", "pair", "cloud"]


async def test_meanwhile_the_fallback_answers(tmp_path: Path) -> None:
    """With `meanwhile: fallback` the box is woken, and requests with a fallback do not wait for it."""
    async with proxy_on(tmp_path, config("wake", wake={**WAKE, "meanwhile": "fallback"})) as proxy:
        await asleep(proxy)
        assert groups(await proxy.chat("main")) == ["spare"]
        await until(lambda: proxy.wakes == ["gpu"])
        await wakes_up(proxy, 0)
        await until(lambda: state_of("gpu") == ["up"])
        assert groups(await proxy.chat("main")) == ["main"]


@pytest.mark.parametrize("meanwhile", ["wait", "fallback"])
async def test_a_box_that_does_not_wake_is_absent(tmp_path: Path, meanwhile: str) -> None:
    """After `wait_seconds` the client gets a 503, or the chain goes on."""
    wake = {**WAKE, "wait_seconds": 0.5, "meanwhile": meanwhile}
    async with proxy_on(tmp_path, config("wake", wake=wake)) as proxy:
        await asleep(proxy)
        answer = await proxy.chat("fast")
        assert (answer.status, answer.json["error"]["type"], answer.calls) == (503, "model_absent", ())
        assert groups(await proxy.chat("main")) == ["spare"]
        assert proxy.wakes == ["gpu"]


async def test_a_discovered_handle_is_listed_while_a_fallback_of_its_group_is_there(tmp_path: Path) -> None:
    """The wildcard's deployment leads to a group elsewhere, and so does each name below it."""
    found = document([group("spare", api_base=f"{BOX}/v1")], {}, internal=())
    for name, leads in (("led", {"fallbacks": ["spare"]}), ("alone", {})):
        found["model_list"].append(
            {
                "model_name": f"{name}/*",
                "litellm_params": {"model": "ollama_chat/*", "api_base": f"http://127.0.0.1/{name}", **leads},
            }
        )
    presence = {"probe_seconds": FAST, "timeout_seconds": 1}
    found["homelab"]["backends"] = {
        name: {"at": [f"http://127.0.0.1/{name}"], "kind": "ollama", "presence": presence}
        for name in ("led", "alone")
    }
    found["homelab"]["showroom"]["discover"] = {name: {"group": f"{name}/*"} for name in ("led", "alone")}
    is_there = True

    async def fetch(asked: probing.Asked) -> tuple[int, bytes]:
        if not is_there:
            raise httpx.ConnectError(asked.url)
        return 200, b'{"models": [{"name": "qwen"}]}'

    async with proxy_on(tmp_path, found) as gateway:
        probing.fetch_with(fetch)
        await back(gateway, "led/qwen")
        await back(gateway, "alone/qwen")
        is_there = False
        await gone(gateway, "alone/qwen")
        await until(lambda: state_of("led") == ["absent"])
        assert await listed(gateway) == ["spare", "led/qwen"]


@pytest.mark.parametrize("step", ["passes", "filter"])
async def test_a_filter_that_breaks_calls_nothing(
    proxy: MockProxy, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """In its short look or in the whole one: the request is refused, and the failure is counted."""

    def breaks(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(PresencePolicy, "passes", breaks if step == "passes" else lambda *_: False)
    monkeypatch.setattr(PresencePolicy, "filter", breaks)
    counted = {"rule": "presence"}
    before = REGISTRY.get_sample_value("homelab_rule_errors_total", counted) or 0
    answer = await proxy.chat("cloud")
    assert (answer.error["type"], answer.sent_to) == ("policy_error", []), answer.text
    assert (REGISTRY.get_sample_value("homelab_rule_errors_total", counted) or 0) > before
