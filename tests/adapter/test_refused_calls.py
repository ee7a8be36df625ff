"""A call that the transport refused ends its request before any policy looks at the next attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.refused_calls import end_request
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.policies import POLICIES
from litellm_homelab.quotas.book import Book
from tests.adapter.lane import document, group, proxy_on
from tests.adapter.policies.test_quotas import DAY

ENDING = ("transport", "hops", "quota")
BOX = "http://127.0.0.1:8000"


@pytest.mark.parametrize("level", [Level.ATTEMPT, Level.STAGE])
@pytest.mark.parametrize("rule", sorted({*ENDING, *(one.name for one in POLICIES)}))
def test_which_rules_end_a_request(rule: str, level: Level) -> None:
    """With a 400 for the router, whatever the client gets; after a limit of time the chain goes on."""
    ctx, refusal = RequestContext(), Refuse(RefusalType.QUOTA_EXCEEDED, "Used up.", retry_after=9)
    ctx.outcome.refuse(rule, refusal, level)
    if rule not in ENDING or level is Level.STAGE:
        end_request(ctx)
        return
    with pytest.raises(Refused) as raised:
        end_request(ctx)
    assert (raised.value.rule, raised.value.refusal.status) == (rule, 400)
    assert ctx.outcome.ours() == refusal


def test_a_request_without_a_refusal_goes_on() -> None:
    """And LiteLLM's own background work, which has no context."""
    end_request(RequestContext())
    end_request(None)


@pytest.mark.parametrize("on_absent", ["fallback", "refuse"])
async def test_a_refused_call_counts_before_a_backend_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_absent: str
) -> None:
    """The quota ends the request, and the client reads of it, though the fallback's server is away."""
    models = [group("cloud"), group("local", api_base=f"{BOX}/v1")]
    found = document(models, {}, internal=(), fallbacks={"cloud": ["local"]})
    found["homelab"]["quotas"] = {
        "free": {"groups": ["cloud"], "windows": [DAY], "on_exhausted": "refuse"},
    }
    presence: dict[str, Any] = {"probe_seconds": 3600, "timeout_seconds": 1, "on_absent": on_absent}
    found["homelab"]["backends"] = {"box": {"at": [BOX], "presence": presence}}

    async def too_late(*_: object) -> bool:
        return False

    async with proxy_on(tmp_path, found) as gateway:
        gateway.upstream("local").fails("down")
        await gateway.chat("local")
        assert (await gateway.chat("local")).json["error"]["type"] == "model_absent"
        monkeypatch.setattr(Book, "send", too_late)
        answer = await gateway.chat("cloud")
        assert (answer.status, answer.json["error"]["type"]) == (429, "quota_exceeded"), answer.text
        assert gateway.upstream("cloud").requests == []
