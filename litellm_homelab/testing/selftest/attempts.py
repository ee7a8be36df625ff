"""Checks of what LiteLLM's router does with each attempt."""

from __future__ import annotations

import litellm

from litellm_homelab import refusals
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.testing.selftest.check import Seen
from litellm_homelab.testing.selftest.gateway import SelfTestGateway


def _refuse_main(deployment: str) -> Exception | None:
    return Refused(refusals.of_the_self_test()) if deployment.startswith("id-main") else None


async def refusal_is_final(gateway: SelfTestGateway) -> Seen:
    """A refusal in the attempt hook: its own status, one attempt, no retry, no fallback, no call."""
    gateway.probe.deny = _refuse_main
    answer = await gateway.chat()
    saw = {"status": answer.status, "attempts": len(gateway.probe.attempts), "calls": answer.sent_to}
    return Seen({"status": 400, "attempts": 1, "calls": []}, saw)


async def refusal_rests_nothing(gateway: SelfTestGateway) -> Seen:
    """After several refusals the same group is still called."""
    gateway.probe.deny = _refuse_main
    for _ in range(4):
        await gateway.chat()
    gateway.probe.reset()
    return Seen(["main"], (await gateway.chat()).sent_to)


async def skip_goes_on(gateway: SelfTestGateway) -> Seen:
    """A group that the filter of deployments skips is not called, and the next one of the chain is."""

    def skipped(group: str) -> Exception | None:
        error = litellm.RateLimitError("skipped by the self-test", llm_provider="", model=group)
        error.num_retries = 0
        return error if group == "main" else None

    gateway.probe.drop = skipped
    answer = await gateway.chat()
    gateway.probe.reset()
    later = await gateway.chat()
    saw = {"status": answer.status, "calls": answer.sent_to, "calls of the next request": later.sent_to}
    return Seen({"status": 200, "calls": ["spare"], "calls of the next request": ["main"]}, saw)


async def hook_on_every_fallback(gateway: SelfTestGateway) -> Seen:
    """The attempt hook is asked about the first deployment and about the one of the fallback."""
    with gateway.failing("broken"):
        await gateway.owner("broken")
    return Seen(["id-broken", "id-second"], gateway.probe.attempts)


async def hook_on_every_route(gateway: SelfTestGateway) -> Seen:
    """The pre-call hook and the attempt hook run on chat, completions, responses, messages, embeddings."""
    bodies: dict[str, dict[str, object]] = {
        "/v1/chat/completions": {"model": "main", "messages": [{"role": "user", "content": "hello"}]},
        "/v1/completions": {"model": "main", "prompt": "hello"},
        "/v1/responses": {"model": "main", "input": "hello"},
        "/v1/messages": {
            "model": "main",
            "messages": [{"role": "user", "content": "hello"}],
            "max_tokens": 9,
        },
        "/v1/embeddings": {"model": "embed", "input": "hello"},
    }
    saw = {}
    for path, body in bodies.items():
        gateway.probe.reset()
        await gateway.proxy.post(path, body)
        saw[path] = sorted(set(gateway.probe.called))
    return Seen({path: ["attempt", "pre_call"] for path in bodies}, saw)


async def wire_hook_sees_the_body(gateway: SelfTestGateway) -> Seen:
    """What the wire hook is shown is what the upstream receives."""
    answer = await gateway.chat(temperature=0.5)
    names = ("model", "messages", "temperature")
    shown = [{name: body.get(name) for name in names} for body in gateway.probe.bodies]
    received = [{name: body.get(name) for name in names} for body in answer.wire]
    return Seen(received, shown)


async def transport_is_the_last_line(gateway: SelfTestGateway) -> Seen:
    """A callback that sends an attempt to another address is stopped below LiteLLM's clients."""
    gateway.probe.change = {"api_base": "http://elsewhere.invalid/v1"}
    answer = await gateway.chat()
    saw = {"status": answer.status, "type": answer.error.get("type"), "calls": answer.sent_to}
    return Seen({"status": 503, "type": "policy_error", "calls": []}, saw)


async def failure_hook_changes_the_error(gateway: SelfTestGateway) -> Seen:
    """An upstream's error reaches the client without the upstream's name, address and deployment id."""
    with gateway.failing("alone"):
        answer = await gateway.owner("alone")
    told = [word for word in ("real-alone", "alone.invalid", "id-alone", "127.0.0.1") if word in answer.text]
    saw = {"status": answer.status, "hook ran": "failure" in gateway.probe.called, "names": told}
    return Seen({"status": 500, "hook ran": True, "names": []}, saw)
