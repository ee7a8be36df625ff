"""Traps in limits: parallel requests, requests per minute and per day, retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.config.wording import shown

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

DAILY: Final = ("rpd", "tpd")
RESET: Final = "daily_reset_time"
DAILY_SINCE: Final = "1.109"
"""The first LiteLLM that reads them (not in 1.108.7, in 1.109.1)."""
ENFORCED: Final = "enforce_model_rate_limits"
USAGE: Final = ("usage-based-routing", "usage-based-routing-v2")
PACIFIC: Final = ("gemini",)
"""Providers whose day begins at midnight in California."""


@check("litellm-max-parallel", "warning", "`max_parallel_requests` refuses: it does not queue.")
def max_parallel(doc: Document) -> Iterator[Found]:
    """An immediate 429 since 1.106 (`MaxParallelRequestsLimit`); 1.97 let requests wait."""
    text = (
        "further requests get a 429 instead of waiting, counted in each worker by itself; to let them "
        "wait, set slots and a queue in homelab.backends"
    )
    for one in doc.entries:
        if one.params.get("max_parallel_requests") is not None and not _has_fallback(doc, one.name):
            yield f"{one.where}.litellm_params.max_parallel_requests", text
    if doc.section("router_settings").get("default_max_parallel_requests") is not None:
        yield "router_settings.default_max_parallel_requests", text


def _has_fallback(doc: Document, group: str) -> bool:
    return any(source in {group, "*"} for _, source, _ in doc.router.fallbacks)


@check("litellm-rpm-is-parallel", "hint", "`rpm` and `tpm` bound parallel requests, not requests per minute.")
def rpm_is_parallel(doc: Document) -> Iterator[Found]:
    """`calculate_max_parallel_requests` (1.108.7); per minute only with a check or a strategy that counts."""
    router = doc.section("router_settings")
    if ENFORCED in _checks(doc) or router.get("routing_strategy") in USAGE:
        return
    for one in doc.entries:
        for name in ("rpm", "tpm"):
            if one.params.get(name) is not None and one.params.get("max_parallel_requests") is None:
                yield (
                    f"{one.where}.litellm_params.{name}",
                    (
                        "LiteLLM takes it for the number of parallel requests and counts nothing per "
                        "minute; add "
                        f"`optional_pre_call_checks: [{ENFORCED}]` to router_settings to have it enforced"
                    ),
                )
                break


@check("litellm-rpd-unknown", "warning", "`rpd` and `tpd` do nothing before LiteLLM 1.109.")
def rpd_unknown(doc: Document) -> Iterator[Found]:
    """An unknown parameter, which goes to the server as a field of the request."""
    if doc.is_at_least(DAILY_SINCE):
        return
    for where, name in _daily(doc, (*DAILY, RESET)):
        yield (
            where,
            (
                f"LiteLLM {doc.version or doc.names.version} does not know {name} and sends it to the "
                "server; it "
                f"limits nothing before {DAILY_SINCE}: remove it"
            ),
        )


@check("litellm-rpd-not-enforced", "warning", "`rpd` and `tpd` count only with their check.")
def rpd_not_enforced(doc: Document) -> Iterator[Found]:
    """`optional_pre_call_checks: [enforce_model_rate_limits]` (1.109 and newer)."""
    if not doc.is_at_least(DAILY_SINCE) or ENFORCED in _checks(doc):
        return
    for where, name in _daily(doc):
        yield (
            where,
            f"nothing enforces {name}; add `optional_pre_call_checks: [{ENFORCED}]` to router_settings",
        )


@check(
    "litellm-rpd-per-worker",
    "warning",
    "Without Redis `rpd` is counted in each worker and lost at a restart.",
)
def rpd_per_worker(doc: Document) -> Iterator[Found]:
    """The count is in memory where the router has no Redis (1.109 and newer)."""
    if not doc.is_at_least(DAILY_SINCE) or ENFORCED not in _checks(doc):
        return
    if _has_redis(doc) or not doc.has_environment:
        return
    for where, name in _daily(doc):
        yield (
            where,
            (
                f"without Redis each worker counts {name} by itself, and a restart begins at 0; set "
                "redis_host and "
                "redis_port in router_settings"
            ),
        )


@check("litellm-rpd-zone", "warning", "A day that begins at another time than the provider's.")
def rpd_zone(doc: Document) -> Iterator[Found]:
    """Gemini's day begins at midnight in California: 08:00 UTC, and 07:00 in summer."""
    if not doc.is_at_least(DAILY_SINCE):
        return
    providers = {one.where: one.provider for one in doc.deployments}
    for one in doc.entries:
        reset = one.params.get(RESET)
        daily = [name for name in DAILY if one.params.get(name) is not None]
        if providers.get(one.where) in PACIFIC and daily and reset not in {"08:00", "07:00"}:
            yield (
                f"{one.where}.litellm_params.{daily[0]}",
                (
                    "Gemini's day begins at midnight in California, LiteLLM's at "
                    f"{shown(reset or '00:00')} UTC; set "
                    'daily_reset_time: "08:00" ("07:00" in summer)'
                ),
            )


def _daily(doc: Document, names: tuple[str, ...] = DAILY) -> Iterator[tuple[str, str]]:
    for one in doc.entries:
        for name in names:
            if one.params.get(name) is not None:
                yield f"{one.where}.litellm_params.{name}", name


def _checks(doc: Document) -> tuple[Any, ...]:
    listed = doc.section("router_settings").get("optional_pre_call_checks")
    return tuple(listed) if isinstance(listed, list) else ()


def _has_redis(doc: Document) -> bool:
    router, litellm = doc.section("router_settings"), doc.section("litellm_settings")
    variables = ("REDIS_HOST", "REDIS_URL")
    return bool(
        router.get("redis_url")
        or (router.get("redis_host") and router.get("redis_port"))
        or litellm.get("cache") is True
        or doc.section("general_settings").get("coordination_redis")
        or any(doc.environ.get(name) for name in variables)
    )


@check("litellm-retries-overridden", "warning", "A `retry_policy` overrides a deployment's `num_retries`.")
def retries_overridden(doc: Document) -> Iterator[Found]:
    """The policy's number counts for every error that it names (`async_function_with_retries`, 1.108.7)."""
    router = doc.section("router_settings")
    policy, by_group = router.get("retry_policy"), router.get("model_group_retry_policy")
    groups = by_group if isinstance(by_group, dict) else {}
    for one in doc.entries:
        retries = one.params.get("num_retries")
        wins = groups.get(one.name, policy)
        if retries is None or not isinstance(wins, dict) or not wins:
            continue
        others = sorted({str(value) for value in wins.values() if str(value) != str(retries)})
        if others:
            yield (
                f"{one.where}.litellm_params.num_retries",
                (
                    "retry_policy overrides it for the errors that it names (there: "
                    f"{', '.join(others)}); set it "
                    "for the group: `model_group_retry_policy: "
                    f"{{{one.name}: {{DefaultRetries: {retries}}}}}`"
                ),
            )
