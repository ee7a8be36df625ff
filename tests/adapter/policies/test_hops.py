"""The hop header over the mocked proxy: what comes in is read and replaced, what leaves has our pair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import yaml

from litellm_homelab.adapter.wiring import identity_of
from litellm_homelab.attempts import hops
from litellm_homelab.attempts.hops import GatewayIdentity
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import TEXT, document, group, key_of, mark_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

CHAT = "/v1/chat/completions"
PUBLIC = "https://llm.example.com/v1"
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {"messages": TEXT}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": TEXT, "max_tokens": 9}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
}
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@dataclass(frozen=True, slots=True)
class Gateway:
    """The mocked proxy, asked with a hop header."""

    proxy: MockProxy

    async def ask(
        self, model: str, *passed: str, way: str = "chat", stream: bool = False, caller: str | None = None
    ) -> Answer:
        """One request for `model` that has passed these pairs."""
        path, body = WAYS[way]
        header = {hops.HEADER: ", ".join(passed)} if passed else {}
        body = {"model": model, **body, **({"stream": True} if stream else {})}
        return await self.proxy.post(path, body, headers={**header, **(key_of(caller) if caller else {})})

    async def pair(self, model: str) -> str:
        """The pair of this gateway and a group, as its upstream sees it."""
        caller = "optillm" if model == "base" else None
        return sent(await self.ask(model, caller=caller))[-1][-1]


def sent(answer: Answer) -> list[list[str]]:
    """The pairs that each call to an upstream carried."""
    return [
        [pair for value in call.headers.getlist(hops.HEADER) for pair in value.split(", ")]
        for call in answer.calls
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """Two model servers, one with a fallback, one in a cloud, and an OptiLLM handle."""
    models = [group("main"), group("fast"), group("base"), group("boost", "openai/base")]
    models += [group("chain", num_retries=0), group("cloud", api_base=PUBLIC)]
    made = document(
        models, {"boost": {"approaches": ["none", "re2"]}}, fallbacks={"chain": ["fast"], "cloud": ["fast"]}
    )
    async with proxy_on(tmp_path_factory.mktemp("config"), made) as proxy:
        yield Gateway(proxy)


@STREAMED
@pytest.mark.parametrize("way", WAYS)
async def test_each_attempt_carries_the_pair(gateway: Gateway, way: str, stream: bool) -> None:
    """One pair of this gateway, the same each time, behind those that came in."""
    first = await gateway.ask("main", way=way, stream=stream)
    again = await gateway.ask("main", "a.b", "c.d", way=way, stream=stream)
    assert (first.status, again.status) == (200, 200), first.text + again.text
    own = sent(first)[0]
    assert len(own) == 1
    assert sent(again) == [["a.b", "c.d", *own]]


@STREAMED
@pytest.mark.parametrize("way", WAYS)
async def test_a_request_that_comes_back_is_refused(gateway: Gateway, way: str, stream: bool) -> None:
    """No upstream is asked, and the client gets the 508, which no SDK asks for again."""
    own = await gateway.pair("main")
    answer = await gateway.ask("main", "a.b", own, way=way, stream=stream)
    assert (answer.status, answer.sent_to) == (508, []), answer.text
    assert answer.error["type"] == ("api_error" if way == "messages" else "loop_detected")
    assert answer.response.headers["x-should-retry"] == "false"


async def test_another_group_of_the_same_gateway_is_served(gateway: Gateway) -> None:
    """Only the group that would be repeated is a loop."""
    own = await gateway.pair("main")
    answer = await gateway.ask("fast", own)
    assert (answer.status, sent(answer)[0][0]) == (200, own)
    assert sent(answer)[0][1].partition(".")[0] == own.partition(".")[0]


@STREAMED
async def test_a_fallback_does_not_lead_back(gateway: Gateway, stream: bool) -> None:
    """The fallback's group has been passed: the attempt is refused, the client gets the 508."""
    own = await gateway.pair("fast")
    gateway.proxy.upstream("chain").fails(500, times=1)
    answer = await gateway.ask("chain", own, stream=stream)
    assert (answer.status, answer.sent_to) == (508, ["chain"]), answer.text
    gateway.proxy.upstream("chain").works()


async def test_a_fallback_carries_both_names(gateway: Gateway) -> None:
    """A request that comes back for the name it had is known, whichever group it left from."""
    gateway.proxy.upstream("chain").fails(500, times=1)
    answer = await gateway.ask("chain")
    gateway.proxy.upstream("chain").works()
    assert answer.sent_to == ["chain", "fast"]
    first, second = sent(answer)
    assert second == [*first, await gateway.pair("fast")]
    back = await gateway.ask("chain", *second)
    assert (back.status, back.sent_to) == (508, [])


@STREAMED
async def test_nothing_is_sent_to_a_cloud(gateway: Gateway, stream: bool) -> None:
    """Neither ours nor what came in; the fallback at home has both."""
    answer = await gateway.ask("cloud", "a.b", stream=stream)
    assert (answer.status, sent(answer)) == (200, [[]]), answer.text
    gateway.proxy.upstream("cloud").fails(500, times=2)
    answer = await gateway.ask("cloud", "a.b", stream=stream)
    gateway.proxy.upstream("cloud").works()
    assert answer.status == 200, answer.text
    assert [pairs for pairs, to in zip(sent(answer), answer.sent_to, strict=True) if to == "cloud"] in (
        [[]],
        [[], []],
    )
    assert sent(answer)[-1][0] == "a.b"


GARBAGE = ["garbage", "a.b; c.d", "a.b.c", "a." + "b" * 65, "a.b, " * 3000 + "c.d"]


@pytest.mark.parametrize("value", GARBAGE, ids=["word", "separator", "parts", "part-too-long", "too-long"])
async def test_a_malformed_header_is_refused(gateway: Gateway, value: str) -> None:
    """Closed: what cannot be read cannot be shown not to be a loop, and hurts its sender alone."""
    answer = await gateway.ask("main", value)
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "invalid_request_error", [])
    assert (await gateway.ask("main")).status == 200


async def test_too_many_pairs_are_a_loop(gateway: Gateway) -> None:
    """Through ever new gateways, too, a request ends."""
    pairs = [f"g{number}.main" for number in range(hops.MOST)]
    assert (await gateway.ask("main", *pairs[1:])).status == 200
    answer = await gateway.ask("main", *pairs)
    assert (answer.status, answer.error["type"], answer.sent_to) == (508, "loop_detected", [])


@pytest.mark.parametrize("name", ["X-Homelab-Hop", "x-homelab-hop"])
async def test_no_field_of_a_client_takes_the_headers_place(gateway: Gateway, name: str) -> None:
    """Headers in the body's `extra_headers` reach no upstream in place of ours."""
    own = await gateway.pair("main")
    answer = await gateway.proxy.post(
        CHAT, {"model": "main", "messages": TEXT, "extra_headers": {name: "forged.pair"}}
    )
    assert all(pairs == [own] for pairs in sent(answer))


# --- what the next gateway says ----------------------------------------------------------------------

LOOP = b'{"error": {"message": "Loop detected", "type": "loop_detected", "param": "model", "code": "508"}}'


@STREAMED
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [508, 400])
async def test_the_next_gateways_refusal_ends_the_request(
    gateway: Gateway, way: str, stream: bool, status: int
) -> None:
    """One call: no retry, no fallback; the client gets the 508."""
    gateway.proxy.upstream("chain").says(LOOP, status=status)
    answer = await gateway.ask("chain", way=way, stream=stream)
    gateway.proxy.upstream("chain").works()
    assert (answer.status, answer.sent_to) == (508, ["chain"]), answer.text
    assert "Loop detected" in answer.error["message"]
    assert (await gateway.ask("chain")).status == 200


async def test_another_400_is_an_error_of_the_upstream(gateway: Gateway) -> None:
    """The fallback answers, as for any other error; nothing of it was lost by reading it."""
    gateway.proxy.upstream("chain").says(b'{"error": {"message": "no such tool", "type": "x"}}', status=400)
    answer = await gateway.ask("chain")
    gateway.proxy.upstream("chain").works()
    assert (answer.status, answer.sent_to) == (200, ["chain", "fast"]), answer.text
    gateway.proxy.upstream("main").says(b'{"error": {"message": "no such tool", "type": "x"}}', status=400)
    answer = await gateway.ask("main")
    gateway.proxy.upstream("main").works()
    assert (answer.status, answer.sent_to) == (400, ["main"]), answer.text
    assert "no such tool" in answer.error["message"]


# --- through OptiLLM ---------------------------------------------------------------------------------


async def test_children_carry_what_their_root_has_passed(gateway: Gateway) -> None:
    """OptiLLM forwards no header: the ledger remembers the pairs, and the child's attempt sends them on."""
    upstream = gateway.proxy.upstream("boost")
    release = upstream.holds()
    asking = asyncio.ensure_future(gateway.ask("boost", "a.b"))
    while not upstream.requests or MARKER not in str(upstream.requests[-1].json):
        await asyncio.wait({asking}, timeout=0.005)
    mark = mark_of(upstream.requests[-1].json)
    child = await gateway.ask(f"base{mark}", caller="optillm")
    release.set()
    root = await asking
    upstream.works()
    assert (root.status, child.status) == (200, 200), root.text + child.text
    (of_root,) = [pairs for pairs, to in zip(sent(root), root.sent_to, strict=True) if to == "boost"]
    assert of_root[0] == "a.b"
    assert sent(child)[0] == [*of_root, await gateway.pair("base")]


@pytest.mark.parametrize("passed", ["boost", "base"])
async def test_a_root_that_has_been_here_is_refused(gateway: Gateway, passed: str) -> None:
    """Neither the handle again, nor a child's group that the root has passed."""
    own = await gateway.pair(passed)
    if passed == "boost":
        answer = await gateway.ask("boost", own)
        assert (answer.status, answer.sent_to) == (508, []), answer.text
        return
    answer = await gateway.ask("base", own, caller="optillm")
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "loop_detected", [])


# --- who this gateway is to others -------------------------------------------------------------------


def identity(environ: dict[str, str], **params: str) -> GatewayIdentity:
    """The identity of a gateway with one secret, whose `main` has these parameters."""
    main = group("main")
    main["litellm_params"] |= params
    made = document([main], {}, internal=())
    made["homelab"]["secret"] = "one-secret-of-all-gateways"
    own = {"LITELLM_MASTER_KEY": "sk-master-of-this-test", **environ}
    text = yaml.safe_dump(made)
    return identity_of(parse(text, path="router.yaml", environ=own, known=Known()), own)


B, BACKEND = "http://127.0.0.1:4001/v1", "http://127.0.0.1:8000/v1"


async def test_two_gateways_of_one_secret_are_two() -> None:
    """One file on two machines, its addresses from the environment: the first leads to the second."""
    first, second = (identity({"UPSTREAM": at}, api_base="os.environ/UPSTREAM") for at in (B, BACKEND))
    assert first != second
    assert first.pair("main") != second.pair("main")
    assert first == identity({"UPSTREAM": B}, api_base="os.environ/UPSTREAM")
    assert first == identity({}, api_base=B)


async def test_models_of_two_databases_are_of_two_gateways() -> None:
    """LiteLLM's database may have models that the file does not."""
    first, second = (
        identity({"DATABASE_URL": at}, api_base=B) for at in ("postgresql://a", "postgresql://b")
    )
    assert first != second
