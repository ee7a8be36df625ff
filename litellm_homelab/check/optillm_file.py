"""What is wrong with OptiLLM's proxy_config.yaml: prompts must go to this gateway, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_homelab.check.finding import Found, MessageId
from litellm_homelab.config.key_checks import is_local
from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.wording import looks_like_a_key, quoted, shown
from litellm_homelab.optillm.addresses import address_of, own_addresses

UPSTREAM: Final = "OPTILLM_UPSTREAM_API_BASE"
"""The variable in which config/optillm/start.sh hands on the gateway's address."""
REFERENCE: Final = re.compile(r"\$\{\s*(?P<name>\w+)\s*(?::-(?P<default>[^}]*))?\}")
"""As OptiLLM reads it (`_interpolate_env_vars`, 0.4.0)."""
LEAST_SECONDS: Final = 300
IDS: Final = {
    one.id: one
    for one in (
        MessageId("optillm-file-unreadable", "error", "OptiLLM's configuration is missing, or is not YAML."),
        MessageId("optillm-file-no-providers", "error", "OptiLLM's configuration names no provider."),
        MessageId(
            "optillm-file-provider-incomplete",
            "error",
            "Without an address or a key OptiLLM leaves out the file.",
        ),
        MessageId(
            "optillm-file-other-provider", "error", "OptiLLM would send prompts to a server on the internet."
        ),
        MessageId(
            "optillm-file-past-the-gateway", "warning", "OptiLLM would send prompts past this gateway."
        ),
        MessageId("optillm-file-key", "warning", "A key in OptiLLM's configuration."),
        MessageId(
            "optillm-file-health-check", "warning", "OptiLLM's health check asks the gateway again and again."
        ),
        MessageId(
            "optillm-file-timeout", "hint", "OptiLLM gives up after 30 seconds where nothing else is set."
        ),
        MessageId("optillm-file-reference", "error", "OptiLLM resolves `${X}` and no `os.environ/X`."),
    )
}


def findings(content: object, environ: Mapping[str, str], port: int) -> Iterator[tuple[str, Found]]:
    """(id, found) for what the file contains; `port` is this gateway's."""
    providers = content.get("providers") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(providers, list) or not providers:
        yield (
            "optillm-file-no-providers",
            (
                "providers",
                "missing: OptiLLM 0.3.12 then takes a sample whose providers are clouds; name the gateway",
            ),
        )
        return
    for number, one in enumerate(providers):
        yield from _provider(f"providers[{number}]", one if isinstance(one, dict) else {}, environ, port)
    yield from _settings(content)


def _provider(
    where: str, provider: Mapping[Any, Any], environ: Mapping[str, str], port: int
) -> Iterator[tuple[str, Found]]:
    for name in ("base_url", "api_key"):
        value = provider.get(name)
        if not isinstance(value, str) or not value:
            yield (
                "optillm-file-provider-incomplete",
                (
                    f"{where}.{name}",
                    f"expected a string, got {shown(value)}; without it OptiLLM ignores the whole file",
                ),
            )
        elif value.startswith(ENV_PREFIX):
            name_of = value.removeprefix(ENV_PREFIX)
            yield (
                "optillm-file-reference",
                (f"{where}.{name}", f"OptiLLM does not resolve {value}; write ${{{name_of}}}"),
            )
        elif name == "base_url":
            yield from _address(f"{where}.{name}", value, environ, port)
        elif not REFERENCE.search(value) and looks_like_a_key(value):
            yield (
                "optillm-file-key",
                (f"{where}.{name}", "a key in this file; write ${OPENAI_API_KEY}, which start.sh sets"),
            )


def _address(where: str, written: str, environ: Mapping[str, str], port: int) -> Iterator[tuple[str, Found]]:
    found = REFERENCE.fullmatch(written)
    if found is not None and found["name"] == UPSTREAM and UPSTREAM not in environ:
        return  # start.sh sets it
    url = REFERENCE.sub(lambda one: environ.get(one["name"]) or one["default"] or "", written)
    if not url:
        return  # a variable that is not known here
    if address_of(url) in own_addresses(port):
        return
    if is_local(url):
        yield (
            "optillm-file-past-the-gateway",
            (
                where,
                (
                    f"{quoted(url)} is not this gateway (port {port}), so no rule sees these calls; write "
                    "its address"
                ),
            ),
        )
    else:
        yield (
            "optillm-file-other-provider",
            (
                where,
                (
                    f"prompts would go to {quoted(url)}; name this gateway alone, and configure clouds in "
                    "router.yaml"
                ),
            ),
        )


def _settings(content: Mapping[Any, Any]) -> Iterator[tuple[str, Found]]:
    routing, timeouts = content.get("routing"), content.get("timeouts")
    health = routing.get("health_check") if isinstance(routing, dict) else None
    if not isinstance(health, dict) or health.get("enabled") is not False:
        where = "routing.health_check" if isinstance(health, dict) else "routing"
        yield (
            "optillm-file-health-check",
            (
                where,
                (
                    "OptiLLM asks the gateway for /v1/models at every interval; write `health_check: "
                    "{enabled: false}`"
                ),
            ),
        )
    seconds = timeouts.get("request") if isinstance(timeouts, dict) else None
    if not isinstance(seconds, int | float) or seconds < LEAST_SECONDS:
        got = f"{shown(seconds)} seconds" if seconds is not None else "30 seconds by default"
        yield (
            "optillm-file-timeout",
            ("timeouts.request", f"got {got}, which a large local model does not keep; write 600"),
        )
