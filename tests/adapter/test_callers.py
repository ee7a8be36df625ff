"""Callers through the mocked proxy: how a key may be sent, whom LiteLLM sees, and which names it opens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.mock_proxy import MASTER_KEY
from tests.adapter.lane import CONTENTS, KEYS, TEXT, document, group, key_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

CHAT = "/v1/chat/completions"
APP = KEYS["app"]
UNKNOWN = "sk-nobodys-key"


class Seen(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Whom LiteLLM takes the caller for, before routing and per attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.identities: list[Any] = []
        self.attempts: list[dict[str, Any]] = []

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> None:
        """Note the identity."""
        self.identities.append(user_api_key_dict)

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> None:
        """Note the metadata that LiteLLM logs and exports."""
        self.attempts.append(dict(kwargs.get("litellm_metadata") or kwargs.get("metadata") or {}))


seen = Seen()


def router() -> dict[str, Any]:
    """Two plain handles, a hidden one, an OptiLLM handle, and callers of each kind."""
    models = [group("main"), group("fast"), group("base"), group("boost", "openai/base"), group("quiet")]
    made = document(
        [*models, group("chain", num_retries=0)],
        {"boost": {"approaches": ["none", "re2"]}},
        fallbacks={"chain": ["boost"]},
        callers={
            "app": {"key": APP, "handles": ["fast", "quiet"]},
            "everything": {"key": "sk-everything"},
            "optillm": {"key": KEYS["optillm"], "role": "optillm"},
            "narrow": {"key": "sk-optillm-narrow", "role": "optillm", "handles": ["main"]},
            "prometheus": {"key": KEYS["prometheus"], "role": "metrics"},
        },
    )
    made["homelab"]["showroom"]["handles"].remove("quiet")
    made["homelab"]["showroom"]["hidden"] = ["quiet"]
    made["litellm_settings"]["callbacks"].append("tests.adapter.test_callers.seen")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """One gateway for all of them."""
    async with proxy_on(tmp_path_factory.mktemp("config"), router()) as running:
        yield running


def bearer(key: str) -> dict[str, str]:
    """The usual header."""
    return {"Authorization": f"Bearer {key}"}


def body(model: str, **fields: object) -> dict[str, Any]:
    """A chat request."""
    return {"model": model, "messages": TEXT, **fields}


# --- how a key is sent -------------------------------------------------------------------------------

WAYS: dict[str, tuple[dict[str, str], str]] = {
    "bearer": ({"Authorization": "Bearer {key}"}, ""),
    "bearer in lower case": ({"Authorization": "bearer {key}"}, ""),
    "LiteLLM's own header": ({"x-litellm-api-key": "Bearer {key}", "Authorization": ""}, ""),
    "LiteLLM's own header, bare": ({"x-litellm-api-key": "{key}", "Authorization": ""}, ""),
    "Azure's header": ({"api-key": "{key}", "Authorization": ""}, ""),
    "Anthropic's header": ({"x-api-key": "{key}", "Authorization": ""}, ""),
    "Google's header": ({"x-goog-api-key": "{key}", "Authorization": ""}, ""),
    "Azure API management's header": ({"Ocp-Apim-Subscription-Key": "{key}", "Authorization": ""}, ""),
    "Google's query": ({"Authorization": ""}, "?key={key}"),
}
GENERATE = "/v1beta/models/fast:generateContent"


@pytest.mark.parametrize("way", [pytest.param(way, id=name) for name, way in WAYS.items()])
async def test_a_key_is_known_however_it_is_sent(proxy: MockProxy, way: tuple[dict[str, str], str]) -> None:
    """From every header and query that LiteLLM reads: a known one is served, an unknown one is a 401."""
    headers, query = way

    async def ask(key: str) -> tuple[int, list[str], str]:
        filled = {name: value.format(key=key) for name, value in headers.items()}
        answer = await proxy.post(GENERATE + query.format(key=key), {"contents": CONTENTS}, headers=filled)
        return answer.status, answer.sent_to, answer.error.get("type", "")

    assert await ask(APP) == (200, ["fast"], "")
    assert await ask(UNKNOWN) == (401, [], "authentication_error")


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="a scheme alone"),
        pytest.param("Bearer ", id="an empty key"),
        pytest.param(f"Bearer {UNKNOWN}", id="unknown"),
        pytest.param(f"Bearer {APP} ", id="a space behind"),
        pytest.param(f"Bearer  {APP}x", id="a letter more"),
        pytest.param(f"Bearer {APP[:-1]}", id="a letter less"),
        pytest.param(f"Bearer {APP.upper()}", id="in capitals"),
        pytest.param(f"Basic {UNKNOWN}", id="another scheme"),
        pytest.param(f"Bearer {APP}, Bearer {UNKNOWN}", id="two"),
        pytest.param("Bearer litellm_proxy_master_key", id="the name of the master key"),
        pytest.param("Bearer homelab-caller-app", id="the name of a caller"),
        pytest.param("Bearer \u00e9\u00e9\u00e9", id="no ASCII"),
        pytest.param(f"Bearer {'x' * 20_000}", id="long"),
    ],
)
async def test_any_other_key_is_a_401(proxy: MockProxy, authorization: str) -> None:
    """Missing, unknown or nearly right: never served, never a 500, and the message does not repeat it."""
    headers = [("Authorization", authorization.encode("latin-1"))]
    answer = await proxy.request("POST", CHAT, json=body("fast"), headers=headers)
    assert (answer.status, answer.error["type"], answer.sent_to) == (401, "authentication_error", []), (
        answer.text
    )
    assert not any(word in answer.text for word in authorization.split() if word != "Bearer")


# --- whom LiteLLM sees -------------------------------------------------------------------------------

FORGED = {
    "homelab_caller": "everything",
    "user_api_key_metadata": {"homelab_caller": "everything"},
    "user_api_key_alias": "everything",
    "user_api_key_user_id": "everything",
    "user_api_key": "litellm_proxy_master_key",
}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"metadata": {"alias": "everything"}}, id="metadata"),
        pytest.param({"user": "everything"}, id="user"),
    ],
)
async def test_who_is_calling_cannot_be_forged(proxy: MockProxy, fields: dict[str, Any]) -> None:
    """LiteLLM sees the caller by name, whatever the body says; so do our rules."""
    seen.identities.clear()
    seen.attempts.clear()
    served = await proxy.post(CHAT, body("fast", **fields), headers=bearer(APP))
    refused = await proxy.post(CHAT, body("main", **fields), headers=bearer(APP))
    assert (served.status, refused.status, refused.sent_to) == (200, 404, []), served.text
    (identity,) = seen.identities
    assert (identity.key_alias, identity.user_id) == ("app", "app")
    assert identity.metadata == {"homelab_caller": "app"}
    (metadata,) = seen.attempts
    assert metadata["user_api_key_alias"] == "app"
    assert metadata["user_api_key_user_id"] == "app"
    assert metadata["user_api_key_metadata"] == {"homelab_caller": "app"}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"metadata": FORGED}, id="metadata"),
        pytest.param({"litellm_metadata": FORGED}, id="litellm_metadata"),
        pytest.param({"metadata": FORGED, "litellm_metadata": FORGED}, id="both"),
        pytest.param({"metadata": json.dumps(FORGED)}, id="metadata as text"),
        pytest.param({"extra_body": {"metadata": FORGED}}, id="extra_body"),
        pytest.param({"user_api_key_alias": "everything"}, id="at the top"),
    ],
)
async def test_a_forged_identity_is_refused(proxy: MockProxy, fields: dict[str, Any]) -> None:
    """A client that writes where LiteLLM keeps the caller is told that it may not."""
    answer = await proxy.post(CHAT, body("fast", **fields), headers=bearer(APP))
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "param_not_allowed", [])


async def test_no_key_reaches_what_litellm_logs(proxy: MockProxy) -> None:
    """What stands for the key in metadata is a constant of the caller, the same for every request."""
    seen.attempts.clear()
    for key in (APP, "sk-everything", KEYS["optillm"]):
        await proxy.post(CHAT, body("fast"), headers=bearer(key))
        await proxy.post(CHAT, body("fast"), headers=bearer(key))
    hashes = [metadata["user_api_key_hash"] for metadata in seen.attempts]
    assert len(hashes) == 6
    assert hashes[::2] == hashes[1::2]
    assert len(set(hashes)) == 3
    assert not any(key in repr(seen.attempts) for key in (APP, "sk-everything", KEYS["optillm"]))


# --- names -------------------------------------------------------------------------------------------

NAMES = ("main", "fast", "quiet", "boost", "chain", "base", "nowhere")
OPENED: dict[str, set[str]] = {
    MASTER_KEY: {"main", "fast", "quiet", "boost", "chain"},
    "sk-everything": {"main", "fast", "quiet", "boost", "chain"},
    APP: {"fast", "quiet"},
    KEYS["optillm"]: {"main", "fast", "quiet", "chain", "base"},
    "sk-optillm-narrow": {"main", "base"},
}
"""The names that each key opens."""
REFUSED = {"boost": (400, "loop_detected")}
"""What OptiLLM's own key is told of an OptiLLM handle; anybody of any other name, a 404."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("key", OPENED, ids=["master", "everything", "app", "optillm", "narrow"])
async def test_a_key_opens_its_names_and_no_other(proxy: MockProxy, key: str, stream: bool) -> None:
    """By exact name; internal ones for OptiLLM alone, OptiLLM handles for anyone but OptiLLM."""
    for name in NAMES:
        answer = await proxy.post(CHAT, body(name, stream=stream), headers=bearer(key))
        if name in OPENED[key]:
            assert (answer.status, answer.sent_to) == (200, [name]), (name, answer.text)
        else:
            of_optillm = REFUSED.get(name) if "optillm" in key else None
            expected = of_optillm or (404, "model_not_found")
            assert (answer.status, answer.error["type"], answer.sent_to) == (*expected, []), (
                name,
                answer.text,
            )


async def test_a_metrics_key_opens_no_name(proxy: MockProxy) -> None:
    """It reads metrics."""
    for name in NAMES:
        answer = await proxy.post(CHAT, body(name), headers=key_of("prometheus"))
        assert (answer.status, answer.error["type"], answer.sent_to) == (403, "route_not_allowed", []), name


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        pytest.param(MASTER_KEY, ["main", "fast", "boost", "chain"], id="master"),
        pytest.param("sk-everything", ["main", "fast", "boost", "chain"], id="everything"),
        pytest.param(APP, ["fast"], id="app"),
        pytest.param(KEYS["optillm"], ["main", "fast", "chain"], id="optillm"),
        pytest.param("sk-optillm-narrow", ["main"], id="narrow"),
    ],
)
async def test_a_listing_shows_a_caller_its_own_handles(
    proxy: MockProxy, key: str, listed: list[str]
) -> None:
    """In the order of `handles`; hidden and internal names are on nobody's list, nor in a refusal's."""
    answer = await proxy.get("/v1/models", headers=bearer(key))
    assert [one["id"] for one in answer.json["data"]] == listed
    refusal = await proxy.post(CHAT, body("nowhere"), headers=bearer(key))
    assert refusal.error["message"].endswith(f"You may use: {', '.join(listed)}.")
