"""Every request that an ordinary client sends by default is served, and what the backend can use arrives."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from litellm_homelab.testing import Answer, MockProxy
from tests import versions
from tests.clients.arrival import lost
from tests.clients.recorded import GENERATE, Recorded, load
from tests.config import shipped
from tests.real.gateway import read_env

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-a-key-of-these-tests"
OTHER_MODES = {
    "whisper": ("openai/whisper-1", "audio_transcription"),
    "speech": ("openai/tts-1", "audio_speech"),
    "paint": ("openai/dall-e-3", "image_generation"),
    "draw": (versions.IMAGE_MODEL, "image_generation"),
}
"""Handles for speech and pictures, of which the shipped file has none: the model and mode of each."""
SAID = re.compile("/(chat/completions|completions|responses|messages)($|[?])|" + GENERATE)
"""Paths that answer with text, and stream it when asked to."""

RECORDED = load()
SERVED = [request for request in RECORDED if request.status == 200]
ELSEWHERE = [request for request in RECORDED if request.status != 200]
STREAMED = [request.streamed() for request in SERVED if SAID.search(request.path) and not request.streams]


def ids(requests: list[Recorded]) -> list[Any]:
    """The requests as parameters that bear their names."""
    return [pytest.param(request, id=request.id) for request in requests]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """The shipped router.yaml with the upstreams of env.example, and a handle for each of `OTHER_MODES`."""
    folder = tmp_path_factory.mktemp("clients")
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    document = yaml.safe_load(shipped.ROUTER_TEXT)
    document["homelab"]["showroom"]["handles"] += OTHER_MODES
    for name, (model, mode) in OTHER_MODES.items():
        params = {"model": model, "api_base": f"http://{name}.invalid/v1", "api_key": "none"}
        document["model_list"].append(
            {"model_name": name, "litellm_params": params, "model_info": {"mode": mode}}
        )
    router = folder / "router.yaml"
    router.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    async with MockProxy(router, {**read_env(), "LITELLM_MASTER_KEY": KEY}) as running:
        yield running


async def ask(proxy: MockProxy, request: Recorded) -> Answer:
    """Send a recorded request."""
    return await proxy.request(request.method, request.path, **request.arguments(KEY))


@pytest.mark.parametrize("request_", ids(SERVED))
async def test_is_served(proxy: MockProxy, request_: Recorded) -> None:
    """It is a 200 after one call at most, and exactly the fields that the fixture names are dropped."""
    answer = await ask(proxy, request_)

    assert answer.status == 200, answer.text
    assert len(answer.calls) == (1 if request_.method == "POST" else 0)
    if request_.body is not None:
        assert lost(request_.body, answer.wire[0]) == versions.dropped(request_.id, request_.dropped)


@pytest.mark.parametrize("request_", ids(STREAMED))
async def test_is_served_streamed(proxy: MockProxy, request_: Recorded) -> None:
    """So it is when the client asks for a stream, which ends without an error."""
    answer = await ask(proxy, request_)

    assert answer.status == 200, answer.text
    assert answer.response.headers["content-type"].startswith("text/event-stream")
    assert answer.events
    assert not [event for event in answer.events if event.get("error") or event.get("type") == "error"]
    assert lost(request_.body or {}, answer.wire[0]) == versions.dropped(request_.id, request_.dropped)


@pytest.mark.parametrize("request_", ids([one for one in SERVED if one.form]))
async def test_a_form_arrives(proxy: MockProxy, request_: Recorded) -> None:
    """Each field of a form except the model reaches the backend by name and value, and so does the file."""
    answer = await ask(proxy, request_)

    sent = answer.calls[0].content.decode("latin-1")
    for name, value in request_.form.items():
        if name == "model":
            continue
        for one in value if isinstance(value, list) else [value]:
            assert f'name="{name}"' in sent
            assert f"\r\n\r\n{one}\r\n" in sent
    assert "RIFF...." in sent


@pytest.mark.parametrize("request_", ids(ELSEWHERE))
async def test_a_route_that_litellm_has_not(proxy: MockProxy, request_: Recorded) -> None:
    """What LiteLLM has no route for is a 4xx and calls nothing."""
    answer = await ask(proxy, request_)

    assert (answer.status, answer.calls) == (request_.status, ())
