"""When the gateway answers, and what to try then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from litellm_homelab.cli.plan import Plan
from litellm_homelab.demo.config import CONTROL

if TYPE_CHECKING:
    import httpx

BOOST = "boost"
"""The shipped OptiLLM handle."""

_TIMEOUT_SECONDS = 5.0


class GatewayUnusable(RuntimeError):
    """The gateway runs but does not answer as it should; the text has its answer."""


def listed_models(plan: Plan) -> list[str] | None:
    """
    The names in ``/v1/models`` once everything answers; None while something does not yet.

    Raises:
        Refused: LiteLLM is up and has no listing for the master key, which waiting will not change.

    """
    import httpx  # here, so that `--help` starts without it

    try:
        if plan.demo_ports:
            _get(f"http://127.0.0.1:{plan.demo_ports[CONTROL]}/backends").raise_for_status()
        _get(f"{plan.url}/health/liveliness").raise_for_status()
        listing = _get(
            f"{plan.url}/v1/models", {"Authorization": f"Bearer {plan.environ['LITELLM_MASTER_KEY']}"}
        )
    except httpx.HTTPError:
        return None
    if listing.status_code != httpx.codes.OK:
        raise GatewayUnusable(f"{listing.url} answered {listing.status_code}: {listing.text[:500]}")
    return [model["id"] for model in listing.json()["data"]]


def lines_to_try(plan: Plan, models: Sequence[str]) -> list[str]:
    """Commands that work as printed, in a shell in the folder that we were started in."""
    key = '-H "Authorization: Bearer $LITELLM_MASTER_KEY"'
    # Without a slash in its name a POSIX shell would look for the file in PATH.
    path = plan.env_file if "/" in str(plan.env_file) else f"./{plan.env_file}"
    lines = [
        f"set -a; . {path}; set +a",
        f"curl -s {plan.url}/v1/models {key}",
        _chat("curl -s", plan, key, model=models[0]),
    ]
    if BOOST in models:
        # Three calls of OptiLLM's for one request, told in headers.
        boosted = _chat("curl -si", plan, key, model=BOOST, optillm_approach="moa")
        lines.append(f"{boosted} | grep -E '^(x-homelab|[{{])'")
    return lines


def _chat(curl: str, plan: Plan, key: str, **fields: str) -> str:
    body = json.dumps({**fields, "messages": [{"role": "user", "content": "Hello"}]})
    return f"{curl} {plan.url}/v1/chat/completions {key} -H 'Content-Type: application/json' -d '{body}'"


def _get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    import httpx

    # trust_env: a proxy set for the internet has no business between two programs of this machine.
    return httpx.get(url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False)
