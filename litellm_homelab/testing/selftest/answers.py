"""Checks of what clients see: listings, names in answers, who may call what."""

from __future__ import annotations

from litellm_homelab.testing.selftest.check import Seen
from litellm_homelab.testing.selftest.gateway import CHAT, CLIENT, TEXT, SelfTestGateway

HANDLES = ["main", "broken", "flaky", "alone", "boost", "embed"]


async def listing_is_the_showroom(gateway: SelfTestGateway) -> Seen:
    """`/v1/models` lists the handles, in their order, and a caller's own ones to that caller."""
    saw = {}
    for name, headers in (("master key", None), ("client", CLIENT)):
        answer = await gateway.proxy.get("/v1/models", headers=headers)
        saw[name] = [one.get("id") for one in answer.json.get("data", [])]
    return Seen({"master key": HANDLES, "client": ["main", "boost"]}, saw)


async def hidden_names_are_not_called(gateway: SelfTestGateway) -> Seen:
    """A backroom group, an internal one, a deployment's id and an upstream's name are one 404."""
    names = ("back", "spare", "id-back", "openai/real-back", "real-main")
    saw = {}
    for name in names:
        answer = await gateway.owner(name)
        saw[name] = f"{answer.status} {answer.error.get('type')} {answer.sent_to}"
    return Seen(dict.fromkeys(names, "404 model_not_found []"), saw)


async def answer_keeps_the_handle(gateway: SelfTestGateway) -> Seen:
    """`model` is the handle that was asked for, after a failover too."""
    plain = await gateway.chat()
    with gateway.failing("flaky"):
        failed_over = await gateway.owner("flaky")
    saw = {"plain": plain.json.get("model"), "after a failover": failed_over.json.get("model")}
    return Seen({"plain": "main", "after a failover": "flaky"}, saw)


async def stream_keeps_the_handle(gateway: SelfTestGateway) -> Seen:
    """Every chunk of a stream names the handle; the stream has text and an end."""
    answer = await gateway.chat(stream=True)
    models = sorted({str(event.get("model")) for event in answer.events})
    saw = {"status": answer.status, "models": models, "ends": "data: [DONE]" in answer.text}
    return Seen({"status": 200, "models": ["main"], "ends": True}, saw)


async def keys_are_checked(gateway: SelfTestGateway) -> Seen:
    """`custom_auth` is asked: no key and a wrong one are a 401, a caller reaches its own handles only."""
    saw = {
        "no key": (await gateway.chat(headers={"Authorization": ""})).status,
        "wrong key": (await gateway.chat(headers={"Authorization": "Bearer sk-other"})).status,
        "own handle": (await gateway.chat("main")).status,
        "another handle": (await gateway.chat("alone")).status,
    }
    return Seen({"no key": 401, "wrong key": 401, "own handle": 200, "another handle": 404}, saw)


async def routes_are_closed(gateway: SelfTestGateway) -> Seen:
    """A pass-through route, a management route and a route that LiteLLM does not have are not served."""
    saw = {}
    for path in ("/openai/chat/completions", "/key/generate", "/mcp-rest/test/connection"):
        answer = await gateway.proxy.post(path, {"model": "back", "messages": TEXT}, headers=CLIENT)
        saw[path] = f"{answer.status} {answer.error.get('type')} {answer.sent_to}"
    return Seen(dict.fromkeys(saw, "403 route_not_allowed []"), saw)


async def fields_are_refused(gateway: SelfTestGateway) -> Seen:
    """Fields that steer LiteLLM elsewhere are refused before anything is sent, in every carrier."""
    bodies: dict[str, dict[str, object]] = {
        "api_base": {"api_base": "http://elsewhere.invalid/v1"},
        "extra_body": {"extra_body": {"model": "real-back"}},
        "fallbacks": {"fallbacks": ["back"]},
        "user_config": {"user_config": {"model_list": []}},
        "litellm_params": {"litellm_params": {"api_base": "http://elsewhere.invalid/v1"}},
    }
    saw = {}
    for name, fields in bodies.items():
        answer = await gateway.chat("main", **fields)
        saw[name] = f"{answer.status} {answer.sent_to}"
    return Seen(dict.fromkeys(bodies, "400 []"), saw)


async def unknown_fields_do_not_leave(gateway: SelfTestGateway) -> Seen:
    """An undocumented field is not sent to a backend, and neither is one that LiteLLM itself reads."""
    answer = await gateway.chat(no_such_field=1, metadata={"tags": ["paid"]})
    sent = [name for body in answer.wire for name in ("no_such_field", "tags") if name in str(body)]
    return Seen({"status": 200, "sent": []}, {"status": answer.status, "sent": sent})


async def path_is_the_name(gateway: SelfTestGateway) -> Seen:
    """A name in the path is judged: a backroom group there is not called."""
    answer = await gateway.proxy.post("/openai/deployments/back/chat/completions", {"messages": TEXT})
    return Seen("404 []", f"{answer.status} {answer.sent_to}")


async def plugin_runs_once(gateway: SelfTestGateway) -> Seen:
    """The plugin is in LiteLLM's list of callbacks, once."""
    import litellm

    from litellm_homelab.adapter.callback import Plugin

    await gateway.proxy.post(CHAT, {"model": "main", "messages": TEXT})
    return Seen(1, sum(isinstance(one, Plugin) for one in litellm.callbacks))
