"""What is wrong with `homelab.timeouts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from litellm_homelab.config.findings import Caution
from litellm_homelab.config.wording import did_you_mean, quoted
from litellm_homelab.timeouts.groups import DEFAULT, limits_of

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings
    from litellm_homelab.timeouts.rule import TimeLimits

NOT_TIMED: Final[Mapping[str, str]] = {
    "sagemaker": "boto3",
    "sagemaker_chat": "boto3",
    "bedrock": "boto3, for embeddings and images",
    "aiohttp_openai": "an aiohttp session of its own",
    "petals": "requests",
    "vllm": "the vllm package in this process",
    "custom": "code of your own",
}
"""Providers whose requests, or some, do not pass LiteLLM's HTTP clients (read from 1.106.2)."""


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with `homelab.timeouts`, in words."""
    section = settings.homelab.timeouts
    if not section:
        return
    showroom = settings.homelab.showroom
    names = {*settings.router.groups, *settings.handles, *showroom.hidden, *showroom.internal}
    for name, own in section.items():
        where = f"homelab.timeouts.{name}"
        if name != DEFAULT and name not in names:
            right = did_you_mean(name, {*names, DEFAULT})
            yield f"{where}: {quoted(name)} is not a model_name of model_list{right}"
        elif limits_of(name, {name: own}).is_empty:
            yield f"{where}: sets no limit; set connect, first_token, idle or total, or remove it"
        else:
            yield from _order(where, limits_of(name, section))
    yield from _not_timed(settings)


def _order(where: str, limits: TimeLimits) -> Iterator[str]:
    """Limits that never act, since another ends the attempt before."""
    for name in ("connect", "first_token", "idle"):
        value = getattr(limits, name)
        if value is not None and limits.total is not None and value > limits.total:
            yield Caution(
                f"{where}.{name}: {value:g} s is never reached, since total ends the attempt after "
                f"{limits.total:g} s; lower {name} or raise total"
            )


def _not_timed(settings: Settings) -> Iterator[str]:
    found = {
        one.group: NOT_TIMED[one.provider]
        for one in settings.router.deployments
        if one.provider in NOT_TIMED and not limits_of(one.group, settings.homelab.timeouts).is_empty
    }
    for group, means in found.items():
        yield Caution(
            f"homelab.timeouts: {group}: no limit acts on calls through {means}, which do not pass "
            "LiteLLM's HTTP clients; set `timeout` in its litellm_params as well"
        )
