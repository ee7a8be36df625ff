"""Traps in LiteLLM's own settings: values that it reads otherwise than they are meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.finding import Found, check
from litellm_homelab.check.names import SLIP
from litellm_homelab.config import references
from litellm_homelab.config.key_checks import is_cloud
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.wording import closest, did_you_mean, quoted, shown

if TYPE_CHECKING:
    from litellm_homelab.check.document import Document

PUBLIC_MASTER_KEY: Final = "sk-1234"
"""The key of LiteLLM's documentation, with which it does not start (1.104 and newer)."""
PERMIT: Final = "dangerously_permit_weak_or_unset_master_key"
LISTS: Final = ("success_callback", "failure_callback", "audit_log_callbacks")
LICENSED: Final = ("allowed_ips", "enforced_params")
"""Settings of `general_settings` that stop the start without a licence (1.108.7)."""
LICENCE_IGNORED: Final = ("max_request_size_mb", "max_response_size_mb")
REDIS_ADDRESSES: Final = ("host", "url", "redis_startup_nodes", "startup_nodes", "sentinel_nodes")
DATABASE: Final = ("DATABASE_URL", "DIRECT_URL")


@check(
    "litellm-routing-strategy", "error", "A routing strategy that LiteLLM does not know: it does not start."
)
def routing_strategy(doc: Document) -> Iterator[Found]:
    """`validate_routing_strategy` (1.108.7)."""
    found = doc.section("router_settings").get("routing_strategy")
    named = doc.resolved(found)
    if found is None or is_unset(named) or (isinstance(named, str) and named in doc.names.strategies):
        return
    known = ", ".join(sorted(doc.names.strategies))
    right = did_you_mean(found, doc.names.strategies)
    yield (
        "router_settings.routing_strategy",
        f"LiteLLM does not start with {shown(found)} (known: {known}){right}",
    )


@check("litellm-pre-call-check", "warning", "A pre-call check that LiteLLM does not know does nothing.")
def pre_call_check(doc: Document) -> Iterator[Found]:
    """`add_optional_pre_call_checks` skips other names without a word (1.108.7)."""
    listed = doc.section("router_settings").get("optional_pre_call_checks")
    for number, name in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(name, str) or name not in doc.names.pre_call_checks:
            right = did_you_mean(name, doc.names.pre_call_checks)
            known = ", ".join(sorted(doc.names.pre_call_checks))
            where = f"router_settings.optional_pre_call_checks[{number}]"
            yield where, f"LiteLLM ignores {shown(name)} (known: {known}){right}"


@check("litellm-cooldown-zero", "warning", "`cooldown_time: 0` in `router_settings` means 5 seconds.")
def cooldown_zero(doc: Document) -> Iterator[Found]:
    """`cooldown_time or DEFAULT_COOLDOWN_TIME_SECONDS` (1.108.7)."""
    if doc.section("router_settings").get("cooldown_time") == 0:
        yield (
            "router_settings.cooldown_time",
            (
                "LiteLLM reads 0 as not set: 5 seconds; set `disable_cooldowns: true`, or 0 for single "
                "deployments"
            ),
        )


@check("litellm-allowed-fails-three", "warning", "`allowed_fails: 3` counts as not set.")
def allowed_fails_three(doc: Document) -> Iterator[Found]:
    """The router compares it with its own default (`_is_allowed_fails_set_on_router`, 1.108.7)."""
    router = doc.section("router_settings")
    if router.get("allowed_fails") == 3 and not router.get("allowed_fails_policy"):
        yield (
            "router_settings.allowed_fails",
            (
                "LiteLLM takes 3 for its default, so for not set, and sets cooldowns by its own rule; "
                "write 2 or 4"
            ),
        )


@check("litellm-redis-without-port", "warning", "`redis_host` without `redis_port`: no Redis is used.")
def redis_without_port(doc: Document) -> Iterator[Found]:
    """Both or neither (`Router.__init__`, 1.108.7)."""
    router = doc.section("router_settings")
    for here, other in (("redis_host", "redis_port"), ("redis_port", "redis_host")):
        if router.get(here) and not router.get(other) and not router.get("redis_url"):
            yield (
                f"router_settings.{here}",
                f"LiteLLM uses no Redis without {other}; add it, or set redis_url",
            )


@check("litellm-alias-unknown", "warning", "A `model_group_alias` of a group that does not exist.")
def alias_unknown(doc: Document) -> Iterator[Found]:
    """The router does not look whether the group is there (1.108.7)."""
    groups = doc.router.groups
    for alias, group in doc.router.aliases.items():
        if group not in groups and not doc.router.in_database and groups:
            right = did_you_mean(group, groups)
            yield (
                f"router_settings.model_group_alias.{alias}",
                f"{quoted(group)} is not a model_name of model_list{right}",
            )


@check("litellm-cache-value", "error", "`cache` must be true or false; its settings are in `cache_params`.")
def cache_value(doc: Document) -> Iterator[Found]:
    """Any other value becomes the cache itself, and each request fails on it (`load_config`, 1.108.7)."""
    litellm = doc.section("litellm_settings")
    value = litellm.get("cache")
    if value is not None and not isinstance(value, bool):
        yield (
            "litellm_settings.cache",
            (
                f"expected true or false, got {shown(value)}; write `cache: true` and the rest below "
                "cache_params"
            ),
        )


@check("litellm-cache-params-unused", "warning", "`cache_params` without `cache: true` do nothing.")
def cache_params_unused(doc: Document) -> Iterator[Found]:
    """They are read with `cache: true` only (`load_config`, 1.108.7)."""
    litellm = doc.section("litellm_settings")
    if litellm.get("cache_params") and not litellm.get("cache"):
        yield (
            "litellm_settings.cache_params",
            "LiteLLM reads them with `cache: true` only; add it, or remove them",
        )


@check("litellm-cache-type", "error", "A kind of cache that LiteLLM does not know.")
def cache_type(doc: Document) -> Iterator[Found]:
    """It starts with a cache that has no store, and each request fails on it (`Cache`, 1.108.7)."""
    kind, types = doc.resolved(_cache_params(doc).get("type")), doc.names.cache_types
    if kind is not None and not is_unset(kind) and not (isinstance(kind, str) and kind in types):
        known = ", ".join(sorted(types))
        yield (
            "litellm_settings.cache_params.type",
            f"LiteLLM does not know {shown(kind)} (known: {known}){did_you_mean(kind, types)}",
        )


@check("litellm-cache-address", "error", "A cache in Redis without its address: LiteLLM does not start.")
def cache_address(doc: Document) -> Iterator[Found]:
    """From `cache_params`, or else from the environment, which `--env` says (`RedisCache`, 1.108.7)."""
    params = _cache_params(doc)
    named = any(name.startswith(("REDIS_", "VALKEY_")) for name in doc.environ)
    if params.get("type", "redis") != "redis" or not params or named or not doc.has_environment:
        return
    if not any(params.get(name) for name in REDIS_ADDRESSES):
        yield (
            "litellm_settings.cache_params",
            "there is no address of Redis, here or in the environment; add host and port, or url",
        )


def _cache_params(doc: Document) -> Mapping[Any, Any]:
    """`cache_params` where LiteLLM reads them."""
    litellm = doc.section("litellm_settings")
    params = litellm.get("cache_params")
    return params if litellm.get("cache") is True and isinstance(params, dict) else {}


@check("litellm-callback-misspelt", "warning", "A callback that LiteLLM does not know does nothing.")
def callback_misspelt(doc: Document) -> Iterator[Found]:
    """It is kept as a text and never called, without a line in the log (1.108.7)."""
    for setting in ("callbacks", *LISTS):
        value = doc.section("litellm_settings").get(setting)
        for number, name in enumerate(value if isinstance(value, list) else ()):
            known = doc.names.callbacks
            right = closest(name, known, SLIP) if isinstance(name, str) and name not in known else None
            if right is not None and "." not in name:
                yield (
                    f"litellm_settings.{setting}[{number}]",
                    f"LiteLLM knows no callback {quoted(name)} and ignores it; did you mean {right}?",
                )


@check(
    "litellm-callbacks-text", "error", "A text in the place of a list of callbacks is read letter by letter."
)
def callbacks_text(doc: Document) -> Iterator[Found]:
    """`for callback in value` (`load_config`, 1.108.7); `callbacks` itself may be one text."""
    for name in LISTS:
        value = doc.section("litellm_settings").get(name)
        if isinstance(value, str) and not value.startswith("litellm_homelab."):
            yield (
                f"litellm_settings.{name}",
                f"LiteLLM would take each letter of {quoted(value)} for a callback; write [{value}]",
            )


@check("litellm-verbose", "warning", "`set_verbose` prints requests, prompts included.")
def verbose(doc: Document) -> Iterator[Found]:
    """Use `LITELLM_LOG` for one start instead."""
    for section in ("litellm_settings", "router_settings"):
        if doc.section(section).get("set_verbose") is True:
            yield (
                f"{section}.set_verbose",
                (
                    "LiteLLM would print every request, prompts included; remove it and set "
                    "LITELLM_LOG=DEBUG for a look"
                ),
            )


@check(
    "litellm-health-checks-load-models", "warning", "Background health checks ask every model for an answer."
)
def health_checks(doc: Document) -> Iterator[Found]:
    """A check is a completion: it loads a local model and keeps it loaded (`health_check.py`, 1.108.7)."""
    general = doc.section("general_settings")
    if general.get("background_health_checks") is not True or general.get(
        "background_health_check_model_groups"
    ):
        return
    off = {one.where for one in doc.entries if one.info.get("disable_background_health_check") is True}
    local = [one.group for one in doc.deployments if not is_cloud(one) and one.where not in off and one.model]
    if local:
        yield (
            "general_settings.background_health_checks",
            (
                "each check asks the model for an answer, which loads local models "
                f"({', '.join(dict.fromkeys(local[:3]))}) "
                "and keeps them loaded; set `disable_background_health_check: true` in their model_info"
            ),
        )


@check("litellm-keepalive", "hint", "LiteLLM's own keep-alive answers 200 before the model has answered.")
def keepalive(doc: Document) -> Iterator[Found]:
    """`ttft_keepalive_interval` (1.108.7): headers go out with the first comment."""
    if doc.section("litellm_settings").get("sse_keepalive_ping_interval_seconds"):
        yield (
            "litellm_settings.sse_keepalive_ping_interval_seconds",
            (
                "a stream is a 200 with its first comment, before the model answers: errors and "
                "fallbacks come as "
                "events, and x-homelab headers are missing; this package sends comments of its own "
                "where it makes a "
                "request wait: remove it unless a proxy in between needs it"
            ),
        )


@check("litellm-licence", "error", "A setting with which LiteLLM does not start without a licence.")
def licence(doc: Document) -> Iterator[Found]:
    """`allowed_ips`, `enforced_params` (1.108.7)."""
    if _licensed(doc):
        return
    for name in LICENSED:
        if doc.section("general_settings").get(name) is not None:
            yield (
                f"general_settings.{name}",
                "LiteLLM does not start with it without LITELLM_LICENSE; remove it",
            )


@check("litellm-licence-ignored", "warning", "A setting that LiteLLM ignores without a licence.")
def licence_ignored(doc: Document) -> Iterator[Found]:
    """`max_request_size_mb`, `max_response_size_mb` (1.108.7)."""
    if _licensed(doc):
        return
    for name in LICENCE_IGNORED:
        if doc.section("general_settings").get(name) is not None:
            yield (
                f"general_settings.{name}",
                (
                    "LiteLLM ignores it without LITELLM_LICENSE; `homelab.limits.body_mb` bounds a "
                    "request's body"
                ),
            )


def _licensed(doc: Document) -> bool:
    return bool(doc.section("general_settings").get("litellm_license") or doc.environ.get("LITELLM_LICENSE"))


@check("litellm-database-missing", "warning", "`store_model_in_db` without a database does nothing.")
def database_missing(doc: Document) -> Iterator[Found]:
    """Models are stored and read where LiteLLM has a database only; `--env` says whether it has."""
    general = doc.section("general_settings")
    has_one = general.get("database_url") or any(doc.environ.get(name) for name in DATABASE)
    if general.get("store_model_in_db") is True and not has_one and doc.has_environment:
        yield (
            "general_settings.store_model_in_db",
            "there is no database: set DATABASE_URL, or general_settings.database_url, or remove it",
        )


@check("litellm-master-key", "error", "A master key with which LiteLLM does not start.")
def master_key(doc: Document) -> Iterator[Found]:
    """Empty, or the one of LiteLLM's documentation (`master_key_boot_check.py`, 1.108.7)."""
    general = doc.section("general_settings")
    key = doc.resolved(general.get("master_key", doc.environ.get("LITELLM_MASTER_KEY")))
    if key is None or is_unset(key) or general.get(PERMIT) is True:
        return
    if not isinstance(key, str):
        yield (
            "general_settings.master_key",
            "expected a string; LiteLLM does not start with a number: write it in quotes",
        )
    elif key in {"", PUBLIC_MASTER_KEY}:
        what = "is empty" if not key else "is the key of LiteLLM's documentation"
        yield (
            "general_settings.master_key",
            (
                f"{what}, and LiteLLM does not start with it; set one that `echo sk-$(openssl rand -hex "
                "24)` prints"
            ),
        )


@check("litellm-environment-blocked", "warning", "A variable that LiteLLM does not take from the file.")
def environment_blocked(doc: Document) -> Iterator[Found]:
    """`PATH`, `PYTHONPATH` and the like (`_BLOCKED_ENV_KEYS`, 1.108.7)."""
    section = doc.content.get("environment_variables")
    for name in section if isinstance(section, dict) else ():
        if isinstance(name, str) and name not in references.late(section):
            yield (
                f"environment_variables.{name}",
                "LiteLLM does not set this variable; set it where LiteLLM starts",
            )
